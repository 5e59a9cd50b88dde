"""What a cashier can do to an order. Rules of this file: values only, as in ``touches``."""

from __future__ import annotations

from dataclasses import dataclass

from terminal.catalogue import Item


@dataclass(frozen=True, slots=True)
class AddItem:
    """One more of an item."""

    item: Item


@dataclass(frozen=True, slots=True)
class AddTyped:
    """What is typed becomes a line of the order, so that more can be typed."""


@dataclass(frozen=True, slots=True)
class SetCount:
    """So many on a line (from 0); none of them takes it out."""

    number: int
    count: int


@dataclass(frozen=True, slots=True)
class TakeOff:
    """A discount on a line (from 0), or on the whole for None, in basis points."""

    number: int | None
    off_bp: int


@dataclass(frozen=True, slots=True)
class Restore:
    """Takes back the order that was just cleared."""


@dataclass(frozen=True, slots=True)
class ShowKeypad:
    """The keypad where the quick keys are, or the other way round."""

    on: bool


@dataclass(frozen=True, slots=True)
class NextKeys:
    """More quick keys, from this one on."""

    first: int


ItemTouch = AddItem | AddTyped | SetCount | TakeOff | Restore | ShowKeypad | NextKeys
"""These change the order, or what is shown of it."""


@dataclass(frozen=True, slots=True)
class OpenLine:
    """Opens a line of the order (from 0)."""

    number: int


@dataclass(frozen=True, slots=True)
class Percent:
    """A share that a key of the discount stands for."""

    percent: int


@dataclass(frozen=True, slots=True)
class PickLine:
    """Whether the next one pays this line of the bill (from 0)."""

    number: int


OrderTouch = OpenLine | Percent | PickLine
"""These lead to a place, or mean something in one alone."""
