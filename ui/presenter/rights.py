"""Which touch takes which right: what somebody has to prove before the till goes on.

Rules of this file: pure, and it names actions, never roles. Where nobody has a PIN, nobody asks.
"""

from __future__ import annotations

from typing import Protocol

from terminal.roles import Action, Authorised
from ui.presenter.panel import Place
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.touches import (
    Cancel,
    CarryOver,
    Charge,
    Choose,
    Done,
    Go,
    Hold,
    NextStep,
    PrintCopy,
    Touch,
    Train,
    Transfer,
    Undo,
)
from ui.presenter.verdict import REPEATABLE, Verdict

UNPAID = REPEATABLE | {Verdict.UNKNOWN, Verdict.PARTLY_APPROVED}
"""Ends that leave a customer who has not paid: only the shop may turn away from them."""

OF_SHOP = frozenset({"card_language", "guard", "feedback", "tips"})
"""Preferences that are the merchant's to choose."""

OF_PLACE = {
    Place.QUEUE: Action.SHOW_QUEUE,
    Place.DAY: Action.REPORT_X,
    Place.READER: Action.SHOW_QUEUE,
    Place.CASH: Action.SELL,
    Place.HOLDS: Action.SHOW_QUEUE,
    Place.BILLS: Action.SHOW_QUEUE,
    Place.COUNT: Action.COUNT_DRAWER,
    Place.DISCOUNT: Action.DISCOUNT,
    Place.SPLIT: Action.SELL,
    Place.SHARE: Action.SELL,
}


OF_UNDO = {
    "refund": Action.REFUND,
    "part": Action.REFUND,
    "void": Action.VOID,
    "take": Action.SELL,
}
"""What is done to an earlier sale."""

OF_DAY = {1: Action.CLOSE_BATCH, 2: Action.EXPORT_BOOKS}
"""The steps of the end of day that take somebody who may."""


class Standing(Protocol):
    """What of the shell a right depends on."""

    @property
    def till(self) -> ViewState:
        """The sale."""

    @property
    def place(self) -> Place:
        """Where somebody is."""

    @property
    def day_step(self) -> int:
        """How far the end of day is."""


def needed(shell: Standing, touch: Touch) -> Action | None:
    """The right that this touch takes here, where it takes one."""
    screen = shell.till.screen
    selling = shell.place is Place.TILL
    match touch:
        case Charge() if selling and screen is Screen.AMOUNT:
            return Action.SELL
        case Done() if selling and screen is Screen.RESULT and _unpaid(shell.till):
            # Whoever holds the till while a customer has not paid proves to be of the shop.
            return Action.CANCEL_SALE
        case Cancel() if selling and screen is Screen.TIP:
            return Action.CANCEL_SALE
        case Hold() | Transfer("ask" | "wait"):
            return Action.SELL
        case Transfer():
            return Action.CONFIRM_TRANSFER
        case Go(place):
            return OF_PLACE.get(Place(place))
        case Choose(name) if name in OF_SHOP:
            return Action.CHANGE_SHOP
        case Train():
            return Action.TRAINING
        case PrintCopy():
            return Action.PRINT_COPY
        case Undo(how):
            return OF_UNDO.get(how)
        case NextStep() | CarryOver() if shell.place is Place.DAY:
            return OF_DAY.get(shell.day_step)
        case _:
            return None


def _unpaid(till: ViewState) -> bool:
    """Whether the customer on the screen has not paid, or not all of it."""
    return till.verdict in UNPAID or till.may_charge_rest


def answers_for(approver: str, person: Authorised | None) -> str:
    """Who answers for what is done now: whose PIN was asked for, or who is signed in."""
    return approver or (person.name if person is not None else "")
