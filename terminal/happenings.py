"""What can happen to a transaction: its events, as the journal keeps them.

Rules of this file: an event is a fact with its time, frozen, and never changes its meaning once
shipped; a field that is added has a default, so that older events can still be read. Which event
may follow which state is the table in ``terminal.transaction``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from terminal.money import Amount
from terminal.terms import A_SALE, Part, Terms


@dataclass(frozen=True, slots=True)
class CardSummary:
    """What the ledger keeps of a card: nothing that pays, nothing that can be reversed.

    ``fingerprint`` names the card and ``par_fingerprint`` the account behind it, which a card
    and its phone share; empty where the card has no PAR (tag 9F24), as many have none. The
    ``previous`` ones are under the key before, while the till's key for them rotates.
    ``last4`` are the last four digits of the plastic card behind a phone's own number (tag 9F25),
    empty where the card does not say. ``card_ms`` is what the card took in milliseconds,
    ``terminal_us`` what the till added in microseconds, ``command_times`` the card's milliseconds
    by command. ``language`` is the card's first preference (5F2D), where it has one.
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
    language: str = ""
    previous_fingerprint: str = ""
    previous_par_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class SaleIntended:
    """The cashier has set an amount. Durable before a card is read."""

    at: datetime
    txn_id: str
    sequence: int
    amount: Amount
    cashier: str = ""
    training: bool = False
    terms: Terms = A_SALE


@dataclass(frozen=True, slots=True)
class AuthorisationSent:
    """The transaction is sealed and recorded, and its request is about to leave.

    A 0200 for a sale or refund, a 0100 for a hold. ``card`` is None for a refund that needs no
    card. ``transmitted_at`` is DE 7, ``taps`` how often something was held to the reader.
    """

    at: datetime
    card: CardSummary | None
    stan: int
    rrn: str
    batch: int
    transmitted_at: datetime | None = None
    taps: int = 1


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
    transmitted_at: datetime | None = None
    taps: int = 1


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


@dataclass(frozen=True, slots=True)
class HoldApproved:
    """The host has set the amount of a hold aside on the card: reserved, and not taken."""

    at: datetime
    response_code: str
    approval_code: str


@dataclass(frozen=True, slots=True)
class Completed:
    """A hold is taken: its 0220, for ``amount``, waits to be sent under numbers of its own."""

    at: datetime
    amount: Amount
    tip_minor: int
    stan: int
    rrn: str
    batch: int
    transmitted_at: datetime
    parts: tuple[Part, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class TransferShown:
    """A QR code that asks for a bank transfer was shown: from now on money may come."""

    at: datetime
    reference: str


@dataclass(frozen=True, slots=True)
class TenderConfirmed:
    """Cash, or a transfer that a person or a host adapter has seen arrive, enters this batch.

    ``tendered_minor`` is the cash that was handed over, ``rounding_minor`` what cash rounding
    adds to the amount (or takes from it): the change is what is left of the three.
    """

    at: datetime
    batch: int
    by: str = ""
    tendered_minor: int = 0
    rounding_minor: int = 0
    reference: str = ""


@dataclass(frozen=True, slots=True)
class VoidSent:
    """A person takes an approved card transaction, or a hold, back: its 0420 is queued."""

    at: datetime
    reason: str
    by: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class VoidConfirmed:
    """The host has undone the transaction."""

    at: datetime
    response_code: str


@dataclass(frozen=True, slots=True)
class VoidRefused:
    """The host does not undo the transaction: it stands, and a refund is left."""

    at: datetime
    response_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldKept:
    """The host does not release the hold: it stands until it expires."""

    at: datetime
    response_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Voided:
    """A transaction that the acquirer knows nothing of is taken back: it ends here."""

    at: datetime
    reason: str
    by: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """The batch was closed before this had its answer: it belongs to the next one from now on."""

    at: datetime
    batch: int


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
    | HoldApproved
    | Completed
    | TransferShown
    | TenderConfirmed
    | VoidSent
    | VoidConfirmed
    | VoidRefused
    | HoldKept
    | Voided
    | CarriedOver
)
