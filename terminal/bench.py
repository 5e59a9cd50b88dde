"""A bench of cards that can be tapped with the mouse, as the screen draws it.

Rules of this file: the product knows a bench only through this protocol. A reader that has one
shows it as its attribute ``bench``; real readers have none, and the screen then draws none.
Nothing here carries card data: the log names commands and status words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from terminal.ports import Reader


@dataclass(frozen=True, slots=True)
class BenchCard:
    """A card on the bench. ``colour_hex`` is its ground, ``#RRGGBB``; ``scheme`` may be empty."""

    id: str
    title: str
    subtitle: str
    scheme: str
    colour_hex: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"#[0-9A-Fa-f]{6}", self.colour_hex):
            raise ValueError("a colour is # and six hexadecimal digits")


@dataclass(frozen=True, slots=True)
class BenchSwitch:
    """Something about the bench that can be turned on and off, such as a slow card.

    ``value`` is how much of it, for a person, where that can be chosen; empty where it cannot.
    """

    id: str
    label: str
    on: bool
    value: str = ""


WELL, ILL = "✓", "!"
MARKS = (WELL, ILL)
"""What a line of a log begins with where what it tells went well, or did not."""


@runtime_checkable
class Bench(Protocol):
    """Cards in front of a reader. Every method may be called from any thread."""

    @property
    def title(self) -> str:
        """What its log is about, for a person."""

    def cards(self) -> tuple[BenchCard, ...]:
        """The cards, in the order in which to draw them."""

    def tap(self, card_id: str) -> None:
        """Holds a card to the reader, in place of any other.

        Raises:
            ReaderNotFound: there is no such card.
        """

    def remove(self) -> None:
        """Takes the card away. Harmless when there is none."""

    def switches(self) -> tuple[BenchSwitch, ...]:
        """The switches, in the order in which to draw them."""

    def set_switch(self, switch_id: str, on: bool) -> None:  # noqa: FBT001 - it is the new state
        """Turns a switch on or off.

        Raises:
            ReaderNotFound: there is no such switch.
        """

    def step(self, switch_id: str) -> None:
        """Moves the value of a switch on to the next, after the last to the first.

        Raises:
            ReaderNotFound: there is no such switch.
        """

    def log(self) -> tuple[str, ...]:
        """What happened last, oldest first, in plain language and without card data.

        A line may begin with one of ``MARKS`` and a space.
        """


@runtime_checkable
class BenchReader(Reader, Protocol):
    """A reader with a bench before it."""

    @property
    def bench(self) -> Bench:
        """The bench."""


def bench_of(reader: Reader) -> Bench | None:
    """The bench before this reader, or None for a real one."""
    return reader.bench if isinstance(reader, BenchReader) else None
