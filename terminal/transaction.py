"""The life of one sale: states, events, and the table of which event leads where.

Rules of this file: everything that decides a sale's state lives here, as data. A transaction is
what its events add up to (``after`` is a pure fold), so the journal stores events and never a
state alone. The table is proven total by a test: every state is reachable, final states are
empty, and every pair that is not in the table raises.

::

    INTENDED --AuthorisationSent--> AUTHORISING --HostApproved-> APPROVED
        |                               |------HostDeclined-> DECLINED
        |                               |------Deferred-----> STORED (nothing left the socket)
        |                               |------RiskRefused--> DECLINED (the same, over a limit)
        |                               '------FateUnknown--> UNKNOWN
        |                                                        '--ReversalConfirmed-> REVERSED
        |--StoredOffline--> STORED --HostApproved--> APPROVED
        |                      |-----HostDeclined--> DECLINED_AFTER_FORWARD
        |                      '-----SetAside------> SET_ASIDE --Requeued--> STORED
        |--CardDeclined---> DECLINED
        |--RiskRefused----> DECLINED
        |--Cancelled------> CANCELLED
        '--Interrupted----> INTERRUPTED
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from types import MappingProxyType

from terminal.money import Amount


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


class MoneyTaken(Enum):
    """The one line that each screen and receipt owes the customer."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not yet"
    NOT_KNOWN = "not known yet"


@dataclass(frozen=True, slots=True)
class CardSummary:
    """What the ledger keeps of a card: nothing that pays, nothing that can be reversed.

    ``fingerprint`` names the card and ``par_fingerprint`` the account behind it, which a card
    and its phone share; empty where the card has no PAR (tag 9F24), as many have none.
    ``last4`` are the last four digits of the plastic card behind a phone's own number (tag 9F25),
    empty where the card does not say. ``card_ms`` is what the card took in milliseconds,
    ``terminal_us`` what the till added in microseconds, ``command_times`` the card's milliseconds
    by command.
    """

    token: str
    masked_pan: str
    scheme: str
    aid: str
    label: str
    fingerprint: str
    fingerprint_epoch: int
    device: str = "card"
    cvm: str = "no CVM"
    par_fingerprint: str = ""
    last4: str = ""
    card_ms: int = 0
    terminal_us: int = 0
    command_times: str = ""


@dataclass(frozen=True, slots=True)
class SaleIntended:
    """The cashier has set an amount. Durable before a card is read."""

    at: datetime
    txn_id: str
    sequence: int
    amount: Amount
    cashier: str = ""
    training: bool = False


@dataclass(frozen=True, slots=True)
class AuthorisationSent:
    """The sale is sealed and recorded, and its 0200 is about to leave."""

    at: datetime
    card: CardSummary
    stan: int
    rrn: str
    batch: int


@dataclass(frozen=True, slots=True)
class StoredOffline:
    """The sale is sealed and recorded, and its 0220 waits for the network.

    ``card_approved``: the card itself approved (it gave a TC); otherwise its authorisation was
    deferred (it gave an ARQC, which the issuer has yet to judge).
    """

    at: datetime
    card: CardSummary
    stan: int
    rrn: str
    batch: int
    reason: str
    card_approved: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """Nothing left the socket, so the recorded sale now waits as a 0220."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class HostApproved:
    """The host said yes, to ``approved_minor`` (less than asked for a partial approval).

    ``note`` says what is unusual about it, in plain English; empty where nothing is.
    """

    at: datetime
    response_code: str
    approval_code: str
    approved_minor: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class HostDeclined:
    """The host said no."""

    at: datetime
    response_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class FateUnknown:
    """Something left the socket and no answer was stored: a reversal is queued with this event."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ReversalConfirmed:
    """The host answered the reversal: whatever it had booked is undone."""

    at: datetime
    response_code: str


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """An answer to the original came after its reversal was queued: recorded, never applied."""

    at: datetime
    response_code: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """The host refuses the message itself: kept, visible, and in the pending total."""

    at: datetime
    response_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Requeued:
    """A person has sent a set-aside sale round again."""

    at: datetime


@dataclass(frozen=True, slots=True)
class CardDeclined:
    """The card or the kernel said no; nothing was sent."""

    at: datetime
    reason: str
    card: CardSummary | None = None


@dataclass(frozen=True, slots=True)
class RiskRefused:
    """The shop's limits, or what the ledger knows of the card, forbid the sale.

    Nothing was sent: this follows an intent, or an authorisation that never left the socket.
    ``limit`` is the name of the rule (``terminal.risk.Limit``), for a face to say in its own
    language; ``reason`` says it in plain English.
    """

    at: datetime
    reason: str
    card: CardSummary | None = None
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The cashier cancelled, or nobody tapped in time; nothing was sent."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The till stopped before the sale was recorded; nothing was sent."""

    at: datetime
    reason: str


Event = (
    SaleIntended
    | AuthorisationSent
    | StoredOffline
    | Deferred
    | HostApproved
    | HostDeclined
    | FateUnknown
    | ReversalConfirmed
    | LateAnswer
    | SetAside
    | Requeued
    | CardDeclined
    | RiskRefused
    | Cancelled
    | Interrupted
)

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
        },
        _S.AUTHORISING: {
            HostApproved: _S.APPROVED,
            HostDeclined: _S.DECLINED,
            Deferred: _S.STORED,
            RiskRefused: _S.DECLINED,
            FateUnknown: _S.UNKNOWN,
        },
        _S.STORED: {
            HostApproved: _S.APPROVED,
            HostDeclined: _S.DECLINED_AFTER_FORWARD,
            SetAside: _S.SET_ASIDE,
        },
        _S.UNKNOWN: {ReversalConfirmed: _S.REVERSED, LateAnswer: _S.UNKNOWN},
        _S.SET_ASIDE: {Requeued: _S.STORED},
        _S.APPROVED: {},
        _S.DECLINED: {},
        _S.DECLINED_AFTER_FORWARD: {},
        _S.REVERSED: {},
        _S.CANCELLED: {},
        _S.INTERRUPTED: {},
    }
)

FINAL = frozenset(state for state, row in TRANSITIONS.items() if not row)
"""States that nothing leads out of. The pending total is the sum over all others."""

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
    }
)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One sale as its events have left it."""

    txn_id: str
    sequence: int
    state: State
    amount: Amount
    created_at: datetime
    changed_at: datetime
    cashier: str = ""
    training: bool = False
    card: CardSummary | None = None
    stan: int | None = None
    rrn: str = ""
    batch: int | None = None
    response_code: str = ""
    approval_code: str = ""
    approved_minor: int = 0
    stored_offline: bool = False
    reason: str = ""
    card_approved: bool = False
    refusal: str = ""

    @classmethod
    def begin(cls, event: SaleIntended) -> Transaction:
        """The transaction that an intent opens."""
        return cls(
            txn_id=event.txn_id,
            sequence=event.sequence,
            state=State.INTENDED,
            amount=event.amount,
            created_at=event.at,
            changed_at=event.at,
            cashier=event.cashier,
            training=event.training,
        )

    @property
    def money_taken(self) -> MoneyTaken:
        """Whether money was taken, as far as the till can know."""
        return MONEY_TAKEN[self.state]

    @property
    def final(self) -> bool:
        """Whether nothing can happen to this sale any more."""
        return self.state in FINAL

    @property
    def still_due_minor(self) -> int:
        """What a partial approval has left unpaid."""
        return self.amount.minor - self.approved_minor if self.state is State.APPROVED else 0

    def after(self, event: Event) -> Transaction:
        """The transaction once ``event`` has happened.

        Raises:
            AssertionError: the table has no such step. We broke the rules, nobody else.
        """
        target = TRANSITIONS[self.state].get(type(event))
        if target is None:
            raise AssertionError(
                f"{type(event).__name__} cannot happen to a {self.state.value} sale"
            )
        moved = replace(self, state=target, changed_at=event.at)
        match event:
            case AuthorisationSent():
                return replace(
                    moved, card=event.card, stan=event.stan, rrn=event.rrn, batch=event.batch
                )
            case StoredOffline():
                return replace(
                    moved,
                    card=event.card,
                    stan=event.stan,
                    rrn=event.rrn,
                    batch=event.batch,
                    stored_offline=True,
                    reason=event.reason,
                    card_approved=event.card_approved,
                )
            case Deferred():
                return replace(moved, stored_offline=True, reason=event.reason)
            case HostApproved():
                if not 0 < event.approved_minor <= self.amount.minor:
                    raise AssertionError("the approved amount is outside 1 to the amount asked")
                return replace(
                    moved,
                    response_code=event.response_code,
                    approval_code=event.approval_code,
                    approved_minor=event.approved_minor,
                    reason=event.note,
                )
            case HostDeclined() | SetAside():
                return replace(moved, response_code=event.response_code, reason=event.reason)
            case CardDeclined():
                return replace(moved, reason=event.reason, card=event.card or self.card)
            case RiskRefused():
                return replace(
                    moved,
                    reason=event.reason,
                    card=event.card or self.card,
                    refusal=event.limit,
                )
            case FateUnknown() | Cancelled() | Interrupted():
                return replace(moved, reason=event.reason)
            case ReversalConfirmed():
                return replace(moved, response_code=event.response_code)
            case _:
                return moved


def replay(events: list[Event]) -> Transaction:
    """Folds a sale's events, oldest first, into the transaction they add up to.

    Raises:
        AssertionError: the list does not begin with an intent, or has an impossible step.
    """
    first, *rest = events
    if not isinstance(first, SaleIntended):
        raise AssertionError("a sale begins with its intent")
    transaction = Transaction.begin(first)
    for event in rest:
        transaction = transaction.after(event)
    return transaction
