"""The amount screen of a shop that has a catalogue: quick keys, and the order as it grows.

Rules of this file: pure. Where there is no catalogue, the page stays as it was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from terminal.catalogue import Line as OrderLine
from terminal.money import Amount
from ui.presenter.basket import Basket, Trouble
from ui.presenter.item_touches import (
    AddItem,
    AddTyped,
    NextKeys,
    OpenLine,
    Restore,
    ShowKeypad,
)
from ui.presenter.page import ItemKey, Key, Page
from ui.presenter.panel import Kind, Line
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.state import ViewState
from ui.presenter.touches import Clear, Go
from ui.words import ISOLATE_LTR, POP_ISOLATE, Words, minus

KEYS_MAX = 12
TIMES = "\u00d7"
HUES = 6
"""So many colours tell the groups apart; the next ones begin again."""


def with_items(shown: Page, state: ViewState, words: Words) -> Page:
    """The page with quick keys and the lines of the order."""
    basket = state.basket
    if not basket.stock:
        return shown
    keypad = basket.keypad or not basket.stock.quick
    return replace(
        shown,
        caption=_hint(basket, words) or _begin(shown.caption, state, words),
        alert=basket.trouble is not Trouble.NONE,
        lines=() if basket.order is not None else shown.lines,
        order=_order(state, words),
        order_key=(basket.order, state.typed, words.language),
        shelf=() if keypad else _shelf(basket, words),
        quick=_row(state, words, keypad=keypad),
        wipe=_wipe(state, words),
    )


def _hint(basket: Basket, words: Words) -> str:
    match basket.trouble:
        case Trouble.UNKNOWN:
            code = words.reference(basket.code)
            return words.say("{code} is no item. Type its price, or find it", code=code)
        case Trouble.TOO_MUCH:
            return words.say("That is more than one sale can have")
        case Trouble.NONE:
            return ""


def _begin(hint: str, state: ViewState, words: Words) -> str:
    """How a sale begins, where nothing else has to be said."""
    if state.reader_ok and hint:
        return words.say("Touch an item, or type the amount")
    return hint


def _wipe(state: ViewState, words: Words) -> Key | None:
    if state.typed or state.basket.order is not None:
        return Key(words.say("Clear"), Clear())
    if state.basket.binned is not None:
        return Key(words.say("Undo"), Restore())
    return None


def _row(state: ViewState, words: Words, *, keypad: bool) -> tuple[Key, ...]:
    """The other way to say what is sold; the list of all items; and what is typed as a line."""
    keys = [Key(words.say("All items"), Go("items"), glyph=Glyph.SEARCH)]
    if state.basket.stock.quick:
        other = (
            Key(words.say("Quick keys"), ShowKeypad(on=False), glyph=Glyph.TILES)
            if keypad
            else Key(words.say("Keypad"), ShowKeypad(on=True), glyph=Glyph.KEYPAD)
        )
        keys.insert(0, other)
    if keypad:
        keys.append(Key(words.say("Add"), AddTyped(), enabled=state.typed > 0, glyph=Glyph.PLUS))
    return tuple(keys)


def _shelf(basket: Basket, words: Words) -> tuple[ItemKey, ...]:
    """The quick keys; where there are more than fit, the last one shows the next of them."""
    quick, groups = basket.stock.quick, basket.stock.groups
    taken: Counter[str] = Counter()
    for line in basket.lines:
        taken[line.item.name] += line.count
    first = basket.first if basket.first < len(quick) else 0
    more = len(quick) > KEYS_MAX
    shown = quick[first : first + (KEYS_MAX - 1 if more else KEYS_MAX)]
    keys = [
        ItemKey(
            # A key of its own, so that the name may be broken between its words.
            name=item.name,
            price=words.price(item.price),
            hue=groups.index(item.group) % HUES,
            count=taken[item.name],
            touch=AddItem(item),
        )
        for item in shown
    ]
    if more:
        following = first + len(shown)
        touch = NextKeys(following if following < len(quick) else 0)
        keys.append(ItemKey(words.say("More"), "", -1, 0, touch))
    return tuple(keys)


def _order(state: ViewState, words: Words) -> tuple[Line, ...]:
    """The lines, the newest first: that is the one that somebody looks for."""
    basket = state.basket
    order = basket.order
    if order is None:
        return ()
    lines = [line_of(number, line, state, words) for number, line in enumerate(order.lines)]
    if state.typed:
        lines.append(
            Line(
                title=words.say("Amount"),
                value=words.money(state.typed_amount),
                tone=Tone.READY,
                kind=Kind.FACT,
                touch=AddTyped(),
            )
        )
    if order.discount_bp:
        whole = basket.whole(state.typed_amount)
        off = sum(line.gross_minor for line in whole.lines) - whole.total.minor
        lines.append(
            Line(
                title=words.say("Discount {percent} %", percent=order.discount_bp // 100),
                value=minus(words.money(Amount(max(0, off), state.currency))),
                tone=Tone.READY,
                kind=Kind.FACT,
                touch=Go("discount"),
            )
        )
    return tuple(reversed(lines))


def line_of(number: int, line: OrderLine, state: ViewState, words: Words) -> Line:
    """One line of the order, which opens where it is touched."""
    name = words.reference(line.item.name) if line.item.name else words.say("Amount")
    title = name if line.count == 1 else f"{line.count} {TIMES} {name}"
    if line.discount_bp:
        title = f"{title} · {ISOLATE_LTR}\u2212{line.discount_bp // 100} %{POP_ISOLATE}"
    return Line(
        title=title,
        value=words.money(Amount(line.gross_minor, state.currency)),
        kind=Kind.FACT,
        touch=OpenLine(number),
    )
