"""Pages to read: help, how cards are protected, and the tour of the first minutes."""

from __future__ import annotations

from ui.presenter.page import About, Key, Rank, chips
from ui.presenter.panel import Kind, Line, Panel, Place
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.shell import Shell
from ui.presenter.steps import TOUR_STEPS
from ui.presenter.touches import Back, Go, NextStep
from ui.words import Words, mark

_HELP = (
    (
        mark("The card is not read"),
        mark("One card alone, flat on the reader, held still until the tone. Then another card"),
    ),
    (
        mark("It says: we don't know yet"),
        mark(
            "Take no second card. The till asks the bank and undoes the sale if it must."
            " The history shows how it ended"
        ),
    ),
    (
        mark("The network is away"),
        mark("Go on selling. Sales are saved, up to the shop's limit, and are sent by themselves"),
    ),
    (
        mark("The customer wants proof"),
        mark("Show the receipt as a code, or print it again from the history"),
    ),
    (
        mark("A sale has to be taken back"),
        mark("Find it in the history and open it: what can be done with it stands there"),
    ),
    (
        mark("The reader is gone"),
        mark("Plug it in again. The till finds it by itself; no restart is needed"),
    ),
)

_SAFETY = (
    (
        mark("The card number is sealed at once"),
        mark("It is locked to the bank the moment the card is read. This till cannot open it"),
    ),
    (
        mark("What stays here"),
        mark("A random token and the last four digits. Nothing that could pay anything"),
    ),
    (
        mark("No PIN of a card is ever asked for"),
        mark("If a screen of this till asks for one, do not type it, and tell the shop"),
    ),
    (
        mark("Nothing is charged in secret"),
        mark("Every sale is written down before anybody reads approved, also without a network"),
    ),
    (
        mark("What this till is not"),
        mark("It has no approval of EMVCo, PCI or a card scheme. Ask the shop before real money"),
    ),
)

_TOUR: tuple[tuple[str, str, Glyph], ...] = (
    (
        mark("Type the amount, touch Charge"),
        mark("One touch after the digits. The reader is live at once"),
        Glyph.CASH,
    ),
    (
        mark("The customer holds the card here"),
        mark("Four lights and a tone: the card is read. Two tones: it is approved"),
        Glyph.WAVES,
    ),
    (
        mark("Every end says where the money is"),
        mark("Taken, not taken, later, or not known yet. Not known is never declined"),
        Glyph.QUESTION,
    ),
    (
        mark("The menu has the rest"),
        mark("What waits, every sale, the end of the day, help. Training moves no money"),
        Glyph.MENU,
    ),
)


def page_of_help(shell: Shell, words: Words, about: About) -> Panel:
    """What to do when something is not as it should be, and whom to ask."""
    note = ""
    if about.contact:
        note = words.say("Help: {contact}", contact=words.reference(about.contact))
    return Panel(
        place=Place.HELP,
        title=words.say("Help"),
        lines=_texts(_HELP, words),
        note=note,
        keys=(Key(words.say("Take the tour"), Go("tour")),),
        chips=chips(shell.till, words),
    )


def page_of_safety(shell: Shell, words: Words, about: About) -> Panel:
    """What is kept of a card, and what this till is not."""
    del about  # As every place is built.
    return Panel(
        place=Place.SAFETY,
        title=words.say("How this is protected"),
        lines=_texts(_SAFETY, words),
        chips=chips(shell.till, words),
    )


def _texts(texts: tuple[tuple[str, str], ...], words: Words) -> tuple[Line, ...]:
    return tuple(Line(words.say(head), words.say(body), kind=Kind.TEXT) for head, body in texts)


def page_of_tour(shell: Shell, words: Words, about: About) -> Panel:
    """One step of the tour."""
    del about  # As every place is built.
    head, body, glyph = _TOUR[shell.tour_step]
    last = shell.tour_step + 1 >= TOUR_STEPS
    return Panel(
        place=Place.TOUR,
        title=words.say("How this till works"),
        lead=words.say(head),
        note=words.say(body),
        glyph=glyph,
        tone=Tone.READY,
        hint=f"{shell.tour_step + 1} / {TOUR_STEPS}",
        keys=(
            Key(words.say("Skip"), Back()),
            Key(words.say("Begin") if last else words.say("Next"), NextStep(), Rank.PRIMARY),
        ),
    )


if len(_TOUR) != TOUR_STEPS:
    raise AssertionError("the tour has as many steps as it shows")
