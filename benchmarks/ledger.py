"""A stored sale enqueued, and the same bytes in plain SQLite: what the other benchmarks measure."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.shop import now
from offline_queue.events import encode
from offline_queue.journal import SqlJournal
from terminal.iso8583.messages import SaleFacts, compose_advice
from terminal.iso8583.profiles import BASE87
from terminal.ledger import Kind, Numbers, Outgoing
from terminal.money import Currency
from terminal.transaction import CardSummary, StoredOffline, Transaction

EUR = Currency.of("EUR")
CARD = CardSummary(
    token="tok_" + "a" * 32,
    masked_pan="•••• 0010",
    scheme="Visa",
    aid="A0000000031010",
    label="VISA CREDIT",
    fingerprint="f" * 32,
    fingerprint_epoch=1,
)
CHIP_DATA = {0x9F26: bytes(8), 0x9F10: bytes(7), 0x9F37: bytes(4), 0x95: bytes(5), 0x82: bytes(2)}


def plain_sqlite(path: Path) -> Callable[[int, bytes, str], float]:
    """One insert into the SQLite that Python brings; how long it took, in seconds."""
    connection = sqlite3.connect(path, isolation_level=None)
    for name, value in (("journal_mode", "WAL"), ("synchronous", "FULL")):
        connection.execute(f"PRAGMA {name}={value}")
    connection.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, message BLOB, payload TEXT)")

    def insert(number: int, message: bytes, payload: str) -> float:
        started = now()
        connection.execute("INSERT INTO message VALUES (?, ?, ?)", (number, message, payload))
        return now() - started

    return insert


@dataclass(frozen=True, slots=True)
class Enqueued:
    """One stored sale was enqueued: how long it took, in seconds, and the bytes, for the peers.

    ``composing_s``, a part of ``took_s``, went into making the message. The peers are handed it.
    """

    took_s: float
    composing_s: float
    message: bytes
    payload: str


def enqueued(journal: SqlJournal, sale: Transaction) -> Enqueued:
    """Enqueues one stored sale."""
    at = datetime.now(UTC).replace(microsecond=0)
    made: list[tuple[StoredOffline, Outgoing]] = []
    composing_s = 0.0

    def compose(numbers: Numbers) -> tuple[StoredOffline, Outgoing]:
        nonlocal composing_s
        begun = now()
        facts = SaleFacts(
            amount=sale.amount,
            stan=numbers.stan,
            rrn=numbers.rrn,
            at=at,
            local_at=at,
            terminal_id="TAPTILL1",
            merchant_id="TAPTILLDEMO0001",
            reference=f"{sale.sequence}:{sale.txn_id}",
            chip_data=CHIP_DATA,
            envelope=bytes(250),
            batch=numbers.batch,
        )
        event = StoredOffline(at, CARD, numbers.stan, numbers.rrn, numbers.batch, "away")
        made.append((event, Outgoing(Kind.ADVICE, compose_advice(BASE87, facts))))
        composing_s = now() - begun
        return made[-1]

    started = now()
    journal.enqueue(sale.txn_id, compose)
    took_s = now() - started
    event, outgoing = made[-1]
    return Enqueued(took_s, composing_s, outgoing.message, encode(event).payload)
