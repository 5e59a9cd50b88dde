"""The list of items: what is found, and the letters that lead on beside it."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp
from kivy.uix.widget import Widget

from ui.presenter.panel import Panel
from ui.presenter.sayings import Glyph
from ui.presenter.touches import Backspace
from ui.touch.kit.press import Press
from ui.touch.kit.skin import skin
from ui.touch.kit.surface import Grid
from ui.touch.screens.panel import SearchScreen

_LETTERS_MAX = 29
_COLUMNS, _COLUMNS_UPRIGHT = 6, 8


class ItemsScreen(SearchScreen):
    """A list that is searched by letters, of which only those are there that find something."""

    def _board(self) -> Any:
        """See ``SearchScreen._board``."""
        self._letters = [
            Press(rank="key", sizes=[22, 20, 18], test_id=f"letter_{index}")
            for index in range(_LETTERS_MAX)
        ]
        self._rub_out = Press(rank="key", glyph=Glyph.BACKSPACE, test_id="letter_back")
        self._rub_out.touch = Backspace()
        self._blanks = [Widget(), Widget()]
        for press in (*self._letters, self._rub_out):
            press.bind(on_press=self.pressed)
        return Grid(cols=_COLUMNS, spacing=dp(6))

    def _stand(self, *_: object) -> None:
        self.pad(self._field, 14, 0, 4, 0)
        # Each letter is as large as a fingertip.
        self._side.size_hint = (1, 0.84) if skin.portrait else (0.9, 1)
        self._keypad.cols = _COLUMNS_UPRIGHT if skin.portrait else _COLUMNS
        # The last key is at the end of its row, whichever it is.
        blanks = self._blanks if skin.portrait else []
        self._keypad.clear_widgets()
        for widget in (*self._letters, *blanks, self._rub_out):
            self._keypad.add_widget(widget)

    def show(self, page: Panel) -> None:
        """The panel, and the letters that lead on."""
        super().show(page)
        keys = (*page.quick[:_LETTERS_MAX], *[None] * _LETTERS_MAX)
        for press, key in zip(self._letters, keys, strict=False):
            self.dress(press, key)
        self._rub_out.enabled = bool(page.query)
