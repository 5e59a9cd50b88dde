from __future__ import annotations

import pytest

from terminal.emv.restrictions import (
    is_service_allowed,
    processing_restrictions,
    sortable,
)
from tests.conftest import require_vectors
from tests.terminal.emv.replay import load


def objects(stated: dict[str, str]) -> dict[int, bytes]:
    return {int(tag, 16): bytes.fromhex(value) for tag, value in stated.items()}


def test_like_openemv() -> None:
    cases = load(require_vectors() / "emv" / "risk" / "processing_restrictions.json")["cases"]
    for case in cases:
        terminal = objects(case["terminal_configuration"] | case["transaction"])
        byte_2 = processing_restrictions(objects(case["card"]), terminal)
        assert f"00{byte_2:02X}000000" == case["expected_tvr_95"], case["name"]


TERMINAL = {"9F35": "22", "9F40": "6000F0A001", "9F1A": "0528", "9C": "00"}


@pytest.mark.parametrize(
    ("control", "issuer", "kind", "allowed"),
    [
        (None, "0528", "00", True),
        ("FF", "0528", "00", True),  # malformed: not a statement
        ("0100", None, "00", True),
        ("0000", None, "00", False),
        ("2100", "0528", "00", True),  # domestic goods
        ("0900", "0528", "00", True),  # domestic services
        ("1100", "0528", "00", False),
        ("1100", "0056", "00", True),  # international goods
        ("2900", "0056", "00", False),
        ("8100", "0528", "01", True),  # domestic cash
        ("4100", "0528", "01", False),
        ("4100", "0056", "01", True),
        ("2980", "0528", "09", True),  # domestic cashback
        ("2940", "0528", "09", False),
        ("1540", "0056", "09", True),
    ],
)
def test_usage_control(
    control: str | None, issuer: str | None, kind: str, *, allowed: bool
) -> None:
    card = {}
    if control is not None:
        card["9F07"] = control
    if issuer is not None:
        card["5F28"] = issuer
    assert is_service_allowed(objects(card), objects(TERMINAL | {"9C": kind})) is allowed


def test_a_cash_machine_asks_for_its_own_bit() -> None:
    machine = objects(TERMINAL | {"9F35": "14", "9F40": "8000F0A001", "9C": "01"})
    assert is_service_allowed(objects({"9F07": "8200", "5F28": "0528"}), machine)
    assert not is_service_allowed(objects({"9F07": "8100", "5F28": "0528"}), machine)


def test_a_card_without_dates_is_neither_old_nor_new() -> None:
    terminal = objects(TERMINAL | {"9A": "260314", "9F09": "0002"})
    assert processing_restrictions({}, terminal) == 0


def test_the_century_of_a_date() -> None:
    assert [sortable("491231"), sortable("500101")] == ["20491231", "19500101"]
