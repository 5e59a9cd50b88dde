"""The window, and the little of Kivy's set-up that must happen before it opens."""

from __future__ import annotations

from typing import Any

from kivy.config import Config

FRAMES_PER_S = 60


def open_window(width: int, height: int, *, frames_per_s: int = FRAMES_PER_S) -> Any:
    """Kivy's one window at this size, made at the first call and only resized after it."""
    settings = {
        # Multisampling costs more on a small GPU than the smooth shapes need.
        ("graphics", "multisamples"): "0",
        ("graphics", "maxfps"): str(frames_per_s),
        ("graphics", "width"): str(width),
        ("graphics", "height"): str(height),
        ("graphics", "resizable"): "1",
        ("graphics", "minimum_width"): "640",
        ("graphics", "minimum_height"): "400",
        ("input", "mouse"): "mouse,disable_multitouch",
        # Escape cancels a sale and must not close the till.
        ("kivy", "exit_on_escape"): "0",
    }
    for (section, option), value in settings.items():
        Config.set(section, option, value)
    # Importing the module opens the window, so it waits until the settings are in place.
    from kivy.core.window import Window  # noqa: PLC0415

    if Window is None:
        return None
    if tuple(Window.system_size) != (width, height):
        Window.size = (width, height)
    return Window
