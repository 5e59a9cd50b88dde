"""A table fits any width: in columns, or else as named values; no letter is lost."""

from __future__ import annotations

import random

import pytest

from terminal.listing import fields, table, wide

HEADINGS = {"number": "Sale", "amount": "Amount", "note": "Note", "why": "Why"}
ROWS = [
    {"number": 7, "amount": "12.50", "note": None, "why": "host.example:5000 did not answer."},
    {"number": 12, "amount": "4.20", "note": "", "why": "The acquirer cannot be reached."},
]


def test_columns_with_numbers_to_the_right_and_no_empty_column() -> None:
    assert table(HEADINGS, ROWS, 80) == [
        "Sale  Amount  Why",
        "----  ------  ---------------------------------",
        "   7   12.50  host.example:5000 did not answer.",
        "  12    4.20  The acquirer cannot be reached.",
    ]


def test_a_long_text_is_broken_between_words() -> None:
    assert table(HEADINGS, ROWS, 41) == [
        "Sale  Amount  Why",
        "----  ------  ---------------------------",
        "   7   12.50  host.example:5000 did not",
        "              answer.",
        "  12    4.20  The acquirer cannot be",
        "              reached.",
    ]


def test_what_does_not_fit_is_a_block_for_each_row() -> None:
    assert table(HEADINGS, ROWS, 30) == [
        "Sale    7",
        "Amount  12.50",
        "Why     host.example:5000 did",
        "        not answer.",
        "",
        "Sale    12",
        "Amount  4.20",
        "Why     The acquirer cannot be",
        "        reached.",
    ]


def test_fields_go_on_under_their_beginning() -> None:
    values = {"Card": "Visa", "Reason": "It is away and will be back.", "None": None}
    assert fields(values, 24) == [
        "Card    Visa",
        "Reason  It is away and",
        "        will be back.",
        "None",
    ]
    assert fields({}, 24) == []


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("é", 1), ("e\u0301", 1), ("日本", 4), ("می\u200cشود", 5)]
)
def test_how_wide_a_text_is(text: str, columns: int) -> None:
    assert wide(text) == columns


@pytest.mark.parametrize("seed", random.Random(5).sample(range(10**6), 30))
def test_every_word_is_there_and_no_line_is_too_wide(seed: int) -> None:
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdef", k=chance.randint(1, 8))) for _ in range(60)]
    rows = [
        {key: " ".join(chance.choices(words, k=chance.randint(1, 9))) for key in HEADINGS}
        for _ in range(5)
    ]
    width = chance.randint(24, 120)
    lines = table(HEADINGS, rows, width)
    assert max(map(len, lines)) <= width, seed
    shown = sorted(" ".join(lines).split())
    for row in rows:
        for value in row.values():
            for word in value.split():
                assert word in shown, seed
