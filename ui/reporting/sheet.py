"""A report as a sheet: words and figures in their places, whoever draws it.

Rules of this file: everything that is said is said here, once, in one language; the page, the
paper strip and the screen draw the same sheet, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from terminal.dayreport import DayReport, Figure, Line
from terminal.drawer import DrawerStanding
from terminal.reconciliation import Difference
from ui.reporting.speech import Speech


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure with its name. ``alert`` is one that somebody has to look at."""

    label: str
    value: str
    note: str = ""
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: headings, rows of as many cells, the first of each a name.

    ``across`` is one whose rows are a name and a value each: a page puts them beside each other.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    across: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, with the net in minor units that it stands for."""

    label: str
    minor: int
    value: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A report, ready to be drawn. ``facts`` begin with the most important one."""

    shop: str
    title: str
    subtitle: str
    facts: tuple[Fact, ...]
    waiting: tuple[Fact, ...]
    chart_title: str
    bars: tuple[Bar, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    footer: str
    rtl: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What the acquirer said about a batch; ``outcome`` empty where it was not asked yet."""

    outcome: str = ""
    found: tuple[Difference, ...] = ()


_TITLES = {"X": "Interim report", "Z": "End of day"}


def sheet_of(
    report: DayReport, speech: Speech, shop: str, zone: tzinfo, settled: Settled | None = None
) -> Sheet:
    """The sheet of a report. ``settled`` is None for a report that settles nothing."""
    tell = speech.tell
    printed = report.at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    days = speech.day(report.first_day)
    if report.last_day != report.first_day:
        days = f"{days} \N{EN DASH} {speech.day(report.last_day)}"
    parts = [days, report.currency.code]
    if report.batch is not None:
        parts.insert(0, tell("Batch {number}", number=speech.digits(str(report.batch))))
    title = tell(_TITLES.get(report.title, report.title))
    return Sheet(
        shop=shop,
        title=f"{title} ({report.title})" if report.title in _TITLES else title,
        subtitle=" · ".join(filter(None, parts)),
        facts=_facts(report, speech),
        waiting=_waiting(report, speech),
        chart_title=tell("Sales less refunds"),
        bars=tuple(
            Bar(speech.digits(line.name), line.net_minor, _money(report, speech, line.net_minor))
            for line in report.spans
        ),
        tables=_tables(report, speech),
        notes=_notes(report, speech, settled),
        footer=tell("Printed {time}", time=speech.moment(printed)),
        rtl=speech.rtl,
    )


def _money(report: DayReport, speech: Speech, minor: int) -> str:
    return speech.money(minor, report.currency)


def _fact(report: DayReport, speech: Speech, label: str, figure: Figure, **look: bool) -> Fact:
    note = speech.digits(str(figure.count)) if figure.count else ""
    return Fact(speech.tell(label), _money(report, speech, figure.minor), note, **look)


def _facts(report: DayReport, speech: Speech) -> tuple[Fact, ...]:
    net = Fact(speech.tell("Net"), _money(report, speech, report.net_minor))
    facts = [
        net,
        _fact(report, speech, "Sales", report.sales),
        _fact(report, speech, "Refunds", report.refunds),
        _fact(report, speech, "Tips", report.tips),
        Fact(speech.tell("Tax included"), _money(report, speech, report.tax_minor)),
        _fact(report, speech, "Voids", report.voids),
    ]
    if report.cash_minor or report.rounding_minor:
        facts += [
            Fact(speech.tell("Cash taken"), _money(report, speech, report.cash_minor)),
            Fact(speech.tell("Cash rounding"), _money(report, speech, report.rounding_minor)),
        ]
    return tuple(facts)


def _waiting(report: DayReport, speech: Speech) -> tuple[Fact, ...]:
    found = (
        ("Stored, not yet sent", report.stored),
        ("Not known yet", report.unknown),
        ("Set aside", report.set_aside),
        ("Declined after sending", report.declined_later),
        ("Held on cards", report.held),
        ("Transfers not confirmed", report.awaited),
        ("Still due on bills", report.due),
    )
    return tuple(
        _fact(report, speech, label, figure, alert=True) for label, figure in found if figure.count
    )


def _tables(report: DayReport, speech: Speech) -> tuple[Table, ...]:
    tell = speech.tell
    names = {"card": tell("Card"), "cash": tell("Cash"), "transfer": tell("Bank transfer")}
    tables = [
        _table(report, speech, "Tender", report.tenders, names),
        _table(report, speech, "Card scheme", [line for line in report.schemes if line.name], {}),
        _table(report, speech, "Item group", report.groups, {"": tell("Other")}),
    ]
    if report.taxes:
        headings = (tell("Tax rate"), tell("Gross"), tell("Tax"))
        tables.append(
            Table(
                tell("Tax"),
                headings,
                tuple(
                    (
                        speech.digits(_percent(tax.rate_bp)),
                        _money(report, speech, tax.gross_minor),
                        _money(report, speech, tax.tax_minor),
                    )
                    for tax in report.taxes
                ),
            )
        )
    if report.drawer is not None:
        tables.append(_drawer(report, report.drawer, speech))
    tables.append(_table(report, speech, "Cashier", report.cashiers, {"": tell("No name")}))
    return tuple(table for table in tables if table.rows)


def _drawer(report: DayReport, drawer: DrawerStanding, speech: Speech) -> Table:
    tell = speech.tell
    figures = [
        ("Float", drawer.float_minor),
        ("Cash taken", drawer.taken_minor),
        ("Put in", drawer.put_in_minor),
        ("Taken out", -drawer.taken_out_minor),
        ("Should be there", drawer.expected_minor),
    ]
    if drawer.counted_minor is not None:
        figures += [("Counted", drawer.counted_minor), ("Difference", drawer.difference_minor)]
    return Table(
        tell("Cash drawer"),
        (tell("Cash drawer"), tell("Amount")),
        tuple((tell(name), _money(report, speech, minor)) for name, minor in figures),
        across=True,
    )


def _percent(rate_bp: int) -> str:
    whole, part = divmod(rate_bp, 100)
    return f"{whole}.{part:02d} %" if part else f"{whole} %"


def _table(
    report: DayReport,
    speech: Speech,
    title: str,
    lines: Sequence[Line],
    names: dict[str, str],
) -> Table:
    tell = speech.tell
    headings = (tell(title), tell("Count"), tell("Sales"), tell("Refunds"), tell("Net"))
    return Table(
        tell(title),
        headings,
        tuple(
            (
                names.get(line.name, line.name),
                speech.digits(str(line.sold.count)),
                _money(report, speech, line.sold.minor),
                _money(report, speech, line.refunded.minor),
                _money(report, speech, line.net_minor),
            )
            for line in lines
        ),
    )


def _notes(report: DayReport, speech: Speech, settled: Settled | None) -> tuple[str, ...]:
    tell = speech.tell
    if settled is None:
        return (tell("This report changes nothing."),) if report.title == "X" else ()
    outcomes = {
        "": "The acquirer has not settled this batch yet.",
        "balanced": "The acquirer agrees to the cent.",
        "corrected": "The acquirer differed, and agrees after it was told each sale:",
        "carried": "The acquirer differs only about what had no answer, and was carried over:",
        "differs": "The acquirer differs about these, and somebody has to ask it:",
    }
    notes = [tell(outcomes[settled.outcome])]
    for one in settled.found:
        if one.currency != report.currency.code:
            continue
        ours, host = (speech.money(m, report.currency) for m in (one.ours_minor, one.host_minor))
        numbers = f"STAN {one.stan:06d}, RRN {one.rrn}"
        notes.append(
            tell(
                "{numbers}: here {ours}, at the acquirer {host} ({how})",
                numbers=numbers,
                ours=ours,
                host=host,
                how=tell(one.how.name.lower()),
            )
        )
    return tuple(notes)
