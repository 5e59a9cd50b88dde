"""A window to take pictures of: one app at a time, fed by hand.

Whoever imports this has set the window's environment before (see ``tools/shots.py``).
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from PIL import Image

from terminal.bench import Bench
from terminal.money import Amount, Currency
from terminal.terms import A_SALE, Terms
from tools.scenes import NOW
from ui.events import TillEvent
from ui.ports import TillPort
from ui.presenter.page import About
from ui.presenter.preferences import Preferences
from ui.presenter.touches import Touch
from ui.questions import Question
from ui.touch.outfit import Outfit
from ui.touch.window import open_window

SHOPS = {"fa": "کافه نمونه", "bg": "Кафе „Пример“", "fr": "Café des Halles", "es": "Café Ñandú"}
CURRENCIES = {"fa": "IRR"}


class StillTill:
    """A till that does nothing: the events come from the scene."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[TillEvent] = queue.SimpleQueue()
        self.wake: Callable[[], None] = lambda: None

    def charge(self, amount: Amount, cashier: str = "", terms: Terms = A_SALE) -> None:
        """Nothing."""

    def cancel(self) -> None:
        """Nothing."""

    def forward_now(self) -> None:
        """Nothing."""

    def ask(self, question: Question, by: str = "") -> None:
        """Nothing."""


class Studio:
    """One window, one app at a time, and pictures of it."""

    def __init__(self, size: tuple[int, int]) -> None:
        from kivy.base import EventLoop  # noqa: PLC0415 - the window must be configured first

        # A picture of a window that has grown is torn, so it begins larger than any size asked for.
        open_window(1280, 1280, frames_per_s=0)
        self.window = open_window(*size, frames_per_s=0)
        self._loop = EventLoop
        self._started = False
        self.till: TillPort = StillTill()
        self.app: Any = None

    def resize(self, size: tuple[int, int]) -> None:
        """Another size of window; never larger than the first one was."""
        if tuple(self.window.system_size) != size:
            self.window.size = size

    def open(
        self,
        language: str,
        *,
        till: TillPort | None = None,
        benches: Sequence[Bench] = (),
        preferences: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """A fresh app in this language."""
        from ui.touch.till_app import TillApp  # noqa: PLC0415 - needs the window

        self.close()
        self.till = till or StillTill()
        outfit = Outfit(
            shop=SHOPS.get(language, "Corner Coffee"),
            currency=Currency.of(CURRENCIES.get(language, "EUR")),
            preferences=Preferences(language=language, motion="off", **dict(preferences)),
            about=About(now=NOW, contact="+34 600 000 000", transfers=True),
        )
        self.app = TillApp(self.till, benches, outfit)
        self.app._run_prepare()  # noqa: SLF001 - the part of App.run before its endless loop
        if not self._started:
            self._loop.start()
            self._started = True
        self.frames(4)

    def close(self) -> None:
        """Ends the app, not the window."""
        if self.app is not None:
            self.app.dispatch("on_stop")
            for child in list(self.window.children):
                self.window.remove_widget(child)
            type(self.app)._running_app = None  # noqa: SLF001 - Kivy knows one app per process
            self.app = None

    def frames(self, count: int) -> None:
        """Lets the app draw."""
        for _ in range(count):
            self._loop.idle()

    def wait(self, seconds: float) -> None:
        """Lets the app draw, and the till's own threads work."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.frames(1)
            time.sleep(0.01)

    def tell(self, *events: TillEvent) -> None:
        """Events from the till, and the frames that show them."""
        for event in events:
            self.till.events.put(event)
        self.till.wake()
        self.frames(4)

    def touch(self, *touches: Touch) -> None:
        """The cashier's touches."""
        for each in touches:
            self.app.touch(each)
        self.frames(4)

    def picture(self) -> Image.Image:
        """What is on the window now."""
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
        image = Image.frombytes("RGB", (width, height), shots[-1])
        return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def hold_still() -> None:
    """Nothing that counts seconds or fills up may move while a picture is taken."""
    from ui.touch.kit.signs import Countdown  # noqa: PLC0415 - needs the window
    from ui.touch.screens.result import ResultScreen  # noqa: PLC0415 - as above

    Countdown.ticking = False
    ResultScreen.leaving = False
