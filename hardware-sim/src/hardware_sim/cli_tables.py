"""How the simulator's commands show messages, sales and lists.

Rules of this file: a table and its JSON come from the same rows. Nothing here shows a card number.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import click

from hardware_sim.acquirer_ledger import Capture, Entry
from terminal.errors import TerminalError
from terminal.listing import table
from terminal.money import Amount, Currency

_PIPE_COLUMNS = 100
_HEADINGS = {"at": "At (UTC)", "stan": "STAN", "rrn": "RRN"}


def _clock_time(moment: str) -> str:
    """The time of day, UTC, of a moment as the books write it."""
    return moment[11:23]


def money(minor: int | None, currency: str) -> str:
    """An amount as the books have it, for a person; empty for none."""
    if minor is None:
        return ""
    try:
        return str(Amount(minor, Currency.of_number(int(currency))))
    except (TerminalError, ValueError):
        # Shown as it came: a currency that this till does not know, or none.
        return f"{minor} {currency}"


def line(entry: Entry) -> str:
    """One message as the live console shows it."""
    parts = (
        _clock_time(entry.at),
        entry.mti,
        entry.terminal_id.ljust(8),
        entry.stan.rjust(6),
        money(entry.amount_minor, entry.currency).rjust(14),
        entry.card.ljust(9),
        f"-> {entry.response_code or 'no answer'}",
        f"({entry.note})" if entry.note else "",
    )
    return "  ".join(parts).rstrip()


def message_row(row: Entry) -> dict[str, str]:
    """One message that was received, as a row of a table."""
    return {
        "at": _clock_time(row.at),
        "message": row.mti,
        "terminal": row.terminal_id,
        "stan": row.stan,
        "amount": money(row.amount_minor, row.currency),
        "card": row.card,
        "answer": row.response_code,
        "note": row.note,
    }


def capture_row(row: Capture) -> dict[str, str]:
    """One sale in the books, as a row of a table."""
    return {
        "at": _clock_time(row.at),
        "state": row.state.value,
        "terminal": row.terminal_id,
        "stan": row.stan,
        "rrn": row.rrn,
        "amount": money(row.amount_minor, row.currency),
        "card": row.card,
        "approval": row.approval_code,
        "answer": row.response_code,
    }


def heading(column: str) -> str:
    """A column's name for a person."""
    return _HEADINGS.get(column, column.replace("_", " ").capitalize())


def show(title: str, rows: Sequence[Mapping[str, str]], *, as_json: bool) -> None:
    """Prints the rows, as a table for people or as JSON for scripts."""
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo(f"{title}: none")
        return
    click.secho(title, bold=True)
    headings = {name: heading(name) for name in rows[0]}
    width = shutil.get_terminal_size((_PIPE_COLUMNS, 24)).columns
    for shown in table(headings, rows, width):
        click.echo(shown)


@contextmanager
def until_ctrl_c(farewell: str) -> Iterator[None]:
    """Ctrl-C ends what is inside, and is no failure."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(farewell, err=True)
