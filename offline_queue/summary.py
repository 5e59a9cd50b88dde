"""The sums of each day, kept beside the sales, so that a year's report reads days and not sales.

Rules of this file: a sum is changed in the SQL transaction that changes the sale it counts, by
what the sale no longer adds and what it now does; ``verify`` counts everything again from the
events. Every sale that came to some end is in exactly one row, training sales in none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import apsw

from offline_queue.sql import rows
from terminal.errors import StoreError
from terminal.states import State
from terminal.transaction import Transaction

Key = tuple[str | int, ...]

_PASSING = frozenset({State.INTENDED, State.AUTHORISING, State.AWAITED})
"""States of a payment in hand: it is counted once it has an end, or waits for one."""

_BOOKED = frozenset({State.APPROVED, State.VOIDING, State.VOIDED})

DIMENSIONS = (
    *("day", "currency", "kind", "tender", "scheme", "cashier", "state"),
    "stored_offline",
)
HOUR_DIMENSIONS = ("day", "hour", "currency", "kind")
HOUR_SUMS = ("count", "counted_minor")
SUMS = ("count", "asked_minor", "counted_minor", "tip_minor", "tax_minor", "rounding_minor")
PART_DIMENSIONS = ("day", "currency", "kind", "item_group", "rate_bp")
PART_SUMS = ("count", "gross_minor", "tax_minor")


def counted_minor(sale: Transaction) -> int:
    """What a sale adds to its row: the booked part of an approved sale, else its amount."""
    booked = sale.state in _BOOKED and sale.approved_minor
    return sale.approved_minor if booked else sale.amount.minor


def key_of(sale: Transaction) -> Key:
    """The row of ``summary`` that counts this sale."""
    terms = sale.terms
    return (
        *(terms.day, sale.amount.currency.code, terms.kind.value),
        *(terms.tender.value, sale.card.scheme if sale.card else "", sale.cashier),
        *(sale.state.value, int(sale.stored_offline)),
    )


@dataclass(slots=True)
class Counts:
    """Sums that sales add up to, by row, for each of the tables."""

    days: dict[Key, Counter[str]] = field(default_factory=dict)
    hours: dict[Key, Counter[str]] = field(default_factory=dict)
    parts: dict[Key, Counter[str]] = field(default_factory=dict)

    def count(self, sale: Transaction, sign: int = 1) -> None:
        """Adds a sale, or takes it out again."""
        if sale.training or sale.state in _PASSING:
            return
        terms = sale.terms
        sums = (
            *(1, sale.amount.minor, counted_minor(sale), terms.tip_minor),
            *(terms.tax_minor, sale.rounding_minor),
        )
        _add(self.days, key_of(sale), SUMS, sums, sign)
        if sale.state is not State.APPROVED:
            return
        code, kind = sale.amount.currency.code, terms.kind.value
        hour = (terms.day, terms.hour, code, kind)
        _add(self.hours, hour, HOUR_SUMS, (1, sale.approved_minor), sign)
        for part in terms.parts:
            key = (terms.day, code, kind, part.group, part.rate_bp)
            _add(self.parts, key, PART_SUMS, (1, part.gross_minor, part.tax_minor), sign)

    def move(self, before: Transaction | None, after: Transaction) -> None:
        """Counts a sale as it is now, and no longer as it was."""
        if before is not None:
            self.count(before, -1)
        self.count(after)


def _add(
    into: dict[Key, Counter[str]],
    key: Key,
    names: tuple[str, ...],
    sums: tuple[int, ...],
    sign: int,
) -> None:
    row = into.setdefault(key, Counter())
    for name, value in zip(names, sums, strict=True):
        row[name] += sign * value


def _upsert(table: str, dimensions: tuple[str, ...], sums: tuple[str, ...]) -> str:
    columns = (*dimensions, *sums)
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in sums)
    # The names are constants of this file, never input.
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        f" ON CONFLICT ({', '.join(dimensions)}) DO UPDATE SET {added}"
    )


_UPSERT_DAY = _upsert("summary", DIMENSIONS, SUMS)
_UPSERT_HOUR = _upsert("hour_summary", HOUR_DIMENSIONS, HOUR_SUMS)
_UPSERT_PART = _upsert("part_summary", PART_DIMENSIONS, PART_SUMS)


def add(connection: apsw.Connection, before: Transaction | None, after: Transaction) -> None:
    """Counts a sale as it is now, and no longer as it was."""
    counts = Counts()
    counts.move(before, after)
    write(connection, counts)


def write(connection: apsw.Connection, counts: Counts) -> None:
    """Adds counts to the tables."""
    for statement, table, names in (
        (_UPSERT_DAY, counts.days, SUMS),
        (_UPSERT_HOUR, counts.hours, HOUR_SUMS),
        (_UPSERT_PART, counts.parts, PART_SUMS),
    ):
        changed = [
            (*key, *(row[name] for name in names))
            for key, row in table.items()
            if any(row.values())
        ]
        if changed:
            connection.executemany(statement, changed)


def verify(connection: apsw.Connection, counts: Counts) -> None:
    """Proves the tables equal to what was counted anew.

    Raises:
        StoreError: a row differs; it is named.
    """
    for table, dimensions, sums, wanted in (
        ("summary", DIMENSIONS, SUMS, counts.days),
        ("hour_summary", HOUR_DIMENSIONS, HOUR_SUMS, counts.hours),
        ("part_summary", PART_DIMENSIONS, PART_SUMS, counts.parts),
    ):
        columns = ", ".join((*dimensions, *sums))
        width = len(dimensions)
        # Constants of this file again.
        found = {
            tuple(row[:width]): tuple(row[width:])
            for row in rows(connection, f"SELECT {columns} FROM {table}")  # noqa: S608
            if any(row[width:])
        }
        expected = {
            key: tuple(row[name] for name in sums)
            for key, row in wanted.items()
            if any(row.values())
        }
        if found != expected:
            wrong = min(
                key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)
            )
            raise StoreError(
                f"The ledger's sums of {wrong[0]} are not what its sales add up to"
                f" ({table}: {', '.join(str(value) for value in wrong)}).",
                remedy="Keep the file as it is and have it looked at before closing the day.",
            )
