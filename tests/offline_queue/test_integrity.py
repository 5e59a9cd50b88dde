"""What somebody may do to the ledger's file, and that the next start, or verify, says so."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from drivers.keystore import FileKeyStore
from offline_queue.audit import Audit
from offline_queue.encoded import encode_row
from offline_queue.journal import SqlJournal, open_journal
from offline_queue.macs import PROTECTED_SINCE, UNKEYED
from offline_queue.reports import Reports
from offline_queue.schema import MIGRATIONS, Migration
from offline_queue.sql import one, rows
from offline_queue.store import Store
from offline_queue.verification import verify
from terminal.errors import StoreError, StoreSealed
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


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    device = Device(tmp_path / "till", OutsideCounter())
    trade(device.till)
    device.till.store.close()
    yield device
    device.till.store.close()


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


def test_a_sound_ledger_has_nothing_to_find(device: Device) -> None:
    assert device.findings() == []
    assert device.all_findings() == []
    seen: list[tuple[int, int]] = []
    verify(device.path, device.keystore, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0


AT_START = {
    "an amount": ("UPDATE txn SET amount_minor = 99 WHERE txn_id = 'txn-1'", "txn txn-1"),
    "a stored amount": ("UPDATE txn SET amount_minor = 99 WHERE txn_id = 'txn-3'", "txn txn-3"),
    "a state": ("UPDATE txn SET state = 'approved' WHERE txn_id = 'txn-4'", "missing"),
    "a state that is none": ("UPDATE txn SET state = 'x' WHERE txn_id = 'txn-4'", "txn txn-4"),
    "a waiting message": ("UPDATE outbox SET message = x'00' WHERE item = 4", "outbox"),
    "an attempt": ("UPDATE outbox SET attempts = 0, not_before = '9'", "outbox"),
    "a message that goes": ("DELETE FROM outbox WHERE txn_id = 'txn-4'", "missing"),
    "the last sale": (
        (
            "DELETE FROM event WHERE txn_id = 'txn-5'; DELETE FROM outbox WHERE txn_id = 'txn-5';"
            " DELETE FROM txn WHERE txn_id = 'txn-5'"
        ),
        "missing",
    ),
    "a sale in the middle": (
        "DELETE FROM event WHERE txn_id = 'txn-2'; DELETE FROM txn WHERE txn_id = 'txn-2'",
        "missing",
    ),
    "a sale and its numbers": (
        (
            "DELETE FROM event WHERE txn_id = 'txn-5'; DELETE FROM outbox WHERE txn_id = 'txn-5';"
            " DELETE FROM txn WHERE txn_id = 'txn-5'; UPDATE numbers SET value = value - 1"
        ),
        "numbers",
    ),
    "the newest event": ("DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)", "missing"),
    "an event": ("UPDATE event SET payload = '{}' WHERE seq = 3", "event 3"),
    "two events": (
        (
            "UPDATE event SET seq = -1 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 3;"
            " UPDATE event SET seq = 3 WHERE seq = -1"
        ),
        "event",
    ),
    "an event more": (
        (
            "INSERT INTO event (txn_id, type, at, payload) SELECT txn_id, type, at, payload"
            " FROM event WHERE seq = 2"
        ),
        "put in",
    ),
    "two envelopes": (
        (
            "UPDATE outbox SET message = (SELECT message FROM outbox o WHERE o.item = 5)"
            " WHERE item = 4"
        ),
        "outbox txn-4",
    ),
    "two MACs": (
        (
            "UPDATE txn SET mac = (SELECT mac FROM txn t WHERE t.txn_id = 'txn-4')"
            " WHERE txn_id = 'txn-3'"
        ),
        "txn txn-3",
    ),
    "no MAC": ("UPDATE txn SET mac = NULL WHERE txn_id = 'txn-1'", "txn txn-1"),
    "a counter": ("UPDATE numbers SET value = 0 WHERE name = 'stan'", "numbers"),
    "a batch": ("UPDATE batch SET opened_at = '2000'", "batch"),
    "the log": ("INSERT INTO audit (at, who, what, detail) VALUES ('', 'x', 'y', '{}')", "put in"),
    "the high-water row": ("UPDATE high_water SET sales = 1", "high-water"),
    "the high-water row itself": ("DELETE FROM high_water", "high-water"),
    "its table": ("DROP TABLE high_water", "high-water"),
    "a trigger": (
        "CREATE TRIGGER steal AFTER INSERT ON txn BEGIN UPDATE txn SET amount_minor = 1; END",
        "definitions",
    ),
    "a table": ("CREATE TABLE extra (x INTEGER)", "definitions"),
    "a text that is none": (
        "UPDATE txn SET reason = CAST(x'ff41' AS TEXT) WHERE txn_id = 'txn-3'",
        "txn",
    ),
}


@pytest.mark.parametrize("what", AT_START)
def test_the_next_start_seals_the_ledger(device: Device, what: str) -> None:
    statement, where = AT_START[what]
    attack(device.path, *statement.split("; ") if "TRIGGER" not in statement else [statement])
    assert any(where in finding for finding in device.findings()), device.findings()
    assert device.all_findings()


def test_a_sealed_ledger_takes_no_sale_and_can_be_read(device: Device) -> None:
    attack(device.path, "UPDATE txn SET amount_minor = 99 WHERE txn_id = 'txn-3'")
    till = device.open()
    with pytest.raises(StoreSealed, match="txn txn-3") as caught:
        till.intend()
    assert "No sale was taken" in caught.value.message
    assert "call your service" in caught.value.remedy
    with pytest.raises(StoreSealed):
        till.freeze()
    assert Reports(till.store).pending().count == 3
    assert len(Reports(till.store).transactions()) == 5
    till.store.close()
    with Store.read_only(device.path) as reading:
        assert Reports(reading).pending().count == 3


def test_that_it_was_sealed_is_in_the_log_once_the_file_is_sound_again(
    device: Device, tmp_path: Path
) -> None:
    sound = tmp_path / "sound"
    shutil.copy(device.path, sound)
    attack(device.path, "UPDATE txn SET amount_minor = 99 WHERE txn_id = 'txn-3'")
    assert device.findings()
    note = device.path.with_name("ledger.db.sealed")
    assert "txn txn-3" in json.loads(note.read_text().splitlines()[0])["found"][0]
    shutil.copy(sound, device.path)
    till = device.open()
    assert not note.exists()
    (entry,) = Audit(till.store).entries()
    assert (entry.who, entry.what) == ("till", "the ledger was sealed before")
    assert "txn txn-3" in str(entry.detail["told"])
    till.store.close()
    assert device.findings() == []


def test_another_device_does_not_open_it(device: Device, tmp_path: Path) -> None:
    for stranger in (FileKeyStore(tmp_path / "other.key"), UNKEYED):
        till = device.open(stranger)
        assert "belongs to another till" in str(till.store.findings[0])
        till.store.close()
    assert device.findings() == []


def test_an_older_copy_of_a_single_row_is_found(device: Device, tmp_path: Path) -> None:
    """A row with its own good MAC, from an hour ago: only the sum of live rows tells."""
    old = tmp_path / "old.db"
    shutil.copy(device.path, old)
    till = device.open()
    till.store_sale()
    till.store.close()
    for table in ("numbers", "high_water"):
        copy = tmp_path / f"{table}.db"
        shutil.copy(device.path, copy)
        connection = apsw.Connection(str(copy))
        connection.execute("ATTACH ? AS old", (str(old),))
        connection.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM old.{table}")
        connection.close()
        found = verify(copy, device.keystore)
        assert found, table
    assert device.all_findings() == []


def test_an_older_copy_of_the_whole_file_is_found_by_the_counter_alone(
    device: Device, tmp_path: Path
) -> None:
    old = tmp_path / "old.db"
    shutil.copy(device.path, old)
    till = device.open()
    till.store_sale()
    till.store.close()
    assert device.findings() == []
    shutil.copy(old, device.path)
    assert any("older copy of the whole file" in finding for finding in device.findings())
    device.counter = None
    assert device.findings() == [], "documented: without a counter nothing tells"


def test_a_cut_between_commit_and_counter_is_no_roll_back(device: Device) -> None:
    till = device.open()
    assert device.counter is not None

    def pulled_plug(value: int) -> None:
        raise KeyboardInterrupt

    device.counter.raise_to = pulled_plug  # type: ignore[method-assign]  # the plug
    with pytest.raises(KeyboardInterrupt):
        till.store_sale()
    del device.counter.raise_to
    till.store.close()
    before = device.counter.at
    assert device.findings() == []
    assert device.counter.at == before + 1
    device.counter.at = 0
    assert any("was set back" in finding for finding in device.findings())


def test_every_column_of_every_row_is_covered(device: Device, tmp_path: Path) -> None:
    connection = apsw.Connection(str(device.path))
    names = [
        name
        for (name,) in rows(
            connection,
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
    ]
    columns = {
        name: rows(connection, "SELECT name, type FROM pragma_table_info(?)", (name,))
        for name in names
    }
    filled = {name: one(connection, f"SELECT count(*) FROM {name}") for name in names}
    connection.close()
    tried = 0
    for name in names:
        for column, kind in columns[name]:
            for row in sorted({0, filled[name] - 1} & set(range(filled[name]))):
                copy = tmp_path / "copy.db"
                shutil.copy(device.path, copy)
                change = {
                    "INTEGER": f"coalesce({column}, 0) + 1000",
                    "TEXT": f"coalesce({column}, '') || 'x'",
                    "BLOB": f"coalesce({column}, x'') || x'00'",
                }[kind]
                try:
                    _change(copy, name, column, change, row)
                except apsw.ConstraintError:
                    continue  # The schema itself does not let this value in.
                assert verify(copy, device.keystore), f"{name}.{column} of row {row}"
                tried += 1
    assert tried > 100


def _change(path: Path, table: str, column: str, change: str, row: int) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("ignore_check_constraints", 1)
    triggers = rows(connection, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    keys = [
        key
        for (key,) in rows(
            connection, "SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,)
        )
    ]
    (picked,) = rows(
        connection,
        f"SELECT {', '.join(keys)} FROM {table} ORDER BY {', '.join(keys)} LIMIT 1 OFFSET {row}",
    )
    where = " AND ".join(f"{key} = ?" for key in keys)
    try:
        connection.execute(f"UPDATE {table} SET {column} = {change} WHERE {where}", picked)
        assert connection.changes() == 1
    finally:
        for _, sql in triggers:
            connection.execute(sql)
        connection.close()


def test_a_flipped_byte_is_found_or_changes_no_row(device: Device, tmp_path: Path) -> None:
    content = device.path.read_bytes()
    truth = _dump(device.path)
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    found = 0
    for _ in range(150):
        place = chance.randrange(len(content))
        copy = tmp_path / "copy.db"
        copy.write_bytes(
            content[:place]
            + bytes([content[place] ^ 1 << chance.randrange(8)])
            + content[place + 1 :]
        )
        if verify(copy, device.keystore):
            found += 1
        else:
            assert _dump(copy) == truth, f"byte {place}, seed {seed}"
    assert found > 10


def _dump(path: Path) -> list[list[object]]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    tables = rows(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    dumped = [rows(connection, f"SELECT * FROM {name}") for (name,) in tables]
    connection.close()
    return dumped


@pytest.mark.parametrize("version", range(1, PROTECTED_SINCE))
def test_an_older_ledger_with_a_full_queue_gets_its_macs(tmp_path: Path, version: int) -> None:
    """Sales of today in a file that is then carried back: only the new columns are missing."""
    device = Device(tmp_path / "till")
    trade(device.till)
    device.till.store.close()
    old = tmp_path / "old.db"
    with Store.open(old, at=START, migrations=MIGRATIONS[:version]) as store:
        store.close()
    _carry(device.path, old)
    shutil.copy(old, device.path)
    # As on a till that has not been updated yet.
    for beside in ("-wal", "-shm", ".lock"):
        device.path.with_name(device.path.name + beside).unlink(missing_ok=True)
    till = device.open()
    assert till.store.findings == ()
    assert Reports(till.store).pending().count == 3
    till.store_sale()
    till.store.close()
    assert device.findings() == []
    assert device.all_findings() == []


def _carry(source: Path, target: Path) -> None:
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


LATER = Migration(
    MIGRATIONS[-1].version + 1,
    "a column and a table of tomorrow",
    (
        "ALTER TABLE txn ADD COLUMN mark TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE visit (day TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT",
        "INSERT INTO visit VALUES ('today', 1)",
    ),
)


def test_what_a_later_migration_adds_is_covered_by_itself(device: Device) -> None:
    with Store.open(
        device.path,
        at=START,
        migrations=(*MIGRATIONS, LATER),
        keystore=device.keystore,
        counter=device.counter,
    ) as store:
        assert store.findings == ()
        with store.write() as connection:
            connection.execute("UPDATE visit SET count = 2")
    assert device.all_findings() == []
    for statement in ("UPDATE visit SET count = 3", "UPDATE txn SET mark = 'x'"):
        attack(device.path, statement)
        assert device.all_findings()


def test_an_update_does_not_give_altered_rows_new_macs(device: Device) -> None:
    attack(device.path, "UPDATE txn SET amount_minor = 99 WHERE txn_id = 'txn-1'")
    with Store.open(
        device.path, at=START, migrations=(*MIGRATIONS, LATER), keystore=device.keystore
    ) as store:
        assert "txn txn-1" in str(store.findings[0])
        with pytest.raises(StoreSealed), store.write():
            pass
    assert any("txn txn-1" in finding for finding in device.findings())


def test_a_new_key_for_every_row_is_one_sql_transaction(device: Device) -> None:
    till = device.open()
    assert till.store.rotate_keys(START) == 2
    till.store_sale()
    assert till.store.rotate_keys(START) == 3
    till.store.close()
    assert device.findings() == []
    assert device.all_findings() == []
    connection = apsw.Connection(str(device.path))
    assert one(connection, "SELECT epoch FROM high_water") == 3
    connection.close()


def test_a_rotation_that_is_cut_off_leaves_the_old_key_whole(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    from offline_queue.integrity import Protection  # noqa: PLC0415 - the one to cut off

    whole = Protection._set
    for cut in range(1, 14):
        till = device.open()
        left = cut

        def cut_off(self: Protection, *arguments: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            whole(self, *arguments)  # type: ignore[arg-type]  # handed on as they came

        monkeypatch.setattr(Protection, "_set", cut_off)
        with pytest.raises(KeyboardInterrupt):
            till.store.rotate_keys(START)
        monkeypatch.setattr(Protection, "_set", whole)
        till.store_sale()
        till.store.close()
        assert device.findings() == []
        assert device.all_findings() == []


def test_altered_rows_are_not_given_a_new_key(device: Device) -> None:
    attack(device.path, "UPDATE txn SET amount_minor = 99 WHERE txn_id = 'txn-1'")
    till = device.open()
    with pytest.raises(StoreSealed):
        till.store.rotate_keys(START)
    till.store.close()


def test_a_write_that_fails_leaves_the_macs_as_they_were(device: Device) -> None:
    till = device.open()
    for _ in range(3):
        with pytest.raises(StoreError):
            _break_off(till.store)
    till.store_sale()
    till.store.close()
    assert device.all_findings() == []


def _break_off(store: Store) -> None:
    with store.write() as connection:
        connection.execute("UPDATE numbers SET value = value + 7")
        connection.execute("DELETE FROM outbox WHERE txn_id = 'txn-4'")
        raise StoreError("the plug")


def test_the_till_at_idle_reads_everything_in_time(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offline_queue.verification.SWEEP_ROWS", 3)
    till = device.open()
    rounds = 0
    while not till.store.check_some():
        rounds += 1
        if rounds % 5 == 0:
            till.store_sale()
    assert rounds > 8
    assert till.store.findings == ()
    with till.store.read() as connection:
        # Through the till's own connection, past the guard: as a program bug might.
        rowid = one(connection, "SELECT rowid FROM txn WHERE txn_id = 'txn-1'")
    attack(device.path, f"UPDATE txn SET reason = 'x' WHERE rowid = {rowid}")
    while not till.store.findings:
        till.store.check_some()
    assert "txn txn-1" in str(till.store.findings[0])
    with pytest.raises(StoreSealed):
        till.intend()


def test_no_two_rows_have_one_encoding() -> None:
    different: list[list[object]] = [
        ["a", "b"],
        ["ab", ""],
        ["", "ab"],
        [b"a", "b"],
        [1, 2],
        ["1", "2"],
        [12],
        ["1", None],
        ["1", ""],
        [1.0, 2],
        ["a", "b", None],
    ]
    assert len({encode_row(values) for values in different}) == len(different)
    with pytest.raises(AssertionError):
        encode_row([object()])


def test_a_journal_of_a_sealed_ledger_recovers_nothing(device: Device) -> None:
    attack(device.path, "UPDATE txn SET amount_minor = 99 WHERE txn_id = 'txn-3'")
    before = _dump(device.path)
    device.findings()
    with Store.open(device.path, at=START, keystore=device.keystore) as store:
        SqlJournal(store, device.clock, device.entropy, acquirer="another")
    assert _dump(device.path) == before


def test_a_ledger_that_is_gone_is_no_new_ledger(device: Device) -> None:
    content = device.path.read_bytes()
    device.path.unlink()
    for _ in range(2):
        with pytest.raises(StoreError, match="is gone") as caught:
            device.open()
        assert "ledger.db.lock" in caught.value.remedy
        assert not device.path.exists()
    device.path.write_bytes(content)
    assert device.findings() == []


def test_a_file_from_before_the_macs_does_not_come_in_by_an_update(
    device: Device, tmp_path: Path
) -> None:
    """The way to launder altered rows: let an update give them new MACs."""
    old = tmp_path / "old.db"
    Store.open(old, at=START, migrations=MIGRATIONS[: PROTECTED_SINCE - 1]).close()
    _carry(device.path, old)
    shutil.copy(old, device.path)
    assert any("from before its rows had MACs" in finding for finding in device.findings())
    empty = Path(device.path)
    empty.write_bytes(b"")
    assert device.findings()
