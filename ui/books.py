"""What the commands that read the books do: the queue, and the X and Z reports.

Rules of this file: reading goes on beside a running till; only the Z report opens the ledger for
writing. A report has one part for each currency in which there were sales, so that none is left
out of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from offline_queue.reports import QueueRow, Reports
from offline_queue.store import Store, is_missing
from terminal.errors import StoreError
from terminal.money import Currency, Total
from terminal.settlement import Report
from terminal.settlement import report as add_up
from terminal.transaction import State, Transaction
from ui.tables import print_json, print_table, sale_row
from ui.wiring import Settings, assembled


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


def report(settings: Settings, kind: str, *, as_json: bool) -> int:
    """The X report, or the Z report that closes the batch."""
    if kind == "x":
        with ledger(settings) as reports:
            totals = _totals("X", reports, datetime.now(UTC), settings)
    else:
        require_ledger(settings)
        with assembled(settings) as parts:
            totals = _totals("Z", Reports(parts.journal.store), parts.clock.now(), settings)
            _require_answers(totals)
            parts.journal.close_batch()
    own, *others = [_as_json(part) for part in totals]
    if as_json:
        print_json({**own, "other_currencies": others})
    else:
        _show_report(totals, settings)
    return 0


def _totals(kind: str, reports: Reports, at: datetime, settings: Settings) -> list[Report]:
    """The open batch, added up in the till's currency and then in every other that it has."""
    batch = reports.open_batch()
    sales = reports.transactions(limit=sys.maxsize, batch=batch)
    currencies = [settings.config.till.currency, *_others(sales, settings.config.till.currency)]
    return [add_up(kind, batch, at, currency, sales) for currency in currencies]


def _others(sales: list[Transaction], own: Currency) -> list[Currency]:
    found = {sale.amount.currency for sale in sales if not sale.training} - {own}
    return sorted(found, key=lambda currency: currency.code)


def _require_answers(totals: list[Report]) -> None:
    count = sum(part.pending_count for part in totals)
    if count:
        sums = ", ".join(str(part.pending) for part in totals if part.pending_count)
        raise StoreError(
            f"{count} {'sale has' if count == 1 else 'sales have'} no final answer yet ({sums}),"
            " so the batch stays open.",
            remedy="Forward what waits with taptill sync, then close again.",
        )


def _as_json(totals: Report) -> dict[str, Any]:
    return {
        "report": totals.kind,
        "batch": totals.batch,
        "at": totals.at.isoformat(),
        "currency": totals.currency.code,
        "approved": totals.approved.decimal,
        "pending": totals.pending.decimal,
        "states": _states(totals),
        "schemes": _schemes(totals),
        "settled_with_host": False,
    }


def _states(totals: Report) -> list[dict[str, Any]]:
    return [
        {
            "state": row.state.value,
            "count": row.count,
            "total": row.total.decimal,
            "pending": "yes" if row.pending else "",
        }
        for row in totals.rows
    ]


def _schemes(totals: Report) -> list[dict[str, Any]]:
    return [
        {"scheme": row.scheme, "count": row.count, "total": row.total.decimal}
        for row in totals.schemes
    ]


def _show_report(totals: list[Report], settings: Settings) -> None:
    first = totals[0]
    at = first.at.astimezone(settings.zone)
    click.secho(f"{first.kind} report, batch {first.batch}, {at:%Y-%m-%d %H:%M}", bold=True)
    for part in totals:
        _show_currency(part)
    if first.kind == "Z":
        click.echo(
            "\nThe batch is closed here. Settlement with the host is not done by this version."
        )


def _show_currency(totals: Report) -> None:
    code = totals.currency.code
    counts = {"count": "Sales", "total": code}
    click.echo()
    headings = {"state": "State", **counts, "pending": "Waits"}
    print_table(f"Sales in {code}", headings, _states(totals), f"No sales in {code}.")
    if totals.schemes:
        click.echo()
        title = f"Approved in {code}, by scheme"
        print_table(title, {"scheme": "Scheme", **counts}, _schemes(totals), "")
    if totals.rows:
        click.echo(f"\nApproved {totals.approved}, pending {totals.pending}.")
