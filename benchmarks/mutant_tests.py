"""Runs each mutant against the tests that execute its statement: ``benchmarks/mutants.py``.

pytest collects once. One fork runs every test and notes which of them executes which line and how
long it takes. Then each mutant gets a fork of its own, which has no cache and no state of an
earlier test: first the tests that killed others of its function and module, then those that execute
the fewest lines. A mutant that runs on is stopped by the processor time that it used, so a busy
machine kills nothing.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import json
import os
import resource
import signal
import sys
import time
import types
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutation import ROOT, Mutant
from tests.terminal.emv import scheme

TESTS = "tests/terminal/emv"
CPU_LEAST_S = 2
CPU_TIMES = 8
MEMORY_BYTES = 3 << 30
_SURVIVED = 250


def survivors(
    chosen: Sequence[Mutant], jobs: int, most: int, found: Callable[[Mutant], None]
) -> list[Mutant]:
    """The mutants that no test notices; ``found`` hears of each at once.

    At most ``most`` tests are run on each, so that what is found may be too much and never too
    little.

    Raises:
        SystemExit: the tests fail without any change.
    """
    killer = _Killer(chosen, jobs, most, found)
    # Every mutant's dots and tracebacks would come out here.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", TESTS], plugins=[killer])
    if killer.failed:
        sys.exit("\n".join(["Without any change there fails:", *killer.failed]))
    return [each for number, each in enumerate(chosen) if number in killer.alive]


class _Lines:
    """Which test executes which line of the modules, and how long each test takes."""

    def __init__(self, modules: set[str]) -> None:
        self._watched = {str(ROOT / each): each for each in modules}
        self._seen: set[str] = set()
        self.tests: dict[str, set[int]] = defaultdict(set)
        self.took_s: dict[int, float] = {}

    def trace(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        """What ``sys.settrace`` wants: follows the frames of the modules and no others."""
        del event, arg
        module = self._watched.get(frame.f_code.co_filename)
        if module is None:
            return None

        def line(inner: types.FrameType, event: str, arg: Any) -> Any:
            del arg
            if event == "line":
                self._seen.add(f"{module}:{inner.f_lineno}")
            return line

        return line

    def run(self, items: Sequence[pytest.Item]) -> None:
        """Runs every test. What a module's first test sets up counts for all of its tests."""
        shared: dict[Path, set[str]] = defaultdict(set)
        for number, item in enumerate(items):
            began = time.process_time()
            self._seen = set()
            sys.settrace(self.trace)
            following = items[number + 1] if number + 1 < len(items) else None
            new = item.path not in shared
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            sys.settrace(None)
            self.took_s[number] = time.process_time() - began
            if new:
                shared[item.path] = self._seen
            for place in self._seen:
                self.tests[place].add(number)
        for number, item in enumerate(items):
            for place in shared[item.path]:
                self.tests[place].add(number)


@dataclass(frozen=True, slots=True)
class _Reached:
    """Tests by line, seconds by test, and how many lines each test executes."""

    tests: Mapping[str, set[int]]
    took_s: Mapping[int, float]
    width: Counter[int]


class _Killer:
    """A pytest plugin in the place of pytest's own loop."""

    def __init__(
        self, chosen: Sequence[Mutant], jobs: int, most: int, found: Callable[[Mutant], None]
    ) -> None:
        self._chosen, self._jobs, self._most, self._found = chosen, jobs, most, found
        self._killers: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._kills: dict[str, Counter[int]] = defaultdict(Counter)
        self.alive: set[int] = set()
        self.failed = ["the collection"]

    @staticmethod
    def pytest_configure() -> None:
        """A failing example is enough: it is neither kept nor made smaller."""
        # Not before pytest has prepared it: it brings a plugin of its own.
        import hypothesis  # noqa: PLC0415 - as said.

        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("mutants", database=None, deadline=None, phases=phases)
        hypothesis.settings.load_profile("mutants")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes what fails without any change."""
        if report.failed:
            self.failed.append(f"{report.nodeid}: {report.longreprtext[-400:]}")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Collects the lines, then runs each mutant."""
        self.failed.clear()
        reached = self._reached(session)
        if self.failed:
            return True
        for name, bits in (("ca", 1408), ("issuer", 1152), ("icc", 1024)):
            # Making the keys of the tests' own cards takes longer than the tests.
            scheme.key(name, bits)
        gc.freeze()
        running: dict[int, tuple[int, int]] = {}
        for number, mutant in enumerate(self._chosen):
            if len(running) == self._jobs:
                self._reap(running)
            order = self._order(mutant, reached)
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                limits = [CPU_LEAST_S + CPU_TIMES * reached.took_s[each] for each in order]
                self._child(session, mutant, list(zip(order, limits, strict=True)), writing)
            os.close(writing)
            running[child] = (number, reading)
        while running:
            self._reap(running)
        return True

    def _reached(self, session: pytest.Session) -> _Reached:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            self._quiet()
            lines = _Lines({each.module for each in self._chosen})
            lines.run(session.items)
            tests = {place: sorted(numbers) for place, numbers in lines.tests.items()}
            with os.fdopen(writing, "w") as out:
                json.dump([tests, lines.took_s, self.failed], out)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as found:
            tests, took_s, self.failed = json.load(found)
        os.waitpid(child, 0)
        return _Reached(
            {place: set(numbers) for place, numbers in tests.items()},
            {int(number): seconds for number, seconds in took_s.items()},
            Counter(number for numbers in tests.values() for number in numbers),
        )

    def _order(self, mutant: Mutant, reached: _Reached) -> list[int]:
        chosen: set[int] = set()
        for line in mutant.lines:
            chosen |= reached.tests.get(f"{mutant.module}:{line}", set())
        first = [each for each in self._killers[mutant.path] if each in chosen]
        kills = self._kills[mutant.module]
        rest = sorted(chosen - set(first), key=lambda each: (-kills[each], reached.width[each]))
        return [*first, *rest][: self._most]

    def _reap(self, running: dict[int, tuple[int, int]]) -> None:
        child, status = os.wait()
        number, reading = running.pop(child)
        with os.fdopen(reading) as said:
            killed_by = said.read()
        if os.waitstatus_to_exitcode(status) == _SURVIVED:
            self.alive.add(number)
            self._found(self._chosen[number])
        elif killed_by:
            mutant, test = self._chosen[number], int(killed_by)
            recent = self._killers[mutant.path]
            self._kills[mutant.module][test] += 1
            recent[:] = [test, *(each for each in recent if each != test)][:8]

    @staticmethod
    def _quiet() -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)

    def _child(
        self,
        session: pytest.Session,
        mutant: Mutant,
        order: Sequence[tuple[int, float]],
        writing: int,
    ) -> None:
        self._quiet()
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            function = _function(mutant.module, mutant.path)
            function.__code__ = _code(mutant.text, mutant.module, mutant.path)
            items = [session.items[each] for each, _ in order]
            for at, (number, limit_s) in enumerate(order):
                # Its signal ends the process: a test that never ends has noticed the mutant.
                signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
                following = items[at + 1] if at + 1 < len(items) else None
                item = items[at]
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    os.write(writing, str(number).encode())
                    os._exit(1)
        except BaseException:  # noqa: BLE001 - a mutant may do anything; it has been noticed.
            os._exit(1)
        os._exit(_SURVIVED)


def _code(text: str, module: str, path: tuple[str, ...]) -> types.CodeType:
    """The code object of one function of a program, by its path of names."""
    code = compile(text, module, "exec", dont_inherit=True)
    for name in path:
        code = next(
            each
            for each in code.co_consts
            if isinstance(each, types.CodeType) and each.co_name == name
        )
    return code


def _function(module: str, path: tuple[str, ...]) -> types.FunctionType:
    """The function object that the running program has, under its decorators."""
    found: object = importlib.import_module(module.removesuffix(".py").replace("/", "."))
    for name in path:
        found = inspect.getattr_static(found, name)
        found = getattr(found, "fget", None) or getattr(found, "__func__", found)
        found = inspect.unwrap(found) if callable(found) else found
    assert isinstance(found, types.FunctionType)
    return found
