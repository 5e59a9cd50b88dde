"""The commands of the merchant's day.

Rules of this file: as in ``ui.cli``: parse here, act elsewhere, import nothing heavy early.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.cli import with_settings

if TYPE_CHECKING:
    # For real they are imported by the command that runs: --help must not wait for them.
    from ui.wiring import Settings


@click.command(short_help="Print a report: x, z (closes the day), day, year, or a period.")
@click.argument("kind", type=click.Choice(["x", "z", "day", "year", "period"]))
@click.argument("days", nargs=-1)
@click.option("--pdf", type=click.Path(path_type=Path), help="Write a page of PDF here.")
@click.option("--csv", type=click.Path(path_type=Path), help="Write the figures here as CSV.")
@click.option("--language", default="", help="en, es, fr, bg or fa. Default: the shop's.")
@click.option("--print", "printed", is_flag=True, help="Print it on paper (z only).")
@click.option("--carry", is_flag=True, help="z: carry over what has no answer yet.")
@click.option("--by", default="", help="Who closes the day, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def report(  # noqa: PLR0913 - a command has as many options as it has
    *,
    settings: Settings,
    kind: str,
    days: tuple[str, ...],
    pdf: Path | None,
    csv: Path | None,
    language: str,
    printed: bool,
    carry: bool,
    by: str,
    as_json: bool,
) -> int:
    """Print figures: "x", "z", "day 2026-11-25", "year 2026", "period 2026-11-01 2026-11-30".

    The X report is the open batch as it stands; it changes nothing, like those of days. The Z
    report forwards what waits, closes the batch, and settles it with the acquirer; where the two
    differ it names each sale. It is refused while a sale has no answer, unless --carry.
    """
    from ui import closing  # noqa: PLC0415 - --help must not wait for everything else

    files = closing.Files(pdf, csv, as_json, language, printed)
    wanted = {"x": 0, "z": 0, "day": 1, "year": 1, "period": 2}[kind]
    if len(days) != wanted:
        raise click.UsageError(f"report {kind} takes {wanted} days or years.")
    match kind:
        case "x":
            return closing.interim(settings, files)
        case "z":
            return closing.close_day(settings, files, by=by, carry=carry)
        case "year":
            return closing.period(settings, "Year", f"{days[0]}-01-01", f"{days[0]}-12-31", files)
        case _:
            title = "Day" if kind == "day" else "Period"
            return closing.period(settings, title, days[0], days[-1], files)
