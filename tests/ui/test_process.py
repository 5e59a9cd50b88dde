"""The window in a process of its own, as a shop starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.window

_PROCESS = """
from kivy.clock import Clock
from terminal.money import Currency
from tests.ui.stand_ins import PlayedTill
from ui.touch import app
till = PlayedTill()
import gc
def close(_):
    from kivy.app import App
    # The loaded modules and the screens are out of the collector's sight, and it is at work.
    print(gc.isenabled(), gc.get_freeze_count() > 50_000)
    App.get_running_app().stop()
Clock.schedule_once(lambda _: Clock.schedule_once(close, 0.3))
from ui.touch.outfit import Outfit
app.run(till, [till.bench], Outfit(shop="Corner Coffee", currency=Currency.of("EUR")))
from kivy.config import Config
from kivy.core.window import Window
print(Config.get("graphics", "multisamples"), Window.system_size, "closed")
"""


def test_run_blocks_until_the_window_is_closed_and_leaves_no_files(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(root)}
    # Newer versions of the graphics driver keep compiled shaders; those are not the till's files.
    environment["MESA_SHADER_CACHE_DISABLE"] = "true"
    for name in ("KIVY_HOME", "KIVY_METRICS_DENSITY", "KIVY_METRICS_FONTSCALE", "KIVY_DPI"):
        del environment[name]
    script = "import ui.touch\n" + _PROCESS
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (
        0,
        "True True\n0 [1280, 720] closed\n",
    ), done.stderr
    assert not list(tmp_path.iterdir())


def test_a_dead_desktop_is_no_window(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(root), "DISPLAY": ":4321"}
    for name in ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", "import ui.touch\n" + _PROCESS],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "No window can be opened here." in done.stderr
    assert "console" in done.stderr
