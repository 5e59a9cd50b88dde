"""Schemas, old and new: every sale survives an update, or the old file does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from offline_queue.schema import MIGRATIONS, Migration
from offline_queue.sql import one, rows
from offline_queue.store import Store
from terminal.errors import StoreError, StoreTooNew
from tests.offline_queue.sales import START, Till


def raw(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path))


def test_a_ledger_of_a_newer_taptill_is_left_as_it_is(till: Till) -> None:
    till.store_sale()
    till.store.close()
    connection = raw(till.path)
    connection.pragma("user_version", 99)
    connection.close()
    before = till.path.read_bytes()
    openings: list[Callable[[], Store]] = [
        lambda: Store.open(till.path, at=START),
        lambda: Store.read_only(till.path),
    ]
    for opening in openings:
        with pytest.raises(StoreTooNew) as caught:
            opening()
        assert "version 99" in caught.value.message
        assert f"up to {MIGRATIONS[-1].version}" in caught.value.message
        assert "newer Taptill" in caught.value.remedy
    assert till.path.read_bytes() == before


NEWEST = MIGRATIONS[-1].version
SECOND = Migration(
    NEWEST + 1, "a note", ("ALTER TABLE txn ADD COLUMN remark TEXT NOT NULL DEFAULT ''",)
)
BROKEN = Migration(
    NEWEST + 2, "broken", ("CREATE TABLE extra (x INTEGER) STRICT", "SELECT no_such()")
)
HARMFUL = Migration(NEWEST + 2, "harmful", ("UPDATE txn SET amount_minor = amount_minor + 1",))


def test_a_migration_keeps_every_sale_and_removes_the_copy_when_all_is_well(till: Till) -> None:
    till.store_sale()
    till.store.close()
    with Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND)) as store:
        assert store.verify() == 1
        with store.read() as connection:
            assert connection.pragma("user_version") == NEWEST + 1
            assert rows(connection, "SELECT version, name FROM migration") == [
                *((step.version, step.name) for step in MIGRATIONS),
                (NEWEST + 1, "a note"),
            ]
            assert one(connection, "SELECT remark FROM txn") == ""
    assert sorted(path.name for path in till.path.parent.iterdir()) == [
        "ledger.db",
        "ledger.db.lock",
    ]
    with pytest.raises(StoreTooNew):
        Store.open(till.path, at=START)


@pytest.mark.parametrize("version", [step.version for step in MIGRATIONS[:-1]])
def test_every_older_ledger_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    path = tmp_path / "ledger.db"
    with Store.open(path, at=START, migrations=MIGRATIONS[:version]) as store:
        assert store.verify() == 0
    till = Till(path)
    till.store_sale()
    assert till.store.verify() == 1
    till.store.close()


def test_a_migration_that_breaks_off_leaves_the_ledger_and_its_copy(till: Till) -> None:
    till.store_sale()
    till.store.close()
    with pytest.raises(AssertionError, match="no_such"):
        Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND, BROKEN))
    connection = raw(till.path)
    assert connection.pragma("user_version") == NEWEST + 1
    assert one(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == 0
    connection.close()
    assert (till.path.parent / f"ledger.db.v{NEWEST}.kept").exists()
    with Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND)) as store:
        assert store.verify() == 1
    assert not (till.path.parent / f"ledger.db.v{NEWEST}.kept").exists()


def test_a_migration_that_changes_a_sale_is_caught_and_the_old_file_is_kept(till: Till) -> None:
    sale, _ = till.store_sale()
    till.store.close()
    kept = till.path.parent / f"ledger.db.v{NEWEST}.kept"
    for _ in range(2):
        with pytest.raises(StoreError, match="contradicts itself") as caught:
            Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND, HARMFUL))
        assert str(kept) in caught.value.remedy
    shutil.copy(kept, till.path)
    till.reopen()
    assert till.journal.transaction(sale.txn_id) == sale
    assert till.store.verify() == 1


def test_a_ledger_of_an_older_taptill_cannot_be_read_before_the_till_has_run(till: Till) -> None:
    till.store.close()
    with pytest.raises(StoreError, match="older Taptill"):
        Store.read_only(till.path, migrations=(*MIGRATIONS, SECOND))
