"""What the commands that act do: each takes settings and returns an exit code.

Rules of this file: the command line parses, this file acts; what it prints goes through
``ui.tables``. A sale's end decides the exit code, by one table.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import click

from offline_queue.journal import Recovered
from offline_queue.outbox import Outbox
from offline_queue.relay import Relay
from offline_queue.reports import Reports
from terminal.checkout import pay
from terminal.errors import AmountError, StoreError
from terminal.roles import Action
from terminal.transaction import State, Transaction
from ui.attended import (
    EXIT_CODES,
    Sold,
    at_till,
    forward,
    guarded,
    ports_of,
    told,
    undone,
)
from ui.books import require_ledger
from ui.paying import Conversation
from ui.pins import supervisor
from ui.tables import print_json, print_table, sale_row
from ui.transfer_commands import check_awaited
from ui.wiring import Parts, Settings, assembled


def run(settings: Settings, *, bench: bool | None, console: bool, demo: bool, size: str) -> int:
    """Starts the till with the face that fits: window, console, or the demo."""
    from ui import face  # noqa: PLC0415 - the window's packages may be absent

    return face.run(settings, bench=bench, console=console, demo=demo, size=size)


# -- sell --------------------------------------------------------------------------------------


def sell(
    settings: Settings, sold: Sold, *, cashier: str, as_json: bool, then: Sequence[str] = ()
) -> int:
    """One payment from the command line.

    What a card leaves unpaid goes on with the tenders of ``then``, or with what a person says.
    """
    amount, terms = sold.read(settings.config.till.currency)
    if amount.minor == 0:
        raise AmountError("An amount of zero is nothing to pay.", remedy="Type what is due.")
    with at_till(settings) as till:
        parts = till.parts
        _say_recovered(parts.recovered)
        if sold.order is not None and sold.order.reduced_minor > 0:
            supervisor(parts, cashier, Action.DISCOUNT)
        ports = till.reading()
        sale = guarded(parts, lambda: pay(ports, parts.rules, amount, cashier=cashier, terms=terms))
        printed = told(parts, sale, as_json=as_json)
        if sale.state is State.UNKNOWN:
            now = undone(parts, sale)
            if now.state is not sale.state:
                sale, printed = now, told(parts, now, as_json=as_json)
        talk = Conversation(parts, ports, then, as_json=as_json)
        sale, row = talk.go_on(sale, printed)
        if as_json:
            print_json(row)
        try:
            parts.journal.housekeeping()
        except StoreError as failed:
            # The exit code says how the sale ended, whatever becomes of tidying up.
            click.echo(f"taptill: {failed}", err=True)
    return EXIT_CODES[sale.state]


def _say_recovered(recovered: Recovered) -> None:
    """What the end of an earlier process has left half done is told before the next sale."""
    for sale in recovered.reversing:
        click.echo(
            f"Sale {sale.sequence} ({sale.amount}) was interrupted, and it is not known whether"
            " money was taken. Its reversal is queued; taptill sync sends it.",
            err=True,
        )
    for sale in recovered.interrupted:
        click.echo(
            f"Sale {sale.sequence} ({sale.amount}) was interrupted. No money was taken.", err=True
        )


# -- sync ---------------------------------------------------------------------------------


def sync(settings: Settings, *, as_json: bool) -> int:
    """Forwards what is due, once; 1 when the acquirer did not answer."""
    require_ledger(settings)
    with assembled(settings) as parts:
        moved: list[Transaction] = []
        # A person who asks does not want to wait for a back-off.
        Outbox(parts.journal.store).make_due()
        relay = Relay(parts.journal.store, parts.clock)
        relay.make_due()
        waited = relay.waiting().count
        online = forward(parts, moved)
        if online:
            moved += _arrived(parts)
        left = Reports(parts.journal.store).pending()
        relayed = waited - relay.waiting().count
    if as_json:
        rows = [sale_row(sale) for sale in moved]
        print_json(
            {"online": online, "moved": rows, "pending": left.count, "for_other_tills": relayed}
        )
        return int(not online)
    headings = {"number": "Sale", "amount": "Amount", "currency": "", "state": "Now"}
    rows = [sale_row(sale) for sale in moved]
    print_table("Forwarded", headings, rows, "Nothing was forwarded.")
    if relayed:
        click.echo(f"{relayed} forwarded for another till: taptill queue answers takes them home.")
    click.echo(f"{left.count} still pending.")
    if not online:
        click.echo(
            "No good answer from the acquirer. What waits is safe; taptill doctor says more."
        )
    return int(not online)


def _arrived(parts: Parts) -> list[Transaction]:
    """The awaited transfers that the acquirer has seen arrive."""
    link = parts.acquirer.link()
    try:
        return check_awaited(parts, ports_of(parts, link, threading.Event()))
    finally:
        link.close()
