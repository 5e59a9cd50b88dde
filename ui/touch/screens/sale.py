"""One sale: how it ended and where the money is, what is known of it, and what can be done."""

from __future__ import annotations

from typing import Any

from ui.presenter.panel import Panel
from ui.touch.kit.press import Press
from ui.touch.screens.frame import MONEY_LOOKS, Frame, load_layout

load_layout(__file__)

_KEYS_MAX = 4


class SaleScreen(Frame):
    """The end on one side, the facts on the other."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._presses = [
            Press(test_id=f"sale_{index}", sizes=[20, 18, 17, 16, 15, 14, 13], lines=2)
            for index in range(_KEYS_MAX)
        ]
        for press in self._presses:
            press.bind(on_release=self.pressed)
        self.ids.listing.send = self._send

    def _send(self, touch: Any) -> None:
        self.send(touch)

    def show(self, page: Panel) -> None:
        """The sale of the panel."""
        ids = self.ids
        ids.mark.glyph, ids.mark.tone = page.glyph, page.tone.value
        ids.state.text = page.hint or page.empty
        ids.state.shade = page.tone.value if page.hint else "ink2"
        ids.amount.text = page.lead
        ids.money.text = page.money
        if page.money_taken is not None:
            tone, glyph = MONEY_LOOKS[page.money_taken]
            ids.money.tone = tone.value
            ids.money.glyph = glyph
        ids.listing.fill(page.lines, page.lines_key)
        ids.note.text = page.note
        if not page.note:
            ids.note.height = 0
        self.dress_row(self._presses, page.keys, ids.key_row)
