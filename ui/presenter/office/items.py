"""The list of items, one line of an order, and a discount: what is shown of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from terminal.catalogue import Item
from terminal.errors import AmountError
from terminal.money import Amount
from ui.presenter import ordering
from ui.presenter.counter_page import TIMES
from ui.presenter.item_touches import AddItem, Percent, SetCount, TakeOff
from ui.presenter.page import About, Key, Rank, chips
from ui.presenter.panel import Figure, Kind, Line, Lines, Panel, Place
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.shell import Shell
from ui.presenter.touches import Back, Enter, Go, Letter
from ui.words import Words

LETTERS_MAX = 29
GROUPED_MAX = 250
"""Longer lists have no headings: nobody scrolls to one."""
PERCENTS = (5, 10, 20, 50)


def page_of_items(shell: Shell, words: Words, about: About) -> Panel:
    """Everything that is sold, with the letters that lead on beside it."""
    del about  # As every place is built.
    basket = shell.till.basket
    found = basket.stock.matching(shell.query)
    taken: Counter[str] = Counter()
    for line in basket.lines:
        taken[line.item.name] += line.count
    due = basket.due(shell.till.typed_amount)
    back = words.say("To the sale")
    return Panel(
        place=Place.ITEMS,
        title=words.say("Items"),
        lines=Lines(
            _grouped(found, shell),
            lambda each: (
                Line(words.reference(each), kind=Kind.HEADING)
                if isinstance(each, str)
                else _item(each, taken[each.name], words)
            ),
        ),
        lines_key=(id(basket.stock), shell.query, words.language),
        empty=words.say("No item begins like {query}", query=words.reference(shell.query))
        if shell.query
        else words.say("The shop has no list of items yet: taptill catalogue takes one in"),
        query=shell.query,
        hint=words.say("Name or barcode"),
        quick=tuple(
            Key(letter.upper(), Letter(letter))
            for letter in basket.stock.letters(shell.query, LETTERS_MAX)
        ),
        keys=(Key(f"{back} · {words.money(due)}" if due.minor else back, Back(), Rank.PRIMARY),),
        chips=chips(shell.till, words),
    )


def _grouped(found: Sequence[Item], shell: Shell) -> Sequence[Item | str]:
    """The items with the name of each group above them, where there are several."""
    if len(found) > GROUPED_MAX or len(shell.till.basket.stock.groups) < 2:
        return found
    lines: list[Item | str] = []
    group = ""
    for item in found:
        if item.group != group:
            group = item.group
            lines.append(group)
        lines.append(item)
    return lines


def _item(item: Item, count: int, words: Words) -> Line:
    price = words.money(item.price)
    return Line(
        title=words.reference(item.name),
        value=f"{count} {TIMES} {price}" if count else price,
        tone=Tone.READY if count else Tone.NEUTRAL,
        kind=Kind.FACT,
        touch=AddItem(item),
    )


def page_of_line(shell: Shell, words: Words, about: About) -> Panel:
    """One line of the order: how many of it, at which price, and what can be done with it."""
    del about  # As every place is built.
    line, number = ordering.line_of(shell), shell.line
    if line is None or number is None:
        # It was taken out a moment ago.
        return Panel(place=Place.LINE, title=words.say("Items"), entry=" ", keys=_gone(words))
    count = shell.entry or line.count
    kept = type(line)(line.item, count, line.discount_bp)
    currency = shell.till.currency
    name = words.reference(line.item.name) if line.item.name else words.say("Amount")
    quick = (
        Key("", SetCount(number, line.count - 1), enabled=line.count > 1, glyph=Glyph.MINUS),
        Key(
            "",
            SetCount(number, line.count + 1),
            enabled=line.count < ordering.COUNT_MAX,
            glyph=Glyph.PLUS,
        ),
        Key(words.say("Discount"), Go("discount")),
        Key(words.say("Remove"), SetCount(number, 0)),
    )
    total = Amount(kept.gross_minor, currency)
    return Panel(
        place=Place.LINE,
        title=words.say("How many"),
        lead=name,
        entry=str(count),
        clears=shell.entry > 0,
        figures=(
            Figure(words.say("Each"), words.money(line.item.price)),
            Figure(
                words.say("Less {percent} %", percent=line.discount_bp // 100)
                if line.discount_bp
                else words.say("Together"),
                words.money(total),
                Tone.READY,
            ),
        ),
        quick=quick,
        keys=(Key(f"{words.say('Done')} · {words.money(total)}", Enter(), Rank.PRIMARY),),
        chips=chips(shell.till, words),
    )


def _gone(words: Words) -> tuple[Key, ...]:
    return (Key(words.say("Done"), Enter(), Rank.PRIMARY),)


def page_of_discount(shell: Shell, words: Words, about: About) -> Panel:
    """What is taken off a line, or off all of it, and what is then left to pay."""
    del about  # As every place is built.
    line = ordering.line_of(shell)
    lead = words.say("On the whole order")
    if line is not None:
        lead = words.reference(line.item.name) if line.item.name else words.say("Amount")
    before, after = _worth(shell)
    label = (
        words.say("Discount {percent} %", percent=shell.entry)
        if shell.entry
        else words.say("No discount")
    )
    return Panel(
        place=Place.DISCOUNT,
        title=words.say("Discount"),
        lead=lead,
        entry=f"{shell.entry} %",
        clears=shell.entry > 0,
        figures=(
            Figure(words.say("Before"), words.money(before)),
            Figure(words.say("After"), words.money(after), Tone.READY),
        ),
        quick=tuple(Key(f"{each} %", Percent(each)) for each in PERCENTS),
        keys=(Key(label, Enter(), Rank.PRIMARY, enabled=ordering.possible(shell)),),
        chips=chips(shell.till, words),
    )


def _worth(shell: Shell) -> tuple[Amount, Amount]:
    """What it costs without a discount, and with the one that has been typed."""
    line, off_bp = ordering.line_of(shell), shell.entry * 100
    typed, basket = shell.till.typed_amount, shell.till.basket
    if line is not None:
        plain, less = replace(line, discount_bp=0), replace(line, discount_bp=off_bp)
        currency = shell.till.currency
        return Amount(plain.gross_minor, currency), Amount(less.gross_minor, currency)
    try:
        before, after = (basket.after(TakeOff(None, bp), typed).due(typed) for bp in (0, off_bp))
    except AmountError:
        return typed, typed
    return before, after
