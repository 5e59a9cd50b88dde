"""The ledger for other programs: views that need nothing of Taptill to be read.

Rules of this file: statements of a migration. A view shows money as text with its decimals and a
number of minor units, times in UTC and the shop's own day, and nothing of a card but four digits.
What a view is called and what its columns mean is in ``docs/ledger-views.md`` and stays.
"""

from __future__ import annotations

_EXPONENTS = (
    "CASE WHEN currency IN ('CLP','ISK','JPY','KRW','VND','XAF','XOF') THEN 0"
    " WHEN currency IN ('BHD','JOD','KWD','OMR','TND') THEN 3 ELSE 2 END"
)

VIEWS: tuple[str, ...] = (
    f"""
    CREATE VIEW v_transactions AS
    SELECT sequence AS number, txn_id, day, hour, created_at, changed_at, txn_kind AS kind, tender,
        state, currency, amount_minor, approved_minor AS booked_minor, tip_minor, rounding_minor,
        (SELECT coalesce(sum(json_extract(value, '$[3]')), 0) FROM json_each(parts)) AS tax_minor,
        round(approved_minor / CASE {_EXPONENTS} WHEN 0 THEN 1.0 WHEN 3 THEN 1000.0 ELSE 100.0 END,
            {_EXPONENTS}) AS booked,
        scheme, masked_pan AS card, device, cashier, batch, stan, rrn, approval_code,
        response_code, original, bill, stored_offline, taps, reason, voided_by, approved_by
    FROM txn WHERE training = 0
    """,  # noqa: S608 - a constant of this file
    """
    CREATE VIEW v_parts AS
    SELECT sequence AS number, txn_id, day, txn_kind AS kind, state, currency,
        json_extract(value, '$[0]') AS item_group, json_extract(value, '$[1]') AS rate_bp,
        json_extract(value, '$[2]') AS gross_minor, json_extract(value, '$[3]') AS tax_minor
    FROM txn, json_each(parts) WHERE training = 0
    """,
    """
    CREATE VIEW v_days AS
    SELECT day, currency, kind, tender, scheme, cashier, state, stored_offline, count,
        asked_minor, counted_minor, tip_minor, tax_minor, rounding_minor
    FROM summary WHERE count > 0
    """,
    """
    CREATE VIEW v_hours AS
    SELECT day, hour, currency, kind, count, counted_minor FROM hour_summary WHERE count > 0
    """,
    """
    CREATE VIEW v_refunds AS
    SELECT r.sequence AS number, r.txn_id, r.day, r.currency, r.approved_minor AS refunded_minor,
        r.state, s.sequence AS sale_number, s.approved_minor AS sale_minor, r.cashier,
        r.approved_by, r.remark
    FROM txn AS r JOIN txn AS s ON s.txn_id = r.original WHERE r.original <> '' AND r.training = 0
    """,
    """
    CREATE VIEW v_waiting AS
    SELECT sequence AS number, txn_id, day, state, currency, amount_minor, attempts, note
    FROM txn JOIN outbox USING (txn_id)
    """,
    """
    CREATE VIEW v_batches AS
    SELECT number AS batch, opened_at, closed_at, settlement, settled_at FROM batch
    """,
)
