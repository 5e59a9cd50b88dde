"""A QR code, drawn as rectangles: dark on white whatever the theme, with its quiet zone."""

from __future__ import annotations

from typing import Any

import segno
from kivy.graphics import Color, Rectangle
from kivy.metrics import dp
from kivy.properties import StringProperty

from ui.touch.kit.surface import Painted

_QUIET = 4
"""Modules of white around the code (ISO/IEC 18004)."""


class Qr(Painted):
    """The code of a text; nothing for an empty one."""

    text = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("text", self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        if not self.text:
            return
        rows = [bytes(row) for row in segno.make(self.text, error="m", micro=False).matrix]
        span = len(rows) + 2 * _QUIET
        module = max(1, int(min(self.width, self.height) // span))
        side = module * span
        x, y = round(self.center_x - side / 2), round(self.center_y - side / 2)
        Color(1, 1, 1, 1)
        Rectangle(pos=(x, y), size=(side, side))
        Color(0, 0, 0, 1)
        top = y + side - _QUIET * module
        for index, row in enumerate(rows):
            low = top - (index + 1) * module
            start = 0
            # Dark modules beside each other are one rectangle: a tenth of the instructions.
            while (start := row.find(1, start)) >= 0:
                end = start
                while end < len(row) and row[end] == 1:
                    end += 1
                Rectangle(
                    pos=(x + (_QUIET + start) * module, low), size=((end - start) * module, module)
                )
                start = end

    @property
    def module_px(self) -> int:
        """How large one module is drawn, in pixels."""
        if not self.text:
            return 0
        span = len(segno.make(self.text, error="m", micro=False).matrix) + 2 * _QUIET
        return int(min(self.width, self.height) // span)


MODULE_MIN_PX = dp(2)
"""Smaller modules are hard to read for a phone's camera."""
