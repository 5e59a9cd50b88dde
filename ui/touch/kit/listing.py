"""Lists: rows of a panel, of which only those on the screen exist.

Kivy's smooth shapes leak out of a scroll view's edge, so a row's sign is drawn once into a
picture of its own, and rows are made of plain rectangles and text, which do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from kivy.graphics import (
    ClearBuffers,
    ClearColor,
    Color,
    Fbo,
    Rectangle,
    SmoothRoundedRectangle,
)
from kivy.metrics import dp, sp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.recycleboxlayout import RecycleBoxLayout
from kivy.uix.recycleview import RecycleView
from kivy.uix.recycleview.views import RecycleDataViewBehavior

from ui.presenter.panel import Kind, Line
from ui.presenter.sayings import Glyph
from ui.presenter.touches import Touch
from ui.touch.kit.glyphs import GLYPHS
from ui.touch.kit.skin import rgba_of, skin
from ui.touch.kit.surface import Painted
from ui.touch.kit.txt import Txt, measure
from ui.touch.theme import Rgba, Theme

_TALL_DP = {Kind.ENTRY: 68, Kind.TEXT: 96, Kind.HEADING: 40, Kind.FACT: 48}
_PAD_DP = 16
_MIXED_MAX = 300
"""Longer lists have rows of one height."""


@lru_cache(maxsize=256)
def badge_texture(glyph: Glyph, tone: str, theme: Theme, size: int) -> Any:
    """A sign in its tone on a round tint, as a picture."""
    buffer = Fbo(size=(size, size), with_stencilbuffer=False)
    with buffer:
        _clear(rgba_of(theme, f"{tone}_tint"))
        Color(*rgba_of(theme, f"{tone}_tint"))
        SmoothRoundedRectangle(pos=(1, 1), size=(size - 2, size - 2), radius=[size / 2 - 1] * 4)
        Color(*rgba_of(theme, tone))
        GLYPHS[glyph](size / 2, size / 2, size * 0.31, size * 0.035)
    buffer.draw()
    return buffer.texture


def _clear(colour: Rgba) -> None:
    """Empties a picture towards this colour: soft edges must not fade to black."""
    ClearColor(*colour[:3], 0)
    ClearBuffers()


class LineRow(RecycleDataViewBehavior, ButtonBehavior, Painted):
    """One row: a sign, a title over what it is about, and a value at the end."""

    pressed_down = BooleanProperty(False)
    test_id = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        self.line = Line("")
        self.index = -1
        self.pad = _PAD_DP
        super().__init__(**kwargs)
        self._title = Txt(sizes=[19, 18, 17, 16, 15], bold=True)
        self._about = Txt(sizes=[15, 14, 13, 12], shade="ink2", rather_small=True)
        self._value = Txt(sizes=[20, 19, 18, 17, 16, 15, 14, 13, 12], bold=True, align="end")
        for widget in (self._title, self._about, self._value):
            self.add_widget(widget)
        self.fbind("state", self._changed)

    def refresh_view_attrs(self, listing: Any, index: int, data: dict[str, Any]) -> None:
        """Becomes another row of the list."""
        del data
        self.index = index
        self.line = listing.line(index)
        self.pad = listing.pad
        self.test_id = f"row_{index}"
        self._changed()

    def on_release(self) -> None:
        """Sends what the row leads to."""
        if self.line.touch is not None and self.parent is not None:
            self.parent.parent.send(self.line.touch)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        line, rtl = self.line, self.skin.say().rtl
        pad = dp(self.pad)
        if self.state == "down" and line.touch is not None:
            self.colour("pressed")
            Rectangle(pos=self.pos, size=self.size)
        if line.kind is not Kind.HEADING:
            self.colour("hairline")
            Rectangle(pos=(self.x + pad, self.y), size=(max(0, self.width - 2 * pad), dp(1)))
        start = pad
        if line.glyph is not None:
            size = round(dp(36))
            place = self.right - pad - size if rtl else self.x + pad
            Color(1, 1, 1, 1)
            Rectangle(
                texture=badge_texture(line.glyph, line.tone.value, self.skin.theme, size),
                pos=(round(place), round(self.center_y - size / 2)),
                size=(size, size),
            )
            start += size + dp(12)
        self._letter(start, pad, rtl=rtl)

    def _letter(self, start: float, pad: float, *, rtl: bool) -> None:
        line = self.line
        more = dp(18) if line.touch is not None else 0
        inner = max(1, self.width - start - pad)
        share = self._value_share(inner - more)
        title, about, value = self._title, self._about, self._value
        title.text, about.text, value.text = line.title, line.subtitle, line.value
        title.shade = "ink2" if line.kind is Kind.HEADING else "ink"
        plain = not line.subtitle and bool(line.value)
        title.bold = not plain
        title.sizes = [16, 15, 14] if line.kind is Kind.HEADING else [19, 18, 17, 16, 15, 14, 13]
        title.max_lines = 2 if line.kind is Kind.FACT else 1
        # A fact that leads on is about something that the shop has named.
        title.cuts = line.kind is Kind.FACT and line.touch is not None
        value.shade = "ink" if line.tone.value in ("neutral", "ok") else line.tone.value
        text = max(1, inner - share - more)
        left = self.right - start - text if rtl else self.x + start
        reads = line.kind is Kind.TEXT
        about.rather_small = not reads
        about.sizes = [16, 15, 14, 13] if reads else [15, 14, 13, 12]
        if reads:
            head = dp(26) * self.skin.scale
            about.max_lines, about.valign, title.valign = 3, "top", "middle"
            title.pos, title.size = (left, self.top - dp(8) - head), (text, head)
            about.pos = (left, self.y + dp(4))
            about.size = (text, max(1, self.height - head - dp(12)))
        elif line.subtitle:
            about.max_lines, about.valign, title.valign = 2, "middle", "middle"
            half = self.height * 0.46
            title.pos, title.size = (left, self.top - half), (text, half - dp(5))
            about.pos = (left, self.y + dp(3))
            about.size = (text, self.height - half - dp(3))
        else:
            title.valign = "bottom" if line.kind is Kind.HEADING else "middle"
            low = dp(5) if line.kind is Kind.HEADING else 0
            title.pos, title.size = (left, self.y + low), (text, self.height - low)
        if line.on is not None:
            self._switch(pad, on=line.on, rtl=rtl)
            value.text, more = "", 0
        value.size = (share, self.height)
        value.pos = (self.x + pad + more if rtl else self.right - pad - more - share, self.y)
        if more:
            self.colour("ink2")
            x = self.x + pad + dp(2) if rtl else self.right - pad - dp(2)
            texture = _arrow(self.skin.theme, rtl=rtl)
            Color(1, 1, 1, 1)
            side = texture.size[0]
            Rectangle(
                texture=texture,
                pos=(round(x - side / 2), round(self.center_y - side / 2)),
                size=texture.size,
            )

    def _switch(self, pad: float, *, on: bool, rtl: bool) -> None:
        """A switch in its position, at the end of the row."""
        width, tall = round(dp(54)), round(dp(30))
        x = self.x + pad if rtl else self.right - pad - width
        Color(1, 1, 1, 1)
        Rectangle(
            texture=_switch_of(self.skin.theme, width, tall, on=on, rtl=rtl),
            pos=(round(x), round(self.center_y - tall / 2)),
            size=(width, tall),
        )

    def _value_share(self, inner: float) -> float:
        """How much of the row the value may have: most of it where there is nothing to say."""
        line = self.line
        if not line.value:
            return 0
        if line.subtitle:
            return inner * 0.36
        needed = measure(
            "".join(each for each in line.value if each.isprintable()),
            sp(self._value.sizes[0]) * self.skin.scale,
            bold=True,
        )
        wanted: float = needed * 1.1 + dp(10)
        return min(inner * 0.6, wanted)


@lru_cache(maxsize=16)
def _switch_of(theme: Theme, width: int, tall: int, *, on: bool, rtl: bool) -> Any:
    buffer = Fbo(size=(width, tall), with_stencilbuffer=False)
    with buffer:
        _clear(rgba_of(theme, "link" if on else "border"))
        Color(*rgba_of(theme, "link" if on else "border"))
        SmoothRoundedRectangle(pos=(1, 1), size=(width - 2, tall - 2), radius=[tall / 2 - 1] * 4)
        Color(*rgba_of(theme, "surface"))
        knob = tall - 8
        x = width - knob - 4 if on is not rtl else 4
        SmoothRoundedRectangle(pos=(x, 4), size=(knob, knob), radius=[knob / 2] * 4)
    buffer.draw()
    return buffer.texture


@lru_cache(maxsize=16)
def _arrow_of(theme: Theme, size: int, *, rtl: bool) -> Any:
    buffer = Fbo(size=(size, size), with_stencilbuffer=False)
    with buffer:
        _clear(rgba_of(theme, "ink2"))
        Color(*rgba_of(theme, "ink2"))
        glyph = GLYPHS[Glyph.BACK if rtl else Glyph.MORE]
        glyph(size / 2, size / 2, size * 0.36, size * 0.05)
    buffer.draw()
    return buffer.texture


def _arrow(theme: Theme, *, rtl: bool) -> Any:
    return _arrow_of(theme, round(dp(20)), rtl=rtl)


class _Column(RecycleBoxLayout):
    """The rows that exist, one below the other."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            orientation="vertical",
            size_hint_y=None,
            default_size=(None, dp(_TALL_DP[Kind.ENTRY])),
            default_size_hint=(1, None),
            key_size="size",
            **kwargs,
        )
        self.bind(minimum_height=self.setter("height"))
        self.row_tall = 0.0
        """How tall each row is, where all are alike; 0 where each has its own size."""

    # Kivy's column looks at each row of its data, which takes most of a second for ten thousand.
    # Where all rows are equally tall, the place of each is a multiplication.

    def compute_sizes_from_data(self, data: Sequence[Any], flags: Any) -> None:
        """Sizes; none is looked up where all are alike."""
        if self.row_tall <= 0:
            super().compute_sizes_from_data(data, flags)
            return
        self.clear_layout()
        self.view_opts = _Alike(self)

    def compute_layout(self, data: Sequence[Any], flags: Any) -> None:
        """The height of the column; the place of a row is worked out when it is shown."""
        if self.row_tall <= 0:
            super().compute_layout(data, flags)
            return
        self._size_needs_update = False
        self.clear_layout()
        self.view_opts = _Alike(self)
        self.minimum_size = self.width, self.row_tall * len(data)

    def get_view_index_at(self, pos: tuple[float, float]) -> int:
        """Which row is there; the first or the last where there is none."""
        if self.row_tall <= 0:
            return int(super().get_view_index_at(pos))
        rows = round(self.height / self.row_tall)
        index: int = max(0, min(rows - 1, int((self.top - pos[1]) // self.row_tall)))
        return index

    def compute_visible_views(
        self, data: Sequence[Any], viewport: tuple[float, float, float, float]
    ) -> list[int]:
        """The rows of which something can be seen."""
        if self.row_tall <= 0:
            return list(super().compute_visible_views(data, viewport))
        x, y, _, tall = viewport
        first, last = self.get_view_index_at((x, y + tall)), self.get_view_index_at((x, y))
        return list(range(first, min(last, len(data) - 1) + 1))


class _Alike(dict[int, dict[str, Any]]):
    """The options of Kivy's layout for rows of one height, made for a row when it is shown."""

    def __init__(self, column: _Column) -> None:
        super().__init__()
        self._column = column

    def __missing__(self, index: int) -> dict[str, Any]:
        column = self._column
        self[index] = {
            "size": [column.width, column.row_tall],
            "size_hint": list(column.default_size_hint),
            "size_hint_min": list(column.default_size_hint_min),
            "size_hint_max": list(column.default_size_hint_max),
            "pos": (column.x, column.top - (index + 1) * column.row_tall),
            "pos_hint": {},
            "viewclass": column.viewclass,
            "width_none": False,
            "height_none": False,
        }
        return self[index]


class Listing(RecycleView):
    """A list of lines that may be thousands. ``send`` takes the touch of a row."""

    send: Callable[[Touch], None] = ObjectProperty(None)
    count = NumericProperty(0)
    pad = NumericProperty(_PAD_DP)

    def __init__(self, **kwargs: Any) -> None:
        self._lines: Sequence[Line] = ()
        self._key: object = None
        super().__init__(
            do_scroll_x=False,
            scroll_type=["bars", "content"],
            bar_width=dp(6),
            scroll_timeout=120,
            scroll_distance=dp(12),
            **kwargs,
        )
        self.column = _Column()
        self.add_widget(self.column)
        self.viewclass = LineRow
        skin.watch(self._again)

    def line(self, index: int) -> Line:
        """The line of a row."""
        return self._lines[index]

    def fill(self, lines: Sequence[Line], key: object) -> None:
        """Shows these lines; the same key as before keeps the place in the list."""
        moved = key != self._key
        self._lines, self._key = lines, key
        # The same at rest and in motion: a bar that fades tells nobody how much there is.
        self.bar_color = self.bar_inactive_color = rgba_of(skin.theme, "border", 0.7)
        self.bar_pos_y = "left" if skin.say().rtl else "right"
        self.count = len(lines)
        self._measure()
        self.refresh_from_data()
        if moved:
            self.scroll_y = 1

    def _measure(self) -> None:
        """How tall each row is; a long list has entries alone, and is not looked through."""
        scale = min(skin.scale, 1.25)
        sizes = {kind: {"size": (None, dp(tall) * scale)} for kind, tall in _TALL_DP.items()}
        if len(self._lines) > _MIXED_MAX:
            self.column.row_tall = sizes[Kind.ENTRY]["size"][1]
            self.data = [sizes[Kind.ENTRY]] * len(self._lines)
        else:
            self.column.row_tall = 0.0
            self.data = [sizes[line.kind] for line in self._lines]

    def _again(self, *_: object) -> None:
        self._measure()
        self.refresh_from_data()
