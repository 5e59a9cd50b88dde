"""The face's own times, in a window without a display (llvmpipe, one thread): 800 x 480.

Figures of a software renderer say how much work a frame is, not how quick a Pi's GPU is.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, percentile
from terminal.money import Amount, Currency

ROOT = Path(__file__).resolve().parents[1]
_ROUNDS = 40
_SALES = 2_000
_HISTORY = 10_000
_BUSY_S = 6.0

_START = """
import sys, time
began = float(sys.argv[1])
import ui.touch
from kivy.clock import Clock
from terminal.money import Currency
from tests.ui.stand_ins import PlayedTill
from ui.touch import app
from ui.touch.outfit import Outfit
seen = []
def first(*_):
    seen.append(time.time() - began)
    Clock.schedule_once(settle, 1.5)
def settle(_):
    mark.extend((time.time(), time.process_time()))
    Clock.schedule_once(stop, 5.0)
def stop(_):
    wall, cpu = time.time() - mark[0], time.process_time() - mark[1]
    rss = int(next(l for l in open('/proc/self/status') if l.startswith('VmRSS')).split()[1])
    import json
    print(json.dumps({'start_s': seen[0], 'idle': cpu / wall, 'rss_mb': rss / 1024}), flush=True)
    from kivy.app import App
    App.get_running_app().stop()
mark = []
Clock.schedule_once(first, 0)
outfit = Outfit(shop='Corner Coffee', currency=Currency.of('EUR'))
app.run(PlayedTill(), [], outfit, size=(800, 480))
"""


def whole_process() -> Iterator[Figure]:
    """From the start of Python to the first frame; memory; and what an idle till costs."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, **_headless(), "KIVY_HOME": home, "PYTHONPATH": str(ROOT)}
        told = [
            json.loads(
                subprocess.run(
                    [sys.executable, "-c", _START, str(time.time())],
                    env=environment,
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    check=True,
                    timeout=120,
                ).stdout.splitlines()[-1]
            )
            for _ in range(3)
        ]
    start_s = sorted(each["start_s"] for each in told)[1]
    yield _below("cold start to the first frame", start_s * 1000, 2000)
    rss = max(each["rss_mb"] for each in told)
    yield Figure("memory of the process", f"{rss:.0f} MB", "< 250 MB", rss < 250)
    idle = sorted(each["idle"] for each in told)[1]
    yield Figure("idle, nothing moving", f"{idle:.1%} of a core", "< 5 %", idle < 0.05)


def _headless() -> dict[str, str]:
    return {
        "SDL_VIDEODRIVER": "offscreen",
        "SDL_AUDIODRIVER": "dummy",
        "LP_NUM_THREADS": "0",
        "KIVY_METRICS_DENSITY": "1",
        "KIVY_METRICS_FONTSCALE": "1",
        "KIVY_DPI": "96",
    }


def face() -> Iterator[Figure]:
    """Touch, change of screen, first light, frames beside a slow card and a silent host, lists."""
    yield from whole_process()
    from tests.ui.conftest import Driver  # noqa: PLC0415 - sets the window up at its import
    from ui.touch.pauses import settled, unhurried  # noqa: PLC0415 - as above

    driver = Driver()
    try:
        # As a till does when it starts: what is loaded and built is out of the collector's sight.
        with unhurried():
            driver.open()
            driver.window.bind(on_flip=_finish)
            settled()
            yield from _touches(driver)
            yield from _lights(driver)
            yield from _history(driver)
            yield from _beside_slow_threads(driver)
            yield from _flat(driver)
    finally:
        driver.close()


def _finish(*_: object) -> None:
    """Waits until the frame is drawn to the last pixel.

    A window without a display swaps no buffers, and the software renderer then puts drawing off
    until it has twenty frames or so: most frames would seem to cost nothing, and some 100 ms.
    """
    from kivy.graphics.opengl import glFinish  # noqa: PLC0415 - needs the window's context

    glFinish()


def _below(name: str, milliseconds: float, target: float) -> Figure:
    return Figure(name, f"{milliseconds:.1f} ms", f"< {target:g} ms", milliseconds < target)


def _spread(name: str, seconds: list[float], target_ms: float) -> Figure:
    p50, p95, most = (percentile(seconds, percent) * 1000 for percent in (50, 95, 100))
    measured = f"p50 {p50:.1f}, p95 {p95:.1f}, max {most:.1f} ms (n={len(seconds)})"
    return Figure(name, measured, f"p95 < {target_ms:g} ms", p95 < target_ms)


def _paint(driver: Any) -> float:
    """One pass of the loop that has to draw; when it is over."""
    driver.window.canvas.ask_update()
    driver.frames(1)
    return time.perf_counter()


def _touches(driver: Any) -> Iterator[Figure]:
    from ui.presenter.touches import Back, Go  # noqa: PLC0415 - as above

    driver.open(preferences={"motion": "on"})
    key = driver.find("key_5")
    pressed, changed = [], []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        finger = driver.press("key_5")
        driver.frames(1)
        pressed.append(time.perf_counter() - began)
        if key.state != "down":
            raise AssertionError("the key does not show that it is pressed")
        driver.lift(finger)
        driver.frames(2)
        began = time.perf_counter()
        driver.app.touch(Go("menu"))
        changed.append(_paint(driver) - began)
        driver.app.touch(Back())
        driver.frames(2)
    yield _spread("touch down to pressed paint", pressed, 50)
    yield _spread("change of screen", changed, 100)


def _lights(driver: Any) -> Iterator[Figure]:
    from ui.events import CardRead, Presenting  # noqa: PLC0415 - as above

    driver.open(preferences={"motion": "on"})
    lit = []
    for _ in range(_ROUNDS):
        driver.tell(Presenting(Amount(1250, Currency.of("EUR")), 30.0))
        began = time.perf_counter()
        driver.till.tell(CardRead(0.3, 0.003))
        while driver.find("lights").shown < 2:
            driver.frames(1)
        lit.append(_paint(driver) - began)
    yield _spread("card read to the next light", lit, 100)


def _history(driver: Any) -> Iterator[Figure]:
    from tests.ui.test_places import history_shown  # noqa: PLC0415 - as above
    from ui.presenter.touches import Back, Go  # noqa: PLC0415 - as above

    driver.open()
    shown = history_shown(_HISTORY)
    opened = []
    for _ in range(7):
        began = time.perf_counter()
        driver.app.touch(Go("history"))
        driver.till.tell(shown)
        driver.frames(1)
        opened.append(_paint(driver) - began)
        driver.app.touch(Back())
        driver.frames(2)
    yield _spread(f"history of {_HISTORY:,} sales opens", opened, 100)


def _beside_slow_threads(driver: Any) -> Iterator[Figure]:
    """A card that takes 500 ms an answer, then a bank that is silent; motion is on."""
    from tests.ui.shop import open_shop  # noqa: PLC0415 - as above
    from ui.wiring import assembled, load_settings  # noqa: PLC0415 - as above

    with (
        tempfile.TemporaryDirectory() as folder,
        assembled(load_settings(data_dir=Path(folder), reader="sim:", acquirer="sim:")) as parts,
    ):
        shop = open_shop(driver, parts, "en", authorise_s=15.0, preferences={"motion": "on"})
        try:
            shop.bench.set_switch("slow", True)
            shop.charge("1250")
            shop.bench.tap("visa-credit")
            yield _spread("frame while a card is slow", _frames(driver, _BUSY_S / 2), 50)
            shop.until(lambda: driver.app.state.screen.value == "result")
            shop.home()
            shop.bench.set_switch("slow", False)
            shop.acquirer.set(drop_after=1)
            shop.charge("1250")
            shop.bench.tap("visa-credit")
            shop.until(lambda: driver.app.state.screen.value == "processing")
            yield _spread("frame while the bank is silent", _frames(driver, _BUSY_S), 50)
        finally:
            driver.close()
            shop.till.stop()


def _frames(driver: Any, seconds: float) -> list[float]:
    taken = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        driver.frames(1)
        taken.append(time.perf_counter() - began)
        time.sleep(0.004)
    return taken


def _flat(driver: Any) -> Iterator[Figure]:
    """Real sales one after the other in one process: memory after a fifth of them, and after all.

    Card and bank answer at once, and every sale goes through the whole till: reader, kernel,
    ledger, receipt, screen.
    """
    from tests.ui.shop import open_shop  # noqa: PLC0415 - as above
    from ui.presenter.touches import Charge, Digit, Done  # noqa: PLC0415 - as above
    from ui.wiring import assembled, load_settings  # noqa: PLC0415 - as above

    marks: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        assembled(load_settings(data_dir=Path(folder), reader="sim:", acquirer="sim:")) as parts,
    ):
        shop = open_shop(driver, parts, "en")
        app = driver.app

        def reached(screen: str) -> None:
            while app.state.screen.value != screen or not (screen != "present" or app.state.armed):
                driver.frames(1)
                time.sleep(0.001)

        began = time.perf_counter()
        try:
            for number in range(_SALES):
                for digit in (1, 2, 5, number % 10):
                    app.touch(Digit(digit))
                app.touch(Charge())
                reached("present")
                shop.bench.tap("visa-credit")
                reached("result")
                app.touch(Done())
                if number in (_SALES // 5, _SALES - 1):
                    gc.collect()
                    marks.append(_rss_mb())
        finally:
            took_s = time.perf_counter() - began
            driver.close()
            shop.till.stop()
    grown = marks[1] - marks[0]
    name = f"memory grown from sale {_SALES // 5} to {_SALES:,}"
    measured = f"{grown:+.1f} MB (to {marks[1]:.0f} MB), {took_s / _SALES * 1000:.0f} ms a sale"
    yield Figure(name, measured, "< 8 MB", grown < 8)


def _rss_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
