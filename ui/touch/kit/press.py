"""Keys: everything that a finger presses. Pressed shows on touch down, in the same frame."""

from __future__ import annotations

from typing import Any

from kivy.graphics import SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import (
    BooleanProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior

from ui.touch.kit.glyphs import GLYPHS
from ui.touch.kit.surface import Painted
from ui.touch.kit.txt import Txt

SLACK_DP = 8
"""A finger that has slid this far off a key still means it."""

_LOOKS = {
    # rank: ground, ground while pressed, edge, ink
    "primary": ("brand", "brand_pressed", "", "on_brand"),
    "quiet": ("surface", "pressed", "border", "ink"),
    "danger": ("surface", "pressed", "bad", "bad"),
    "key": ("surface", "pressed", "hairline", "ink"),
    "soft": ("bg", "pressed", "border", "ink"),
    "link": ("", "pressed", "", "link"),
    "bare": ("", "pressed", "", "ink"),
}


class Press(ButtonBehavior, Painted):
    """A key: primary, quiet or a keypad's. ``touch`` is what its screen sends when it is used."""

    text = StringProperty("")
    rank = OptionProperty("quiet", options=tuple(_LOOKS))
    sizes = ListProperty([22, 20, 18, 16])
    glyph = ObjectProperty(None, allownone=True)
    enabled = BooleanProperty(True)
    focused = BooleanProperty(False)
    filled = NumericProperty(0)
    lines = NumericProperty(1)
    test_id = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        self.touch: Any = None
        super().__init__(**kwargs)
        self.label = Txt(align="center", skin=self.skin, sizes=self.sizes)
        self.add_widget(self.label)
        # The sign stands beside the label, whose width is known once it has been drawn.
        self.label.fbind("natural_width", self._changed)
        for name in (
            *("text", "rank", "sizes", "glyph", "state", "enabled"),
            *("filled", "focused", "lines"),
        ):
            self.fbind(name, self._changed)

    def on_touch_down(self, touch: Any) -> bool:
        """A key that is not enabled swallows the touch, so that nothing behind it gets it."""
        if not self.enabled and self.collide_point(*touch.pos):
            return True
        taken: bool = super().on_touch_down(touch)
        return taken

    def on_touch_up(self, touch: Any) -> bool:
        """A finger that has slid off by a hair is taken for one that has not."""
        if touch.grab_current is self and not self.collide_point(*touch.pos):
            slack = dp(SLACK_DP)
            inside = (
                self.x - slack <= touch.x <= self.right + slack
                and self.y - slack <= touch.y <= self.top + slack
            )
            self.always_release = inside
        taken: bool = super().on_touch_up(touch)
        self.always_release = False
        return taken

    def paint(self) -> None:
        """See ``Painted.paint``."""
        down = self.state == "down"
        rest, pressed, border, ink = _LOOKS[self.rank]
        fill = pressed if down else rest
        if not self.enabled:
            fill, border, ink = ("" if self.rank in ("link", "bare") else "disabled"), "", ""
            ink = "on_disabled"
        radius = dp(14)
        if self.focused:
            self.plate("link", radius=radius + dp(3), inset=-dp(4))
            self.plate("bg", radius=radius + dp(1), inset=-dp(1.5))
        if fill:
            if self.rank == "key" and not down:
                self._edge(radius)
            deep = self.rank == "primary" and self.enabled
            self.plate(fill, border=border, radius=radius, deep=deep)
        if self.filled:
            self._fill_up(radius)
        self._letter(ink)

    def _edge(self, radius: float) -> None:
        """The lower edge of a key that is up: there is something to press."""
        self.colour("hairline")
        # No taller than its corners: the rest would be painted over, and pixels cost time.
        SmoothRoundedRectangle(
            pos=(self.x, self.y - dp(1.5)),
            size=(self.width, min(self.height, 2 * radius)),
            radius=[radius] * 4,
        )

    def _letter(self, ink: str) -> None:
        """The sign and the label, centred as one."""
        pad = dp(4) if self.rank in ("key", "link", "bare", "soft") else dp(12)
        label, sign = self.label, self.glyph
        label.text = self.text
        label.shade = ink
        label.sizes = self.sizes
        label.max_lines = self.lines
        label.bold = self.rank in ("primary", "link", "danger")
        size = dp(11) if self.height > dp(52) or not self.text else dp(8)
        room = (2 * size + dp(6)) if sign is not None and self.text else 0
        rtl = self.skin.say().rtl
        label.pos = (self.x + pad + (0 if rtl else room), self.y)
        label.size = (max(1, self.width - 2 * pad - room), self.height)
        if sign is None:
            return
        x = self.center_x
        if self.text:
            half = min(label.natural_width, label.width) / 2 + size + dp(5)
            x = label.center_x + (half if rtl else -half)
        self.colour(ink)
        GLYPHS[sign](x, self.center_y, size, dp(1.5))

    def _fill_up(self, radius: float) -> None:
        """How much of the time has gone before this key is pressed by itself."""
        self.colour("brand_pressed")
        width = max(2 * radius, self.width * self.filled)
        x = self.right - width if self.skin.say().rtl else self.x
        SmoothRoundedRectangle(pos=(x, self.y), size=(width, self.height), radius=[radius] * 4)
