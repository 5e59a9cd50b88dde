"""One transaction: what its events add up to.

Rules of this file: a transaction is the pure fold of its events (``after``), so the journal stores
events and never a state alone. Which event may follow which state is data, in ``terminal.states``;
this module hands on states and events, so that those who work with transactions need one import.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from terminal.happenings import (
    AuthorisationSent,
    Cancelled,
    CardDeclined,
    CardSummary,
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
    SaleIntended,
    SetAside,
    StoredOffline,
    TenderConfirmed,
    TransferShown,
    VoidConfirmed,
    Voided,
    VoidRefused,
    VoidSent,
)
from terminal.money import Amount
from terminal.states import (
    FINAL,
    MONEY_TAKEN,
    NOT_FOR,
    RESTING,
    TRANSITIONS,
    MoneyTaken,
    State,
)
from terminal.terms import A_SALE, Tender, Terms, TransactionKind, slice_of

__all__ = [
    "FINAL",
    "MONEY_TAKEN",
    "NOT_FOR",
    "RESTING",
    "TRANSITIONS",
    "AuthorisationSent",
    "Cancelled",
    "CardDeclined",
    "CardSummary",
    "CarriedOver",
    "Completed",
    "Deferred",
    "Event",
    "FateUnknown",
    "HoldApproved",
    "HoldKept",
    "HostApproved",
    "HostDeclined",
    "Interrupted",
    "LateAnswer",
    "MoneyTaken",
    "Requeued",
    "ReversalConfirmed",
    "RiskRefused",
    "SaleIntended",
    "SetAside",
    "State",
    "StoredOffline",
    "Tender",
    "TenderConfirmed",
    "Terms",
    "Transaction",
    "TransactionKind",
    "TransferShown",
    "VoidConfirmed",
    "VoidRefused",
    "VoidSent",
    "Voided",
    "replay",
]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One sale, refund or hold as its events have left it.

    ``amount`` is what was asked for; for a completed hold, what was taken of ``held_minor``.
    ``rounding_minor`` is what cash rounding adds to the amount. ``reference`` is that of a
    transfer.
    """

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
    terms: Terms = A_SALE
    transmitted_at: datetime | None = None
    taps: int = 0
    held_minor: int = 0
    tendered_minor: int = 0
    rounding_minor: int = 0
    reference: str = ""
    voided_by: str = ""

    @classmethod
    def begin(cls, event: SaleIntended) -> Transaction:
        """The transaction that an intent opens.

        Raises:
            AssertionError: tip and parts are not those of the amount.
        """
        if not event.terms.fits(event.amount.minor):
            raise AssertionError("the tip and the parts are not those of the amount")
        return cls(
            txn_id=event.txn_id,
            sequence=event.sequence,
            state=State.INTENDED,
            amount=event.amount,
            created_at=event.at,
            changed_at=event.at,
            cashier=event.cashier,
            training=event.training,
            terms=_dated(event.terms, event.at),
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

    @property
    def kind(self) -> TransactionKind:
        """A sale, a refund or a hold."""
        return self.terms.kind

    @property
    def cash_minor(self) -> int:
        """What went into the drawer; negative for what came out of it."""
        if self.state is not State.APPROVED or self.terms.tender is not Tender.CASH:
            return 0
        moved = self.approved_minor + self.rounding_minor
        return -moved if self.kind is TransactionKind.REFUND else moved

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
        if type(event) in NOT_FOR[self.kind] | NOT_FOR[self.terms.tender]:
            raise AssertionError(
                f"{type(event).__name__} cannot happen to a {self.terms.tender.value}"
                f" {self.kind.value}"
            )
        moved = replace(self, state=target, changed_at=event.at)
        folded = _numbers(moved, event) or _answered(moved, event) or _tendered(moved, event)
        return folded or moved


def _dated(terms: Terms, at: datetime) -> Terms:
    """The terms with a day; that of UTC for intents from before the shop's own was recorded."""
    utc = at.astimezone(UTC)
    return terms if terms.day else replace(terms, day=utc.date().isoformat(), hour=utc.hour)


def _numbers(moved: Transaction, event: Event) -> Transaction | None:
    """What an event says that gives a transaction its card and numbers."""
    match event:
        case AuthorisationSent() | StoredOffline():
            stored = isinstance(event, StoredOffline)
            return replace(
                moved,
                card=event.card,
                stan=event.stan,
                rrn=event.rrn,
                batch=event.batch,
                transmitted_at=event.transmitted_at,
                taps=event.taps,
                stored_offline=stored,
                reason=event.reason if isinstance(event, StoredOffline) else "",
                card_approved=isinstance(event, StoredOffline) and event.card_approved,
            )
        case Completed():
            if not 0 <= event.tip_minor <= event.amount.minor:
                raise AssertionError("the tip is more than the amount")
            return replace(
                moved,
                amount=event.amount,
                terms=replace(moved.terms, tip_minor=event.tip_minor, parts=event.parts),
                stan=event.stan,
                rrn=event.rrn,
                batch=event.batch,
                transmitted_at=event.transmitted_at,
            )
        case _:
            return None


def _answered(moved: Transaction, event: Event) -> Transaction | None:
    """What an event says that comes from the host, or from a decision in its place."""
    match event:
        case Deferred():
            return replace(moved, stored_offline=True, reason=event.reason)
        case HostApproved():
            if not 0 < event.approved_minor <= moved.amount.minor:
                raise AssertionError("the approved amount is outside 1 to the amount asked")
            return replace(
                moved,
                response_code=event.response_code,
                approval_code=event.approval_code or moved.approval_code,
                approved_minor=event.approved_minor,
                terms=_in_part(moved.terms, moved.amount.minor, event.approved_minor),
                reason=event.note,
            )
        case HoldApproved():
            return replace(
                moved,
                response_code=event.response_code,
                approval_code=event.approval_code,
                held_minor=moved.amount.minor,
            )
        case HostDeclined() | SetAside() | VoidRefused() | HoldKept():
            return replace(moved, response_code=event.response_code, reason=event.reason)
        case CardDeclined():
            return replace(moved, reason=event.reason, card=event.card or moved.card)
        case RiskRefused():
            card = event.card or moved.card
            return replace(moved, reason=event.reason, card=card, refusal=event.limit)
        case FateUnknown() | Cancelled() | Interrupted():
            return replace(moved, reason=event.reason)
        case ReversalConfirmed() | VoidConfirmed():
            return replace(moved, response_code=event.response_code)
        case _:
            return None


def _in_part(terms: Terms, asked_minor: int, approved_minor: int) -> Terms:
    """The terms of what was approved: a part of the amount pays for the goods before the tip."""
    if approved_minor == asked_minor:
        return terms
    goods_minor = asked_minor - terms.tip_minor
    parts = slice_of(terms.parts, 0, min(approved_minor, goods_minor))
    return replace(terms, tip_minor=max(0, approved_minor - goods_minor), parts=parts)


def _tendered(moved: Transaction, event: Event) -> Transaction | None:
    """What an event says that a person at the till did."""
    match event:
        case TransferShown():
            return replace(moved, reference=event.reference)
        case TenderConfirmed():
            return replace(
                moved,
                batch=event.batch,
                approved_minor=moved.amount.minor,
                tendered_minor=event.tendered_minor,
                rounding_minor=event.rounding_minor,
                reference=event.reference or moved.reference,
                reason="",
            )
        case CarriedOver():
            return replace(moved, batch=event.batch)
        case VoidSent() | Voided():
            return replace(moved, reason=event.reason, voided_by=event.approved_by or event.by)
        case _:
            return None


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
