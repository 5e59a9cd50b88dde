"""How the reader is, and how the last taps went."""

from __future__ import annotations

from ui.presenter.page import About, chips
from ui.presenter.panel import Figure, Line, Panel, Place
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.shell import Shell
from ui.presenter.tap import Tap
from ui.words import Words

SLOW_S = 1.0
"""A card that takes longer has time to be pulled away."""


def page_of_reader(shell: Shell, words: Words, about: About) -> Panel:
    """The reader's name and state, and the timing of the last taps, newest first."""
    del about  # As every place is built.
    state = shell.till
    taps = shell.taps
    good = [tap for tap in taps if not tap.again]
    figures: tuple[Figure, ...] = ()
    if taps:
        middle = sorted(tap.card_s for tap in taps)[len(taps) // 2]
        figures = (
            Figure(words.say("Taps seen"), str(len(taps))),
            Figure(words.say("Usual time"), words.milliseconds(middle)),
            Figure(
                words.say("Read at once"),
                f"{len(good) * 100 // len(taps)} %",
                Tone.OK if len(good) * 10 >= len(taps) * 8 else Tone.WARN,
            ),
        )
    return Panel(
        place=Place.READER,
        title=words.say("Reader"),
        lead=words.reference(state.reader_text) if state.reader_text else words.say("Reader"),
        tone=Tone.OK if state.reader_ok else Tone.BAD,
        glyph=Glyph.WAVES if state.reader_ok else Glyph.EXCLAMATION,
        figures=figures,
        lines=tuple(_line(tap, words) for tap in reversed(taps)),
        lines_key=(taps, words.language),
        empty=words.say("No card has been read since the till was started"),
        note="" if state.reader_ok else words.say("Plug it in. The till looks for it by itself"),
        chips=chips(state, words),
    )


def _line(tap: Tap, words: Words) -> Line:
    slow = tap.card_s > SLOW_S
    again = (
        words.say("held again: {count}", count=tap.again)
        if tap.again
        else words.say("read at once")
    )
    return Line(
        title=words.say("Card {time}", time=words.milliseconds(tap.card_s)),
        subtitle=again,
        value=words.say("till {time}", time=words.milliseconds(tap.terminal_s)),
        glyph=Glyph.CLOCK if slow else Glyph.WAVES,
        tone=Tone.WARN if slow or tap.again else Tone.OK,
    )
