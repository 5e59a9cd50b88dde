"""What the journal writes and reads, statement by statement, inside its SQL transactions.

Rules of this file: nothing here begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Callable

import apsw

from offline_queue import bill_rows, projection, summary
from offline_queue.events import encode
from offline_queue.numbers import next_number
from offline_queue.sql import one, rows
from offline_queue.store import Store
from terminal.errors import StoreFull
from terminal.ledger import (
    Standing,
)
from terminal.transaction import (
    Event,
    SaleIntended,
    Transaction,
)


def open_intent(connection: apsw.Connection, intend: Callable[[int], SaleIntended]) -> Transaction:
    """Records an intent under the next number, with its row."""
    event = intend(next_number(connection, "sequence"))
    sale = Transaction.begin(event)
    projection.insert(connection, sale)
    append(connection, sale.txn_id, event)
    return sale


def moved(
    connection: apsw.Connection,
    before: Transaction,
    event: Event,
    after: Transaction,
    *,
    key: str = "",
    counts: summary.Counts | None = None,
) -> None:
    """Records what happened to a transaction: its event, its row, and the bill that it pays.

    ``key`` and ``counts`` are those of ``projection.update``.
    """
    append(connection, after.txn_id, event)
    projection.update(connection, before, after, key=key, counts=counts)
    bill_rows.follow(connection, before, after)


def standing(connection: apsw.Connection, txn_id: str) -> Standing:
    """A transaction with its refunds, as it stands now."""
    found = rows(connection, f"{projection.SELECT} WHERE original = ? ORDER BY sequence", (txn_id,))
    waiting = rows(connection, "SELECT attempts FROM outbox WHERE txn_id = ?", (txn_id,))
    return Standing(
        transaction=projection.load(connection, txn_id),
        refunds=tuple(projection.transaction_of(row) for row in found),
        open_batch=open_batch(connection),
        attempts=int(waiting[0][0]) if waiting else None,
    )


def open_batch(connection: apsw.Connection) -> int:
    """The number of the open batch."""
    return int(one(connection, "SELECT number FROM batch WHERE closed_at IS NULL"))


def append(connection: apsw.Connection, txn_id: str, event: Event) -> None:
    """Adds an event to the ledger."""
    stored = encode(event)
    connection.execute(
        "INSERT INTO event (txn_id, type, at, payload) VALUES (?, ?, ?, ?)",
        (txn_id, stored.type, stored.at, stored.payload),
    )


def require_room(store: Store, reserve_bytes: int) -> None:
    """Refuses a payment for which the disk has no room.

    Raises:
        StoreFull: the reserve on the disk is gone; no card may be read.
    """
    free = store.free_bytes()
    if free < reserve_bytes:
        raise StoreFull(
            f"The disk that holds {store.path} has {free // 1024} KiB left,"
            f" and a sale needs {reserve_bytes // 1024} KiB in reserve.",
            remedy="Free some space; no card was read.",
        )
