"""The machine's own clock and randomness, behind the ports that tests and simulations fill."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime


class SystemClock:
    """Time as the operating system keeps it."""

    __slots__ = ()

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()


class SystemEntropy:
    """Randomness from the kernel's generator."""

    __slots__ = ()

    def random_bytes(self, count: int) -> bytes:
        """``count`` unpredictable bytes."""
        return os.urandom(count)
