"""A report in the files that were asked for: a page of PDF, and the figures as CSV.

Rules of this file: each file is whole or it is not there. A report in another currency than the
till's has its code in its name, so that it never takes the place of the till's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from terminal.dayreport import DayReport
from ui.reporting.files import REPORT_COLUMNS, csv_of, report_rows, write_file
from ui.reporting.page import page_of
from ui.reporting.sheet import Sheet


def write_report(
    sheet: Sheet, report: DayReport, number: int, *, pdf: Path | None, csv: Path | None
) -> Iterator[Path]:
    """Writes report ``number`` of a batch or of days (0 is the till's own currency).

    Gives the path of each file once it is written.

    Raises:
        StoreError: a file cannot be written.
        ConfigError: a page was asked for, and what draws it is not installed.
    """

    def own(path: Path) -> Path:
        return path.with_stem(f"{path.stem}-{report.currency.code}") if number else path

    if pdf is not None:
        write_file(own(pdf), page_of(sheet))
        yield own(pdf)
    if csv is not None:
        write_file(own(csv), csv_of(REPORT_COLUMNS, report_rows(report)).encode())
        yield own(csv)
