"""Where each key and value of a TOML file stands, since ``tomllib`` does not say.

Rules of this file: it is given text that ``tomllib`` has read already, so it need not be strict,
and it gives places and no values. A path is the keys and, inside lists, the numbers that lead to
a value: ``("scenario", 3, "steps", 0, "tap")``. A test holds that its paths are those of
``tomllib`` for every file of the book.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

Path = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
_SKIP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]+")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line and a column, both from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._table: Path = ()
        self._lengths: dict[Path, int] = {}
        self.places: dict[Path, int] = {}

    def scan(self) -> None:
        """Goes through the whole text."""
        self._skip()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                self._header()
            else:
                self._pair(self._table)
            self._skip()

    def _skip(self) -> None:
        found = _SKIP.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _eat(self, token: str) -> bool:
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _header(self) -> None:
        start = self._at
        several = self._eat("[[")
        if not several:
            self._eat("[")
        keys = self._keys()
        self._eat("]]" if several else "]")
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            self.places.setdefault(path, start)
            last = number == len(keys)
            if last and several:
                self._lengths[path] = self._lengths.get(path, 0) + 1
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
                self.places.setdefault(path, start)
        self._table = path

    def _keys(self) -> list[str]:
        """A dotted key: bare words and strings with dots between them."""
        keys = []
        while True:
            self._skip()
            keys.append(self._key())
            self._skip()
            if not self._eat("."):
                return keys

    def _key(self) -> str:
        for pattern in (_BASIC, _LITERAL, _BARE_KEY):
            if found := pattern.match(self._text, self._at):
                self._at = found.end()
                text = found.group()
                return _plain(text) if text[0] == '"' else text.strip("'")
        raise ValueError(f"no key at {self._at}")

    def _pair(self, table: Path) -> None:
        start = self._at
        path = table
        for key in self._keys():
            path = (*path, key)
            self.places.setdefault(path, start)
        self._eat("=")
        self._skip()
        self._value(path)

    def _value(self, path: Path) -> None:
        for quotes in ('"""', "'''"):
            if self._eat(quotes):
                end = self._text.index(quotes, self._at)
                while quotes[0] == '"' and self._text[end - 1] == "\\":
                    end = self._text.index(quotes, end + 1)
                self._at = end + 3
                # Up to two more quotes may stand before the closing three.
                while self._eat(quotes[0]):
                    pass
                return
        for pattern in (_BASIC, _LITERAL):
            if found := pattern.match(self._text, self._at):
                self._at = found.end()
                return
        if self._eat("["):
            self._list(path)
        elif self._eat("{"):
            self._inline(path)
        elif found := _SCALAR.match(self._text, self._at):
            self._at = found.end()

    def _list(self, path: Path) -> None:
        number = 0
        self._skip()
        while not self._eat("]"):
            self.places[*path, number] = self._at
            self._value((*path, number))
            number += 1
            self._skip()
            self._eat(",")
            self._skip()

    def _inline(self, path: Path) -> None:
        self._skip()
        while not self._eat("}"):
            self._pair(path)
            self._skip()
            self._eat(",")
            self._skip()


def _plain(text: str) -> str:
    """A quoted key as it is read."""

    def unescaped(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if code[0] in "uU" else _ESCAPES[code]

    pattern = r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)"
    return re.sub(pattern, unescaped, text[1:-1])


def places(text: str) -> Mapping[Path, Place]:
    """The place of every key, table and list entry of ``text``, which must be TOML.

    A key's place is where the key begins; that of a list's entry where its value begins.
    """
    scanner = _Scanner(text)
    scanner.scan()
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(offset: int) -> Place:
        line = bisect_right(starts, offset)
        return Place(line, offset - starts[line - 1] + 1)

    return {path: place(offset) for path, offset in scanner.places.items()}
