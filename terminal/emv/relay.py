"""The relay resistance protocol's limits (EMV Contactless Book C-2, SR1; Book B for kernel 8).

Rules of this file: numbers in, a verdict out. Times are in hundreds of microseconds, as the
protocol has them; the defaults are those of two published kernel 2 configurations.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RelayResistance:
    """How exactly a card has to keep the times that it states for itself.

    Args:
        minimum_grace: how much faster than its minimum a card may be (DF8132).
        maximum_grace: how much slower than its maximum (DF8133).
        expected_command: the time that the command takes on the air (DF8134).
        expected_response: the same for the answer (DF8135).
        accuracy_threshold: how far behind its minimum is suspicious (DF8136).
        mismatch_percent: how alike card's and terminal's estimates of the answer's time on the
            air have to be (DF8137).
    """

    minimum_grace: int = 20
    maximum_grace: int = 50
    expected_command: int = 18
    expected_response: int = 24
    accuracy_threshold: int = 300
    mismatch_percent: int = 50

    def __post_init__(self) -> None:
        limits = (self.minimum_grace, self.maximum_grace, self.expected_command)
        if any(not 0 <= each <= 0xFFFF for each in (*limits, self.expected_response)):
            raise ConfigError("A time of the relay resistance protocol is outside 0 to 65535.")
        if self.accuracy_threshold < 0 or not 0 <= self.mismatch_percent <= 100:
            raise ConfigError("A threshold of the relay resistance protocol is out of range.")

    def processing_time(self, elapsed_s: float, times: RelayTimes) -> int:
        """What the card itself took, of all that was measured (SR1.18)."""
        on_air = self.expected_command + min(times.transmission, self.expected_response)
        return max(0, int(elapsed_s * 10_000) - on_air)

    def is_too_fast(self, took: int, times: RelayTimes) -> bool:
        """Whether the answer came sooner than the card says it can (SR1.19)."""
        return took < max(0, times.minimum - self.minimum_grace)

    def is_too_slow(self, took: int, times: RelayTimes) -> bool:
        """Whether it came later than the card says it ever does (SR1.21)."""
        return took > times.maximum + self.maximum_grace

    def is_suspicious(self, took: int, times: RelayTimes) -> bool:
        """Whether the times do not fit each other (SR1.28 to 1.30)."""
        stated, expected = times.transmission, self.expected_response
        if stated and expected:
            alike = 100 * min(stated, expected) // max(stated, expected)
            if alike < self.mismatch_percent:
                return True
        return max(0, took - times.minimum) > self.accuracy_threshold


@dataclass(frozen=True, slots=True)
class RelayTimes:
    """What the card states of itself: shortest and longest processing, and time on the air."""

    minimum: int
    maximum: int
    transmission: int
