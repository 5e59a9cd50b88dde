"""What is done at the counter between two payments: closing the day, printing a copy.

Rules of this file: called on the thread that owns the ledger and the printer. Failures have names
and leave everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from offline_queue.bills import Bills
from offline_queue.closings import Closings
from offline_queue.day_reports import DayReports
from offline_queue.drawer import Drawer
from offline_queue.feedback import keep
from offline_queue.reports import Reports
from offline_queue.store import Store
from terminal import day_events
from terminal.closing import settle_batch, settlement_of
from terminal.errors import HostError, StoreError
from terminal.money import Currency, Total
from terminal.settlement import report as add_up
from terminal.transaction import Transaction
from ui.questions import UNSETTLED, DayShown, FeedbackGiven
from ui.reporting.files import SALE_COLUMNS, csv_of, sale_cells, write_file
from ui.reporting.receipts import in_shop_language
from ui.reporting.sheet import Settled, sheet_of
from ui.reporting.speech import Speech
from ui.wiring import Parts, receipt_of

_DAY_MAX = 1_000_000
_WORST_FIRST = (UNSETTLED, "differs", "carried", "corrected", "balanced")


def close_day(parts: Parts, by: str, *, carry: bool = False) -> DayShown:
    """Closes the open batch and settles it with the acquirer: the Z report, and how that went.

    Batches that an earlier try left unsettled are settled first. Where the acquirer does not
    answer, the day is closed here, and asking once more goes on from there.

    Raises:
        StoreError: something still waits for the acquirer, or the ledger cannot be written.
    """
    closings, reports = Closings(parts.journal.store, parts.clock), Reports(parts.journal.store)
    batches = closings.unsettled()
    batch = reports.open_batch()
    if not batches or reports.transactions(limit=1, batch=batch):
        batches.append(closings.freeze(by=by, carry=carry))
    outcomes = set()
    for number in batches:
        try:
            outcomes.add(settle(parts, closings, number).outcome)
        except HostError:
            outcomes.add(UNSETTLED)
            break
    sales = reports.transactions(limit=_DAY_MAX, batch=batches[-1])
    currency = parts.settings.config.till.currency
    totals = add_up("Z", batches[-1], parts.clock.now(), currency, sales)
    worst = next(each for each in _WORST_FIRST if each in outcomes)
    shown = DayShown(
        totals,
        closed=True,
        settlement=worst,
        cash=cash_of(sales, currency),
        carried=_carried(parts, closings, batches[-1]),
    )
    return with_what_is_open(shown, parts.journal.store)


def with_what_is_open(shown: DayShown, store: Store) -> DayShown:
    """The totals beside what stands open now: bills, awaited transfers, and the cash drawer.

    Raises:
        StoreError: the ledger cannot be read.
    """
    bills = tuple(bill for bill in Bills(store).unpaid() if bill.due.minor)
    awaited = tuple(Reports(store).awaited())
    drawer = Drawer(store, shown.report.currency).standing()
    return replace(shown, bills=bills, awaited=awaited, drawer=drawer)


def _carried(parts: Parts, closings: Closings, batch: int) -> tuple[Transaction, ...]:
    """What a batch has left to the next one, as it stands now."""
    frozen = closings.closing(batch).frozen
    names = frozen.carried if frozen is not None else ()
    return tuple(parts.journal.transaction(name) for name in names)


def cash_of(sales: Iterable[Transaction], currency: Currency) -> Total:
    """What cash has moved into the drawer, in one currency; training moves none."""
    moved = [
        sale.cash_minor for sale in sales if not sale.training and sale.amount.currency == currency
    ]
    return Total(sum(moved), currency)


def settle(parts: Parts, closings: Closings, batch: int) -> Settled:
    """Settles a frozen batch with the acquirer, over a link of its own.

    Raises:
        HostError: there was no good answer; the batch is closed here, and can be settled later.
        StoreError: the ledger cannot be written; the same.
    """
    with closing(parts.acquirer.link()) as link:
        done = settle_batch(closings, link, parts.clock, parts.rules, batch)
    return Settled(done.outcome, done.found)


def export_batch(parts: Parts, store: Store, batch: int) -> Path:
    """Writes a closed batch where it can be taken along, and says which folder that is.

    ``figures.csv`` and ``report.pdf`` are the Z report, ``sales.csv`` has a row for each
    transaction. Written again, they are replaced. It only reads ``store``.

    Raises:
        StoreError: there is no such batch, or the folder cannot be written.
    """
    # What draws a page takes half a second to import, which no start of a till should wait for.
    from ui.reporting import page  # noqa: PLC0415 - see above
    from ui.reporting.written import write_report  # noqa: PLC0415 - see above

    settings, closings = parts.settings, Closings(store, parts.clock)
    shop, currency = settings.config.shop, settings.config.till.currency
    found = DayReports(store).of_batch("Z", batch, parts.clock.now(), currency)
    done = settlement_of(closings, batch)
    settled = Settled(done.outcome, done.found) if done is not None else Settled()
    folder = settings.data_dir / "exports" / f"batch-{batch}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise StoreError(
            f"{folder} cannot be made ({cause.strerror}).", remedy="Make room on the disk."
        ) from cause
    speech = Speech(shop.language)
    pdf = folder / "report.pdf" if page.AVAILABLE else None
    for number, report in enumerate(found):
        sheet = sheet_of(report, speech, shop.name, settings.zone, settled)
        list(write_report(sheet, report, number, pdf=pdf, csv=folder / "figures.csv"))
    rows = [dict(sale_cells(sale)) for sale in closings.sales_of(batch) if not sale.training]
    write_file(folder / "sales.csv", csv_of(SALE_COLUMNS, rows).encode())
    return folder


def keep_feedback(parts: Parts, given: FeedbackGiven) -> str:
    """Records the face that a customer touched; says whether it counts.

    Raises:
        StoreError: the ledger cannot be written.
    """
    # The face counts from 0; the ledger's scores go from 1 (bad) to 3 (good).
    event = day_events.FeedbackGiven(parts.clock.now(), given.txn_id, given.face + 1)
    return "kept" if keep(parts.journal.store, event) else "known"


def print_copy(parts: Parts, txn_id: str) -> str:
    """Prints a copy of a sale's receipt, and says where it went.

    Raises:
        StoreError: there is no such sale, or it met no card.
        PrinterError: it did not come out.
    """
    sale = parts.journal.transaction(txn_id)
    receipt = receipt_of(parts, sale)
    if receipt is None:
        raise StoreError("This sale met no card, so it has no receipt.")
    copy = replace(receipt, copy=True)
    return parts.printer.print(copy.number, in_shop_language(parts, copy))
