"""What a face asks for at the counter: bills, tenders, the catalogue, the drawer, transfers.

Rules of this file: as in ``ui.questions``, of which these are a part. A wish that moves money ends
with ``Finished`` or ``Refused`` like a charge; ``BillShown`` and ``CodeShown`` follow where there
is something to show.
"""

from __future__ import annotations

from dataclasses import dataclass

from offline_queue.bills import NewBill
from offline_queue.habits import Usual
from terminal.bill import BillStanding, PartWish
from terminal.catalogue import Catalogue, Item
from terminal.drawer import CashMove, DrawerStanding
from terminal.money import Amount
from terminal.terms import Part, Tender

# -- questions ---------------------------------------------------------------------------------


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
class UsualWanted:
    """What the card of this sale usually does here, to offer it first."""

    txn_id: str


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
class TransferAwaited:
    """Ask the acquirer until a transfer has arrived; ``cancel`` ends the wait as a card's.

    It ends like a payment: APPROVED, or still AWAITED.
    """

    txn_id: str
    patience_s: float = 120.0


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


CounterQuestion = (
    BillsWanted
    | BillWanted
    | CatalogueWanted
    | ItemWanted
    | UsualWanted
    | DrawerWanted
    | DrawerBegun
    | DrawerMoving
    | DrawerCounting
    | BillOpening
    | BillClosing
    | PartWanted
    | TenderWanted
    | TransferAwaited
    | TransferSeen
    | TransferGivenUp
)

# -- answers -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BillShown:
    """A bill as it stands; after a part was approved of a sale, the bill of what is left."""

    standing: BillStanding


@dataclass(frozen=True, slots=True)
class BillsShown:
    """The bills on which something is due or in doubt, oldest first."""

    standing: tuple[BillStanding, ...]


@dataclass(frozen=True, slots=True)
class CodeShown:
    """What the QR code of an awaited transfer carries, to be drawn with error correction M."""

    txn_id: str
    text: str
    reference: str


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
class UsualShown:
    """What the card of this sale usually does here; nothing for a sale without one."""

    txn_id: str
    usual: Usual


@dataclass(frozen=True, slots=True)
class DrawerShown:
    """The cash drawer; None before it had a float."""

    standing: DrawerStanding | None


CounterAnswer = (
    UsualShown | BillShown | BillsShown | CodeShown | CatalogueShown | ItemShown | DrawerShown
)
