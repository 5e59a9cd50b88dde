"""What every widget looks at: the theme, the words, and whether things may move."""

from __future__ import annotations

from collections.abc import Callable

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ObjectProperty

from ui.touch.theme import LIGHT, Rgba, Theme
from ui.words import Words


class Skin(EventDispatcher):
    """The one observable of the looks. ``motion`` off makes every change immediate."""

    theme = ObjectProperty(LIGHT)
    words = ObjectProperty(None, allownone=True)
    motion = BooleanProperty(True)

    def say(self) -> Words:
        """The words in use; English until the app has set its own."""
        if self.words is None:
            self.words = Words("en")
        words: Words = self.words
        return words

    def watch(self, repaint: Callable[..., object]) -> None:
        """Calls a bound method whenever the theme or the language changes."""
        self.bind(theme=repaint, words=repaint)


skin = Skin()
"""The till's skin. The bench has one of its own, so that its colours can differ."""


def rgba_of(theme: Theme, token: str, alpha: float = 1.0) -> Rgba:
    """The token's colour; an empty token draws nothing."""
    return theme.rgba(token, alpha) if token else (0, 0, 0, 0)


def hex_rgba(colour: str, alpha: float = 1.0) -> Rgba:
    """``#RRGGBB`` as four numbers from 0 to 1: for colours that belong to a thing."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, alpha
