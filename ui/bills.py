"""What the commands about bills do: open, pay a part, show what is due, close.

Rules of this file: as in ``ui.commands``: it acts, ``ui.tables`` prints, and how a payment ended
decides the exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from offline_queue.bills import Bills, NewBill
from offline_queue.store import Store
from terminal.bill import BillStanding, PartWish, equal_parts
from terminal.catalogue import rate_bp_of
from terminal.errors import AmountError
from terminal.money import Amount, Currency
from terminal.parting import pay_part
from terminal.roles import Action
from terminal.terms import Part, Tender, tax_in
from terminal.transaction import State
from ui.attended import EXIT_CODES, at_till, guarded, told, undone
from ui.books import require_ledger
from ui.items import order_of
from ui.pins import supervisor
from ui.tables import print_fields, print_json, print_table, sale_row
from ui.transfers import require_code, show_code
from ui.wiring import Settings, assembled


@dataclass(frozen=True, slots=True)
class Asked:
    """How a part is to be paid, as it was typed."""

    amount: str = ""
    share: int = 0
    lines: str = ""
    tender: str = "card"
    tendered: str = ""
    tip: str = ""


def open_bill(
    settings: Settings,
    text: str,
    *,
    label: str,
    lines: Sequence[str],
    items: Sequence[str] = (),
    cashier: str,
    as_json: bool,
) -> int:
    """Opens a bill."""
    currency = settings.config.till.currency
    read = [_line(line, currency) for line in lines]
    parts = tuple(part for _, part in read)
    total = Amount(sum(part.gross_minor for part in parts), currency)
    if text:
        total = Amount.parse(text, currency)
    new = NewBill(total, parts, tuple(name for name, _ in read), label)
    if items:
        made = order_of(settings, items).bill("", label)
        new = NewBill(made.total, made.parts, made.lines, label)
    with assembled(settings) as own:
        opened = Bills(own.journal.store, own.clock).open(new, cashier=cashier)
    _show(opened, as_json=as_json)
    return 0


def _line(text: str, currency: Currency) -> tuple[str, Part]:
    """``Wine=4.50@21`` as a line of a bill."""
    name, equals, rest = text.rpartition("=")
    price, at, rate = rest.partition("@")
    rate_bp = rate_bp_of(rate) if at else 0
    if not (equals and name) or rate_bp is None:
        raise AmountError(
            f"{text!r} is no line of a bill.", remedy="Write it like Wine=4.50 or Wine=4.50@21."
        )
    gross = Amount.parse(price, currency).minor
    return name, Part("", rate_bp, gross, tax_in(gross, rate_bp))


def pay_bill(settings: Settings, name: str, asked: Asked, *, cashier: str, as_json: bool) -> int:
    """Takes the next payment of a bill."""
    require_ledger(settings)
    with at_till(settings) as till:
        parts = till.parts
        bills = Bills(parts.journal.store, parts.clock)
        before = bills.standing(name)
        wish = _wish(before, asked)
        if wish.tender is Tender.TRANSFER:
            require_code(settings, before.amount_of(wish))
        ports = till.reading() if wish.tender is Tender.CARD else till.ports
        bill = before.bill.name
        by = cashier or before.cashier
        sale = guarded(parts, lambda: pay_part(ports, parts.rules, bill, wish, cashier=by))
        printed = told(parts, sale, as_json=as_json)
        if sale.state is State.AWAITED:
            show_code(parts, sale)
        if sale.state is State.UNKNOWN:
            sale = undone(parts, sale)
        now = bills.standing(bill)
        if as_json:
            print_json({**sale_row(sale), "receipt": printed, "bill": bill_row(now)})
        else:
            if wish.tendered is not None and sale.state is State.APPROVED:
                back = Amount(sale.tendered_minor - sale.cash_minor, sale.amount.currency)
                click.echo(f"Change: {back}")
            click.echo(_line_about(now))
    return EXIT_CODES[sale.state]


def _wish(standing: BillStanding, asked: Asked) -> PartWish:
    currency = standing.bill.total.currency
    amount = Amount.parse(asked.amount, currency) if asked.amount else None
    if asked.share:
        amount = equal_parts(standing.due, asked.share)[0]
    return PartWish(
        amount=amount,
        tender=Tender(asked.tender),
        tip_minor=Amount.parse(asked.tip, currency).minor if asked.tip else 0,
        lines=_numbers(asked.lines),
        tendered=Amount.parse(asked.tendered, currency) if asked.tendered else None,
    )


def _numbers(text: str) -> tuple[int, ...]:
    """``1,3`` as places from 0.

    Raises:
        AmountError: it is no list of numbers.
    """
    cells = [cell.strip() for cell in text.split(",")] if text else []
    if not all(cell.isascii() and cell.isdigit() and int(cell) for cell in cells):
        raise AmountError(f"{text!r} names no lines.", remedy="Write them like 1,3.")
    return tuple(int(cell) - 1 for cell in cells)


def show_bill(settings: Settings, name: str, *, as_json: bool) -> int:
    """Shows one bill, or all on which something is due."""
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        bills = Bills(store)
        if name:
            _show(bills.standing(name), as_json=as_json)
            return 0
        rows = [bill_row(standing) for standing in bills.unpaid()]
    if as_json:
        print_json({"bills": rows})
        return 0
    headings = {
        "bill": "Bill",
        "label": "",
        "currency": "",
        "total": "Total",
        "paid": "Paid",
        "doubt": "In doubt",
        "due": "Due",
        "opened_at": "Opened",
    }
    print_table("Still due", headings, rows, "Nothing is due: no bill is open.")
    return 0


def close_bill(settings: Settings, name: str, *, reason: str, by: str, as_json: bool) -> int:
    """Closes a bill of which something will not be paid."""
    require_ledger(settings)
    with assembled(settings) as parts:
        bills = Bills(parts.journal.store, parts.clock)
        bill = bills.standing(name).bill.name
        by = supervisor(parts, by, Action.VOID)
        closed = bills.drop(bill, by=by, reason=reason)
    _show(closed, as_json=as_json)
    return 0


def bill_row(standing: BillStanding) -> dict[str, Any]:
    """A bill as a script wants it."""
    bill = standing.bill
    free = standing.free_lines
    return {
        "bill": bill.name,
        "label": bill.label,
        "open": standing.open,
        "currency": bill.total.currency.code,
        "total": bill.total.decimal,
        "paid": standing.paid.decimal,
        "doubt": standing.doubt.decimal,
        "due": standing.due.decimal,
        "opened_at": standing.opened_at.isoformat(timespec="seconds"),
        "closed": standing.dropped,
        "lines": [
            {
                "line": number + 1,
                "name": bill.lines[number] if bill.lines else "",
                "amount": Amount(part.gross_minor, bill.total.currency).decimal,
                "paid": number not in free,
            }
            for number, part in enumerate(bill.parts)
        ],
        "payments": [sale_row(payment) for payment in standing.payments],
    }


def _line_about(standing: BillStanding) -> str:
    bill = standing.bill
    if standing.dropped:
        return f"Bill {bill.name} was closed: {standing.dropped}."
    if not standing.open:
        return f"Bill {bill.name} is paid."
    doubt = (
        f" It is not known yet whether {standing.doubt} was paid." if standing.doubt.minor else ""
    )
    due = f"{standing.due} is" if standing.due.minor else "nothing more is"
    return f"Of bill {bill.name}, {due} due.{doubt}"


def _show(standing: BillStanding, *, as_json: bool) -> None:
    if as_json:
        print_json(bill_row(standing))
        return
    row = bill_row(standing)
    fields = {
        "Bill": row["bill"],
        "Called": row["label"],
        "Total": standing.bill.total,
        "Paid": standing.paid,
        "In doubt": standing.doubt if standing.doubt.minor else "",
        "Due": standing.due,
    }
    print_fields(_line_about(standing), {name: value for name, value in fields.items() if value})
    if standing.bill.lines:
        click.echo()
        shown = [{**line, "paid": "paid" if line["paid"] else ""} for line in row["lines"]]
        headings = {"line": "Line", "name": "What", "amount": "Price", "paid": ""}
        print_table("Lines", headings, shown, "")
    if standing.payments:
        click.echo()
        headings = {"number": "Sale", "amount": "Amount", "approved": "Booked", "state": "State"}
        print_table("Payments", headings, row["payments"], "")
