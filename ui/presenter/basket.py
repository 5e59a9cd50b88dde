"""What one customer takes: the order on the amount screen, and how it grows and shrinks.

Rules of this file: pure. A change that is not possible changes nothing and leaves a ``note``. An
order is never lost by one touch: what was cleared can be had back until something else is begun,
and what was not paid is still there afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from terminal.catalogue import Line
from terminal.errors import AmountError
from terminal.money import Amount
from terminal.order import Order
from terminal.terms import Part
from ui.presenter.item_touches import (
    AddItem,
    AddTyped,
    ItemTouch,
    NextKeys,
    Restore,
    SetCount,
    ShowKeypad,
    TakeOff,
)
from ui.presenter.stock import Stock


class Trouble(Enum):
    """Why the last touch changed nothing."""

    NONE = ""
    UNKNOWN = "no item has this barcode"
    TOO_MUCH = "more than one sale can have"


@dataclass(frozen=True, slots=True)
class Basket:
    """The part of the view state that is about items.

    ``order`` is None while nothing was taken; ``binned`` is the order that was cleared a moment
    ago. ``keypad`` says that the keypad is up where the quick keys could be, and ``first`` which
    of the quick keys comes first. ``code`` is the barcode that ``trouble`` is about.
    """

    stock: Stock = field(default_factory=Stock)
    order: Order | None = None
    binned: Order | None = None
    keypad: bool = False
    first: int = 0
    trouble: Trouble = Trouble.NONE
    code: str = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """What was taken, line by line."""
        return self.order.lines if self.order is not None else ()

    def whole(self, typed: Amount) -> Order:
        """The order with what is typed as a line of its own: all that is to be paid now."""
        order = self.order or Order(typed.currency)
        return order.add_amount(typed) if typed.minor else order

    def due(self, typed: Amount) -> Amount:
        """What is to be paid now."""
        return self.whole(typed).total if self.order is not None else typed

    def parts(self, typed: Amount) -> tuple[Part, ...]:
        """What is paid for, by groups and taxes; nothing is known of an amount that was typed."""
        return self.whole(typed).terms().parts if self.order is not None else ()

    def fits(self, typed: Amount) -> bool:
        """Whether all of it is an amount that can be paid."""
        try:
            self.due(typed)
        except AmountError:
            return False
        return True

    def after(self, touch: ItemTouch, typed: Amount) -> Basket:
        """The basket after a touch about items; ``typed`` is what stands on the keypad."""
        quiet = replace(self, trouble=Trouble.NONE, code="")
        order = self.order or Order(typed.currency)
        match touch:
            case AddItem(item):
                return _changed(quiet, lambda: order.add(item), typed)
            case AddTyped() if typed.minor:
                return _changed(quiet, lambda: self.whole(typed), Amount(0, typed.currency))
            case SetCount(number, count):
                return _changed(quiet, lambda: order.count(number, count), typed)
            case TakeOff(line, off_bp):
                return _changed(quiet, lambda: _discounted(order, line, off_bp), typed)
            case Restore() if self.binned is not None and self.order is None:
                binned = self.binned
                return _changed(quiet, lambda: binned, typed)
            case ShowKeypad(on):
                return replace(quiet, keypad=on)
            case NextKeys(first):
                return replace(quiet, first=first)
            case _:
                return self

    def unknown(self, code: str) -> Basket:
        """Nothing in the catalogue has this barcode."""
        return replace(self, trouble=Trouble.UNKNOWN, code=code)

    def calm(self) -> Basket:
        """Something else goes on: no trouble is told any more, and what was binned is gone."""
        if self.trouble is Trouble.NONE and self.binned is None:
            return self
        return replace(self, trouble=Trouble.NONE, code="", binned=None)

    def cleared(self) -> Basket:
        """Without the order, which can be had back."""
        if self.order is None:
            return self
        return replace(self, order=None, binned=self.order, trouble=Trouble.NONE, code="")

    def paid(self) -> Basket:
        """Without the order, for good: the next customer's turn, from the first quick key on."""
        return replace(self, order=None, binned=None, trouble=Trouble.NONE, code="", first=0)

    def kept(self, typed: Amount) -> Basket:
        """Not paid: the order stays, and what was typed beside it is a line of it."""
        return self.after(AddTyped(), typed) if self.order is not None else self


def _discounted(order: Order, number: int | None, off_bp: int) -> Order:
    """The discount of a line, or of the whole order."""
    if number is None:
        return replace(order, discount_bp=off_bp)
    return order.discount(number, off_bp)


def _changed(basket: Basket, make: Callable[[], Order], typed: Amount) -> Basket:
    """The basket with the order that ``make`` gives; unchanged, with its trouble, if none fits."""
    try:
        made = make()
        changed = replace(basket, order=made if made.lines else None, binned=None)
    except AmountError:
        return replace(basket, trouble=Trouble.TOO_MUCH)
    return changed if changed.fits(typed) else replace(basket, trouble=Trouble.TOO_MUCH)
