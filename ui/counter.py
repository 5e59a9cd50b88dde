"""What is done at the counter between two payments: closing the day, printing a copy.

Rules of this file: called on the thread that owns the ledger and the printer. Failures have names
and leave everything as it was.
"""

from __future__ import annotations

from dataclasses import replace

from offline_queue.reports import Reports
from terminal.errors import StoreError
from terminal.settlement import Report
from terminal.settlement import report as add_up
from ui.reporting.receipts import in_shop_language
from ui.wiring import Parts, receipt_of

_DAY_MAX = 1_000_000


def close_day(parts: Parts) -> Report:
    """Adds the open batch up, closes it, and opens the next.

    Raises:
        StoreError: something still waits for the acquirer, or the ledger cannot be written.
    """
    reports = Reports(parts.journal.store)
    batch = reports.open_batch()
    sales = reports.transactions(limit=_DAY_MAX, batch=batch)
    totals = add_up("Z", batch, parts.clock.now(), parts.settings.config.till.currency, sales)
    if totals.pending_count:
        raise StoreError(
            f"{totals.pending_count} sales have no final answer yet, so the batch stays open.",
            remedy="Send what waits, then close again.",
        )
    parts.journal.close_batch()
    return totals


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
