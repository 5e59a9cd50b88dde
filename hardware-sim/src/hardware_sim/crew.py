"""Plays many scenarios on several workers, each a process with a workshop of its own.

Rules of this file: one line of JSON asks a worker for one scenario on one door, and one line
answers. A worker that dies takes only the scenario in its hands with it, and is replaced.
"""

from __future__ import annotations

import json
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hardware_sim.played import Played
from hardware_sim.scenario import Scenario, read_scenarios
from terminal.errors import ConfigError, TerminalError

_END_S = 30.0


@dataclass(frozen=True, slots=True)
class Task:
    """One scenario on one door."""

    scenario: Scenario
    door: str
    seed: int

    def lost(self, why: str) -> Played:
        """What is said of it when its worker has died."""
        scenario = self.scenario
        return Played(
            scenario.name, scenario.group, scenario.where, self.door, self.seed, failure=why
        )


def tasks_of(scenarios: Sequence[Scenario], doors: Sequence[str], seed: int) -> list[Task]:
    """Every scenario on each of these doors that it can be played on."""
    return [
        Task(scenario, door, seed)
        for door in doors
        for scenario in scenarios
        if door in scenario.doors
    ]


class _Worker:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hardware_sim.crew"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C ends the crew, and the crew ends its workers.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin, self.stdout = self._process.stdin, self._process.stdout
        self.task: Task | None = None

    def give(self, task: Task) -> None:
        self.task = task
        order = {
            "file": str(task.scenario.file),
            "name": task.scenario.name,
            "door": task.door,
            "seed": task.seed,
        }
        self.stdin.write(json.dumps(order).encode() + b"\n")
        self.stdin.flush()

    def result(self) -> Played:
        """The answer, which is there or about to be."""
        assert self.task is not None
        line = self.stdout.readline()
        if not line:
            code = self._process.wait()
            return self.task.lost(f"the worker that played it ended with {code}")
        answer: dict[str, Any] = json.loads(line)
        return Played(**{**answer, "transcript": tuple(answer["transcript"])})

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        if self.task is not None and self.alive:
            # Only an interrupt closes a worker at work.
            self._process.terminate()
        self.stdin.close()
        self._process.wait(_END_S)
        self.stdout.close()


def play_all(tasks: Sequence[Task], *, jobs: int) -> Iterator[Played]:
    """Plays them all, on ``jobs`` workers; gives each result as it comes."""
    waiting = deque(tasks)
    with ExitStack() as stack, selectors.DefaultSelector() as ready:

        def hire() -> None:
            worker = _Worker()
            stack.callback(worker.close)
            ready.register(worker.stdout, selectors.EVENT_READ, worker)
            worker.give(waiting.popleft())

        for _ in range(min(jobs, len(waiting))):
            hire()
        while ready.get_map():
            for key, _ in ready.select():
                worker: _Worker = key.data
                yield worker.result()
                worker.task = None
                if waiting and worker.alive:
                    worker.give(waiting.popleft())
                    continue
                ready.unregister(worker.stdout)
                if waiting:
                    hire()


# -- the worker's side -----------------------------------------------------------------------


@cache
def _scenarios(file: str) -> dict[str, Scenario]:
    return {scenario.name: scenario for scenario in read_scenarios(Path(file))}


def _serve(answer: Callable[[bytes], None]) -> None:
    from hardware_sim.play import play  # noqa: PLC0415 - the crew's own side needs no till
    from hardware_sim.workshop import Workshop  # noqa: PLC0415 - as above

    with Workshop() as workshop:
        for line in sys.stdin.buffer:
            order = json.loads(line)
            scenario = _scenarios(order["file"])[order["name"]]
            try:
                played = play(workshop, scenario, order["door"], order["seed"])
            except ConfigError as absent:
                task = Task(scenario, order["door"], order["seed"])
                played = Played(**{**asdict(task.lost("")), "skipped": str(absent)})
            answer(json.dumps(asdict(played)).encode() + b"\n")


def main() -> int:
    """Plays what is asked for on standard input, until it ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # What a library prints must not stand between the answers.
    out, sys.stdout = sys.stdout.buffer, sys.stderr

    def answer(line: bytes) -> None:
        out.write(line)
        out.flush()

    try:
        _serve(answer)
    except TerminalError as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
