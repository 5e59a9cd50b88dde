"""A page of the back office: figures, a list, and keys; where it can be searched, a keypad."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp
from kivy.uix.gridlayout import GridLayout

from ui.presenter.panel import Panel
from ui.presenter.touches import Clear
from ui.touch.kit.press import Press
from ui.touch.kit.skin import skin
from ui.touch.kit.surface import PlateRow
from ui.touch.kit.txt import Txt
from ui.touch.screens.amount import keypad_keys
from ui.touch.screens.frame import Frame, load_layout

load_layout(__file__)

_KEYS_MAX = 3


class PanelScreen(Frame):
    """Shows any panel that is a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._presses = [Press(test_id=f"panel_{index}") for index in range(_KEYS_MAX)]
        for press in self._presses:
            press.bind(on_release=self.pressed)
        self.ids.listing.send = self._send
        self._empty = Txt(
            sizes=[20, 18, 17, 16],
            shade="ink2",
            align="center",
            max_lines=3,
            test_id="empty",
            size_hint=(None, None),
        )
        self.add_widget(self._empty)
        self.ids.ground.bind(pos=self._cover, size=self._cover)
        self._query: Txt | None = None
        self._wipe: Press | None = None

    def _send(self, touch: Any) -> None:
        self.send(touch)

    def _cover(self, *_: object) -> None:
        ground = self.ids.ground
        self._empty.pos = (ground.x + dp(20), ground.y)
        self._empty.size = (max(1, ground.width - dp(40)), ground.height)

    def show(self, page: Panel) -> None:
        """Figures, lines and keys of the panel."""
        ids = self.ids
        ids.mark.glyph = page.glyph
        ids.mark.tone = page.tone.value
        ids.mark.width = dp(34) if page.glyph is not None else 0
        headed = bool(page.lead or (page.hint and page.query is None))
        ids.head.height = dp(38) * skin.scale if headed and page.query is None else 0
        ids.lead.text = page.lead if page.query is None else ""
        ids.lead.shade = page.tone.value if page.tone.value != "neutral" else "ink"
        ids.hint.text = page.hint if page.query is None else ""
        ids.hint.size_hint_x = 1 if ids.hint.text else 0
        ids.figures.fill(page.figures)
        ids.meter.percent = -1 if page.meter is None else page.meter
        ids.meter.height = 0 if page.meter is None else dp(18)
        ids.listing.fill(page.lines, page.lines_key)
        self._empty.text = "" if len(page.lines) else page.empty
        ids.note.text = page.note
        if not page.note:
            ids.note.height = 0
        ids.key_row.height = dp(70) if page.keys else 0
        for press in self._presses:
            press.lines = 2 if len(page.keys) > 2 else 1
        self.dress_row(self._presses, page.keys, ids.key_row)


class SearchScreen(PanelScreen):
    """A list that can be searched with a keypad beside it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        field = PlateRow(
            border="border",
            radius=14,
            size_hint_y=None,
            height=dp(52),
        )
        self._query = Txt(
            sizes=[22, 20, 18, 16, 15, 14, 13], max_lines=2, rather_small=True, test_id="query"
        )
        self._wipe = Press(
            rank="link", sizes=[16, 15], size_hint_x=None, width=dp(90), test_id="wipe"
        )
        self._wipe.touch = Clear()
        self._wipe.bind(on_release=self.pressed)
        field.add_widget(self._query)
        field.add_widget(self._wipe)
        self._keypad = self._board()
        side = GridLayout(cols=1, spacing=dp(8), size_hint=(0.62, 1))
        side.add_widget(field)
        side.add_widget(self._keypad)
        self.ids.middle.add_widget(side)
        self._side, self._field = side, field
        skin.watch(self._stand)
        self._stand()

    def _board(self) -> Any:
        """The keys to search with."""
        board = GridLayout(cols=3, spacing=dp(6))
        for press in keypad_keys(self, "find_"):
            board.add_widget(press)
        return board

    def _stand(self, *_: object) -> None:
        self.pad(self._field, 14, 0, 4, 0)
        self._side.size_hint = (1, 0.8) if skin.portrait else (0.62, 1)

    def show(self, page: Panel) -> None:
        """The panel, and what has been typed."""
        super().show(page)
        assert self._query is not None
        assert self._wipe is not None
        typed = page.query or ""
        self._query.text = skin.say().reference(typed) if typed else page.hint
        self._query.shade = "ink" if typed else "ink2"
        self._wipe.text = skin.say().say("Clear")
        self._wipe.opacity = 1 if typed else 0
        self._wipe.enabled = bool(typed)
        self._wipe.width = dp(90) if typed else 0
