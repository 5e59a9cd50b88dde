"""Reports and sales as files for other programs: CSV, JSON, and double entry for bookkeepers.

Rules of this file: numbers are written with a dot and ASCII digits, days as ISO 8601, columns
have names that stay. A file is complete or it is not there.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

from terminal.dayreport import DayReport
from terminal.drawer import DrawerStanding
from terminal.errors import StoreError
from terminal.money import Amount, Currency, Total
from terminal.terms import Tender, TransactionKind
from terminal.transaction import State, Transaction

SALE_COLUMNS = (
    *("number", "transaction", "day", "time", "kind", "state", "tender", "scheme", "card"),
    *("currency", "amount", "booked", "tip", "tax", "rounding", "cashier", "batch", "rrn"),
    *("approval_code", "original", "bill", "stored_offline"),
)


def decimal(minor: int, currency: Currency) -> str:
    """A signed number with the decimals of its currency: ``-12.50``."""
    return f"{'-' if minor < 0 else ''}{Total(abs(minor), currency).decimal}"


def sale_cells(sale: Transaction) -> dict[str, str | int]:
    """One transaction as the columns of an export."""
    currency, terms = sale.amount.currency, sale.terms
    return {
        "number": sale.sequence,
        "transaction": sale.txn_id,
        "day": terms.day,
        "time": sale.created_at.isoformat(),
        "kind": terms.kind.value,
        "state": sale.state.value,
        "tender": terms.tender.value,
        "scheme": sale.card.scheme if sale.card else "",
        "card": sale.card.masked_pan if sale.card else "",
        "currency": currency.code,
        "amount": sale.amount.decimal,
        "booked": Amount(sale.approved_minor, currency).decimal,
        "tip": Amount(terms.tip_minor, currency).decimal,
        "tax": Amount(terms.tax_minor, currency).decimal,
        "rounding": decimal(sale.rounding_minor, currency),
        "cashier": sale.cashier,
        "batch": sale.batch or "",
        "rrn": sale.rrn,
        "approval_code": sale.approval_code,
        "original": terms.original,
        "bill": terms.bill,
        "stored_offline": int(sale.stored_offline),
    }


def csv_of(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """Rows as CSV (RFC 4180). A text that a spreadsheet would run as a formula is quoted for it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return out.getvalue()


def _inert(value: object) -> object:
    numeric = isinstance(value, str) and value.lstrip("-").replace(".", "", 1).isdigit()
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} and not numeric:
        return f"'{value}"
    return value


def report_rows(report: DayReport) -> list[dict[str, Any]]:
    """A report as rows of section, name, count and sums."""
    currency = report.currency

    def row(section: str, name: str, count: int, sold: int, refunded: int) -> dict[str, Any]:
        return {
            "section": section,
            "name": name,
            "count": count,
            "sold": decimal(sold, currency),
            "refunded": decimal(refunded, currency),
            "net": decimal(sold - refunded, currency),
            "currency": currency.code,
        }

    rows = [row("total", "all", report.sales.count, report.sales.minor, report.refunds.minor)]
    for section, lines in (
        ("tender", report.tenders),
        ("scheme", report.schemes),
        ("cashier", report.cashiers),
        ("span", report.spans),
        ("group", report.groups),
    ):
        rows += [
            row(section, line.name, line.sold.count, line.sold.minor, line.refunded.minor)
            for line in lines
        ]
    rows += [row("tax", f"{t.rate_bp / 100:.2f}", 0, t.tax_minor, 0) for t in report.taxes]
    rows.append(row("tips", "all", report.tips.count, report.tips.minor, 0))
    if report.drawer is not None:
        figures = drawer_cells(report.drawer)
        rows += [row("drawer", name, 0, minor, 0) for name, minor in figures.items()]
    return rows


def drawer_cells(drawer: DrawerStanding) -> dict[str, int]:
    """A drawer's figures in minor units; without a count the last two are not there."""
    figures = {
        "float": drawer.float_minor,
        "taken": drawer.taken_minor,
        "put_in": drawer.put_in_minor,
        "taken_out": drawer.taken_out_minor,
        "expected": drawer.expected_minor,
    }
    if drawer.counted_minor is not None:
        figures |= {"counted": drawer.counted_minor, "difference": drawer.difference_minor}
    return figures


REPORT_COLUMNS = ("section", "name", "count", "sold", "refunded", "net", "currency")


def report_json(report: DayReport) -> dict[str, Any]:
    """A report as JSON: every figure in minor units, with its currency."""
    values = asdict(report)
    values["at"] = report.at.isoformat()
    values["currency"] = report.currency.code
    values["exponent"] = report.currency.exponent
    values["report"] = report.title
    values["approved"] = decimal(report.sales.minor, report.currency)
    values["net_minor"] = report.net_minor
    values["tax_minor"] = report.tax_minor
    if report.drawer is not None:
        values["drawer"] = {f"{n}_minor": m for n, m in drawer_cells(report.drawer).items()}
    values["pending"] = asdict(report.pending)
    return values


class Account(Enum):
    """The accounts of the double entry, with their numbers in the SKR 03 chart that DATEV uses."""

    CASH = ("Assets:Cash", "1000")
    CARDS = ("Assets:Card receivables", "1360")
    TRANSFERS = ("Assets:Bank", "1200")
    SALES = ("Income:Sales", "8400")
    TAX = ("Liabilities:Sales tax", "1776")
    TIPS = ("Liabilities:Tips", "1746")
    ROUNDING = ("Income:Cash rounding", "2660")

    @property
    def title(self) -> str:
        """Its name in a plain-text ledger."""
        return self.value[0]

    @property
    def number(self) -> str:
        """Its number in SKR 03."""
        return self.value[1]


_PAID_INTO = {
    Tender.CARD: Account.CARDS,
    Tender.CASH: Account.CASH,
    Tender.TRANSFER: Account.TRANSFERS,
}


def postings(sale: Transaction) -> list[tuple[Account, int]]:
    """What a booked transaction moves, in minor units; the postings add up to zero."""
    if sale.state is not State.APPROVED:
        return []
    sign = -1 if sale.kind is TransactionKind.REFUND else 1
    terms, booked = sale.terms, sale.approved_minor
    goods = booked - terms.tip_minor - terms.tax_minor
    moved = [
        (_PAID_INTO[terms.tender], booked + sale.rounding_minor),
        (Account.SALES, -goods),
        (Account.TAX, -terms.tax_minor),
        (Account.TIPS, -terms.tip_minor),
        (Account.ROUNDING, -sale.rounding_minor),
    ]
    return [(account, sign * minor) for account, minor in moved if minor]


def plain_ledger(sales: Iterable[Transaction]) -> str:
    """Double entry as plain-text accounting programs (ledger, hledger) import it."""
    entries = []
    for sale in sales:
        moved = postings(sale)
        if not moved:
            continue
        currency = sale.amount.currency
        lines = [f"{sale.terms.day} * ({sale.sequence}) {sale.kind.value}  ; {sale.txn_id}"]
        lines += [
            f"    {account.title:<40}{decimal(minor, currency):>14} {currency.code}"
            for account, minor in moved
        ]
        entries.append("\n".join(lines))
    return "\n\n".join(entries) + ("\n" if entries else "")


DATEV_COLUMNS = (
    *("Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Konto"),
    *("Gegenkonto (ohne BU-Schlüssel)", "Belegdatum", "Belegfeld 1", "Buchungstext"),
)


def datev_rows(sales: Iterable[Transaction]) -> list[dict[str, str]]:
    """Bookings in the columns of DATEV's Buchungsstapel: one row for each posting but the first."""
    found = []
    for sale in sales:
        moved = postings(sale)
        for account, minor in moved[1:]:
            currency, day = sale.amount.currency, sale.terms.day
            total = Total(abs(minor), currency).decimal.replace(".", ",")
            found.append(
                dict(
                    zip(
                        DATEV_COLUMNS,
                        (
                            *(total, "S" if minor < 0 else "H", currency.code),
                            *(moved[0][0].number, account.number, f"{day[8:10]}{day[5:7]}"),
                            *(str(sale.sequence), f"{sale.kind.value} {sale.rrn}".strip()),
                        ),
                        strict=True,
                    )
                )
            )
    return found


def write_file(path: Path, content: bytes) -> None:
    """Puts a file in place, whole.

    Raises:
        StoreError: the folder cannot be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as cause:
        raise StoreError(
            f"{path} cannot be written ({cause.strerror}).", remedy="Name another file or folder."
        ) from cause
