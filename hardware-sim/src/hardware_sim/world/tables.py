"""What must be true of bills, transfers and the cash drawer, whatever happened in a world.

Rules of this file: as in ``oracle``: it believes nobody, reads the ledger with SQL of its own, and
adds up for itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

import apsw

from hardware_sim.world.oracle import require
from terminal.terms import Tender, TransactionKind
from terminal.transaction import State, Transaction

_BILLS_CAME = 12
"""The schema version that brought them."""

_COUNTED = frozenset(
    {
        *(State.APPROVED, State.STORED, State.SET_ASIDE),
        *(State.AUTHORISING, State.UNKNOWN, State.AWAITED, State.VOIDING),
    }
)
"""States in which a payment was made, or may have been."""


@dataclass(frozen=True, slots=True)
class BillFacts:
    """A bill as it was opened; ``listed_minor`` is what the ledger says is due, None if nothing."""

    name: str
    total_minor: int
    tip_minor: int
    first: str
    dropped: bool
    listed_minor: int | None


@dataclass(frozen=True, slots=True)
class BillBook:
    """Every bill of a ledger, oldest first, and since when the ledger has known bills at all."""

    bills: tuple[BillFacts, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class DrawerFacts:
    """The events of the drawer since its last float, in minor units."""

    float_minor: int
    cash_before_minor: int
    moved_minor: int


def bills_in(connection: apsw.Connection) -> BillBook:
    """The bills of a ledger."""
    ((begun,),) = connection.execute("SELECT at FROM migration WHERE version = ?", (_BILLS_CAME,))
    listed = {
        str(name): int(str(due))
        for name, due in connection.execute("SELECT name, due_minor FROM open_bill")
    }
    events = list(
        connection.execute(
            "SELECT type, payload FROM day_event WHERE subject LIKE 'bill:%' ORDER BY seq"
        )
    )
    dropped = {json.loads(str(what))["bill"] for kind, what in events if kind == "BillDropped"}
    opened = [json.loads(str(what)) for kind, what in events if kind == "BillOpened"]
    bills = tuple(
        BillFacts(
            name=bill["bill"],
            total_minor=bill["total"]["minor"],
            tip_minor=bill["tip_minor"],
            first=bill["first"],
            dropped=bill["bill"] in dropped,
            listed_minor=listed.get(bill["bill"]),
        )
        for bill in opened
    )
    return BillBook(bills, datetime.fromisoformat(str(begun)))


def drawer_in(connection: apsw.Connection) -> DrawerFacts | None:
    """The drawer's events; None before its first float."""
    facts: DrawerFacts | None = None
    for kind, what in connection.execute(
        "SELECT type, payload FROM day_event WHERE subject LIKE 'drawer:%' ORDER BY seq"
    ):
        event = json.loads(str(what))
        if kind == "DrawerOpened":
            facts = DrawerFacts(event["float_minor"], event["cash_before_minor"], 0)
        elif kind == "DrawerMoved" and facts is not None:
            moved = facts.moved_minor + event["minor"]
            facts = DrawerFacts(facts.float_minor, facts.cash_before_minor, moved)
    return facts


def check_bills(book: BillBook, shown: Iterable[str], sales: Mapping[str, Transaction]) -> None:
    """No bill is paid more than its total, and what is listed as due is what is left of it.

    Args:
        book: the bills of the ledger.
        shown: the names of those that somebody was shown as opened.
        sales: every transaction of the ledger, by its id.

    Raises:
        Untrue: it is not so.
    """
    known = {bill.name: bill for bill in book.bills}
    lost = [name for name in shown if name not in known]
    require(not lost, f"bills were opened and are not in the ledger: {lost}")
    paying: dict[str, list[Transaction]] = {name: [] for name in known}
    for sale in sales.values():
        if sale.kind is TransactionKind.SALE and sale.terms.bill:
            require(sale.terms.bill in known, f"{sale.txn_id} pays a bill that is not there")
            paying[sale.terms.bill].append(sale)
    partly = {
        f"R{sale.sequence}"
        for sale in sales.values()
        if sale.state is State.APPROVED
        and sale.kind is TransactionKind.SALE
        and not sale.terms.bill
        and sale.approved_minor < sale.amount.minor
        # A Taptill of before had no bills, and printed what was still due on the receipt.
        and sale.created_at >= book.since
    }
    require(partly <= set(known), f"nobody owes the rest of {sorted(partly - set(known))}")
    for name, bill in known.items():
        payments = paying[name]
        if bill.first:
            payments = [sales[bill.first], *payments]
        _check_bill(bill, payments)


def _check_bill(bill: BillFacts, payments: list[Transaction]) -> None:
    counted = [payment for payment in payments if payment.state in _COUNTED]
    paid_minor = sum(_goods_minor(bill, payment) for payment in counted)
    require(
        paid_minor <= bill.total_minor,
        f"bill {bill.name} of {bill.total_minor} was paid with {paid_minor}",
    )
    left_minor = bill.total_minor - paid_minor
    doubtful = any(
        p.state in _COUNTED - {State.APPROVED, State.STORED, State.SET_ASIDE} for p in counted
    )
    owed = (left_minor or doubtful) and not bill.dropped and not (bill.first and not counted)
    wanted = left_minor if owed else None
    require(
        bill.listed_minor == wanted,
        f"of bill {bill.name} {wanted} is due, and the ledger lists {bill.listed_minor}",
    )


def _goods_minor(bill: BillFacts, payment: Transaction) -> int:
    """What a payment pays of the bill: all of it, or without the tip that its payer added."""
    booked = payment.approved_minor or payment.amount.minor
    return booked if bill.tip_minor else max(0, booked - payment.terms.tip_minor)


def check_transfers(
    sales: Mapping[str, Transaction], arrived: Mapping[str, int], seen: AbstractSet[str]
) -> None:
    """A transfer counts as paid only where the acquirer has its money, or a person has seen it.

    Args:
        sales: every transaction of the ledger, by its id.
        arrived: what has come at the acquirer under each reference, in minor units.
        seen: the ids of those that a person has confirmed.

    Raises:
        Untrue: one was booked without.
    """
    for txn_id, sale in sales.items():
        if sale.terms.tender is Tender.TRANSFER and sale.state is State.APPROVED:
            came = arrived.get(sale.reference, 0)
            require(
                txn_id in seen or came == sale.amount.minor,
                f"{txn_id} was booked for {sale.amount.minor}, and {came} has arrived",
            )


def check_drawer(
    facts: DrawerFacts | None, expected_minor: int | None, sales: Iterable[Transaction]
) -> None:
    """What the till says should be in the drawer is what its events and cash sales add up to.

    Raises:
        Untrue: it is not.
    """
    if facts is None:
        require(expected_minor is None, "the till knows a drawer that never had a float")
        return
    cash = sum(
        (sale.approved_minor + sale.rounding_minor)
        * (-1 if sale.kind is TransactionKind.REFUND else 1)
        for sale in sales
        if sale.terms.tender is Tender.CASH and sale.state is State.APPROVED
    )
    wanted = facts.float_minor + facts.moved_minor + cash - facts.cash_before_minor
    require(
        expected_minor == wanted,
        f"the drawer should hold {wanted}, and the till says {expected_minor}",
    )
