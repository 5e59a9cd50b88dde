"""Terminal risk management (EMV Book 3, 10.6): floor limit, random selection, exception file.

Rules of this file: the random number is handed in, and what comes out are bits of the terminal
verification results, as a number of five bytes. The dialogue with the card that velocity checking
needs is in ``risk_dialogue``; the terminal's own counts over taps are in ``terminal.risk``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from terminal.card import Pan
from terminal.errors import ConfigError

EXCEPTION_FILE = 0x10_00_00_00_00
LOWER_LIMIT_EXCEEDED = 0x40_00
UPPER_LIMIT_EXCEEDED = 0x20_00
FLOOR_LIMIT_EXCEEDED = 0x80_00
SELECTED_AT_RANDOM = 0x10_00
NEW_CARD = 0x08_00_00_00

ExceptionFile = Callable[[Pan, int | None], bool]
"""Whether this account (with its sequence number, where the card states one) is on the list."""


@dataclass(frozen=True, slots=True)
class RandomSelection:
    """Which transactions below the floor limit go online by chance (EMV Book 3, 10.6.2).

    Args:
        target_percent: the share, 0 to 99, of transactions below the threshold.
        maximum_target_percent: the share just below the floor limit; not below the other.
        threshold_minor: from this amount on the share grows with the amount.
    """

    target_percent: int = 0
    maximum_target_percent: int = 0
    threshold_minor: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.target_percent <= self.maximum_target_percent <= 99:
            raise ConfigError(
                "The percentages of random selection are not 0 to 99, or the maximum is smaller."
            )
        if self.threshold_minor < 0:
            raise ConfigError("The threshold of random selection is negative.")

    def picks(self, amount_minor: int, floor_limit_minor: int, number: int) -> bool:
        """Whether this transaction is picked; ``number`` is random, 1 to 99."""
        if amount_minor >= floor_limit_minor:
            return False
        percent = self.target_percent
        span = floor_limit_minor - self.threshold_minor
        if amount_minor >= self.threshold_minor and span > 0:
            more = self.maximum_target_percent - self.target_percent
            percent += more * (amount_minor - self.threshold_minor) // span
        return number <= percent


def velocity(atc: int | None, last_online_atc: int | None, lower: int, upper: int) -> int:
    """The TVR bits of velocity checking (EMV Book 3, 10.6.3).

    Args:
        atc: the card's transaction counter (9F36); None where it does not give it.
        last_online_atc: its value when the card was last online (9F13), or None; at zero the
            card is new.
        lower: how many transactions offline are allowed (9F14).
        upper: how many without an online reader (9F23).
    """
    new = NEW_CARD if last_online_atc == 0 else 0
    if atc is None or last_online_atc is None or atc <= last_online_atc:
        # Without both counters, or with impossible ones, both limits count as exceeded.
        return new | LOWER_LIMIT_EXCEEDED | UPPER_LIMIT_EXCEEDED
    since = atc - last_online_atc
    new |= LOWER_LIMIT_EXCEEDED if since > lower else 0
    return new | (UPPER_LIMIT_EXCEEDED if since > upper else 0)
