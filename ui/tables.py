"""Tables for people and JSON for scripts, from the same values.

Rules of this file: both forms come from one list of dictionaries, so they cannot disagree.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import click

from terminal import listing
from terminal.money import Amount
from terminal.transaction import Transaction
from ui.reporting.sheet import Sheet
from ui.reporting.speech import plain

Row = Mapping[str, Any]

PIPE_COLUMNS = 100
"""How wide a table is where there is no terminal to ask."""


def print_json(value: object) -> None:
    """One JSON document on standard output; plain ASCII where the stream has nothing else."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    click.echo(json.dumps(value, ensure_ascii=ascii_only, indent=2, default=str))


def print_table(title: str, columns: Mapping[str, str], rows: Sequence[Row], empty: str) -> None:
    """A table with ``columns`` (key to heading); ``empty`` is said where there are no rows."""
    if not rows:
        click.echo(empty)
        return
    click.secho(title, bold=True)
    for line in listing.table(columns, rows, _columns()):
        click.echo(line)


def print_fields(title: str, fields: Row) -> None:
    """Names and values, one a line."""
    click.secho(title, bold=True)
    for line in listing.fields(fields, _columns() - 2):
        click.echo(f"  {line}")


def _columns() -> int:
    return shutil.get_terminal_size((PIPE_COLUMNS, 24)).columns


def sale_row(sale: Transaction) -> dict[str, Any]:
    """One sale as a script wants it: no card data beyond the mask and the token."""
    card = sale.card
    return {
        "transaction": sale.txn_id,
        "number": sale.sequence,
        "state": sale.state.value,
        "money_taken": sale.money_taken.value,
        "amount": sale.amount.decimal,
        "currency": sale.amount.currency.code,
        "approved": Amount(sale.approved_minor, sale.amount.currency).decimal,
        "card": card.masked_pan if card else "",
        "scheme": card.scheme if card else "",
        "aid": card.aid if card else "",
        "token": card.token if card else "",
        "approval_code": sale.approval_code,
        "response_code": sale.response_code,
        "rrn": sale.rrn,
        "stan": sale.stan,
        "batch": sale.batch,
        "stored_offline": sale.stored_offline,
        "reason": sale.reason,
        "created_at": sale.created_at.isoformat(),
    }


def print_sheet(sheet: Sheet) -> None:
    """A report, for a person at a terminal."""
    head = plain(f"{sheet.title}, {sheet.subtitle}")
    click.secho("\n".join(wrap(head, _columns())), bold=True)
    facts = {}
    for fact in (*sheet.facts, *sheet.waiting):
        note = f" ({fact.note})" if fact.note else ""
        facts[f"{'! ' if fact.alert else ''}{fact.label}{note}"] = fact.value
    for line in listing.fields({k: plain(v) for k, v in facts.items()}, _columns() - 2):
        click.echo(f"  {line}")
    for table in sheet.tables:
        click.echo()
        keys = [str(number) for number in range(len(table.headings))]
        rows = [
            {key: plain(cell) for key, cell in zip(keys, row, strict=True)} for row in table.rows
        ]
        print_table(table.title, dict(zip(keys, table.headings, strict=True)), rows, "")
    click.echo()
    for note in sheet.notes:
        click.echo("\n".join(wrap(plain(note), _columns())))
