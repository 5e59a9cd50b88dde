"""Bank transfers by a QR code: what the code says, how it is drawn, and the wait for the money.

Rules of this file: nothing is recorded that no code can be shown for, and only what the acquirer
or a person confirms is paid.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offline_queue.reports import Reports
from terminal.errors import ConfigError, HostError
from terminal.money import Amount
from terminal.roles import Action
from terminal.sale import Ports
from terminal.tenders import ask_transfer, confirm_transfer, give_up_transfer
from terminal.transaction import State, Transaction
from terminal.transfer_codes import Payee, merchant_code, sepa_code
from terminal.transfers import Arrival, ask_host_about, await_transfer
from ui.wiring import Parts, Settings

if TYPE_CHECKING:
    from segno import QRCode


def code_text(settings: Settings, amount: Amount, reference: str) -> str:
    """What the QR code of a transfer carries.

    Raises:
        ConfigError: [transfer] does not say who is paid.
        AmountError: such a code cannot ask for this amount.
    """
    config = settings.config.transfer
    payee = Payee(
        name=config.name or settings.config.shop.name,
        iban=config.iban,
        bic=config.bic,
        city=config.city,
        country=config.country,
        network=config.network,
        account=config.account,
    )
    if config.form == "sepa" and not payee.iban:
        raise ConfigError(
            "The till does not know whom a transfer is to pay.",
            remedy='Write the shop\'s IBAN into the configuration: [transfer] iban = "...".',
        )
    make = sepa_code if config.form == "sepa" else merchant_code
    return make(payee, amount, reference)


def require_code(settings: Settings, amount: Amount) -> None:
    """Refuses a transfer for which no code could be shown, before anything is recorded.

    Raises:
        ConfigError, AmountError: as ``code_text``.
    """
    code_text(settings, amount, "X" * 22)


def drawn(text: str) -> QRCode:
    """The code as EPC069-12 and EMV QRCPS want it: error correction M, UTF-8 bytes, no micro QR.

    Raises:
        ConfigError: the package that draws it is not installed.
    """
    try:
        import segno  # noqa: PLC0415 - an extra: a till without transfers does without it
    except ImportError as absent:
        raise ConfigError(
            "The package segno is not installed, so no code can be drawn.",
            remedy="Install it: pip install segno.",
        ) from absent
    return segno.make(text, error="m", micro=False, boost_error=False, encoding="utf-8")


def in_letters(text: str) -> str:
    """The code in block letters, for a terminal of any width above 50 columns."""
    out = io.StringIO()
    drawn(text).terminal(out, compact=True)
    return out.getvalue()


def write_code(text: str, path: Path) -> None:
    """Draws the code into a PNG or SVG file.

    Raises:
        ConfigError: the file has another ending, or cannot be written.
    """
    _require_picture(path)
    try:
        drawn(text).save(str(path), scale=6, border=4)
    except OSError as cause:
        raise ConfigError(f"{path} cannot be written ({cause.strerror}).") from cause


def _require_picture(path: Path) -> None:
    if path.suffix.lower() not in {".png", ".svg"}:
        raise ConfigError(f"{path} is neither .png nor .svg.", remedy="Name it so.")


def show_code(parts: Parts, sale: Transaction) -> str:
    """Prints the code of an awaited transfer to standard error; what it says."""
    text = code_text(parts.settings, sale.amount, sale.reference)
    click.echo(in_letters(text), err=True)
    click.echo(f"Reference: {sale.reference}", err=True)
    return text


@dataclass(frozen=True, slots=True)
class Wanted:
    """A transfer as it was typed, and where its code is drawn."""

    amount: str
    tip: str = ""
    picture: Path | None = None
    wait_s: float = 90.0


def ask(settings: Settings, wanted: Wanted, *, cashier: str, as_json: bool) -> int:
    """Asks for a transfer, shows its code, and waits until it has arrived."""
    from ui.commands import EXIT_CODES, Sold, told  # noqa: PLC0415 - it shows codes by this module
    from ui.tables import print_json, sale_row  # noqa: PLC0415 - with it

    amount, terms = Sold(wanted.amount, wanted.tip).read(settings.config.till.currency)
    require_code(settings, amount)
    if wanted.picture is not None:
        _require_picture(wanted.picture)
    with _till(settings) as (parts, ports, pause):
        sale = ask_transfer(ports, parts.rules, amount, cashier=cashier, terms=terms)
        text = show_code(parts, sale)
        if wanted.picture is not None:
            write_code(text, wanted.picture)
        arrival = Arrival(sale)
        if wanted.wait_s > 0:
            arrival = await_transfer(
                ports, parts.rules, sale.txn_id, patience_s=wanted.wait_s, pause=pause
            )
        printed = told(parts, arrival.sale, as_json=as_json)
        if as_json:
            row = sale_row(arrival.sale)
            print_json({**row, "receipt": printed, "code": text, "note": arrival.note})
        elif arrival.note:
            click.echo(arrival.note)
    return EXIT_CODES[arrival.sale.state]


def check(settings: Settings, name: str, *, as_json: bool) -> int:
    """Asks the acquirer about one awaited transfer, or about all; 5 while one has not arrived."""
    from ui.commands import told  # noqa: PLC0415 - as above
    from ui.tables import print_json, sale_row  # noqa: PLC0415 - as above

    with _till(settings) as (parts, ports, _):
        found = [_named(parts, name)] if name else awaited(parts)
        arrivals = [ask_host_about(ports, parts.rules, sale) for sale in found]
        for each in arrivals:
            if each.arrived:
                told(parts, each.sale, as_json=as_json)
            elif not as_json:
                click.echo(f"No. {each.sale.sequence} ({each.sale.amount}): {each.note}")
    if as_json:
        print_json({"transfers": [{**sale_row(a.sale), "note": a.note} for a in arrivals]})
    elif not arrivals:
        click.echo("No transfer is awaited.")
    return 0 if all(each.arrived for each in arrivals) else 5


def confirm(settings: Settings, name: str, *, by: str, arrived: bool, as_json: bool) -> int:
    """A person has seen a transfer arrive, or gives it up."""
    from ui.aftersale import supervisor  # noqa: PLC0415 - as above
    from ui.commands import EXIT_CODES, told  # noqa: PLC0415 - as above
    from ui.tables import print_json, sale_row  # noqa: PLC0415 - as above

    with _till(settings) as (parts, ports, _):
        sale = _named(parts, name)
        by = supervisor(parts, by, Action.CONFIRM_TRANSFER)
        move = confirm_transfer if arrived else give_up_transfer
        sale = move(ports, sale.txn_id, by=by)
        printed = told(parts, sale, as_json=as_json)
        if as_json:
            print_json({**sale_row(sale), "receipt": printed})
    return EXIT_CODES[sale.state]


def check_awaited(parts: Parts, ports: Ports) -> list[Transaction]:
    """Asks about every awaited transfer, where the acquirer can be asked; what has arrived."""
    arrived = []
    for sale in awaited(parts):
        try:
            told = ask_host_about(ports, parts.rules, sale)
        except (HostError, ConfigError):
            break
        if told.arrived:
            arrived.append(told.sale)
    return arrived


def awaited(parts: Parts) -> list[Transaction]:
    """The transfers that nobody has confirmed, oldest first."""
    waiting = Reports(parts.journal.store).queue()
    return [row.transaction for row in waiting if row.transaction.state is State.AWAITED]


def _named(parts: Parts, name: str) -> Transaction:
    from ui.aftersale import named  # noqa: PLC0415 - as above

    sale = named(parts, name)
    if sale.state is not State.AWAITED:
        raise ConfigError(
            f"No. {sale.sequence} is no transfer that is awaited: it is {sale.state.value}.",
            remedy="taptill queue lists those that are.",
        )
    return sale


@contextmanager
def _till(settings: Settings) -> Iterator[tuple[Parts, Ports, Callable[[float], bool]]]:
    from ui.commands import minding_signals, ports_of  # noqa: PLC0415 - as above
    from ui.wiring import assembled  # noqa: PLC0415 - as above

    with ExitStack() as stack:
        cancel = stack.enter_context(minding_signals())
        parts = stack.enter_context(assembled(settings))
        link = parts.acquirer.link()
        stack.callback(link.close)
        yield parts, ports_of(parts, None, link, cancel), cancel.wait
