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


@click.command(short_help="Give a sale back, whole or in part.")
@click.argument("sale")
@click.argument("amount", default="")
@click.option("--cashier", default="", help="Who gives it back, for the ledger.")
@click.option("--approved-by", default="", help="The supervisor who allows what is held.")
@click.option("--without-card", is_flag=True, help="By the numbers of the sale, with no card.")
@click.option("--cash", is_flag=True, help="From the drawer; a card sale needs a supervisor.")
@click.option("--remark", default="", help="Why, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def refund(  # noqa: PLR0913 - a command has as many options as it has
    *,
    settings: Settings,
    sale: str,
    amount: str,
    cashier: str,
    approved_by: str,
    without_card: bool,
    cash: bool,
    remark: str,
    as_json: bool,
) -> int:
    """Give SALE back (its number or reference), or AMOUNT of it.

    The card that paid, or the phone that stands for it, is held to the reader again. A refund is
    never more than its sale and never stored; what looks unusual is held for a supervisor, with
    the reason.
    """
    from ui import aftersale  # noqa: PLC0415 - --help must not wait for everything else

    return aftersale.refund(
        settings,
        sale,
        amount,
        cashier=cashier,
        approved_by=approved_by,
        without_card=without_card,
        cash=cash,
        remark=remark,
        as_json=as_json,
    )


@click.command(short_help="Take back a sale of the open batch, or release a hold.")
@click.argument("sale")
@click.option("--cashier", default="", help="Who takes it back, for the ledger.")
@click.option("--approved-by", default="", help="The supervisor who allows it.")
@click.option("--reason", default="", help="Why, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def void(
    *,
    settings: Settings,
    sale: str,
    cashier: str,
    approved_by: str,
    reason: str,
    as_json: bool,
) -> int:
    """Take SALE back (its number or reference) before its day is closed."""
    from ui import aftersale  # noqa: PLC0415 - as above

    return aftersale.void(
        settings, sale, cashier=cashier, approved_by=approved_by, reason=reason, as_json=as_json
    )


@click.command(short_help="Take one payment in cash.")
@click.argument("amount")
@click.argument("tendered", default="")
@click.option("--tip", default="", help="A tip, added to the amount.")
@click.option("--cashier", default="", help="Who sells, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def cash(
    *, settings: Settings, amount: str, tendered: str, tip: str, cashier: str, as_json: bool
) -> int:
    """Take AMOUNT in cash; with TENDERED, say what goes back over the counter."""
    from ui import aftersale  # noqa: PLC0415 - as above

    return aftersale.cash(settings, amount, tendered, tip=tip, cashier=cashier, as_json=as_json)


@click.command(short_help="Write transactions for a spreadsheet or a bookkeeper.")
@click.argument("form", type=click.Choice(["csv", "json", "ledger", "datev"]))
@click.argument("first_day")
@click.argument("last_day")
@click.option("--to", "path", type=click.Path(path_type=Path), help="Default: standard output.")
@with_settings
def export(
    *, settings: Settings, form: str, first_day: str, last_day: str, path: Path | None
) -> int:
    """Write the transactions from FIRST_DAY to LAST_DAY (2026-11-25), both included.

    csv and json have a row for each transaction; ledger is double entry for ledger and hledger;
    datev has the columns of DATEV's Buchungsstapel, with accounts of the SKR 03 chart.
    """
    from ui import aftersale  # noqa: PLC0415 - as above

    return aftersale.export(settings, form, first_day, last_day, path)


@click.command(short_help="Say where payments hurt, and what to do about it.")
@click.argument("first_day")
@click.argument("last_day")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def insight(*, settings: Settings, first_day: str, last_day: str, as_json: bool) -> int:
    """Look at the days from FIRST_DAY to LAST_DAY: declines, retries, waits, offline, refunds."""
    from ui import insights  # noqa: PLC0415 - as above

    return insights.insight(settings, first_day, last_day, as_json=as_json)
