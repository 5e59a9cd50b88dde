"""An amount that is asked for: cash, a count, a hold that is taken, a part that goes back."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp

from ui.presenter.ordering import PLACES
from ui.presenter.panel import Panel
from ui.presenter.touches import Clear
from ui.touch.kit.press import Press
from ui.touch.kit.skin import skin
from ui.touch.screens.amount import QUICK_MAX, keypad_keys
from ui.touch.screens.frame import Frame, load_layout

load_layout(__file__)


class EntryScreen(Frame):
    """The amount, what it leads to and one primary key on one side, the keypad on the other."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for press in keypad_keys(self, "entry_"):
            self.ids.keypad.add_widget(press)
        self.ids.wipe.touch = Clear()
        self._quick = [
            Press(rank="soft", sizes=[18, 17, 16, 15, 14, 13, 12], test_id=f"note_{index}")
            for index in range(QUICK_MAX)
        ]
        for press in self._quick:
            press.bind(on_release=self.pressed)
        self._rows = (False, False, 1)
        self.bind(pos=self._lay_out, size=self._lay_out)
        self.ids.figures.bind(height=self._lay_out)
        skin.watch(self._lay_out)

    def show(self, page: Panel) -> None:
        """What has been typed, and what comes of it."""
        ids = self.ids
        ids.lead.text = page.lead
        ids.lead.cuts = page.place in PLACES
        ids.amount.text = page.entry
        ids.amount.shade = "ink" if page.clears else "ink2"
        ids.note.text = page.note
        ids.wipe.text = skin.say().say("Clear")
        ids.wipe.opacity = 1 if page.clears else 0
        ids.wipe.enabled = page.clears
        ids.figures.fill(page.figures)
        self.dress(ids.take, page.keys[0])
        for press, at in ((ids.other, 1), (ids.third, 2)):
            self.dress(press, page.keys[at] if len(page.keys) > at else None)
        self.dress_row(self._quick, page.quick, ids.quick)
        rows = (bool(page.quick), bool(page.figures), len(page.keys))
        if rows != self._rows:
            self._rows = rows
            self._lay_out()

    def _keys(self, width: float, tall: float) -> None:
        """The primary key, and where there are other ways, those beside it."""
        ids, gap = self.ids, dp(10)
        for press in (ids.other, ids.third):
            # A key that is not in use must not lie on one that is: it would swallow its touches.
            self.put(press, 0, 0, 0, 0)
        others = (ids.other, ids.third)[: self._rows[2] - 1]
        each = width * (0.34 if len(others) == 1 else 0.27)
        self.put(ids.take, 0, 0, width - len(others) * (each + gap), tall)
        for place, press in enumerate(reversed(others), start=1):
            self.put(press, width - place * each - (place - 1) * gap, 0, each, tall)

    def _lay_out(self, *_: object) -> None:
        """Two columns, or one: amount above, keypad in the middle, the primary key below."""
        ids, edge, gap = self.ids, dp(16), dp(10)
        self.pad(ids.card, 20, 6, 8, 10)
        width, height = self.width - 2 * edge, self.height - edge
        take, quick = dp(68), dp(50)
        if skin.portrait:
            pad = min(height * 0.46, dp(400))
            self._keys(width, take)
            self.put(ids.keypad, 0, take + gap, width, pad)
            low, column = take + pad + 2 * gap, width
        else:
            column = width * 0.52
            self._keys(column, take)
            self.put(ids.keypad, column + dp(16), 0, width - column - dp(16), height)
            low = take + gap
        self.put(ids.quick, 0, low, column, quick)
        low += quick + gap if self._rows[0] else 0
        # The plates have room below them already.
        self.put(ids.figures, 0, low - gap, column, ids.figures.height)
        low += ids.figures.height
        self.put(ids.card, 0, low, column, max(dp(90), height - low))
