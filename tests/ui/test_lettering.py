"""Right-to-left text: what is drawn is what is meant, and no amount is ever reversed."""

# ruff: noqa: RUF001 - Persian digits look like other characters, and are meant.
from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.money import CURRENCIES, MINOR_MAX, Amount, Currency
from ui.touch.lettering import is_arabic, visual, wrap
from ui.words import LANGUAGES, Words

PERSIAN = Words("fa")
ENGLISH = Words("en")
PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹"


def persian(number: str) -> str:
    return number.translate(str.maketrans("0123456789", PERSIAN_DIGITS))


@given(
    st.integers(0, MINOR_MAX),
    st.sampled_from(sorted(CURRENCIES)),
    st.sampled_from(["{}", "دریافت {}", "{} دوباره", "فروش {} · آفلاین", "Café {} قهوه"]),
)
def test_an_amount_is_never_reversed(minor: int, code: str, around: str) -> None:
    amount = Amount(minor, Currency.of(code))
    number = persian(PERSIAN.number(amount))
    drawn = visual(around.format(PERSIAN.money(amount)), PERSIAN)
    assert number in drawn
    assert len(re.findall(f"[{PERSIAN_DIGITS}]", drawn)) == len(
        re.findall(f"[{PERSIAN_DIGITS}]", number)
    )


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        # The first letter read is the last one drawn.
        ("سلام", "\ufee1\ufefc\ufeb3"),
        # Persian digits run left to right inside right-to-left text.
        ("123 سلام", "\ufee1\ufefc\ufeb3 ۱۲۳"),
        # A reference keeps digits and order, and stands in its place.
        ("سلام \u2068Visa •••• 1234\u2069", "Visa •••• 1234 \ufee1\ufefc\ufeb3"),
        ("سلام \u206848-A17\u2069", "48-A17 \ufee1\ufefc\ufeb3"),
        # Brackets face their contents.
        ("سلام (سلام)", "(\ufee1\ufefc\ufeb3) \ufee1\ufefc\ufeb3"),
        ("(سلام) [1]", "[۱] (\ufee1\ufefc\ufeb3)"),
        ("سلام (Visa) سلام", "\ufee1\ufefc\ufeb3 (Visa) \ufee1\ufefc\ufeb3"),
        # Foreign lines are left alone.
        ("PN532 on /dev/ttyUSB0", "PN532 on /dev/ttyUSB0"),
        ("12", "۱۲"),
        # The joiner shapes letters and is not drawn.
        ("می\u200cشود", visual("شود", Words("fa")) + "\ufbfd\ufee3"),
    ],
)
def test_persian_lines(text: str, drawn: str) -> None:
    assert visual(text, PERSIAN) == drawn


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Charge \u2066€12.50\u2069", "Charge €12.50"),
        ("\u2068Visa •••• 1234\u2069 · 12", "Visa •••• 1234 · 12"),
        ("سلام", "\ufee1\ufefc\ufeb3"),
    ],
)
def test_left_to_right_lines(text: str, drawn: str) -> None:
    assert visual(text, ENGLISH) == drawn


def test_nothing_invisible_is_drawn() -> None:
    text = "\u2066a\u2069\u200e\u200f\u200b\u202aسلام\u202c"
    for words in (PERSIAN, ENGLISH):
        assert not re.search(
            "[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ue000-\uf8ff]", visual(text, words)
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_lines_are_wrapped_in_reading_order(language: str) -> None:
    words = Words(language)
    text = words.say("Do not take another card. The till is checking with the bank")
    lines = wrap(text, 18, len, words)
    assert len(lines) > 2
    assert all(len(line) <= 18 for line in lines)
    first = text.split(" ")[0]
    assert visual(first, words) in lines[0]
    last = text.split(" ")[-1]
    assert visual(last, words) in lines[-1]


def test_an_amount_is_never_broken_over_two_lines() -> None:
    amount = PERSIAN.money(Amount(125_000_000, Currency.of("IRR")))
    for width in range(1, 40):
        lines = wrap(f"این فروش برای {amount} است", width, len, PERSIAN)
        assert sum("۱٬۲۵۰٬۰۰۰" in line for line in lines) == 1
    spaced = "a \u2066CHF 12.50\u2069 b"
    assert wrap(spaced, 4, len, ENGLISH) == ["a", "CHF 12.50", "b"]


def test_line_ends_in_the_text_are_kept() -> None:
    assert wrap("a b\nc", 99, len, ENGLISH) == ["a b", "c"]
    assert wrap("", 99, len, ENGLISH) == [""]


@pytest.mark.parametrize(
    ("text", "arabic"), [("abc", False), ("Я", False), ("۱", True), ("a س", True), ("\ufe8d", True)]
)
def test_which_text_needs_the_persian_font(text: str, *, arabic: bool) -> None:
    assert is_arabic(text) is arabic
