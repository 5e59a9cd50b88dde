"""Tables for people and JSON for scripts, from the same values.

Rules of this file: both forms come from one list of dictionaries, so they cannot disagree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from terminal.transaction import Transaction

Row = Mapping[str, Any]


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))  # noqa: T201 - the output


def print_table(title: str, columns: Mapping[str, str], rows: Sequence[Row], empty: str) -> None:
    """A table with ``columns`` (key to heading); ``empty`` is said where there are no rows."""
    console = Console(highlight=False)
    if not rows:
        console.print(empty)
        return
    table = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*[_text(row.get(key)) for key in columns])
    console.print(table)


def print_fields(title: str, fields: Row) -> None:
    """Names and values, one a line."""
    console = Console(highlight=False)
    console.print(f"[bold]{title}[/bold]")
    width = max(len(name) for name in fields)
    for name, value in fields.items():
        console.print(f"  {name:<{width}}  {_text(value)}", markup=False)


def _text(value: object) -> str:
    return "" if value is None else str(value)


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
        "approved": sale.approved_minor,
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
