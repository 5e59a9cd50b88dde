"""Time and chance for scripts: the time of day stands still unless a script moves it.

Rules of this file: deadlines are real (``monotonic``), since threads and sockets really wait;
the time of day and randomness follow from the script alone, so that the same seed gives the same
bytes. Values of this file are handed to a till in another process, so they can be pickled.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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


class ScriptEntropy:
    """A ``terminal.ports.Entropy`` that gives the same bytes for the same seed.

    Each thread, by its name, and each length has a row of its own, so that what the forwarder draws
    (the jitter of its waits) does not move what the till gets (the unpredictable number of a sale).
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._given: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    def random_bytes(self, count: int) -> bytes:
        """``count`` bytes."""
        row = (threading.current_thread().name, count)
        with self._lock:
            self._given[row] += 1
            label = f"{self.seed}:{row}:{self._given[row]}"
        return hashlib.shake_256(label.encode()).digest(count)

    def __getstate__(self) -> tuple[int, dict[tuple[str, int], int]]:
        return self.seed, dict(self._given)

    def __setstate__(self, state: tuple[int, dict[tuple[str, int], int]]) -> None:
        self.seed, self._given = state[0], Counter(state[1])
        self._lock = threading.Lock()
