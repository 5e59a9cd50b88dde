"""``sim:`` printers: paper that is a folder, and a paper tray that can be empty.

``sim:?dir=FOLDER`` prints each receipt as a text file there. While the folder has a file called
``OUT-OF-PAPER``, nothing is printed, as with a real printer that has run out; ``set_paper`` makes
and removes it, from any process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from terminal.bench import ILL, WELL, BenchCard, BenchSwitch
from terminal.errors import PrinterError, ReaderNotFound
from terminal.ports import PrintLine
from terminal.receipt import columns

WIDTH = 42
_EMPTY = "OUT-OF-PAPER"
_PAPER = "paper"
_LINES = 12


class SimulatedPrinter:
    """A ``terminal.ports.Printer`` on a folder, with a bench: its paper tray."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.bench = PaperTray(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise PrinterError(f"The folder {folder} cannot be made ({cause.strerror}).") from cause

    def print(self, title: str, lines: Sequence[PrintLine]) -> str:
        """See ``terminal.ports.Printer``."""
        if (self._folder / _EMPTY).exists():
            self.bench.note(f"{ILL} {title}: no paper")
            raise PrinterError("The simulated printer is out of paper.", remedy="Put paper in.")
        path = self._folder / f"{title}.txt"
        try:
            path.write_text(columns(tuple(lines), WIDTH), encoding="utf-8")
        except OSError as cause:
            raise PrinterError(
                f"The receipt {path} cannot be written ({cause.strerror}).",
                remedy="Free some room, then print it again.",
            ) from cause
        self.bench.note(f"{WELL} {title}")
        return str(path)


class PaperTray:
    """A ``terminal.bench.Bench`` with the one switch that a printer has."""

    title = "What the printer says"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: deque[str] = deque(maxlen=_LINES)

    def note(self, line: str) -> None:
        """Adds a line to the log."""
        self._lines.append(line)

    def cards(self) -> tuple[BenchCard, ...]:
        """None: cards are the reader's."""
        return ()

    def tap(self, card_id: str) -> None:
        """There is nothing to tap here."""
        raise ReaderNotFound(f"The printer has no card {card_id!r}.")

    def remove(self) -> None:
        """There is nothing to take away here."""

    def switches(self) -> tuple[BenchSwitch, ...]:
        """See ``terminal.bench.Bench``."""
        return (BenchSwitch(_PAPER, "Printer out of paper", (self._folder / _EMPTY).exists()),)

    def set_switch(self, switch_id: str, on: bool) -> None:  # noqa: FBT001 - as in the protocol
        """See ``terminal.bench.Bench``."""
        self.step(switch_id)
        set_paper(self._folder, loaded=not on)

    def step(self, switch_id: str) -> None:
        """See ``terminal.bench.Bench``; there is nothing to choose."""
        if switch_id != _PAPER:
            raise ReaderNotFound(f"The printer has no switch {switch_id!r}.")

    def log(self) -> tuple[str, ...]:
        """See ``terminal.bench.Bench``."""
        return tuple(self._lines)


def open_printer(url: str) -> SimulatedPrinter:
    """Opens ``sim:?dir=FOLDER``.

    Raises:
        PrinterError: the address is malformed, or the folder cannot be made.
    """
    options = dict(parse_qsl(url.partition("?")[2]))
    if set(options) != {"dir"} or url.partition("?")[0] != "sim:":
        raise PrinterError(
            f"The printer address {url!r} is malformed.", remedy="Write sim:?dir=FOLDER."
        )
    return SimulatedPrinter(Path(options["dir"]))


def set_paper(folder: Path, *, loaded: bool) -> None:
    """Puts paper into the printer of a folder, or takes it out."""
    if loaded:
        (folder / _EMPTY).unlink(missing_ok=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _EMPTY).touch()


def printed(folder: Path) -> list[str]:
    """The receipts that were printed, in the order of their titles."""
    return [path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))]
