"""``sim:`` printers: paper that is a folder, and a paper tray that can be empty.

``sim:?dir=FOLDER`` prints each receipt as a text file there. While the folder has a file called
``OUT-OF-PAPER``, nothing is printed, as with a real printer that has run out; ``set_paper`` makes
and removes it, from any process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from terminal.errors import PrinterError
from terminal.ports import PrintLine
from terminal.receipt import columns

WIDTH = 42
_EMPTY = "OUT-OF-PAPER"


class SimulatedPrinter:
    """A ``terminal.ports.Printer`` on a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise PrinterError(f"The folder {folder} cannot be made ({cause.strerror}).") from cause

    def print(self, title: str, lines: Sequence[PrintLine]) -> str:
        """See ``terminal.ports.Printer``."""
        if (self._folder / _EMPTY).exists():
            raise PrinterError("The simulated printer is out of paper.", remedy="Put paper in.")
        path = self._folder / f"{title}.txt"
        try:
            path.write_text(columns(tuple(lines), WIDTH), encoding="utf-8")
        except OSError as cause:
            raise PrinterError(
                f"The receipt {path} cannot be written ({cause.strerror}).",
                remedy="Free some room, then print it again.",
            ) from cause
        return str(path)


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
