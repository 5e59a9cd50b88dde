"""Splitting a bill by what is on it: which lines the next one pays.

Rules of this file: pure. A bill that is not open yet has a line for each single thing, so that
three people can pay one tea each; the cents of a line are shared as those of a bill are.
"""

from __future__ import annotations

from dataclasses import replace

from offline_queue.bills import NewBill
from terminal.bill import BillStanding, PartWish
from terminal.money import Amount
from terminal.order import LINES_MAX, Order
from terminal.terms import Part, Tender, shared
from ui import counter_questions as c
from ui.presenter import touches as t
from ui.presenter.item_touches import PickLine
from ui.presenter.panel import Place
from ui.presenter.rights import answers_for
from ui.presenter.shell import Shell
from ui.presenter.touches import Touch, Wish

SINGLE_MAX = 200
"""A bill with more single things keeps the lines of the order."""


def new_bill(order: Order) -> NewBill:
    """The bill of an order, with a line for each single thing."""
    single = sum(line.count for line in order.lines) <= min(SINGLE_MAX, LINES_MAX)
    parts: list[Part] = []
    names: list[str] = []
    for line, part in zip(order.lines, order.parts, strict=True):
        if not single or line.count == 1:
            parts.append(part)
            names.append(line.text)
            continue
        even = (1,) * line.count
        sums = zip(shared(part.gross_minor, even), shared(part.tax_minor, even), strict=True)
        parts += [replace(part, gross_minor=gross, tax_minor=tax) for gross, tax in sums]
        names += [line.item.name] * line.count
    return NewBill(order.total, tuple(parts), tuple(names))


def bill_of(shell: Shell) -> NewBill:
    """The bill that is parted: what is open already, or what would be opened now."""
    if shell.split is not None:
        bill = shell.split.bill
        return NewBill(bill.total, bill.parts, bill.lines, bill.label)
    basket, typed = shell.till.basket, shell.till.typed_amount
    return new_bill(basket.whole(typed)) if basket.order is not None else NewBill(typed)


def free(shell: Shell) -> tuple[int, ...]:
    """The lines for which nobody has paid yet, and which cost something; none without names."""
    bill = bill_of(shell)
    if not bill.lines:
        return ()
    numbers = shell.split.free_lines if shell.split is not None else range(len(bill.parts))
    return tuple(each for each in numbers if bill.parts[each].gross_minor)


def cost(shell: Shell) -> Amount:
    """What the picked lines cost."""
    parts = bill_of(shell).parts
    return Amount(sum(parts[each].gross_minor for each in shell.picked), shell.till.currency)


def possible(shell: Shell) -> bool:
    """Whether the picked lines can be paid now."""
    due = shell.split.due if shell.split is not None else bill_of(shell).total
    return not shell.checking and 0 < cost(shell).minor <= due.minor


def on_share(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    """A touch among the lines of a bill."""
    match touch:
        case PickLine(number) if number in free(shell) and not shell.checking:
            rest = tuple(each for each in shell.picked if each != number)
            picked = rest if number in shell.picked else tuple(sorted((*shell.picked, number)))
            return replace(shell, picked=picked, note="", remedy=""), ()
        case t.PayPart() if possible(shell):
            return replace(shell.open(Place.CASH), part=cost(shell), entry=0), ()
        case t.Enter() | t.Charge() if possible(shell):
            return part_by(shell, PartWish(lines=shell.picked))
        case t.Transfer("ask") if possible(shell):
            return part_by(shell, PartWish(tender=Tender.TRANSFER, lines=shell.picked))
        case t.Cancel():
            return shell.back(), ()
        case _:
            return shell, ()


def part_by(shell: Shell, wish: PartWish) -> tuple[Shell, tuple[Wish, ...]]:
    """Asks for a part of the bill."""
    waits = replace(shell, checking=True, approver="", note="", remedy="")
    return parted(waits, wish, answers_for(shell.approver, shell.person))


def parted(shell: Shell, wish: PartWish, by: str) -> tuple[Shell, tuple[Wish, ...]]:
    """Pays a part of the bill, which is opened with its first part."""
    if shell.split is not None:
        return shell, (t.AskWish(c.PartWanted(shell.split.bill.name, wish, by)),)
    new = bill_of(shell)
    return replace(shell, pending=wish), (t.AskWish(c.BillOpening(new, by)),)


def billed(shell: Shell, bill: BillStanding) -> tuple[Shell, tuple[Wish, ...]]:
    """The bill is there: what waited for it goes on."""
    if shell.pending is None:
        return replace(shell, split=bill, checking=False), ()
    # What was taken is the bill's now, and no order any more.
    till = replace(shell.till, typed=0, basket=shell.till.basket.paid())
    known = replace(shell, till=till, split=bill, pending=None)
    return parted(known, shell.pending, answers_for(shell.approver, shell.person))
