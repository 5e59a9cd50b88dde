"""The one SQLite file: who may open it, how durable it is, and what its failures are called.

Rules of this file: one process writes, through one connection behind one lock; other processes
read. Every setting that durability rests on is read back at every open. No SQLite error leaves
under its own name, and no failure makes the till start over with an empty file.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

import apsw

from offline_queue import projection, schema
from offline_queue.schema import MIGRATIONS, Migration
from offline_queue.sql import rows
from terminal.errors import StoreBusy, StoreError, StoreFull

RESERVE_BYTES = 4 * 1024 * 1024
"""What has to be free on the disk before a card is read: room for the sale and its answer."""

_BUSY_TIMEOUT_MS = 5000
_READ_SETTINGS: dict[str, tuple[str | int, str | int]] = {
    "trusted_schema": ("OFF", 0),
    "cell_size_check": ("ON", 1),
    "busy_timeout": (_BUSY_TIMEOUT_MS, _BUSY_TIMEOUT_MS),
}
_WRITE_SETTINGS: dict[str, tuple[str | int, str | int]] = {
    **_READ_SETTINGS,
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "secure_delete": ("ON", 1),
    "foreign_keys": ("ON", 1),
    # INSERT OR REPLACE fires the triggers that keep events only with this.
    "recursive_triggers": ("ON", 1),
}


class Store:
    """An open ledger file. Made by ``open`` in the till and by ``read_only`` everywhere else."""

    def __init__(self, path: Path, connection: apsw.Connection, *, lock: int | None) -> None:
        self.path = path
        self._connection = connection
        self._lock_file = lock
        self._guard = threading.RLock()
        self._failure = ""
        self._closed = False

    @classmethod
    def open(
        cls, path: Path, *, at: datetime, migrations: Sequence[Migration] = MIGRATIONS
    ) -> Store:
        """Opens the ledger for writing, makes it where there is none, and brings it up to date.

        Raises:
            StoreBusy: another process has it open; the message names the process id.
            StoreTooNew: a newer Taptill wrote it; nothing was changed.
            StoreFull: the disk has no room for it.
            StoreError: the file or its folder cannot be used, or is damaged.
        """
        path = path.absolute()
        lock = _own(path)
        try:
            with _named(path):
                _create(path)
                connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
                try:
                    _prepare(connection, path, at, migrations)
                except BaseException:
                    connection.close()
                    raise
        except BaseException:
            os.close(lock)
            raise
        return cls(path, connection, lock=lock)

    @classmethod
    def read_only(cls, path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> Store:
        """Opens the ledger for reports, also while the till is running.

        Raises:
            StoreTooNew: a newer Taptill wrote it.
            StoreError: there is none, or it cannot be read.
        """
        path = path.absolute()
        if is_missing(path):
            raise StoreError(
                f"There is no ledger at {path}.",
                remedy="It is made when the till first runs; check that this is its folder.",
            )
        with _named(path):
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            try:
                _set(connection, path, _READ_SETTINGS)
                schema.require_newest(connection, path, migrations[-1].version)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, lock=None)

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """One SQL transaction, synced to disk when the block ends; undone if it raises.

        Raises:
            StoreFull: the disk is full; nothing was recorded.
            StoreError: nothing was recorded.
        """
        with self._guard, _named(self.path):
            self._require_writable()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as cause:
                if isinstance(cause, apsw.IOError):
                    # What a failed sync has left on the disk is not known, and a later sync
                    # that succeeds does not tell either: only reading the file again does.
                    self._failure = str(cause)
                self._roll_back()
                raise

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """One consistent view of the ledger.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._guard, _named(self.path):
            self._require_open()
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._roll_back()

    @property
    def writable(self) -> bool:
        """Whether this process owns the ledger."""
        return self._lock_file is not None

    def free_bytes(self) -> int:
        """What is free on the disk that holds the ledger."""
        return _free_bytes(self.path)

    def truncate_log(self) -> bool:
        """Moves the write-ahead log into the file and empties it, so that erased bytes are gone.

        False when a reader still needs the log: try again later.

        Raises:
            StoreError: the disk failed.
        """
        with self._guard, _named(self.path):
            self._require_writable()
            # A report in another process may read for long, and the till must not wait for it.
            self._connection.pragma("busy_timeout", 0)
            try:
                ((busy, _, _),) = rows(self._connection, "PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                self._connection.pragma("busy_timeout", _BUSY_TIMEOUT_MS)
            return bool(busy == 0)

    def verify(self) -> int:
        """Proves the file whole and every sale equal to its events; the number of sales.

        Raises:
            StoreError: what is wrong, and about which sale.
        """
        with self.read() as connection:
            schema.check_whole(connection, self.path)
            return projection.verify(connection)

    def close(self) -> None:
        """Closes the file and lets others own it. Harmless when called twice."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._connection.close()
            if self._lock_file is not None:
                os.close(self._lock_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some failures, a full disk among them.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"The ledger {self.path} has been closed.")

    def _require_writable(self) -> None:
        self._require_open()
        if self._lock_file is None:
            raise StoreError(f"The ledger {self.path} is open for reading only.")
        if self._failure:
            raise StoreError(
                f"The disk under {self.path} has failed ({self._failure}).",
                remedy="Check the disk or card, then start the till again.",
            )


def is_missing(path: Path) -> bool:
    """Whether there is certainly no such file. One that may not be looked at may be there."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        # Opening it will say what is wrong with it.
        return False
    return False


def _prepare(
    connection: apsw.Connection, path: Path, at: datetime, migrations: Sequence[Migration]
) -> None:
    # A file that turns out not to be ours must stay as it is, its log included.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    schema.inspect(connection, path, migrations[-1].version)
    if connection.readonly("main"):
        raise _read_only(path)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    _set(connection, path, _WRITE_SETTINGS)
    schema.check_whole(connection, path)
    schema.migrate(connection, path, migrations, at, projection.verify)


def _set(
    connection: apsw.Connection, path: Path, settings: dict[str, tuple[str | int, str | int]]
) -> None:
    for name, (wanted, read_back) in settings.items():
        connection.pragma(name, wanted)
        if connection.pragma(name) != read_back:
            raise StoreError(
                f"SQLite does not accept {name}={wanted} for {path}.",
                remedy="Put the ledger on a local disk with a file system of Linux (ext4).",
            )


def _own(path: Path) -> int:
    """The descriptor that holds the lock of the one writing process, for as long as it is open."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as cause:
        raise StoreError(
            f"The folder {path.parent} of the ledger cannot be written ({cause.strerror}).",
            remedy="Make the folder, and let the till's user write it.",
        ) from cause
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    except BlockingIOError as cause:
        owner = os.pread(lock, 20, 0).decode("ascii", "replace") or "unknown"
        os.close(lock)
        raise StoreBusy(
            f"Another process of this till has {path} open (process id {owner}).",
            remedy="Use that one, or end it first.",
        ) from cause
    except OSError as cause:
        os.close(lock)
        raise _of_disk(path, cause) from cause
    return lock


def _create(path: Path) -> None:
    """An empty file for this user alone, where there is none, whose name is synced too."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as cause:
        raise _of_disk(path, cause) from cause
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Gives the failures of SQLite the names of this project."""
    try:
        yield
    except apsw.ConstraintError as cause:
        # Constraints state what our own code keeps, so no input and no disk leads here.
        raise AssertionError(f"the ledger's rules were broken: {cause}") from cause
    except apsw.FullError as cause:
        raise _full(path) from cause
    except (apsw.NotADBError, apsw.CorruptError) as cause:
        raise schema.damaged(path, str(cause)) from cause
    except (apsw.ReadOnlyError, apsw.PermissionsError) as cause:
        raise _read_only(path) from cause
    except apsw.CantOpenError as cause:
        raise StoreError(
            f"The ledger {path} cannot be opened.",
            remedy="The till's user must be able to read and write the file and its folder.",
        ) from cause
    except (apsw.BusyError, apsw.LockedError) as cause:
        raise StoreBusy(
            f"Another program holds {path} ({cause}).",
            remedy="Close whatever has the ledger's file open.",
        ) from cause
    except apsw.IOError as cause:
        if _free_bytes(path) == 0:
            raise _full(path) from cause
        raise StoreError(
            f"The disk under {path} has failed ({cause}).",
            remedy="Check the disk or card, then start the till again.",
        ) from cause
    except OSError as cause:
        # Files beside the ledger: its name, and the copy that an update of the schema keeps.
        raise _of_disk(path, cause) from cause
    except apsw.Error as cause:
        # What is left is a statement that SQLite does not understand, and we wrote it.
        raise AssertionError(f"SQLite refused a statement: {cause}") from cause


def _of_disk(path: Path, cause: OSError) -> StoreError:
    if _free_bytes(path) == 0:
        return _full(path)
    return StoreError(
        f"The ledger {path} cannot be made or kept ({cause.strerror}).",
        remedy="Let the till's user write the folder, and check the disk or card.",
    )


def _full(path: Path) -> StoreFull:
    return StoreFull(
        f"The disk that holds {path} is full.",
        remedy="Free some space. Nothing was recorded, and nothing that was is lost.",
    )


def _read_only(path: Path) -> StoreError:
    return StoreError(
        f"The ledger {path} is read-only.",
        remedy="Let the till's user write the file and its folder, and check that the disk is"
        " not mounted read-only.",
    )


def _free_bytes(path: Path) -> int:
    try:
        status = os.statvfs(path.parent)
    except OSError:
        return 1  # Unknown, and not zero, which would claim that the disk is full.
    return status.f_bavail * status.f_frsize
