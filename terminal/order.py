"""An order: lines of items or of plain amounts, discounts and surcharges, and the tax in them.

Rules of this file: pure; each change gives a new order. Prices include their tax. A discount of
the whole order is rounded once, a half in the customer's favour, and shared over its lines, so
that the total is the sum of its parts, to the cent; the tax is that of what each line then costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from terminal.bill import Bill
from terminal.catalogue import Catalogue, Item, Line
from terminal.errors import AmountError
from terminal.money import Amount, Currency
from terminal.terms import Part, Terms, shared, tax_in

LINES_MAX = 500
"""More lines than this nobody reads on a receipt."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one customer takes.

    ``discount_bp`` is taken off the whole, in basis points; a negative one is a surcharge. After
    it, ``off_minor`` is taken off.
    """

    currency: Currency
    lines: tuple[Line, ...] = ()
    discount_bp: int = 0
    off_minor: int = 0

    def __post_init__(self) -> None:
        if not -10_000 <= self.discount_bp <= 10_000 or self.off_minor < 0:
            raise AmountError("At most 100 % and no negative amount is taken off an order.")
        if len(self.lines) > LINES_MAX:
            raise AmountError(
                f"An order has at most {LINES_MAX} lines.", remedy="Begin another sale."
            )
        if any(line.item.price.currency != self.currency for line in self.lines):
            raise AmountError(f"An item of the order is not priced in {self.currency.code}.")

    def add(self, item: Item, count: int = 1) -> Order:
        """The order with so many more of an item; the same item goes on one line.

        Raises:
            AmountError: its price is in another currency, or there are too many.
        """
        for number, line in enumerate(self.lines):
            if line.item == item and not line.discount_bp:
                return self._with(number, replace(line, count=line.count + count))
        return replace(self, lines=(*self.lines, Line(item, count)))

    def add_amount(self, amount: Amount, name: str = "", group: str = "") -> Order:
        """The order with an amount that somebody typed, for what is in no list."""
        return replace(self, lines=(*self.lines, Line(Item(name, amount, group))))

    def count(self, number: int, count: int) -> Order:
        """The order with so many on a line (from 0); nothing leaves it out.

        Raises:
            AmountError: there is no such line, or there are too many.
        """
        line = self._line(number)
        if count == 0:
            return replace(self, lines=(*self.lines[:number], *self.lines[number + 1 :]))
        return self._with(number, replace(line, count=count))

    def discount(self, number: int, discount_bp: int) -> Order:
        """The order with a discount on a line (from 0), in basis points; negative adds.

        Raises:
            AmountError: there is no such line, or it is more than 100 %.
        """
        return self._with(number, replace(self._line(number), discount_bp=discount_bp))

    def _line(self, number: int) -> Line:
        if not 0 <= number < len(self.lines):
            raise AmountError("The order has no such line.")
        return self.lines[number]

    def _with(self, number: int, line: Line) -> Order:
        return replace(self, lines=(*self.lines[:number], line, *self.lines[number + 1 :]))

    @property
    def parts(self) -> tuple[Part, ...]:
        """What each line adds to the payment, the discount of the whole taken off."""
        gross = [line.gross_minor for line in self.lines]
        due = self._due_minor(sum(gross))
        weights = gross if sum(gross) else [1] * len(gross)
        return tuple(
            Part(line.item.group, line.item.rate_bp, minor, tax_in(minor, line.item.rate_bp))
            for line, minor in zip(self.lines, shared(due, weights), strict=True)
        )

    def _due_minor(self, gross_minor: int) -> int:
        off = (2 * gross_minor * self.discount_bp + 10_000) // 20_000
        return max(0, gross_minor - off - self.off_minor)

    @property
    def total(self) -> Amount:
        """What is to be paid.

        Raises:
            AmountError: it has more than twelve digits.
        """
        return Amount(self._due_minor(sum(line.gross_minor for line in self.lines)), self.currency)

    @property
    def tax_minor(self) -> int:
        """The tax in the total."""
        return sum(part.tax_minor for part in self.parts)

    @property
    def reduced_minor(self) -> int:
        """What discounts have taken off the prices of the list; negative for a surcharge."""
        full = sum(line.item.price.minor * line.count for line in self.lines)
        return full - self.total.minor

    def terms(self, tip_minor: int = 0) -> Terms:
        """The terms of one payment for all of it, whose amount is the total and the tip."""
        return Terms(tip_minor=tip_minor, parts=tuple(p for p in self.parts if p.gross_minor))

    def bill(self, name: str, label: str = "") -> Bill:
        """The order as a bill that several people pay.

        Raises:
            AmountError: there is nothing to pay.
        """
        lines = tuple(line.text for line in self.lines)
        return Bill(name, self.total, self.parts, lines, label)


def picked(catalogue: Catalogue, currency: Currency, wanted: Sequence[str]) -> Order:
    """An order of items by name or barcode, each with its number in front: ``2xTea``.

    Raises:
        AmountError: an item is not in the list; it is named.
    """
    order = Order(currency)
    for text in wanted:
        count, item = _picked(catalogue, text)
        order = order.add(item, count)
    return order


def _picked(catalogue: Catalogue, text: str) -> tuple[int, Item]:
    number, times, name = text.partition("x")
    counted = bool(times) and number.isascii() and number.isdigit() and int(number) > 0
    for count, wanted in ((int(number), name), (1, text)) if counted else ((1, text),):
        found = catalogue.named(wanted)
        if found is not None:
            return count, found
    raise AmountError(
        f"{text!r} is no item of the catalogue.",
        remedy="taptill catalogue lists them. Write a number in front like 2xTea.",
    )
