"""Places that ask for an amount: cash and its change, a hold that is taken, a part given back."""

from __future__ import annotations

from terminal.bill import equal_parts
from terminal.money import Amount
from ui.presenter import entries, parting
from ui.presenter.page import THOUSANDS, About, Key, Rank, chips
from ui.presenter.panel import Figure, Panel, Place
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.shell import Shell
from ui.presenter.touches import Enter, Go, PayPart, Preset, Transfer
from ui.words import Words, mark

_NOTES = (5, 10, 20, 50, 100, 200)
"""The banknotes that people hand over, in whole units of the currency."""

_TITLES = {
    Place.CASH: (mark("Cash"), mark("What was handed over")),
    Place.COUNT: (mark("Count the cash"), mark("What lies in the drawer")),
    Place.TAKE: (mark("Take a hold"), mark("How much of it is taken")),
    Place.PART: (mark("Refund"), mark("How much goes back")),
    Place.SPLIT: (mark("Split"), mark("What the next one pays")),
}


def page_of_entry(shell: Shell, words: Words, about: About) -> Panel:
    """The amount that is asked for, what it leads to, and the keypad."""
    title, lead = _TITLES[shell.place]
    note = " ".join(part for part in (shell.note, shell.remedy) if part)
    return Panel(
        place=shell.place,
        title=words.say(title),
        lead=words.say(lead),
        entry=words.money(entries.chosen(shell) if shell.entry else entries.typed(shell)),
        clears=shell.entry > 0,
        figures=_figures(shell, words),
        quick=_quick(shell, words),
        note=words.say("One moment…") if shell.checking else note,
        keys=_keys(shell, words, about),
        chips=chips(shell.till, words),
    )


def _keys(shell: Shell, words: Words, about: About) -> tuple[Key, ...]:
    possible = entries.possible(shell)
    primary = Key(_label(shell, words), Enter(), Rank.PRIMARY, enabled=possible)
    if shell.place is not Place.SPLIT:
        return (primary,)
    return (primary, *other_tenders(words, about, enabled=possible))


def other_tenders(words: Words, about: About, *, enabled: bool) -> tuple[Key, ...]:
    """How a part of a bill is paid but by card: in cash, and by transfer where the shop can."""
    cash = Key(words.say("Cash"), PayPart(), enabled=enabled, glyph=Glyph.CASH)
    transfer = Key("QR", Transfer("ask"), enabled=enabled, glyph=Glyph.QR)
    return (cash, transfer) if about.transfers else (cash,)


def _figures(shell: Shell, words: Words) -> tuple[Figure, ...]:
    asked = entries.asked(shell)
    match shell.place:
        case Place.CASH:
            given = entries.chosen(shell).minor - asked.minor
            change = Amount(max(0, given), asked.currency)
            short = shell.entry and given < 0
            missing = Amount(max(0, -given), asked.currency)
            return (
                Figure(words.say("Due"), words.money(asked)),
                Figure(words.say("Missing"), words.money(missing), Tone.BAD)
                if short
                else Figure(words.say("Change"), words.money(change), Tone.OK),
            )
        case Place.COUNT:
            return ()
        case Place.SPLIT:
            paid = shell.split.paid if shell.split is not None else Amount(0, asked.currency)
            return (
                Figure(words.say("Paid"), words.money(paid), Tone.OK),
                Figure(words.say("Still due"), words.money(asked)),
            )
        case _:
            label = words.say("Held") if shell.place is Place.TAKE else words.say("At most")
            return (Figure(label, words.money(asked)),)


def _label(shell: Shell, words: Words) -> str:
    amount = words.money(entries.chosen(shell))
    match shell.place:
        case Place.CASH:
            return words.say("Take {amount}", amount=words.money(entries.asked(shell)))
        case Place.COUNT:
            return words.say("Counted: {amount}", amount=amount)
        case Place.TAKE:
            return words.say("Take {amount}", amount=amount)
        case Place.SPLIT:
            return words.say("Charge {amount}", amount=amount)
        case _:
            return words.say("Give {amount} back", amount=amount)


def _quick(shell: Shell, words: Words) -> tuple[Key, ...]:
    """The exact sum and the notes above it; of a bill, the shares of so many people."""
    asked = entries.asked(shell)
    if shell.place is Place.SPLIT:
        by_item = (Key(words.say("By item"), Go("share")),) if parting.free(shell) else ()
        people = (2, 3) if by_item else (2, 3, 4)
        shares = [(n, equal_parts(asked, n)[0]) for n in people if n <= asked.minor]
        keys = [Key(f"1/{n}", Preset(share)) for n, share in shares]
        return (*keys, Key(words.say("All"), Preset(asked)), *by_item) if asked.minor else ()
    if shell.place is not Place.CASH or not asked.minor:
        return ()
    scale = 1000 if asked.currency.code in THOUSANDS else 1
    unit = 10**asked.currency.exponent * scale
    sums = [note * unit for note in _NOTES if note * unit > asked.minor]
    if not sums:
        # More than the largest note: several of one kind.
        sums = sorted({-(-asked.minor // (note * unit)) * note * unit for note in _NOTES[-3:]})
    handed = [Amount(minor, asked.currency) for minor in sums if minor > asked.minor][:3]
    exact = Key(words.say("Exactly"), Preset(asked))
    return (exact, *(Key(words.money_short(each), Preset(each)) for each in handed))
