"""Draws one of each smooth shape before anybody looks: their shaders hitch once."""

from __future__ import annotations

from kivy.graphics import (
    Color,
    Fbo,
    SmoothEllipse,
    SmoothLine,
    SmoothRoundedRectangle,
)


def warm_up() -> None:
    """Compiles the shaders in a buffer of a few pixels that is thrown away."""
    buffer = Fbo(size=(16, 16))
    with buffer:
        Color(1, 1, 1, 1)
        SmoothRoundedRectangle(size=(12, 12), radius=[3] * 4)
        SmoothEllipse(size=(12, 12))
        SmoothLine(points=[1, 1, 12, 12], width=2)
        SmoothLine(circle=(8, 8, 4), width=1.5)
    buffer.draw()
