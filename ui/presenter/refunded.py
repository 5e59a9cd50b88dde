"""How money that goes back is told: a refund is neither approved nor taken."""

from __future__ import annotations

from terminal.terms import TransactionKind
from terminal.transaction import MoneyTaken, Transaction
from ui.presenter.sayings import GIVEN_BACK, MONEY_LINES, REFUND_LINES
from ui.presenter.state import ViewState
from ui.presenter.verdict import Verdict


def title_of(state: ViewState, title: str) -> str:
    """The word for this end: ``title``, unless money has gone back."""
    sale = state.transaction
    back = sale is not None and sale.kind is TransactionKind.REFUND
    return GIVEN_BACK if back and state.verdict is Verdict.APPROVED else title


def money_line(sale: Transaction | None, taken: MoneyTaken) -> str:
    """Where the money is, in one sentence: of a refund, whether it went back."""
    if sale is not None and sale.kind is TransactionKind.REFUND:
        return REFUND_LINES[taken]
    return MONEY_LINES[taken]
