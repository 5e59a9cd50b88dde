"""What the till tells its face: frozen values that cross from the till's thread by queue.

Rules of this file: nothing here refers to a widget, a socket or a database, and nothing holds
card data. A face (touchscreen, console) folds these into what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.emv.outcome import MessageId
from terminal.money import Amount
from terminal.receipt import Receipt
from terminal.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Presenting:
    """The intent is durable and the reader is live; nobody has tapped yet."""

    amount: Amount
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Prompted:
    """The reader asks for something: one card only, present again, see phone, not a card."""

    message: MessageId
    note: str = ""


@dataclass(frozen=True, slots=True)
class CardRead:
    """The card may be taken away. This is the first cue, and not yet an approval."""


@dataclass(frozen=True, slots=True)
class Authorising:
    """The recorded sale is on its way to the acquirer; ``timeout_s`` is the longest wait."""

    timeout_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The sale has an end that is committed. ``receipt_note`` says where the receipt went."""

    transaction: Transaction
    receipt: Receipt | None
    receipt_note: str = ""


@dataclass(frozen=True, slots=True)
class SaleChanged:
    """An earlier sale has moved on: forwarded, reversed, set aside."""

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class ReaderChanged:
    """The reader has come or gone."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """The acquirer answers, or does not."""

    online: bool


@dataclass(frozen=True, slots=True)
class PendingChanged:
    """What waits for the acquirer: how many sales, and their sum."""

    count: int
    total: Amount


@dataclass(frozen=True, slots=True)
class Refused:
    """The sale did not begin, or could not go on. Nothing was sent, no money was taken."""

    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class OutOfService:
    """The till must not take payments until a person has helped."""

    message: str
    remedy: str = ""


TillEvent = (
    Presenting
    | Prompted
    | CardRead
    | Authorising
    | Finished
    | SaleChanged
    | ReaderChanged
    | NetworkChanged
    | PendingChanged
    | Refused
    | OutOfService
)
