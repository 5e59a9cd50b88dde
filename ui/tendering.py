"""Bills, cash and bank transfers, on the till's thread.

Rules of this file: what is due and what may be is decided in ``terminal``; this hands a face's
wish to it and lets its refusals through by name.
"""

from __future__ import annotations

from collections.abc import Callable

from offline_queue.bills import Bills
from offline_queue.drawer import Drawer
from terminal.bill import rest_name
from terminal.checkout import Ports, pay
from terminal.money import Amount
from terminal.parting import pay_part
from terminal.tenders import (
    ask_transfer,
    cash_due,
    confirm_transfer,
    give_up_transfer,
    take_cash,
)
from terminal.terms import Tender, Terms
from terminal.transaction import Transaction
from terminal.transfers import await_transfer
from ui.counter_questions import (
    BillClosing,
    BillOpening,
    BillShown,
    CodeShown,
    DrawerBegun,
    DrawerCounting,
    DrawerMoving,
    DrawerShown,
    PartWanted,
    TenderWanted,
    TransferAwaited,
    TransferGivenUp,
    TransferSeen,
)
from ui.transfers import code_text, require_code
from ui.wiring import Parts

ByTender = PartWanted | TenderWanted | TransferAwaited | TransferSeen | TransferGivenUp
"""Wishes that end with a payment, as a charge does."""


def needs_card(wish: ByTender) -> bool:
    """Whether somebody has to hold a card to the reader."""
    match wish:
        case PartWanted(wish=part):
            return part.tender is Tender.CARD
        case TenderWanted(tender=tender):
            return tender is Tender.CARD
        case _:
            return False


def taken(
    parts: Parts, ports: Ports, wish: ByTender, pause: Callable[[float], object]
) -> Transaction:
    """The payment that was wished for, as it is committed.

    Raises:
        TerminalError: it is not due, or could not begin.
        AnswerLost: the bank was asked, and what it said could not be recorded.
    """
    match wish:
        case TransferAwaited(txn_id=txn_id, patience_s=patience_s):
            arrival = await_transfer(ports, parts.rules, txn_id, patience_s=patience_s, pause=pause)
            return arrival.sale
        case PartWanted(bill=bill, wish=part, cashier=cashier):
            if part.tender is Tender.TRANSFER:
                require_code(parts.settings, Amount(1, parts.settings.config.till.currency))
            return pay_part(ports, parts.rules, bill, part, cashier=cashier)
        case TransferSeen(txn_id=txn_id, by=by):
            return confirm_transfer(ports, txn_id, by=by)
        case TransferGivenUp(txn_id=txn_id, by=by):
            return give_up_transfer(ports, txn_id, by=by)
        case TenderWanted():
            return whole(parts, ports, wish)


def whole(parts: Parts, ports: Ports, wish: TenderWanted) -> Transaction:
    """One payment of a whole amount by a tender, as it is committed.

    Raises:
        TerminalError: it could not begin.
        AnswerLost: the bank was asked, and what it said could not be recorded.
    """
    rules, cashier, amount = parts.rules, wish.cashier, wish.amount
    terms = Terms(tip_minor=wish.tip_minor, parts=wish.parts)
    match wish.tender:
        case Tender.CARD:
            return pay(ports, rules, amount, cashier=cashier, terms=terms)
        case Tender.TRANSFER:
            require_code(parts.settings, amount)
            return ask_transfer(ports, rules, amount, cashier=cashier, terms=terms)
        case Tender.CASH:
            given = wish.tendered or cash_due(amount, rules.cash_coin_minor)
            return take_cash(ports, rules, amount, given, cashier=cashier, terms=terms)


def code_of(parts: Parts, sale: Transaction) -> CodeShown:
    """What the QR code of an awaited transfer carries.

    Raises:
        TerminalError: no code can be made.
    """
    text = code_text(parts.settings, sale.amount, sale.reference)
    return CodeShown(sale.txn_id, text, sale.reference)


def bill_moved(parts: Parts, wish: BillOpening | BillClosing) -> BillShown:
    """Opens or closes a bill.

    Raises:
        TerminalError: it is not possible; nothing was changed.
    """
    bills = Bills(parts.journal.store, parts.clock)
    if isinstance(wish, BillOpening):
        return BillShown(bills.open(wish.bill, cashier=wish.cashier))
    return BillShown(bills.drop(wish.name, by=wish.by, reason=wish.reason))


def drawer_moved(parts: Parts, wish: DrawerBegun | DrawerMoving | DrawerCounting) -> DrawerShown:
    """Begins the cash drawer, moves cash, or counts it.

    Raises:
        TerminalError: it is not possible; nothing was changed.
    """
    config = parts.settings.config
    drawer = Drawer(parts.journal.store, config.till.currency)
    match wish:
        case DrawerBegun(amount=amount, by=by):
            return DrawerShown(drawer.begin(amount, parts.clock, by=by))
        case DrawerCounting(amount=amount, by=by):
            return DrawerShown(drawer.count(amount, parts.clock, by=by))
        case DrawerMoving(move=move):
            limit_minor = config.cash.pay_out_limit_minor
            return DrawerShown(drawer.move(move, parts.clock, limit_minor=limit_minor))


def bill_of(parts: Parts, sale: Transaction) -> BillShown:
    """The bill that a payment is for, or that is the rest of it.

    Raises:
        StoreError: there is none, or the ledger cannot be read.
    """
    name = sale.terms.bill or rest_name(sale.sequence)
    return BillShown(Bills(parts.journal.store).standing(name))
