"""The simulated acquirer's own books: messages, captures, reversals and answers, in SQLite.

Rules of this file: what a message does to the books and the answer that it gets are one SQL
transaction, synced to disk before the answer leaves, so ``kill -9`` can lose an answer and never
a capture. No card number is written: the last four digits, and a hash under the acquirer's own
key. One connection writes, in the server's process; others read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import apsw

from hardware_sim.acquirer_schema import MORE_KINDS, SCHEMA, SETTLED, TRANSFERS
from terminal.errors import StoreError, StoreTooNew

SCHEMA_VERSION = 4


class CaptureState(Enum):
    """What became of a sale in the acquirer's books."""

    CAPTURED = "captured"
    REVERSED = "reversed"
    REFUSED = "refused"
    HELD = "held"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class MessageKey:
    """What makes two messages the same one: DE 41, 11 and 7, within one kind of message.

    ``kind`` is the message class, the second digit of the MTI, since a reversal may share the
    STAN of its sale.
    """

    kind: str
    terminal_id: str
    stan: str
    transmitted: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it was received: ``card`` is masked, ``card_hash`` keyed, both may be empty.

    ``at`` is UTC in ISO 8601; ``amount_minor`` in minor units of the ISO 4217 number
    ``currency``; ``response_code`` empty when the message got no answer at all.
    """

    at: str
    mti: str
    terminal_id: str = ""
    stan: str = ""
    transmitted: str = ""
    rrn: str = ""
    amount_minor: int | None = None
    currency: str = ""
    card: str = ""
    card_hash: str = ""
    response_code: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """One sale, refund or hold in the books; ``amount_minor`` was booked, or asked for if refused.

    ``original_rrn`` is that of the sale that a refund gives back. A hold is HELD until it is
    TAKEN by a completion, which is a capture of its own.
    """

    at: str
    terminal_id: str
    stan: str
    transmitted: str
    rrn: str
    amount_minor: int
    currency: str
    card: str
    card_hash: str
    approval_code: str
    state: CaptureState
    response_code: str
    kind: str = "sale"
    batch: str = ""
    original_rrn: str = ""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The first answer to a message, and the digest of the request that it answers."""

    digest: bytes
    answer: bytes
    response_code: str


def _column_names(table: type[Entry | Capture]) -> str:
    return ", ".join(entry.name for entry in fields(table))


_ENTRY = _column_names(Entry)
_CAPTURE = _column_names(Capture)


def _select_entries(connection: apsw.Connection, after: int) -> list[Entry]:
    rows = connection.execute(
        f"SELECT {_ENTRY} FROM message WHERE number > ? ORDER BY number",  # noqa: S608 - own names
        (after,),
    )
    return [Entry(*row) for row in rows]


def _select_captures(
    connection: apsw.Connection, where: str = "", values: tuple[str, ...] = ()
) -> list[Capture]:
    rows = connection.execute(
        f"SELECT {_CAPTURE} FROM capture {where} ORDER BY number",  # noqa: S608 - own names
        values,
    )
    return _captures_of(rows)


def _captures_of(rows: Iterable[tuple[Any, ...]]) -> list[Capture]:
    captures: list[Capture] = []
    for row in rows:
        named: dict[str, Any] = dict(zip(_CAPTURE.split(", "), row, strict=True))
        captures.append(Capture(**{**named, "state": CaptureState(named["state"])}))
    return captures


def _check_version(connection: apsw.Connection, path: Path) -> int:
    version = int(connection.pragma("user_version"))
    if version > SCHEMA_VERSION:
        raise StoreTooNew(
            f"The simulated acquirer's ledger {path} was written by a newer version.",
            remedy="Update the simulator, or give it another folder.",
        )
    return version


class AcquirerLedger:
    """The books, open for writing. Its methods are called inside ``transaction()``.

    Raises:
        StoreError: the file cannot be opened or is no ledger.
        StoreTooNew: a newer version wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = apsw.Connection(str(path))
            self._connection.set_busy_timeout(5000)
            self._prepare(path)
        except apsw.Error as cause:
            raise StoreError(
                f"The simulated acquirer's ledger {path} cannot be opened ({cause}).",
                remedy="Give the acquirer another folder, or remove this one.",
            ) from cause

    def _prepare(self, path: Path) -> None:
        # A value read back is the only proof that SQLite has taken it.
        if self._connection.pragma("journal_mode", "wal") != "wal":
            raise StoreError(f"{path} cannot be used in WAL mode.")
        self._connection.pragma("synchronous", "FULL")
        if self._connection.pragma("synchronous") != 2:
            raise StoreError(f"{path} cannot be synced at each commit.")
        version = _check_version(self._connection, path)
        if version == SCHEMA_VERSION:
            return
        with self._connection:
            if version == 0:
                self._connection.execute(SCHEMA)
            elif version == 1:
                self._connection.execute(MORE_KINDS)
            self._connection.execute(TRANSFERS if version == 3 else SETTLED + TRANSFERS)
            self._connection.pragma("user_version", SCHEMA_VERSION)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One SQL transaction, of one thread at a time; synced to disk when it ends.

        Raises:
            StoreError: nothing was written.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except apsw.Error as cause:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise StoreError(f"The simulated acquirer's books failed ({cause}).") from cause

    @property
    def connection(self) -> apsw.Connection:
        """For the parts of the books that have modules of their own; inside ``transaction``."""
        return self._connection

    def close(self) -> None:
        """Closes the file. Harmless when called twice."""
        with self._lock:
            self._connection.close()

    def enrol(self, terminal_id: str, merchant_id: str) -> None:
        """Makes a terminal known. Once one is known, all others are refused."""
        self._connection.execute(
            "INSERT INTO terminal VALUES (?1, ?2)"
            " ON CONFLICT (terminal_id) DO UPDATE SET merchant_id = ?2",
            (terminal_id, merchant_id),
        )

    def terminals(self) -> dict[str, str]:
        """The merchant of each known terminal; empty when everyone is served."""
        return dict(self._connection.execute("SELECT terminal_id, merchant_id FROM terminal"))

    def record(self, entry: Entry) -> None:
        """Appends a message to the log."""
        self._connection.execute(
            f"INSERT INTO message ({_ENTRY}) VALUES ({', '.join('?' * 12)})",  # noqa: S608 - own names
            tuple(getattr(entry, name) for name in _ENTRY.split(", ")),
        )

    def book(self, capture: Capture) -> None:
        """Books a sale: captured, reversed before it came, or refused."""
        values = [getattr(capture, name) for name in _CAPTURE.split(", ")]
        values[_CAPTURE.split(", ").index("state")] = capture.state.value
        self._connection.execute(
            f"INSERT INTO capture ({_CAPTURE}, window)"  # noqa: S608 - own names
            f" VALUES ({', '.join('?' * 15)}, (SELECT max(number) FROM duplicate_window))",
            values,
        )

    def first_answer(self, key: MessageKey) -> StoredAnswer | None:
        """What this message was answered when it first came."""
        row = self._connection.execute(
            "SELECT digest, answer, response_code FROM answer"
            " WHERE kind = ? AND terminal_id = ? AND stan = ? AND transmitted = ?",
            (key.kind, key.terminal_id, key.stan, key.transmitted),
        ).fetchone()
        return None if row is None else StoredAnswer(*row)

    def remember(self, key: MessageKey, answer: StoredAnswer) -> None:
        """Keeps the answer for the copies that may follow."""
        self._connection.execute(
            "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(key.kind, key.terminal_id, key.stan, key.transmitted),
                *(answer.digest, answer.answer, answer.response_code),
            ),
        )

    def forget_answers(self) -> None:
        """Ends the duplicate window: a copy without the repeat flag is now taken for a new sale."""
        self._connection.execute("DELETE FROM answer")
        self._connection.execute("INSERT INTO duplicate_window VALUES (NULL)")

    def seen(self, key: MessageKey, response_code: str) -> bool:
        """Whether this message has been answered with this code before."""
        rows = self._connection.execute(
            "SELECT 1 FROM message WHERE substr(mti, 2, 1) = ? AND terminal_id = ? AND stan = ?"
            " AND transmitted = ? AND response_code = ?",
            (key.kind, key.terminal_id, key.stan, key.transmitted, response_code),
        )
        return rows.fetchone() is not None

    def captured_minor(self, terminal_id: str, card_hash: str) -> int:
        """What a terminal has captured for one card and not reversed, in minor units."""
        rows = self._connection.execute(
            "SELECT iif(kind = 'refund', -amount_minor, amount_minor) FROM capture WHERE"
            " terminal_id = ? AND card_hash = ? AND state IN ('captured', 'held')",
            (terminal_id, card_hash),
        )
        return sum(int(row[0]) for row in rows)

    def standing(self, terminal_id: str, rrn: str, kinds: tuple[str, ...]) -> list[Capture]:
        """What stands in the books under this RRN: captured, or held."""
        return [
            capture
            for capture in _select_captures(
                self._connection, "WHERE terminal_id = ? AND rrn = ?", (terminal_id, rrn)
            )
            if capture.kind in kinds and capture.state in {CaptureState.CAPTURED, CaptureState.HELD}
        ]

    def refunded_minor(self, terminal_id: str, rrn: str) -> int:
        """What was given back of the sale with this RRN."""
        rows = self._connection.execute(
            "SELECT amount_minor FROM capture WHERE terminal_id = ? AND original_rrn = ?"
            " AND kind = 'refund' AND state = 'captured'",
            (terminal_id, rrn),
        )
        return sum(int(row[0]) for row in rows)

    def take_hold(self, terminal_id: str, rrn: str) -> None:
        """Marks a hold as taken by its completion."""
        self._connection.execute(
            "UPDATE capture SET state = 'taken' WHERE terminal_id = ? AND rrn = ?"
            " AND kind = 'hold' AND state = 'held'",
            (terminal_id, rrn),
        )

    def undo(self, original: MessageKey, at: str, *, voided: bool = False) -> bool:
        """Reverses a sale and remembers it; False when there is nothing that was ever captured.

        A sale that was not found, and arrives later, is then refused. ``voided`` says that a
        person wanted it so, which a reconciliation counts.
        """
        identity = (original.terminal_id, original.stan, original.transmitted)
        self._connection.execute(
            "INSERT INTO reversal VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (*identity, at)
        )
        self._connection.execute(
            "UPDATE capture SET state = 'reversed', voided = ?"
            " WHERE terminal_id = ? AND stan = ? AND transmitted = ?"
            " AND state IN ('captured', 'held')",
            (int(voided), *identity),
        )
        row = self._connection.execute(
            "SELECT 1 FROM capture"
            " WHERE terminal_id = ? AND stan = ? AND transmitted = ? AND state = 'reversed'",
            identity,
        ).fetchone()
        return row is not None

    def booked(self, key: MessageKey) -> Capture | None:
        """The sale that stands in the books under these numbers, the first if there are several."""
        rows = self._connection.execute(
            f"SELECT {_CAPTURE} FROM capture"  # noqa: S608 - own names
            " WHERE terminal_id = ? AND stan = ? AND transmitted = ? ORDER BY number LIMIT 1",
            (key.terminal_id, key.stan, key.transmitted),
        )
        return next(iter(_captures_of(rows)), None)

    def reversed_before(self, key: MessageKey) -> bool:
        """Whether a reversal of this sale has come, perhaps before the sale itself."""
        identity = (key.terminal_id, key.stan, key.transmitted)
        sql = "SELECT 1 FROM reversal WHERE terminal_id = ? AND stan = ? AND transmitted = ?"
        return self._connection.execute(sql, identity).fetchone() is not None


class LedgerView:
    """The books, open for reading beside a running server, or after it has ended.

    Raises:
        StoreError: there is no ledger at ``path``, or it cannot be read.
        StoreTooNew: a newer version wrote it.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._connection.set_busy_timeout(5000)
            # A till's own ledger has the same name, and no such table.
            self._connection.execute("SELECT 1 FROM message LIMIT 1")
            if _check_version(self._connection, path) < SCHEMA_VERSION:
                raise StoreError(
                    f"{path} was written by an older simulator.",
                    remedy="Start the acquirer once: that brings its ledger up to date.",
                )
        except apsw.Error as cause:
            raise StoreError(
                f"There is no readable ledger of a simulated acquirer at {path} ({cause}).",
                remedy="Name the acquirer's folder with --dir (a till keeps it as sim-acquirer in"
                " its data folder), or start one with: taptill sim acquirer",
            ) from cause

    def captures(self) -> list[Capture]:
        """Every sale in the books, oldest first."""
        return _select_captures(self._connection)

    def entries(self, after: int = 0) -> list[Entry]:
        """Every message that was received, oldest first, without the first ``after``."""
        return _select_entries(self._connection, after)

    def close(self) -> None:
        """Closes the file. Harmless when called twice."""
        self._connection.close()


def timestamp(moment: datetime) -> str:
    """A moment as the books write it: UTC, ISO 8601, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
