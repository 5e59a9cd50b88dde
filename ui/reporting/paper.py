"""A sheet on a strip of paper: the lines that a receipt printer gets.

Rules of this file: no width is known here; the printer breaks what is too long. Bars become a row
of marks, since a strip has no other way to draw.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.ports import Emphasis, PrintLine
from ui.reporting.sheet import Sheet
from ui.reporting.speech import plain

_MARKS = 10


def lines_of(sheet: Sheet) -> tuple[PrintLine, ...]:
    """The strip, top to bottom."""
    first, *others = sheet.facts
    lines = [
        PrintLine(sheet.shop, centred=True, emphasis=Emphasis.STRONG),
        PrintLine(sheet.title, centred=True, emphasis=Emphasis.STRONG),
        PrintLine(sheet.subtitle, centred=True),
        PrintLine(),
        PrintLine(first.label, first.value, emphasis=Emphasis.LARGE),
        PrintLine(),
    ]
    for fact in others:
        label = f"{fact.label} ({fact.note})" if fact.note else fact.label
        lines.append(PrintLine(label, fact.value))
    for fact in sheet.waiting:
        label = f"! {fact.label} ({fact.note})"
        lines.append(PrintLine(label, fact.value, emphasis=Emphasis.STRONG))
    for table in sheet.tables:
        lines += [PrintLine(), PrintLine(table.title, emphasis=Emphasis.STRONG)]
        lines += [PrintLine(row[0], row[-1]) for row in table.rows]
    if sheet.bars:
        most = max(1, *(bar.minor for bar in sheet.bars))
        lines += [PrintLine(), PrintLine(sheet.chart_title, emphasis=Emphasis.STRONG)]
        for bar in sheet.bars:
            marks = "#" * max(0, bar.minor * _MARKS // most)
            lines.append(PrintLine(f"{bar.label} {marks}", bar.value))
    lines.append(PrintLine())
    lines += [PrintLine(note, centred=True) for note in sheet.notes]
    lines.append(PrintLine(sheet.footer, centred=True))
    return tuple(replace(line, left=plain(line.left), right=plain(line.right)) for line in lines)
