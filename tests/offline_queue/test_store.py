"""The ledger file: settings, owners, old and new schemas, and disks that fail."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from offline_queue.journal import SqlJournal
from offline_queue.reports import Reports
from offline_queue.schema import MIGRATIONS, Migration
from offline_queue.sql import one, rows
from offline_queue.store import Store
from terminal.errors import StoreBusy, StoreError, StoreFull, StoreTooNew
from terminal.transaction import HostApproved, HostDeclined, State
from tests.offline_queue.sales import START, Till

ROOT = Path(__file__).resolve().parents[2]


def as_nobody(code: str, argument: str) -> str:
    """What Python prints as a user who owns nothing: root may write even where nobody may."""
    drop = """
import os
from offline_queue.store import Store
from tests.offline_queue.sales import START
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""
    return subprocess.run(
        [sys.executable, "-c", drop + code, argument],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


OPEN_AND_TELL = """
import sys
from pathlib import Path
from offline_queue.store import Store
from terminal.errors import StoreError
from tests.offline_queue.sales import START
try:
    Store.open(Path(sys.argv[1]), at=START)
except StoreError as error:
    print(type(error).__name__, "|", error.message, "|", error.remedy)
"""


def raw(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path))


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
    assert ours == dict.fromkeys(("numbers", "batch", "txn", "event", "outbox", "migration"), 1)


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


def test_a_file_that_is_no_ledger_is_left_as_it_is(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_bytes(b"Dear diary, today I sold a bun.\n" * 200)
    other = tmp_path / "other.db"
    connection = raw(other)
    connection.execute("CREATE TABLE buns (name)")
    connection.close()
    folder = tmp_path / "folder.db"
    folder.mkdir()
    for path, words in ((text, "damaged"), (other, "another program"), (folder, "opened")):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(StoreError, match=words) as caught:
            Store.open(path, at=START)
        assert str(path) in caught.value.message
        assert caught.value.remedy
        assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_damaged_ledger_is_kept_and_named(till: Till) -> None:
    for _ in range(60):
        till.store_sale()
    till.store.close()
    whole = till.path.read_bytes()
    damage = {
        "a page overwritten": whole[:8192] + b"\xff" * 4096 + whole[12288:],
        "cut short": whole[: len(whole) // 2],
    }
    for name, content in damage.items():
        till.path.write_bytes(content)
        with pytest.raises(StoreError, match="damaged") as caught:
            Store.open(till.path, at=START)
        assert "Keep the file" in caught.value.remedy, name
        assert till.path.read_bytes() == content, name


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()
    with Store.open(path, at=START) as store:
        assert store.verify() == 0


def test_a_folder_that_is_not_there_or_not_ours_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing"):
        Store.open(tmp_path / "missing" / "ledger.db", at=START)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, which pytest's own are not."""
    folder = Path("/tmp") / f"taptill-test-{os.getpid()}-{threading.get_ident()}"
    folder.mkdir(mode=0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_ledger_that_may_not_be_written_is_named(open_folder: Path, what: str) -> None:
    path = open_folder / "ledger.db"
    till = Till(path)
    till.store_sale()
    till.store.close()
    if what == "folder":
        path.chmod(0o644)
        (open_folder / "ledger.db.lock").unlink()
        open_folder.chmod(0o555)
    else:
        open_folder.chmod(0o777)
        path.chmod(0o444)
        (open_folder / "ledger.db.lock").unlink()
    before = path.read_bytes()
    told = as_nobody(OPEN_AND_TELL, str(path))
    assert told.startswith("StoreError")
    assert str(open_folder) in told
    assert ("cannot be written" if what == "folder" else "read-only") in told
    assert path.read_bytes() == before


def test_no_sale_is_opened_without_the_reserve(till: Till) -> None:
    journal = SqlJournal(till.store, till.clock, till.entropy, reserve_bytes=1 << 60)
    till.journal = journal
    with pytest.raises(StoreFull, match="in reserve") as caught:
        till.intend()
    assert "no card was read" in caught.value.remedy
    assert till.store.verify() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_refuses_and_loses_nothing(small_disk: Path) -> None:
    till = Till(small_disk / "ledger.db")
    till.journal = SqlJournal(till.store, till.clock, till.entropy, reserve_bytes=0)
    stored: list[str] = []

    def sell_on() -> None:
        while True:
            stored.append(till.store_sale()[0].txn_id)

    try:
        with pytest.raises(StoreFull) as caught:
            sell_on()
        assert str(till.path) in caught.value.message
        assert len(stored) > 10
        with pytest.raises(StoreFull):
            till.store_sale()
        assert {till.journal.transaction(name).state for name in stored} == {State.STORED}
        till.reopen()
        with pytest.raises(StoreFull, match="KiB left"):
            till.intend()
    finally:
        till.store.close()


def test_a_full_disk_has_no_room_for_a_new_ledger(small_disk: Path) -> None:
    # One write that is too long leaves no byte free.
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(bytes(2 << 20))
    with pytest.raises(StoreFull):
        Store.open(small_disk / "ledger.db", at=START)


def test_a_write_that_fails_closes_the_ledger_for_writing(till: Till) -> None:
    """A failed write, unlike a full disk, says that the disk itself cannot be trusted."""
    kept, _ = till.store_sale()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (till.path.parent / "ledger.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(StoreError, match="has failed"):
            till.store_sale()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(StoreError, match="has failed"):
        till.store_sale()
    assert till.journal.transaction(kept.txn_id).state is State.STORED
    till.count = 1
    till.reopen()
    assert till.store.verify() == 1
    assert till.store_sale()[0].sequence == 2


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


SECOND = Migration(2, "a note", ("ALTER TABLE txn ADD COLUMN remark TEXT NOT NULL DEFAULT ''",))
BROKEN = Migration(3, "broken", ("CREATE TABLE extra (x INTEGER) STRICT", "SELECT no_such()"))
HARMFUL = Migration(3, "harmful", ("UPDATE txn SET amount_minor = amount_minor + 1",))


def test_a_migration_keeps_every_sale_and_removes_the_copy_when_all_is_well(till: Till) -> None:
    till.store_sale()
    till.store.close()
    with Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND)) as store:
        assert store.verify() == 1
        with store.read() as connection:
            assert connection.pragma("user_version") == 2
            assert rows(connection, "SELECT version, name FROM migration") == [
                (1, MIGRATIONS[0].name),
                (2, "a note"),
            ]
            assert one(connection, "SELECT remark FROM txn") == ""
    assert sorted(path.name for path in till.path.parent.iterdir()) == [
        "ledger.db",
        "ledger.db.lock",
    ]
    with pytest.raises(StoreTooNew):
        Store.open(till.path, at=START)


def test_a_migration_that_breaks_off_leaves_the_ledger_and_its_copy(till: Till) -> None:
    till.store_sale()
    till.store.close()
    with pytest.raises(AssertionError, match="no_such"):
        Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND, BROKEN))
    connection = raw(till.path)
    assert connection.pragma("user_version") == 2
    assert one(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == 0
    connection.close()
    assert (till.path.parent / "ledger.db.v1.kept").exists()
    with Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND)) as store:
        assert store.verify() == 1
    assert not (till.path.parent / "ledger.db.v1.kept").exists()


def test_a_migration_that_changes_a_sale_is_caught_and_the_old_file_is_kept(till: Till) -> None:
    sale, _ = till.store_sale()
    till.store.close()
    kept = till.path.parent / "ledger.db.v1.kept"
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
