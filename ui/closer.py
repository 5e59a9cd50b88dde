"""The closer's thread: ends the day while sales go on.

Rules of this file: what waits is sent first, and waited for; only what has no answer after that
keeps the day open, or is carried over if somebody says so. Settling talks to the acquirer over a
link of its own, so neither a face nor a payment ever waits for it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

from offline_queue.closings import Closings
from offline_queue.sync import Sync
from terminal.errors import TerminalError
from ui.counter import close_day
from ui.questions import Answer, DayClosed, DayHeld, Unanswered
from ui.wiring import Parts

SEND_MAX_S = 60.0
"""How long what waits may take to be sent before the day is said to be held open by it."""
LINE_MAX_S = 8.0
"""How long a line that is down is tried before the day is said to be held open by it."""
_LOOK_EVERY_S = 0.5
_REPORT = "The till goes on. Close the day again; if it fails again, report it with this text."


class Closer:
    """Closes days, one at a time. ``tell`` takes each answer."""

    def __init__(self, parts: Parts, sync: Sync, tell: Callable[[Answer], None]) -> None:
        self._parts = parts
        self._sync = sync
        self._tell = tell
        self._asked: queue.SimpleQueue[DayClosed | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="closer", daemon=True)

    def start(self) -> None:
        """Begins to wait for the end of a day."""
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Ends; a day that is being settled is settled first."""
        self._stopped.set()
        self._asked.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def ask(self, wish: DayClosed) -> None:
        """Asks for the end of the day; returns at once."""
        self._asked.put(wish)

    def _run(self) -> None:
        while (wish := self._asked.get()) is not None:
            try:
                self._tell(self._closed(wish))
            except TerminalError as failed:
                self._tell(Unanswered(wish, failed.message, failed.remedy))
            except Exception as broken:  # noqa: BLE001 - the top of a thread: see below
                # A day that cannot be closed must be said to be open, or a face waits for ever.
                name = type(broken).__name__
                self._tell(Unanswered(wish, f"The day was not closed ({name}).", _REPORT))

    def _closed(self, wish: DayClosed) -> Answer:
        """The end of the day, or what keeps it open."""
        closings = Closings(self._parts.journal.store, self._parts.clock)
        self._send(closings)
        waiting = tuple(each.transaction for each in closings.unanswered())
        if waiting and not wish.carry:
            return DayHeld(waiting)
        return close_day(self._parts, wish.by, carry=wish.carry)

    def _send(self, closings: Closings) -> None:
        """Lets the forwarder send what waits, until nothing does, the line is down, or too long."""
        if not closings.unanswered():
            return
        began = time.monotonic()
        while closings.unanswered():
            self._sync.kick()
            if self._stopped.wait(_LOOK_EVERY_S):
                return
            waited_s = time.monotonic() - began
            if waited_s > (LINE_MAX_S if self._sync.online is False else SEND_MAX_S):
                return
