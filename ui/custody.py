"""What the commands that guard the till do: ``verify``, ``users``, ``keys``.

Rules of this file: reading goes on beside a running till; whatever changes something says who
did it, and the audit log keeps it.
"""

from __future__ import annotations

import sys

import click

from drivers.device_keys import open_device_keys
from offline_queue.verification import verify as verify_file
from ui.books import require_ledger
from ui.tables import print_json, print_table
from ui.wiring import Settings


def verify(settings: Settings, *, as_json: bool) -> int:
    """Reads the whole ledger and lists everything that is not as this till left it."""
    require_ledger(settings)
    keys = open_device_keys(settings.config.till.key_store, settings.data_dir)
    shows = sys.stderr.isatty() and not as_json
    findings = verify_file(
        settings.ledger_path,
        keys.keystore,
        counter=keys.counter,
        progress=_show_progress if shows else None,
    )
    if shows:
        click.echo(err=True)
    rows = [{"what": finding.what, "where": finding.where} for finding in findings]
    if as_json:
        print_json({"sound": not rows, "ledger": str(settings.ledger_path), "findings": rows})
    else:
        headings = {"what": "What", "where": "Where"}
        sound = f"{settings.ledger_path} is as this till left it: every row, none missing."
        print_table("Not as this till left it", headings, rows, sound)
    return int(bool(rows))


def _show_progress(done: int, total: int) -> None:
    percent = 100 * done // total if total else 100
    click.echo(f"\r{percent:3d} %  {done} of {total} rows", nl=False, err=True)
