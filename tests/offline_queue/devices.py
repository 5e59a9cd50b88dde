"""A till with a device key, and what somebody does to its file from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import apsw

from drivers.keystore import FileKeyStore
from offline_queue.journal import open_journal
from offline_queue.sql import rows
from offline_queue.verification import check_all, verify
from terminal.ports import KeyStore
from terminal.transaction import HostApproved, HostDeclined
from tests.offline_queue.sales import START, CountingEntropy, HandClock, Till, reversal_of


@dataclass
class OutsideCounter:
    """A counter that is not in the file."""

    at: int = 0

    def value(self) -> int:
        return self.at

    def raise_to(self, value: int) -> None:
        assert value - self.at in {0, 1}
        self.at = value


class Device:
    """A till with a device key, whose file can be looked at from outside."""

    def __init__(self, folder: Path, counter: OutsideCounter | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "ledger.db"
        self.keystore: KeyStore = FileKeyStore(folder / "device.key")
        self.counter = counter
        self.clock, self.entropy = HandClock(), CountingEntropy()
        self.opened = 0
        self.till = self.open()

    def open(self, keystore: KeyStore | None = None) -> Till:
        journal, _ = open_journal(
            self.path,
            self.clock,
            self.entropy,
            reversal_of,
            keystore=keystore or self.keystore,
            counter=self.counter,
        )
        self.till = Till.of(self.path, journal, f"{'again-' * self.opened}txn-")
        self.till.entropy = self.entropy
        self.opened += 1
        return self.till

    def findings(self) -> list[str]:
        """What a start finds."""
        till = self.open()
        found = [str(finding) for finding in till.store.findings]
        till.store.close()
        return found

    def all_findings(self) -> list[str]:
        return [str(f) for f in verify(self.path, self.keystore, counter=self.counter)]


def trade(till: Till, stored: int = 3) -> None:
    """An approved, a declined and some stored sales."""
    for end in (
        HostApproved(START, "00", "A1B2C3", 1250),
        HostDeclined(START, "05", "The card's bank declined."),
    ):
        sale, item = till.ask()
        till.journal.commit(sale.txn_id, end, done=item)
    for _ in range(stored):
        till.store_sale()


def attack(path: Path, *statements: str) -> None:
    """Changes the file with SQL, around the triggers, and leaves the schema as it was."""
    connection = apsw.Connection(str(path))
    triggers = rows(connection, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
    with connection:
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)
    connection.close()


def dump(path: Path) -> list[list[object]]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    tables = rows(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    dumped = [rows(connection, f"SELECT * FROM {name}") for (name,) in tables]
    connection.close()
    return dumped


def carry(source: Path, target: Path) -> None:
    connection = apsw.Connection(str(target))
    connection.execute("ATTACH ? AS new", (str(source),))
    for table in ("batch", "numbers", "txn", "event", "outbox"):
        known = [
            name
            for (name,) in rows(
                connection, "SELECT name FROM pragma_table_info(?, 'main')", (table,)
            )
            if name not in {"mac", "link"}
        ]
        listed = ", ".join(known)
        connection.execute(
            f"INSERT OR REPLACE INTO main.{table} ({listed}) SELECT {listed} FROM new.{table}"
        )
    connection.close()


def in_memory(content: bytes) -> apsw.Connection:
    """A ledger's file as a database in memory, where changing it costs no sync."""
    connection = apsw.Connection(":memory:")
    # A database in memory has no log beside it; bytes 18 and 19 of the file say whether it has.
    connection.deserialize("main", content[:18] + b"\x01\x01" + content[20:])
    return connection


def findings_in(connection: apsw.Connection, keystore: KeyStore) -> list[str]:
    """As ``verify``, for a database that is open."""
    try:
        return [str(finding) for finding in check_all(connection, keystore).findings]
    except (apsw.Error, UnicodeDecodeError) as cause:
        return [f"the file is damaged: {cause}"]
