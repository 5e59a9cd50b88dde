"""What the commands about bank transfers do: ask, look, confirm, give up.

Rules of this file: as in ``ui.commands``. Only what the acquirer or a person confirms is paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from offline_queue.reports import Reports
from terminal.errors import ConfigError, HostError
from terminal.roles import Action
from terminal.sale import Ports
from terminal.tenders import ask_transfer, confirm_transfer, give_up_transfer
from terminal.transaction import State, Transaction
from terminal.transfers import Arrival, ask_host_about, await_transfer
from ui.aftersale import named
from ui.attended import EXIT_CODES, Sold, at_till, told
from ui.pins import supervisor
from ui.tables import print_json, sale_row
from ui.transfers import require_code, require_picture, show_code, write_code
from ui.wiring import Parts, Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """A transfer as it was typed, and where its code is drawn."""

    amount: str
    tip: str = ""
    picture: Path | None = None
    wait_s: float = 90.0


def ask(settings: Settings, wanted: Wanted, *, cashier: str, as_json: bool) -> int:
    """Asks for a transfer, shows its code, and waits until it has arrived."""
    amount, terms = Sold(wanted.amount, wanted.tip).read(settings.config.till.currency)
    require_code(settings, amount)
    if wanted.picture is not None:
        require_picture(wanted.picture)
    with at_till(settings) as till:
        parts, ports = till.parts, till.ports
        sale = ask_transfer(ports, parts.rules, amount, cashier=cashier, terms=terms)
        text = show_code(parts, sale)
        if wanted.picture is not None:
            write_code(text, wanted.picture)
        arrival = Arrival(sale)
        if wanted.wait_s > 0:
            arrival = await_transfer(
                ports, parts.rules, sale.txn_id, patience_s=wanted.wait_s, pause=till.cancel.wait
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
    with at_till(settings) as till:
        parts, ports = till.parts, till.ports
        found = [_named(parts, name)] if name else Reports(parts.journal.store).awaited()
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
    with at_till(settings) as till:
        parts, ports = till.parts, till.ports
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
    for sale in Reports(parts.journal.store).awaited():
        try:
            told = ask_host_about(ports, parts.rules, sale)
        except (HostError, ConfigError):
            break
        if told.arrived:
            arrived.append(told.sale)
    return arrived


def _named(parts: Parts, name: str) -> Transaction:

    sale = named(parts, name)
    if sale.state is not State.AWAITED:
        raise ConfigError(
            f"No. {sale.sequence} is no transfer that is awaited: it is {sale.state.value}.",
            remedy="taptill queue lists those that are.",
        )
    return sale
