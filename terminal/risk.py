"""Limits on sales that the acquirer has not seen: values in, a named decision out.

Rules of this file: the merchant carries the risk of a stored sale, so the defaults are small,
each refusal says which limit it met, and nothing here remembers anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.errors import ConfigError
from terminal.ledger import Exposure
from terminal.money import Amount


@dataclass(frozen=True, slots=True)
class OfflineLimits:
    """What may be stored while the acquirer is away, in minor units of the till's currency."""

    enabled: bool = True
    per_sale_minor: int = 50_00
    total_minor: int = 500_00
    count: int = 50

    def __post_init__(self) -> None:
        if min(self.per_sale_minor, self.total_minor, self.count) < 0:
            raise ConfigError("An offline limit is negative.", remedy="Use 0 to store nothing.")


def offline_refusal(limits: OfflineLimits, amount: Amount, exposure: Exposure) -> str:
    """Why this sale may not be stored, or an empty string when it may."""
    code = amount.currency.code
    if not limits.enabled:
        return "Stored sales are switched off in this shop."
    if amount.minor > limits.per_sale_minor:
        most = Amount(limits.per_sale_minor, amount.currency)
        return f"Offline, one sale may be at most {most}."
    if exposure.count >= limits.count:
        return f"{exposure.count} sales wait already; {limits.count} is the limit."
    if exposure.total_minor + amount.minor > limits.total_minor:
        room = max(0, limits.total_minor - exposure.total_minor)
        left = Amount(room, amount.currency)
        return f"Offline limit reached: {code} {left.decimal} of room is left."
    return ""
