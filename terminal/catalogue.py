"""A small catalogue: items with prices and tax, read from CSV, found by name or barcode.

Rules of this file: pure. A file with broken lines is refused whole, and each fault is named by
line and column, so that one look mends them all. Prices include their tax.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from terminal.errors import AmountError, CatalogueError
from terminal.money import Amount, Currency
from terminal.terms import RATE_MAX_BP, Part, tax_in

COLUMNS = ("name", "price", "group", "tax", "barcode", "key")
FAULTS_MAX = 50


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is sold. ``key`` is its place among the quick keys, 0 for none."""

    name: str
    price: Amount
    group: str = ""
    rate_bp: int = 0
    barcode: str = ""
    key: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """So many of an item. ``discount_bp`` is taken off, in basis points; negative adds."""

    item: Item
    count: int = 1
    discount_bp: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 9999 or not -10_000 <= self.discount_bp <= 10_000:
            raise AmountError("A line has 1 to 9999 items and at most 100 % off.")

    @property
    def gross_minor(self) -> int:
        """What the line costs; the discount is rounded half up, in the customer's favour."""
        full = self.item.price.minor * self.count
        return full - (2 * full * self.discount_bp + 10_000) // 20_000

    @property
    def text(self) -> str:
        """The line as a bill names it: ``2 x Tea``."""
        return self.item.name if self.count == 1 else f"{self.count} x {self.item.name}"

    @property
    def part(self) -> Part:
        """What the line adds to a payment."""
        item = self.item
        gross = self.gross_minor
        return Part(item.group, item.rate_bp, gross, tax_in(gross, item.rate_bp))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All items of a shop."""

    items: tuple[Item, ...] = ()

    def by_barcode(self, barcode: str) -> Item | None:
        """The item with this barcode, as a scanner types it."""
        wanted = barcode.strip()
        return next((item for item in self.items if wanted and item.barcode == wanted), None)

    def named(self, text: str) -> Item | None:
        """The item with this barcode or name; capitals do not matter."""
        wanted = text.strip().casefold()
        by_name = (item for item in self.items if item.name.casefold() == wanted)
        return self.by_barcode(text) or next(by_name, None)

    @property
    def quick(self) -> tuple[Item, ...]:
        """The items with a quick key, in the order of their keys."""
        return tuple(sorted((i for i in self.items if i.key), key=lambda item: item.key))


def read_catalogue(text: str, currency: Currency, source: str = "The catalogue") -> Catalogue:
    """Reads CSV with a heading: ``name,price,group,tax,barcode,key``; the first two are needed.

    Raises:
        CatalogueError: with every fault by line and column; nothing was taken in.
    """
    plain = text.removeprefix("\ufeff")
    # Where a comma stands before the cents, spreadsheets put semicolons between the columns.
    first = plain.partition("\n")[0]
    between = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(plain), strict=True, delimiter=between)
    items: list[tuple[int, Item]] = []
    heading: list[str] = []
    faults: list[str] = []
    try:
        heading = [name.strip().lower() for name in next(reader, [])]
        faults += _heading_faults(heading)
        for cells in [] if faults else reader:
            if any(cell.strip() for cell in cells):
                made = _item(heading, cells, reader.line_num, currency)
                if isinstance(made, Item):
                    items.append((reader.line_num, made))
                else:
                    faults += made
    except csv.Error as broken:
        faults.append(f"line {reader.line_num}: {broken}")
    faults += _twice(heading, items)
    if faults:
        more = f" (and {len(faults) - FAULTS_MAX} more)" if len(faults) > FAULTS_MAX else ""
        raise CatalogueError(
            f"{source} has {len(faults)} faults: {'; '.join(faults[:FAULTS_MAX])}{more}.",
            tuple(faults),
            remedy="Mend these lines and take it in again; nothing was changed.",
        )
    return Catalogue(tuple(item for _, item in items))


def _heading_faults(heading: Sequence[str]) -> Iterator[str]:
    for name in ("name", "price"):
        if name not in heading:
            yield f"line 1: there is no column {name!r}"
    for number, name in enumerate(heading, start=1):
        if name not in COLUMNS:
            yield f"line 1, column {number}: {name!r} is none of {', '.join(COLUMNS)}"
        elif heading.index(name) != number - 1:
            yield f"line 1, column {number}: {name!r} is there twice"


def _item(
    heading: Sequence[str], cells: Sequence[str], line: int, currency: Currency
) -> Item | list[str]:
    if len(cells) != len(heading):
        return [f"line {line}: {len(cells)} columns, and the heading has {len(heading)}"]
    values = {name: cell.strip() for name, cell in zip(heading, cells, strict=True)}
    faults: list[str] = []

    def at(name: str, why: str) -> None:
        faults.append(f"line {line}, column {heading.index(name) + 1} ({name}): {why}")

    price = Amount(0, currency)
    try:
        price = Amount.parse(values["price"], currency)
    except AmountError as wrong:
        at("price", wrong.message.rstrip("."))
    if not 0 < len(values["name"]) <= 60 or not values["name"].isprintable():
        at("name", "a name has 1 to 60 letters")
    rate_bp = rate_bp_of(values.get("tax", ""))
    if rate_bp is None:
        at("tax", f"{values['tax']!r} is no percentage from 0 to 100, like 21 or 5.5")
    group = values.get("group", "")
    if len(group) > 40 or not group.isprintable():
        at("group", "a group has at most 40 letters")
    key = values.get("key", "") or "0"
    if not (key.isascii() and key.isdigit() and int(key) <= 99):
        at("key", f"{key!r} is no key from 1 to 99")
    barcode = values.get("barcode", "")
    if barcode and not (barcode.isascii() and barcode.isalnum() and len(barcode) <= 48):
        at("barcode", f"{barcode!r} is no barcode")
    if faults:
        return faults
    return Item(values["name"], price, group, rate_bp or 0, barcode, int(key))


def rate_bp_of(text: str) -> int | None:
    """A percentage, like 21 or 5.5, in basis points; None where it is none."""
    whole, _, part = (text.removesuffix("%").strip() or "0").partition(".")
    if not (whole.isascii() and whole.isdigit() and len(part) <= 2):
        return None
    if part and not (part.isascii() and part.isdigit()):
        return None
    rate = int(whole) * 100 + int(part.ljust(2, "0"))
    return rate if rate <= RATE_MAX_BP else None


def _twice(heading: Sequence[str], items: Sequence[tuple[int, Item]]) -> Iterator[str]:
    for name in ("barcode", "key"):
        seen: dict[object, tuple[int, Item]] = {}
        for line, item in items:
            value = getattr(item, name)
            if value and value in seen:
                before, other = seen[value]
                place = f"line {line}, column {heading.index(name) + 1} ({name})"
                yield f"{place}: {value} belongs to {other.name!r} of line {before} already"
            seen.setdefault(value, (line, item))
