"""``Txt``: the one widget that draws text, in any of the languages."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.graphics import Color, Rectangle
from kivy.metrics import sp
from kivy.properties import (
    BooleanProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.widget import Widget

from ui.touch.kit.skin import Skin, hex_rgba, rgba_of, skin
from ui.touch.lettering import is_arabic, wrap

FONTS = Path(__file__).parent.parent / "fonts"
_LEADING = 1.22
_LEADING_ARABIC = 1.42


def font_file(drawn: str, *, bold: bool) -> str:
    """The font that has all of these characters: see ``fonts/README.md``."""
    weight = "Bold" if bold else "Medium"
    name = f"Vazirmatn-UI-{weight}.ttf" if is_arabic(drawn) else f"TaptillSans-{weight}.otf"
    return str(FONTS / name)


@lru_cache(maxsize=64)
def _ruler(font: str, size: float) -> Any:
    return CoreLabel(font_name=font, font_size=size)


@lru_cache(maxsize=2048)
def measure(drawn: str, size: float, *, bold: bool) -> float:
    """The width in pixels of a drawn (already ordered) line."""
    width: float = _ruler(font_file(drawn, bold=bold), size).get_extents(drawn)[0]
    return width


class _Set(NamedTuple):
    """A text in lines of one size."""

    lines: list[str]
    wide: float
    tall: float
    leading: float
    fits: bool


class Txt(Widget):
    """Logical text, wrapped, shaped, ordered and fitted into the widget's box.

    ``sizes`` is a ladder in sp, largest first (the skin's scale enlarges all of it, down to its
    own last step unscaled): the first size at which the text fits the box
    in ``max_lines`` lines is taken; ``rather_small`` tries every size on one line first.
    ``fits`` turns False when none does, which a test forbids; with ``cuts`` the text then loses its
    end to an ellipsis, which is for names that a shop has given, never for words of ours.
    ``shade`` is a token of the theme, and ``ink`` (``#RRGGBB``) a colour of the text's own in its
    place. ``align`` is start, center or end of the reading direction. With ``room`` the text may
    take that height, and the widget becomes as tall as the text is.
    """

    text = StringProperty("")
    sizes = ListProperty([18])
    bold = BooleanProperty(False)
    shade = StringProperty("ink")
    ink = StringProperty("")
    align = OptionProperty("start", options=("start", "center", "end"))
    valign = OptionProperty("middle", options=("top", "middle", "bottom"))
    max_lines = NumericProperty(1)
    rather_small = BooleanProperty(False)
    room = NumericProperty(0)
    cuts = BooleanProperty(False)
    fits = BooleanProperty(True)
    natural_width = NumericProperty(0)
    skin = ObjectProperty(None)
    test_id = StringProperty("")
    height: Any  # Kivy's; named here because it is assigned to.

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("skin", skin)
        super().__init__(**kwargs)
        with self.canvas:
            self._colour = Color(0, 0, 0, 0)
            self._rectangle = Rectangle(size=(0, 0))
        self._redraw = Clock.create_trigger(self._draw, -1)
        for name in ("text", "sizes", "bold", "align", "valign", "max_lines", "size", "pos"):
            self.fbind(name, self._redraw)
        self.fbind("shade", self._redraw)
        self.fbind("ink", self._redraw)
        self._watched: Skin = self.skin
        self._watched.watch(self._changed)
        self._redraw()

    def _changed(self, *_: object) -> None:
        self._redraw()

    def _lines(self, text: str, size: float) -> list[str]:
        words = self._watched.say()

        def width(drawn: str) -> float:
            return measure(drawn, size, bold=self.bold)

        return wrap(text, max(1, self.width if self.max_lines > 1 else 1e6), width, words)

    def _attempts(self) -> list[tuple[float, int]]:
        """Sizes to try in pixels, and the most lines at each, best first.

        Enlarged text comes first, and where even its smallest has no room, the plain sizes.
        """
        scale = self._watched.scale
        ladder = [sp(size) * scale for size in self.sizes]
        if scale != 1:
            ladder += [sp(size) for size in self.sizes if sp(size) < ladder[-1]]
        alone = [(size, 1) for size in ladder] if self.rather_small else []
        return alone + [(size, self.max_lines) for size in ladder]

    def _draw(self, *_: object) -> None:
        self._colour.rgba = (
            hex_rgba(self.ink) if self.ink else rgba_of(self._watched.theme, self.shade)
        )
        if not self.text or self.width < 2:
            self._rectangle.size = (0, 0)
            self.fits = True
            return
        for size, most in self._attempts():
            set_ = self._set(self.text, size, most)
            if set_.fits:
                break
        text = self.text
        while self.cuts and not set_.fits and text:
            text = text[:-1]
            set_ = self._set(f"{text.rstrip()}\u2026", size, most)
        self.fits = set_.fits
        self.natural_width = set_.wide
        if self.room:
            self.height = min(set_.tall, self.room)
        self._paint(set_.lines, size, set_.leading)

    def _set(self, text: str, size: float, most: int) -> _Set:
        """The text in lines of this size, and whether they fit."""
        lines = self._lines(text, size)
        drawn = "\n".join(lines)
        leading = _LEADING_ARABIC if is_arabic(drawn) else _LEADING
        wide = max(measure(line, size, bold=self.bold) for line in lines)
        tall: float = size * leading * len(lines)
        # A line box is taller than its ink, so a hair of overlap is no clipping.
        fits = (
            len(lines) <= most and wide <= self.width + 1 and tall <= (self.room or self.height) + 2
        )
        return _Set(lines, wide, tall, leading, fits)

    def _paint(self, lines: list[str], size: float, leading: float) -> None:
        side = self.side()
        label = CoreLabel(
            text="\n".join(lines),
            font_name=font_file("".join(lines), bold=self.bold),
            font_size=size,
            halign=side,
            line_height=1.0 if len(lines) == 1 else leading / 1.21,
        )
        label.refresh()
        texture = label.texture
        width, height = texture.size
        left = {"left": 0, "center": (self.width - width) / 2, "right": self.width - width}[side]
        low = {
            "bottom": 0,
            "middle": (self.height - height) / 2,
            "top": self.height - height,
        }[self.valign]
        self._rectangle.texture = texture
        self._rectangle.size = (width, height)
        # Whole pixels keep the letters crisp.
        self._rectangle.pos = (round(self.x + left), round(self.y + low))

    def side(self) -> str:
        """Which side ``align`` means in this language."""
        if self.align == "center":
            return "center"
        return "right" if (self.align == "end") != self._watched.say().rtl else "left"
