"""Secrets do not show, do not leave and do not leak by accident."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from terminal.card import CardData, Pan, Track2
from terminal.errors import CardError

PAN = "4761739001010010"


def _card() -> CardData:
    return CardData(Pan(PAN), "2912", 1, Track2(f"{PAN}D29122010000000000"), par="PAR0000000001")


@pytest.mark.parametrize(
    "show",
    [repr, str, "{}".format, lambda value: f"{value!r} {value!s}"],
)
@pytest.mark.parametrize("value", [Pan(PAN), Track2(f"{PAN}D2912201"), _card()])
def test_nothing_of_a_secret_is_shown(show: Callable[[object], str], value: object) -> None:
    shown = show(value)
    assert PAN[:6] not in shown
    assert PAN[-4:] not in shown
    assert "2912" not in shown


@pytest.mark.parametrize("value", [Pan(PAN), _card()])
def test_secrets_are_neither_pickled_nor_copied_nor_hashed(value: object) -> None:
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leave(value)
    with pytest.raises(TypeError):
        hash(Pan(PAN))


@pytest.mark.parametrize("text", ["", "1234567", "12345678901234567890", "476173900101001X"])
def test_a_malformed_pan_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(CardError) as caught:
        Pan(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    ("pan", "valid"),
    [(PAN, True), ("4761739001010011", False), ("374245001741007", True), ("0" * 16, True)],
)
def test_the_check_digit(pan: str, valid: bool) -> None:  # noqa: FBT001 - a table's column
    assert Pan(pan).luhn_valid is valid


def test_masking_shows_four_digits_and_comparison_is_by_value() -> None:
    assert Pan(PAN).masked == "\u2022\u2022\u2022\u2022 0010"
    assert Pan(PAN) == Pan(PAN)
    assert Pan(PAN) != Pan("4761739001010028")
    assert Pan(PAN) != PAN


@pytest.mark.parametrize("expiry", ["", "2913", "2900", "291", "29120"])
def test_an_impossible_expiry_is_refused(expiry: str) -> None:
    with pytest.raises(CardError):
        CardData(Pan(PAN), expiry)
