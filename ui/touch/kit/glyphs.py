"""Drawn signs: no icon font, no pictures, crisp at any size.

Each function adds instructions to the canvas that is open, around a centre and within a
radius. Line ends are rounded by dots, since Kivy's smooth lines have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from kivy.graphics import SmoothEllipse, SmoothLine, SmoothRoundedRectangle

from ui.presenter.sayings import Glyph

Draw = Callable[[float, float, float, float], None]


def stroke(points: Sequence[tuple[float, float]], width: float) -> None:
    """A line through the points with round ends and joints, ``width`` being its half-width."""
    SmoothLine(points=[part for point in points for part in point], width=width)
    for x, y in points:
        dot(x, y, width)


def dot(x: float, y: float, radius: float) -> None:
    """A filled circle."""
    SmoothEllipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius))


def arc(x: float, y: float, radius: float, start: float, end: float, *, width: float) -> None:
    """Part of a circle; angles in degrees, clockwise from the top."""
    SmoothLine(circle=(x, y, radius, start, end), width=width)


def _check(x: float, y: float, r: float, w: float) -> None:
    stroke(
        [(x - 0.52 * r, y - 0.02 * r), (x - 0.14 * r, y - 0.4 * r), (x + 0.56 * r, y + 0.38 * r)], w
    )


def _cross(x: float, y: float, r: float, w: float) -> None:
    stroke([(x - 0.42 * r, y - 0.42 * r), (x + 0.42 * r, y + 0.42 * r)], w)
    stroke([(x - 0.42 * r, y + 0.42 * r), (x + 0.42 * r, y - 0.42 * r)], w)


def _clock(x: float, y: float, r: float, w: float) -> None:
    arc(x, y, 0.72 * r, 0, 360, width=w)
    stroke([(x, y + 0.4 * r), (x, y), (x + 0.3 * r, y - 0.16 * r)], w)


def _question(x: float, y: float, r: float, w: float) -> None:
    arc(x, y + 0.3 * r, 0.34 * r, -90, 150, width=w)
    stroke([(x + 0.17 * r, y + 0.01 * r), (x, y - 0.14 * r), (x, y - 0.3 * r)], w)
    dot(x - 0.34 * r, y + 0.3 * r, w)
    dot(x, y - 0.62 * r, 1.25 * w)


def _exclamation(x: float, y: float, r: float, w: float) -> None:
    stroke([(x, y + 0.58 * r), (x, y - 0.16 * r)], w)
    dot(x, y - 0.54 * r, 1.25 * w)


def _return(x: float, y: float, r: float, w: float) -> None:
    arc(x, y, 0.56 * r, -60, 210, width=w)
    tip = (x - 0.49 * r, y + 0.28 * r)
    stroke([(tip[0] - 0.02 * r, tip[1] + 0.38 * r), tip, (tip[0] + 0.38 * r, tip[1] + 0.02 * r)], w)


def _waves(x: float, y: float, r: float, w: float) -> None:
    for step in range(4):
        radius = (0.28 + 0.3 * step) * r
        arc(x - 0.72 * r, y, radius, 52, 128, width=w)


def _cloud_off(x: float, y: float, r: float, w: float) -> None:
    arc(x - 0.02 * r, y + 0.02 * r, 0.46 * r, -70, 75, width=w)
    arc(x - 0.46 * r, y - 0.22 * r, 0.3 * r, 180, 340, width=w)
    arc(x + 0.5 * r, y - 0.22 * r, 0.3 * r, 0, 180, width=w)
    stroke([(x - 0.46 * r, y - 0.52 * r), (x + 0.5 * r, y - 0.52 * r)], w)
    stroke([(x - 0.66 * r, y + 0.66 * r), (x + 0.66 * r, y - 0.74 * r)], w)


def _phone(x: float, y: float, r: float, w: float) -> None:
    SmoothLine(
        rounded_rectangle=(x - 0.38 * r, y - 0.72 * r, 0.76 * r, 1.44 * r, 0.16 * r), width=w
    )
    dot(x, y - 0.48 * r, w)


def _cards(x: float, y: float, r: float, w: float) -> None:
    SmoothLine(rounded_rectangle=(x - 0.72 * r, y - 0.56 * r, 1.1 * r, 0.76 * r, 0.12 * r), width=w)
    SmoothLine(rounded_rectangle=(x - 0.36 * r, y - 0.16 * r, 1.1 * r, 0.76 * r, 0.12 * r), width=w)


def _closed(x: float, y: float, r: float, w: float) -> None:
    arc(x, y, 0.72 * r, 0, 360, width=w)
    stroke([(x - 0.34 * r, y), (x + 0.34 * r, y)], w)


def _backspace(x: float, y: float, r: float, w: float) -> None:
    stroke(
        [
            (x - 0.95 * r, y),
            (x - 0.4 * r, y + 0.55 * r),
            (x + 0.9 * r, y + 0.55 * r),
            (x + 0.9 * r, y - 0.55 * r),
            (x - 0.4 * r, y - 0.55 * r),
            (x - 0.95 * r, y),
        ],
        w,
    )
    stroke([(x + 0.02 * r, y - 0.22 * r), (x + 0.46 * r, y + 0.22 * r)], w)
    stroke([(x + 0.02 * r, y + 0.22 * r), (x + 0.46 * r, y - 0.22 * r)], w)


def _back(x: float, y: float, r: float, w: float) -> None:
    stroke([(x + 0.22 * r, y + 0.62 * r), (x - 0.4 * r, y), (x + 0.22 * r, y - 0.62 * r)], w)


def _more(x: float, y: float, r: float, w: float) -> None:
    stroke([(x - 0.22 * r, y + 0.56 * r), (x + 0.34 * r, y), (x - 0.22 * r, y - 0.56 * r)], w)


def _menu(x: float, y: float, r: float, w: float) -> None:
    for lift in (-0.5, 0.0, 0.5):
        stroke([(x - 0.7 * r, y + lift * r), (x + 0.7 * r, y + lift * r)], w)


def _list(x: float, y: float, r: float, w: float) -> None:
    for lift in (-0.56, 0.0, 0.56):
        dot(x - 0.68 * r, y + lift * r, 1.2 * w)
        stroke([(x - 0.26 * r, y + lift * r), (x + 0.72 * r, y + lift * r)], w)


def _bars(x: float, y: float, r: float, w: float) -> None:
    stroke([(x - 0.76 * r, y - 0.66 * r), (x + 0.76 * r, y - 0.66 * r)], w)
    for place, top in ((-0.46, 0.06), (0.0, 0.68), (0.46, 0.32)):
        stroke([(x + place * r, y - 0.34 * r), (x + place * r, y + top * r)], 1.7 * w)


def _sliders(x: float, y: float, r: float, w: float) -> None:
    for lift, knob in ((0.52, 0.3), (0.0, -0.34), (-0.52, 0.14)):
        stroke([(x - 0.74 * r, y + lift * r), (x + 0.74 * r, y + lift * r)], w)
        dot(x + knob * r, y + lift * r, 2.5 * w)


def _person(x: float, y: float, r: float, w: float) -> None:
    arc(x, y + 0.36 * r, 0.34 * r, 0, 360, width=w)
    arc(x, y - 0.76 * r, 0.68 * r, -80, 80, width=w)


def _lock(x: float, y: float, r: float, w: float) -> None:
    SmoothLine(
        rounded_rectangle=(x - 0.56 * r, y - 0.72 * r, 1.12 * r, 0.92 * r, 0.16 * r), width=w
    )
    arc(x, y + 0.28 * r, 0.34 * r, -90, 90, width=w)
    stroke([(x - 0.34 * r, y + 0.28 * r), (x - 0.34 * r, y + 0.2 * r)], w)
    stroke([(x + 0.34 * r, y + 0.28 * r), (x + 0.34 * r, y + 0.2 * r)], w)
    dot(x, y - 0.26 * r, 1.4 * w)


def _shield(x: float, y: float, r: float, w: float) -> None:
    half = [(0.0, 0.8), (0.64, 0.54), (0.64, -0.02), (0.44, -0.46), (0.0, -0.82)]
    right = [(x + dx * r, y + dy * r) for dx, dy in half]
    left = [(x - dx * r, y + dy * r) for dx, dy in half]
    stroke(right, w)
    stroke(left, w)
    stroke(
        [(x - 0.26 * r, y + 0.02 * r), (x - 0.06 * r, y - 0.2 * r), (x + 0.3 * r, y + 0.24 * r)], w
    )


def _printer(x: float, y: float, r: float, w: float) -> None:
    SmoothLine(
        rounded_rectangle=(x - 0.76 * r, y - 0.34 * r, 1.52 * r, 0.72 * r, 0.14 * r), width=w
    )
    stroke(
        [
            (x - 0.42 * r, y + 0.4 * r),
            (x - 0.42 * r, y + 0.76 * r),
            (x + 0.42 * r, y + 0.76 * r),
            (x + 0.42 * r, y + 0.4 * r),
        ],
        w,
    )
    stroke(
        [
            (x - 0.42 * r, y - 0.3 * r),
            (x - 0.42 * r, y - 0.76 * r),
            (x + 0.42 * r, y - 0.76 * r),
            (x + 0.42 * r, y - 0.3 * r),
        ],
        w,
    )


def _qr(x: float, y: float, r: float, w: float) -> None:
    for dx, dy in ((-0.74, 0.14), (0.14, 0.14), (-0.74, -0.74)):
        SmoothLine(rounded_rectangle=(x + dx * r, y + dy * r, 0.6 * r, 0.6 * r, 0.12 * r), width=w)
    for dx, dy in ((0.26, -0.26), (0.64, -0.64)):
        dot(x + dx * r, y + dy * r, 1.6 * w)


def _receipt(x: float, y: float, r: float, w: float) -> None:
    """A slip of paper with a torn edge."""
    edge = [(-0.5, 0.8), (0.5, 0.8), (0.5, -0.8), (0.25, -0.58), (0.0, -0.8), (-0.25, -0.58)]
    edge += [(-0.5, -0.8), (-0.5, 0.8)]
    stroke([(x + dx * r, y + dy * r) for dx, dy in edge], w)
    for lift in (0.42, 0.08):
        stroke([(x - 0.24 * r, y + lift * r), (x + 0.24 * r, y + lift * r)], w)


def _search(x: float, y: float, r: float, w: float) -> None:
    arc(x - 0.14 * r, y + 0.14 * r, 0.5 * r, 0, 360, width=w)
    stroke([(x + 0.24 * r, y - 0.24 * r), (x + 0.7 * r, y - 0.7 * r)], w)


def _send(x: float, y: float, r: float, w: float) -> None:
    stroke([(x, y - 0.7 * r), (x, y + 0.66 * r)], w)
    stroke([(x - 0.48 * r, y + 0.2 * r), (x, y + 0.7 * r), (x + 0.48 * r, y + 0.2 * r)], w)


def _cash(x: float, y: float, r: float, w: float) -> None:
    SmoothLine(rounded_rectangle=(x - 0.86 * r, y - 0.5 * r, 1.72 * r, r, 0.14 * r), width=w)
    arc(x, y, 0.24 * r, 0, 360, width=w)
    dot(x - 0.58 * r, y, w)
    dot(x + 0.58 * r, y, w)


def _graduate(x: float, y: float, r: float, w: float) -> None:
    stroke(
        [
            (x - 0.86 * r, y + 0.2 * r),
            (x, y + 0.6 * r),
            (x + 0.86 * r, y + 0.2 * r),
            (x, y - 0.2 * r),
            (x - 0.86 * r, y + 0.2 * r),
        ],
        w,
    )
    stroke(
        [
            (x - 0.46 * r, y - 0.02 * r),
            (x - 0.46 * r, y - 0.42 * r),
            (x, y - 0.62 * r),
            (x + 0.46 * r, y - 0.42 * r),
            (x + 0.46 * r, y - 0.02 * r),
        ],
        w,
    )


def _plus(x: float, y: float, r: float, w: float) -> None:
    stroke([(x, y + 0.6 * r), (x, y - 0.6 * r)], w)
    stroke([(x - 0.6 * r, y), (x + 0.6 * r, y)], w)


def _minus(x: float, y: float, r: float, w: float) -> None:
    stroke([(x - 0.6 * r, y), (x + 0.6 * r, y)], w)


def _percent(x: float, y: float, r: float, w: float) -> None:
    stroke([(x - 0.5 * r, y - 0.6 * r), (x + 0.5 * r, y + 0.6 * r)], w)
    for side in (-1, 1):
        arc(x + side * 0.44 * r, y - side * 0.4 * r, 0.2 * r, 0, 360, width=w)


def _keypad(x: float, y: float, r: float, w: float) -> None:
    """The keys of a keypad."""
    for dx in (-0.56, 0.0, 0.56):
        for dy in (-0.56, 0.0, 0.56):
            dot(x + dx * r, y + dy * r, 1.3 * w)


def _tiles(x: float, y: float, r: float, w: float) -> None:
    for dx in (-0.72, 0.12):
        for dy in (-0.72, 0.12):
            SmoothLine(
                rounded_rectangle=(x + dx * r, y + dy * r, 0.6 * r, 0.6 * r, 0.14 * r), width=w
            )


def _bulb(x: float, y: float, r: float, w: float) -> None:
    arc(x, y + 0.22 * r, 0.5 * r, -140, 140, width=w)
    stroke(
        [
            (x - 0.26 * r, y - 0.2 * r),
            (x - 0.24 * r, y - 0.44 * r),
            (x + 0.24 * r, y - 0.44 * r),
            (x + 0.26 * r, y - 0.2 * r),
        ],
        w,
    )
    stroke([(x - 0.16 * r, y - 0.72 * r), (x + 0.16 * r, y - 0.72 * r)], w)


def _face(x: float, y: float, r: float, w: float) -> None:
    arc(x, y, 0.8 * r, 0, 360, width=w)
    dot(x - 0.28 * r, y + 0.2 * r, 1.4 * w)
    dot(x + 0.28 * r, y + 0.2 * r, 1.4 * w)


def _smile(x: float, y: float, r: float, w: float) -> None:
    _face(x, y, r, w)
    arc(x, y - 0.02 * r, 0.42 * r, 115, 245, width=w)


def _straight(x: float, y: float, r: float, w: float) -> None:
    _face(x, y, r, w)
    stroke([(x - 0.34 * r, y - 0.28 * r), (x + 0.34 * r, y - 0.28 * r)], w)


def _frown(x: float, y: float, r: float, w: float) -> None:
    _face(x, y, r, w)
    arc(x, y - 0.62 * r, 0.42 * r, -62, 62, width=w)


def chip(x: float, y: float, width: float, height: float) -> None:
    """The contact plate of a card, lower left corner at x, y."""
    SmoothRoundedRectangle(pos=(x, y), size=(width, height), radius=[0.22 * height] * 4)


GLYPHS: Mapping[Glyph, Draw] = MappingProxyType(
    {
        Glyph.CHECK: _check,
        Glyph.CROSS: _cross,
        Glyph.CLOCK: _clock,
        Glyph.QUESTION: _question,
        Glyph.RECEIPT: _receipt,
        Glyph.RETURN: _return,
        Glyph.EXCLAMATION: _exclamation,
        Glyph.CLOUD_OFF: _cloud_off,
        Glyph.WAVES: _waves,
        Glyph.HOLD: _waves,
        Glyph.CARDS: _cards,
        Glyph.PHONE: _phone,
        Glyph.CLOSED: _closed,
        Glyph.SPINNER: _clock,
        Glyph.BACK: _back,
        Glyph.BACKSPACE: _backspace,
        Glyph.BARS: _bars,
        Glyph.BULB: _bulb,
        Glyph.CASH: _cash,
        Glyph.GRADUATE: _graduate,
        Glyph.KEYPAD: _keypad,
        Glyph.LIST: _list,
        Glyph.LOCK: _lock,
        Glyph.MENU: _menu,
        Glyph.MINUS: _minus,
        Glyph.MORE: _more,
        Glyph.PERCENT: _percent,
        Glyph.PERSON: _person,
        Glyph.PLUS: _plus,
        Glyph.PRINTER: _printer,
        Glyph.QR: _qr,
        Glyph.SEARCH: _search,
        Glyph.SEND: _send,
        Glyph.SHIELD: _shield,
        Glyph.SLIDERS: _sliders,
        Glyph.SMILE: _smile,
        Glyph.TILES: _tiles,
        Glyph.STRAIGHT: _straight,
        Glyph.FROWN: _frown,
    }
)
"""How each sign is drawn: centre x and y, radius, half the line's width."""
