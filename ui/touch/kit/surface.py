"""Painted grounds: what every widget of the kit repaints itself with, plates, rows and splits."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, RoundedRectangle, SmoothRoundedRectangle
from kivy.graphics.texture import Texture
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.widget import Widget

from ui.touch.kit.skin import rgba_of, skin

_STEPS = 32
_DEEPEST = 58
"""Alpha of the dark end of a deep plate, of 255: contrast with white only grows."""

_shades: list[Any] = []


def _shade() -> Any:
    """A column of pixels from clear at the top to dark at the bottom, made once."""
    if not _shades:
        texture = Texture.create(size=(1, _STEPS), colorfmt="rgba")
        column = bytes(
            part for step in range(_STEPS) for part in (0, 0, 0, _DEEPEST * step // (_STEPS - 1))
        )
        texture.blit_buffer(column, colorfmt="rgba", bufferfmt="ubyte")
        _shades.append(texture)
    return _shades[0]


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

    def plate(
        self,
        fill: str,
        *,
        border: str = "",
        radius: float,
        inset: float = 0,
        deep: bool = False,
    ) -> None:
        """A rounded rectangle as large as the widget, with an edge of 1.5 dp if asked for.

        ``deep`` lets its colour grow darker towards the bottom.
        """
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
        if deep:
            # The plain shape has hard corners, which nobody sees on so thin a shade.
            Color(1, 1, 1, 1)
            RoundedRectangle(
                pos=(x + 1, y + 1),
                size=(width - 2, height - 2),
                radius=[max(1, radius - 1)] * 4,
                texture=_shade(),
            )


class Plate(Painted):
    """A filled, rounded ground for other widgets."""

    fill = StringProperty("surface")
    border = StringProperty("")
    radius = NumericProperty(16)
    deep = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("fill", "border", "radius", "deep"):
            self.fbind(name, self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        self.plate(self.fill, border=self.border, radius=dp(self.radius), deep=self.deep)


class Row(BoxLayout):
    """A row that runs in the reading direction: mirrored for right-to-left languages."""

    def __init__(self, **kwargs: Any) -> None:
        self._mirrored = self._mirrors()
        super().__init__(**kwargs)
        skin.watch(self._turn)

    def _mirrors(self) -> bool:
        return skin.say().rtl

    def add_widget(self, widget: Widget, index: int = 0, canvas: Any = None) -> None:
        """Adds at the end of the reading direction."""
        place = len(self.children) if self._mirrored and index == 0 else index
        super().add_widget(widget, place, canvas)

    def _turn(self, *_: object) -> None:
        if self._mirrors() == self._mirrored:
            return
        self._mirrored = not self._mirrored
        # Kivy keeps children last first, and a mirrored row was filled the other way round.
        logical = list(reversed(self.children)) if self._mirrored else list(self.children)
        self.clear_widgets()
        for child in logical:
            self.add_widget(child)


class Split(Row):
    """Two parts: side by side in reading direction, or one above the other on a tall screen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        skin.watch(self._stand)
        self._stand()

    def _mirrors(self) -> bool:
        return super()._mirrors() and not skin.portrait

    def _stand(self, *_: object) -> None:
        self._turn()
        self.orientation = "vertical" if skin.portrait else "horizontal"


class PlateBox(Plate, BoxLayout):
    """A column on a plate."""


class PlateRow(Plate, Row):
    """A row on a plate."""


class Grid(GridLayout):
    """A grid that is filled in reading direction."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        skin.watch(self._turn)
        self._turn()

    def _turn(self, *_: object) -> None:
        self.orientation = "rl-tb" if skin.say().rtl else "lr-tb"
