"""The lock: a keypad for a PIN of the staff. A card's PIN is never asked for."""

from __future__ import annotations

from typing import Any

from ui.presenter.panel import Panel
from ui.touch.kit.press import Press
from ui.touch.screens.amount import keypad_keys
from ui.touch.screens.frame import Frame, load_layout

load_layout(__file__)


class LockScreen(Frame):
    """Who it is about on one side, the keypad on the other."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for press in keypad_keys(self, "pin_"):
            self.ids.keypad.add_widget(press)
        self._unlock = Press(test_id="unlock")
        self._unlock.bind(on_release=self.pressed)
        self.ids.key_row.add_widget(self._unlock)

    def show(self, page: Panel) -> None:
        """How many digits there are, and what was wrong with the last ones."""
        ids = self.ids
        ids.mark.glyph, ids.mark.tone = page.glyph, page.tone.value
        ids.title.text = page.title
        ids.lead.text = page.lead
        ids.dots.count = page.dots or 0
        ids.note.text = page.note
        self._unlock.rank = page.keys[0].rank.value
        self.dress(self._unlock, page.keys[0])
