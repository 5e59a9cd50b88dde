"""What a transaction is about: which way the money goes, by which means, and for what.

Rules of this file: values that are fixed when the cashier sets the amount, and recorded with the
intent. Prices include their tax, which is rounded once for each part, half up. Whatever shares a
sum (``shared``, ``slice_of``) adds up to it exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from terminal.errors import AmountError

RATE_MAX_BP = 10_000
"""The highest tax rate, in basis points: 100 %."""


class TransactionKind(Enum):
    """Which way the money goes. A hold is a pre-authorisation: it takes none until completed."""

    SALE = "sale"
    REFUND = "refund"
    HOLD = "hold"


class Tender(Enum):
    """By which means it is paid. Only cards are settled with the acquirer."""

    CARD = "card"
    CASH = "cash"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of the amount is for: an item group, and the tax rate in basis points.

    ``gross_minor`` includes ``tax_minor``.
    """

    group: str
    rate_bp: int
    gross_minor: int
    tax_minor: int

    def __post_init__(self) -> None:
        if not 0 <= self.rate_bp <= RATE_MAX_BP or not 0 <= self.tax_minor <= self.gross_minor:
            raise AmountError(f"The tax of item group {self.group!r} is outside its amount.")


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything about a transaction that its intent fixes, beside the amount.

    The amount includes ``tip_minor``; ``parts`` add up to the rest, or are empty where nothing
    was said. ``original`` is the sale that a refund gives back, ``bill`` the bill of which this
    is one payment. ``day`` (``2026-11-25``) and ``hour`` are those of the shop's wall clock, as
    it stood: a shop that moves, or a clock that is put back, changes no report. ``approved_by``
    is the supervisor who allowed it, empty where none was needed.
    """

    kind: TransactionKind = TransactionKind.SALE
    tender: Tender = Tender.CARD
    original: str = ""
    bill: str = ""
    tip_minor: int = 0
    parts: tuple[Part, ...] = ()
    day: str = ""
    hour: int = 0
    approved_by: str = ""
    remark: str = ""

    def __post_init__(self) -> None:
        if self.tip_minor < 0:
            raise AmountError("A tip cannot be negative.")
        if bool(self.original) is not (self.kind is TransactionKind.REFUND):
            raise AssertionError("a refund, and nothing else, has an original")
        if not 0 <= self.hour <= 23:
            raise AssertionError("an hour is 0 to 23")

    @property
    def tax_minor(self) -> int:
        """The tax in all parts."""
        return sum(part.tax_minor for part in self.parts)

    def fits(self, amount_minor: int) -> bool:
        """Whether tip and parts are those of this amount."""
        rest = amount_minor - self.tip_minor
        return rest >= 0 and (not self.parts or sum(p.gross_minor for p in self.parts) == rest)


A_SALE = Terms()
"""The terms of a plain card sale."""


def tax_in(gross_minor: int, rate_bp: int) -> int:
    """The tax that a price contains, rounded half up: 21 % of 12.10 is 2.10."""
    return (2 * gross_minor * rate_bp + 10_000 + rate_bp) // (2 * (10_000 + rate_bp))


def shared(total_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """``total_minor`` in shares like ``weights``, which add up to it exactly.

    Each share is rounded down, and what is left goes, one minor unit each, to the shares that
    lost most (the largest remainder; the first of equals).

    Raises:
        AssertionError: a weight is negative, or all are zero while there is something to share.
    """
    whole = sum(weights)
    if min(weights, default=0) < 0 or (whole == 0 and total_minor):
        raise AssertionError("these weights share nothing")
    if whole == 0:
        return (0,) * len(weights)
    shares = [total_minor * weight // whole for weight in weights]
    lost = sorted(range(len(weights)), key=lambda i: (-(total_minor * weights[i] % whole), i))
    for index in lost[: total_minor - sum(shares)]:
        shares[index] += 1
    return tuple(shares)


def slice_of(parts: Sequence[Part], start_minor: int, stop_minor: int) -> tuple[Part, ...]:
    """What the money from ``start_minor`` to ``stop_minor`` of a whole with ``parts`` is for.

    The parts lie one after the other, so that payments (or refunds) that follow each other are
    slices that meet: whatever their sizes, gross and tax add up to those of the whole.
    """
    found: list[Part] = []
    begin = 0
    for part in parts:
        low = max(start_minor - begin, 0)
        high = min(stop_minor - begin, part.gross_minor)
        if low < high:
            tax = _tax_up_to(part, high) - _tax_up_to(part, low)
            found.append(Part(part.group, part.rate_bp, high - low, tax))
        begin += part.gross_minor
    return tuple(found)


def _tax_up_to(part: Part, minor: int) -> int:
    return (2 * part.tax_minor * minor + part.gross_minor) // (2 * part.gross_minor)
