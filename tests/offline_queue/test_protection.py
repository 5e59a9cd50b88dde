"""The MACs of a ledger's rows through updates, new keys, failures and idle hours."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from offline_queue.encoded import encode_row
from offline_queue.macs import PROTECTED_SINCE
from offline_queue.reports import Reports
from offline_queue.schema import MIGRATIONS, Migration
from offline_queue.sql import one
from offline_queue.store import Store
from terminal.errors import StoreError, StoreSealed
from tests.offline_queue.devices import Device, attack, carry, trade
from tests.offline_queue.sales import START


@pytest.mark.parametrize("version", range(1, PROTECTED_SINCE))
def test_an_older_ledger_with_a_full_queue_gets_its_macs(tmp_path: Path, version: int) -> None:
    """Sales of today in a file that is then carried back: only the new columns are missing."""
    device = Device(tmp_path / "till")
    trade(device.till)
    device.till.store.close()
    old = tmp_path / "old.db"
    with Store.open(old, at=START, migrations=MIGRATIONS[:version]) as store:
        store.close()
    carry(device.path, old)
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
