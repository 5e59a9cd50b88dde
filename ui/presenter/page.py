"""A screen as values, and what all screens have in common: notices, the card, the banner.

Rules of this file: pure. Text is logical (see ``ui.words``). ``ui.presenter.pages`` makes the
screens of a sale, ``ui.presenter.places`` those around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import Enum
from typing import TYPE_CHECKING

from terminal.transaction import MoneyTaken, Transaction
from ui.presenter.sayings import LAST_WORDS, Glyph, Tone
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.touches import Go, Touch
from ui.words import BULLETS, Words

if TYPE_CHECKING:
    from ui.presenter.panel import Line


class Rank(Enum):
    """How much a key stands out. There is one primary key on a screen at most."""

    PRIMARY = "primary"
    QUIET = "quiet"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Key:
    """A key below a screen."""

    label: str
    touch: Touch
    rank: Rank = Rank.QUIET
    enabled: bool = True
    glyph: Glyph | None = None


@dataclass(frozen=True, slots=True)
class ItemKey:
    """A quick key of an item: ``hue`` is the colour of its group, negative for none.

    ``count`` is how many of it are in the order.
    """

    name: str
    price: str
    hue: int
    count: int
    touch: Touch


@dataclass(frozen=True, slots=True)
class Chip:
    """A short standing notice in the top bar; ``touch`` is where it leads.

    ``short`` is what is left of it where there is no room.
    """

    text: str
    tone: Tone
    glyph: Glyph
    touch: Touch | None = None
    short: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a page needs to know beside the state.

    ``now`` is None where nobody tells the time; ``quick`` are the shop's usual amounts, whole
    units of its currency; ``contact`` is whom to ask, and ``coin_minor`` the smallest coin;
    ``transfers`` says that the shop can be paid by bank transfer.
    """

    now: datetime | None = None
    zone: tzinfo = UTC
    contact: str = ""
    coin_minor: int = 1
    transfers: bool = False
    quick: tuple[int, ...] = (5, 10, 20)
    cashier: str = ""
    training: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One screen in words.

    ``lights`` is how many of the four are lit; ``wait_s`` with ``wait_number`` starts a
    countdown (0 means none); ``returns`` says that the page leaves by itself after it, and
    ``clears`` that there are digits to take back. ``help`` is whom to ask, and by which number;
    ``banner`` a notice as wide as the screen. ``paid`` is how much of the sum has been paid, in
    percent, None where all or nothing was; ``entry`` what the customer has typed as a tip.
    ``order`` are the lines of what was taken, ``shelf`` the quick keys of a shop that has some,
    in the place of the keypad; ``alert`` says that the caption is no hint but a trouble, and
    ``wipe`` is what the corner key of the amount does.
    """

    screen: Screen
    tone: Tone
    glyph: Glyph
    title: str
    amount: str = ""
    caption: str = ""
    lines: tuple[str, ...] = ()
    money: str = ""
    money_taken: MoneyTaken | None = None
    detail: str = ""
    keys: tuple[Key, ...] = ()
    chips: tuple[Chip, ...] = ()
    lights: int = 0
    wait_s: float = 0.0
    wait_number: int = 0
    returns: bool = False
    clears: bool = False
    quick: tuple[Key, ...] = ()
    banner: Chip | None = None
    help: str = ""
    faces: bool = False
    paid: int | None = None
    entry: str = ""
    order: Sequence[Line] = ()
    order_key: object = field(default=None, compare=False)
    shelf: tuple[ItemKey, ...] = ()
    alert: bool = False
    wipe: Key | None = None


NOTHING = About()


def card_text(sale: Transaction, words: Words) -> str:
    """The card as anybody may see it: ``Visa •••• 1234``, kept in one piece."""
    if sale.card is None:
        return ""
    name = sale.card.scheme or sale.card.label
    last4 = sale.card.masked_pan[-4:]
    return words.reference(f"{name} {BULLETS} {last4}".strip())


def last_line(state: ViewState, words: Words) -> str:
    """The sale before this one, in one line; empty when there was none."""
    sale = state.last
    if sale is None:
        return ""
    parts = (words.money(sale.amount), card_text(sale, words), words.say(LAST_WORDS[sale.state]))
    return " · ".join(part for part in parts if part)


def chips(state: ViewState, words: Words) -> tuple[Chip, ...]:
    """The top bar's notices: what waits, the network, the reader."""
    shown = []
    total = state.pending_total
    pending = (
        words.say(
            "{count} to send · {amount}", count=state.pending_count, amount=words.money(total)
        )
        if state.pending_count and total is not None
        else ""
    )
    count = str(state.pending_count) if state.pending_count else ""
    if state.sending is not None:
        shown.append(Chip(sent_text(state, words), Tone.PENDING, Glyph.SEND, Go("queue"), count))
    elif not state.online:
        parts = [words.say("Offline"), pending]
        text = " · ".join(part for part in parts if part)
        shown.append(Chip(text, Tone.WARN, Glyph.CLOUD_OFF, Go("queue"), count))
    elif pending:
        shown.append(Chip(pending, Tone.PENDING, Glyph.CLOCK, Go("queue"), count))
    if state.reader_ok:
        shown.append(Chip(words.say("Reader ready"), Tone.OK, Glyph.WAVES, Go("reader")))
    else:
        shown.append(Chip(words.say("No reader"), Tone.BAD, Glyph.EXCLAMATION, Go("reader")))
    return tuple(shown)


def sent_text(state: ViewState, words: Words) -> str:
    """How far what waited has come on its way to the bank; empty where nothing is on it."""
    sending = state.sending
    if sending is None:
        return ""
    return words.say(
        "{done} of {total} sent · {amount} to go",
        done=sending.done,
        total=sending.total,
        amount=words.money(sending.left),
    )


def banner(state: ViewState, words: Words, about: About) -> Chip | None:
    """What a shop without a line has to know: how much is at risk, since when, and what is left."""
    if state.sending is not None:
        return Chip(sent_text(state, words), Tone.PENDING, Glyph.SEND, Go("queue"))
    if state.online:
        return None
    parts = [words.say("Offline")]
    total = state.pending_total
    if state.pending_count and total is not None:
        parts.append(
            words.say(
                "{count} to send · {amount}", count=state.pending_count, amount=words.money(total)
            )
        )
        if state.pending_since is not None and about.now is not None:
            age_s = max(0, round((about.now - state.pending_since).total_seconds()))
            parts.append(words.say("oldest {age}", age=words.span(age_s)))
    else:
        parts.append(words.say("sales are saved and sent later"))
    if state.pending_left is not None:
        parts.append(words.say("{amount} left", amount=words.money(state.pending_left)))
    return Chip(" · ".join(parts), Tone.WARN, Glyph.CLOUD_OFF, Go("queue"))


THOUSANDS = frozenset({"IRR", "KRW", "HUF", "JPY"})
"""Currencies in which five units buy nothing: the usual amounts are thousands."""


def trace_of(sale: Transaction) -> str:
    """What to name on the phone: the bank's number of the sale, or else the till's."""
    return sale.rrn or sale.txn_id.rpartition("_")[2][-12:]
