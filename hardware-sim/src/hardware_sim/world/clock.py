"""Virtual time and seeded randomness, in the places of the machine's own."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

OPENING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""When every world begins: a Monday."""


@dataclass
class VirtualClock:
    """Time that passes only where something takes time.

    ``true`` is the time of the world, in seconds since its beginning; the till's own clock may
    have been set ``wrong_by`` so many seconds, and the host's never is.
    """

    passed_s: float = 0.0
    wrong_by_s: float = 0.0

    def now(self) -> datetime:
        """The time of day as the till's board has it."""
        return OPENING + timedelta(seconds=self.passed_s + self.wrong_by_s)

    def true_time(self) -> datetime:
        """The time of day as everybody else has it."""
        return OPENING + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return self.passed_s

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        self.passed_s += max(0.0, seconds)

    def advance_to(self, passed_s: float) -> None:
        """Lets time pass up to a moment; a moment that has gone is no wait."""
        self.passed_s = max(self.passed_s, passed_s)


class SeededEntropy:
    """Randomness of the till that is the same in each run; a till has no other source here."""

    def __init__(self, seed: str) -> None:
        # It has to be repeatable, and the keys made of it open nothing real.
        self._chance = random.Random(seed)  # noqa: S311

    def random_bytes(self, count: int) -> bytes:
        """``count`` bytes."""
        return self._chance.randbytes(count)
