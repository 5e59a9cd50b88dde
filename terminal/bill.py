"""A bill that several payments pay: equal parts, amounts, or items; a part by each.

Rules of this file: pure. What is due is the total less what was paid and less what may have been
paid. A payment by items takes their goods and taxes; every other takes a slice of what is left,
so that goods and taxes add up over the payments, to the cent. A declined card leaves the rest
due, and never ends the bill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from terminal.catalogue import Line
from terminal.day_events import BillDropped, BillOpened, DayEvent, PartTaken
from terminal.errors import AmountError
from terminal.money import Amount, Currency
from terminal.terms import Part, Tender, Terms, TransactionKind, shared, slice_of
from terminal.transaction import State, Transaction

_PAID = frozenset({State.APPROVED, State.STORED, State.SET_ASIDE})
_IN_DOUBT = frozenset({State.AUTHORISING, State.UNKNOWN, State.AWAITED, State.VOIDING})

NO_LINES: Mapping[str, tuple[int, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Bill:
    """What is to be paid: its name, its total and its parts in order.

    ``lines`` say what the parts are, one for each, or are empty. ``label`` is what people call
    it, like a table. ``tip_minor`` is a tip that the total includes: then no payment adds its
    own. ``first`` is the sale that was approved in part, where this bill is its rest.
    """

    name: str
    total: Amount
    parts: tuple[Part, ...] = ()
    lines: tuple[str, ...] = ()
    label: str = ""
    tip_minor: int = 0
    first: str = ""

    def __post_init__(self) -> None:
        if self.total.minor == 0:
            raise AmountError("A bill of zero is nothing to pay.", remedy="Type what is due.")
        goods_minor = self.total.minor - self.tip_minor
        if self.tip_minor < 0 or goods_minor < 0:
            raise AmountError("The tip of a bill is a part of its total.")
        if self.parts and sum(part.gross_minor for part in self.parts) != goods_minor:
            raise AmountError("The parts of the bill are not its total.")
        if self.lines and len(self.lines) != len(self.parts):
            raise AmountError("Each line of a bill has its part.")

    @classmethod
    def of(cls, name: str, lines: Sequence[Line], currency: Currency, label: str = "") -> Bill:
        """The bill of some lines of the catalogue.

        Raises:
            AmountError: an item is in another currency, or there is nothing to pay.
        """
        if any(line.item.price.currency != currency for line in lines):
            raise AmountError(f"An item of the bill is not priced in {currency.code}.")
        parts = tuple(line.part for line in lines)
        total = Amount(sum(part.gross_minor for part in parts), currency)
        return cls(name, total, parts, tuple(line.text for line in lines), label)

    def due(self, payments: Iterable[Transaction]) -> Amount:
        """What is left to pay; what is in doubt counts as paid until it is known."""
        booked = sum(self.booked_minor(payment) for payment in payments)
        return self.total - Amount(min(self.total.minor, booked), self.total.currency)

    def paid(self, payments: Iterable[Transaction]) -> bool:
        """Whether nothing is due any more."""
        return self.due(payments).minor == 0

    def booked_minor(self, payment: Transaction) -> int:
        """What a payment takes off the bill, or may: without the tip that its payer added."""
        if payment.state not in _PAID | _IN_DOUBT or payment.kind is not TransactionKind.SALE:
            return 0
        booked = payment.approved_minor or payment.amount.minor
        return booked if self.tip_minor else booked - payment.terms.tip_minor

    def terms_for(
        self,
        amount: Amount,
        payments: Sequence[Transaction],
        *,
        tip_minor: int = 0,
        tender: Tender = Tender.CARD,
        lines: Sequence[int] = (),
    ) -> Terms:
        """The terms of the next payment, of ``amount`` without the tip that its payer adds.

        Raises:
            AmountError: it is nothing, or more than is due, or not what these lines cost.
        """
        due = self.due(payments)
        if not 0 < amount.minor <= due.minor or amount.currency != due.currency:
            raise AmountError(
                f"Of this bill {due} is due, and not {amount}.", remedy="Take at most that."
            )
        if tip_minor and self.tip_minor:
            raise AmountError("The tip of this bill is in its total already.")
        rest = _less(self.parts, [p for each in payments for p in self._parts_of(each)])
        goods_due_minor = max(0, due.minor - self._tip_due_minor(payments))
        goods_minor = min(amount.minor, goods_due_minor)
        parts = _named(rest, [self.parts[i] for i in lines]) if lines else ()
        if lines and sum(part.gross_minor for part in parts) != amount.minor:
            raise AmountError(
                f"These lines are not {amount} any more: a part of them is paid.",
                remedy="Take an amount.",
            )
        # Whoever paid without saying what for has paid for what comes first.
        begun = max(0, sum(part.gross_minor for part in rest) - goods_due_minor)
        parts = parts or slice_of(rest, begun, begun + goods_minor)
        tip_minor += amount.minor - goods_minor
        return Terms(tender=tender, bill=self.name, tip_minor=tip_minor, parts=parts)

    def _parts_of(self, payment: Transaction) -> tuple[Part, ...]:
        return payment.terms.parts if self.booked_minor(payment) else ()

    def _tip_due_minor(self, payments: Sequence[Transaction]) -> int:
        paid = sum(each.terms.tip_minor for each in payments if self.booked_minor(each))
        return max(0, self.tip_minor - paid)


def _less(parts: Sequence[Part], paid: Iterable[Part]) -> list[Part]:
    """What is left of the parts, group by group and rate by rate."""
    rest: dict[tuple[str, int], Part] = {}
    for part in parts:
        key = part.group, part.rate_bp
        before = rest.get(key, replace(part, gross_minor=0, tax_minor=0))
        gross, tax = before.gross_minor + part.gross_minor, before.tax_minor + part.tax_minor
        rest[key] = replace(part, gross_minor=gross, tax_minor=tax)
    for part in paid:
        key = part.group, part.rate_bp
        if key in rest:
            before = rest[key]
            gross, tax = before.gross_minor - part.gross_minor, before.tax_minor - part.tax_minor
            rest[key] = replace(before, gross_minor=max(0, gross), tax_minor=max(0, tax))
    return [part for part in rest.values() if part.gross_minor]


def _named(rest: Iterable[Part], wanted: Iterable[Part]) -> tuple[Part, ...]:
    """The goods of some lines, with a tax that leaves as much of it as there must be."""
    left = {(part.group, part.rate_bp): part for part in rest}
    taken: list[Part] = []
    for part in wanted:
        key = part.group, part.rate_bp
        whole = left.get(key)
        if whole is None or whole.gross_minor < part.gross_minor:
            return ()
        gross = whole.gross_minor - part.gross_minor
        tax = min(max(part.tax_minor, whole.tax_minor - gross), whole.tax_minor)
        left[key] = replace(whole, gross_minor=gross, tax_minor=whole.tax_minor - tax)
        if part.gross_minor:
            taken.append(replace(part, tax_minor=tax))
    return tuple(taken)


@dataclass(frozen=True, slots=True)
class PartWish:
    """How the next part of a bill is to be paid.

    ``amount`` None is all that is due, or what ``lines`` (from 0) cost. ``tip_minor`` is added
    to it; ``tendered`` is the cash that was handed over.
    """

    amount: Amount | None = None
    tender: Tender = Tender.CARD
    tip_minor: int = 0
    lines: tuple[int, ...] = ()
    tendered: Amount | None = None


@dataclass(frozen=True, slots=True)
class BillStanding:
    """A bill with its payments, oldest first, and which lines each of them was for."""

    bill: Bill
    opened_at: datetime
    cashier: str = ""
    payments: tuple[Transaction, ...] = ()
    taken: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: NO_LINES)
    dropped: str = ""

    @property
    def due(self) -> Amount:
        """What is left to pay; nothing of a bill that was dropped."""
        due = self.bill.due(self.payments)
        return due - due if self.dropped else due

    @property
    def doubt(self) -> Amount:
        """What may have been paid, and is not known yet."""
        booked = sum(self.bill.booked_minor(p) for p in self.payments if p.state in _IN_DOUBT)
        return Amount(min(booked, self.bill.total.minor), self.bill.total.currency)

    @property
    def paid(self) -> Amount:
        """What was paid, tips of the payers left out."""
        total = self.bill.total
        left = self.bill.due(self.payments).minor + self.doubt.minor
        return Amount(max(0, total.minor - left), total.currency)

    @property
    def open(self) -> bool:
        """Whether somebody still has to pay, or it is not known whether they did."""
        if self.dropped:
            return False
        if self.bill.first and not any(map(self.bill.booked_minor, self.payments)):
            # The sale of which this was the rest was taken back, so there is nothing to pay.
            return False
        return bool(self.due.minor or self.doubt.minor)

    @property
    def free_lines(self) -> tuple[int, ...]:
        """The lines (from 0) for which nobody has paid yet."""
        gone = {
            line
            for payment in self.payments
            if self.bill.booked_minor(payment)
            for line in self.taken.get(payment.txn_id, ())
        }
        return tuple(i for i in range(len(self.bill.parts)) if i not in gone)

    def cost_of(self, lines: Sequence[int]) -> Amount:
        """What these lines (from 0) cost.

        Raises:
            AmountError: there is no such line, it was named twice, or it is paid.
        """
        paid = [line for line in lines if line not in self.free_lines]
        amount = by_items(self.bill, lines)
        if paid:
            raise AmountError(f"Line {paid[0] + 1} of this bill is paid.")
        return amount

    def amount_of(self, wish: PartWish) -> Amount:
        """What the next part comes to, without the tip that its payer adds.

        Raises:
            AmountError: the lines cannot be paid.
        """
        if wish.lines:
            return self.cost_of(wish.lines)
        return wish.amount or self.due

    def terms_for(self, wish: PartWish) -> Terms:
        """The terms of the next payment.

        Raises:
            AmountError: the bill is closed, or this is not due.
        """
        if self.dropped:
            raise AmountError(f"Bill {self.bill.name} was closed: {self.dropped}.")
        return self.bill.terms_for(
            self.amount_of(wish),
            self.payments,
            tip_minor=wish.tip_minor,
            tender=wish.tender,
            lines=wish.lines,
        )


def standing_of(events: Sequence[DayEvent], payments: Sequence[Transaction]) -> BillStanding:
    """The bill that these events and payments add up to.

    Raises:
        AssertionError: they do not begin with the opening of a bill.
    """
    first, *rest = events
    if not isinstance(first, BillOpened):
        raise AssertionError("a bill begins with its opening")
    return BillStanding(
        bill=Bill(
            name=first.bill,
            total=first.total,
            parts=first.parts,
            lines=first.lines,
            label=first.label,
            tip_minor=first.tip_minor,
            first=first.first,
        ),
        opened_at=first.at,
        cashier=first.cashier,
        payments=tuple(payments),
        taken=MappingProxyType({e.txn_id: e.lines for e in rest if isinstance(e, PartTaken)}),
        dropped=next((e.reason for e in rest if isinstance(e, BillDropped)), ""),
    )


def rest_name(sequence: int) -> str:
    """What the rest of a sale is called that was approved in part: ``R17`` for sale 17."""
    return f"R{sequence}"


def equal_parts(amount: Amount, people: int) -> tuple[Amount, ...]:
    """The amount in equal parts; what does not divide goes to the first ones, a unit each.

    Raises:
        AmountError: there are fewer than two people, or more than units.
    """
    if not 2 <= people <= amount.minor:
        raise AmountError(f"{amount} cannot be parted among {people} people.")
    return tuple(Amount(minor, amount.currency) for minor in shared(amount.minor, (1,) * people))


def by_items(bill: Bill, taken: Sequence[int]) -> Amount:
    """What the lines with these numbers (from 0) cost.

    Raises:
        AmountError: there is no such line, or it was named twice.
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
