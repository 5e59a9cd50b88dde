"""What ``taptill insight`` and ``taptill catalogue`` print.

Rules of this file: reading only; the same values for people and for scripts.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from offline_queue.insight import Insight, Share, insight_of
from offline_queue.store import Store
from terminal.catalogue import read_catalogue
from terminal.errors import ConfigError
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


def catalogue(settings: Settings, path: Path, *, as_json: bool) -> int:
    """Reads a catalogue, and shows it; its faults are named and nothing is changed.

    Raises:
        ConfigError: the file cannot be read.
        CatalogueError: lines of it cannot.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(
            f"{path} cannot be read as UTF-8 text.", remedy="Save it as CSV in UTF-8."
        ) from cause
    found = read_catalogue(text, settings.config.till.currency, str(path))
    rows = [
        {
            "name": item.name,
            "price": str(item.price),
            "group": item.group,
            "tax": f"{item.rate_bp / 100:g} %",
            "barcode": item.barcode,
            "key": item.key or "",
        }
        for item in found.items
    ]
    if as_json:
        print_json({"items": rows})
        return 0
    headings = {name: name.capitalize() for name in ("name", "price", "group", "tax", "barcode")}
    print_table("Items", {**headings, "key": "Key"}, rows, "No items.")
    return 0
