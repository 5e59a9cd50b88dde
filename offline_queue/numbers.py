"""The numbers of sales: sequence, STAN, RRN, batch and idempotency key, minted on the disk.

Rules of this file: a number is taken inside the SQL transaction that uses it, by the journal
alone, and none is ever given twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import apsw

from offline_queue.events import write_time
from offline_queue.sql import one, rows
from terminal.errors import StoreError
from terminal.ledger import Numbers
from terminal.ports import Entropy

STAN_MAX = 999_999

_OPEN_BATCH = (
    "SELECT number, EXISTS (SELECT 1 FROM txn WHERE batch = number AND stan = ?)"
    " FROM batch WHERE closed_at IS NULL"
)


def next_number(connection: apsw.Connection, name: str) -> int:
    """The next number of a counter."""
    statement = "UPDATE numbers SET value = value + 1 WHERE name = ? RETURNING value"
    return int(one(connection, statement, (name,)))


def mint(connection: apsw.Connection, now: datetime, entropy: Entropy) -> Numbers:
    """The numbers of one sale.

    The RRN is ``YDDDhh`` (the year's last digit, day of the year and hour, in UTC) and the STAN.
    """
    stan = (next_number(connection, "stan") - 1) % STAN_MAX + 1
    ((batch, used),) = rows(connection, _OPEN_BATCH, (stan,))
    if used:
        raise StoreError(
            f"Batch {batch} has used every trace number from 1 to {STAN_MAX}.",
            remedy="Close the batch: the end-of-day report Z does it.",
        )
    rrn = f"{now.year % 10}{now.timetuple().tm_yday:03d}{now.hour:02d}{stan:06d}"
    return Numbers(stan=stan, rrn=rrn, batch=batch, key=entropy.random_bytes(16).hex())


def ensure_batch(connection: apsw.Connection, now: datetime) -> None:
    """Opens a batch where none is open."""
    connection.execute(
        "INSERT INTO batch (number, opened_at)"
        " SELECT coalesce(max(number), 0) + 1, ? FROM batch"
        " HAVING count(*) FILTER (WHERE closed_at IS NULL) = 0",
        (write_time(now),),
    )


_GOING_ON = ("sequence", "stan", "bill")
BEFORE = "sequence_before"
"""The number of the last sale of the ledger before this one; not there in a till's first."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Where the numbers stand that people and the acquirer see: none may ever be given again.

    ``last`` has the last number of each counter.
    """

    last: Mapping[str, int]
    batch: int


def counters(connection: apsw.Connection) -> Counters:
    """Where the numbers stand."""
    last = {
        str(name): int(value)
        for name, value in rows(connection, "SELECT name, value FROM numbers")
        if name in _GOING_ON
    }
    return Counters(last, int(one(connection, "SELECT max(number) FROM batch")))


def go_on(connection: apsw.Connection, old: Counters, now: datetime) -> None:
    """Lets an empty ledger go on where the one before it ended."""
    for name, value in {**old.last, BEFORE: old.last["sequence"]}.items():
        connection.execute(
            "INSERT OR REPLACE INTO numbers (name, value) VALUES (?, ?)", (name, value)
        )
    connection.execute(
        "INSERT INTO batch (number, opened_at) VALUES (?, ?)", (old.batch + 1, write_time(now))
    )
