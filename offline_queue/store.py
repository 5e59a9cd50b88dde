"""The one SQLite file: who may open it, how durable it is, and what its failures are called.

Rules of this file: one process writes, through one connection behind one lock; other processes
read. Every setting that durability rests on is read back at every open. No SQLite error leaves
under its own name, and no failure makes the till start over with an empty file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

import apsw

from offline_queue import bill_rows, ownership, projection, schema
from offline_queue.failures import free_bytes, named, of_disk
from offline_queue.failures import read_only as read_only_file
from offline_queue.guard import Guard
from offline_queue.macs import PROTECTED_SINCE, UNKEYED
from offline_queue.schema import MIGRATIONS, Migration
from offline_queue.sql import one, rows
from offline_queue.verification import Finding
from terminal.errors import StoreError, StoreSealed
from terminal.ports import KeyStore, RollbackCounter

RESERVE_BYTES = 4 * 1024 * 1024
"""What has to be free on the disk before a card is read: room for the sale and its answer."""

_BUSY_TIMEOUT_MS = 5000
_READ_SETTINGS: dict[str, tuple[str | int, str | int]] = {
    "trusted_schema": ("OFF", 0),
    "cell_size_check": ("ON", 1),
    "busy_timeout": (_BUSY_TIMEOUT_MS, _BUSY_TIMEOUT_MS),
    # A till has several of these open for weeks, and each would grow to 2 MiB (negative: KiB).
    "cache_size": (-512, -512),
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

    def __init__(
        self,
        path: Path,
        connection: apsw.Connection,
        *,
        lock: int | None,
        guard: Guard | None = None,
    ) -> None:
        self.path = path
        self._integrity = guard
        self._connection = connection
        self._lock_file = lock
        self._guard = threading.RLock()
        self._failure = ""
        self._closed = False
        self.commits = 0
        """How many transactions this store has committed; one that wrote nothing counts too."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        at: datetime,
        migrations: Sequence[Migration] = MIGRATIONS,
        keystore: KeyStore = UNKEYED,
        counter: RollbackCounter | None = None,
    ) -> Store:
        """Opens the ledger for writing, makes it where there is none, and brings it up to date.

        ``keystore`` has the device key that every row is MACed with; without one a published
        key is used, which shows damage and no attack. ``counter`` is the device's own, outside
        the file, where it has one. A file that is not as this till left it opens *sealed*:
        ``findings`` says why, it can be read, and ``write`` refuses.

        Raises:
            StoreBusy: another process has it open; the message names the process id.
            StoreTooNew: a newer Taptill wrote it; nothing was changed.
            StoreFull: the disk has no room for it.
            StoreError: the file or its folder cannot be used, or is damaged.
        """
        path = path.absolute()
        lock = ownership.own(path)
        known = ownership.remembers(lock)
        try:
            with named(path):
                _create(path, known=known)
                connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
                try:
                    guard = _prepare(
                        connection, path, at, migrations, keystore, counter, known=known
                    )
                    if guard is not None:
                        ownership.remember(lock)
                except BaseException:
                    connection.close()
                    raise
        except BaseException:
            os.close(lock)
            raise
        return cls(path, connection, lock=lock, guard=guard)

    @classmethod
    def read_only(cls, path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> Store:
        """Opens the ledger for reports, also while the till is running.

        Raises:
            StoreTooNew: a newer Taptill wrote it.
            StoreTooOld: an older one did.
            StoreError: there is none, or it cannot be read.
        """
        path = path.absolute()
        if is_missing(path):
            raise StoreError(
                f"There is no ledger at {path}.",
                remedy="It is made when the till first runs; check that this is its folder.",
            )
        with named(path):
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

        The rows that it changes get their MACs before it ends.

        Raises:
            StoreSealed: the file is not as this till left it.
            StoreFull: the disk is full; nothing was recorded.
            StoreError: nothing was recorded.
        """
        with self._guard, named(self.path):
            self._require_writable()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                if self._integrity is not None:
                    self._integrity.seal(self._connection)
                self._connection.execute("COMMIT")
            except BaseException as cause:
                if isinstance(cause, apsw.IOError):
                    # What a failed sync has left on the disk is not known, and a later sync
                    # that succeeds does not tell either: only reading the file again does.
                    self._failure = str(cause)
                self._roll_back()
                if self._integrity is not None:
                    self._integrity.take_back(self._connection)
                raise
            self.commits += 1
            if self._integrity is not None:
                self._integrity.keep()

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """One consistent view of the ledger.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._guard, named(self.path):
            self._require_open()
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._roll_back()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is not as this till left it: empty for a ledger that may be written."""
        return self._integrity.findings if self._integrity is not None else ()

    def check_some(self) -> bool:
        """At idle: reads the next part of the whole file; True when it has come round once more.

        What it finds seals the ledger.

        Raises:
            StoreError: the file cannot be read.
        """
        with self.read() as connection:
            return self._integrity is None or self._integrity.check_some(connection)

    def rotate_keys(self, at: datetime) -> int:
        """Gives every row a MAC under a new key, in one SQL transaction; the new key's epoch.

        Raises:
            StoreSealed: the file is not as this till left it, so nothing was changed.
        """
        with self._guard, named(self.path):
            if self._integrity is None:
                raise AssertionError("a ledger of this age has no keys")
            self._integrity.check_all(self._connection, at)
            self._require_writable()
            with self.write() as connection:
                return self._integrity.rotate(connection)

    @property
    def writable(self) -> bool:
        """Whether this process owns the ledger."""
        return self._lock_file is not None

    def free_bytes(self) -> int:
        """What is free on the disk that holds the ledger."""
        return free_bytes(self.path)

    def truncate_log(self) -> bool:
        """Moves the write-ahead log into the file and empties it, so that erased bytes are gone.

        False when a reader still needs the log: try again later.

        Raises:
            StoreError: the disk failed.
        """
        with self._guard, named(self.path):
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
            sales = projection.verify(connection)
            bill_rows.verify(connection)
            return sales

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
        if self.findings:
            raise StoreSealed(
                f"The ledger {self.path} is not as this till left it: {self.findings[0]}."
                " No sale was taken.",
                remedy="Keep the folder as it is and call your service. Reports and the queue can"
                " still be read and exported; taptill verify lists everything that is wrong. To"
                " sell meanwhile, use another --data folder.",
            )
        if self._failure:
            raise StoreError(
                f"The disk under {self.path} has failed ({self._failure}).",
                remedy="Check the disk or card, then start the till again.",
            )


def messages_in(path: Path) -> int:
    """How many messages wait in a ledger of any age: what can be said before it is updated.

    Raises:
        StoreError: it cannot be read.
    """
    with named(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            return int(one(connection, "SELECT count(*) FROM outbox"))
        finally:
            connection.close()


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
    connection: apsw.Connection,
    path: Path,
    at: datetime,
    migrations: Sequence[Migration],
    keystore: KeyStore,
    counter: RollbackCounter | None,
    *,
    known: bool,
) -> Guard | None:
    # A file that turns out not to be ours must stay as it is, its log included.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    version = schema.inspect(connection, path, migrations[-1].version)
    if connection.readonly("main"):
        raise read_only_file(path)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    _set(connection, path, _WRITE_SETTINGS)
    schema.check_start(connection, path)
    guard = Guard(path, keystore, counter)
    if known and version < PROTECTED_SINCE:
        # What is updated gets MACs, so a file from before them must not come in by the back door.
        what = "a file from before its rows had MACs was put in the ledger's place"
        guard.refuse(Finding(what, path.name), at)
        return guard
    if PROTECTED_SINCE <= version < migrations[-1].version:
        # An update would give altered rows new MACs, so they are looked for before it.
        guard.check_all(connection, at)
        if guard.findings:
            return guard
    schema.migrate(connection, path, migrations, at, projection.verify, guard.newest)
    if migrations[-1].version < PROTECTED_SINCE:
        return None
    guard.open(connection, at)
    return guard


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


def _create(path: Path, *, known: bool) -> None:
    """An empty file for this user alone, where none is or was, whose name is synced too."""
    if known and is_missing(path):
        raise ownership.gone(path)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as cause:
        raise of_disk(path, cause) from cause
    schema.sync_path(path.parent, os.O_RDONLY | os.O_DIRECTORY)
