"""The states of a transaction, and the table of which event leads where.

Rules of this file: data only. ``terminal.transaction`` folds events by this table; the screen,
the queue and the reports read it. It is proven total by a test: every state is reachable, final
states are empty or resting, and every pair that is not in the table raises.

::

    INTENDED --AuthorisationSent--> AUTHORISING --HostApproved-> APPROVED
        |                               |------HoldApproved-> HELD (a pre-authorisation)
        |                               |------HostDeclined-> DECLINED
        |                               |------Deferred-----> STORED (nothing left the socket)
        |                               |------RiskRefused--> DECLINED (the same, over a limit)
        |                               '------FateUnknown--> UNKNOWN
        |                                                        '--ReversalConfirmed-> REVERSED
        |--StoredOffline--> STORED --HostApproved--> APPROVED
        |                      |-----HostDeclined--> DECLINED_AFTER_FORWARD
        |                      '-----SetAside------> SET_ASIDE --Requeued--> STORED
        |--TenderConfirmed--> APPROVED (cash)
        |--TransferShown--> AWAITED --TenderConfirmed--> APPROVED (a bank transfer)
        |                      '-----Cancelled-------> CANCELLED
        |--CardDeclined---> DECLINED
        |--RiskRefused----> DECLINED
        |--Cancelled------> CANCELLED
        '--Interrupted----> INTERRUPTED

    HELD --Completed--> STORED                          (goes on as above)
    APPROVED | HELD --VoidSent--> VOIDING --VoidConfirmed--> VOIDED
                                     |------VoidRefused----> APPROVED
                                     '------HoldKept-------> HELD
    APPROVED | STORED --Voided--> VOIDED                (what the acquirer has not heard of)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from terminal.happenings import (
    AuthorisationSent,
    Cancelled,
    CardDeclined,
    CarriedOver,
    Completed,
    Deferred,
    Event,
    FateUnknown,
    HoldApproved,
    HoldKept,
    HostApproved,
    HostDeclined,
    Interrupted,
    LateAnswer,
    Requeued,
    ReversalConfirmed,
    RiskRefused,
    SetAside,
    StoredOffline,
    TenderConfirmed,
    TransferShown,
    VoidConfirmed,
    Voided,
    VoidRefused,
    VoidSent,
)
from terminal.terms import Tender, TransactionKind


class State(Enum):
    """Where a sale stands. Every state has an amount; none is left out of a total."""

    INTENDED = "intended"
    AUTHORISING = "authorising"
    STORED = "stored"
    APPROVED = "approved"
    DECLINED = "declined"
    DECLINED_AFTER_FORWARD = "declined after forward"
    UNKNOWN = "unknown"
    REVERSED = "reversed"
    SET_ASIDE = "set aside"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    HELD = "held"
    AWAITED = "awaited"
    VOIDING = "voiding"
    VOIDED = "voided"


class MoneyTaken(Enum):
    """The one line that each screen and receipt owes the customer."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not yet"
    NOT_KNOWN = "not known yet"


_S = State
TRANSITIONS: Mapping[State, Mapping[type[Event], State]] = MappingProxyType(
    {
        _S.INTENDED: {
            AuthorisationSent: _S.AUTHORISING,
            StoredOffline: _S.STORED,
            CardDeclined: _S.DECLINED,
            RiskRefused: _S.DECLINED,
            Cancelled: _S.CANCELLED,
            Interrupted: _S.INTERRUPTED,
            TenderConfirmed: _S.APPROVED,
            TransferShown: _S.AWAITED,
        },
        _S.AUTHORISING: {
            HostApproved: _S.APPROVED,
            HoldApproved: _S.HELD,
            HostDeclined: _S.DECLINED,
            Deferred: _S.STORED,
            RiskRefused: _S.DECLINED,
            FateUnknown: _S.UNKNOWN,
            CarriedOver: _S.AUTHORISING,
        },
        _S.STORED: {
            HostApproved: _S.APPROVED,
            HostDeclined: _S.DECLINED_AFTER_FORWARD,
            SetAside: _S.SET_ASIDE,
            Voided: _S.VOIDED,
            CarriedOver: _S.STORED,
        },
        _S.UNKNOWN: {
            ReversalConfirmed: _S.REVERSED,
            LateAnswer: _S.UNKNOWN,
            CarriedOver: _S.UNKNOWN,
        },
        _S.SET_ASIDE: {Requeued: _S.STORED, CarriedOver: _S.SET_ASIDE},
        _S.HELD: {Completed: _S.STORED, VoidSent: _S.VOIDING},
        _S.AWAITED: {TenderConfirmed: _S.APPROVED, Cancelled: _S.CANCELLED},
        _S.APPROVED: {VoidSent: _S.VOIDING, Voided: _S.VOIDED},
        _S.VOIDING: {
            VoidConfirmed: _S.VOIDED,
            VoidRefused: _S.APPROVED,
            HoldKept: _S.HELD,
            CarriedOver: _S.VOIDING,
        },
        _S.VOIDED: {},
        _S.DECLINED: {},
        _S.DECLINED_AFTER_FORWARD: {},
        _S.REVERSED: {},
        _S.CANCELLED: {},
        _S.INTERRUPTED: {},
    }
)

RESTING = frozenset({_S.APPROVED, _S.HELD})
"""States that nothing but a person's wish leads out of: to void, or to take what is held."""

FINAL = frozenset(state for state, row in TRANSITIONS.items() if not row) | RESTING
"""States in which nothing is awaited. The pending total is the sum over all others."""

_BY_CARD = frozenset(
    {AuthorisationSent, StoredOffline, Deferred, HoldApproved, Completed, CardDeclined}
)
NOT_FOR: Mapping[TransactionKind | Tender, frozenset[type[Event]]] = MappingProxyType(
    {
        TransactionKind.SALE: frozenset({HoldApproved, Completed, HoldKept}),
        # A refund waits for nobody: the customer leaves with the money on its way, or without.
        TransactionKind.REFUND: frozenset(
            {StoredOffline, Deferred, HoldApproved, Completed, HoldKept}
        ),
        TransactionKind.HOLD: frozenset({StoredOffline, Deferred}),
        Tender.CARD: frozenset({TransferShown, TenderConfirmed}),
        Tender.CASH: _BY_CARD | {TransferShown},
        Tender.TRANSFER: _BY_CARD,
    }
)
"""Events that the table has, and that can never happen to this kind or tender."""

MONEY_TAKEN: Mapping[State, MoneyTaken] = MappingProxyType(
    {
        _S.INTENDED: MoneyTaken.NO,
        _S.AUTHORISING: MoneyTaken.NOT_KNOWN,
        _S.STORED: MoneyTaken.NOT_YET,
        _S.APPROVED: MoneyTaken.YES,
        _S.DECLINED: MoneyTaken.NO,
        _S.DECLINED_AFTER_FORWARD: MoneyTaken.NO,
        _S.UNKNOWN: MoneyTaken.NOT_KNOWN,
        _S.REVERSED: MoneyTaken.NO,
        _S.SET_ASIDE: MoneyTaken.NOT_YET,
        _S.CANCELLED: MoneyTaken.NO,
        _S.INTERRUPTED: MoneyTaken.NO,
        _S.HELD: MoneyTaken.NO,
        _S.AWAITED: MoneyTaken.NOT_KNOWN,
        _S.VOIDING: MoneyTaken.NOT_KNOWN,
        _S.VOIDED: MoneyTaken.NO,
    }
)
