"""The tip: the customer chooses a share, types an amount, or gives none."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp

from ui.presenter.page import Page
from ui.presenter.touches import Cancel
from ui.touch.kit.press import Press
from ui.touch.kit.skin import skin
from ui.touch.screens.amount import keypad_keys
from ui.touch.screens.frame import Frame, load_layout

load_layout(__file__)

_OFFERS = 4


class TipScreen(Frame):
    """What is to be paid on one side, large keys to choose from on the other."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for press in keypad_keys(self, "tip_"):
            self.ids.keypad.add_widget(press)
        self._offers = [
            Press(test_id=f"offer_{index}", sizes=[26, 24, 22, 20, 18, 16, 14], lines=2)
            for index in range(_OFFERS)
        ]
        self._none = Press(test_id="no_tip", sizes=[22, 20, 18, 16], lines=2)
        self._cancel = Press(test_id="cancel", sizes=[20, 18, 16, 15, 14], lines=2)
        for press in (*self._offers, self._none, self._cancel):
            press.bind(on_release=self.pressed)
        for press in self._offers:
            self.ids.offers.add_widget(press)
        self._cancel.touch = Cancel()
        self._typing = False
        self.bind(pos=self._lay_out, size=self._lay_out)
        skin.watch(self._lay_out)

    def show(self, page: Page) -> None:
        """The keys to choose from; or the keypad, once somebody wants to type."""
        ids = self.ids
        self._typing = bool(page.entry)
        ids.title.text = page.title
        ids.amount.text = page.amount
        ids.caption.text = page.entry or page.caption
        *offers, primary = page.keys
        for press, key in zip(self._offers, offers, strict=False):
            self.dress(press, key)
        self._cancel.text = skin.say().say("Cancel")
        pair = [self._cancel, self._none]
        if set(ids.key_row.children) != set(pair):
            ids.key_row.clear_widgets()
            for press in pair:
                ids.key_row.add_widget(press)
        self._none.rank = primary.rank.value
        self.dress(self._none, primary)
        self._lay_out()

    def _lay_out(self, *_: object) -> None:
        """Two columns, or one above the other; what is not in use lies outside."""
        ids, edge, gap = self.ids, dp(16), dp(12)
        width, height = self.width - 2 * edge, self.height - edge
        foot = dp(72)
        if skin.portrait:
            room = height * 0.5
            self.put(ids.key_row, 0, 0, width, foot)
            place = (0, foot + gap, width, room)
            self.put(ids.card, 0, foot + room + 2 * gap, width, height - foot - room - 2 * gap)
        else:
            column = width * 0.46
            self.put(ids.key_row, 0, 0, width, foot)
            self.put(ids.card, 0, foot + gap, column, height - foot - gap)
            place = (column + gap, foot + gap, width - column - gap, height - foot - gap)
        shown, other = (ids.keypad, ids.offers) if self._typing else (ids.offers, ids.keypad)
        self.put(shown, *place)
        self.put(other, 4 * self.width, place[1], place[2], place[3])
