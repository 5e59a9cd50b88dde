"""Time and chance for scripts: the time of day stands still unless a script moves it.

Rules of this file: deadlines are real (``monotonic``), since threads and sockets really wait;
the time of day and randomness follow from the script alone, so that the same seed gives the same
bytes. Values of this file are handed to a till in another process, so they can be pickled.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
"""When every script begins: a Monday morning."""


@dataclass
class ScriptClock:
    """A ``terminal.ports.Clock`` whose time of day is moved by hand."""

    at: datetime = START

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return self.at

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back: the real one."""
        return time.monotonic()

    def move(self, seconds: float) -> None:
        """Moves the time of day, forward or back."""
        self.at += timedelta(seconds=seconds)


@dataclass
class ScriptEntropy:
    """A ``terminal.ports.Entropy`` that gives the same bytes for the same seed."""

    seed: int = 0
    _given: int = 0
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def random_bytes(self, count: int) -> bytes:
        """``count`` bytes. Two threads get different ones, in the order in which they ask."""
        with self._lock:
            self._given += 1
            label = f"{self.seed}:{self._given}"
        return hashlib.shake_256(label.encode()).digest(count)

    def __getstate__(self) -> tuple[int, int]:
        return self.seed, self._given

    def __setstate__(self, state: tuple[int, int]) -> None:
        self.seed, self._given = state
        self._lock = threading.Lock()
