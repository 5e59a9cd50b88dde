"""Bills in the ledger, row by row: what each adds up to, and which of them are still due.

Rules of this file: the events of a bill and the transactions that pay it are the truth;
``open_bill`` has a row for each bill on which something is due or in doubt, and is brought up to
date in the SQL transaction that changed it. The rest of a sale that was approved in part becomes
a bill in the same commit, so that no crash can forget it.
"""

from __future__ import annotations

import apsw

from offline_queue import projection
from offline_queue.day_log import add, events_of
from offline_queue.events import write_time
from offline_queue.sql import rows
from terminal.bill import BillStanding, rest_name, standing_of
from terminal.day_events import BillDropped, BillOpened, PartTaken
from terminal.errors import StoreError
from terminal.terms import TransactionKind
from terminal.transaction import State, Transaction

_COLUMNS = (
    *("name", "currency", "total_minor", "paid_minor", "doubt_minor", "due_minor"),
    *("opened_at", "label", "cashier"),
)
_PUT = (
    f"INSERT OR REPLACE INTO open_bill ({', '.join(_COLUMNS)})"  # noqa: S608 - names of this file
    f" VALUES ({', '.join('?' * len(_COLUMNS))})"
)


def subject_of(name: str) -> str:
    """Under which name the events of a bill are kept."""
    return f"bill:{name}"


def standing(connection: apsw.Connection, name: str) -> BillStanding:
    """A bill as it stands now.

    Raises:
        StoreError: there is none of this name.
    """
    events = events_of(connection, subject_of(name))
    if not events or not isinstance(events[0], BillOpened):
        raise StoreError(
            f"There is no bill {name!r}.", remedy="See the open ones with taptill bill show."
        )
    found = rows(
        connection,
        f"{projection.SELECT} WHERE bill = ? OR txn_id = ? ORDER BY sequence",
        (name, events[0].first),
    )
    return standing_of(events, [projection.transaction_of(row) for row in found])


def note(connection: apsw.Connection, event: BillOpened | PartTaken | BillDropped) -> None:
    """Adds an event of a bill, and brings its row up to date."""
    add(connection, subject_of(event.bill), event)
    _refresh(connection, event.bill)


def follow(connection: apsw.Connection, before: Transaction, after: Transaction) -> None:
    """Brings the bill up to date that a transaction pays; the rest of one becomes a bill."""
    if after.training or after.kind is not TransactionKind.SALE:
        return
    if after.terms.bill:
        _refresh(connection, after.terms.bill)
        return
    name = rest_name(after.sequence)
    if after.state is State.APPROVED and before.state is not State.VOIDING:
        if after.still_due_minor:
            note(connection, _rest(name, before, after))
    elif before.state in {State.APPROVED, State.VOIDING} and events_of(
        connection, subject_of(name)
    ):
        _refresh(connection, name)


def _rest(name: str, before: Transaction, after: Transaction) -> BillOpened:
    """The bill of a sale that was approved in part, with the terms that it was asked with."""
    terms = before.terms
    return BillOpened(
        at=after.changed_at,
        bill=name,
        total=after.amount,
        parts=terms.parts,
        cashier=after.cashier,
        tip_minor=terms.tip_minor,
        first=after.txn_id,
    )


def _refresh(connection: apsw.Connection, name: str) -> None:
    now = standing(connection, name)
    if now.open:
        connection.execute(_PUT, _row(now))
    else:
        connection.execute("DELETE FROM open_bill WHERE name = ?", (name,))


def _row(now: BillStanding) -> tuple[str | int, ...]:
    bill = now.bill
    return (
        *(bill.name, bill.total.currency.code, bill.total.minor),
        *(now.paid.minor, now.doubt.minor, now.due.minor),
        *(write_time(now.opened_at), bill.label, now.cashier),
    )


def verify(connection: apsw.Connection) -> None:
    """Proves the open bills equal to what their events and payments add up to.

    Raises:
        StoreError: one differs; it is named.
    """
    if not rows(connection, "SELECT 1 FROM sqlite_schema WHERE name = 'open_bill'"):
        # A ledger of an older Taptill, before its update, has no bills.
        return
    names = rows(connection, "SELECT subject FROM day_event WHERE type = 'BillOpened'")
    wanted = {}
    for (subject,) in names:
        now = standing(connection, str(subject).partition(":")[2])
        if now.open:
            wanted[now.bill.name] = _row(now)
    listed = rows(connection, f"SELECT {', '.join(_COLUMNS)} FROM open_bill")  # noqa: S608 - as above
    found = {row[0]: tuple(row) for row in listed}
    if found != wanted:
        wrong = min(n for n in found.keys() | wanted.keys() if found.get(n) != wanted.get(n))
        raise StoreError(
            f"The ledger contradicts itself about bill {wrong}.",
            remedy="Keep the file as it is and have it looked at before selling on.",
        )
