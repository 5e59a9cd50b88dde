"""What one payment works with, and the message and event that it is recorded with.

Rules of this file: values, and one pure function of them. The order of a payment is
``terminal.checkout``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from terminal.emv.settings import ReaderSettings
from terminal.iso8583.later import compose_hold
from terminal.iso8583.messages import (
    PURCHASE,
    REFUND,
    Original,
    SaleFacts,
    compose_advice,
    compose_sale,
)
from terminal.iso8583.profile import Profile
from terminal.ledger import Journal, Kind, Numbers, Outgoing
from terminal.line import Signal
from terminal.ports import Clock, Entropy, Host, KeyStore, Reader, Sealer
from terminal.progress import Progress
from terminal.refunds import POLICY, RefundPolicy
from terminal.risk import OfflineLimits
from terminal.terms import Terms
from terminal.tokens import FIRST_EPOCHS, FingerprintEpochs, SealedCard
from terminal.transaction import (
    AuthorisationSent,
    CardSummary,
    StoredOffline,
    Transaction,
    TransactionKind,
)

PROCESSING_CODES = {
    TransactionKind.SALE: PURCHASE,
    TransactionKind.HOLD: PURCHASE,
    TransactionKind.REFUND: REFUND,
}

TRANSACTION_TYPES = {
    TransactionKind.SALE: 0x00,
    TransactionKind.HOLD: 0x00,
    TransactionKind.REFUND: 0x20,
}
"""9C, whose two digits are the first two of DE 3 (EMV Book 3, Annex A)."""

AcceptsCard = Callable[[CardSummary], str]
"""Says why this card will not do for this transaction; empty for one that will."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as one payment sees it.

    ``host_online`` is the measured state of the link; ``line_seen`` is told for it how the
    payment's own exchange went.
    """

    reader: Reader
    host: Host
    journal: Journal
    sealer: Sealer
    keystore: KeyStore
    clock: Clock
    entropy: Entropy
    show: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    host_online: Callable[[], bool]
    line_seen: Callable[[Signal], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Rules:
    """What does not change from payment to payment.

    ``cash_coin_minor`` is the smallest coin. ``stored_until`` is when the acquirer's last key
    runs out: from then on nothing is stored, since nobody might be able to open it.
    """

    terminal_id: str
    merchant_id: str
    profile: Profile
    emv: ReaderSettings
    zone: tzinfo
    offline: OfflineLimits
    refunds: RefundPolicy = POLICY
    cash_coin_minor: int = 1
    present_s: float = 60.0
    authorise_s: float = 15.0
    fingerprints: FingerprintEpochs = FIRST_EPOCHS
    stored_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap that goes on: the card is sealed already, and its clear data is gone."""

    sealed: SealedCard
    summary: CardSummary
    chip_data: dict[int, bytes]
    sequence: int | None
    at: datetime
    approved_by_card: bool
    taps: int = 1


def any_card(_: CardSummary) -> str:
    """Takes every card."""
    return ""


def wall_clock(rules: Rules, terms: Terms, at: datetime) -> Terms:
    """The terms, dated by the shop's wall clock."""
    return local_terms(rules.zone, terms, at)


def local_terms(zone: tzinfo, terms: Terms, at: datetime) -> Terms:
    """The terms, dated by the wall clock of a zone: an hour that comes twice is one hour."""
    local = at.astimezone(zone)
    return replace(terms, day=f"{local:%Y-%m-%d}", hour=local.hour)


def original_of(about: Transaction) -> Original:
    """The message that an earlier transaction was sent as: DE 90.

    Raises:
        AssertionError: it was never sent, or by a version that did not record its DE 7.
    """
    if about.stan is None or about.transmitted_at is None:
        raise AssertionError("this transaction was never sent")
    if about.kind is TransactionKind.HOLD:
        mti = "0220" if about.approved_minor else "0100"
    else:
        mti = "0220" if about.stored_offline else "0200"
    return Original(mti, about.stan, about.transmitted_at)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be authorised: the open transaction, and for a refund the sale it gives back.

    ``reason`` says why it is stored and not asked for; empty where it is.
    """

    sale: Transaction
    original: Transaction | None = None
    reason: str = ""


def compose(
    ports: Ports, rules: Rules, asked: Asked, tap: Tap, numbers: Numbers
) -> tuple[AuthorisationSent | StoredOffline, Outgoing]:
    """The event and the message, inside the SQL transaction that mints the numbers."""
    sale, original, reason = asked.sale, asked.original, asked.reason
    facts = SaleFacts(
        amount=sale.amount,
        stan=numbers.stan,
        rrn=original.rrn if original else numbers.rrn,
        at=tap.at,
        local_at=tap.at.astimezone(rules.zone),
        terminal_id=rules.terminal_id,
        merchant_id=rules.merchant_id,
        reference=f"{sale.sequence}:{sale.txn_id}",
        chip_data=tap.chip_data,
        envelope=tap.sealed.envelope,
        pan_sequence=tap.sequence,
        batch=numbers.batch,
        offline_reason=reason,
        processing_code=PROCESSING_CODES[sale.kind],
        original=original_of(original) if original else None,
    )
    now, card, batch = ports.clock.now(), tap.summary, numbers.batch
    stan, rrn, at, taps = facts.stan, facts.rrn, facts.at, tap.taps
    if reason:
        by_card = tap.approved_by_card
        stored = StoredOffline(now, card, stan, rrn, batch, reason, by_card, at, taps)
        return stored, Outgoing(Kind.ADVICE, compose_advice(rules.profile, facts))
    sent = AuthorisationSent(now, card, stan, rrn, batch, at, taps)
    make = compose_hold if sale.kind is TransactionKind.HOLD else compose_sale
    return sent, Outgoing(Kind.SALE, make(rules.profile, facts))
