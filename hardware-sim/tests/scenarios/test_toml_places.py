"""Places in TOML files: every path that tomllib reads has one, and it is the right one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware_sim.scenario import BOOK
from hardware_sim.toml_places import Path as KeyPath
from hardware_sim.toml_places import places

PROFILES = BOOK.parent / "profiles"

TRICKY = '''\
# a comment with [brackets] and "quotes"
title = "a \\"quoted\\" # text"
'literal key' = 'C:\\path # no comment'
"basic \\u00e9" = 1
dotted.key.deep = true

[table.sub]
text = """
[[not a table]]
key = "inside \\""" text"
"""
literal = \'\'\'
[nor = this]\'\'\'
numbers = [ 1, 2.5,  # a comment in a list
    [3, [4]], ]
inline = { a = 1, b = { c = [ { d = "}" } ] } }
date = 2026-05-04T10:30:00Z

[[list]]
name = "first"
[[list]]
name = "second"
[[list.inner]]
x = 1
[list.inner.table]
y = 2
'''


def _paths(value: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    if at:
        yield at
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _paths(below, (*at, key))
    if isinstance(value, list):
        for number, below in enumerate(value):
            yield from _paths(below, (*at, number))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(path.read_text("utf-8"), id=path.name)
        for path in sorted([*BOOK.glob("*.toml"), *PROFILES.glob("*.toml")])
    ]
    + [pytest.param(TRICKY, id="tricky")],
)
def test_every_path_that_tomllib_reads_has_a_place(text: str) -> None:
    found = places(text)
    lines = text.splitlines()
    wanted = set(_paths(tomllib.loads(text)))
    assert wanted == set(found)
    for path, place in found.items():
        rest = lines[place.line - 1][place.column - 1 :]
        key = path[-1]
        if isinstance(key, str) and not rest.startswith("["):
            assert key.split("\u00e9")[0] in rest


def test_a_place_is_line_and_column() -> None:
    found = places('a = 1\n\n[[s]]\nsteps = [\n    { tap = "x", fault = "y" },\n    "cancel",\n]\n')
    assert str(found["a",]) == "1:1"
    assert str(found["s", 0]) == "3:1"
    assert str(found["s", 0, "steps", 0]) == "5:5"
    assert str(found["s", 0, "steps", 0, "fault"]) == "5:18"
    assert str(found["s", 0, "steps", 1]) == "6:5"


def test_the_files_are_there() -> None:
    assert isinstance(BOOK, Path)
    assert list(BOOK.glob("*.toml"))
