"""What the screens have in common: they are built once, and shown a page each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import ObjectProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from terminal.transaction import MoneyTaken
from ui.presenter.page import Key
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.touches import Touch
from ui.touch.kit import parts
from ui.touch.kit.press import Press
from ui.touch.kit.skin import skin

WIDGETS = parts.WIDGETS
"""What the kv files name: Kivy finds them once their modules are imported."""

MONEY_LOOKS = {
    MoneyTaken.YES: (Tone.OK, Glyph.CHECK),
    MoneyTaken.NO: (Tone.NEUTRAL, Glyph.CROSS),
    MoneyTaken.NOT_YET: (Tone.WARN, Glyph.CLOCK),
    MoneyTaken.NOT_KNOWN: (Tone.PENDING, Glyph.QUESTION),
}
"""How the line about the money looks; a decline's "no" is no alarm."""

EDGE_DP = 16
"""The margin of every screen; a screen's top has none, for the bar above has it."""


def load_layout(module_file: str) -> None:
    """Loads the ``.kv`` that lies beside a screen's module."""
    Builder.load_file(str(Path(module_file).with_suffix(".kv")))


class Frame(FloatLayout):
    """A screen. ``send`` takes the cashier's touches to the presenter.

    Each has a ``show`` that puts a page's or a panel's words into its widgets.
    """

    send: Callable[[Touch], None] = ObjectProperty(None)

    def enter(self) -> None:
        """Called when this screen comes up, before it shows its first page."""
        if "stage" in self.ids:
            self.ids.stage.appear()

    def leave(self) -> None:
        """Called when another screen comes up; overrides call it."""
        if "stage" in self.ids:
            self.ids.stage.vanish()

    def put(self, widget: Widget, x: float, y: float, width: float, height: float) -> None:
        """Places a widget, counted from the margin in reading direction and from below."""
        edge = dp(EDGE_DP)
        left = self.right - edge - x - width if skin.say().rtl else self.x + edge + x
        widget.size = (width, height)
        widget.pos = (left, self.y + edge + y)

    def pad(self, box: Any, start: float, top: float, end: float, bottom: float) -> None:
        """The padding of a box, counted in reading direction."""
        left, right = (end, start) if skin.say().rtl else (start, end)
        box.padding = (dp(left), dp(top), dp(right), dp(bottom))

    def dress(self, press: Press, key: Key | None) -> None:
        """Gives a key of the layout its label and its touch, or takes it out of the way."""
        press.opacity = 0 if key is None else 1
        press.enabled = key is not None and key.enabled
        press.touch = None if key is None else key.touch
        press.text = "" if key is None else key.label
        press.glyph = None if key is None else key.glyph
        press.disabled = key is None

    def dress_row(self, presses: Sequence[Press], keys: Sequence[Key], row: Widget) -> None:
        """Gives a row of keys its labels; those that are not needed leave the row."""
        wanted = list(presses[: len(keys)])
        if set(row.children) != set(wanted):
            row.clear_widgets()
            for each in wanted:
                row.add_widget(each)
        for each, key in zip(wanted, keys, strict=True):
            each.rank = key.rank.value
            self.dress(each, key)

    def pressed(self, press: Any) -> None:
        """A key of the layout was released upon."""
        if press.touch is not None:
            self.send(press.touch)
