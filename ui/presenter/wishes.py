"""What the till is asked to do for a touch, in each state of a sale.

Rules of this file: pure. A touch that the state has no use for wishes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from terminal.bill import PartWish, tip_of
from terminal.money import Amount
from terminal.terms import Terms, TransactionKind
from ui.counter_questions import PartWanted, UsualWanted
from ui.events import Finished, TillEvent
from ui.presenter.screens import Screen
from ui.presenter.touches import (
    AddTip,
    AskWish,
    Cancel,
    CancelWish,
    Charge,
    ChargeWish,
    Hold,
    Tip,
    Touch,
    Wish,
)
from ui.presenter.verdict import Verdict, verdict_of

if TYPE_CHECKING:
    from ui.presenter.state import ViewState


def wish_for(state: ViewState, touch: Touch) -> Wish | None:
    """What the till is to be asked to do for this touch, in this state."""
    match state.screen, touch:
        case Screen.AMOUNT, Charge() if state.may_charge:
            return ChargeWish(state.due, Terms(parts=state.parts))
        case Screen.AMOUNT, Hold() if state.may_charge:
            held = Terms(kind=TransactionKind.HOLD, parts=state.parts)
            return ChargeWish(state.due, held)
        case Screen.TIP, Tip() | AddTip() if state.amount is not None:
            tip = _tip(state, state.amount, touch)
            terms = Terms(tip_minor=tip.minor, parts=state.parts)
            return ChargeWish(state.amount + tip, terms)
        case Screen.RESULT, Charge() if state.may_charge_rest:
            return _the_rest(state)
        case Screen.RESULT, Charge() if state.may_repeat and state.amount is not None:
            return ChargeWish(state.amount, _once_more(state.terms))
        case Screen.PRESENT, Cancel() if not state.cancelling:
            return CancelWish()
        case _:
            return None


def _the_rest(state: ViewState) -> Wish:
    """The rest of a bill; a sale that a card paid in part has one as soon as it was looked up."""
    if state.bill is None:
        return ChargeWish(state.rest)
    return AskWish(PartWanted(state.bill.bill.name, PartWish()))


def _tip(state: ViewState, amount: Amount, touch: Tip | AddTip) -> Amount:
    return tip_of(amount, touch.percent) if isinstance(touch, Tip) else state.typed_tip


def _once_more(terms: Terms) -> Terms:
    """What a payment was for, to be asked of another card: never who allowed it, nor its day."""
    return Terms(kind=terms.kind, bill=terms.bill, tip_minor=terms.tip_minor, parts=terms.parts)


def about_card(event: TillEvent) -> tuple[Wish, ...]:
    """A card that has paid nothing, or a part: how its holder usually goes on.

    And of one that says nothing of its holder's language: which one its other visits had. Before
    the tap nobody knows whose card it will be, and the language of a card that says one is known
    at the tap.
    """
    if not isinstance(event, Finished) or event.transaction.card is None:
        return ()
    goes_on = verdict_of(event.transaction) in (Verdict.DECLINED, Verdict.PARTLY_APPROVED)
    if not goes_on and event.transaction.card.language:
        return ()
    return (AskWish(UsualWanted(event.transaction.txn_id)),)
