"""How a sale ended, in as many words as a cashier needs: the table from states to verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from terminal.transaction import MONEY_TAKEN, State, Transaction


class Verdict(Enum):
    """How a sale ended, in as many words as a cashier needs."""

    APPROVED = "approved"
    PARTLY_APPROVED = "partly approved"
    DECLINED = "declined"
    STORED = "stored"
    UNKNOWN = "unknown"
    REVERSED = "reversed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


VERDICTS: Mapping[State, Verdict] = MappingProxyType(
    {
        State.INTENDED: Verdict.CANCELLED,
        State.AUTHORISING: Verdict.UNKNOWN,
        State.STORED: Verdict.STORED,
        State.APPROVED: Verdict.APPROVED,
        State.DECLINED: Verdict.DECLINED,
        State.DECLINED_AFTER_FORWARD: Verdict.DECLINED,
        State.UNKNOWN: Verdict.UNKNOWN,
        State.REVERSED: Verdict.REVERSED,
        State.SET_ASIDE: Verdict.STORED,
        State.CANCELLED: Verdict.CANCELLED,
        State.INTERRUPTED: Verdict.CANCELLED,
        State.HELD: Verdict.APPROVED,
        State.AWAITED: Verdict.UNKNOWN,
        State.VOIDING: Verdict.UNKNOWN,
        State.VOIDED: Verdict.REVERSED,
    }
)

REPEATABLE = frozenset({Verdict.DECLINED, Verdict.CANCELLED, Verdict.REFUSED, Verdict.REVERSED})
"""Verdicts after which the same amount may be asked for again: no money was taken."""


def verdict_of(sale: Transaction) -> Verdict:
    """The verdict on a sale as it stands."""
    if sale.state is State.APPROVED and sale.still_due_minor:
        return Verdict.PARTLY_APPROVED
    return VERDICTS[sale.state]


if set(VERDICTS) != set(MONEY_TAKEN):
    raise AssertionError("each state of a sale needs a verdict")
