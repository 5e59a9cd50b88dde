"""The ledger's tables, as numbered migrations that are data.

Rules of this file: a migration that has shipped never changes; each one and the record of it
are one SQL transaction; the old file is kept beside the new one until the new one verifies;
nothing here ever drops a table that holds sales.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw

from offline_queue.day_schema import BILLS, ITEMS, MORE_KINDS
from offline_queue.events import write_time
from offline_queue.failures import damaged
from offline_queue.hand_over_schema import HANDED_OVER
from offline_queue.integrity import Protection
from offline_queue.macs import PROTECTED_SINCE, quoted
from offline_queue.views import VIEWS
from terminal.errors import StoreError, StoreTooNew, StoreTooOld

APPLICATION_ID = 0x54617074
"""``Tapt`` in the file's header: tells a ledger from any other SQLite file."""


SMALL_FILE_BYTES = 16 * 1024 * 1024
"""Up to here the whole file is read at each start; that takes about a tenth of a second."""

SMALL_TABLES = ("numbers", "batch", "outbox", "migration")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema, from ``version - 1`` to ``version``."""

    version: int
    name: str
    statements: tuple[str, ...]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1,
        "sales, events, outbox",
        (
            """
            CREATE TABLE numbers (
                name TEXT PRIMARY KEY,
                value INTEGER NOT NULL CHECK (value >= 0)
            ) STRICT, WITHOUT ROWID
            """,
            "INSERT INTO numbers VALUES ('sequence', 0), ('stan', 0)",
            """
            CREATE TABLE batch (
                number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 999999),
                opened_at TEXT NOT NULL,
                closed_at TEXT
            ) STRICT
            """,
            (
                "CREATE UNIQUE INDEX one_open_batch ON batch (closed_at IS NULL)"
                " WHERE closed_at IS NULL"
            ),
            """
            CREATE TABLE txn (
                txn_id TEXT PRIMARY KEY,
                sequence INTEGER NOT NULL UNIQUE,
                state TEXT NOT NULL,
                amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
                currency TEXT NOT NULL,
                created_at TEXT NOT NULL,
                changed_at TEXT NOT NULL,
                cashier TEXT NOT NULL,
                training INTEGER NOT NULL CHECK (training IN (0, 1)),
                stan INTEGER CHECK (stan BETWEEN 1 AND 999999),
                rrn TEXT NOT NULL,
                batch INTEGER REFERENCES batch (number),
                response_code TEXT NOT NULL,
                approval_code TEXT NOT NULL,
                approved_minor INTEGER NOT NULL CHECK (approved_minor >= 0),
                stored_offline INTEGER NOT NULL CHECK (stored_offline IN (0, 1)),
                reason TEXT NOT NULL,
                token TEXT,
                masked_pan TEXT,
                scheme TEXT,
                aid TEXT,
                label TEXT,
                fingerprint TEXT,
                fingerprint_epoch INTEGER,
                device TEXT,
                cvm TEXT,
                idempotency_key TEXT UNIQUE
            ) STRICT
            """,
            "CREATE UNIQUE INDEX stan_once_in_a_batch ON txn (batch, stan) WHERE stan IS NOT NULL",
            "CREATE INDEX txn_by_state ON txn (state)",
            """
            CREATE TABLE event (
                seq INTEGER PRIMARY KEY,
                txn_id TEXT NOT NULL REFERENCES txn (txn_id),
                type TEXT NOT NULL,
                at TEXT NOT NULL,
                payload TEXT NOT NULL CHECK (json_valid(payload))
            ) STRICT
            """,
            "CREATE INDEX event_by_txn ON event (txn_id, seq)",
            # AUTOINCREMENT, so that the number of an erased message is never given again.
            """
            CREATE TABLE outbox (
                item INTEGER PRIMARY KEY AUTOINCREMENT,
                txn_id TEXT NOT NULL REFERENCES txn (txn_id),
                key TEXT NOT NULL,
                kind TEXT NOT NULL CHECK (kind IN ('reversal', 'sale', 'advice')),
                message BLOB NOT NULL,
                attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
                not_before TEXT NOT NULL DEFAULT '',
                claimed_by TEXT NOT NULL DEFAULT '',
                leased_until TEXT NOT NULL DEFAULT '',
                note TEXT NOT NULL DEFAULT '',
                created TEXT NOT NULL
            ) STRICT
            """,
            "CREATE UNIQUE INDEX one_message_a_sale ON outbox (txn_id)",
            (
                "CREATE TRIGGER event_is_kept BEFORE DELETE ON event"
                " BEGIN SELECT raise(ABORT, 'events are append-only'); END"
            ),
            (
                "CREATE TRIGGER event_is_fixed BEFORE UPDATE ON event"
                " BEGIN SELECT raise(ABORT, 'events are append-only'); END"
            ),
            (
                "CREATE TRIGGER txn_is_kept BEFORE DELETE ON txn"
                " BEGIN SELECT raise(ABORT, 'sales are never deleted'); END"
            ),
            (
                "CREATE TRIGGER batch_is_kept BEFORE DELETE ON batch"
                " BEGIN SELECT raise(ABORT, 'batches are never deleted'); END"
            ),
        ),
    ),
    Migration(
        2,
        "whose messages wait",
        # Empty for messages that were queued before it was written down.
        ("ALTER TABLE outbox ADD COLUMN acquirer TEXT NOT NULL DEFAULT ''",),
    ),
    Migration(
        3,
        "the account behind a card",
        # As in the events that were written before: a card without a known account.
        (
            "ALTER TABLE txn ADD COLUMN par_fingerprint TEXT",
            "UPDATE txn SET par_fingerprint = '' WHERE token IS NOT NULL",
        ),
    ),
    Migration(
        4,
        "staff and audit",
        (
            """
            CREATE TABLE staff (
                name TEXT PRIMARY KEY,
                role TEXT NOT NULL,
                pin TEXT NOT NULL,
                active INTEGER NOT NULL CHECK (active IN (0, 1)),
                changed_at TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE pin_failures (
                scope TEXT PRIMARY KEY,
                failures INTEGER NOT NULL CHECK (failures >= 0),
                last_at TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE audit (
                entry INTEGER PRIMARY KEY,
                at TEXT NOT NULL,
                who TEXT NOT NULL,
                what TEXT NOT NULL,
                detail TEXT NOT NULL CHECK (json_valid(detail))
            ) STRICT
            """,
            (
                "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit"
                " BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END"
            ),
            (
                "CREATE TRIGGER audit_is_fixed BEFORE UPDATE OF entry, at, who, what, detail"
                " ON audit BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END"
            ),
        ),
    ),
    Migration(
        5,
        "limits by card, fenced claims, messages that wait for a person",
        (
            (
                "ALTER TABLE txn ADD COLUMN card_approved INTEGER NOT NULL DEFAULT 0"
                " CHECK (card_approved IN (0, 1))"
            ),
            "ALTER TABLE txn ADD COLUMN refusal TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX txn_by_card ON txn (fingerprint) WHERE fingerprint IS NOT NULL",
            "CREATE INDEX txn_by_par ON txn (par_fingerprint) WHERE par_fingerprint <> ''",
            # Grows with each claim, so that whoever lost a claim cannot record its result.
            "ALTER TABLE outbox ADD COLUMN fence INTEGER NOT NULL DEFAULT 0",
            # How often this message alone had no answer while the host answered others.
            "ALTER TABLE outbox ADD COLUMN silences INTEGER NOT NULL DEFAULT 0",
            # Why the message waits for a person; empty where it does not.
            "ALTER TABLE outbox ADD COLUMN held TEXT NOT NULL DEFAULT ''",
            # The latest time that was seen, and the like: see ``marks``.
            "CREATE TABLE mark (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
        ),
    ),
    Migration(
        6,
        "how long each tap took, and the card behind a phone",
        (
            "ALTER TABLE txn ADD COLUMN last4 TEXT",
            "ALTER TABLE txn ADD COLUMN card_ms INTEGER",
            "ALTER TABLE txn ADD COLUMN terminal_us INTEGER",
            "ALTER TABLE txn ADD COLUMN command_times TEXT",
            # As in the events that were written before: not known.
            (
                "UPDATE txn SET last4 = '', card_ms = 0, terminal_us = 0, command_times = ''"
                " WHERE token IS NOT NULL"
            ),
        ),
    ),
    Migration(
        PROTECTED_SINCE,
        "a MAC on every row",
        # The column mac comes to every table by itself: see Protection.adopt.
        (
            """
            CREATE TABLE high_water (
                id INTEGER PRIMARY KEY CHECK (id = 1),
                epoch INTEGER NOT NULL,
                links INTEGER NOT NULL,
                chain BLOB NOT NULL,
                sales INTEGER NOT NULL,
                counter INTEGER NOT NULL,
                live BLOB NOT NULL,
                schema BLOB NOT NULL,
                mac BLOB NOT NULL
            ) STRICT
            """,
            "ALTER TABLE event ADD COLUMN link INTEGER",
            "ALTER TABLE audit ADD COLUMN link INTEGER",
            "DROP TRIGGER event_is_fixed",
            (
                "CREATE TRIGGER event_is_fixed BEFORE UPDATE OF seq, txn_id, type, at, payload"
                " ON event BEGIN SELECT raise(ABORT, 'events are append-only'); END"
            ),
        ),
    ),
    Migration(8, "the merchant's day", MORE_KINDS),
    Migration(
        9,
        "cards by two keys while one follows the other",
        (
            "ALTER TABLE txn ADD COLUMN previous_fingerprint TEXT",
            "ALTER TABLE txn ADD COLUMN previous_par_fingerprint TEXT",
            (
                "UPDATE txn SET previous_fingerprint = '', previous_par_fingerprint = ''"
                " WHERE token IS NOT NULL"
            ),
        ),
    ),
    Migration(10, "sales that another till forwards", HANDED_OVER),
    Migration(11, "views for other programs", VIEWS),
    Migration(12, "bills that several payments pay", BILLS),
    Migration(13, "what the shop sells", ITEMS),
)

# A column that a later step adds comes behind it, so that new and updated files are alike.
_TABLES_WITHOUT_MACS = """
SELECT name FROM pragma_table_list AS listed
WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite_%' AND name <> 'high_water'
    AND NOT EXISTS (SELECT 1 FROM pragma_table_info(listed.name) WHERE name = 'mac')
ORDER BY name
"""

_MIGRATION_TABLE = """
    CREATE TABLE IF NOT EXISTS migration (
        version INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT
"""


def inspect(connection: apsw.Connection, path: Path, newest: int) -> int:
    """The schema version of the file, 0 for an empty one. Reads only.

    Raises:
        StoreError: an SQLite file of another program.
        StoreTooNew: a newer Taptill wrote it.
    """
    version = int(_pragma(connection, "user_version"))
    application = int(_pragma(connection, "application_id"))
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    empty = application == 0 and version == 0 and tables == (0,)
    if not empty and application != APPLICATION_ID:
        raise StoreError(
            f"{path} is the database of another program, and no Taptill ledger.",
            remedy="Point the ledger's path at another file.",
        )
    if version > newest:
        raise StoreTooNew(
            f"{path} has schema version {version}, and this Taptill knows versions up to {newest}.",
            remedy="Install the newer Taptill again; nothing in the file was changed.",
        )
    return version


def require_newest(connection: apsw.Connection, path: Path, newest: int) -> None:
    """Refuses a file that a reader cannot bring up to date.

    Raises:
        StoreTooNew: a newer Taptill wrote it.
        StoreTooOld: an older one did.
        StoreError: another program did.
    """
    if inspect(connection, path, newest) != newest:
        raise StoreTooOld(
            f"{path} was written by an older Taptill.",
            remedy="Start the till once: that brings the ledger up to date.",
        )


def migrate(
    connection: apsw.Connection,
    path: Path,
    migrations: Sequence[Migration],
    at: datetime,
    verify: Callable[[apsw.Connection], object],
    protection: Protection,
) -> None:
    """Brings the file to the newest version, one SQL transaction for each step of an update.

    A file with sales in it is copied first, to ``<name>.v<version>.kept``; the copy goes when
    the new file has verified. Each step ends with the MACs of what it has made.

    Raises:
        StoreError: the new file does not verify; the message names the copy.
    """
    version = int(_pragma(connection, "user_version"))
    steps = [step for step in migrations if step.version > version]
    # A copy that is here already is from an update that was broken off, or did not verify.
    kept = sorted(path.parent.glob(f"{path.name}.v*.kept"))
    if steps and version and not kept:
        kept = [_keep(connection, path, version)]
    # A new file is there whole or not at all, and is synced once; an old one goes step by step.
    for together in [steps] if not version else [[step] for step in steps]:
        with connection:
            for step in together:
                _step(connection, step, at)
            if together and together[-1].version >= PROTECTED_SINCE:
                protection.adopt(connection)
        protection.keep()
    if not kept:
        return
    try:
        check_whole(connection, path)
        verify(connection)
    except StoreError as cause:
        raise StoreError(
            f"{cause.message} This was found after the update of its schema.",
            remedy=f"The ledger as it was before is kept in {kept[0]}.",
        ) from cause
    for copy in kept:
        copy.unlink()


def _step(connection: apsw.Connection, step: Migration, at: datetime) -> None:
    """One step, in the caller's SQL transaction."""
    connection.execute(_MIGRATION_TABLE)
    for statement in step.statements:
        connection.execute(statement)
    record = (step.version, step.name, write_time(at))
    connection.execute("INSERT INTO migration (version, name, at) VALUES (?, ?, ?)", record)
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", step.version)
    if step.version >= PROTECTED_SINCE:
        for (table,) in connection.execute(_TABLES_WITHOUT_MACS).fetchall():
            connection.execute(f"ALTER TABLE {quoted(str(table))} ADD COLUMN mac BLOB")


def check_start(connection: apsw.Connection, path: Path) -> None:
    """SQLite's own checks, as far as a till can wait for them: of a large file, the small tables.

    Raises:
        StoreError: the file is damaged.
    """
    pages = int(_pragma(connection, "page_count"))
    if pages * int(_pragma(connection, "page_size")) <= SMALL_FILE_BYTES:
        check_whole(connection, path)
        return
    for table in SMALL_TABLES:
        problems = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({table})")]
        if problems != ["ok"]:
            raise damaged(path, "; ".join(problems))


def check_whole(connection: apsw.Connection, path: Path) -> None:
    """SQLite's own checks.

    Raises:
        StoreError: the file is damaged.
    """
    problems = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if problems != ["ok"] or broken:
        raise damaged(path, "; ".join(problems) if problems != ["ok"] else "a row lost its sale")


def _keep(connection: apsw.Connection, path: Path, version: int) -> Path:
    """A synced copy of the file as it is, whole or not there."""
    kept = path.with_name(f"{path.name}.v{version}.kept")
    draft = path.with_name(f"{path.name}.v{version}.draft")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    copy = apsw.Connection(str(draft))
    try:
        with copy.backup("main", connection, "main") as backup:
            backup.step()
        check_whole(copy, draft)
    finally:
        copy.close()
    sync_path(draft, os.O_RDWR)
    draft.rename(kept)
    sync_path(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    return kept


def sync_path(path: Path, flags: int) -> None:
    """Syncs a file, or with ``O_RDONLY | O_DIRECTORY`` the names in a folder."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pragma(connection: apsw.Connection, name: str) -> str:
    return str(connection.pragma(name))
