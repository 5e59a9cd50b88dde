"""What the till tells its face: frozen values that cross from the till's thread by queue.

Rules of this file: nothing here refers to a widget, a socket or a database, and nothing holds
card data. A face (touchscreen, console) folds these into what it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from terminal.money import Amount
from terminal.progress import Authorising, CardRead, Presenting, Prompted
from terminal.receipt import Receipt
from terminal.transaction import Transaction
from ui.questions import Answer


@dataclass(frozen=True, slots=True)
class Finished:
    """The sale has an end that is committed. Its receipt is printed after this is said."""

    transaction: Transaction
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class ReceiptDone:
    """The receipt of this sale is out, or not; ``note`` says where it went or what to do."""

    txn_id: str
    ok: bool
    note: str


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
    """The acquirer answers, or does not; ``degraded``: it does, slowly or unwell."""

    online: bool
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class PendingChanged:
    """What waits for the acquirer: how many sales, and their sum.

    ``oldest_at`` is when the oldest was made, ``left`` what the shop's limit still allows.
    """

    count: int
    total: Amount
    oldest_at: datetime | None = None
    left: Amount | None = None


@dataclass(frozen=True, slots=True)
class StaffChanged:
    """Whether anybody has a PIN at this till; until then it belongs to whoever stands at it."""

    anybody: bool


@dataclass(frozen=True, slots=True)
class Forwarding:
    """How far what waited has come: "37 of 412, EUR 1,204.50 to go"."""

    done: int
    total: int
    left: Amount


@dataclass(frozen=True, slots=True)
class Refused:
    """The sale did not begin, or could not go on. Nothing was sent, no money was taken.

    ``fault`` is the name of the error, by which a face finds it in its own language.
    """

    message: str
    remedy: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class OutOfService:
    """The till must not take payments until a person has helped; ``fault`` as in ``Refused``."""

    message: str
    remedy: str = ""
    fault: str = ""


TillEvent = (
    Presenting
    | Prompted
    | CardRead
    | Authorising
    | Finished
    | ReceiptDone
    | SaleChanged
    | ReaderChanged
    | NetworkChanged
    | Forwarding
    | PendingChanged
    | StaffChanged
    | Refused
    | OutOfService
    | Answer
)

__all__ = [
    "Authorising",
    "CardRead",
    "Finished",
    "Forwarding",
    "NetworkChanged",
    "OutOfService",
    "PendingChanged",
    "Presenting",
    "Prompted",
    "ReaderChanged",
    "ReceiptDone",
    "Refused",
    "SaleChanged",
    "StaffChanged",
    "TillEvent",
]
