"""Pictures of the touchscreen, without a display: every key screen in every language.

    python tools/shots.py FOLDER [--readme]

writes one PNG per screen and language and a contact sheet per language; ``--readme`` writes
only the pictures that the README shows. It needs Mesa (``libegl1 libgl1``) and Pillow.
"""

from __future__ import annotations

import argparse
import atexit
import os
import queue
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

os.environ.update(
    SDL_VIDEODRIVER="offscreen",
    SDL_AUDIODRIVER="dummy",
    # Without this, Mesa's software renderer queues frames without bound.
    LP_NUM_THREADS="0",
    KIVY_METRICS_DENSITY="1",
    KIVY_METRICS_FONTSCALE="1",
    KIVY_DPI="96",
    KIVY_HOME=tempfile.mkdtemp(prefix="taptill-shots-"),
)

from PIL import Image

from terminal.bench import Bench, bench_of
from terminal.money import Amount, Currency
from tools.scenes import NOW, office_scenes, scenes
from ui.events import (
    TillEvent,
)
from ui.ports import TillPort
from ui.presenter.page import About
from ui.presenter.preferences import Preferences
from ui.presenter.touches import (
    Done,
    Touch,
)
from ui.questions import (
    Question,
)
from ui.till import Till
from ui.touch.kit.skin import skin
from ui.touch.outfit import Outfit
from ui.touch.theme import DARK, LIGHT
from ui.touch.window import BENCH_SIZE, TILL_SIZE, open_window
from ui.wiring import assembled, load_settings
from ui.words import LANGUAGES

SHOPS = {"fa": "کافه نمونه", "bg": "Кафе „Пример“", "fr": "Café des Halles", "es": "Café Ñandú"}
CURRENCIES = {"fa": "IRR"}


class StillTill:
    """A till that does nothing: the events come from the scene."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[TillEvent] = queue.SimpleQueue()
        self.wake: Callable[[], None] = lambda: None

    def charge(self, amount: Amount, cashier: str = "") -> None:
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

    def open(
        self,
        language: str,
        *,
        till: TillPort | None = None,
        benches: Sequence[Bench] = (),
        **preferences: str,
    ) -> None:
        """A fresh app in this language."""
        from ui.touch.till_app import TillApp  # noqa: PLC0415 - needs the window

        self.close()
        self.till = till or StillTill()
        outfit = Outfit(
            shop=SHOPS.get(language, "Corner Coffee"),
            currency=Currency.of(CURRENCIES.get(language, "EUR")),
            preferences=Preferences(language=language, motion="off", **preferences),
            about=About(now=NOW, contact="+34 600 000 000"),
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


def contact_sheet(pictures: list[Image.Image], columns: int = 3) -> Image.Image:
    """All pictures on one page, half size."""
    width, height = (side // 2 for side in pictures[0].size)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + 10) + 10, rows * (height + 10) + 10), "#8A94A6")
    for index, picture in enumerate(pictures):
        place = (10 + index % columns * (width + 10), 10 + index // columns * (height + 10))
        sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), place)
    return sheet


def all_screens(folder: Path) -> None:
    """Each language, and the dark theme in English."""
    studio = Studio(TILL_SIZE)
    skin.motion = False
    for language, theme in (*((each, LIGHT) for each in LANGUAGES), ("en", DARK)):
        skin.theme = theme
        name = language if theme is LIGHT else f"{language}-{theme.name}"
        studio.open(language)
        pictures = []
        for scene in chain(scenes(studio), _around(studio, language)):
            pictures.append(studio.picture())
            pictures[-1].save(folder / f"{name}-{scene}.png", optimize=True)
        contact_sheet(pictures).save(folder / f"sheet-{name}.png", optimize=True)
        print(folder / f"sheet-{name}.png")
    studio.close()


def _around(studio: Studio, language: str) -> Iterator[str]:
    """The places around the sale, in an app of their own."""
    studio.open(language)
    yield from office_scenes(studio)


def bench_picture(studio: Studio, path: Path) -> None:
    """The real till with its simulated reader and acquirer: two sales done, one on its way."""
    with (
        tempfile.TemporaryDirectory() as folder,
        assembled(load_settings(data_dir=Path(folder), reader="sim:", acquirer="sim:")) as parts,
    ):
        reader = parts.open_reader()
        benches = [bench_of(reader), getattr(parts.acquirer, "bench", None)]
        till = Till(replace(parts, open_reader=lambda: reader))
        till.start()
        try:
            studio.open("en", till=till, benches=[each for each in benches if each is not None])
            studio.wait(1.0)
            bench = benches[0]
            assert bench is not None
            for minor, card in ((840, "visa-credit"), (1051, "mastercard-credit")):
                till.charge(Amount(minor, Currency.of("EUR")))
                studio.wait(0.5)
                bench.tap(card)
                studio.wait(1.5)
                studio.touch(Done())
            till.charge(Amount(1250, Currency.of("EUR")))
            studio.wait(1.0)
            _save(studio.picture(), path)
        finally:
            studio.close()
            till.stop()


def readme_pictures(folder: Path) -> None:
    """The bench with a tap going on, and the results in five languages, small enough to keep."""
    skin.motion = False
    studio = Studio(BENCH_SIZE)
    bench_picture(studio, folder / "bench.png")
    studio.window.size = TILL_SIZE
    wanted = {
        "en": ("amount", "present", "approved"),
        "es": ("authorising", "declined"),
        "fr": ("stored",),
        "bg": ("unknown",),
        "fa": ("amount", "approved"),
    }
    pictures = []
    for language, names in wanted.items():
        studio.open(language)
        pictures += [studio.picture() for scene in scenes(studio) if scene in names]
    _save(contact_sheet(pictures), folder / "screens.png")
    studio.close()


def _save(picture: Image.Image, path: Path) -> None:
    """A palette of 256 colours halves the size, and nobody sees it on flat surfaces."""
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1024} KB")


def main() -> None:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readme", action="store_true", help="only the README's pictures")
    options = parser.parse_args()
    atexit.register(shutil.rmtree, os.environ["KIVY_HOME"], ignore_errors=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.readme:
        readme_pictures(options.folder)
    else:
        all_screens(options.folder)


if __name__ == "__main__":
    main()
