"""What a face asks of the books, and what it is told: values that cross between threads.

Rules of this file: a question never blocks the face; its answer comes as an event, later, or as
``Unanswered`` with the reason. Nothing here holds card data beyond the last four digits and the
token of a sale.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from terminal.bill import BillStanding
from terminal.drawer import DrawerStanding
from terminal.money import Amount, Total
from terminal.roles import Authorised
from terminal.settlement import Report
from terminal.transaction import Transaction
from ui.counter_questions import CounterAnswer, CounterQuestion

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
    """Send what waits, close the batch and settle it (a Z report); ``by`` is who does.

    What has no answer then keeps the batch open, unless it is to be carried over to the next.
    """

    by: str = ""
    carry: bool = False


@dataclass(frozen=True, slots=True)
class DayExported:
    """Write the closed batch where it can be taken along."""

    batch: int


@dataclass(frozen=True, slots=True)
class RefundWanted:
    """Give a sale back to the card that paid; ``by`` is who allows it.

    ``amount`` is None for all that is left of it.
    """

    txn_id: str
    by: str = ""
    amount: Amount | None = None


@dataclass(frozen=True, slots=True)
class HoldsWanted:
    """The holds that have not been taken or released."""


@dataclass(frozen=True, slots=True)
class HoldTaken:
    """Take this much of what a hold has set aside; ``by`` is who does."""

    txn_id: str
    amount: Amount
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


Question = (
    QueueWanted
    | HistoryWanted
    | SaleWanted
    | DayWanted
    | DayClosed
    | DayExported
    | CopyWanted
    | RefundWanted
    | HoldsWanted
    | HoldTaken
    | VoidWanted
    | PinGiven
    | FeedbackGiven
    | CounterQuestion
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

    ``cash`` is what cash has moved into the drawer, and ``carried`` what had no answer when the
    batch was closed, and belongs to the next one. ``settlement`` is what the acquirer said about a
    closed batch: balanced, corrected, differs, or ``UNSETTLED`` where it did not answer. ``bills``
    are those of which something is due now, ``awaited`` the transfers that nobody has seen arrive,
    and ``drawer`` the cash drawer; none of them belongs to a batch.
    """

    report: Report
    closed: bool = False
    settlement: str = ""
    cash: Total | None = None
    carried: tuple[Transaction, ...] = ()
    bills: tuple[BillStanding, ...] = ()
    awaited: tuple[Transaction, ...] = ()
    drawer: DrawerStanding | None = None


@dataclass(frozen=True, slots=True)
class DayHeld:
    """The day stays open: these have no answer yet, though what waits was sent."""

    waiting: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class HoldsShown:
    """The open holds, oldest first."""

    holds: tuple[Transaction, ...]


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


Answer = (
    QueueShown
    | HistoryShown
    | SaleShown
    | DayShown
    | DayHeld
    | HoldsShown
    | Done
    | SignedIn
    | CounterAnswer
    | Unanswered
)
