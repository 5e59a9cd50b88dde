"""Printers: a folder of text files, and ESC/POS paper through python-escpos.

Rules of this file: a receipt reaches the disk or the paper whole or the job fails with a name;
the caller keeps the receipt and can print it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from drivers.raster import drawn, needs_drawing
from terminal.errors import PrinterError
from terminal.ports import Emphasis, Printer, PrintLine
from terminal.receipt import columns

WIDTH_80MM = 42
_FORMS = "Use escpos:usb:VVVV:PPPP, escpos:tcp:HOST:PORT or escpos:dev:PATH."


class FilePrinter:
    """Writes each receipt as a text file into a folder: ``file:receipts/``."""

    def __init__(self, folder: Path, width: int = WIDTH_80MM) -> None:
        self._folder = folder
        self._width = width
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise PrinterError(
                f"The receipt folder {folder} cannot be made ({cause.strerror}).",
                remedy="Name another folder in [till] printer, like file:receipts/.",
            ) from cause

    def print(self, title: str, lines: Sequence[PrintLine]) -> str:
        """Writes ``title``.txt; a second print of the same receipt replaces the first."""
        path = self._folder / f"{title}.txt"
        partial = path.with_suffix(".part")
        try:
            partial.write_text(columns(tuple(lines), self._width), encoding="utf-8")
            partial.replace(path)
        except OSError as cause:
            raise PrinterError(
                f"The receipt {path} cannot be written ({cause.strerror}).",
                remedy="Free some room, then print it again.",
            ) from cause
        return str(path)


class EscposPrinter:
    """Prints on paper: ``escpos:usb:04b8:0e15``, ``escpos:tcp:host:9100``, ``escpos:dev:PATH``."""

    def __init__(
        self,
        connect: Callable[[], Any],
        name: str,
        *,
        failures: tuple[type[Exception], ...],
        width: int = WIDTH_80MM,
    ) -> None:
        self._connect = connect
        self._failures = failures
        self._name = name
        self._width = width

    def print(self, title: str, lines: Sequence[PrintLine]) -> str:
        """Prints and cuts. The device is opened for each job, so a printer may come and go."""
        try:
            device = self._connect()
            for line in lines:
                strong = line.emphasis is not Emphasis.PLAIN
                large = line.emphasis is Emphasis.LARGE
                device.set(bold=strong, double_height=large, align="left")
                if needs_drawing(line):
                    device.image(drawn(line, self._width))
                else:
                    device.text(columns((line,), self._width))
            device.set(bold=False, double_height=False, align="left")
            device.cut()
            device.close()
        except self._failures as cause:
            raise PrinterError(
                f"The printer {self._name} did not print {title} ({type(cause).__name__}).",
                remedy="Check paper, cable and power, then print the receipt again.",
            ) from cause
        return self._name


def _width_of(query: str) -> int:
    text = parse_qs(query).get("width", [str(WIDTH_80MM)])[0]
    if not text.isdecimal() or not 24 <= int(text) <= 64:
        raise PrinterError(
            f"Printer width {text!r} is outside 24 to 64 columns.",
            remedy="Most 80 mm paper takes width=42, most 58 mm paper width=32.",
        )
    return int(text)


def open_file(url: str) -> Printer:
    """Opens ``file:FOLDER`` or ``file:FOLDER?width=32``.

    Raises:
        PrinterError: no folder is named, or it cannot be made.
    """
    folder, _, query = url.removeprefix("file:").partition("?")
    if not folder:
        raise PrinterError(
            "The printer address file: names no folder.", remedy="Write file:receipts/."
        )
    return FilePrinter(Path(folder), _width_of(query))


def open_escpos(url: str) -> Printer:
    """Opens ``escpos:usb:VVVV:PPPP``, ``escpos:tcp:HOST:PORT`` or ``escpos:dev:PATH``.

    Raises:
        PrinterError: the address is malformed. A printer that is away fails at the first job.
    """
    # The extra may be absent, and then only this scheme is.
    from escpos import exceptions, printer  # noqa: PLC0415 - see above

    # Most of pyusb's errors are OSErrors; without its library on this system it raises ValueError.
    failures = (exceptions.Error, OSError, ValueError)

    address, _, query = url.removeprefix("escpos:").partition("?")
    kind, _, rest = address.partition(":")
    width = _width_of(query)
    try:
        if kind == "usb":
            vendor, product = (int(part, 16) for part in rest.split(":"))
            if find_spec("usb") is None:
                # The driver itself would notice only when the first receipt is due.
                raise PrinterError(
                    f"The printer {rest} is on USB, and the package pyusb is not installed.",
                    remedy="Install the extra printer, or use escpos:dev:/dev/usb/lp0.",
                )
            return EscposPrinter(
                lambda: printer.Usb(vendor, product), rest, failures=failures, width=width
            )
        if kind == "tcp":
            host, _, port = rest.rpartition(":")
            number = int(port)
            return EscposPrinter(
                lambda: printer.Network(host, number, timeout=5),
                rest,
                failures=failures,
                width=width,
            )
    except ValueError as cause:
        raise PrinterError(f"The printer address {url!r} is malformed.", remedy=_FORMS) from cause
    if kind == "dev" and rest:
        return EscposPrinter(lambda: printer.File(rest), rest, failures=failures, width=width)
    raise PrinterError(
        f"The printer address {url!r} is malformed.",
        remedy=_FORMS,
    )
