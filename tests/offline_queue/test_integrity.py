"""What somebody may do to the ledger's file, and that the next start, or verify, says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import apsw
import pytest

from drivers.keystore import FileKeyStore
from offline_queue.audit import Audit
from offline_queue.journal import SqlJournal
from offline_queue.macs import PROTECTED_SINCE, UNKEYED
from offline_queue.reports import Reports
from offline_queue.schema import MIGRATIONS
from offline_queue.store import Store
from offline_queue.verification import verify
from terminal.errors import StoreError, StoreSealed
from tests.offline_queue.devices import Device, attack, carry, dump
from tests.offline_queue.sales import START


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
    "a waiting message": ("UPDATE outbox SET message = x'00' WHERE txn_id = 'txn-4'", "outbox"),
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
            "UPDATE outbox SET message = (SELECT message FROM outbox o WHERE o.txn_id = 'txn-5')"
            " WHERE txn_id = 'txn-4'"
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


def test_a_journal_of_a_sealed_ledger_recovers_nothing(device: Device) -> None:
    attack(device.path, "UPDATE txn SET amount_minor = 99 WHERE txn_id = 'txn-3'")
    before = dump(device.path)
    device.findings()
    with Store.open(device.path, at=START, keystore=device.keystore) as store:
        SqlJournal(store, device.clock, device.entropy, acquirer="another")
    assert dump(device.path) == before


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
    carry(device.path, old)
    shutil.copy(old, device.path)
    assert any("from before its rows had MACs" in finding for finding in device.findings())
    empty = Path(device.path)
    empty.write_bytes(b"")
    assert device.findings()
