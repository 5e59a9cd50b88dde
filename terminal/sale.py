"""What one payment works with, and the message and event that it is recorded with.

Rules of this file: values, and one pure function of them. The order of a payment is
``terminal.checkout``'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from terminal.emv.settings import ReaderSettings
from terminal.iso8583.messages import SaleFacts, compose_advice, compose_sale
from terminal.iso8583.profile import Profile
from terminal.ledger import Journal, Kind, Numbers, Outgoing
from terminal.line import Signal
from terminal.ports import Clock, Entropy, Host, KeyStore, Reader, Sealer
from terminal.progress import Progress
from terminal.risk import OfflineLimits
from terminal.tokens import SealedCard
from terminal.transaction import AuthorisationSent, CardSummary, StoredOffline, Transaction


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
    """What does not change from payment to payment."""

    terminal_id: str
    merchant_id: str
    profile: Profile
    emv: ReaderSettings
    zone: tzinfo
    offline: OfflineLimits
    present_s: float = 60.0
    authorise_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap that goes on: the card is sealed already, and its clear data is gone."""

    sealed: SealedCard
    summary: CardSummary
    chip_data: dict[int, bytes]
    sequence: int | None
    at: datetime
    approved_by_card: bool


def compose(
    ports: Ports, rules: Rules, sale: Transaction, tap: Tap, numbers: Numbers, reason: str
) -> tuple[AuthorisationSent | StoredOffline, Outgoing]:
    """The event and the message of a sale, inside the transaction that mints its numbers."""
    facts = SaleFacts(
        amount=sale.amount,
        stan=numbers.stan,
        rrn=numbers.rrn,
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
    )
    now = ports.clock.now()
    card, stan, rrn, batch = tap.summary, numbers.stan, numbers.rrn, numbers.batch
    if reason:
        by_card = tap.approved_by_card
        stored = StoredOffline(now, card, stan, rrn, batch, reason, card_approved=by_card)
        return stored, Outgoing(Kind.ADVICE, compose_advice(rules.profile, facts))
    sent = AuthorisationSent(now, card, stan, rrn, batch)
    return sent, Outgoing(Kind.SALE, compose_sale(rules.profile, facts))
