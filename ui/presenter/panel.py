"""A page of the back office in words: figures on top, lines below, keys at the end.

Rules of this file: values only. A list may have thousands of lines, so ``Lines`` makes each of
them when it is looked at, and keeps what it has made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar, overload

from terminal.transaction import MoneyTaken
from ui.presenter.page import Chip, Key
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.touches import Touch

T = TypeVar("T")


class Place(Enum):
    """Where in the till somebody is. ``TILL`` is the sale itself."""

    TILL = "till"
    LOCK = "lock"
    MENU = "menu"
    QUEUE = "queue"
    HISTORY = "history"
    SALE = "sale"
    DAY = "day"
    READER = "reader"
    SETTINGS = "settings"
    HELP = "help"
    SAFETY = "safety"
    TOUR = "tour"
    RECEIPT = "receipt"
    WAYS = "ways"
    CASH = "cash"
    HOLDS = "holds"
    TAKE = "take"
    PART = "part"
    COUNT = "count"
    SPLIT = "split"
    BILLS = "bills"
    TRANSFER = "transfer"
    ITEMS = "items"
    LINE = "line"
    DISCOUNT = "discount"
    SHARE = "share"


class Kind(Enum):
    """How a line looks."""

    ENTRY = "entry"
    FACT = "fact"
    HEADING = "heading"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: a title, what it is about, and a value at its end.

    ``on`` makes it a switch, in that position; None for what is none.
    """

    title: str
    subtitle: str = ""
    value: str = ""
    glyph: Glyph | None = None
    tone: Tone = Tone.NEUTRAL
    touch: Touch | None = None
    kind: Kind = Kind.ENTRY
    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that matters, and its name."""

    label: str
    value: str
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, slots=True)
class Tile:
    """A large key of the menu: a sign, a name, and one line on how things stand there."""

    label: str
    glyph: Glyph
    touch: Touch
    note: str = ""
    tone: Tone = Tone.READY
    enabled: bool = True


class Lines(Sequence[Line], Generic[T]):
    """Lines made one by one from what they are about."""

    def __init__(self, things: Sequence[T], make: Callable[[T], Line]) -> None:
        self._things = things
        self._make = make
        self._made: dict[int, Line] = {}

    def __len__(self) -> int:
        return len(self._things)

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...

    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if index not in self._made:
            self._made[index] = self._make(self._things[index])
        return self._made[index]


@dataclass(frozen=True, slots=True)
class Panel:
    """One page of the back office.

    ``query`` is what has been typed where the page can be searched, None where it cannot;
    ``meter`` how much of a limit is used, None without one; ``code`` the text of a QR code.
    ``dots`` are the digits of a PIN that have been typed. ``entry`` is the amount that has been
    typed where one is asked for, ``clears`` says that there are digits to take back, and ``quick``
    are amounts that one touch types.
    """

    place: Place
    title: str
    lead: str = ""
    tone: Tone = Tone.NEUTRAL
    glyph: Glyph | None = None
    figures: tuple[Figure, ...] = ()
    tiles: tuple[Tile, ...] = ()
    lines: Sequence[Line] = ()
    empty: str = ""
    note: str = ""
    money: str = ""
    money_taken: MoneyTaken | None = None
    query: str | None = None
    hint: str = ""
    meter: int | None = None
    code: str = ""
    dots: int | None = None
    entry: str = ""
    clears: bool = False
    quick: tuple[Key, ...] = ()
    keys: tuple[Key, ...] = ()
    chips: tuple[Chip, ...] = ()
    goes_back: bool = True
    lines_key: object = field(default=None, compare=False)
