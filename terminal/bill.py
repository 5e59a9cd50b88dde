"""A bill that several payments pay: equal parts, amounts, or items; a part by each.

Rules of this file: pure. What is due is the total less what was paid and less what may have been
paid; a payment takes the slice of the bill that follows those before it, so that its goods and
taxes add up over the payments. A declined card leaves the rest due, and never ends the bill.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from terminal.catalogue import Line
from terminal.errors import AmountError
from terminal.money import Amount, Currency
from terminal.terms import Part, Tender, Terms, shared, slice_of
from terminal.transaction import State, Transaction

_MAY_BE_PAID = frozenset(
    {
        State.APPROVED,
        State.STORED,
        State.SET_ASIDE,
        State.AUTHORISING,
        State.UNKNOWN,
        State.AWAITED,
        State.VOIDING,
        State.HELD,
    }
)


@dataclass(frozen=True, slots=True)
class Bill:
    """What is to be paid: its name, its total and its parts in order."""

    name: str
    total: Amount
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        if self.total.minor == 0:
            raise AmountError("A bill of zero is nothing to pay.")
        if self.parts and sum(part.gross_minor for part in self.parts) != self.total.minor:
            raise AmountError("The parts of the bill are not its total.")

    @classmethod
    def of(cls, name: str, lines: Sequence[Line], currency: Currency) -> Bill:
        """The bill of some lines of the catalogue.

        Raises:
            AmountError: an item is in another currency, or there is nothing to pay.
        """
        if any(line.item.price.currency != currency for line in lines):
            raise AmountError(f"An item of the bill is not priced in {currency.code}.")
        parts = tuple(line.part for line in lines)
        return cls(name, Amount(sum(part.gross_minor for part in parts), currency), parts)

    def due(self, payments: Iterable[Transaction]) -> Amount:
        """What is left to pay; what is in doubt counts as paid until it is known."""
        return self.total - Amount(
            min(self.total.minor, _paid_minor(payments)), self.total.currency
        )

    def paid(self, payments: Iterable[Transaction]) -> bool:
        """Whether nothing is due any more."""
        return self.due(payments).minor == 0

    def terms_for(
        self,
        amount: Amount,
        payments: Sequence[Transaction],
        *,
        tip_minor: int = 0,
        tender: Tender = Tender.CARD,
    ) -> Terms:
        """The terms of the next payment, of ``amount`` without its tip.

        Raises:
            AmountError: it is nothing, or more than is due.
        """
        due = self.due(payments)
        if not 0 < amount.minor <= due.minor or amount.currency != due.currency:
            raise AmountError(
                f"Of this bill {due} is due, and not {amount}.", remedy="Take at most that."
            )
        begun = self.total.minor - due.minor
        parts = slice_of(self.parts, begun, begun + amount.minor)
        return Terms(tender=tender, bill=self.name, tip_minor=tip_minor, parts=parts)


def _paid_minor(payments: Iterable[Transaction]) -> int:
    paid = 0
    for payment in payments:
        if payment.state not in _MAY_BE_PAID:
            continue
        booked = payment.approved_minor if payment.state is State.APPROVED else payment.amount.minor
        paid += booked - payment.terms.tip_minor
    return paid


def equal_parts(amount: Amount, people: int) -> tuple[Amount, ...]:
    """The amount in equal parts; what does not divide goes to the first ones, a unit each.

    Raises:
        AmountError: there are fewer than two people, or more than units.
    """
    if not 2 <= people <= max(amount.minor, 2):
        raise AmountError("A bill is parted among at least two people.")
    return tuple(Amount(minor, amount.currency) for minor in shared(amount.minor, (1,) * people))


def by_items(bill: Bill, taken: Sequence[int]) -> Amount:
    """What the lines with these numbers (from 0) cost.

    Raises:
        AmountError: there is no such line.
    """
    if not set(taken) <= set(range(len(bill.parts))) or len(set(taken)) != len(taken):
        raise AmountError("The bill has no such line, or it was named twice.")
    return Amount(sum(bill.parts[i].gross_minor for i in taken), bill.total.currency)


TIP_PERCENTS = (5, 10, 15)
"""What is offered, beside another sum and none."""


def tip_of(amount: Amount, percent: int) -> Amount:
    """A percentage of an amount, rounded half up.

    Raises:
        AmountError: it is outside 0 to 100.
    """
    if not 0 <= percent <= 100:
        raise AmountError("A tip is 0 to 100 %.")
    return Amount((2 * amount.minor * percent + 100) // 200, amount.currency)
