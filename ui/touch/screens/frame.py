"""What the screens have in common: they are built once, and shown a page each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.properties import ObjectProperty
from kivy.uix.floatlayout import FloatLayout

from terminal.transaction import MoneyTaken
from ui.presenter.page import Key, Page
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.touches import Touch

# The kv files name these widgets, and Kivy finds them once their modules are imported.
from ui.touch.kit import stage, surface, txt  # noqa: F401
from ui.touch.kit.surface import Press

MONEY_LOOKS = {
    MoneyTaken.YES: (Tone.OK, Glyph.CHECK),
    MoneyTaken.NO: (Tone.NEUTRAL, Glyph.CROSS),
    MoneyTaken.NOT_YET: (Tone.WARN, Glyph.CLOCK),
    MoneyTaken.NOT_KNOWN: (Tone.PENDING, Glyph.QUESTION),
}
"""How the line about the money looks; a decline's "no" is no alarm."""


def load_layout(module_file: str) -> None:
    """Loads the ``.kv`` that lies beside a screen's module."""
    Builder.load_file(str(Path(module_file).with_suffix(".kv")))


class Frame(FloatLayout):
    """A screen. ``send`` takes the cashier's touches to the presenter."""

    send: Callable[[Touch], None] = ObjectProperty(None)

    def show(self, page: Page) -> None:
        """Puts the page's words into the widgets."""
        raise AssertionError(f"{type(self).__name__} shows nothing of {page.screen}")

    def enter(self) -> None:
        """Called when this screen comes up, before it shows its first page."""
        if "stage" in self.ids:
            self.ids.stage.appear()

    def leave(self) -> None:
        """Called when another screen comes up; overrides call it."""
        if "stage" in self.ids:
            self.ids.stage.vanish()

    def dress(self, press: Press, key: Key | None) -> None:
        """Gives a key of the layout its label and its touch, or takes it out of the way."""
        press.opacity = 0 if key is None else 1
        press.enabled = key is not None and key.enabled
        press.touch = None if key is None else key.touch
        press.text = "" if key is None else key.label
        press.disabled = key is None

    def pressed(self, press: Any) -> None:
        """A key of the layout was released upon."""
        if press.touch is not None:
            self.send(press.touch)
