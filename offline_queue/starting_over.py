"""A ledger is put aside for another one that goes on with its numbers.

Rules of this file: nobody else has the ledger meanwhile; the new file is whole and synced, under
another name, before the old one moves; and whatever cuts this off, the same call ends it. Nothing
is ever deleted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw

from offline_queue import audit, ownership
from offline_queue.macs import quoted
from offline_queue.numbers import counters, go_on
from offline_queue.schema import sync_path
from offline_queue.sql import rows
from offline_queue.store import Store, is_missing
from terminal.errors import StoreError
from terminal.ports import KeyStore, RollbackCounter

_UNTIL = "ledger-until-"
_KEPT = ("staff", "pin_failures", "mark", "item")
"""What is no sale goes on in the new ledger: people and their lock-outs, the versions of keys and
the latest time that were seen, and what the shop sells.
"""


@dataclass(frozen=True, slots=True)
class _HeldBack:
    """The device's counter, as it stands: the new file binds to it, and raises it when it is used.

    Raised before, it would make the old file, still in its place, look like a copy put back.
    """

    real: RollbackCounter

    def value(self) -> int:
        """See ``RollbackCounter``."""
        return self.real.value()

    def raise_to(self, number: int) -> None:
        """See the class."""


def was_cut_off(path: Path) -> bool:
    """Whether an earlier call moved the ledger at ``path`` away, and put no other there."""
    return is_missing(path) and not is_missing(ownership.prepared(path))


def put_aside(
    path: Path,
    at: datetime,
    *,
    keystore: KeyStore,
    counter: RollbackCounter | None,
    require: Callable[[Store], None],
    who: str = "",
) -> Path:
    """Puts the ledger aside and begins another; the folder that has the old one.

    ``require`` looks at the ledger once nobody can change it any more, and raises where it must
    stay.

    Raises:
        StoreBusy: another process has it open.
        StoreError: what ``require`` raises, or the folder cannot be written.
    """
    lock = ownership.own(path)
    try:
        if not was_cut_off(path):
            with Store.read_only(path) as old:
                require(old)
                _prepare(old, at, keystore, counter, who)
            aside = _new_folder(path.parent / f"{_UNTIL}{at:%Y%m%dT%H%M%SZ}")
        else:
            aside = max(path.parent.glob(f"{_UNTIL}*"))
        return _swapped(path, aside)
    except OSError as cause:
        raise StoreError(
            f"The ledger {path} could not be put aside ({cause.strerror}).",
            remedy="Make room, or let the till's user write its folder; then say it again.",
        ) from cause
    finally:
        os.close(lock)


def _prepare(
    old: Store, at: datetime, keystore: KeyStore, counter: RollbackCounter | None, who: str
) -> None:
    """The new ledger, whole, beside the old one."""
    fresh = ownership.prepared(old.path)
    # What an earlier call has left here was never used.
    shutil.rmtree(fresh.parent, ignore_errors=True)
    fresh.parent.mkdir(mode=0o700)
    held_back = _HeldBack(counter) if counter is not None else None
    with Store.open(fresh, at=at, keystore=keystore, counter=held_back) as new:
        with old.read() as source, new.write() as target:
            go_on(target, counters(source), at)
            for table in _KEPT:
                _copy(source, target, table)
            audit.note(target, at, who or "till", "ledger put aside", {"until": f"{at:%FT%TZ}"})
        new.truncate_log()


def _copy(source: apsw.Connection, target: apsw.Connection, table: str) -> None:
    """The rows of a table; their MACs are made anew, as for every row that is written."""
    columns = [
        str(name)
        for (name,) in rows(source, "SELECT name FROM pragma_table_info(?)", (table,))
        if name != "mac"
    ]
    listed = ", ".join(map(quoted, columns))
    # The names are those of the schema.
    found = rows(source, f"SELECT {listed} FROM {quoted(table)}")  # noqa: S608 - see above
    places = ", ".join("?" * len(columns))
    target.executemany(
        f"INSERT OR REPLACE INTO {quoted(table)} ({listed}) VALUES ({places})",  # noqa: S608 - see above
        found,
    )


def _new_folder(path: Path) -> Path:
    folder, number = path, 1
    while folder.exists():
        number += 1
        folder = path.with_name(f"{path.name}-{number}")
    folder.mkdir(mode=0o700)
    return folder


def _swapped(path: Path, aside: Path) -> Path:
    """Moves the old file and what belongs to it away, and the new one into its place."""
    beside = [each for each in path.parent.glob(f"{path.name}*") if each.suffix != ".lock"]
    # The file itself first: from then on it is known that this has to be ended.
    for each in sorted(beside):
        each.rename(aside / each.name)
    _sync(path.parent, aside)
    fresh = ownership.prepared(path)
    fresh.rename(path)
    _sync(path.parent, fresh.parent)
    shutil.rmtree(fresh.parent, ignore_errors=True)
    return aside


def _sync(*folders: Path) -> None:
    for folder in folders:
        sync_path(folder, os.O_RDONLY | os.O_DIRECTORY)
