"""Splitting a bill by what is on it: its lines, and which of them the next one pays."""

from __future__ import annotations

from terminal.money import Amount
from ui.presenter import parting
from ui.presenter.item_touches import PickLine
from ui.presenter.office.entry import other_tenders
from ui.presenter.page import About, Key, Rank, chips
from ui.presenter.panel import Figure, Kind, Line, Panel, Place
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.shell import Shell
from ui.presenter.touches import Enter
from ui.words import Words


def page_of_share(shell: Shell, words: Words, about: About) -> Panel:
    """Every line that nobody has paid for; a touch says that the next one does."""
    bill, cost = parting.bill_of(shell), parting.cost(shell)
    due = shell.split.due if shell.split is not None else bill.total
    possible = parting.possible(shell)
    lines = tuple(
        _line(each, bill.lines[each], bill.parts[each].gross_minor, shell, words)
        for each in parting.free(shell)
    )
    note = " ".join(part for part in (shell.note, shell.remedy) if part)
    charge = words.say("Charge {amount}", amount=words.money(cost))
    return Panel(
        place=Place.SHARE,
        title=words.say("What the next one pays"),
        figures=(
            Figure(words.say("Chosen"), words.money(cost), Tone.READY),
            Figure(words.say("Still due"), words.money(due)),
        ),
        lines=lines,
        lines_key=(shell.split is None, len(lines), words.language),
        empty=words.say("Somebody has paid for every line. Take an amount"),
        note=words.say("One moment…") if shell.checking else note,
        keys=(
            *other_tenders(words, about, enabled=possible),
            Key(charge, Enter(), Rank.PRIMARY, enabled=possible),
        ),
        chips=chips(shell.till, words),
    )


def _line(number: int, name: str, minor: int, shell: Shell, words: Words) -> Line:
    picked = number in shell.picked
    return Line(
        title=words.reference(name) if name else words.say("Amount"),
        value=words.money(Amount(minor, shell.till.currency)),
        glyph=Glyph.CHECK if picked else Glyph.PLUS,
        tone=Tone.OK if picked else Tone.NEUTRAL,
        touch=PickLine(number),
        kind=Kind.FACT,
    )
