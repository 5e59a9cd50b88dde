"""The ledger's side of a closing: freezing a batch, and each step of settling it.

Rules of this file: a batch is frozen, its unanswered transactions carried over and the next batch
opened in one SQL transaction. Nothing is carried that a person has not said yes to. A step is
recorded with the trace number that is minted for it, and never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import apsw

from offline_queue import projection, written
from offline_queue.day_log import add, events_of
from offline_queue.events import write_time
from offline_queue.numbers import STAN_MAX, ensure_batch, next_number
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.day_events import BatchFrozen, BatchSettled, DayEvent
from terminal.errors import StoreError
from terminal.ports import Clock
from terminal.reconciliation import Carried, Closing, closing_of
from terminal.transaction import FINAL, CarriedOver, Transaction

ADVICE = {
    "stored": "It waits for the acquirer: forward it with taptill sync, or carry it over.",
    "unknown": "Its reversal waits: forward it with taptill sync. Whether money was taken is known"
    " when the bank has answered; carry it over to close without.",
    "set aside": "The acquirer refuses its message: send it round again or ask the acquirer, and"
    " carry it over meanwhile.",
    "voiding": "Its void waits for the acquirer: forward it with taptill sync, or carry it over.",
    "authorising": "It was cut off. Start the till again, which finds out, or carry it over.",
}
"""What a person can do about a transaction that keeps a batch open."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A transaction that keeps a batch from closing, and what to do about it."""

    transaction: Transaction
    advice: str


def subject_of(batch: int) -> str:
    """Under which name the events of a closing are kept."""
    return f"batch:{batch}"


_CARRIED_INTO = """
    SELECT moved.txn_id, max(EXISTS (
        SELECT 1 FROM event AS booked
        WHERE booked.txn_id = moved.txn_id AND booked.type = 'HostApproved'
            AND booked.seq < moved.seq))
    FROM txn JOIN event AS moved ON moved.txn_id = txn.txn_id AND moved.type = 'CarriedOver'
    WHERE txn.batch = ? AND json_extract(moved.payload, '$.batch') = ?
    GROUP BY moved.txn_id
"""
"""The transactions carried over into a batch, and whether each had been approved by then."""


class Closings:
    """Closings of batches in the till's ledger."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def unanswered(self) -> list[Unanswered]:
        """What keeps the open batch from closing, oldest first, with guidance."""
        with self._store.read() as connection:
            return [
                Unanswered(sale, ADVICE.get(sale.state.value, ""))
                for sale in _waiting(connection, written.open_batch(connection))
            ]

    def freeze(self, *, by: str, carry: bool = False) -> int:
        """Ends the open batch and opens the next one; the number of the one that ended.

        With ``carry`` what has no answer yet belongs to the next batch.

        Raises:
            StoreError: transactions have no answer, and were not to be carried over; or the
                ledger cannot be written. Nothing was changed.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            batch = written.open_batch(connection)
            waiting = _waiting(connection, batch)
            if waiting and not carry:
                raise StoreError(
                    f"Batch {batch} cannot be closed: {len(waiting)} of its sales have no answer.",
                    remedy="Forward them first (taptill sync; taptill queue says why they wait),"
                    " or carry them over to the next batch.",
                )
            connection.execute(
                "UPDATE batch SET closed_at = ? WHERE number = ?", (write_time(now), batch)
            )
            ensure_batch(connection, now)
            follower = written.open_batch(connection)
            for sale in waiting:
                event = CarriedOver(now, follower)
                written.moved(connection, sale, event, sale.after(event))
            carried = tuple(sale.txn_id for sale in waiting)
            add(connection, subject_of(batch), BatchFrozen(now, batch, by, carried))
            return batch

    def unsettled(self) -> list[int]:
        """The frozen batches that the acquirer has not settled yet, oldest first."""
        with self._store.read() as connection:
            found = rows(
                connection,
                "SELECT number FROM batch JOIN day_event ON subject = 'batch:' || number"
                " AND type = 'BatchFrozen' WHERE settlement = '' ORDER BY number",
            )
        return [int(number) for (number,) in found]

    def closing(self, batch: int) -> Closing:
        """How far a closing has come."""
        with self._store.read() as connection:
            return closing_of(batch, events_of(connection, subject_of(batch)))

    def sales_of(self, batch: int) -> list[Transaction]:
        """Every transaction of a batch, oldest first."""
        with self._store.read() as connection:
            return _sales(connection, "batch = ?", (batch,))

    def sales_by_id(self, rrns: tuple[str, ...], batch: int) -> Mapping[str, Transaction]:
        """The transactions of a batch and those under these RRNs, by txn id."""
        with self._store.read() as connection:
            found = _sales(connection, "batch = ?", (batch,))
            for rrn in rrns:
                found += _sales(connection, "rrn = ?", (rrn,))
        return {sale.txn_id: sale for sale in found}

    def carried(self, batch: int) -> Carried:
        """What was carried over out of a batch, and into it."""
        with self._store.read() as connection:
            frozen = closing_of(batch, events_of(connection, subject_of(batch))).frozen
            ids = frozen.carried if frozen is not None else ()
            out = tuple(projection.load(connection, txn_id) for txn_id in ids)
            into = dict(rows(connection, _CARRIED_INTO, (batch, batch)))
        before = frozenset(txn_id for txn_id, booked in into.items() if booked)
        return Carried(out, frozenset(into), before)

    def record(self, make: Callable[[int], DayEvent]) -> DayEvent:
        """Records one step; ``make`` is given a trace number, minted for it."""
        with self._store.write() as connection:
            stan = (next_number(connection, "stan") - 1) % STAN_MAX + 1
            event = make(stan)
            add(connection, subject_of(_batch_of(event)), event)
            return event

    def settle(self, event: BatchSettled) -> None:
        """Ends a batch."""
        with self._store.write() as connection:
            add(connection, subject_of(event.batch), event)
            connection.execute(
                "UPDATE batch SET settlement = ?, settled_at = ? WHERE number = ?",
                (event.outcome, write_time(event.at), event.batch),
            )

    def settled_at(self, batch: int) -> datetime | None:
        """When a batch was settled; None where it was not."""
        settled = self.closing(batch).settled
        return settled.at if settled is not None else None


def _batch_of(event: DayEvent) -> int:
    batch = getattr(event, "batch", None)
    if not isinstance(batch, int):
        raise AssertionError(f"{type(event).__name__} is no step of a closing")
    return batch


def _waiting(connection: apsw.Connection, batch: int) -> list[Transaction]:
    return [
        sale
        for sale in _sales(connection, "batch = ? AND training = 0", (batch,))
        if sale.state not in FINAL
    ]


def _sales(
    connection: apsw.Connection, where: str, values: tuple[int | str, ...]
) -> list[Transaction]:
    # ``where`` is one of the constants above.
    found = rows(connection, f"{projection.SELECT} WHERE {where} ORDER BY sequence", values)
    return [projection.transaction_of(row) for row in found]


def sales_between(store: Store, first_day: str, last_day: str) -> list[Transaction]:
    """The transactions of these days, both included, oldest first; training is left out.

    Raises:
        StoreError: the ledger cannot be read.
    """
    with store.read() as connection:
        return _sales(connection, "day BETWEEN ? AND ? AND training = 0", (first_day, last_day))
