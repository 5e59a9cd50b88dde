"""What ``taptill insight`` prints.

Rules of this file: reading only; the same values for people and for scripts.
"""

from __future__ import annotations

from dataclasses import asdict

import click

from offline_queue.insight import Insight, Share, insight_of
from offline_queue.store import Store
from terminal.tap_times import BUDGET_MS
from ui.books import require_ledger
from ui.tables import print_fields, print_json, print_table
from ui.wiring import Settings


def insight(settings: Settings, first_day: str, last_day: str, *, as_json: bool) -> int:
    """Where payments hurt, and what to do about it."""
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        found = insight_of(store, first_day, last_day)
    if as_json:
        print_json({**asdict(found), "suggestions": found.suggestions})
        return 0
    _show(found)
    return 0


def _show(found: Insight) -> None:
    shares = (*found.approved_by_scheme, *found.approved_by_device)
    rows = [{"name": s.name or "not known", "share": _percent(s)} for s in shares]
    print_table("Approved", {"name": "Card or device", "share": "Share"}, rows, "No card was used.")
    click.echo()
    declines = [asdict(decline) for decline in found.declines]
    headings = {"count": "Times", "reason": "Why", "advice": "What to do"}
    print_table("Declined", headings, declines, "Nothing was declined.")
    click.echo()
    taps = found.taps
    per_payment = f"{taps.part / taps.whole:.2f}" if taps.whole else "0"
    fields = {
        "Declined, then paid": found.false_declines,
        "Taps for a payment": per_payment,
        f"Taps within {BUDGET_MS} ms": f"{_percent(found.in_time)}, {found.held_p50_ms} ms in the"
        f" middle, {found.held_p95_ms} ms for one in twenty",
        "From ready to approved": f"{found.wait_p50_ms / 1000:.1f} s in the middle,"
        f" {found.wait_p95_ms / 1000:.1f} s for one in twenty",
        "Stored offline": _percent(found.stored),
        "With a tip": _percent(found.tipped),
        "Refunded": _percent(found.refunded),
        "Cards that came again": _percent(found.came_again),
        "Faces touched": "good {2}, middling {1}, bad {0}".format(*found.faces),
    }
    print_fields("Payments", fields)
    for suggestion in found.suggestions:
        click.echo(f"- {suggestion}")


def _percent(share: Share) -> str:
    return f"{share.permille // 10}.{share.permille % 10} % ({share.part} of {share.whole})"
