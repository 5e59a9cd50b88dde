"""Whatever can be said can be drawn: each character has a glyph in the font that sets it."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import pytest

from terminal.money import CURRENCIES, Amount
from tests.ui.test_words import messages
from ui.touch.lettering import is_arabic, visual
from ui.words import BULLETS, LANGUAGES, Words

FONTS = Path(__file__).resolve().parents[2] / "ui" / "touch" / "fonts"


def _tables(data: bytes) -> dict[bytes, int]:
    (count,) = struct.unpack_from(">H", data, 4)
    rows = (struct.unpack_from(">4sLLL", data, 12 + 16 * index) for index in range(count))
    return {tag: offset for tag, _, offset, _ in rows}


@cache
def characters(path: Path) -> frozenset[int]:
    """The characters in a font's Unicode map (OpenType ``cmap``, formats 4 and 12)."""
    data = path.read_bytes()
    start = _tables(data)[b"cmap"]
    (count,) = struct.unpack_from(">H", data, start + 2)
    found: set[int] = set()
    for index in range(count):
        _, _, offset = struct.unpack_from(">HHL", data, start + 4 + 8 * index)
        at = start + offset
        (kind,) = struct.unpack_from(">H", data, at)
        if kind == 4:
            (double,) = struct.unpack_from(">H", data, at + 6)
            ends = struct.unpack_from(f">{double // 2}H", data, at + 14)
            starts = struct.unpack_from(f">{double // 2}H", data, at + 16 + double)
            for first, last in zip(starts, ends, strict=True):
                found.update(range(first, last + 1))
        elif kind == 12:
            (groups,) = struct.unpack_from(">L", data, at + 12)
            for group in range(groups):
                first, last, _ = struct.unpack_from(">LLL", data, at + 16 + 12 * group)
                found.update(range(first, last + 1))
    return frozenset(found)


def fonts_for(drawn: str) -> list[Path]:
    pattern = "Vazirmatn-UI-*.ttf" if is_arabic(drawn) else "TaptillSans-*.otf"
    return sorted(FONTS.glob(pattern))


def missing(drawn: str) -> set[str]:
    return {
        f"{path.name}: U+{ord(letter):04X}"
        for path in fonts_for(drawn)
        for letter in drawn
        if ord(letter) not in characters(path)
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_can_be_drawn(language: str) -> None:
    words = Words(language)
    for message in messages():
        assert not missing(visual(words.say(message), words)), message


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_amount_can_be_drawn(language: str) -> None:
    words = Words(language)
    for currency in CURRENCIES.values():
        drawn = visual(words.money(Amount(1_234_567_890, currency)), words)
        assert not missing(drawn), currency


@pytest.mark.parametrize("text", [f"Visa {BULLETS} 1234 · Ñandú", "Кафе „Пример“", "کافه نمونه"])
def test_shop_names_can_be_drawn(text: str) -> None:
    for language in LANGUAGES:
        assert not missing(visual(text, Words(language)))


def test_the_check_can_fail() -> None:
    assert missing("\u4e2d")


def _advances(path: Path, letters: str) -> set[int]:
    """Widths of glyphs by way of ``cmap`` format 4 and ``hmtx``."""
    data = path.read_bytes()
    tables = _tables(data)
    (metrics,) = struct.unpack_from(">H", data, tables[b"hhea"] + 34)
    start = tables[b"cmap"]
    (count,) = struct.unpack_from(">H", data, start + 2)
    widths: set[int] = set()
    for index in range(count):
        _, _, offset = struct.unpack_from(">HHL", data, start + 4 + 8 * index)
        at = start + offset
        if struct.unpack_from(">H", data, at)[0] != 4:
            continue
        (double,) = struct.unpack_from(">H", data, at + 6)
        ends = struct.unpack_from(f">{double // 2}H", data, at + 14)
        for letter in map(ord, letters):
            segment = next(i for i, last in enumerate(ends) if letter <= last)
            (first,) = struct.unpack_from(">H", data, at + 16 + double + 2 * segment)
            (delta,) = struct.unpack_from(">H", data, at + 16 + 2 * double + 2 * segment)
            place = at + 16 + 3 * double + 2 * segment
            (jump,) = struct.unpack_from(">H", data, place)
            glyph = letter + delta
            if jump:
                (glyph,) = struct.unpack_from(">H", data, place + jump + 2 * (letter - first))
            row = min(glyph & 0xFFFF, metrics - 1)
            widths.add(struct.unpack_from(">H", data, tables[b"hmtx"] + 4 * row)[0])
    return widths


@pytest.mark.parametrize("path", sorted(FONTS.glob("*.?tf")), ids=lambda path: path.name)
def test_latin_digits_are_equally_wide(path: Path) -> None:
    widths = _advances(path, "0123456789")
    (units,) = struct.unpack_from(">H", path.read_bytes(), _tables(path.read_bytes())[b"head"] + 18)
    assert max(widths) - min(widths) <= units / 400


def test_each_family_comes_with_its_licence() -> None:
    for name in ("Inter", "Vazirmatn"):
        text = (FONTS / f"OFL-{name}.txt").read_text()
        assert "SIL OPEN FONT LICENSE" in text
        assert name in text.splitlines()[0]
