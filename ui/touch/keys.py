"""Keyboards, numeric pads and barcode scanners: all of them type, and drive the whole till."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from ui.presenter.touches import (
    Back,
    Backspace,
    Cancel,
    Clear,
    Digit,
    DoubleZero,
    Enter,
    Go,
    Letter,
    Touch,
)
from ui.presenter.wedge import Wedge

_ENTER = (13, 271)
_TOUCH_OF_KEY: dict[int, Touch] = {
    **{48 + value: Digit(value) for value in range(10)},
    **{256 + value: Digit(value) for value in range(10)},
    **dict.fromkeys(_ENTER, Enter()),
    8: Backspace(),
    127: Clear(),
    27: Cancel(),
    276: Back(),
    282: Go("help"),
    319: Go("menu"),
    268: DoubleZero(),
}
"""Kivy's key codes: digits, numeric pad, enter, backspace, delete, escape, left, F1, menu, *."""


class Keyboard:
    """Turns key presses into touches, and bursts of them into scanned codes."""

    def __init__(
        self,
        send: Callable[[Touch], None],
        typed: Callable[[], int],
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._send = send
        self._wedge = Wedge(now, typed)

    def down(self, _window: Any, code: int, _scan: int, text: str | None, *_: object) -> bool:
        """A key went down; True when it meant something here."""
        touch = _TOUCH_OF_KEY.get(code)
        if touch is None and text and len(text) == 1 and text.isprintable():
            touch = Letter(text)
        if touch is None:
            return False
        for each in self._wedge.press(touch):
            self._send(each)
        return True
