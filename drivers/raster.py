"""Lines of paper as pictures, for scripts that a receipt printer has no code page for.

Rules of this file: only what the printer cannot write is drawn: Arabic letters (Persian), which
have to be joined and ordered as well. The typeface is the one that the touchscreen ships.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from terminal.ports import Emphasis, PrintLine

FONTS = Path(__file__).parent.parent / "ui" / "touch" / "fonts"
DOTS_A_COLUMN = 12
"""Dots of one column: font A of ESC/POS printers is 12 dots wide."""


def needs_drawing(line: PrintLine) -> bool:
    """Whether a line has letters that no code page of a receipt printer has."""
    return any("\u0600" <= letter <= "\u06ff" for letter in f"{line.left}{line.right}")


def drawn(line: PrintLine, width: int) -> Any:
    """The line as a black and white picture, ``width`` columns wide.

    Raises:
        ImportError: Pillow or the packages for Persian are not installed.
    """
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - only where a line needs it

    size = 32 if line.emphasis is Emphasis.LARGE else 24
    weight = "Medium" if line.emphasis is Emphasis.PLAIN else "Bold"
    path = str(FONTS / f"Vazirmatn-UI-{weight}.ttf")
    # The text is joined and ordered already; Pillow, where it can, would order it once more.
    font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    picture = Image.new("1", (width * DOTS_A_COLUMN, size * 3 // 2), 1)
    brush = ImageDraw.Draw(picture)
    left, right = _shaped(line.left), _shaped(line.right)
    span = picture.width
    if line.centred:
        brush.text(((span - brush.textlength(left, font=font)) / 2, 0), left, font=font, fill=0)
    else:
        # A Persian line runs from the right: what is first stands there.
        brush.text((span - brush.textlength(left, font=font), 0), left, font=font, fill=0)
        brush.text((0, 0), right, font=font, fill=0)
    return picture


def _shaped(text: str) -> str:
    if not any("\u0600" <= letter <= "\u06ff" for letter in text):
        return text
    import arabic_reshaper  # noqa: PLC0415 - as above
    from bidi import get_display  # noqa: PLC0415 - as above

    return str(get_display(arabic_reshaper.reshape(text), base_dir="R"))
