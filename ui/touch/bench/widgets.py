"""What lies on the bench: a card that can be tapped, a switch, and a page of lines."""

from __future__ import annotations

from typing import Any

from kivy.event import EventDispatcher
from kivy.graphics import (
    Ellipse,
    RoundedRectangle,
    SmoothEllipse,
    SmoothRoundedRectangle,
    StencilPop,
    StencilPush,
    StencilUnUse,
    StencilUse,
)
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.floatlayout import FloatLayout

from terminal.bench import ILL, BenchCard
from ui.touch.kit.glyphs import arc, chip
from ui.touch.kit.skin import Skin, hex_rgba
from ui.touch.kit.surface import Painted, Plate
from ui.touch.kit.txt import Txt
from ui.touch.theme import BENCH, contrast

bench_skin = Skin(theme=BENCH)
"""The bench's own colours; its words follow the till's."""

_ROW_HEIGHT = 18
_DOSE_WIDTH = 60
_WHITE = "#FFFFFF"
_INK = "#101828"


def ink_on(ground: str) -> str:
    """White or ink, whichever reads better on this ground."""
    return _WHITE if contrast(_WHITE, ground) >= contrast(_INK, ground) else _INK


class CardFace(ButtonBehavior, Painted):
    """A payment card, a phone or something else, drawn in its own colour."""

    held = BooleanProperty(False)
    test_id = StringProperty("")

    def __init__(self, card: BenchCard, **kwargs: Any) -> None:
        super().__init__(skin=bench_skin, **kwargs)
        self.card = card
        self.carried = False
        self.test_id = f"card_{card.id}"
        self._ink = ink_on(card.colour_hex)
        self.labels = [
            Txt(text=card.title, sizes=[16, 15, 14], bold=True, max_lines=2, skin=bench_skin),
            Txt(
                text=card.subtitle,
                sizes=[13, 12.5, 12],
                max_lines=2,
                valign="bottom",
                skin=bench_skin,
            ),
        ]
        for label in self.labels:
            label.ink = self._ink
            self.add_widget(label)
        self.fbind("state", self._changed)
        self.fbind("held", self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        down = self.state == "down"
        lift = 0 if down or self.held else dp(2)
        x, y, width, height = self.x, self.y + lift, self.width, self.height - dp(2)
        radius = [dp(12)] * 4
        if self.held:
            self.colour("light_on")
            SmoothRoundedRectangle(
                pos=(x - dp(3), y - dp(3)),
                size=(width + dp(6), height + dp(6)),
                radius=[dp(15)] * 4,
            )
        # A dark card must not melt into a dark table.
        self.hue(_WHITE, 0.28)
        SmoothRoundedRectangle(
            pos=(x - dp(1), y - dp(1)), size=(width + dp(2), height + dp(2)), radius=[dp(13)] * 4
        )
        self.hue(self.card.colour_hex)
        SmoothRoundedRectangle(pos=(x, y), size=(width, height), radius=radius)
        # The smooth shapes cannot be clipped, plain ones can; on a soft disc nobody sees it.
        StencilPush()
        RoundedRectangle(pos=(x, y), size=(width, height), radius=radius)
        StencilUse()
        self._shine(x, y, width, height)
        StencilUnUse()
        RoundedRectangle(pos=(x, y), size=(width, height), radius=radius)
        StencilPop()
        self._plate_and_waves(x, y, height)
        pad = dp(14)
        title, subtitle = self.labels
        title.pos = (x + pad + dp(36), y + height - dp(42))
        title.size = (width - 2 * pad - dp(36) + dp(6), dp(38))
        subtitle.pos = (x + pad, y + dp(7))
        subtitle.size = (width - 2 * pad, dp(36))

    def hue(self, colour: str, alpha: float = 1.0) -> None:
        """Sets a colour that belongs to the card and to no theme."""
        self.colour("ink").rgba = hex_rgba(colour, alpha)

    def _shine(self, x: float, y: float, width: float, height: float) -> None:
        """Two large soft discs, so that the plastic is not one flat colour."""
        for dx, dy, size, alpha in ((0.62, 0.18, 1.5, 0.09), (0.8, -0.5, 1.25, 0.08)):
            self.hue(self._ink, alpha)
            diameter = height * size
            Ellipse(pos=(x + width * dx, y + height * dy), size=(diameter, diameter))

    def _plate_and_waves(self, x: float, y: float, height: float) -> None:
        left, middle = x + dp(14), y + height - dp(23)
        if self.card.scheme:
            self.hue("#E8C877")
            chip(left, middle - dp(9), dp(25), dp(19))
            self.hue("#8A6D1F", 0.55)
            chip(left + dp(8), middle - dp(4), dp(9), dp(9))
        else:
            self.hue(self._ink, 0.9)
            for step in range(3):
                arc(left, middle, dp(5 + 5 * step), 50, 130, width=dp(1.3))


class Dose(ButtonBehavior, Painted):
    """How much of something: a small key that moves on to the next amount."""

    text = StringProperty("")
    test_id = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(skin=bench_skin, **kwargs)
        self.label = Txt(sizes=[13, 12, 11], bold=True, align="center", skin=bench_skin)
        self.add_widget(self.label)
        for name in ("text", "state"):
            self.fbind(name, self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        if self.text:
            fill = "pressed" if self.state == "down" else "surface"
            self.plate(fill, border="border", radius=dp(9))
        self.label.text = self.text
        self.label.pos, self.label.size = self.pos, self.size


class Toggle(ButtonBehavior, Painted):
    """A switch with its label; its state is the bench's, never its own guess."""

    text = StringProperty("")
    amount = StringProperty("")
    on = BooleanProperty(False)
    danger = BooleanProperty(True)
    test_id = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(skin=bench_skin, **kwargs)
        self.label = Txt(sizes=[14.5, 14, 13, 12], max_lines=2, skin=bench_skin)
        self.dose = Dose(size_hint=(None, None), test_id=f"{self.test_id}_dose")
        self.add_widget(self.label)
        self.add_widget(self.dose)
        for name in ("text", "amount", "on", "danger", "state"):
            self.fbind(name, self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        if self.state == "down":
            self.plate("pressed", radius=dp(10))
        width, height = dp(38), dp(22)
        x, y = self.x + dp(6), self.center_y - height / 2
        radius = [height / 2] * 4
        self.colour(("warn" if self.danger else "light_on") if self.on else "border")
        SmoothRoundedRectangle(pos=(x, y), size=(width, height), radius=radius)
        knob = height - dp(6)
        self.colour("bg" if self.on else "on_solid")
        place = x + width - knob - dp(3) if self.on else x + dp(3)
        SmoothEllipse(pos=(place, y + dp(3)), size=(knob, knob))
        self.label.text = self.text
        self.label.shade = "warn" if self.on and self.danger else "ink"
        room = dp(_DOSE_WIDTH) if self.amount else 0
        self.dose.text = self.amount
        self.dose.size = (room, dp(24))
        self.dose.pos = (self.right - room, self.center_y - dp(12))
        self.label.pos = (x + width + dp(9), self.y)
        self.label.size = (self.right - x - width - dp(12) - room, self.height)


class Lines(FloatLayout):
    """A titled page with the last lines of a log, newest last; as many as there is room."""

    lines = ListProperty([])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ground = Plate(skin=bench_skin, fill="surface", radius=14)
        self.canvas.before.add(self.ground.canvas)
        self.title = Txt(
            sizes=[14, 13], bold=True, shade="ink2", skin=bench_skin, size_hint=(None, None)
        )
        self.add_widget(self.title)
        self._rows: list[Txt] = []
        self.bind(pos=self._place, size=self._place, lines=self._fill)

    def _place(self, *_: object) -> None:
        self.ground.pos = self.pos
        self.ground.size = self.size
        inset, height = dp(14), dp(_ROW_HEIGHT)
        wanted = max(1, int((self.height - dp(16)) // height) - 1)
        while len(self._rows) < wanted:
            row = Txt(sizes=[14, 13, 12, 11], skin=bench_skin, size_hint=(None, None))
            self._rows.append(row)
            self.add_widget(row)
        while len(self._rows) > wanted:
            self.remove_widget(self._rows.pop())
        for index, row in enumerate((self.title, *self._rows)):
            row.pos = (self.x + inset, self.top - dp(8) - (index + 1) * height)
            row.size = (self.width - 2 * inset, height)
        self._fill()

    def _fill(self, *_: object) -> None:
        shown = list(self.lines[-len(self._rows) :]) if self._rows else []
        newest = len(shown) - 1
        shown += [""] * (len(self._rows) - len(shown))
        for index, (row, text) in enumerate(zip(self._rows, shown, strict=True)):
            row.text = text
            plain = "ink" if index == newest else "ink2"
            row.shade = "warn" if text.startswith(ILL) else plain


class Follower(EventDispatcher):
    """Keeps the bench's words those of the till's skin."""

    def __init__(self, leader: Skin) -> None:
        super().__init__()
        self._leader = leader
        leader.bind(words=self._follow)
        self._follow()

    def _follow(self, *_: object) -> None:
        bench_skin.words = self._leader.words
