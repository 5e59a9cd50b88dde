"""The commands of the counter: the catalogue, bills, the cash drawer, transfers.

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


@click.group(short_help="Bills that several payments pay: open, pay, show, close.")
def bill() -> None:
    """A bill is opened once, and paid in parts: by card, in cash, or by bank transfer.

    It stays open until nothing is due, also over a power cut. What a prepaid card has left of a
    sale is a bill too: R17 is the rest of sale 17.
    """


@bill.command("open", short_help="Open a bill of an amount, or of some lines.")
@click.argument("amount", default="")
@click.option("--label", default="", help="What it is called, like 'Table 4'.")
@click.option(
    "--line",
    "lines",
    multiple=True,
    help="NAME=PRICE, or NAME=PRICE@TAX, like Wine=4.50@21; may be repeated.",
)
@click.option("--item", "items", multiple=True, help="NAME or barcode of the catalogue: 2xTea.")
@click.option("--cashier", default="", help="Who opens it, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def open_bill(
    *,
    settings: Settings,
    amount: str,
    label: str,
    lines: tuple[str, ...],
    items: tuple[str, ...],
    cashier: str,
    as_json: bool,
) -> int:
    """Open a bill of AMOUNT, or of lines that can be paid one by one. It gets a name, like B7."""
    from ui import bills  # noqa: PLC0415 - --help must not wait for everything else

    if items and lines:
        raise click.UsageError("Give --item or --line, and not both.")
    return bills.open_bill(
        settings, amount, label=label, lines=lines, items=items, cashier=cashier, as_json=as_json
    )


@bill.command("pay", short_help="Take the next payment of a bill.")
@click.argument("name")
@click.argument("amount", default="")
@click.option("--share", type=click.IntRange(min=2), help="One of so many equal parts of the rest.")
@click.option("--lines", "numbers", default="", help="These lines of the bill, like 1,3.")
@click.option("--cash", is_flag=True, help="In cash.")
@click.option("--tendered", default="", help="The cash that was handed over, to say the change.")
@click.option("--transfer", is_flag=True, help="By bank transfer.")
@click.option("--tip", default="", help="A tip of this payer, added to the part.")
@click.option("--cashier", default="", help="Who sells, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def pay_bill(  # noqa: PLR0913 - a command has as many options as it has
    *,
    settings: Settings,
    name: str,
    amount: str,
    share: int | None,
    numbers: str,
    cash: bool,
    tendered: str,
    transfer: bool,
    tip: str,
    cashier: str,
    as_json: bool,
) -> int:
    """Pay bill NAME: AMOUNT of it, one of --share equal parts, some --lines, or all that is due."""
    from ui import bills  # noqa: PLC0415 - as above

    if sum((bool(amount), share is not None, bool(numbers))) > 1:
        raise click.UsageError("Give an amount, --share or --lines, and no two of them.")
    if (cash or tendered) and transfer:
        raise click.UsageError("Give --cash or --transfer, and not both.")
    tender = "cash" if cash or tendered else "transfer" if transfer else "card"
    asked = bills.Asked(amount, share or 0, numbers, tender, tendered, tip)
    return bills.pay_bill(settings, name, asked, cashier=cashier, as_json=as_json)


@bill.command("show", short_help="Show what is still due, or one bill.")
@click.argument("name", default="")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def show_bill(*, settings: Settings, name: str, as_json: bool) -> int:
    """Show bill NAME with its payments, or all bills on which something is due."""
    from ui import bills  # noqa: PLC0415 - as above

    return bills.show_bill(settings, name, as_json=as_json)


@bill.command("close", short_help="Close a bill of which something will never be paid.")
@click.argument("name")
@click.option("--reason", required=True, help="Why, for the ledger.")
@click.option("--by", default="", help="Who allows it; with staff their PIN is asked for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def close_bill(*, settings: Settings, name: str, reason: str, by: str, as_json: bool) -> int:
    """Close bill NAME: what is still due of it is not going to be paid."""
    from ui import bills  # noqa: PLC0415 - as above

    return bills.close_bill(settings, name, reason=reason, by=by, as_json=as_json)


@click.command(short_help="Show what is sold, or take in a list of items (CSV).")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only read the file, and name its faults.")
@click.option("--by", default="", help="Who changes it; with staff their PIN is asked for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def catalogue(*, settings: Settings, path: Path | None, check: bool, by: str, as_json: bool) -> int:
    """Take in the list in PATH, in the place of the one before; without PATH show what is sold.

    Its columns are name, price, group, tax, barcode and key; the first two are needed. Each fault
    is named by line and column, and a list with one changes nothing.
    """
    from ui import items  # noqa: PLC0415 - as above

    if path is None:
        return items.show(settings, as_json=as_json)
    return items.load(settings, path, by=by, check=check, as_json=as_json)


@click.group(short_help="The cash drawer: float, in, out, count, show.")
def drawer() -> None:
    """The cash drawer: what it began with, what went in and out, and what somebody counted.

    A count is recorded before the till says what should be there.
    """


@drawer.command("float", short_help="Begin with the cash that is in it.")
@click.argument("amount")
@click.option("--by", default="", help="Who does it, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def drawer_float(*, settings: Settings, amount: str, by: str, as_json: bool) -> int:
    """Begin the drawer with AMOUNT in it; from here on everything is counted anew."""
    from ui import drawer as cash  # noqa: PLC0415 - as above

    return cash.begin(settings, amount, by=by, as_json=as_json)


@drawer.command("in", short_help="Put cash in that is no sale.")
@click.argument("amount")
@click.option("--reason", required=True, help="Why, for the ledger.")
@click.option("--by", default="", help="Who does it, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def drawer_in(*, settings: Settings, amount: str, reason: str, by: str, as_json: bool) -> int:
    """Put AMOUNT in."""
    from ui import drawer as cash  # noqa: PLC0415 - as above

    return cash.move(settings, cash.Moved(amount, 1, reason, by), as_json=as_json)


@drawer.command("out", short_help="Take cash out that is no refund.")
@click.argument("amount")
@click.option("--reason", required=True, help="Why, for the ledger.")
@click.option("--by", default="", help="Who does it, for the ledger.")
@click.option("--approved-by", default="", help="The supervisor, above the shop's limit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def drawer_out(
    *, settings: Settings, amount: str, reason: str, by: str, approved_by: str, as_json: bool
) -> int:
    """Take AMOUNT out; above the shop's limit a supervisor has to allow it."""
    from ui import drawer as cash  # noqa: PLC0415 - as above

    return cash.move(settings, cash.Moved(amount, -1, reason, by, approved_by), as_json=as_json)


@drawer.command("count", short_help="Say what you counted, and hear what should be there.")
@click.argument("amount")
@click.option("--by", default="", help="Who counted, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def drawer_count(*, settings: Settings, amount: str, by: str, as_json: bool) -> int:
    """Record that AMOUNT was counted, and then say what should be there."""
    from ui import drawer as cash  # noqa: PLC0415 - as above

    return cash.count(settings, amount, by=by, as_json=as_json)


@drawer.command("show", short_help="Show what should be in it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def drawer_show(*, settings: Settings, as_json: bool) -> int:
    """Show what the drawer began with, what went in and out, and what should be there."""
    from ui import drawer as cash  # noqa: PLC0415 - as above

    return cash.show(settings, as_json=as_json)


@click.group(short_help="Bank transfers by QR code: ask, check, confirm, drop.")
def transfer() -> None:
    """A bank transfer is asked for by a QR code, and paid once the acquirer has seen it arrive."""


@transfer.command("ask", short_help="Show a code for AMOUNT, and wait for the money.")
@click.argument("amount")
@click.option("--tip", default="", help="A tip, added to the amount.")
@click.option("--code", "picture", type=click.Path(path_type=Path), help="Draw it: .png or .svg.")
@click.option("--wait", "wait_s", type=click.FloatRange(min=0), default=90.0, help="Seconds.")
@click.option("--cashier", default="", help="Who sells, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def transfer_ask(
    *,
    settings: Settings,
    amount: str,
    tip: str,
    picture: Path | None,
    wait_s: float,
    cashier: str,
    as_json: bool,
) -> int:
    """Show a QR code for AMOUNT, and wait until the acquirer has seen the money arrive.

    [transfer] in the configuration says who is paid: an IBAN for a SEPA code (EPC069-12), or an
    account of a network for an EMV merchant-presented code. Ctrl-C ends the wait; the transfer
    stays awaited (exit code 5), and taptill transfer check asks again.
    """
    from ui import transfer_commands as transfers  # noqa: PLC0415 - as above

    wanted = transfers.Wanted(amount, tip, picture, wait_s)
    return transfers.ask(settings, wanted, cashier=cashier, as_json=as_json)


@transfer.command("check", short_help="Ask the acquirer whether it has arrived.")
@click.argument("sale", default="")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def transfer_check(*, settings: Settings, sale: str, as_json: bool) -> int:
    """Ask about transfer SALE (its number or reference), or about all that are awaited."""
    from ui import transfer_commands as transfers  # noqa: PLC0415 - as above

    return transfers.check(settings, sale, as_json=as_json)


@transfer.command("confirm", short_help="Say that it has arrived: somebody has seen it.")
@click.argument("sale")
@click.option("--by", default="", help="Who has seen it; with staff their PIN is asked for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def transfer_confirm(*, settings: Settings, sale: str, by: str, as_json: bool) -> int:
    """Book transfer SALE as paid, since a person has seen it on the account."""
    from ui import transfer_commands as transfers  # noqa: PLC0415 - as above

    return transfers.confirm(settings, sale, by=by, arrived=True, as_json=as_json)


@transfer.command("drop", short_help="Give it up: the customer pays otherwise.")
@click.argument("sale")
@click.option("--by", default="", help="Who gives it up; with staff their PIN is asked for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings
def transfer_drop(*, settings: Settings, sale: str, by: str, as_json: bool) -> int:
    """Give transfer SALE up. Should it come all the same, it has to be paid back by hand."""
    from ui import transfer_commands as transfers  # noqa: PLC0415 - as above

    return transfers.confirm(settings, sale, by=by, arrived=False, as_json=as_json)
