"""What a batch, a day or a year adds up to: the figures of the X and Z reports.

Rules of this file: pure, in one currency, from rows that are sums already (``SumRow`` and its
companions); where those come from does not matter. Every transaction of the rows is in exactly
one figure. Sales are what was sold and stands, completed holds among them; what was given back
is in refunds and never taken off sales silently; ``net`` is the one less the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from terminal.drawer import DrawerStanding
from terminal.money import Currency
from terminal.states import State
from terminal.terms import Tender, TransactionKind


@dataclass(frozen=True, slots=True)
class SumRow:
    """Transactions that have all of this in common, and their sums in minor units.

    ``counted_minor`` is the booked part of an approved one, else what was asked for.
    """

    currency: str
    kind: TransactionKind
    tender: Tender
    scheme: str
    cashier: str
    state: State
    stored_offline: bool
    count: int
    asked_minor: int
    counted_minor: int
    tip_minor: int
    tax_minor: int
    rounding_minor: int


@dataclass(frozen=True, slots=True)
class SpanRow:
    """Approved transactions of one hour (``09``) or day (``2026-11-25``)."""

    span: str
    currency: str
    kind: TransactionKind
    count: int
    counted_minor: int


@dataclass(frozen=True, slots=True)
class PartRow:
    """What approved transactions were for: an item group at a tax rate in basis points."""

    currency: str
    kind: TransactionKind
    group: str
    rate_bp: int
    count: int
    gross_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class OpenRow:
    """What stands open now: ``awaited`` transfers, or what is ``due`` of bills."""

    name: str
    currency: str
    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class Figure:
    """How many, and how much; a sum may be negative where refunds outweigh sales."""

    count: int = 0
    minor: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: what was sold, what was given back, and what is left of the two."""

    name: str
    sold: Figure
    refunded: Figure

    @property
    def net_minor(self) -> int:
        """Sold, less refunded."""
        return self.sold.minor - self.refunded.minor


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax rate: gross and the tax in it, refunds taken off."""

    rate_bp: int
    gross_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class DayReport:
    """All figures of a report. ``title`` is ``X``, ``Z`` or a period; ``batch`` None for one.

    ``awaited`` are bank transfers that nobody has confirmed, ``due`` the bills on which something
    is left to pay, both as they stand now, like the ``drawer``: they belong to no day, and are in
    no other figure.
    """

    title: str
    at: datetime
    currency: Currency
    batch: int | None
    first_day: str
    last_day: str
    sales: Figure
    refunds: Figure
    voids: Figure
    tips: Figure
    rounding_minor: int
    cash_minor: int
    declined: Figure
    declined_later: Figure
    stored: Figure
    set_aside: Figure
    unknown: Figure
    held: Figure
    awaited: Figure
    due: Figure
    drawer: DrawerStanding | None
    tenders: tuple[Line, ...]
    schemes: tuple[Line, ...]
    cashiers: tuple[Line, ...]
    spans: tuple[Line, ...]
    groups: tuple[Line, ...]
    taxes: tuple[TaxLine, ...]

    @property
    def net_minor(self) -> int:
        """Sales less refunds."""
        return self.sales.minor - self.refunds.minor

    @property
    def tax_minor(self) -> int:
        """The tax in sales less refunds, as far as rates were stated."""
        return sum(tax.tax_minor for tax in self.taxes)

    @property
    def pending(self) -> Figure:
        """What has no final answer yet."""
        waiting = (self.stored, self.set_aside, self.unknown)
        return Figure(sum(f.count for f in waiting), sum(f.minor for f in waiting))


@dataclass(frozen=True, slots=True)
class Period:
    """What a report is about, and what stands open while it is made."""

    title: str
    at: datetime
    batch: int | None = None
    first_day: str = ""
    last_day: str = ""
    standing: tuple[OpenRow, ...] = ()
    drawer: DrawerStanding | None = None


def add_up(
    period: Period,
    currency: Currency,
    rows: Iterable[SumRow],
    spans: Iterable[SpanRow],
    parts: Iterable[PartRow],
) -> DayReport:
    """The report of one currency."""
    own = [row for row in rows if row.currency == currency.code]
    sold = [row for row in own if _is_sold(row)]
    given = [row for row in own if _is_refund(row) and row.state is State.APPROVED]
    in_parts = [part for part in parts if part.currency == currency.code]
    cash = [row for row in (*sold, *given) if row.tender is Tender.CASH]

    def lines(name: Callable[[SumRow], str]) -> tuple[Line, ...]:
        return _lines(
            [(name(row), row.count, row.counted_minor) for row in sold],
            [(name(row), row.count, row.counted_minor) for row in given],
        )

    def standing(*states: State) -> Figure:
        found = [row for row in own if row.state in states and not _is_refund(row)]
        return _figure(found)

    def open_now(name: str) -> Figure:
        found = [r for r in period.standing if (r.name, r.currency) == (name, currency.code)]
        return Figure(sum(row.count for row in found), sum(row.minor for row in found))

    in_spans = [span for span in spans if span.currency == currency.code]
    return DayReport(
        title=period.title,
        at=period.at,
        currency=currency,
        batch=period.batch,
        first_day=period.first_day,
        last_day=period.last_day,
        sales=_figure(sold),
        refunds=_figure(given),
        voids=_figure([row for row in own if row.state is State.VOIDED]),
        tips=Figure(minor=sum(row.tip_minor for row in sold) - sum(row.tip_minor for row in given)),
        rounding_minor=sum(_sign(row) * row.rounding_minor for row in cash),
        cash_minor=sum(_sign(row) * (row.counted_minor + row.rounding_minor) for row in cash),
        declined=standing(State.DECLINED),
        declined_later=standing(State.DECLINED_AFTER_FORWARD),
        stored=standing(State.STORED),
        set_aside=standing(State.SET_ASIDE),
        unknown=standing(State.UNKNOWN, State.AUTHORISING, State.VOIDING, State.AWAITED),
        held=standing(State.HELD),
        awaited=open_now("awaited"),
        due=open_now("due"),
        drawer=period.drawer if period.drawer and period.drawer.currency == currency else None,
        tenders=lines(lambda row: row.tender.value),
        schemes=lines(lambda row: row.scheme if row.tender is Tender.CARD else ""),
        cashiers=lines(lambda row: row.cashier),
        spans=_by_kind([(s.span, s.kind, s.count, s.counted_minor) for s in in_spans]),
        groups=_by_kind([(p.group, p.kind, p.count, p.gross_minor) for p in in_parts]),
        taxes=_taxes(in_parts),
    )


def _is_refund(row: SumRow) -> bool:
    return row.kind is TransactionKind.REFUND


def _is_sold(row: SumRow) -> bool:
    return row.state is State.APPROVED and not _is_refund(row)


def _sign(row: SumRow) -> int:
    return -1 if _is_refund(row) else 1


def _figure(rows: Iterable[SumRow]) -> Figure:
    found = list(rows)
    return Figure(sum(row.count for row in found), sum(row.counted_minor for row in found))


def _lines(
    sold: Iterable[tuple[str, int, int]], given: Iterable[tuple[str, int, int]]
) -> tuple[Line, ...]:
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    sums: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for side, found in enumerate((sold, given)):
        for name, count, minor in found:
            counts[side][name] += count
            sums[side][name] += minor
    return tuple(
        Line(
            name,
            Figure(counts[0][name], sums[0][name]),
            Figure(counts[1][name], sums[1][name]),
        )
        for name in sorted(counts[0].keys() | counts[1].keys())
    )


def _by_kind(found: Iterable[tuple[str, TransactionKind, int, int]]) -> tuple[Line, ...]:
    everything = list(found)
    return _lines(
        [(n, c, m) for n, kind, c, m in everything if kind is not TransactionKind.REFUND],
        [(n, c, m) for n, kind, c, m in everything if kind is TransactionKind.REFUND],
    )


def _taxes(parts: Iterable[PartRow]) -> tuple[TaxLine, ...]:
    gross: Counter[int] = Counter()
    tax: Counter[int] = Counter()
    for part in parts:
        sign = -1 if part.kind is TransactionKind.REFUND else 1
        gross[part.rate_bp] += sign * part.gross_minor
        tax[part.rate_bp] += sign * part.tax_minor
    return tuple(TaxLine(rate, gross[rate], tax[rate]) for rate in sorted(gross))
