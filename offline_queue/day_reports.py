"""The sums that reports are made of: of a batch from its transactions, of days from their sums.

Rules of this file: reading only. A batch is small and read whole, by its index; days are read
from ``summary`` and its companions, which are kept with every transaction (see
``offline_queue.summary``), so that a year takes no longer than its days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import apsw

from offline_queue import drawer
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.dayreport import DayReport, OpenRow, PartRow, Period, SpanRow, SumRow, add_up
from terminal.errors import StoreError
from terminal.money import Currency
from terminal.states import State
from terminal.terms import Tender, TransactionKind

_BOOKED = "state IN ('approved', 'voiding', 'voided') AND approved_minor > 0"

_BATCH_SUMS = f"""
    SELECT currency, txn_kind, tender, coalesce(scheme, ''), cashier, state, stored_offline,
        count(*), sum(amount_minor),
        sum(CASE WHEN {_BOOKED} THEN approved_minor ELSE amount_minor END),
        sum(tip_minor), 0, sum(rounding_minor)
    FROM txn WHERE batch = ? AND training = 0 AND state <> 'intended'
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 - a constant of this file
_BATCH_HOURS = """
    SELECT printf('%02d', hour), currency, txn_kind, count(*), sum(approved_minor)
    FROM txn WHERE batch = ? AND training = 0 AND state = 'approved' GROUP BY 1, 2, 3
"""
_BATCH_PARTS = """
    SELECT currency, txn_kind, json_extract(part.value, '$[0]'),
        json_extract(part.value, '$[1]'), count(*),
        sum(json_extract(part.value, '$[2]')), sum(json_extract(part.value, '$[3]'))
    FROM txn, json_each(parts) AS part
    WHERE batch = ? AND training = 0 AND state = 'approved' GROUP BY 1, 2, 3, 4
"""
_OPEN_NOW = """
    SELECT 'awaited', currency, count(*), sum(amount_minor) FROM txn
    WHERE state = 'awaited' AND training = 0 GROUP BY currency
    UNION ALL
    SELECT 'due', currency, count(*), sum(due_minor) FROM open_bill
    WHERE due_minor > 0 GROUP BY currency
"""
_DAY_SUMS = """
    SELECT currency, kind, tender, scheme, cashier, state, stored_offline,
        sum(count), sum(asked_minor), sum(counted_minor), sum(tip_minor), sum(tax_minor),
        sum(rounding_minor)
    FROM summary WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(count) > 0
"""
_DAY_PARTS = """
    SELECT currency, kind, item_group, rate_bp, sum(count), sum(gross_minor), sum(tax_minor)
    FROM part_summary WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3, 4 HAVING sum(count) > 0
"""
_DAY_SPANS = {
    "hour": """
        SELECT printf('%02d', hour), currency, kind, sum(count), sum(counted_minor)
        FROM hour_summary WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3 HAVING sum(count) > 0
    """,
    "day": """
        SELECT day, currency, kind, sum(count), sum(counted_minor)
        FROM hour_summary WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3 HAVING sum(count) > 0
    """,
    "month": """
        SELECT substr(day, 1, 7), currency, kind, sum(count), sum(counted_minor)
        FROM hour_summary WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3 HAVING sum(count) > 0
    """,
}


@dataclass(frozen=True, slots=True)
class _Sums:
    rows: list[SumRow]
    spans: list[SpanRow]
    parts: list[PartRow]

    @property
    def currencies(self) -> set[str]:
        return {row.currency for row in self.rows}


class DayReports:
    """Reports of batches and of days. Every method raises StoreError where it cannot read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_batch(self, title: str, batch: int, at: datetime, currency: Currency) -> list[DayReport]:
        """A batch, in the till's currency and then in every other that it has.

        What stands open now is told of the open batch and the one that was closed last.
        """
        with self._store.read() as connection:
            if not rows(connection, "SELECT 1 FROM batch WHERE number = ?", (batch,)):
                raise StoreError(f"There is no batch {batch}.", remedy="See the list of batches.")
            found = _sums(connection, (_BATCH_SUMS, _BATCH_HOURS, _BATCH_PARTS), (batch,))
            now = rows(connection, "SELECT max(number) - 1 FROM batch")[0][0]
            recent = batch >= now
            standing = rows(connection, _OPEN_NOW) if recent else []
            till_drawer = drawer.standing(connection, currency) if recent else None
            days = rows(connection, "SELECT min(day), max(day) FROM txn WHERE batch = ?", (batch,))
        first, last = days[0]
        waiting = tuple(OpenRow(*row) for row in standing)
        period = Period(title, at, batch, first or "", last or "", waiting, till_drawer)
        return _reports(period, found, currency)

    def of_days(
        self, title: str, first_day: str, last_day: str, at: datetime, currency: Currency
    ) -> list[DayReport]:
        """The days from ``first_day`` to ``last_day`` (``2026-11-25``), both included.

        The chart goes by hour for a day, by day up to two months and by month beyond.
        """
        span = "hour" if first_day == last_day else "day"
        if first_day[:7] != last_day[:7] and _months(first_day, last_day) > 2:
            span = "month"
        with self._store.read() as connection:
            statements = (_DAY_SUMS, _DAY_SPANS[span], _DAY_PARTS)
            found = _sums(connection, statements, (first_day, last_day))
        return _reports(Period(title, at, None, first_day, last_day), found, currency)


def _months(first_day: str, last_day: str) -> int:
    first, last = (int(day[:4]) * 12 + int(day[5:7]) for day in (first_day, last_day))
    return last - first + 1


def _sums(
    connection: apsw.Connection, statements: tuple[str, str, str], values: tuple[int | str, ...]
) -> _Sums:
    sums, spans, parts = (rows(connection, statement, values) for statement in statements)
    return _Sums(
        [
            SumRow(
                *(code, TransactionKind(kind), Tender(tender), scheme, cashier),
                *(State(state), bool(offline), *numbers),
            )
            for code, kind, tender, scheme, cashier, state, offline, *numbers in sums
        ],
        [SpanRow(span, code, TransactionKind(k), *numbers) for span, code, k, *numbers in spans],
        [PartRow(code, TransactionKind(kind), *rest) for code, kind, *rest in parts],
    )


def _reports(period: Period, found: _Sums, own: Currency) -> list[DayReport]:
    others = sorted((found.currencies | {r.currency for r in period.standing}) - {own.code})
    return [
        add_up(period, currency, found.rows, found.spans, found.parts)
        for currency in (own, *map(Currency.of, others))
    ]
