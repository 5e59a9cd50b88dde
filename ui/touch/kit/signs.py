"""What only tells: chips, the four lights, the countdown, the line about the money, a badge."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.graphics import SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior

from ui.presenter.sayings import Glyph, Tone
from ui.touch.kit.glyphs import GLYPHS
from ui.touch.kit.surface import Painted
from ui.touch.kit.txt import Txt

LIGHT_STEP_S = 0.125
"""The four lights fill one after another when the card has been read."""


class Chip(ButtonBehavior, Painted):
    """A pill with a sign and a few words; as wide as they are. As tall as a finger, drawn less."""

    text = StringProperty("")
    tone = StringProperty(Tone.NEUTRAL.value)
    glyph = ObjectProperty(None, allownone=True)
    widest = NumericProperty(0)
    test_id = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        self.touch: Any = None
        kwargs.setdefault("size_hint", (None, None))
        kwargs.setdefault("height", dp(48))
        super().__init__(**kwargs)
        self.label = Txt(align="start", skin=self.skin, sizes=[15, 14, 13, 12], bold=True)
        self.add_widget(self.label)
        for name in ("text", "tone", "glyph", "widest", "state"):
            self.fbind(name, self._changed)
        self.label.fbind("natural_width", self._widen)

    def _widen(self, *_: object) -> None:
        around = dp(24) + (dp(22) if self.glyph else 0)
        wanted = self.label.natural_width + around
        self.width = min(wanted, self.widest) if self.widest else wanted

    def paint(self) -> None:
        """See ``Painted.paint``."""
        rtl = self.skin.say().rtl
        tall = dp(30) * min(self.skin.scale, 1.3)
        inset = (self.height - tall) / 2
        fill = "pressed" if self.state == "down" and self.touch else f"{self.tone}_tint"
        x, width = self.x, self.width
        self.colour("hairline")
        radius = [tall / 2] * 4
        SmoothRoundedRectangle(pos=(x, self.y + inset), size=(width, tall), radius=radius)
        self.colour(fill)
        edge = dp(1.5)
        SmoothRoundedRectangle(
            pos=(x + edge, self.y + inset + edge),
            size=(max(1, width - 2 * edge), tall - 2 * edge),
            radius=[tall / 2 - edge] * 4,
        )
        gap = dp(22) if self.glyph else 0
        if self.glyph is not None:
            self.colour(self.tone)
            place = self.right - dp(20) if rtl else self.x + dp(20)
            GLYPHS[self.glyph](place, self.center_y, dp(9.5), dp(1.1))
        self.label.text = self.text
        self.label.shade = self.tone
        self.label.pos = (self.x + dp(12) + (0 if rtl else gap), self.y)
        # A first guess has to be wide, or the text would be measured at its smallest.
        room = (self.widest or dp(2000)) - dp(24) - gap
        self.label.size = (
            max(dp(10), min(room, max(self.width - dp(24) - gap + 1, room))),
            self.height,
        )
        if rtl:
            self.label.right = self.right - dp(12) - gap
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
    """A thin bar that empties while the till waits, and the seconds that are left beside it.

    It moves in steps of a second, with or without motion: a wait without an end in sight is
    what customers walk away from.
    """

    left = NumericProperty(0)
    seconds = NumericProperty(0)
    ticking = True
    """Off for pictures, which must not depend on how long they took."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = Txt(skin=self.skin, sizes=[17, 16, 15], bold=True, shade="ink2", align="end")
        self.add_widget(self.label)
        self.fbind("left", self._changed)
        self.fbind("seconds", self._changed)
        self._number = -1
        self._total = 0.0
        self._end = 0.0

    def start(self, seconds: float, number: int) -> None:
        """Begins a wait; the same number again changes nothing, 0 seconds hides the bar."""
        if seconds <= 0:
            Clock.unschedule(self._tick)
            self.left = self.seconds = 0
            self._number = number
        elif number != self._number:
            self._number = number
            self._total = seconds
            self._end = Clock.get_time() + seconds
            Clock.unschedule(self._tick)
            self.left, self.seconds = 1, round(seconds)
            Clock.schedule_interval(self._tick, 1.0)

    def _tick(self, *_: object) -> bool:
        if not self.ticking:
            return True
        rest = max(0.0, self._end - Clock.get_time())
        self.left, self.seconds = max(rest / self._total, 0.001), round(rest)
        return bool(rest > 0)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        if self.left <= 0:
            self.label.text = ""
            return
        words = self.skin.say()
        rtl = words.rtl
        self.label.text = words.say("{seconds} s", seconds=self.seconds)
        room = dp(58) * self.skin.scale
        self.label.size = (room, self.height)
        self.label.pos = (self.x if rtl else self.right - room, self.y)
        tall = dp(8)
        y = self.center_y - tall / 2
        span = self.width - room - dp(6)
        start = self.x + (room + dp(6) if rtl else 0)
        radius = [tall / 2] * 4
        self.colour("light_off")
        SmoothRoundedRectangle(pos=(start, y), size=(span, tall), radius=radius)
        self.colour("link")
        width = max(tall, span * self.left)
        x = start + span - width if rtl else start
        SmoothRoundedRectangle(pos=(x, y), size=(width, tall), radius=radius)


class Notice(Painted):
    """The line that says whether money was taken: a pill with a sign, centred or at the start."""

    text = StringProperty("")
    tone = StringProperty(Tone.NEUTRAL.value)
    glyph = ObjectProperty(Glyph.CHECK)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = Txt(
            skin=self.skin, sizes=[20, 18, 17, 16, 15], bold=True, max_lines=2, rather_small=True
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
    """A small round sign in a tone; ``soft`` is the sign in its tone on a tint."""

    tone = StringProperty(Tone.NEUTRAL.value)
    glyph = ObjectProperty(Glyph.CHECK, allownone=True)
    soft = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("tone", "glyph", "soft"):
            self.fbind(name, self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        if self.glyph is None:
            return
        size = min(self.width, self.height)
        self.colour(f"{self.tone}_tint" if self.soft else f"{self.tone}_solid")
        SmoothRoundedRectangle(
            pos=(self.center_x - size / 2, self.center_y - size / 2),
            size=(size, size),
            radius=[size / 2] * 4,
        )
        self.colour(self.tone if self.soft else "on_solid")
        GLYPHS[self.glyph](self.center_x, self.center_y, size * 0.36, size * 0.045)


class Dots(Painted):
    """How many digits of a PIN there are; never which."""

    count = NumericProperty(0)
    least = NumericProperty(4)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("count", self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        places = max(self.least, self.count)
        size, gap = dp(18), dp(14)
        left = self.center_x - (places * size + (places - 1) * gap) / 2
        for index in range(places):
            x, y = left + index * (size + gap), self.center_y - size / 2
            self.colour("border")
            SmoothRoundedRectangle(pos=(x, y), size=(size, size), radius=[size / 2] * 4)
            inset = 0 if index < self.count else dp(2)
            self.colour("link" if index < self.count else "bg")
            SmoothRoundedRectangle(
                pos=(x + inset, y + inset),
                size=(size - 2 * inset, size - 2 * inset),
                radius=[size / 2 - inset] * 4,
            )
