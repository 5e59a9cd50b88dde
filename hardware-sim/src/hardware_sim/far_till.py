"""A till in a process of its own, for scripts that kill it.

Rules of this file: the process is a fork of one that has imported everything, so a till is there
in milliseconds; each request is one pickled tuple over a pipe, and so is each answer. A till that
was killed is gone as after a power cut: nothing is closed, flushed or said.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, cast

from hardware_sim import small_disk
from hardware_sim.virtual_clock import ScriptClock
from terminal.errors import ConfigError, TerminalError
from terminal.scripted import (
    TILLS,
    BookedSale,
    OpenTill,
    ScriptedTill,
    Shown,
    TillOrder,
    Waiting,
)

_PASSED_ON = ("PCSCLITE_CSOCK_NAME", "TAPTILL_DATA", "TMPDIR")
_END_S = 30.0


@cache
def opener() -> OpenTill:
    """The till that is installed here.

    Raises:
        ConfigError: none is.
    """
    found = entry_points(group=TILLS)
    if not found:
        raise ConfigError(
            "No till is installed that a scenario could drive.",
            remedy=f"A distribution offers one as an entry point of the group {TILLS}.",
        )
    return cast("OpenTill", min(found, key=lambda point: point.name).load())


def _run(
    pipe: Connection, order: TillOrder, environment: Mapping[str, str], *, on_small_disk: bool
) -> None:
    """The till's process, from birth to its end."""
    # What ends the terminal's foreground job must not end the till before its script does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(environment)
    try:
        if on_small_disk:
            small_disk.mount(order.data_dir)
        till = opener()(order)
    except TerminalError as failed:
        pipe.send((failed, None))
        return
    pipe.send((None, None))
    while True:
        try:
            name, arguments = pipe.recv()
        except EOFError:
            break
        try:
            answer = _asked(till, order, name, arguments)
        except TerminalError as failed:
            pipe.send((failed, None))
        else:
            pipe.send((None, answer))
        if name == "close":
            break


def _asked(till: ScriptedTill, order: TillOrder, name: str, arguments: tuple[Any, ...]) -> Any:
    if name == "move_clock":
        clock = cast("ScriptClock", order.clock)
        clock.move(*arguments)
        return clock.at
    if name == "fill_disk":
        return small_disk.fill(order.data_dir)
    if name == "free_disk":
        return small_disk.free(order.data_dir)
    return getattr(till, name)(*arguments)


class FarTill:
    """A ``terminal.scripted.ScriptedTill`` in a process that can be killed.

    Args:
        order: the till that is wanted.
        on_small_disk: its folder is a disk of its own, which can be filled.

    Raises:
        ConfigError: there can be no such disk here.
        TerminalError: something of the till cannot be opened.
    """

    def __init__(self, order: TillOrder, *, on_small_disk: bool = False) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["hardware_sim.far_till", "hardware_sim.preload"])
        self._pipe, far_end = context.Pipe()
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._process: BaseProcess = context.Process(
            target=_run,
            args=(far_end, order, passed_on),
            kwargs={"on_small_disk": on_small_disk},
            name="till",
        )
        self._process.start()
        far_end.close()
        self._closed = False
        self._answer()

    def _ask(self, name: str, *arguments: object) -> Any:
        self._pipe.send((name, arguments))
        return self._answer()

    def _answer(self) -> Any:
        try:
            failed, answer = self._pipe.recv()
        except (EOFError, OSError) as cause:
            self._process.join(_END_S)
            raise AssertionError(f"the till's process ended ({self._process.exitcode})") from cause
        if failed is not None:
            raise failed
        return answer

    def verbs(self) -> tuple[str, ...]:
        """See ``terminal.scripted.ScriptedTill``."""
        return cast("tuple[str, ...]", self._ask("verbs"))

    def act(self, verb: str, argument: str = "") -> None:
        """See ``terminal.scripted.ScriptedTill``."""
        self._ask("act", verb, argument)

    def look(self, timeout_s: float) -> Shown | None:
        """See ``terminal.scripted.ScriptedTill``."""
        return cast("Shown | None", self._ask("look", timeout_s))

    def sales(self) -> tuple[BookedSale, ...]:
        """See ``terminal.scripted.ScriptedTill``."""
        return cast("tuple[BookedSale, ...]", self._ask("sales"))

    def waiting(self) -> Waiting:
        """See ``terminal.scripted.ScriptedTill``."""
        return cast("Waiting", self._ask("waiting"))

    def move_clock(self, seconds: float) -> None:
        """Moves the till's time of day."""
        self._ask("move_clock", seconds)

    def fill_disk(self) -> None:
        """Leaves no byte free on the till's small disk."""
        self._ask("fill_disk")

    def free_disk(self) -> None:
        """Makes room on it again."""
        self._ask("free_disk")

    def kill(self) -> None:
        """Ends the process without warning."""
        self._process.kill()
        self._process.join(_END_S)
        self._pipe.close()
        self._closed = True

    def close(self) -> None:
        """See ``terminal.scripted.ScriptedTill``."""
        if self._closed:
            return
        self._closed = True
        try:
            self._ask("close")
        finally:
            self._pipe.close()
            self._process.join(_END_S)
