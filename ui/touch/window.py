"""The window, and the little of Kivy's set-up that must happen before it opens."""

from __future__ import annotations

import os
import sys
from typing import Any

from kivy.config import Config

FRAMES_PER_S = 60
TILL_SIZE = (800, 480)
BENCH_SIZE = (1280, 720)
TABLE_MIN = (1120, 640)
"""Smaller windows show the till alone, in dp."""
TILL_MIN = (400, 400)

_opened: list[Any] = []


def open_window(
    width: int,
    height: int,
    *,
    least: tuple[int, int] = TILL_MIN,
    frames_per_s: int = FRAMES_PER_S,
) -> Any:
    """Kivy's one window at this size in pixels, made at the first call and only resized after it.

    ``least`` is the smallest size that a person may give it. None where no window can be opened.
    """
    settings = {
        # Multisampling costs more on a small GPU than the smooth shapes need.
        ("graphics", "multisamples"): "0",
        ("graphics", "maxfps"): str(frames_per_s),
        ("graphics", "width"): str(width),
        ("graphics", "height"): str(height),
        ("graphics", "resizable"): "1",
        ("graphics", "minimum_width"): str(least[0]),
        ("graphics", "minimum_height"): str(least[1]),
        ("input", "mouse"): "mouse,disable_multitouch",
        # Escape cancels a sale and must not close the till.
        ("kivy", "exit_on_escape"): "0",
    }
    for (section, option), value in settings.items():
        Config.set(section, option, value)
    # Importing the module opens the window, so it waits until the settings are in place.
    if not _opened and "kivy.core.window" in sys.modules:
        raise AssertionError("something has opened the window before its settings were made")
    from kivy.core.window import Window  # noqa: PLC0415 - see above

    _opened[:] = [Window]
    if Window is None or _is_invisible(Window):
        return None
    if tuple(Window.system_size) != (width, height):
        Window.size = (width, height)
    return Window


def density(width: float, height: float) -> float:
    """How many pixels one dp is, so that a till fills the window as it fills 800x480.

    A 7-inch panel of 1280x720 then shows keys as large as one of 800x480, upright or not.
    """
    long, short = max(width, height), min(width, height)
    fitting: float = min(long / TILL_SIZE[0], short / TILL_SIZE[1])
    return max(1.0, round(fitting * 20) / 20)


def _is_invisible(window: Any) -> bool:
    """Whether SDL has quietly drawn into memory because the desktop it was told of is dead.

    A till that nobody sees must not take payments. Whoever names a video driver means it:
    ``offscreen`` in tests, ``KMSDRM`` on a screen without a desktop.
    """
    if sys.platform != "linux" or os.environ.get("SDL_VIDEODRIVER"):
        return False
    return window.get_window_info() is None
