"""What every widget looks at: the theme, the words, and whether things may move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty

from ui.touch.theme import LIGHT, Rgba, Theme
from ui.words import Words


class Skin(EventDispatcher):
    """The one observable of the looks. ``motion`` off makes every change immediate.

    ``scale`` enlarges all text, 1.3 at most; ``portrait`` says that the till stands upright.
    """

    theme = ObjectProperty(LIGHT)
    words = ObjectProperty(None, allownone=True)
    motion = BooleanProperty(True)
    scale = NumericProperty(1.0)
    portrait = BooleanProperty(False)

    def say(self) -> Words:
        """The words in use; English until the app has set its own."""
        if self.words is None:
            self.words = Words("en")
        words: Words = self.words
        return words

    def __init__(self, **kwargs: Any) -> None:
        self._watchers: list[Any] = []
        self._prune_at = 256
        super().__init__(**kwargs)
        for name in ("theme", "words", "scale", "portrait"):
            self.fbind(name, self._tell)

    def watch(self, repaint: Callable[..., object]) -> None:
        """Calls a bound method whenever the theme, language, text size or orientation changes.

        It is held weakly. Kivy's own ``bind`` looks through all that is bound before it adds one,
        which took more time than drawing.
        """
        if len(self._watchers) >= self._prune_at:
            self._watchers = [each for each in self._watchers if each() is not None]
            self._prune_at = max(256, 2 * len(self._watchers))
        self._watchers.append(WeakMethod(repaint))

    def _tell(self, *_: object) -> None:
        for watcher in tuple(self._watchers):
            repaint = watcher()
            if repaint is not None:
                repaint()


skin = Skin()
"""The till's skin. The bench has one of its own, so that its colours can differ."""


def rgba_of(theme: Theme, token: str, alpha: float = 1.0) -> Rgba:
    """The token's colour; an empty token draws nothing."""
    return theme.rgba(token, alpha) if token else (0, 0, 0, 0)


def hex_rgba(colour: str, alpha: float = 1.0) -> Rgba:
    """``#RRGGBB`` as four numbers from 0 to 1: for colours that belong to a thing."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, alpha
