"""A till's start with a million past sales in its file, and how long reading all of them takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import apsw

from benchmarks.figures import Figure
from benchmarks.shop import folder, now
from drivers.clock import SystemClock, SystemEntropy
from drivers.keystore import FileKeyStore
from offline_queue.integrity import Protection
from offline_queue.journal import SqlJournal, open_journal
from offline_queue.macs import FIRST_EPOCH, Keys
from offline_queue.outbox import item_of
from offline_queue.reports import Reports
from offline_queue.summary import HOUR_SUMS, SUMS
from offline_queue.verification import verify
from terminal.iso8583.messages import reversal_of
from terminal.iso8583.profiles import BASE87
from terminal.ledger import Kind, Numbers, Outgoing
from terminal.money import Amount, Currency
from terminal.transaction import CardSummary, HostApproved, StoredOffline

PAST_SALES = int(os.environ.get("TAPTILL_PAST_SALES", "1000000"))
WAITING = 100
START_S = 2.0
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


def start_with_the_past() -> Iterator[Figure]:
    """From nothing to ready: open, check, recover, pending total, limits."""
    with folder() as path:
        ledger, keystore = path / "ledger.db", FileKeyStore(path / "device.key")
        _fill(ledger, keystore)
        _drop_caches(ledger)
        for name in ("start, cold file", "start, warm file"):
            started = now()
            journal, _ = _open(ledger, keystore)
            pending = Reports(journal.store).pending()
            exposure = journal.exposure(EUR)
            took_s = now() - started
            if (pending.count, exposure.count) != (WAITING, WAITING):
                sys.exit(f"{pending.count} and {exposure.count} wait, and not {WAITING}")
            if journal.store.findings:
                sys.exit(f"the file does not verify: {journal.store.findings[0]}")
            journal.close()
            target = f"< {START_S:.0f} s"
            yield Figure(
                f"{name}, {PAST_SALES} past sales", f"{took_s:.2f} s", target, took_s < START_S
            )
        started = now()
        found = verify(ledger, keystore)
        if found:
            sys.exit(f"the file does not verify: {found[0]}")
        rate = 3 * PAST_SALES / (now() - started)
        yield Figure("taptill verify, every row", f"{now() - started:.0f} s ({rate:.0f} rows/s)")


def _open(ledger: Path, keystore: FileKeyStore) -> tuple[SqlJournal, object]:
    return open_journal(
        ledger,
        SystemClock(),
        SystemEntropy(),
        lambda sent: reversal_of(BASE87, sent),
        keystore=keystore,
    )


def _fill(ledger: Path, keystore: FileKeyStore) -> None:
    """One approved sale through the front door, and its rows a million times over."""
    journal, _ = _open(ledger, keystore)
    _store(journal, "sale_first")
    _answer(journal, "sale_first")
    journal.close()
    connection = apsw.Connection(str(ledger))
    connection.pragma("synchronous", 0)
    with connection:
        columns = _columns(connection, "txn")
        changed = {
            "txn_id": "printf('sale_%020d', n)",
            "sequence": "n",
            "stan": "1 + (n - 1) % 500000",
            "idempotency_key": "NULL",
            "batch": "1 + (n - 1) / 500000",
        }
        for batch in range(1, 2 + PAST_SALES // 500_000):
            connection.execute(
                "INSERT OR REPLACE INTO batch (number, opened_at, closed_at)"
                " SELECT ?, opened_at, opened_at FROM batch WHERE number = 1",
                (batch,),
            )
        listed = ", ".join(changed.get(name, f"txn.{name}") for name in columns)
        # Keys of the payload are sorted, and each of these has others behind it.
        payload = "replace(payload, 'sale_first', printf('sale_%020d', n))"
        for name in ("sequence", "stan", "batch"):
            value = "n" if name == "sequence" else changed[name]
            old, new = f"'\"{name}\":1,'", f"'\"{name}\":' || ({value}) || ','"
            payload = f"replace({payload}, {old}, {new})"
        numbers = "WITH RECURSIVE c(n) AS (VALUES (2) UNION ALL SELECT n + 1 FROM c WHERE n < ?)"
        connection.execute(
            f"{numbers} INSERT INTO txn ({', '.join(columns)})"
            f" SELECT {listed} FROM c, txn WHERE txn.txn_id = 'sale_first'",
            (PAST_SALES,),
        )
        connection.execute(
            f"{numbers} INSERT INTO event (txn_id, type, at, payload)"
            f" SELECT printf('sale_%020d', n), type, at, {payload}"
            " FROM c, event WHERE event.txn_id = 'sale_first' ORDER BY n, seq",
            (PAST_SALES,),
        )
        connection.execute("UPDATE numbers SET value = ? WHERE name = 'sequence'", (PAST_SALES,))
        for table, sums in (("summary", SUMS), ("hour_summary", HOUR_SUMS)):
            multiplied = ", ".join(f"{name} = {name} * ?1" for name in sums)
            connection.execute(f"UPDATE {table} SET {multiplied}", (PAST_SALES,))
        Protection(Keys.of(keystore, FIRST_EPOCH)).adopt(connection)
    connection.pragma("journal_mode", "DELETE")
    connection.close()
    journal, _ = _open(ledger, keystore)
    for number in range(WAITING):
        _store(journal, f"sale_waiting{number}")
    journal.close()


def _columns(connection: apsw.Connection, table: str) -> list[str]:
    found = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return [str(name) for (name,) in found if name != "mac"]


def _store(journal: SqlJournal, txn_id: str) -> None:
    at = datetime.now(UTC)
    journal.open_sale(txn_id=txn_id, amount=Amount(1250, EUR), at=at, cashier="", training=False)

    def compose(numbers: Numbers) -> tuple[StoredOffline, Outgoing]:
        event = StoredOffline(at, CARD, numbers.stan, numbers.rrn, numbers.batch, "no network")
        return event, Outgoing(Kind.ADVICE, bytes(400))

    journal.enqueue(txn_id, compose)


def _answer(journal: SqlJournal, txn_id: str) -> None:
    with journal.store.read() as connection:
        item = item_of(connection, txn_id)
    journal.commit(txn_id, HostApproved(datetime.now(UTC), "00", "A1B2C3", 1250), done=item)


def _drop_caches(ledger: Path) -> None:
    """Lets the kernel forget the file, as after a restart of the machine."""
    descriptor = os.open(ledger, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
