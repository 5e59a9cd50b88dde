"""A window without a display, and a driver that touches it as a finger does.

Kivy takes its settings from the environment at its first import, so they stand at the top.
Mesa draws in software on one thread: pictures come out the same each time.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from terminal.bench import Bench
from terminal.money import Currency
from tests.ui.command_line import running_acquirer
from tests.ui.stand_ins import StandInTill
from ui.events import TillEvent
from ui.ports import TillPort
from ui.presenter.preferences import Preferences

KIVY_HOME = tempfile.mkdtemp(prefix="taptill-kivy-")
atexit.register(shutil.rmtree, KIVY_HOME, ignore_errors=True)
os.environ.update(
    SDL_VIDEODRIVER="offscreen",
    SDL_AUDIODRIVER="dummy",
    # Without this, Mesa's software renderer queues frames without bound.
    LP_NUM_THREADS="0",
    KIVY_METRICS_DENSITY="1",
    KIVY_METRICS_FONTSCALE="1",
    KIVY_DPI="96",
    KIVY_HOME=KIVY_HOME,
)
PATIENCE_S = 10.0


class Driver:
    """One app in the one window: starts it, touches it, looks at it, ends it."""

    def __init__(self) -> None:
        self.till: Any = StandInTill()
        self.app: Any = None
        self.window: Any = None

    def open(
        self,
        language: str = "en",
        *,
        benches: Sequence[Bench] = (),
        currency: str = "EUR",
        till: TillPort | None = None,
        size: tuple[int, int] = (800, 480),
        shop: str = "Corner Coffee",
        preferences: Mapping[str, str] = MappingProxyType({}),
        **details: Any,
    ) -> Any:
        """A fresh app; the window is resized to fit."""
        # Kivy is imported here, so that tests without a window do without it.
        from kivy.base import EventLoop  # noqa: PLC0415

        from ui.touch.window import open_window  # noqa: PLC0415 - as above

        self.close()
        # A picture of a window that has grown is torn, so it begins larger than any size asked for.
        open_window(1280, 1280, frames_per_s=0)
        self.window = open_window(*size, frames_per_s=0)
        assert self.window is not None, "no window: apt-get install libegl1 libgl1 libmtdev1"
        from ui.touch.outfit import Outfit  # noqa: PLC0415 - as above
        from ui.touch.till_app import TillApp  # noqa: PLC0415 - needs the window

        self.till = till or StandInTill()
        chosen = {"language": language, "motion": "off", **preferences}
        self.app = TillApp(
            self.till,
            benches,
            Outfit(
                shop=shop,
                currency=Currency.of(currency),
                preferences=Preferences(**chosen),
                **details,
            ),
        )
        self.app._run_prepare()
        if EventLoop.status != "started":
            EventLoop.start()
        self.frames(4)
        return self.app

    def close(self) -> None:
        """Ends the app as Kivy would, but for the window, which no process gets twice."""
        if self.app is None:
            return
        from kivy.app import App  # noqa: PLC0415 - as above

        self.app.dispatch("on_stop")
        for child in list(self.window.children):
            self.window.remove_widget(child)
        App._running_app = None
        self.app = None

    def frames(self, count: int = 3) -> None:
        """Runs Kivy's loop."""
        from kivy.base import EventLoop  # noqa: PLC0415 - as above

        for _ in range(count):
            EventLoop.idle()

    def until(self, reached: Callable[[], bool]) -> None:
        """Runs frames until something is so; fails when it never is."""
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            assert time.monotonic() < deadline, "it never happened"
            self.frames(1)
            time.sleep(0.002)

    def tell(self, *events: TillEvent) -> None:
        """Events from the till, and the frames that show them."""
        self.till.tell(*events)
        self.frames(3)

    def find(self, test_id: str) -> Any:
        """The widget of this name that is on the window now."""
        found = [
            each
            for child in self.window.children
            for each in child.walk()
            if getattr(each, "test_id", "") == test_id
        ]
        assert len(found) == 1, f"{len(found)} widgets are called {test_id}"
        return found[0]

    def has(self, test_id: str) -> bool:
        """Whether a widget of this name is on the window now."""
        return any(
            getattr(each, "test_id", "") == test_id
            for child in self.window.children
            for each in child.walk()
        )

    def tap(self, test_id: str) -> None:
        """A finger down and up in the middle of a widget, through Kivy's own dispatch."""
        finger = self.press(test_id)
        self.frames(2)
        self.lift(finger)
        self.frames(2)

    def press(self, test_id: str) -> Any:
        """A finger that has come down on a widget; no frame has been drawn since."""
        from kivy.base import EventLoop  # noqa: PLC0415 - as above
        from kivy.input.motionevent import MotionEvent  # noqa: PLC0415 - as above

        class Finger(MotionEvent):  # type: ignore[misc] # Kivy's classes are untyped.
            def __init__(self, *args: Any) -> None:
                super().__init__(*args, is_touch=True, type_id="touch")
                self.profile = ["pos"]

            def depack(self, args: Any) -> None:
                self.sx, self.sy = args
                super().depack(args)

        widget = self.find(test_id)
        width, height = self.window.system_size
        x, y = widget.to_window(*widget.center)
        finger = Finger("finger", 1, (x / width, y / height))
        finger.scale_for_screen(width, height)
        EventLoop.post_dispatch_input("begin", finger)
        return finger

    def slide(self, finger: Any, x: float, y: float) -> None:
        """The finger moves to this place of the window, where it stays down."""
        from kivy.base import EventLoop  # noqa: PLC0415 - as above

        width, height = self.window.system_size
        finger.move((x / width, y / height))
        finger.scale_for_screen(width, height)
        EventLoop.post_dispatch_input("update", finger)

    def lift(self, finger: Any) -> None:
        """The finger goes up."""
        from kivy.base import EventLoop  # noqa: PLC0415 - as above

        EventLoop.post_dispatch_input("end", finger)

    def texts(self) -> list[Any]:
        """Every text that can be seen."""
        from ui.touch.kit.txt import Txt  # noqa: PLC0415 - as above

        return [
            each
            for child in self.window.children
            for each in child.walk()
            if isinstance(each, Txt) and each.text and _visible(each)
        ]

    def said(self) -> set[str]:
        """What the texts on the window say, isolates left out."""
        from ui.words import Words  # noqa: PLC0415 - as above

        plain = Words("en").plain
        return {plain(each.text) for each in self.texts()}

    def picture(self) -> tuple[int, int, bytes]:
        """The window's pixels: width, height, and three bytes a pixel, lowest row first."""
        from kivy.graphics.opengl import (  # noqa: PLC0415 - needs the window's context
            GL_RGB,
            GL_UNSIGNED_BYTE,
            glReadPixels,
        )

        shots: list[bytes] = []
        width, height = self.window.system_size

        def flip(*_: object) -> None:
            shots.append(glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE))

        self.window.canvas.ask_update()
        self.window.bind(on_flip=flip)
        self.frames(1)
        self.window.unbind(on_flip=flip)
        return width, height, shots[-1]


def _visible(widget: Any) -> bool:
    while widget is not None and hasattr(widget, "opacity"):
        if not widget.opacity:
            return False
        widget = widget.parent if widget.parent is not widget else None
    return True


@pytest.fixture
def driver() -> Iterator[Driver]:
    """The driver, with motion off; no app is open yet."""
    from ui.touch.kit.skin import skin  # noqa: PLC0415 - imports Kivy
    from ui.touch.theme import LIGHT  # noqa: PLC0415 - with it

    skin.motion = False
    skin.theme = LIGHT
    driving = Driver()
    yield driving
    driving.close()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an acquirer that outlives each command of a test's till."""
    with running_acquirer(tmp_path_factory.mktemp("bank")) as folder:
        yield folder
