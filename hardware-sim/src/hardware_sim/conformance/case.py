"""What a conformance case is, and the three ways it can end.

Rules of this file: a case knows what it proves and how to check it; a check returns a remark, or
raises ``Mismatch`` or ``OutOfScope``. Differences are shown for protocol data and never for an
account number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

_SHOWN_MAX = 96

Json = Any
"""Parsed JSON of somebody else's making: a format module checks what it uses."""


class Verdict(Enum):
    """How a case ended."""

    PASS = "pass"  # noqa: S105 - a verdict is no password.
    FAIL = "fail"
    NOT_RUN = "not run"


class Mismatch(AssertionError):
    """What was found is not what the case expects; the message says where."""


class OutOfScope(Exception):
    """The case needs what this product does not do, by decision; the message says what."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a file.

    ``check`` runs it and returns a remark for the reader, which may be empty.
    """

    name: str
    proves: str
    check: Callable[[], str] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON file that was found."""

    path: Path
    content: Json = field(repr=False)

    @property
    def kind(self) -> str:
        """The file's own word for its format; empty where it has none."""
        stated = self.content.get("kind", "") if isinstance(self.content, dict) else ""
        return stated if isinstance(stated, str) else ""

    @property
    def source(self) -> str:
        """Where the data comes from, in the file's own words."""
        stated = self.content.get("source", "") if isinstance(self.content, dict) else ""
        return stated if isinstance(stated, str) else ""


@dataclass(frozen=True, slots=True)
class Library:
    """Every document that was found, for formats whose files refer to one another."""

    documents: tuple[Document, ...] = ()

    def of_kind(self, kind: str) -> Iterator[Document]:
        """The documents of one kind."""
        return (each for each in self.documents if each.kind == kind)

    def named(self, name: str, near: Document) -> Document | None:
        """The document that another one names by its file's stem; one in the same folder first."""
        found = [each for each in self.documents if each.path.stem == name]
        beside = [each for each in found if each.path.parent == near.path.parent]
        return next(iter(beside + found), None)


@dataclass(frozen=True, slots=True)
class Format:
    """One case format: how it is recognised, and its cases."""

    name: str
    title: str
    recognises: Callable[[Document], bool]
    cases: Callable[[Document, Library], Iterator[Case]]


def same(what: str, found: object, expected: object) -> None:
    """Requires equality.

    Raises:
        Mismatch: the two differ; the message shows both, shortened.
    """
    if found != expected:
        raise Mismatch(f"{what}: expected {_shown(expected)}, found {_shown(found)}")


def same_account(what: str, found: str | None, expected: str) -> None:
    """Requires equality of account data, and shows none of it.

    Raises:
        Mismatch: the two differ.
    """
    if found != expected:
        raise Mismatch(f"{what}: {'not found' if found is None else 'another one was read'}")


def require(holds: object, otherwise: str) -> None:
    """Requires a truth.

    Raises:
        Mismatch: it doesn't hold; the message is ``otherwise``.
    """
    if not holds:
        raise Mismatch(otherwise)


def refused(
    what: str, check: Callable[[], object], *, by: type[Exception] | tuple[type[Exception], ...]
) -> str:
    """Requires that ``check`` is refused with a named failure; returns its message.

    Raises:
        Mismatch: it was accepted.
    """
    try:
        check()
    except by as refusal:
        return str(refusal)
    raise Mismatch(f"{what} was accepted and has to be refused")


def unhex(text: object) -> bytes:
    """Bytes from hexadecimal; None is empty.

    Raises:
        ValueError: it is something else.
    """
    if text is None:
        return b""
    if not isinstance(text, str):
        raise ValueError(f"expected hexadecimal text, found {type(text).__name__}")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{text[:16]!r} is no hexadecimal") from None


def upper(data: bytes) -> str:
    """Bytes as the files write them."""
    return data.hex().upper()


def objects(stated: Mapping[str, str]) -> dict[int, bytes]:
    """Data objects that a file states by tag, as a terminal holds them; empty ones are absent."""
    return {int(tag, 16): bytes.fromhex(value) for tag, value in stated.items() if value}


def kinds(*names: str) -> Callable[[Document], bool]:
    """Recognises documents by their stated kind."""
    return lambda document: document.kind in names


def _shown(value: object) -> str:
    text = upper(value) if isinstance(value, bytes) else str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}… ({len(text)} characters)"
