"""The banner: a notice as wide as the till, which opens what it is about."""

from __future__ import annotations

from typing import Any

from kivy.graphics import SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior

from ui.presenter.page import Chip
from ui.presenter.sayings import Glyph, Tone
from ui.touch.kit.glyphs import GLYPHS
from ui.touch.kit.skin import skin
from ui.touch.kit.surface import Painted
from ui.touch.kit.txt import Txt

_TALL_DP = 50


class Banner(ButtonBehavior, Painted):
    """One line in its tone, from edge to edge; no height where there is nothing to say."""

    tone = StringProperty(Tone.WARN.value)
    glyph = ObjectProperty(Glyph.CLOUD_OFF)
    text = StringProperty("")
    test_id = StringProperty("banner")

    def __init__(self, **kwargs: Any) -> None:
        self.touch: Any = None
        super().__init__(size_hint_y=None, height=0, **kwargs)
        self._label = Txt(sizes=[17, 16, 15, 14, 13, 12], bold=True, max_lines=2, rather_small=True)
        self.add_widget(self._label)
        for name in ("tone", "glyph", "text", "state"):
            self.fbind(name, self._changed)
        skin.watch(self._resize)

    def show(self, chip: Chip | None) -> None:
        """This notice, or none."""
        self.text = chip.text if chip is not None else ""
        self.touch = chip.touch if chip is not None else None
        if chip is not None:
            self.tone, self.glyph = chip.tone.value, chip.glyph
        self._resize()

    def _resize(self, *_: object) -> None:
        self.height = dp(_TALL_DP) * min(skin.scale, 1.15) if self.text else 0

    def paint(self) -> None:
        """See ``Painted.paint``."""
        self._label.text = self.text
        if not self.text:
            return
        edge = dp(16)
        x, y = self.x, self.y
        inner = self.width - 2 * edge
        # Plates are as large as their widget, so the margin is an inset from left and right only.
        self._strip(x + edge, y, inner)
        rtl = self.skin.say().rtl
        sign = x + self.width - edge - dp(24) if rtl else x + edge + dp(24)
        self.colour(self.tone)
        GLYPHS[self.glyph](sign, self.center_y + dp(3), dp(11), dp(1.4))
        arrow = x + edge + dp(20) if rtl else x + self.width - edge - dp(20)
        GLYPHS[Glyph.BACK if rtl else Glyph.MORE](arrow, self.center_y + dp(3), dp(8), dp(1.3))
        self._label.shade = self.tone
        self._label.pos = (x + edge + (dp(38) if rtl else dp(46)), y + dp(6))
        self._label.size = (max(1, inner - dp(84)), self.height - dp(6))

    def _strip(self, x: float, y: float, width: float) -> None:
        low, tall = y + dp(6), self.height - dp(6)
        radius = dp(14)
        self.colour(self.tone)
        SmoothRoundedRectangle(pos=(x, low), size=(width, tall), radius=[radius] * 4)
        line = dp(1.5)
        self.colour("pressed" if self.state == "down" else f"{self.tone}_tint")
        SmoothRoundedRectangle(
            pos=(x + line, low + line),
            size=(width - 2 * line, tall - 2 * line),
            radius=[radius - line] * 4,
        )
