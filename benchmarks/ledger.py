"""A durable enqueue beside plain SQLite: the same bytes, the same disk, the same run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import apsw

from benchmarks.figures import Figure, ratio, times
from benchmarks.shop import folder, now
from drivers.clock import SystemClock, SystemEntropy
from offline_queue.events import encode
from offline_queue.journal import SqlJournal, open_journal
from terminal.iso8583.messages import SaleFacts, compose_sale, reversal_of
from terminal.iso8583.profiles import BASE87
from terminal.ledger import Kind, Numbers, Outgoing
from terminal.money import Amount, Currency
from terminal.transaction import AuthorisationSent, CardSummary, HostApproved, Transaction

SALES = 400
WARM_UP = 40
ENQUEUE_RATIO = 0.5
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


def durable_enqueue() -> Iterator[Figure]:
    """The one commit before bytes leave, against one insert of the same bytes, in turns."""
    with folder() as path:
        journal, _ = open_journal(
            path / "ledger.db",
            SystemClock(),
            SystemEntropy(),
            lambda sent: reversal_of(BASE87, sent),
        )
        plain = _plain(path / "plain.db")
        ours, peer = [], []
        for number in range(WARM_UP + SALES):
            sale = journal.open_sale(
                txn_id=f"sale_{number:020x}",
                amount=Amount(1250, EUR),
                at=datetime.now(UTC),
                cashier="",
                training=False,
            )
            took_s, message, payload = _enqueue(journal, sale)
            started = now()
            plain.execute("INSERT INTO message VALUES (?, ?, ?)", (number, message, payload))
            plain_s = now() - started
            if number >= WARM_UP:
                ours.append(took_s)
                peer.append(plain_s)
        journal.close()
        plain.close()
    yield times("durable enqueue", ours)
    yield times("plain insert, WAL and FULL", peer)
    yield ratio("enqueue rate against plain inserts", ours, peer, at_least=ENQUEUE_RATIO)


def _plain(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    for name, value in (("journal_mode", "WAL"), ("synchronous", "FULL")):
        connection.pragma(name, value)
    connection.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, message BLOB, payload TEXT)")
    return connection


def _enqueue(journal: SqlJournal, sale: Transaction) -> tuple[float, bytes, str]:
    """One enqueue: its time, and the bytes it wrote, for the peer. The answer is not timed."""
    at = datetime.now(UTC).replace(microsecond=0)
    made: list[tuple[AuthorisationSent, Outgoing]] = []

    def compose(numbers: Numbers) -> tuple[AuthorisationSent, Outgoing]:
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
        event = AuthorisationSent(at, CARD, numbers.stan, numbers.rrn, numbers.batch)
        made.append((event, Outgoing(Kind.SALE, compose_sale(BASE87, facts))))
        return made[-1]

    started = now()
    _, item = journal.enqueue(sale.txn_id, compose)
    took_s = now() - started
    approved = HostApproved(datetime.now(UTC), "00", "A1B2C3", sale.amount.minor)
    journal.commit(sale.txn_id, approved, done=item)
    event, outgoing = made[-1]
    return took_s, outgoing.message, encode(event).payload
