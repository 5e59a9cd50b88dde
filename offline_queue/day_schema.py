"""The tables of the merchant's day: more kinds of transactions, bills, the drawer, closings.

Rules of this file: statements of one migration, in order; what has shipped never changes.
"""

from __future__ import annotations

MORE_KINDS: tuple[str, ...] = (
    "ALTER TABLE txn ADD COLUMN txn_kind TEXT NOT NULL DEFAULT 'sale'",
    "ALTER TABLE txn ADD COLUMN tender TEXT NOT NULL DEFAULT 'card'",
    "ALTER TABLE txn ADD COLUMN original TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE txn ADD COLUMN bill TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE txn ADD COLUMN tip_minor INTEGER NOT NULL DEFAULT 0 CHECK (tip_minor >= 0)",
    "ALTER TABLE txn ADD COLUMN parts TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(parts))",
    "ALTER TABLE txn ADD COLUMN day TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE txn ADD COLUMN hour INTEGER NOT NULL DEFAULT 0 CHECK (hour BETWEEN 0 AND 23)",
    "ALTER TABLE txn ADD COLUMN approved_by TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE txn ADD COLUMN remark TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE txn ADD COLUMN transmitted_at TEXT",
    "ALTER TABLE txn ADD COLUMN taps INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE txn ADD COLUMN held_minor INTEGER NOT NULL DEFAULT 0 CHECK (held_minor >= 0)",
    "ALTER TABLE txn ADD COLUMN tendered_minor INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE txn ADD COLUMN rounding_minor INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE txn ADD COLUMN reference TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE txn ADD COLUMN voided_by TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE txn ADD COLUMN language TEXT",
    # What an intent without the shop's own day is read as: the day of UTC.
    (
        "UPDATE txn SET day = substr(created_at, 1, 10),"
        " hour = CAST(substr(created_at, 12, 2) AS INTEGER),"
        " taps = CASE WHEN stan IS NULL THEN 0 ELSE 1 END"
    ),
    "UPDATE txn SET language = '' WHERE token IS NOT NULL",
    "CREATE INDEX txn_by_batch ON txn (batch)",
    "CREATE INDEX txn_by_day ON txn (day)",
    "CREATE INDEX refund_by_original ON txn (original) WHERE original <> ''",
    "CREATE INDEX txn_by_bill ON txn (bill) WHERE bill <> ''",
    """
    CREATE TABLE summary (
        day TEXT NOT NULL,
        currency TEXT NOT NULL,
        kind TEXT NOT NULL,
        tender TEXT NOT NULL,
        scheme TEXT NOT NULL,
        cashier TEXT NOT NULL,
        state TEXT NOT NULL,
        stored_offline INTEGER NOT NULL,
        count INTEGER NOT NULL,
        asked_minor INTEGER NOT NULL,
        counted_minor INTEGER NOT NULL,
        tip_minor INTEGER NOT NULL,
        tax_minor INTEGER NOT NULL,
        rounding_minor INTEGER NOT NULL,
        PRIMARY KEY (day, currency, kind, tender, scheme, cashier, state, stored_offline)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE hour_summary (
        day TEXT NOT NULL,
        hour INTEGER NOT NULL,
        currency TEXT NOT NULL,
        kind TEXT NOT NULL,
        count INTEGER NOT NULL,
        counted_minor INTEGER NOT NULL,
        PRIMARY KEY (day, hour, currency, kind)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE part_summary (
        day TEXT NOT NULL,
        currency TEXT NOT NULL,
        kind TEXT NOT NULL,
        item_group TEXT NOT NULL,
        rate_bp INTEGER NOT NULL,
        count INTEGER NOT NULL,
        gross_minor INTEGER NOT NULL,
        tax_minor INTEGER NOT NULL,
        PRIMARY KEY (day, currency, kind, item_group, rate_bp)
    ) STRICT, WITHOUT ROWID
    """,
    """
    INSERT INTO summary
    SELECT day, currency, txn_kind, tender, coalesce(scheme, ''), cashier, state,
        stored_offline, count(*), sum(amount_minor),
        sum(CASE WHEN state = 'approved' THEN approved_minor ELSE amount_minor END), 0, 0, 0
    FROM txn WHERE training = 0 AND state NOT IN ('intended', 'authorising')
    GROUP BY day, currency, txn_kind, tender, coalesce(scheme, ''), cashier, state, stored_offline
    """,
    """
    INSERT INTO hour_summary
    SELECT day, hour, currency, txn_kind, count(*), sum(approved_minor)
    FROM txn WHERE training = 0 AND state = 'approved' GROUP BY day, hour, currency, txn_kind
    """,
    # What happens in a shop and is no transaction: bills, the drawer, closings, feedback.
    """
    CREATE TABLE day_event (
        seq INTEGER PRIMARY KEY,
        subject TEXT NOT NULL,
        type TEXT NOT NULL,
        at TEXT NOT NULL,
        payload TEXT NOT NULL CHECK (json_valid(payload)),
        link INTEGER
    ) STRICT
    """,
    "CREATE INDEX day_event_by_subject ON day_event (subject, seq)",
    (
        "CREATE TRIGGER day_event_is_kept BEFORE DELETE ON day_event"
        " BEGIN SELECT raise(ABORT, 'events are append-only'); END"
    ),
    (
        "CREATE TRIGGER day_event_is_fixed BEFORE UPDATE OF seq, subject, type, at, payload"
        " ON day_event BEGIN SELECT raise(ABORT, 'events are append-only'); END"
    ),
    "ALTER TABLE batch ADD COLUMN settlement TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE batch ADD COLUMN settled_at TEXT",
)

ITEMS: tuple[str, ...] = (
    """
    CREATE TABLE item (
        place INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
        currency TEXT NOT NULL,
        item_group TEXT NOT NULL,
        rate_bp INTEGER NOT NULL,
        barcode TEXT NOT NULL,
        key INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX item_by_barcode ON item (barcode) WHERE barcode <> ''",
    """
    CREATE VIEW v_items AS
    SELECT place, name, price_minor, currency, item_group, rate_bp, barcode, key FROM item
    """,
)

BILLS: tuple[str, ...] = (
    # Those on which something is due or in doubt; the events have them all.
    """
    CREATE TABLE open_bill (
        name TEXT PRIMARY KEY,
        currency TEXT NOT NULL,
        total_minor INTEGER NOT NULL,
        paid_minor INTEGER NOT NULL,
        doubt_minor INTEGER NOT NULL,
        due_minor INTEGER NOT NULL,
        opened_at TEXT NOT NULL,
        label TEXT NOT NULL,
        cashier TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE VIEW v_open_bills AS
    SELECT name AS bill, label, currency, total_minor, paid_minor, doubt_minor, due_minor,
        opened_at, cashier
    FROM open_bill
    """,
)
