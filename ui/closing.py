"""What the commands about a day do: X, Z, a period, and the files they are written to.

Rules of this file: an X report and a period only read, also beside a running till. A Z report
drains the queue, freezes the batch, settles it with the acquirer and prints; cut off anywhere, it
goes on when it is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import click

from offline_queue.closings import Closings
from offline_queue.day_reports import DayReports
from offline_queue.store import Store
from terminal.dayreport import DayReport
from terminal.errors import HostError, StoreError
from terminal.money import Currency
from terminal.roles import Action
from ui.attended import forward
from ui.books import require_ledger
from ui.counter import settle
from ui.pins import supervisor
from ui.reporting.files import report_json
from ui.reporting.paper import lines_of
from ui.reporting.sheet import Settled, sheet_of
from ui.reporting.speech import Speech
from ui.reporting.written import write_report
from ui.tables import print_json, print_sheet
from ui.wiring import Parts, Settings, assembled


@dataclass(frozen=True, slots=True)
class Files:
    """Where a report is written beside the screen; None for nowhere."""

    pdf: Path | None = None
    csv: Path | None = None
    as_json: bool = False
    language: str = ""
    printed: bool = False


@contextmanager
def _reading(settings: Settings) -> Iterator[DayReports]:
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        yield DayReports(store)


def interim(settings: Settings, files: Files) -> int:
    """The X report: the open batch as it stands. It changes nothing."""
    with _reading(settings) as reports, Store.read_only(settings.ledger_path) as store:
        with store.read() as connection:
            batch = connection.execute(
                "SELECT number FROM batch WHERE closed_at IS NULL"
            ).fetchone()
        if batch is None:
            raise StoreError("The ledger has no open batch.", remedy="Start the till once.")
        found = reports.of_batch("X", int(str(batch[0])), datetime.now(UTC), _own(settings))
    return show(settings, found, files)


def period(settings: Settings, title: str, first_day: str, last_day: str, files: Files) -> int:
    """A report of days, from their sums. It changes nothing."""
    for day in (first_day, last_day):
        try:
            date.fromisoformat(day)
        except ValueError as cause:
            raise StoreError(f"{day!r} is not a day.", remedy="Write 2026-11-25.") from cause
    if first_day > last_day:
        raise StoreError(f"{first_day} is after {last_day}.", remedy="Name the first day first.")
    with _reading(settings) as reports:
        found = reports.of_days(title, first_day, last_day, datetime.now(UTC), _own(settings))
    return show(settings, found, files)


def close_day(settings: Settings, files: Files, *, by: str, carry: bool) -> int:
    """The Z report: drains, freezes, settles, prints. 1 when the acquirer has yet to settle."""
    require_ledger(settings)
    with assembled(settings) as parts:
        by = supervisor(parts, by, Action.CLOSE_BATCH)
        closings = Closings(parts.journal.store, parts.clock)
        earlier = closings.unsettled()
        if not earlier:
            forward(parts, [])
            for waiting in closings.unanswered():
                sale = waiting.transaction
                click.echo(
                    f"No. {sale.sequence} ({sale.amount}) is {sale.state.value}. {waiting.advice}",
                    err=True,
                )
            earlier = [closings.freeze(by=by, carry=carry)]
        code = 0
        for batch in earlier:
            settled = _settled(parts, closings, batch)
            title, now = "Z", parts.clock.now()
            found = DayReports(parts.journal.store).of_batch(title, batch, now, _own(settings))
            show(settings, found, files, settled, parts)
            good = settled.outcome in {"balanced", "corrected", "carried"}
            code = max(code, 0 if good else 1)
    return code


def _settled(parts: Parts, closings: Closings, batch: int) -> Settled:
    try:
        return settle(parts, closings, batch)
    except HostError as failed:
        click.echo(
            f"taptill: {failed.message} The batch is closed here; ask for the Z report again to"
            " settle it with the acquirer.",
            err=True,
        )
        return Settled()


def _own(settings: Settings) -> Currency:
    return settings.config.till.currency


def show(
    settings: Settings,
    found: Sequence[DayReport],
    files: Files,
    settled: Settled | None = None,
    parts: Parts | None = None,
) -> int:
    """Puts reports on the screen and into the files that were asked for."""
    speech = Speech(files.language or settings.config.shop.language)
    sheets = [
        sheet_of(report, speech, settings.config.shop.name, settings.zone, settled)
        for report in found
    ]
    if files.as_json:
        own, *others = [report_json(report) for report in found]
        outcome = settled.outcome if settled is not None else ""
        print_json({**own, "settlement": outcome, "other_currencies": others})
    else:
        for sheet in sheets:
            print_sheet(sheet)
    for number, sheet in enumerate(sheets):
        written = write_report(sheet, found[number], number, pdf=files.pdf, csv=files.csv)
        for path in written:
            click.echo(f"Written: {path}", err=True)
        if files.printed and parts is not None:
            name = f"{sheet.title}-{found[number].batch or 0}-{number}"
            safe = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
            click.echo(f"Printed: {parts.printer.print(safe, lines_of(sheet))}")
    return 0
