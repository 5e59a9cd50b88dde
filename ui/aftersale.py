"""What the commands about earlier sales and about cash do: refund, void, cash, transfer, export.

Rules of this file: as in ``ui.commands``: it acts, ``ui.tables`` prints, and how a transaction
ended decides the exit code. A sale is named by its number on the receipt or its reference.
"""

from __future__ import annotations

from pathlib import Path

import click

from offline_queue.closings import sales_between
from offline_queue.norms import norms_of
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.aftersale import refund as give_back
from terminal.aftersale import void as take_back
from terminal.errors import StoreError
from terminal.money import Amount
from terminal.refunds import VoidWish, Wish
from terminal.roles import Action
from terminal.tenders import take_cash
from terminal.terms import Tender
from terminal.transaction import State, Transaction
from ui.attended import EXIT_CODES, Sold, at_till, forward, told
from ui.books import require_ledger
from ui.pins import supervisor
from ui.reporting.files import (
    DATEV_COLUMNS,
    SALE_COLUMNS,
    csv_of,
    datev_rows,
    plain_ledger,
    sale_cells,
    write_file,
)
from ui.tables import print_json, sale_row
from ui.wiring import Parts, Settings


def named(parts: Parts, name: str) -> Transaction:
    """The transaction with this number or reference.

    Raises:
        StoreError: there is none.
    """
    with parts.journal.store.read() as connection:
        found = rows(
            connection,
            "SELECT txn_id FROM txn WHERE txn_id = ? OR CAST(sequence AS TEXT) = ?",
            (name, name.lstrip("0")),
        )
    if not found:
        raise StoreError(
            f"No sale is called {name!r}.",
            remedy="Give the number or the reference that stands on its receipt.",
        )
    return parts.journal.transaction(str(found[0][0]))


def refund(  # noqa: PLR0913 - a refund is asked for in as many ways
    settings: Settings,
    name: str,
    text: str,
    *,
    cashier: str,
    approved_by: str,
    without_card: bool,
    cash: bool,
    remark: str,
    as_json: bool,
) -> int:
    """Gives a sale back, whole (``text`` empty) or in part."""
    require_ledger(settings)
    with at_till(settings) as till:
        parts, ports = till.parts, till.ports
        sale = named(parts, name)
        standing = parts.journal.standing(sale.txn_id)
        currency = sale.amount.currency
        amount = Amount(max(standing.refundable_minor, 0), currency)
        if text:
            amount = Amount.parse(text, settings.config.till.currency)
        tender = Tender.CASH if cash or sale.terms.tender is not Tender.CARD else Tender.CARD
        approved_by = supervisor(parts, approved_by, Action.REFUND)
        now = parts.clock.now()
        wish = Wish(
            amount=amount,
            at=now,
            cashier=cashier,
            tender=tender,
            with_card=not without_card,
            approved_by=approved_by,
            remark=remark,
        )
        if tender is Tender.CARD and not without_card:
            ports = till.reading()
        norms = norms_of(parts.journal.store, sale, cashier, now)
        given = give_back(ports, parts.rules, sale.txn_id, wish, norms)
        if given.state is State.UNKNOWN:
            forward(parts, [])
            given = parts.journal.transaction(given.txn_id)
        return _end(parts, given, as_json=as_json)


def void(
    settings: Settings, name: str, *, cashier: str, approved_by: str, reason: str, as_json: bool
) -> int:
    """Takes a sale of the open batch back, or releases a hold."""
    require_ledger(settings)
    with at_till(settings) as till:
        parts, ports = till.parts, till.ports
        sale = named(parts, name)
        approved_by = supervisor(parts, approved_by, Action.VOID)
        wish = VoidWish(parts.clock.now(), reason or "Voided.", cashier, approved_by)
        voided = take_back(ports, parts.rules, sale.txn_id, wish)
        if voided.state is State.VOIDING:
            forward(parts, [])
            voided = parts.journal.transaction(voided.txn_id)
        return _end(parts, voided, as_json=as_json)


def cash(
    settings: Settings, text: str, tendered: str, *, tip: str, cashier: str, as_json: bool
) -> int:
    """Takes one payment in cash, and says what goes back."""
    currency = settings.config.till.currency
    amount, terms = Sold(text, tip).read(currency)
    given = Amount.parse(tendered, currency) if tendered else None
    with at_till(settings) as till:
        parts = till.parts
        due = given or Amount(amount.minor + parts.rules.cash_coin_minor, currency)
        sale = take_cash(till.ports, parts.rules, amount, due, cashier=cashier, terms=terms)
        if given is not None and not as_json:
            back = sale.tendered_minor - sale.cash_minor
            click.echo(f"Change: {Amount(back, currency)}")
        return _end(parts, sale, as_json=as_json)


def _end(parts: Parts, sale: Transaction, *, as_json: bool) -> int:
    printed = told(parts, sale, as_json=as_json)
    if as_json:
        print_json({**sale_row(sale), "receipt": printed})
    return EXIT_CODES[sale.state]


def export(settings: Settings, form: str, first_day: str, last_day: str, path: Path | None) -> int:
    """Writes the transactions of some days for another program."""
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        sales = sales_between(store, first_day, last_day)
    match form:
        case "ledger":
            text = plain_ledger(sales)
        case "datev":
            text = csv_of(DATEV_COLUMNS, datev_rows(sales))
        case "csv":
            text = csv_of(SALE_COLUMNS, [dict(sale_cells(sale)) for sale in sales])
        case _:
            print_json([sale_cells(sale) for sale in sales])
            return 0
    if path is None:
        click.echo(text, nl=False)
    else:
        write_file(path, text.encode())
        click.echo(f"Written: {path}", err=True)
    return 0
