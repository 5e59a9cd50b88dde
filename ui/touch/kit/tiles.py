"""Tiles: the large keys of the menu, each a sign, a name and how things stand there."""

from __future__ import annotations

from typing import Any

from kivy.graphics import SmoothEllipse
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior

from ui.presenter.sayings import Glyph, Tone
from ui.touch.kit.glyphs import GLYPHS
from ui.touch.kit.surface import Painted
from ui.touch.kit.txt import Txt


class TileKey(ButtonBehavior, Painted):
    """One tile."""

    text = StringProperty("")
    note = StringProperty("")
    tone = StringProperty(Tone.READY.value)
    glyph = ObjectProperty(Glyph.MENU)
    enabled = BooleanProperty(True)
    focused = BooleanProperty(False)
    test_id = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        self.touch: Any = None
        super().__init__(**kwargs)
        self._name = Txt(
            sizes=[19, 18, 17, 16, 15],
            bold=True,
            max_lines=2,
            valign="bottom",
        )
        self._note = Txt(sizes=[15, 14, 13], shade="ink2", max_lines=2, valign="top")
        self.add_widget(self._name)
        self.add_widget(self._note)
        for name in ("text", "note", "tone", "glyph", "enabled", "state", "focused"):
            self.fbind(name, self._changed)

    def on_touch_down(self, touch: Any) -> bool:
        """A tile that leads nowhere now swallows the touch."""
        if not self.enabled and self.collide_point(*touch.pos):
            return True
        taken: bool = super().on_touch_down(touch)
        return taken

    def paint(self) -> None:
        """See ``Painted.paint``."""
        down = self.state == "down"
        off = not self.enabled
        if self.focused:
            self.plate("link", radius=dp(21), inset=-dp(4))
        self.plate(
            "disabled" if off else "pressed" if down else "surface",
            border="hairline",
            radius=dp(18),
        )
        rtl = self.skin.say().rtl
        pad, size = dp(16), dp(50)
        left = self.right - pad - size if rtl else self.x + pad
        top = self.top - pad - size
        self.colour("bg" if off else f"{self.tone}_tint")
        SmoothEllipse(pos=(left, top), size=(size, size))
        self.colour("on_disabled" if off else self.tone)
        GLYPHS[self.glyph](left + size / 2, top + size / 2, size * 0.31, dp(1.6))
        self._name.text, self._note.text = self.text, self.note
        self._name.shade = "on_disabled" if off else "ink"
        plain = "on_disabled" if off else "ink2"
        self._note.shade = plain if off or self.tone == Tone.READY.value else self.tone
        width = max(1, self.width - 2 * pad)
        rest = self.height - size - 2 * pad - dp(4)
        # Name and note stand at the bottom, as on a card: the sign above has air around it.
        note = min(dp(40) * self.skin.scale, rest * 0.5)
        name = min(dp(50) * self.skin.scale, rest - note)
        low = self.y + pad - dp(4)
        self._note.pos, self._note.size = (self.x + pad, low), (width, note)
        self._name.pos, self._name.size = (self.x + pad, low + note), (width, name)
