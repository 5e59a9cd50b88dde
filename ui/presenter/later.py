"""What comes after a sale has ended: its bill, its paper, and what becomes of it later.

Rules of this file: pure, part of the fold of ``ui.presenter.state``. What is about another sale
than the one on the screen changes nothing there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from terminal.bill import BillStanding, rest_name
from terminal.transaction import Transaction
from ui.counter_questions import BillShown, CatalogueShown, UsualShown
from ui.events import ReceiptDone
from ui.presenter.screens import Screen
from ui.presenter.stock import Stock
from ui.presenter.verdict import Verdict, verdict_of
from ui.questions import Answer

if TYPE_CHECKING:
    from ui.presenter.state import ViewState


def answered(state: ViewState, answer: Answer) -> ViewState:
    """What the books say of the sale on the screen."""
    match answer:
        case BillShown(standing):
            return billed(state, standing)
        case UsualShown():
            return known(state, answer)
        case CatalogueShown(catalogue):
            return replace(state, basket=replace(state.basket, stock=Stock(catalogue)))
        case _:
            return state


def billed(state: ViewState, bill: BillStanding) -> ViewState:
    """The bill of the payment on the screen: while something is due, the screen stays."""
    sale = state.transaction
    if state.screen is not Screen.RESULT or sale is None:
        return state
    if bill.bill.name not in (sale.terms.bill, rest_name(sale.sequence)):
        return state
    if not bill.due.minor or state.verdict is Verdict.UNKNOWN:
        return replace(state, bill=bill)
    return replace(state, bill=bill, wait_s=0.0, wait_number=state.wait_number + 1)


def known(state: ViewState, shown: UsualShown) -> ViewState:
    """What the card on the screen usually does here; its own word on the language comes first."""
    sale = state.transaction
    if state.screen is not Screen.RESULT or sale is None or sale.txn_id != shown.txn_id:
        return state
    language = state.card_language or shown.usual.language
    return replace(state, usual=shown.usual, card_language=language)


def printed(state: ViewState, event: ReceiptDone) -> ViewState:
    """Where the paper of the sale on the screen is, or why there is none."""
    shown = state.transaction
    if state.screen is not Screen.RESULT or shown is None or shown.txn_id != event.txn_id:
        return state
    return replace(state, receipt_ok=event.ok, receipt_note=event.note)


def moved_on(state: ViewState, sale: Transaction) -> ViewState:
    """An earlier sale changed: shown in place if it is the one on the screen."""
    moved = state
    if state.last is not None and state.last.txn_id == sale.txn_id:
        moved = replace(moved, last=sale)
    shown = state.transaction
    if state.screen is Screen.RESULT and shown is not None and shown.txn_id == sale.txn_id:
        ended = verdict_of(sale)
        if ended is not state.verdict:
            # What was counted down to has come.
            moved = replace(moved, wait_s=0.0, wait_number=state.wait_number + 1)
        moved = replace(moved, transaction=sale, verdict=ended, overdue=False)
    return moved
