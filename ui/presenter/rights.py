"""Which touch takes which right: what somebody has to prove before the till goes on.

Rules of this file: pure, and it names actions, never roles. Where nobody has a PIN, nobody asks.
"""

from __future__ import annotations

from typing import Protocol

from terminal.roles import Action, Authorised
from ui.presenter.panel import Place
from ui.presenter.state import Screen, ViewState
from ui.presenter.touches import Charge, Choose, Done, Go, NextStep, PrintCopy, Touch, Train, Undo
from ui.presenter.verdict import REPEATABLE, Verdict

UNPAID = REPEATABLE | {Verdict.UNKNOWN, Verdict.PARTLY_APPROVED}
"""Ends that leave a customer who has not paid: only the shop may turn away from them."""

OF_SHOP = frozenset({"card_language", "guard", "feedback"})
"""Preferences that are the merchant's to choose."""

OF_PLACE = {
    Place.QUEUE: Action.SHOW_QUEUE,
    Place.DAY: Action.REPORT_X,
    Place.READER: Action.SHOW_QUEUE,
}


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
    selling, closing = shell.place is Place.TILL, shell.place is Place.DAY
    match touch:
        case Charge() if selling and screen is Screen.AMOUNT:
            return Action.SELL
        case Done() if selling and screen is Screen.RESULT and shell.till.verdict in UNPAID:
            # Whoever holds the till while a customer has not paid proves to be of the shop.
            return Action.CANCEL_SALE
        case Go(place):
            return OF_PLACE.get(Place(place))
        case Choose(name) if name in OF_SHOP:
            return Action.CHANGE_SHOP
        case Train():
            return Action.TRAINING
        case PrintCopy():
            return Action.PRINT_COPY
        case Undo("refund"):
            return Action.REFUND
        case Undo("void"):
            return Action.VOID
        case NextStep() if closing and shell.day_step == 1:
            return Action.CLOSE_BATCH
        case NextStep() if closing and shell.day_step == 2:
            return Action.EXPORT_BOOKS
        case _:
            return None


def answers_for(approver: str, person: Authorised | None) -> str:
    """Who answers for what is done now: whose PIN was asked for, or who is signed in."""
    return approver or (person.name if person is not None else "")
