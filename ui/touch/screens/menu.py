"""The menu and the ways to pay: large tiles, each with how things stand there."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp

from ui.presenter.panel import Panel
from ui.touch.kit.press import Press
from ui.touch.kit.tiles import TileKey
from ui.touch.screens.frame import Frame, load_layout

load_layout(__file__)

_TILES_MAX = 8


class MenuScreen(Frame):
    """Tiles in reading order, and who is at the till."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tiles = [TileKey(test_id=f"tile_{index}") for index in range(_TILES_MAX)]
        for tile in self._tiles:
            tile.bind(on_release=self.pressed)
        self._lock = Press(test_id="lock", size_hint_x=None, width=dp(240))
        self._lock.bind(on_release=self.pressed)
        self.ids.foot.add_widget(self._lock)

    def show(self, page: Panel) -> None:
        """The tiles of the panel."""
        grid, count = self.ids.grid, len(page.tiles)
        if len(grid.children) != count:
            grid.clear_widgets()
            for tile in self._tiles[:count]:
                grid.add_widget(tile)
        for tile, wanted in zip(self._tiles, page.tiles, strict=False):
            tile.text, tile.note = wanted.label, wanted.note
            tile.glyph, tile.tone = wanted.glyph, wanted.tone.value
            tile.touch, tile.enabled = wanted.touch, wanted.enabled
        self.ids.lead.text = page.lead
        self.ids.foot.height = dp(56) if page.keys or page.lead else 0
        self.dress(self._lock, page.keys[0] if page.keys else None)
