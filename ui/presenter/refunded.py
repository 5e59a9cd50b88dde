"""How money that goes back is told: a refund is neither approved nor taken."""

from __future__ import annotations

from terminal.terms import Tender, TransactionKind
from terminal.transaction import MoneyTaken, State, Transaction
from ui.presenter.sayings import (
    BY_TRANSFER,
    GIVEN_BACK,
    HELD,
    HELD_LINE,
    IN_CASH,
    MONEY_LINES,
    REFUND_LINES,
    TRANSFER_DUE,
)
from ui.presenter.state import ViewState
from ui.presenter.verdict import Verdict


def title_of(state: ViewState, title: str) -> str:
    """The word for this end: ``title``, unless money has gone back."""
    sale = state.transaction
    if sale is None or state.verdict is not Verdict.APPROVED:
        return title
    if sale.state is State.HELD:
        return HELD
    named = {Tender.CASH: IN_CASH, Tender.TRANSFER: BY_TRANSFER}
    if sale.terms.tender in named:
        return named[sale.terms.tender]
    return GIVEN_BACK if sale.kind is TransactionKind.REFUND else title


def money_line(sale: Transaction | None, taken: MoneyTaken) -> str:
    """Where the money is, in one sentence: of a refund, whether it went back."""
    if sale is not None and sale.kind is TransactionKind.REFUND:
        return REFUND_LINES[taken]
    if sale is not None and sale.state is State.HELD:
        return HELD_LINE
    if sale is not None and sale.state is State.AWAITED:
        return TRANSFER_DUE
    return MONEY_LINES[taken]
