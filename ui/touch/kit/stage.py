"""The stage: the coloured panel that tells the state of a sale from across the shop."""

from __future__ import annotations

from typing import Any

from kivy.animation import Animation
from kivy.clock import Clock
from kivy.graphics import PopMatrix, PushMatrix, Rotate, SmoothEllipse, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import NumericProperty, ObjectProperty, StringProperty

from ui.presenter.sayings import Glyph
from ui.touch.kit.glyphs import GLYPHS, arc, chip, dot
from ui.touch.kit.surface import Painted

_PULSE_S = 1.8
_TURN_S = 1.1
_POP_S = 0.18
_STILL = 0.35
"""The moment of the motion that is shown when nothing moves."""


class Stage(Painted):
    """A panel in the tone's solid colour with one large sign.

    While something is awaited the panel moves: rings leave the card, or an arc turns. When
    nothing moves, no clock runs.
    """

    tone = StringProperty("ready")
    glyph = ObjectProperty(Glyph.WAVES)
    phase = NumericProperty(0)
    pop = NumericProperty(1)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._moving: Any = None
        for name in ("tone", "phase", "pop"):
            self.fbind(name, self._changed)
        self._seen = False
        self.fbind("glyph", self._enter)

    def appear(self) -> None:
        """The screen has come up: what moves here begins."""
        self._seen = True
        self._enter()

    def vanish(self) -> None:
        """The screen has gone: nothing moves where nobody looks."""
        self._seen = False
        self._enter()

    def _enter(self, *_: object) -> None:
        """Starts the motion that belongs to the sign, and stops the one before."""
        self._changed()
        if self._moving is not None:
            self._moving.cancel(self)
            self._moving = None
        self.phase = _STILL
        self.pop = 1
        if not (self._seen and self.skin.motion):
            return
        if self.glyph in (Glyph.WAVES, Glyph.HOLD, Glyph.SPINNER):
            seconds = _TURN_S if self.glyph is Glyph.SPINNER else _PULSE_S
            self.phase = 0
            self._moving = Animation(phase=1, duration=seconds)
            self._moving.bind(on_complete=self._again)
            self._moving.start(self)
        else:
            self.pop = 0.8
            self._moving = Animation(pop=1, duration=_POP_S, transition="out_cubic")
            self._moving.start(self)

    def _again(self, animation: Any, *_: object) -> None:
        if animation is self._moving:
            self.phase = 0
            Clock.schedule_once(lambda _: self._restart(animation), 0)

    def _restart(self, animation: Any) -> None:
        if animation is self._moving:
            animation.start(self)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        self.plate(f"{self.tone}_solid", radius=dp(22))
        radius = min(self.width, self.height) / 2 - dp(10)
        if self.glyph in (Glyph.WAVES, Glyph.HOLD):
            self._rings(radius)
            self._tap(radius)
        elif self.glyph is Glyph.SPINNER:
            self._halo(radius)
            self._spinner(radius)
        else:
            self._halo(radius)
            self._sign(radius)

    def _disc(self, radius: float, alpha: float) -> None:
        self.colour("on_solid", alpha)
        SmoothEllipse(
            pos=(self.center_x - radius, self.center_y - radius), size=(2 * radius, 2 * radius)
        )

    def _halo(self, radius: float) -> None:
        for share, alpha in ((1.0, 0.07), (0.8, 0.09)):
            self._disc(radius * share, alpha)

    def _rings(self, radius: float) -> None:
        """Three discs that grow and fade, a third of the way apart."""
        for index in range(3):
            share = (self.phase + index / 3) % 1
            self._disc(radius * (0.45 + 0.55 * share), 0.16 * (1 - share))

    def _sign(self, radius: float) -> None:
        size = radius * 0.58 * self.pop
        self.colour("on_solid")
        SmoothEllipse(pos=(self.center_x - size, self.center_y - size), size=(2 * size, 2 * size))
        self.colour(f"{self.tone}_solid")
        GLYPHS[self.glyph](self.center_x, self.center_y, size * 0.8, size * 0.085)

    def _spinner(self, radius: float) -> None:
        size = radius * 0.5
        self.colour("on_solid", 0.3)
        arc(self.center_x, self.center_y, size, 0, 360, width=dp(5))
        self.colour("on_solid")
        start = 360 * self.phase
        arc(self.center_x, self.center_y, size, start, start + 110, width=dp(5))
        self.colour("on_solid")
        for index in range(3):
            lift = dp(4) if int(self.phase * 3) == index else 0
            dot(self.center_x + (index - 1) * dp(20), self.center_y + lift, dp(5))

    def _tap(self, radius: float) -> None:
        """A card that comes to the reader's waves."""
        size = radius * 0.98
        width, height = size, size * 0.63
        x, y = self.center_x - width * 0.62, self.center_y - height * 0.5
        PushMatrix()
        Rotate(angle=-8, origin=(self.center_x, self.center_y))
        self.colour("ink", 0.16)
        SmoothRoundedRectangle(
            pos=(x + dp(2), y - dp(6)), size=(width, height), radius=[height * 0.13] * 4
        )
        self.colour("on_solid")
        SmoothRoundedRectangle(pos=(x, y), size=(width, height), radius=[height * 0.13] * 4)
        self.colour("warn_solid", 0.75)
        chip(x + width * 0.1, y + height * 0.5, width * 0.17, height * 0.22)
        self.colour("ink", 0.14)
        for row, share in ((0.3, 0.62), (0.14, 0.4)):
            SmoothRoundedRectangle(
                pos=(x + width * 0.1, y + height * row),
                size=(width * share, height * 0.07),
                radius=[height * 0.035] * 4,
            )
        PopMatrix()
        self.colour("on_solid")
        for step in range(3):
            lit = (self.phase * 3) % 3 >= step
            self.colour("on_solid", 1.0 if lit else 0.55)
            reach = size * (0.3 + 0.13 * step)
            arc(x + width * 0.82, self.center_y - dp(4), reach, 55, 125, width=dp(3))
