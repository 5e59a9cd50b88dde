"""The receipt as a code that any phone can read."""

from __future__ import annotations

from typing import Any

from ui.presenter.panel import Panel
from ui.touch.kit.press import Press
from ui.touch.screens.frame import Frame, load_layout

load_layout(__file__)


class ReceiptScreen(Frame):
    """The code, large, and what to do with it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._presses = [
            Press(test_id=f"receipt_{index}", sizes=[20, 18, 16, 15, 14, 13], lines=2)
            for index in range(3)
        ]
        for press in self._presses:
            press.bind(on_release=self.pressed)

    def show(self, page: Panel) -> None:
        """The code of the panel."""
        ids = self.ids
        ids.code.text = page.code
        ids.amount.text = page.hint
        ids.lead.text = page.lead
        ids.note.text = page.note
        self.dress_row(self._presses, page.keys, ids.key_row)
