"""What a face asks of the books, and what it is told: values that cross between threads.

Rules of this file: a question never blocks the face; its answer comes as an event, later, or as
``Unanswered`` with the reason. Nothing here holds card data beyond the last four digits and the
token of a sale.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from offline_queue.bills import NewBill
from terminal.bill import BillStanding, PartWish
from terminal.catalogue import Catalogue, Item
from terminal.drawer import CashMove, DrawerStanding
from terminal.money import Amount
from terminal.roles import Authorised
from terminal.settlement import Report
from terminal.terms import Part, Tender
from terminal.transaction import Transaction

# -- questions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueWanted:
    """What waits for the acquirer, and why."""


@dataclass(frozen=True, slots=True)
class HistoryWanted:
    """The sales that match; all of them for an empty query, newest first."""

    query: str = ""


@dataclass(frozen=True, slots=True)
class SaleWanted:
    """One sale with all that a person may see of it; by its id, or by its receipt's number."""

    name: str


@dataclass(frozen=True, slots=True)
class DayWanted:
    """The totals of the open batch (an X report)."""


@dataclass(frozen=True, slots=True)
class DayClosed:
    """Close the batch and settle it (a Z report), if nothing waits; ``by`` is who does."""

    by: str = ""


@dataclass(frozen=True, slots=True)
class DayExported:
    """Write the closed batch where it can be taken along."""

    batch: int


@dataclass(frozen=True, slots=True)
class RefundWanted:
    """Give what is left of a sale back to the card that paid; ``by`` is who allows it."""

    txn_id: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class VoidWanted:
    """Take a sale of the open batch back; ``by`` is who allows it."""

    txn_id: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class CopyWanted:
    """Print a copy of a sale's receipt."""

    txn_id: str


@dataclass(frozen=True, slots=True)
class PinGiven:
    """Somebody signs in, or unlocks what the shop has locked."""

    pin: str

    def __repr__(self) -> str:
        return "PinGiven(pin=••••)"


@dataclass(frozen=True, slots=True)
class FeedbackGiven:
    """A customer touched a face: 2 smiles, 1 is straight, 0 frowns."""

    txn_id: str
    face: int


@dataclass(frozen=True, slots=True)
class BillsWanted:
    """The bills on which something is due or in doubt."""


@dataclass(frozen=True, slots=True)
class BillWanted:
    """One bill, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class CatalogueWanted:
    """What the shop sells, with its quick keys."""


@dataclass(frozen=True, slots=True)
class ItemWanted:
    """The item with this barcode, as it was scanned."""

    barcode: str


@dataclass(frozen=True, slots=True)
class DrawerWanted:
    """The cash drawer as it stands."""


@dataclass(frozen=True, slots=True)
class DrawerBegun:
    """The drawer begins with this float."""

    amount: Amount
    by: str = ""


@dataclass(frozen=True, slots=True)
class DrawerMoving:
    """Cash is put in or taken out; above the shop's limit somebody has to allow it."""

    move: CashMove


@dataclass(frozen=True, slots=True)
class DrawerCounting:
    """What somebody counted; only then the till says what should be there."""

    amount: Amount
    by: str = ""


@dataclass(frozen=True, slots=True)
class BillOpening:
    """Open a bill."""

    bill: NewBill
    cashier: str = ""


@dataclass(frozen=True, slots=True)
class BillClosing:
    """Close a bill: what is still due of it is not going to be paid."""

    name: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartWanted:
    """Take the next payment of a bill. It ends like any payment, and then ``BillShown`` comes."""

    bill: str
    wish: PartWish
    cashier: str = ""


@dataclass(frozen=True, slots=True)
class TenderWanted:
    """Take one payment by a tender; ``amount`` includes the tip. It ends like any payment."""

    amount: Amount
    tender: Tender
    tip_minor: int = 0
    parts: tuple[Part, ...] = ()
    tendered: Amount | None = None
    cashier: str = ""


@dataclass(frozen=True, slots=True)
class TransferSeen:
    """Somebody has seen that an awaited transfer has arrived."""

    txn_id: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class TransferGivenUp:
    """An awaited transfer does not come; the customer pays otherwise."""

    txn_id: str
    by: str = ""


Question = (
    QueueWanted
    | HistoryWanted
    | SaleWanted
    | DayWanted
    | DayClosed
    | DayExported
    | CopyWanted
    | RefundWanted
    | VoidWanted
    | PinGiven
    | FeedbackGiven
    | BillsWanted
    | BillWanted
    | DrawerWanted
    | DrawerBegun
    | DrawerMoving
    | DrawerCounting
    | CatalogueWanted
    | ItemWanted
    | BillOpening
    | BillClosing
    | PartWanted
    | TenderWanted
    | TransferSeen
    | TransferGivenUp
)

UNSETTLED = "unsettled"
"""The batch is closed here, and the acquirer has yet to say what it has."""

# -- answers -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """One sale that waits. ``message`` is what is queued for it, as the ledger calls it."""

    sale: Transaction
    message: str
    attempts: int
    next_try: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class QueueShown:
    """Everything that waits, in the order in which it goes out."""

    waiting: tuple[Waiting, ...]
    total: Amount
    oldest_at: datetime | None
    limit: Amount


class Found(NamedTuple):
    """One line of the history; small and quickly made, for there are thousands."""

    txn_id: str
    sequence: int
    created_at: str
    amount_minor: int
    currency: str
    state: str
    scheme: str
    masked_pan: str
    training: int


@dataclass(frozen=True, slots=True)
class HistoryShown:
    """The sales that match a query."""

    query: str
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class SaleShown:
    """One sale, and its receipt as text for a code on the screen.

    ``refundable`` is what can still be given back of it, None where nothing can; ``voidable``
    says that its batch is open, so that it can be taken back whole.
    """

    sale: Transaction
    receipt: str
    refundable: Amount | None = None
    voidable: bool = False


@dataclass(frozen=True, slots=True)
class DayShown:
    """The totals of a batch; ``closed`` for a Z report.

    ``settlement`` is what the acquirer said about a closed one: balanced, corrected, differs, or
    ``UNSETTLED`` where it did not answer.
    """

    report: Report
    closed: bool = False
    settlement: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """Something is done; ``where`` says where it went."""

    question: Question
    where: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The PIN is right: who it is, and what they may do."""

    who: Authorised


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The question has no answer: why, and what to do."""

    question: Question
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class BillShown:
    """A bill as it stands; after a part was approved of a sale, the bill of what is left."""

    standing: BillStanding


@dataclass(frozen=True, slots=True)
class BillsShown:
    """The bills on which something is due or in doubt, oldest first."""

    standing: tuple[BillStanding, ...]


@dataclass(frozen=True, slots=True)
class CatalogueShown:
    """What the shop sells; an order of it is made with ``terminal.order.Order``."""

    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class ItemShown:
    """The item with this barcode; None where there is none."""

    barcode: str
    item: Item | None


@dataclass(frozen=True, slots=True)
class DrawerShown:
    """The cash drawer; None before it had a float."""

    standing: DrawerStanding | None


Answer = (
    QueueShown
    | HistoryShown
    | SaleShown
    | DayShown
    | Done
    | SignedIn
    | BillShown
    | BillsShown
    | CatalogueShown
    | ItemShown
    | DrawerShown
    | Unanswered
)
