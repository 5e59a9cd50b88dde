"""A payment as the till tells of it: from the live reader to how it ended.

Rules of this file: pure, part of the fold of ``ui.presenter.state``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from terminal.emv.outcome import MessageId
from terminal.terms import Tender, TransactionKind
from terminal.transaction import Transaction
from ui.events import Authorising, CardRead, Finished, Presenting, Prompted, Refused
from ui.presenter.basket import Basket
from ui.presenter.screens import Screen
from ui.presenter.verdict import REPEATABLE, Verdict, verdict_of

if TYPE_CHECKING:
    from ui.presenter.state import ViewState

APPROVED_STAYS_S = 4.0
"""How long an approval stays before the next sale; other results wait for a person."""

UNKNOWN_CHECK_S = 30.0
"""How long the till tells the seconds while it asks the bank about a sale of unknown fate."""


def in_sale(
    state: ViewState, event: Presenting | Prompted | CardRead | Authorising | Refused
) -> ViewState:
    """What happens between the amount and the end."""
    match event:
        case Presenting(amount, timeout_s):
            return replace(
                state.fresh(),
                screen=Screen.PRESENT,
                amount=amount,
                terms=state.terms,
                armed=True,
                cancelling=state.cancelling,
                prompt=MessageId.PRESENT_CARD,
                wait_s=timeout_s,
                wait_number=state.wait_number + 1,
            )
        case Prompted(message, note):
            return replace(state, prompt=message, note=note)
        case CardRead(languages=languages):
            return replace(
                state.fresh(),
                screen=Screen.PROCESSING,
                amount=state.amount,
                terms=state.terms,
                prompt=MessageId.CARD_READ_OK,
                card_language=languages[0] if languages else "",
            )
        case Authorising(timeout_s):
            return replace(
                state.fresh(),
                screen=Screen.PROCESSING,
                amount=state.amount,
                terms=state.terms,
                prompt=MessageId.AUTHORISING,
                card_language=state.card_language,
                wait_s=timeout_s,
                wait_number=state.wait_number + 1,
            )
        case Refused(message, remedy, fault):
            return replace(
                state.fresh(),
                screen=Screen.RESULT,
                amount=state.amount,
                terms=state.terms,
                verdict=Verdict.REFUSED,
                message=message,
                remedy=remedy,
                fault=fault,
                typed=0,
                basket=state.basket.kept(state.typed_amount),
            )


def finished(state: ViewState, event: Finished) -> ViewState:
    """How it ended."""
    sale = event.transaction
    if state.screen is Screen.CLOSED:
        return replace(state, last=sale)
    verdict = verdict_of(sale)
    stays = {Verdict.APPROVED: APPROVED_STAYS_S, Verdict.UNKNOWN: UNKNOWN_CHECK_S}
    if sale.terms.tender is Tender.CASH:
        # The change stays on the screen until it has been counted out.
        stays = {}
    return replace(
        state.fresh(),
        screen=Screen.RESULT,
        amount=sale.amount,
        terms=sale.terms,
        verdict=verdict,
        transaction=sale,
        last=sale,
        typed=0,
        basket=_basket(state, sale, verdict),
        card_language=state.card_language,
        wait_s=stays.get(verdict, 0.0),
        wait_number=state.wait_number + 1,
    )


def _basket(state: ViewState, sale: Transaction, verdict: Verdict) -> Basket:
    """What becomes of the order: paid for, it goes; otherwise it is still there afterwards."""
    terms = sale.terms
    # Of a sale that was paid in part, only what was asked for is the order.
    parts = state.terms.parts if verdict is Verdict.PARTLY_APPROVED else terms.parts
    own = terms.kind is not TransactionKind.REFUND and not terms.bill and parts
    if own and parts == state.parts and verdict not in REPEATABLE:
        return state.basket.paid()
    return state.basket.kept(state.typed_amount)
