"""Present and processing: what the customer looks at, from the first light to the answer."""

from __future__ import annotations

from typing import Any

from ui.presenter.page import Page
from ui.touch.kit.press import Press
from ui.touch.screens.frame import Frame, load_layout

load_layout(__file__)

_NAMES = ("cancel", "practise_0", "practise_1", "practise_2")


class PresentScreen(Frame):
    """The moving panel, four lights, the amount, one sentence, and Cancel while it is possible."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._presses = [
            Press(test_id=name, sizes=[20, 18, 17, 16, 15, 14, 13], lines=2) for name in _NAMES
        ]
        for press in self._presses:
            press.bind(on_release=self.pressed)

    def show(self, page: Page) -> None:
        """The prompt of the moment."""
        ids = self.ids
        ids.stage.tone = page.tone.value
        ids.stage.glyph = page.glyph
        ids.lights.lit = page.lights
        ids.amount.text = page.amount
        ids.title.text = page.title
        ids.title.shade = "ink" if page.tone.value in ("ready", "neutral") else page.tone.value
        ids.caption.text = page.caption
        ids.detail.text = page.detail
        ids.countdown.start(page.wait_s, page.wait_number)
        self.dress_row(self._presses, page.keys, ids.key_row)

    def leave(self) -> None:
        """Stops the countdown, so that nothing moves on a screen that nobody sees."""
        super().leave()
        self.ids.countdown.start(0, -1)
        self.ids.lights.lit = 0
