"""Places that ask for an amount: what is typed there, and what it leads to.

Rules of this file: pure. Nothing typed means the amount that is usual there: the exact cash, all
of a hold. What is not possible leads nowhere, and ``fault`` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from terminal.bill import BillStanding, PartWish
from terminal.money import MINOR_MAX, Amount
from terminal.tenders import cash_due
from terminal.terms import Tender
from ui import counter_questions as c
from ui import questions as q
from ui.presenter import parting
from ui.presenter import touches as t
from ui.presenter.keypad import Keyed, keyed
from ui.presenter.panel import Place
from ui.presenter.rights import answers_for
from ui.presenter.screens import Screen
from ui.presenter.shell import Shell
from ui.presenter.touches import Touch, Wish
from ui.presenter.units import shown_decimals

PLACES = frozenset({Place.CASH, Place.COUNT, Place.TAKE, Place.PART, Place.SPLIT})
OF_UNDO: Mapping[str, Place] = MappingProxyType({"part": Place.PART, "take": Place.TAKE})
"""What is done to a sale only once an amount has been typed."""


def fresh(shell: Shell, bill: BillStanding | None) -> Shell:
    """One of these places with nothing typed; ``bill`` is what is being paid, if it is open."""
    return replace(shell, entry=0, part=None, pending=None, split=bill, picked=())


def typed(shell: Shell) -> Amount:
    """What has been typed here, as money."""
    return Amount(shell.entry * _unit(shell), shell.till.currency)


def asked(shell: Shell) -> Amount:
    """What is to be paid in cash, can be taken of a hold, or can be given back of a sale."""
    nothing = Amount(0, shell.till.currency)
    match shell.place:
        case Place.CASH:
            return cash_due(shell.to_pay, shell.coin_minor)
        case Place.SPLIT:
            return shell.split.due if shell.split is not None else shell.to_pay
        case Place.TAKE if shell.sale is not None:
            return shell.sale.sale.amount
        case Place.PART if shell.sale is not None:
            return shell.sale.refundable or nothing
        case _:
            return nothing


def chosen(shell: Shell) -> Amount:
    """What the primary key means: what was typed, or where nothing was, what is asked for."""
    if not shell.entry and shell.place in (Place.CASH, Place.TAKE):
        return asked(shell)
    return typed(shell)


def possible(shell: Shell) -> bool:
    """Whether the primary key leads on."""
    if shell.checking:
        return False
    most, amount = asked(shell).minor, chosen(shell).minor
    match shell.place:
        case Place.CASH:
            return 0 < most <= amount
        case Place.COUNT:
            return True
        case _:
            return 0 < amount <= most


def keyed_in(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    """A touch on the keypad of one of these places."""
    if isinstance(touch, Keyed) and not shell.checking:
        number = keyed(shell.entry, touch, _unit(shell))
        return (shell if number * _unit(shell) > MINOR_MAX else replace(shell, entry=number)), ()
    if isinstance(touch, t.Cancel):
        return shell.back(), ()
    if isinstance(touch, t.PayPart) and shell.place is Place.SPLIT and possible(shell):
        return replace(shell.open(Place.CASH), part=typed(shell), entry=0), ()
    if isinstance(touch, t.Enter | t.Charge) and possible(shell):
        return _confirmed(shell)
    return shell, ()


def _confirmed(shell: Shell) -> tuple[Shell, tuple[Wish, ...]]:
    by, amount = answers_for(shell.approver, shell.person), chosen(shell)
    if shell.place is Place.COUNT:
        counted = replace(shell.back(), counted=amount, drawer=None, day_step=1)
        return counted, (t.AskWish(c.DrawerCounting(amount, by)),)
    waits = replace(shell, checking=True, approver="", note="", remedy="")
    if shell.place is Place.SPLIT:
        return parting.parted(waits, PartWish(amount), by)
    if shell.place is Place.CASH and shell.part is not None:
        part = None if shell.picked else shell.part
        wish = PartWish(part, Tender.CASH, lines=shell.picked, tendered=amount)
        return parting.parted(waits, wish, by)
    if shell.place is Place.CASH:
        return waits, (t.AskWish(tendered(shell, Tender.CASH, amount, by)),)
    if shell.sale is None:
        raise AssertionError("an amount of a sale is asked for while it is on show")
    name = shell.sale.sale.txn_id
    if shell.place is Place.TAKE:
        return waits, (t.AskWish(q.HoldTaken(name, amount, by)),)
    back = replace(waits, till=replace(shell.till, returning=True))
    return back, (t.AskWish(q.RefundWanted(name, by, amount)),)


def by_transfer(shell: Shell) -> tuple[Shell, tuple[Wish, ...]]:
    """Asks for a code that pays the typed part of a bill."""
    if not possible(shell):
        return shell, ()
    return parting.part_by(shell, PartWish(typed(shell), Tender.TRANSFER))


def tendered(shell: Shell, tender: Tender, given: Amount | None, by: str) -> q.Question:
    """What is asked of the till: what was typed and taken, or the rest of what a card paid."""
    till, bill = shell.till, shell.till.bill
    if till.screen is Screen.AMOUNT:
        return c.TenderWanted(till.due, tender, parts=till.parts, tendered=given, cashier=by)
    if bill is None:
        terms = till.terms
        return c.TenderWanted(
            till.left_to_pay,
            tender,
            tip_minor=0 if till.may_charge_rest else terms.tip_minor,
            parts=() if till.may_charge_rest else terms.parts,
            tendered=given,
            cashier=by,
        )
    return c.PartWanted(bill.bill.name, PartWish(tender=tender, tendered=given), by)


def _unit(shell: Shell) -> int:
    currency = shell.till.currency
    steps: int = 10 ** (currency.exponent - shown_decimals(currency))
    return steps
