"""Paper in every language, and a printer that gives up in the middle."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from escpos.exceptions import Error
from escpos.printer import Dummy

from drivers.printer import EscposPrinter, FilePrinter
from drivers.raster import drawn, needs_drawing
from terminal.errors import PrinterError
from terminal.ports import Emphasis, PrintLine
from terminal.receipt import Receipt, Shop
from terminal.transaction import State
from tests.day.conftest import DayShop
from ui.reporting.receipts import receipt_lines
from ui.words import LANGUAGES

SHOP = Shop("Café Ñandú", ("Calle Mayor 1",), "hola@example.com", "14 days, with this receipt.")


def printer_on(device: Any, width: int = 42) -> EscposPrinter:
    return EscposPrinter(lambda: device, "test", failures=(Error, OSError), width=width)


@pytest.fixture(scope="module")
def receipt(lasting_shop: DayShop) -> Receipt:
    now = lasting_shop.parts.clock.now()
    return Receipt(SHOP, lasting_shop.sell("12.00"), "TAPTILL1", "M", now)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [42, 32])
def test_a_receipt_on_paper_in_each_language(receipt: Receipt, language: str, width: int) -> None:
    lines = receipt_lines(receipt, UTC, language)
    told = {line.left for line in lines}
    assert SHOP.return_policy in told
    if language != "en":
        assert not told & {"APPROVED", "Money was taken.", "Approval code"}
    device = Dummy()
    printer_on(device, width).print("r", lines)
    assert len(device.output) > 300
    # What no code page has is a picture (GS v 0), and never a question mark.
    assert (b"\x1dv0" in device.output) is (language == "fa")


def test_a_persian_line_is_as_wide_as_the_paper() -> None:
    line = PrintLine("جمع", "EUR 13.50", emphasis=Emphasis.LARGE)
    assert needs_drawing(line)
    assert not needs_drawing(PrintLine("ОБЩО", "EUR 13.50"))
    assert drawn(line, 32).width == 32 * 12


class OutOfPaper(Dummy):  # type: ignore[misc]  # escpos has no types
    """Prints some lines, and then there is no paper."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 5

    def text(self, txt: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "unplugged")
        super().text(txt)


def test_a_printer_that_gives_up_leaves_the_sale_and_the_receipt(
    lasting_shop: DayShop, receipt: Receipt, tmp_path: Path
) -> None:
    lines = receipt_lines(receipt, UTC, "en")
    with pytest.raises(PrinterError, match="did not print") as failed:
        printer_on(OutOfPaper()).print("r", lines)
    assert "print the receipt again" in failed.value.remedy
    assert lasting_shop.now(receipt.transaction).state is State.APPROVED
    # The job is the receipt of a recorded sale: it can be made again, here into a file.
    path = Path(FilePrinter(tmp_path).print("r", lines))
    assert "APPROVED" in path.read_text(encoding="utf-8")
