"""What happens in a shop's day and is no transaction: closings, bills, the drawer, feedback.

Rules of this file: as for the events of a transaction: facts with their time, frozen, that never
change their meaning. ``subject`` of each is what it is about; the ledger keeps them in the order
in which they happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from terminal.errors import AmountError
from terminal.money import Amount
from terminal.terms import Part


@dataclass(frozen=True, slots=True)
class BatchFrozen:
    """A batch takes no more transactions; those in ``carried`` (txn ids) went to the next one."""

    at: datetime
    batch: int
    by: str
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TotalsSent:
    """The 0500 of a batch in one currency is about to leave; ``uploaded`` after an upload."""

    at: datetime
    batch: int
    currency: str
    stan: int
    transmitted_at: datetime
    uploaded: bool = False


@dataclass(frozen=True, slots=True)
class TotalsAnswered:
    """What the host said: 00, or 95. ``net_minor`` is its own net; ``extras`` what only it has.

    An extra is ``KIND STAN RRN MINOR`` as the host wrote it.
    """

    at: datetime
    batch: int
    currency: str
    response_code: str
    net_minor: int
    uploaded: bool = False
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadSent:
    """The 0320 of one transaction is about to leave."""

    at: datetime
    batch: int
    txn_id: str
    stan: int
    transmitted_at: datetime


@dataclass(frozen=True, slots=True)
class UploadAnswered:
    """00: the host has the same; 25: it had none; 64: it had ``host_minor``."""

    at: datetime
    batch: int
    txn_id: str
    response_code: str
    host_minor: int


@dataclass(frozen=True, slots=True)
class BatchSettled:
    """The end of a batch: ``outcome`` is balanced, corrected or differs."""

    at: datetime
    batch: int
    outcome: str


@dataclass(frozen=True, slots=True)
class BillOpened:
    """Several payments will pay one amount: what it is for, in the order of the bill.

    ``first`` is the sale that was approved in part, where this is the rest of one. ``tip_minor``
    is a tip that the total includes.
    """

    at: datetime
    bill: str
    total: Amount
    lines: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    cashier: str = ""
    label: str = ""
    tip_minor: int = 0
    first: str = ""


@dataclass(frozen=True, slots=True)
class PartTaken:
    """A payment of a bill is for these of its lines, counted from 0."""

    at: datetime
    bill: str
    txn_id: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BillDropped:
    """What was still due of a bill is not going to be paid."""

    at: datetime
    bill: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CatalogueLoaded:
    """The list of what is sold was replaced by one with so many items."""

    at: datetime
    items: int
    by: str


@dataclass(frozen=True, slots=True)
class DrawerOpened:
    """A drawer begins with its float.

    ``cash_before_minor`` is what all cash payments had moved until then.
    """

    at: datetime
    float_minor: int
    currency: str
    by: str
    cash_before_minor: int = 0


@dataclass(frozen=True, slots=True)
class DrawerMoved:
    """Cash was put in (positive) or taken out (negative) that is no sale."""

    at: datetime
    minor: int
    currency: str
    by: str
    reason: str
    approved_by: str = ""

    def __post_init__(self) -> None:
        if self.minor == 0 or not self.reason:
            raise AmountError("Cash that moves has an amount and a reason.")


@dataclass(frozen=True, slots=True)
class DrawerCounted:
    """What a person counted, before the till said what should be there."""

    at: datetime
    counted_minor: int
    expected_minor: int
    currency: str
    by: str


@dataclass(frozen=True, slots=True)
class FeedbackGiven:
    """One touch of the customer after paying: 1 (bad) to 3 (good)."""

    at: datetime
    txn_id: str
    score: int

    def __post_init__(self) -> None:
        if not 1 <= self.score <= 3:
            raise AmountError("A feedback is 1, 2 or 3.")


DayEvent = (
    BatchFrozen
    | TotalsSent
    | TotalsAnswered
    | UploadSent
    | UploadAnswered
    | BatchSettled
    | BillOpened
    | PartTaken
    | BillDropped
    | CatalogueLoaded
    | DrawerOpened
    | DrawerMoved
    | DrawerCounted
    | FeedbackGiven
)
