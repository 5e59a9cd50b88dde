"""Painted widgets: plates, keys, chips, lights and the countdown."""

from __future__ import annotations

from typing import Any

from kivy.animation import Animation
from kivy.clock import Clock
from kivy.graphics import Color, SmoothRoundedRectangle
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
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from ui.presenter.sayings import Glyph, Tone
from ui.touch.kit.glyphs import GLYPHS, backspace
from ui.touch.kit.skin import rgba_of, skin
from ui.touch.kit.txt import Txt

LIGHT_STEP_S = 0.125
"""The four lights fill one after another when the card has been read."""


class Painted(Widget):
    """A widget that repaints itself, at most once a frame, when its look may have changed."""

    skin = ObjectProperty(None)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("skin", skin)
        self._repaint = Clock.create_trigger(self._paint_all, -1)
        super().__init__(**kwargs)
        self.fbind("size", self._changed)
        self.fbind("pos", self._changed)
        self.skin.watch(self._changed)
        self._changed()

    def _changed(self, *_: object) -> None:
        self._repaint()

    def _paint_all(self, *_: object) -> None:
        self.canvas.before.clear()
        with self.canvas.before:
            self.paint()

    def paint(self) -> None:
        """Adds the instructions; the canvas is open and empty."""

    def colour(self, token: str, alpha: float = 1.0) -> Any:
        """Sets the colour of what is drawn next."""
        return Color(*rgba_of(self.skin.theme, token, alpha))

    def plate(self, fill: str, *, border: str = "", radius: float, inset: float = 0) -> None:
        """A rounded rectangle as large as the widget, with an edge of 1.5 dp if asked for."""
        x, y = self.x + inset, self.y + inset
        width, height = self.width - 2 * inset, self.height - 2 * inset
        radius = min(radius, width / 2, height / 2)
        if width <= 0 or height <= 0:
            return
        edge = dp(1.5) if border else 0
        if border:
            self.colour(border)
            SmoothRoundedRectangle(pos=(x, y), size=(width, height), radius=[radius] * 4)
        self.colour(fill)
        SmoothRoundedRectangle(
            pos=(x + edge, y + edge),
            size=(max(1, width - 2 * edge), max(1, height - 2 * edge)),
            radius=[max(1, radius - edge)] * 4,
        )


class Plate(Painted):
    """A filled, rounded ground for other widgets."""

    fill = StringProperty("surface")
    border = StringProperty("")
    radius = NumericProperty(dp(16))

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("fill", "border", "radius"):
            self.fbind(name, self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        self.plate(self.fill, border=self.border, radius=self.radius)


class Row(BoxLayout):
    """A row that runs in the reading direction: mirrored for right-to-left languages."""

    def __init__(self, **kwargs: Any) -> None:
        self._mirrored = skin.say().rtl
        super().__init__(**kwargs)
        skin.watch(self._turn)

    def add_widget(self, widget: Widget, index: int = 0, canvas: Any = None) -> None:
        """Adds at the end of the reading direction."""
        place = len(self.children) if self._mirrored and index == 0 else index
        super().add_widget(widget, place, canvas)

    def _turn(self, *_: object) -> None:
        if skin.say().rtl == self._mirrored:
            return
        self._mirrored = not self._mirrored
        # Kivy keeps children last first, and a mirrored row was filled the other way round.
        logical = list(reversed(self.children)) if self._mirrored else list(self.children)
        self.clear_widgets()
        for child in logical:
            self.add_widget(child)


class PlateBox(Plate, BoxLayout):
    """A column on a plate."""


class PlateRow(Plate, Row):
    """A row on a plate."""


class Press(ButtonBehavior, Painted):
    """A key: primary, quiet or a keypad's. Pressed shows on touch down, in the same frame."""

    text = StringProperty("")
    rank = OptionProperty("quiet", options=("primary", "quiet", "key", "link"))
    sizes = ListProperty([22, 20, 18, 16])
    sign = StringProperty("")
    enabled = BooleanProperty(True)
    filled = NumericProperty(0)
    test_id = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = Txt(align="center", skin=self.skin, sizes=self.sizes)
        self.add_widget(self.label)
        for name in ("text", "rank", "sizes", "sign", "state", "enabled", "filled"):
            self.fbind(name, self._changed)

    def on_touch_down(self, touch: Any) -> bool:
        """A key that is not enabled swallows the touch, so that nothing behind it gets it."""
        if not self.enabled and self.collide_point(*touch.pos):
            return True
        taken: bool = super().on_touch_down(touch)
        return taken

    def paint(self) -> None:
        """See ``Painted.paint``."""
        down = self.state == "down"
        fill, border, ink = {
            "primary": ("brand_pressed" if down else "brand", "", "on_brand"),
            "quiet": ("pressed" if down else "surface", "border", "ink"),
            "key": ("pressed" if down else "surface", "hairline", "ink"),
            "link": ("pressed" if down else "", "", "link"),
        }[self.rank]
        if not self.enabled:
            fill, border, ink = "disabled", "", "on_disabled"
        radius = dp(12) if self.rank == "key" else dp(14)
        if fill:
            self.plate(fill, border=border, radius=radius)
        if self.filled:
            self._fill_up(radius)
        self.label.text = self.text
        self.label.shade = ink
        self.label.sizes = self.sizes
        self.label.bold = self.rank in ("primary", "link")
        pad = dp(4) if self.rank in ("key", "link") else dp(14)
        self.label.pos = (self.x + pad, self.y)
        self.label.size = (self.width - 2 * pad, self.height)
        if self.sign == "backspace":
            self.colour(ink)
            backspace(self.center_x, self.center_y, dp(15), dp(1.5))

    def _fill_up(self, radius: float) -> None:
        """How much of the time has gone before this key is pressed by itself."""
        self.colour("brand_pressed")
        SmoothRoundedRectangle(
            pos=self.pos,
            size=(max(2 * radius, self.width * self.filled), self.height),
            radius=[radius] * 4,
        )


class Chip(Painted):
    """A pill with a sign and a few words; as wide as they are."""

    text = StringProperty("")
    tone = StringProperty(Tone.NEUTRAL.value)
    glyph = ObjectProperty(None, allownone=True)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("size_hint", (None, None))
        kwargs.setdefault("height", dp(30))
        super().__init__(**kwargs)
        self.label = Txt(align="start", skin=self.skin, sizes=[15], bold=True)
        self.add_widget(self.label)
        for name in ("text", "tone", "glyph"):
            self.fbind(name, self._changed)
        self.label.fbind("natural_width", self._widen)

    def _widen(self, *_: object) -> None:
        self.width = self.label.natural_width + dp(24) + (dp(22) if self.glyph else 0)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        rtl = self.skin.say().rtl
        self.plate(f"{self.tone}_tint", border="hairline", radius=self.height / 2)
        gap = dp(22) if self.glyph else 0
        if self.glyph is not None:
            self.colour(self.tone)
            x = self.right - dp(20) if rtl else self.x + dp(20)
            GLYPHS[self.glyph](x, self.center_y, dp(9.5), dp(1.1))
        self.label.text = self.text
        self.label.shade = self.tone
        self.label.pos = (self.x + dp(12) + (0 if rtl else gap), self.y)
        self.label.size = (max(dp(10), self.width - dp(24) - gap + 1), self.height)
        self._widen()


class Lights(Painted):
    """The four lights: how many are on is what the reader has got so far."""

    lit = NumericProperty(0)
    shown = NumericProperty(0)
    test_id = StringProperty("lights")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("lit", self._step)
        self.fbind("shown", self._changed)

    def _step(self, *_: object) -> None:
        """One more each ``LIGHT_STEP_S``; fewer at once."""
        Clock.unschedule(self._step)
        if self.shown >= self.lit or not self.skin.motion:
            self.shown = self.lit
            return
        self.shown += 1
        if self.shown < self.lit:
            Clock.schedule_once(self._step, LIGHT_STEP_S)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        gap = dp(10)
        width = (self.width - 3 * gap) / 4
        rtl = self.skin.say().rtl
        for index in range(4):
            place = 3 - index if rtl else index
            self.colour("light_on" if index < self.shown else "light_off")
            SmoothRoundedRectangle(
                pos=(self.x + place * (width + gap), self.y),
                size=(width, self.height),
                radius=[self.height / 2] * 4,
            )


class Countdown(Painted):
    """A thin bar that empties while the till waits."""

    left = NumericProperty(0)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("left", self._changed)
        self._number = -1

    def start(self, seconds: float, number: int) -> None:
        """Begins a wait; the same number again changes nothing, 0 seconds hides the bar."""
        if seconds <= 0:
            Animation.cancel_all(self, "left")
            self.left = 0
            self._number = number
        elif number != self._number:
            self._number = number
            Animation.cancel_all(self, "left")
            self.left = 1
            if self.skin.motion:
                Animation(left=0, duration=seconds).start(self)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        if self.left <= 0:
            return
        self.colour("light_off")
        radius = [self.height / 2] * 4
        SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=radius)
        self.colour("brand")
        width = max(self.height, self.width * self.left)
        x = self.right - width if self.skin.say().rtl else self.x
        SmoothRoundedRectangle(pos=(x, self.y), size=(width, self.height), radius=radius)


class Notice(Painted):
    """The line that says whether money was taken: a pill with a sign, centred or at the start."""

    text = StringProperty("")
    tone = StringProperty(Tone.NEUTRAL.value)
    glyph = ObjectProperty(Glyph.CHECK)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = Txt(
            skin=self.skin, sizes=[20, 18, 17, 16], bold=True, max_lines=2, rather_small=True
        )
        self.add_widget(self.label)
        for name in ("text", "tone", "glyph"):
            self.fbind(name, self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        self.label.text = self.text
        if not self.text:
            return
        rtl = self.skin.say().rtl
        self.plate("surface", border=self.tone, radius=dp(14))
        size = dp(28)
        x = self.right - dp(12) - size if rtl else self.x + dp(12)
        self.colour(f"{self.tone}_solid")
        SmoothRoundedRectangle(
            pos=(x, self.center_y - size / 2), size=(size, size), radius=[size / 2] * 4
        )
        self.colour("on_solid")
        GLYPHS[self.glyph](x + size / 2, self.center_y, dp(11), dp(1.3))
        self.label.shade = self.tone
        inset = dp(12) + size + dp(10)
        self.label.pos = (self.x + (dp(12) if rtl else inset), self.y)
        self.label.size = (self.width - inset - dp(12), self.height)


class Badge(Painted):
    """A small round sign in a tone."""

    tone = StringProperty(Tone.NEUTRAL.value)
    glyph = ObjectProperty(Glyph.CHECK)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("tone", self._changed)
        self.fbind("glyph", self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        size = min(self.width, self.height)
        self.colour(f"{self.tone}_solid")
        SmoothRoundedRectangle(
            pos=(self.center_x - size / 2, self.center_y - size / 2),
            size=(size, size),
            radius=[size / 2] * 4,
        )
        self.colour("on_solid")
        GLYPHS[self.glyph](self.center_x, self.center_y, size * 0.4, size * 0.048)
