"""Chooses the face for ``taptill run``: a window, the console, or the demo.

Rules of this file: the choice depends on what is here (a display, a terminal), is said in one
line, and can be overruled on the command line. Kivy is imported only behind that choice.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from importlib.util import find_spec
from types import FrameType
from typing import NoReturn
from urllib.parse import quote

import click

from drivers.signals import open_beeper, open_lamps
from terminal.bench import Bench, bench_of
from terminal.errors import ConfigError, ReaderAddressWrong, ReaderError
from terminal.money import Amount
from terminal.ports import Reader
from ui import console as console_face
from ui.backstage import Backstage
from ui.keeping import FILE, Shelf, read_preferences
from ui.presenter.page import About
from ui.presenter.preferences import Preferences
from ui.till import Till
from ui.training import TrainingTill
from ui.wiring import FILE_PRINTER, RECEIPTS, Parts, Settings, assembled


def run(settings: Settings, *, bench: bool | None, console: bool, demo: bool, size: str) -> int:
    """Starts the till behind the face that fits, and returns when it is left."""
    pixels = _pixels(size)
    # The system asks a service to end with SIGTERM, and a terminal that is closed says SIGHUP;
    # both leave the till as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    kind = _kind(console=console, demo=demo)
    with assembled(_with_paper_tray(settings)) as parts:
        # The reader is opened here once, to see whether it has a bench; the till's thread owns it.
        reader = _reader(parts)
        benches = [] if bench is False else _benches(reader, parts)
        till = Till(_with_first(parts, reader))
        till.start()
        try:
            return _show(kind, till, benches, parts, pixels)
        except KeyboardInterrupt:
            # Ctrl-C is how a till on a desk is left; the payment in hand ends as cancelled.
            return 0
        finally:
            till.stop()


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt


def _kind(*, console: bool, demo: bool) -> str:
    if demo:
        return "demo"
    if console:
        return "console"
    if has_display() and find_spec("kivy") is not None:
        return "window"
    if sys.stdin.isatty():
        click.echo("There is no display here, so the till runs in this terminal.")
        return "console"
    click.echo("There is neither a display nor a terminal here: playing one demo sale set.")
    return "demo"


def has_display() -> bool:
    """Whether a window can be opened: a desktop, or a screen that SDL is told to use."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    return any(os.environ.get(name) for name in names)


def _pixels(size: str) -> tuple[int, int] | None:
    """``800x480`` as numbers; nothing for the face's own choice."""
    if not size:
        return None
    width, cross, height = size.lower().partition("x")
    if not cross or not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"--size {size!r} is not a size.", remedy="Write it like 800x480.")
    return int(width), int(height)


def _reader(parts: Parts) -> Reader | None:
    """The reader, or none yet: the till says so, and looks again at each sale.

    Raises:
        ReaderAddressWrong: no reader can ever be there.
    """
    try:
        return parts.open_reader()
    except ReaderAddressWrong:
        raise
    except ReaderError:
        return None


def _with_paper_tray(settings: Settings) -> Settings:
    """A simulated till prints on a simulated printer, whose paper can run out."""
    till = settings.config.till
    if till.printer != FILE_PRINTER or till.reader.partition(":")[0] != "sim":
        return settings
    folder = quote(str(settings.data_dir / RECEIPTS))
    config = replace(settings.config, till=replace(till, printer=f"sim:?dir={folder}"))
    return replace(settings, config=config)


def _benches(reader: Reader | None, parts: Parts) -> list[Bench]:
    """The benches of whatever is simulated here; none where the reader and acquirer are real."""
    found = [
        bench_of(reader) if reader else None,
        getattr(parts.acquirer, "bench", None),
        getattr(parts.printer, "bench", None),
    ]
    return [bench for bench in found if isinstance(bench, Bench)]


def _with_first(parts: Parts, reader: Reader | None) -> Parts:
    """The same parts, whose first opened reader is this one."""
    first = [reader] if reader else []

    def open_reader() -> Reader:
        return first.pop() if first else parts.open_reader()

    return replace(parts, open_reader=open_reader)


def _show(
    kind: str,
    till: Till,
    benches: list[Bench],
    parts: Parts,
    size: tuple[int, int] | None,
) -> int:
    config = parts.settings.config
    shop, currency, language = config.shop.name, config.till.currency, config.shop.language
    if kind == "demo":
        return console_face.demo(till, benches, currency=currency, language=language)
    if kind == "console":
        return console_face.run(till, benches, shop=shop, currency=currency, language=language)
    from ui.touch import app  # noqa: PLC0415 - the only way to Kivy, taken only for a window
    from ui.touch.outfit import Outfit  # noqa: PLC0415 - the same
    from ui.touch.signals import Signals  # noqa: PLC0415 - the same

    backstage = Backstage()
    folder = parts.settings.data_dir
    limit = Amount(parts.rules.offline.total_minor, currency)
    lamps = open_lamps(config.till.lights) if config.till.lights else None
    beeper = open_beeper(config.till.beeper) if config.till.beeper else None
    outfit = Outfit(
        shop=shop,
        currency=currency,
        preferences=read_preferences(folder, Preferences(language=language)),
        simulated=not parts.acquirer.production,
        about=About(
            zone=parts.settings.zone,
            contact=config.shop.contact,
            coin_minor=parts.rules.cash_coin_minor,
            transfers=bool(config.transfer.iban or config.transfer.account),
        ),
        clock=parts.clock.now,
        signals=Signals(backstage, lamps, beeper),
        keeping=Shelf(folder, backstage),
        training=TrainingTill(parts.clock.now, limit),
        first_run=not benches and not (folder / FILE).exists(),
    )
    try:
        app.run(till, benches, outfit, size=size)
    finally:
        backstage.close()
    return 0
