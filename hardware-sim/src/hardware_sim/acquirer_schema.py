"""The tables of the simulated acquirer's books."""

SCHEMA = """
CREATE TABLE terminal (
    terminal_id TEXT PRIMARY KEY, merchant_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE message (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, mti TEXT NOT NULL, terminal_id TEXT NOT NULL,
    stan TEXT NOT NULL, transmitted TEXT NOT NULL, rrn TEXT NOT NULL,
    amount_minor INTEGER, currency TEXT NOT NULL, card TEXT NOT NULL, card_hash TEXT NOT NULL,
    response_code TEXT NOT NULL, note TEXT NOT NULL
) STRICT;
CREATE TABLE capture (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, terminal_id TEXT NOT NULL, stan TEXT NOT NULL,
    transmitted TEXT NOT NULL, rrn TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, card TEXT NOT NULL, card_hash TEXT NOT NULL,
    approval_code TEXT NOT NULL, state TEXT NOT NULL, response_code TEXT NOT NULL,
    window INTEGER NOT NULL, kind TEXT NOT NULL DEFAULT 'sale',
    batch TEXT NOT NULL DEFAULT '', original_rrn TEXT NOT NULL DEFAULT '',
    voided INTEGER NOT NULL DEFAULT 0, uploaded INTEGER NOT NULL DEFAULT 0,
    UNIQUE (terminal_id, stan, transmitted, window)
) STRICT;
CREATE TABLE reversal (
    terminal_id TEXT NOT NULL, stan TEXT NOT NULL, transmitted TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (terminal_id, stan, transmitted)
) STRICT, WITHOUT ROWID;
CREATE TABLE answer (
    kind TEXT NOT NULL, terminal_id TEXT NOT NULL, stan TEXT NOT NULL, transmitted TEXT NOT NULL,
    digest BLOB NOT NULL, answer BLOB NOT NULL, response_code TEXT NOT NULL,
    PRIMARY KEY (kind, terminal_id, stan, transmitted)
) STRICT, WITHOUT ROWID;
CREATE TABLE duplicate_window (number INTEGER PRIMARY KEY) STRICT;
INSERT INTO duplicate_window VALUES (1);
"""

SETTLED = """
CREATE TABLE settled (
    terminal_id TEXT NOT NULL, batch TEXT NOT NULL, PRIMARY KEY (terminal_id, batch)
) STRICT, WITHOUT ROWID;
"""

TRANSFERS = """
CREATE TABLE transfer (
    reference TEXT NOT NULL, terminal_id TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, asked INTEGER NOT NULL, arrived_minor INTEGER NOT NULL,
    PRIMARY KEY (reference, terminal_id)
) STRICT, WITHOUT ROWID;
"""

MORE_KINDS = """
ALTER TABLE capture ADD COLUMN kind TEXT NOT NULL DEFAULT 'sale';
ALTER TABLE capture ADD COLUMN batch TEXT NOT NULL DEFAULT '';
ALTER TABLE capture ADD COLUMN original_rrn TEXT NOT NULL DEFAULT '';
ALTER TABLE capture ADD COLUMN voided INTEGER NOT NULL DEFAULT 0;
ALTER TABLE capture ADD COLUMN uploaded INTEGER NOT NULL DEFAULT 0;
"""
