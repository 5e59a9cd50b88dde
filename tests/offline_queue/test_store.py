"""The ledger file: settings, owners, readers, erasure, and what verify finds."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest

from offline_queue import ownership
from offline_queue.reports import Reports
from offline_queue.schema import MIGRATIONS
from offline_queue.sql import one, rows
from offline_queue.store import Store
from terminal.errors import StoreBusy, StoreError
from terminal.transaction import HostApproved, HostDeclined, State
from tests.offline_queue.sales import OPEN_AND_TELL, START, Till

ROOT = Path(__file__).resolve().parents[2]


def sealed_messages(path: Path) -> int:
    """How often the stand-in for a sealed envelope is in the files, read as raw bytes.

    Another process reads them: closing a file in this one would drop SQLite's locks on it.
    """
    names = [name for name in (path, Path(f"{path}-wal")) if name.exists()]
    found = subprocess.run(
        ["grep", "-a", "-o", "SEALED-ENVELOPE", *map(str, names)],
        capture_output=True,
        check=False,
    )
    return len(found.stdout.splitlines())


def test_every_setting_that_durability_rests_on_is_in_force(till: Till) -> None:
    with till.store.read() as connection:
        settings = {
            name: connection.pragma(name)
            for name in (
                "journal_mode",
                "synchronous",
                "secure_delete",
                "trusted_schema",
                "cell_size_check",
                "foreign_keys",
                "recursive_triggers",
                "user_version",
                "application_id",
            )
        }
        tables = rows(connection, "SELECT name, strict FROM pragma_table_list WHERE type = 'table'")
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "user_version": MIGRATIONS[-1].version,
        "application_id": int.from_bytes(b"Tapt", "big"),
    }
    ours = {name: strict for name, strict in tables if not name.startswith("sqlite_")}
    assert set(ours.values()) == {1}
    assert {"numbers", "batch", "txn", "event", "outbox", "audit", "migration"} <= ours.keys()


def test_sqlite_is_free_of_the_wal_reset_fault() -> None:
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    assert version >= (3, 51, 3)


def test_a_setting_that_does_not_hold_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        sys.modules["offline_queue.store"].__dict__["_WRITE_SETTINGS"], "synchronous", ("FULL", 3)
    )
    with pytest.raises(StoreError, match="synchronous=FULL"):
        Store.open(tmp_path / "ledger.db", at=START)


def test_the_files_are_for_this_user_alone(till: Till) -> None:
    till.store_sale()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in till.path.parent.iterdir()}
    assert modes == dict.fromkeys(
        ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock"), 0o600
    )


def test_a_second_process_is_refused_and_told_which_one_is_first(till: Till) -> None:
    told = subprocess.run(
        [sys.executable, "-c", OPEN_AND_TELL, str(till.path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.startswith("StoreBusy")
    assert f"process id {os.getpid()}" in told
    with pytest.raises(StoreBusy):
        Store.open(till.path, at=START)
    till.store.close()
    Store.open(till.path, at=START).close()


def test_reports_read_while_the_till_writes_and_see_whole_sales(till: Till) -> None:
    till.store_sale(500)
    with Store.read_only(till.path) as reading:
        reports = Reports(reading)
        assert reports.pending().count == 1
        till.store_sale(700)
        assert reports.pending().count == 2
        assert reading.verify() == 2
        assert not reading.writable
        with pytest.raises(StoreError, match="reading only"), reading.write():
            pass
        with pytest.raises(StoreError, match="reading only"):
            reading.truncate_log()


def test_reports_read_when_no_till_runs_and_change_nothing(till: Till) -> None:
    till.store_sale(500)
    till.store.close()
    before = till.path.read_bytes()
    with Store.read_only(till.path) as reading:
        assert Reports(reading).pending().count == 1
    assert till.path.read_bytes() == before


def test_there_is_nothing_to_read_before_the_first_start(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no ledger"):
        Store.read_only(tmp_path / "ledger.db")
    assert list(tmp_path.iterdir()) == []


def test_an_erased_message_is_gone_from_every_file(till: Till) -> None:
    items = [till.store_sale() for _ in range(50)]
    assert sealed_messages(till.path) >= 50
    for number, (sale, item) in enumerate(items):
        event = (
            HostApproved(START, "00", "1", 1250)
            if number % 2
            else HostDeclined(START, "51", "no funds")
        )
        till.journal.commit(sale.txn_id, event, done=item)
    assert sealed_messages(till.path) > 0
    assert till.journal.housekeeping()
    assert sealed_messages(till.path) == 0
    kept, _ = till.store_sale()
    assert till.journal.housekeeping()
    assert sealed_messages(till.path) == 1
    assert till.journal.transaction(kept.txn_id).state is State.STORED


def test_housekeeping_does_not_wait_for_a_reader_and_succeeds_later(till: Till) -> None:
    sale, item = till.store_sale()
    with Store.read_only(till.path) as reading:
        with reading.read() as connection:
            assert one(connection, "SELECT count(*) FROM outbox") == 1
            till.journal.commit(sale.txn_id, HostApproved(START, "00", "1", 1250), done=item)
            assert not till.journal.housekeeping()
        assert till.journal.housekeeping()
    assert sealed_messages(till.path) == 0
    with till.store.read() as connection:
        assert connection.pragma("busy_timeout") == 5000


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE txn SET amount_minor = 1", "not what its events add up to"),
        ("UPDATE txn SET state = 'approved'", "not what its events add up to"),
        ("UPDATE txn SET state = 'stolen'", "unreadable"),
        ("UPDATE txn SET currency = 'QQQ'", "unreadable"),
        ("DELETE FROM outbox", "messages in the outbox"),
        ("UPDATE outbox SET kind = 'reversal'", "messages in the outbox"),
        ("UPDATE event SET type = 'Nonsense'", "no such type of event"),
        ("UPDATE event SET payload = '{}' WHERE seq = 2", "field card is missing"),
        ("DELETE FROM event WHERE seq = 1", "begins with its intent"),
        ("DELETE FROM event", "it has no events"),
        (
            "UPDATE event SET payload = json_set(payload, '$.txn_id', 'other') WHERE seq = 1",
            "another sale",
        ),
    ],
)
def test_verify_finds_what_was_edited_behind_its_back(
    till: Till, statement: str, words: str
) -> None:
    till.store_sale()
    with till.store.write() as connection:
        for name in rows(connection, "SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            connection.execute(f"DROP TRIGGER {name[0]}")
        connection.execute(statement)
    with pytest.raises(StoreError, match=words):
        till.store.verify()


def test_threads_share_the_one_writer(till: Till) -> None:
    failures: list[BaseException] = []

    def sell(thread: int) -> None:
        try:
            for number in range(25):
                name = f"{thread}-{number}"
                till.journal.open_sale(
                    txn_id=name,
                    amount=till_amount,
                    at=START,
                    cashier=str(thread),
                    training=False,
                )
                _, item = till.journal.enqueue(name, till.stored)
                till.journal.commit(name, HostApproved(START, "00", "1", 1), done=item)
                assert till.journal.transaction(name).state is State.APPROVED
        except BaseException as cause:  # noqa: BLE001  # Handed to the test's own thread.
            failures.append(cause)

    till_amount = till.intend(1).amount
    threads = [threading.Thread(target=sell, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert till.store.verify() == 201
    sales = Reports(till.store).transactions(limit=1000)
    assert sorted(sale.sequence for sale in sales) == list(range(1, 202))
    assert sorted(sale.stan for sale in sales if sale.stan) == list(range(1, 201))


def test_a_closed_ledger_says_so(till: Till) -> None:
    till.store.close()
    till.store.close()
    with pytest.raises(StoreError, match="closed"):
        till.intend()
    with pytest.raises(StoreError, match="closed"), till.store.read():
        pass


def test_a_disk_that_fails_at_the_lock_has_a_name_and_nothing_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(lock: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "ledger.db"
    with monkeypatch.context() as patch:
        patch.setattr(ownership, "remember", full)
        with pytest.raises(StoreError, match=r"ledger\.db"):
            Store.open(path, at=START)
    Store.open(path, at=START).close()
