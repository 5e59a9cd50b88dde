"""What can be chosen about this till; a touch takes the next choice."""

from __future__ import annotations

from ui.presenter.page import About, chips
from ui.presenter.panel import Line, Panel, Place
from ui.presenter.preferences import CHOICES, LABELS
from ui.presenter.sayings import Tone
from ui.presenter.shell import Shell
from ui.presenter.touches import Choose
from ui.words import Words


def page_of_settings(shell: Shell, words: Words, about: About) -> Panel:
    """Every preference with its choice of now."""
    del about  # As every place is built.
    lines = []
    for name, (label, note) in LABELS.items():
        value = getattr(shell.preferences, name)
        shown = CHOICES[name][value]
        lines.append(
            Line(
                title=words.say(label),
                subtitle=words.say(note),
                # Languages are called by their own names everywhere.
                value=words.reference(shown) if name == "language" else words.say(shown),
                tone=Tone.READY,
                on=value == "on" if set(CHOICES[name]) == {"on", "off"} else None,
                touch=Choose(name),
            )
        )
    return Panel(
        place=Place.SETTINGS,
        title=words.say("Settings"),
        lines=tuple(lines),
        lines_key=(shell.preferences, words.language),
        note="" if shell.staff else words.say("Nobody has a PIN yet: taptill users add makes one"),
        chips=chips(shell.till, words),
    )
