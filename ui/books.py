"""What the commands that read the books do: the queue, and the X and Z reports.

Rules of this file: reading goes on beside a running till; only the Z report opens the ledger for
writing. A report has one part for each currency in which there were sales, so that none is left
out of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from offline_queue.reports import QueueRow, Reports
from offline_queue.store import Store, is_missing
from terminal.errors import StoreError
from terminal.money import Total
from terminal.transaction import State
from ui.tables import print_json, print_table, sale_row
from ui.wiring import Settings


def require_ledger(settings: Settings) -> None:
    """Refuses a folder without a ledger, which is a mistyped one more often than a new till.

    Raises:
        StoreError: there is no ledger.
    """
    if is_missing(settings.ledger_path):
        raise StoreError(
            f"There is no ledger at {settings.ledger_path}.",
            remedy="Take a sale first, or name the till's folder with --data.",
        )


@contextmanager
def ledger(settings: Settings) -> Iterator[Reports]:
    """The ledger for reading, also while the till is running."""
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        yield Reports(store)


def queue(settings: Settings, *, as_json: bool) -> int:
    """What waits for the acquirer, and why; and what this till forwards for others."""
    with ledger(settings) as reports:
        waiting = reports.queue()
        pending = reports.pending()
        relayed = reports.relayed()
    now = datetime.now(UTC)
    rows = [_queue_row(item, now) for item in waiting]
    totals = {c.code: Total(minor, c).decimal for c, minor in pending.totals.items()}
    others = [
        {
            "till": item.terminal_id,
            "reference": item.txn_id,
            "amount": item.amount.decimal,
            "currency": item.amount.currency.code,
            "attempts": item.attempts,
            "why": item.note,
            "bundle": item.bundle,
        }
        for item in relayed
    ]
    if as_json:
        print_json(
            {"pending": pending.count, "totals": totals, "queue": rows, "for_others": others}
        )
        return 0
    headings = {
        "number": "Sale",
        "amount": "Amount",
        "currency": "",
        "state": "State",
        "card": "Card",
        "message": "Waits as",
        "age": "For",
        "attempts": "Sent",
        "next_try": "Next try",
        "why": "Why",
    }
    shown = [
        {**row, "next_try": f"{item.next_try.astimezone(settings.zone):%H:%M:%S}"}
        if item.next_try
        else row
        for row, item in zip(rows, waiting, strict=True)
    ]
    print_table("Waiting for the acquirer", headings, shown, "Nothing waits for the acquirer.")
    if rows:
        sums = ", ".join(f"{code} {total}" for code, total in totals.items())
        click.echo(f"\n{pending.count} pending: {sums}")
    if others:
        click.echo()
        heads = {"till": "Till", "amount": "Amount", "currency": "", "attempts": "Sent"}
        print_table("Forwarded for other tills", {**heads, "why": "Why"}, others, "")
    return 0


def _queue_row(item: QueueRow, now: datetime) -> dict[str, Any]:
    row = {
        **sale_row(item.transaction),
        "message": item.kind.value if item.kind else "",
        "age": _age((now - item.transaction.created_at).total_seconds()),
        "attempts": item.attempts,
        "next_try": item.next_try.isoformat() if item.next_try else "now",
        "why": item.reason,
        "bundle": item.bundle,
    }
    if item.transaction.state is State.AWAITED:
        row["next_try"] = "when it is checked"
        row["why"] = f"Nobody has seen the transfer {item.transaction.reference} arrive yet."
    person = item.transaction.state is State.SET_ASIDE or item.held
    if person:
        row["next_try"] = "at the other till" if item.bundle else "when a person retries it"
    if item.bundle:
        row["state"] = "handed over"
    return row


def _age(seconds: float) -> str:
    """How long something has waited, in its two largest units."""
    minutes = max(0, int(seconds)) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
