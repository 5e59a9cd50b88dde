"""What ``taptill readers`` prints: what is attached, and how to address it."""

from __future__ import annotations

import click

from drivers.registry import FoundReader, discover_readers
from ui.tables import print_json, print_table


def readers(*, as_json: bool) -> int:
    """What is attached, which driver serves it, and how to address it."""
    found = discover_readers()
    rows = [
        {"url": item.url, "name": item.name, "driver": item.driver, "note": item.note}
        for item in found
        if isinstance(item, FoundReader)
    ]
    troubles = [item for item in found if isinstance(item, str)]
    if as_json:
        print_json({"readers": rows, "troubles": troubles})
        return 0
    headings = {"url": "Address (--reader)", "name": "Reader", "driver": "Driver", "note": "Note"}
    print_table("Readers", headings, rows, "No reader is attached.")
    for trouble in troubles:
        click.echo(f"Not looked at: {trouble}")
    return 0
