"""Tables and named values as lines of text, for any width.

Rules of this file: pure text in, pure text out. A table that fits stands in columns; one that
does not fit becomes a block of named values for each row, so that a narrow terminal breaks
between words and never drops a letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from textwrap import wrap

_GAP = "  "
_FLEXIBLE = 24
"""A column with longer texts than this may be broken between words, down to this width."""

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")

Row = Mapping[str, object]


def table(headings: Mapping[str, str], rows: Sequence[Row], width: int) -> list[str]:
    """The rows under their headings (key to heading), no line wider than ``width`` columns.

    Numbers stand to the right. A column that is empty in every row is left out.
    """
    texts = {key: [text(row.get(key)) for row in rows] for key in headings}
    shown = [key for key in headings if any(texts[key])]
    natural = {
        key: max(wide(headings[key]), *(wide(value) for value in texts[key])) for key in shown
    }
    sizes = _fitted(natural, width)
    if sizes is None:
        return _blocks({key: headings[key] for key in shown}, texts, len(rows), width)
    numbers = {key for key in shown if all(_NUMBER.fullmatch(value) for value in texts[key])}
    lines = _cells([headings[key] for key in shown], shown, sizes, numbers)
    lines.append(_GAP.join("-" * sizes[key] for key in shown))
    for index in range(len(rows)):
        lines += _cells([texts[key][index] for key in shown], shown, sizes, numbers)
    return lines


def fields(values: Mapping[str, object], width: int) -> list[str]:
    """Names and values, one a line; what is longer goes on under its beginning."""
    names = max(map(wide, values), default=0)
    room = width - names - len(_GAP)
    lines = []
    for name, value in values.items():
        first, *rest = _broken(text(value), max(room, 8))
        lines.append(f"{_padded(name, names)}{_GAP}{first}".rstrip())
        lines += [f"{'':{names}}{_GAP}{part}" for part in rest]
    return lines


def text(value: object) -> str:
    """A value as a person reads it; nothing for None."""
    return "" if value is None else str(value)


def wide(value: str) -> int:
    """How many columns of a terminal a text takes: marks none, East Asian letters two."""
    marks = ("Mn", "Me", "Cf")
    return sum(
        0
        if unicodedata.category(letter) in marks
        else 2
        if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in value
    )


def _fitted(natural: Mapping[str, int], width: int) -> dict[str, int] | None:
    """The width of each column, long texts narrowed as needed; None where nothing helps."""
    sizes = dict(natural)
    over = sum(sizes.values()) + len(_GAP) * (len(sizes) - 1) - width
    while over > 0:
        widest = max(sizes, key=lambda key: sizes[key])
        if sizes[widest] <= _FLEXIBLE:
            return None
        sizes[widest] -= 1
        over -= 1
    return sizes


def _cells(
    values: Sequence[str], keys: Sequence[str], sizes: Mapping[str, int], numbers: set[str]
) -> list[str]:
    """One row, as many lines as its longest text needs."""
    parts = [_broken(value, sizes[key]) for key, value in zip(keys, values, strict=True)]
    lines = []
    for index in range(max(map(len, parts), default=0)):
        cells = [
            _padded(part[index] if index < len(part) else "", sizes[key], right=key in numbers)
            for key, part in zip(keys, parts, strict=True)
        ]
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _blocks(
    headings: Mapping[str, str], texts: Mapping[str, Sequence[str]], count: int, width: int
) -> list[str]:
    """Each row as named values, with an empty line between two rows."""
    lines: list[str] = []
    for index in range(count):
        named = {heading: texts[key][index] for key, heading in headings.items()}
        lines += [*([""] if lines else []), *fields({k: v for k, v in named.items() if v}, width)]
    return lines


def _padded(value: str, width: int, *, right: bool = False) -> str:
    space = " " * (width - wide(value))
    return space + value if right else value + space


def _broken(value: str, width: int) -> list[str]:
    """The lines of a text, at least one; a name or an address is broken only if it must be."""
    if wide(value) <= width:
        return [value]
    return wrap(value, width, break_on_hyphens=False) or [""]
