"""Disks that are full, read-only or failing, and files that are no ledger."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from offline_queue.journal import SqlJournal
from offline_queue.store import Store
from terminal.errors import StoreError, StoreFull
from terminal.transaction import State
from tests.offline_queue.sales import OPEN_AND_TELL, START, Till

ROOT = Path(__file__).resolve().parents[2]


def as_nobody(code: str, argument: str) -> str:
    """What Python prints as a user who owns nothing: root may write even where nobody may."""
    drop = """
import os
from offline_queue.store import Store
from tests.offline_queue.sales import OPEN_AND_TELL, START
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


def raw(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path))


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
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)],
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
        assert len(stored) > 5
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
        (small_disk / "ballast").write_bytes(bytes(3 << 20))
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
