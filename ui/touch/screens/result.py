"""The end of a sale: one word, the amount, and whether money was taken."""

from __future__ import annotations

from typing import Any

from kivy.animation import Animation
from kivy.metrics import dp

from ui.presenter.page import Page
from ui.touch.screens.frame import MONEY_LOOKS, Frame, load_layout

load_layout(__file__)


class ResultScreen(Frame):
    """The mark, the answer and the way on. Only an approval leaves by itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._return: Animation | None = None
        self._number = -1

    def show(self, page: Page) -> None:
        """The result, its line about the money, and one or two keys."""
        ids = self.ids
        ids.stage.tone = page.tone.value
        ids.stage.glyph = page.glyph
        ids.title.text = page.title
        ids.title.shade = page.tone.value
        ids.amount.text = page.amount
        ids.lines.text = "\n".join(page.lines)
        ids.detail.text = page.detail
        ids.money.text = page.money
        if page.money_taken is not None:
            tone, glyph = MONEY_LOOKS[page.money_taken]
            ids.money.tone = tone.value
            ids.money.glyph = glyph
        self.dress(ids.done, page.keys[-1])
        self.dress(ids.again, page.keys[0] if len(page.keys) > 1 else None)
        ids.again.size_hint_x = 1 if len(page.keys) > 1 else None
        ids.again.width = 0
        ids.key_row.spacing = dp(12) if len(page.keys) > 1 else 0
        self._leave_later(page)

    def _leave_later(self, page: Page) -> None:
        """Fills the primary key while the time runs, and presses it at the end."""
        if page.wait_number == self._number:
            return
        self._stay()
        self._number = page.wait_number
        if page.returns:
            self._return = Animation(filled=1, duration=page.wait_s)
            self._return.bind(on_complete=lambda *_: self.pressed(self.ids.done))
            self._return.start(self.ids.done)

    def leave(self) -> None:
        """Forgets the countdown."""
        super().leave()
        self._stay()

    def _stay(self) -> None:
        if self._return is not None:
            self._return.cancel(self.ids.done)
            self._return = None
        self._number = -1
        self.ids.done.filled = 0
