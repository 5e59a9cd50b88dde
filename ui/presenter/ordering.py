"""Places of an order: the list of items, one line of it, and discounts; and what a scanner adds.

Rules of this file: pure. An order can be changed while no payment is in hand, and only then.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.catalogue import Line
from terminal.order import Order
from ui.presenter import touches as t
from ui.presenter.item_touches import (
    AddItem,
    AddTyped,
    ItemTouch,
    OpenLine,
    OrderTouch,
    Percent,
    SetCount,
    TakeOff,
)
from ui.presenter.panel import Place
from ui.presenter.screens import Screen
from ui.presenter.shell import Shell
from ui.presenter.touches import Touch, Wish
from ui.presenter.verdict import Verdict

QUERY_MAX = 32
COUNT_MAX = 9999
PLACES = frozenset({Place.LINE, Place.DISCOUNT})
"""Places with a keypad on which no amount is typed."""

Outcome = tuple[Shell, tuple[Wish, ...]]


def here(shell: Shell, touch: Touch) -> Outcome | None:
    """What a touch does to an order, or in a place of one; None where it is about neither."""
    if isinstance(touch, ItemTouch | OrderTouch):
        return ordered(shell, touch)
    if shell.place is Place.ITEMS:
        return searching(shell, touch)
    if shell.place in PLACES:
        return keyed_in(shell, touch)
    begins = shell.place is Place.TILL and shell.till.screen is Screen.AMOUNT
    return begun(shell, touch.text) if begins and isinstance(touch, t.Letter) else None


def opened(shell: Shell, there: Shell) -> Shell:
    """A place of an order or of a bill with nothing typed and nothing picked."""
    empty = replace(there, query="", picked=())
    return discounting(shell, empty) if there.place is Place.DISCOUNT else empty


def ordered(shell: Shell, touch: ItemTouch | OrderTouch) -> Outcome:
    """A touch about items, wherever it was made."""
    if shell.till.screen is not Screen.AMOUNT:
        return shell, ()
    if isinstance(touch, OpenLine):
        if touch.number >= len(shell.till.basket.lines):
            return shell, ()
        return replace(shell.open(Place.LINE), line=touch.number, entry=0), ()
    if isinstance(touch, Percent):
        # More than everything cannot be taken off.
        return replace(shell, entry=min(100, touch.percent)), ()
    if not isinstance(touch, ItemTouch):
        return shell, ()
    moved = replace(shell, till=shell.till.after(touch))
    if isinstance(touch, AddItem) and shell.place is Place.ITEMS:
        moved = replace(moved, query="")
    if shell.place is Place.LINE and line_of(moved) is None:
        moved = moved.back()
    return replace(moved, entry=0), ()


def line_of(shell: Shell) -> Line | None:
    """The line of the order that is open; None for the whole of it, or where it is gone."""
    lines = shell.till.basket.lines
    return lines[shell.line] if shell.line is not None and shell.line < len(lines) else None


def order_of(shell: Shell) -> Order:
    """The order with what is typed."""
    return shell.till.basket.whole(shell.till.typed_amount)


def edited(query: str, touch: Touch) -> str:
    """What is looked for once this key was touched; as it was, where the key types nothing."""
    match touch:
        case t.Letter(text):
            query += text
        case t.Digit(value):
            query += str(value)
        case t.DoubleZero():
            query += "00"
        case t.Backspace():
            query = query[:-1]
        case t.Clear():
            query = ""
    return query[:QUERY_MAX]


# -- the list of items ---------------------------------------------------------------------------


def searching(shell: Shell, touch: Touch) -> Outcome:
    """A touch in the list of items: what is typed is looked for, Enter takes the first found."""
    query = shell.query
    match touch:
        case t.Cancel():
            return shell.back(), ()
        case t.Enter() | t.Charge():
            found = shell.till.basket.stock.matching(query) if query.strip() else ()
            return ordered(shell, AddItem(found[0])) if found else (shell.back(), ())
    return replace(shell, query=edited(query, touch)), ()


def begun(shell: Shell, letter: str) -> Outcome:
    """A letter on the amount screen: somebody looks for an item, or adds what they have typed."""
    if letter == "+":
        return ordered(shell, AddTyped())
    if not shell.till.basket.stock or not letter.isalpha():
        return shell, ()
    return replace(shell.open(Place.ITEMS), query=letter), ()


# -- a line, and discounts -----------------------------------------------------------------------


def possible(shell: Shell) -> bool:
    """Whether the primary key leads on."""
    if shell.place is Place.LINE:
        return line_of(shell) is not None and shell.entry <= COUNT_MAX
    return shell.entry <= 100


def keyed_in(shell: Shell, touch: Touch) -> Outcome:
    """A touch on the keypad of a line, or of a discount."""
    most = COUNT_MAX if shell.place is Place.LINE else 100
    match touch:
        case t.Digit(value):
            number = shell.entry * 10 + value
        case t.DoubleZero():
            number = shell.entry * 100
        case t.Backspace():
            number = shell.entry // 10
        case t.Clear():
            number = 0
        case t.Cancel():
            return shell.back(), ()
        case t.Enter() | t.Charge():
            return _confirmed(shell)
        case _:
            return shell, ()
    return (replace(shell, entry=number) if number <= most else shell), ()


def _confirmed(shell: Shell) -> Outcome:
    if shell.place is Place.DISCOUNT:
        number = shell.line if line_of(shell) is not None else None
        taken = replace(shell, till=shell.till.after(TakeOff(number, shell.entry * 100)))
        there = taken.back() if number is not None else taken.home()
        return replace(there, entry=0), ()
    if shell.entry and shell.line is not None:
        shell = replace(shell, till=shell.till.after(SetCount(shell.line, shell.entry)))
    return replace(shell.back(), entry=0), ()


# -- a scanner -----------------------------------------------------------------------------------


def by_this(shell: Shell, code: str) -> bool:
    """Whether the list of items was opened by the letters of this very code."""
    return shell.place is Place.ITEMS and shell.query == code[:QUERY_MAX]


def discounting(shell: Shell, opened: Shell) -> Shell:
    """The discount of the line that is open, or of the whole order."""
    line = shell.line if shell.place is Place.LINE else None
    there = replace(opened, line=line)
    found = line_of(there)
    order = shell.till.basket.order
    off_bp = found.discount_bp if found is not None else order.discount_bp if order else 0
    return replace(there, entry=max(0, off_bp) // 100)


def scanned(shell: Shell, code: str) -> Shell | None:
    """The face once a barcode of an item was read; None where it can only be a receipt's."""
    stock = shell.till.basket.stock
    # The number of a receipt has a dash, and a barcode of the catalogue has none.
    if not stock or "-" in code:
        return None
    till = shell.till
    if till.screen is Screen.RESULT and till.verdict in (Verdict.APPROVED, Verdict.STORED):
        # The next customer's goods are on the counter already.
        till = till.after(t.Done())
    if till.screen is not Screen.AMOUNT:
        return shell
    item = stock.catalogue.by_barcode(code)
    told = till.after(AddItem(item)) if item is not None else till.lost(code)
    stays = shell.place is Place.TILL or (shell.place is Place.ITEMS and not by_this(shell, code))
    there = shell if stays else shell.home()
    return replace(there, till=told, query="")
