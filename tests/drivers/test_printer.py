"""Receipts come out whole, or the failure has a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.registry import open_printer
from terminal.errors import PrinterError
from terminal.ports import Emphasis, PrintLine

LINES = (
    PrintLine("Shop", centred=True, emphasis=Emphasis.STRONG),
    PrintLine("TOTAL", "EUR 12.50", emphasis=Emphasis.LARGE),
    PrintLine("A reference that is long", "and a value that is long as well"),
)


def test_a_receipt_is_a_text_file_that_a_person_can_read(tmp_path: Path) -> None:
    printer = open_printer(f"file:{tmp_path}/receipts?width=32")
    path = Path(printer.print("TAP-000001", LINES))
    assert path.read_text() == (
        "              Shop\n"
        "TOTAL                  EUR 12.50\n"
        "A reference that is long\n"
        "and a value that is long as well\n"
    )


def test_escpos_bytes_reach_the_device(tmp_path: Path) -> None:
    device = tmp_path / "lp0"
    device.touch()
    open_printer(f"escpos:dev:{device}").print("TAP-000001", LINES)
    paper = device.read_bytes()
    assert b"TOTAL" in paper
    assert b"EUR 12.50" in paper
    assert b"\x1dV" in paper  # GS V, the cut


@pytest.mark.parametrize(
    "url",
    ["file:", "file:x?width=9", "escpos:usb:zz", "escpos:fax:1", "escpos:tcp:host:x", "laser:1"],
)
def test_a_malformed_address_is_refused(url: str) -> None:
    with pytest.raises(PrinterError):
        open_printer(url)


def test_a_printer_that_is_away_is_a_named_failure(tmp_path: Path) -> None:
    printer = open_printer(f"escpos:dev:{tmp_path}/absent/lp0")
    with pytest.raises(PrinterError, match="did not print TAP-000001"):
        printer.print("TAP-000001", LINES)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.touch()
    with pytest.raises(PrinterError, match="cannot be made"):
        open_printer(f"file:{blocker}/receipts")


def test_a_usb_printer_that_is_not_there_fails_by_name() -> None:
    printer = open_printer("escpos:usb:dead:beef")
    with pytest.raises(PrinterError, match="did not print TAP-000001"):
        printer.print("TAP-000001", LINES)


def test_a_usb_printer_without_pyusb_is_refused_before_the_first_sale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("drivers.printer.find_spec", lambda _: None)
    with pytest.raises(PrinterError, match="pyusb is not installed"):
        open_printer("escpos:usb:04b8:0e15")
