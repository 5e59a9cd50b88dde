"""What ``taptill taps`` does: how long taps took, against the rule of 500 ms.

Rules of this file: reading only, also beside a running till.
"""

from __future__ import annotations

from dataclasses import asdict

import click

from terminal.tap_times import BUDGET_MS, TapTime, TapTimes, summary, tap_times
from ui.books import ledger
from ui.tables import print_json, print_table
from ui.wiring import Settings


def taps(settings: Settings, *, limit: int, as_json: bool) -> int:
    """The latest taps and their figures."""
    with ledger(settings) as reports:
        found = tap_times(reports.transactions(limit=limit))
    figures = summary(found)
    if as_json:
        rows = [
            {
                **asdict(each),
                "total_ms": each.total_ms,
                "in_time": each.in_time,
                "commands": [{"name": name, "ms": took} for name, took in each.commands],
            }
            for each in found
        ]
        print_json(
            {"budget_ms": BUDGET_MS, "taps": rows, "figures": asdict(figures) if figures else None}
        )
        return 0
    headings = {
        "number": "Sale",
        "card": "Card",
        "device": "With",
        "total": "ms",
        "card_ms": "Card",
        "till": "Till",
        "slowest": "Slowest command",
        "late": f"Over {BUDGET_MS}",
    }
    print_table("Taps", headings, [_row(each) for each in found], "No tap has been timed yet.")
    if figures:
        _say(figures)
    return 0


def _row(tap: TapTime) -> dict[str, object]:
    return {
        "number": tap.sequence,
        "card": tap.card,
        "device": tap.device,
        "total": tap.total_ms,
        "card_ms": tap.card_ms,
        "till": tap.terminal_ms,
        "slowest": tap.slowest,
        "late": "" if tap.in_time else "yes",
    }


def _say(figures: TapTimes) -> None:
    click.echo(
        f"\n{figures.in_time} of {figures.count} within {BUDGET_MS} ms. Half of them within"
        f" {figures.median_ms} ms, 95 of 100 within {figures.p95_ms} ms, the slowest"
        f" {figures.worst_ms} ms. Of the till's own part, 95 of 100 within"
        f" {figures.terminal_p95_ms} ms."
    )
