"""Totals of a batch: what the X and the Z report say, from recorded sales alone.

Rules of this file: every sale of the batch is counted in exactly one row, whatever its state,
and a sum never mixes currencies. A sale enters the batch when it is given its STAN; one that
was cancelled, or that the card declined, never had money in it and is in none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from terminal.money import Currency, Total
from terminal.transaction import FINAL, State, Transaction, TransactionKind


@dataclass(frozen=True, slots=True)
class TotalRow:
    """How many sales stand in one state, and their sum. Approved sales count what was approved."""

    state: State
    count: int
    total: Total

    @property
    def pending(self) -> bool:
        """Whether these sales still wait for something."""
        return self.state not in FINAL


@dataclass(frozen=True, slots=True)
class SchemeRow:
    """Approved sales of one card scheme."""

    scheme: str
    count: int
    total: Total


@dataclass(frozen=True, slots=True)
class Report:
    """An X report (any moment, changes nothing) or a Z report (closes the batch)."""

    kind: str
    batch: int
    at: datetime
    currency: Currency
    rows: tuple[TotalRow, ...]
    schemes: tuple[SchemeRow, ...]
    refunds: tuple[TotalRow, ...] = ()

    @property
    def approved(self) -> Total:
        """What the acquirer has approved."""
        return _sum(self.currency, [r.total for r in self.rows if r.state is State.APPROVED])

    @property
    def pending(self) -> Total:
        """The sum over all states that are not final."""
        return _sum(self.currency, [row.total for row in self.rows if row.pending])

    @property
    def pending_count(self) -> int:
        """How many sales are not final."""
        return sum(row.count for row in self.rows if row.pending)


def _sum(currency: Currency, totals: Iterable[Total]) -> Total:
    return Total(sum(total.minor for total in totals), currency)


def counted_minor(sale: Transaction) -> int:
    """What a sale adds to its row: the approved part of an approved sale, else its amount."""
    return sale.approved_minor if sale.state is State.APPROVED else sale.amount.minor


def report(
    kind: str, batch: int, at: datetime, currency: Currency, sales: Iterable[Transaction]
) -> Report:
    """Adds up one currency's sales of one batch. Training sales are no sales.

    What was given back stands in ``refunds``, by state too, and is in no other row.
    """
    refunds: dict[State, list[int]] = {}
    states: dict[State, list[int]] = {}
    schemes: dict[str, list[int]] = {}
    for sale in sales:
        if sale.amount.currency != currency or sale.training:
            continue
        rows = refunds if sale.kind is TransactionKind.REFUND else states
        rows.setdefault(sale.state, []).append(counted_minor(sale))
        if rows is refunds:
            continue
        if sale.state is State.APPROVED and sale.card is not None:
            schemes.setdefault(sale.card.scheme, []).append(sale.approved_minor)
    return Report(
        kind=kind,
        batch=batch,
        at=at,
        currency=currency,
        rows=_rows(states, currency),
        schemes=tuple(
            SchemeRow(scheme, len(minors), Total(sum(minors), currency))
            for scheme, minors in sorted(schemes.items())
        ),
        refunds=_rows(refunds, currency),
    )


def _rows(states: dict[State, list[int]], currency: Currency) -> tuple[TotalRow, ...]:
    return tuple(
        TotalRow(state, len(states[state]), Total(sum(states[state]), currency))
        for state in State
        if state in states
    )
