"""What a card calls itself is printed only where no number can hide in it."""

from __future__ import annotations

import pytest

from terminal.tapping import printable_label


@pytest.mark.parametrize(
    ("label", "printed"),
    [
        ("VISA CREDIT", "VISA CREDIT"),
        ("GIROCARD 2024", "GIROCARD 2024"),
        ("4761739001010010", "Visa"),
        ("47617 39001 0100", "Visa"),
        ("V4I7S6A1-0010", "Visa"),
        ("", ""),
    ],
)
def test_labels(label: str, printed: str) -> None:
    assert printable_label(label, "Visa") == printed
