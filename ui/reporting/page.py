"""A sheet as one page of PDF: the net figure, the chart of hours, the tables, what waits.

Rules of this file: A4, one page, the typefaces of the till, and the colours of its light theme;
nothing is said that the sheet does not say. What waits stands in amber and says so in words too.
Persian letters are joined and ordered before they are drawn, and the page runs from the right.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terminal.errors import ConfigError
from ui.reporting.sheet import Fact, Sheet, Table
from ui.reporting.speech import plain

try:
    from fpdf import FPDF

    AVAILABLE = True
except ImportError:  # The extra "reports" is not installed.
    AVAILABLE = False

FONTS = Path(__file__).parent.parent / "touch" / "fonts"
MARGIN = 16.0
ROW = 5.2
TABLES_END = 273.0
_MIRRORED = str.maketrans("()[]", ")(][")
WIDTH = 210.0 - 2 * MARGIN
INK, QUIET, LINE = (16, 24, 40), (71, 84, 103), (208, 213, 221)
BRAND, AMBER, AMBER_BACK, PALE = (11, 95, 255), (147, 55, 13), (255, 250, 235), (239, 244, 255)


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float


class _Page:
    """A page, drawn from top to bottom; ``y`` is where the next thing begins."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._pdf: Any = FPDF(format="A4", unit="mm")
        self._pdf.set_auto_page_break(auto=False)
        self._pdf.set_title(f"{sheet.shop}: {sheet.title}")
        self._pdf.set_creator("Taptill")
        self._pdf.add_page()
        names = ("Vazirmatn-UI-{}.ttf",) if sheet.rtl else ("TaptillSans-{}.otf",)
        for style, weight in (("", "Medium"), ("B", "Bold")):
            self._pdf.add_font("till", style, FONTS / names[0].format(weight))
        # A name in another script than the language's own still has to be drawn.
        other = "TaptillSans-Medium.otf" if sheet.rtl else "Vazirmatn-UI-Medium.ttf"
        self._pdf.add_font("other", "", FONTS / other)
        self._pdf.set_fallback_fonts(["other"])
        self.y = MARGIN

    def turn(self) -> None:
        """Goes on on another page, which says what it belongs to."""
        self._pdf.add_page()
        self.y = MARGIN
        head = f"{self._sheet.shop} · {self._sheet.title} · {self._sheet.subtitle}"
        self.text(_Box(MARGIN, self.y, WIDTH), head, 9, colour=QUIET)
        self.y += 9

    def bytes(self) -> bytes:
        """The finished file."""
        return bytes(self._pdf.output())

    def text(
        self,
        box: _Box,
        text: str,
        size: float,
        *,
        bold: bool = False,
        colour: tuple[int, int, int] = INK,
        end: bool = False,
        centred: bool = False,
    ) -> None:
        """One line in a box; ``end`` puts it at the far side in reading order."""
        self._pdf.set_font("till", "B" if bold else "", size)
        self._pdf.set_text_color(*colour)
        right = end is not self._sheet.rtl
        align = "C" if centred else "R" if right else "L"
        shown = shaped(text) if self._sheet.rtl else text
        while shown and self._pdf.get_string_width(shown) > box.width and len(shown) > 1:
            text = text[:-1]
            shown = shaped(f"{text}…") if self._sheet.rtl else f"{text}…"
        self._pdf.set_xy(self._mirrored(box), box.y)
        self._pdf.cell(box.width, size * 0.45, shown, align=align)

    def _mirrored(self, box: _Box) -> float:
        return 210.0 - box.x - box.width if self._sheet.rtl else box.x

    def panel(self, box: _Box, height: float, colour: tuple[int, int, int]) -> None:
        """A filled rounded box."""
        self._pdf.set_fill_color(*colour)
        self._pdf.rect(
            self._mirrored(box),
            box.y,
            box.width,
            height,
            style="F",
            round_corners=True,
            corner_radius=min(2.0, height / 2),
        )

    def rule(self, y: float) -> None:
        """A thin line across."""
        self._pdf.set_draw_color(*LINE)
        self._pdf.set_line_width(0.2)
        self._pdf.line(MARGIN, y, MARGIN + WIDTH, y)


def shaped(text: str) -> str:
    """Arabic letters joined and put in the order in which they are drawn."""
    import arabic_reshaper  # noqa: PLC0415 - only for a right-to-left page
    from bidi import get_display  # noqa: PLC0415 - as above

    shown = plain(str(get_display(arabic_reshaper.reshape(text), base_dir="R")))
    # The ordering leaves brackets as they are, and a bracket in Persian text opens to the left.
    persian = any("\u0600" <= letter <= "\u06ff" for letter in text)
    return shown.translate(_MIRRORED) if persian else shown


def page_of(sheet: Sheet) -> bytes:
    """The sheet as a PDF file.

    Raises:
        ConfigError: the extra for it is not installed.
    """
    if not AVAILABLE:
        raise ConfigError(
            "PDF needs packages that are not installed.",
            remedy="Install the extra: pip install 'taptill[reports]'.",
        )
    page = _Page(sheet)
    _head(page, sheet)
    _figures(page, sheet)
    if sheet.waiting:
        _waiting(page, sheet.waiting)
    if sheet.bars:
        _chart(page, sheet)
    _tables(page, sheet.tables)
    _notes(page, sheet)
    return page.bytes()


def _head(page: _Page, sheet: Sheet) -> None:
    page.text(_Box(MARGIN, page.y, WIDTH), sheet.shop, 11, colour=QUIET)
    page.y += 6
    page.text(_Box(MARGIN, page.y, WIDTH), sheet.title, 22, bold=True)
    page.y += 11
    page.text(_Box(MARGIN, page.y, WIDTH), sheet.subtitle, 11, colour=QUIET)
    page.y += 9
    page.rule(page.y)
    page.y += 6


def _figures(page: _Page, sheet: Sheet) -> None:
    net, *others = sheet.facts
    page.panel(_Box(MARGIN, page.y, 62), 34, PALE)
    page.text(_Box(MARGIN + 5, page.y + 5, 52), net.label, 12, colour=QUIET)
    size = 26.0 if len(net.value) <= 10 else 18.0
    page.text(_Box(MARGIN + 5, page.y + 15, 52), net.value, size, bold=True, colour=BRAND)
    columns, left = 3, MARGIN + 68
    width = (MARGIN + WIDTH - left) / columns
    for index, fact in enumerate(others[:6]):
        x = left + width * (index % columns)
        y = page.y + 2 + 17 * (index // columns)
        label = f"{fact.label} · {fact.note}" if fact.note else fact.label
        page.text(_Box(x, y, width - 3), label, 9, colour=QUIET)
        page.text(_Box(x, y + 5, width - 3), fact.value, 14, bold=True)
    page.y += 40


def _waiting(page: _Page, waiting: tuple[Fact, ...]) -> None:
    height = 4 + 6.5 * len(waiting)
    page.panel(_Box(MARGIN, page.y, WIDTH), height, AMBER_BACK)
    for index, fact in enumerate(waiting):
        y = page.y + 3 + 6.5 * index
        label = f"{fact.label} ({fact.note})"
        page.text(_Box(MARGIN + 5, y, WIDTH - 60), label, 11, bold=True, colour=AMBER)
        page.text(
            _Box(MARGIN + WIDTH - 55, y, 50), fact.value, 11, bold=True, colour=AMBER, end=True
        )
    page.y += height + 5


def _chart(page: _Page, sheet: Sheet) -> None:
    page.text(_Box(MARGIN, page.y, WIDTH), sheet.chart_title, 11, bold=True)
    page.y += 8
    # A chart says as much when it is lower, where that leaves room for every table.
    left = TABLES_END - page.y - 9 - sum(_height(table) for table in sheet.tables)
    height, count = 38.0 if left < 20 else min(38.0, left), len(sheet.bars)
    slot = WIDTH / count
    most = max(1, *(bar.minor for bar in sheet.bars))
    every = max(1, round(count / 16))
    floor = page.y + height
    for index, bar in enumerate(sheet.bars):
        tall = max(0.0, height - 6) * max(0, bar.minor) / most
        x = MARGIN + slot * index
        if tall > 0.2:
            width = min(slot * 0.7, 9.0)
            page.panel(_Box(x + (slot - width) / 2, floor - tall, width), tall, BRAND)
        if index % every == 0:
            page.text(_Box(x, floor + 1, slot), bar.label, 7, colour=QUIET, centred=True)
        if bar.minor == most:
            page.text(
                _Box(x - 12, floor - tall - 4, 24 + slot), bar.value, 7, colour=QUIET, centred=True
            )
    page.rule(floor)
    page.y = floor + 9


def _height(table: Table) -> float:
    """What a table takes of a page, in millimetres."""
    return ROW * (3 if table.across else 1 + len(table.rows)) + 3.6


def _tables(page: _Page, tables: tuple[Table, ...]) -> None:
    for table in tables:
        if page.y + _height(table) > TABLES_END + 3.6:
            page.turn()
        room = 276.0 - page.y
        if table.across:
            _across(page, table)
            continue
        rows = _fitting(table, int((room - 11) // ROW))
        columns = len(table.headings)
        widths = [WIDTH - 29.0 * (columns - 1)] + [29.0] * (columns - 1)
        lines = [(table.headings, True), *((row, False) for row in rows)]
        for cells, head in lines:
            x = MARGIN
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                page.text(
                    _Box(x, page.y, width - 1),
                    cell,
                    8.5 if head else 9.5,
                    bold=head,
                    colour=QUIET if head else INK,
                    end=number > 0,
                )
                x += width
            page.y += ROW
            if head:
                page.rule(page.y - 0.6)
                page.y += 0.6
        page.y += 3


def _across(page: _Page, table: Table) -> None:
    """Names and values beside each other: what takes a row each elsewhere takes three here."""
    page.text(_Box(MARGIN, page.y, WIDTH), table.title, 8.5, bold=True, colour=QUIET)
    page.y += ROW
    page.rule(page.y - 0.6)
    page.y += 0.6
    width = WIDTH / len(table.rows)
    for number, (name, value) in enumerate(table.rows):
        x = MARGIN + number * width
        page.text(_Box(x, page.y, width - 1), name, 8, colour=QUIET)
        page.text(_Box(x, page.y + ROW - 0.6, width - 1), value, 9.5)
    page.y += 2 * ROW + 3


def _fitting(table: Table, room: int) -> tuple[tuple[str, ...], ...]:
    """As many rows as there is room for; what is left out is counted in the last one."""
    if len(table.rows) <= room:
        return table.rows
    left = len(table.rows) - room + 1
    return (*table.rows[: room - 1], (f"+ {left}", *[""] * (len(table.headings) - 1))) * (room > 1)


def _notes(page: _Page, sheet: Sheet) -> None:
    for note in sheet.notes[:4]:
        page.text(_Box(MARGIN, page.y, WIDTH), note, 8.5, colour=QUIET)
        page.y += 5
    page.text(_Box(MARGIN, 282, WIDTH), sheet.footer, 8, colour=QUIET)
