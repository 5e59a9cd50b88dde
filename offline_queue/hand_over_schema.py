"""What the ledger keeps of messages that change tills: data of one migration.

Rules of this file: as those of ``schema``; a migration that has shipped never changes.
"""

from __future__ import annotations

HANDED_OVER: tuple[str, ...] = (
    "ALTER TABLE outbox ADD COLUMN bundle TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX reversals_first ON outbox (item) WHERE kind = 'reversal'",
    """
    CREATE TABLE bundle (
        name TEXT PRIMARY KEY,
        handed TEXT NOT NULL CHECK (handed IN ('out', 'in')),
        other TEXT NOT NULL,
        messages INTEGER NOT NULL CHECK (messages > 0),
        at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE relay (
        item INTEGER PRIMARY KEY AUTOINCREMENT,
        bundle TEXT NOT NULL REFERENCES bundle (name),
        txn_id TEXT NOT NULL,
        key TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('reversal', 'advice')),
        message BLOB NOT NULL,
        amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
        currency TEXT NOT NULL,
        since TEXT NOT NULL,
        attempts INTEGER NOT NULL CHECK (attempts >= 0),
        not_before TEXT NOT NULL DEFAULT '',
        claimed_by TEXT NOT NULL DEFAULT '',
        leased_until TEXT NOT NULL DEFAULT '',
        fence INTEGER NOT NULL DEFAULT 0,
        silences INTEGER NOT NULL DEFAULT 0,
        held TEXT NOT NULL DEFAULT '',
        note TEXT NOT NULL DEFAULT '',
        answer BLOB,
        answered_at TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
)
