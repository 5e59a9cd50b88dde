"""What the commands under ``taptill queue`` do, and ``taptill reset``: money that waits.

Rules of this file: nothing here makes money vanish. What is handed over stays pending, what is
reset is moved and not deleted, and both are refused while something waits that nobody has.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from drivers.clock import SystemClock
from drivers.device_keys import open_device_keys
from drivers.synced import sync_folder
from offline_queue.bills import Bills
from offline_queue.bundle import ANSWERS, unseal
from offline_queue.closings import Closings
from offline_queue.handover import HandedOver, Handover, Till
from offline_queue.reports import QueueRow, Reports
from offline_queue.requeue import requeue
from offline_queue.starting_over import put_aside, was_cut_off
from offline_queue.store import Store, is_missing, messages_in
from terminal.errors import StoreError, StoreTooOld
from terminal.money import Total
from terminal.roles import Action
from terminal.transaction import State, Transaction
from ui.books import require_ledger
from ui.pins import supervisor
from ui.tables import print_fields, print_json, print_table, sale_row
from ui.wiring import Parts, Settings, acquirer_id, assembled, data_dir, wire_of

MONEY_WAITS = 1


def retry(settings: Settings, number: str, *, take_back: bool, cashier: str, as_json: bool) -> int:
    """Sends one sale round again that has been waiting for a person."""
    require_ledger(settings)
    with assembled(settings) as parts:
        who = supervisor(parts, cashier, Action.RETRY_SET_ASIDE)
        sale = requeue(
            parts.journal,
            parts.clock,
            number,
            acquirer=acquirer_id(parts.acquirer),
            take_back=take_back,
            who=who,
        )
    if as_json:
        print_json(sale_row(sale))
        return 0
    click.echo(f"Sale {sale.sequence} ({sale.amount}) goes out again; taptill sync sends it now.")
    return 0


def hand_over(settings: Settings, file: Path, *, receiver: str, cashier: str, as_json: bool) -> int:
    """Writes everything that waits into a file for another till."""
    require_ledger(settings)
    with assembled(settings) as parts:
        who = supervisor(parts, cashier, Action.EXPORT_QUEUE)
        done = _given(parts, file, receiver, who)
    _show_handed(file, done, f"till {receiver}", as_json=as_json)
    return 0


def _given(parts: Parts, file: Path, receiver: str, cashier: str) -> HandedOver:
    return _desk(parts).give(receiver, lambda content: _write_new(file, content), who=cashier)


def take_in(settings: Settings, file: Path, *, code: str, cashier: str, as_json: bool) -> int:
    """Takes in another till's sales, or the answers to those that were handed over."""
    try:
        content = file.read_bytes()
    except OSError as cause:
        raise StoreError(f"{file} cannot be read ({cause.strerror}).") from cause
    bundle = unseal(content, code, str(file))
    moved: list[Transaction] = []
    with assembled(settings) as parts:
        who = supervisor(parts, cashier, Action.EXPORT_QUEUE)
        desk, wire = _desk(parts), wire_of(parts)
        count = len(bundle.parcels)
        if bundle.kind == ANSWERS:
            if wire.judge is None:
                raise AssertionError("this till's wire judges answers")
            moved = desk.learn(bundle, wire.judge)
        else:
            desk.take(bundle, who=who)
    if as_json:
        rows = [sale_row(sale) for sale in moved]
        print_json({"bundle": bundle.name, "from": bundle.sender, "count": count, "moved": rows})
    elif bundle.kind == ANSWERS:
        headings = {"number": "Sale", "amount": "Amount", "currency": "", "state": "Now"}
        rows = [sale_row(sale) for sale in moved]
        print_table(f"Answered through till {bundle.sender}", headings, rows, "Nothing is new.")
    else:
        click.echo(
            f"{count} of till {bundle.sender} taken in; taptill sync forwards them. Then write the"
            f" answers for that till: taptill queue answers FILE --bundle {bundle.name}"
        )
    return 0


def answers(settings: Settings, file: Path, *, bundle: str, as_json: bool) -> int:
    """Writes the answers to another till's sales into a file for it."""
    require_ledger(settings)
    with assembled(settings) as parts:
        done = _desk(parts).answer(bundle, lambda content: _write_new(file, content))
    _show_handed(file, done, "the till they are from", as_json=as_json)
    return 0


def check(settings: Settings, *, as_json: bool) -> int:
    """Whether anything waits that a reset, an update or an uninstall would endanger."""
    waiting: list[QueueRow] = []
    others = old = 0
    if not is_missing(settings.ledger_path):
        try:
            with Store.read_only(settings.ledger_path) as store:
                waiting, others = Reports(store).queue(), len(Reports(store).relayed())
        except StoreTooOld:
            # As it is when the program has been updated, and the till was not started since.
            old = messages_in(settings.ledger_path)
    money = bool(old) or not _is_safe(waiting, others)
    if as_json:
        pending = len(waiting) or old
        print_json({"safe": not money, "pending": pending, "for_other_tills": others})
    elif old:
        click.echo(f"{old} messages wait for the acquirer in a ledger of an older Taptill.")
    elif money:
        click.echo(_said(waiting, others))
    else:
        handed = f" {len(waiting)} are handed over to another till." if waiting else ""
        click.echo(f"No money waits here.{handed}")
    return MONEY_WAITS if money else 0


def reset(settings: Settings, *, by: str, as_json: bool) -> int:
    """Puts the ledger aside and begins another, whose numbers go on; refused while money waits."""
    handed: list[QueueRow] = []
    who = ""

    def require_safe(store: Store) -> None:
        waiting, others = Reports(store).queue(), len(Reports(store).relayed())
        if not _is_safe(waiting, others):
            raise StoreError(
                _said(waiting, others),
                remedy="Forward it (taptill sync), or hand it over: taptill queue export FILE"
                " --to TERMINAL.",
            )
        _require_closed(store)
        handed[:] = waiting

    path = settings.ledger_path.absolute()
    if not was_cut_off(path):
        require_ledger(settings)
        # Opened for writing first, so that a sale that was cut off gets its name.
        with assembled(settings) as parts:
            who = supervisor(parts, by, Action.PUT_ASIDE)
            require_safe(parts.journal.store)
    keys = open_device_keys(settings.config.till.key_store, data_dir(settings))
    aside = put_aside(
        path,
        datetime.now(UTC),
        keystore=keys.keystore,
        counter=keys.counter,
        require=require_safe,
        who=who,
    )
    if as_json:
        print_json({"kept_in": str(aside), "handed_over": len(handed)})
    else:
        click.echo(f"The next sale begins another ledger. The old one is kept in {aside}.")
    return 0


def _require_closed(store: Store) -> None:
    """Refuses while somebody owes something, or a day is not compared with the acquirer."""
    reports, closings = Reports(store), Closings(store, SystemClock())
    if due := Bills(store).unpaid():
        names = ", ".join(standing.bill.name for standing in due[:5])
        raise StoreError(
            f"Something is due of bills: {names}.",
            remedy="Have them paid, or close them: taptill bill close NAME.",
        )
    if holds := reports.holds():
        names = ", ".join(str(held.sequence) for held in holds[:5])
        raise StoreError(
            f"An amount is held for somebody, under the numbers {names}.",
            remedy="Take it on the touchscreen, or release it: taptill void NUMBER.",
        )
    batch = reports.open_batch()
    booked = {State.APPROVED, State.VOIDED}
    sold = any(row.count for row in reports.totals(batch) if row.state in booked)
    if sold or closings.unsettled():
        what = (
            f"Batch {batch} has sales and is not closed." if sold else "A day is not settled yet."
        )
        raise StoreError(what, remedy="Close the day first: taptill report z.")


def _is_safe(waiting: list[QueueRow], others: int) -> bool:
    return not others and all(row.bundle for row in waiting)


def _said(waiting: list[QueueRow], others: int) -> str:
    sums: dict[str, int] = {}
    own = [row.transaction for row in waiting if not row.bundle]
    currencies = {sale.amount.currency for sale in own}
    for sale in own:
        code = sale.amount.currency.code
        sums[code] = sums.get(code, 0) + sale.amount.minor
    parts = []
    if own:
        shown = [f"{c.code} {Total(sums[c.code], c).decimal}" for c in currencies]
        verb = "sale waits" if len(own) == 1 else "sales wait"
        parts.append(f"{len(own)} {verb} for the acquirer: {', '.join(sorted(shown))}.")
    if others:
        parts.append(f"{others} of another till wait to be forwarded.")
    return " ".join(parts)


def _desk(parts: Parts) -> Handover:
    till = parts.settings.config.till
    me = Till(till.terminal_id, acquirer_id(parts.acquirer))
    return Handover(parts.journal, me, parts.clock, parts.entropy)


def _show_handed(file: Path, done: HandedOver, to: str, *, as_json: bool) -> None:
    if as_json:
        values = {"file": str(file), "bundle": done.name, "code": done.code}
        print_json({**values, "count": done.messages})
        return
    fields = {"File": file, "For": to, "Bundle": done.name, "Code": done.code}
    print_fields(f"{done.messages} handed over", fields)
    click.echo("The code opens the file and is written nowhere: note it, and carry it separately.")


def _write_new(file: Path, content: bytes) -> None:
    """A new file of its own, whole and synced, for this user alone.

    Raises:
        StoreError: it is there already, or cannot be written.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            sync_folder(file.absolute().parent)
        except BaseException:
            # Half a bundle helps nobody, and its place must be free for the next try.
            with suppress(OSError):
                file.unlink()
            raise
    except OSError as cause:
        raise StoreError(
            f"{file} cannot be written ({cause.strerror}).",
            remedy="Name a new file on a medium that can be written.",
        ) from cause
