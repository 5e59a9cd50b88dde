from __future__ import annotations

import itertools

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
        ("2901", "0528", "09", False),
        ("1501", "0056", "09", False),
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


@pytest.mark.parametrize("bit", range(16))
def test_each_bit_of_the_usage_control_alone(bit: int) -> None:
    """Book 3, Annex C2: which question each bit answers, for goods, cash and cash back."""
    allows = {
        8: "any terminal",
        9: "any machine",
        10: "international services",
        11: "domestic services",
        12: "international goods",
        13: "domestic goods",
        14: "international cash",
        15: "domestic cash",
        6: "international cashback",
        7: "domestic cashback",
    }
    control = (1 << bit).to_bytes(2, "big")
    for kinds, machine, cash, abroad in itertools.product(
        ("13", "14", "15", "16", "17", "22"), ("7F", "80"), ("00", "01", "09", "17"), (True, False)
    ):
        is_machine = kinds in {"14", "15", "16"} and machine == "80"
        where = "international" if abroad else "domestic"
        needed = {"any machine" if is_machine else "any terminal"}
        if cash in {"01", "17"}:
            needed.add(f"{where} cash")
        else:
            needed.add(f"{where} goods")
        if cash == "09":
            needed.add(f"{where} cashback")
        terminal = objects(TERMINAL | {"9F35": kinds, "9F40": machine + "00000000", "9C": cash})
        card = {0x9F07: control, 0x5F28: bytes.fromhex("0056" if abroad else "0528")}
        assert not is_service_allowed(card, terminal), "one bit never answers both questions"
        # With everything else that is needed, this bit decides when it is one of them.
        numbers = {name: number for number, name in allows.items()}
        whole = sum(1 << numbers[name] for name in needed)
        card[0x9F07] = whole.to_bytes(2, "big")
        assert is_service_allowed(card, terminal)
        card[0x9F07] = (whole & ~(1 << bit)).to_bytes(2, "big")
        assert is_service_allowed(card, terminal) is (allows.get(bit) not in needed)


def test_a_usage_control_of_another_length_is_no_statement() -> None:
    for control in (b"", b"\0", bytes(3)):
        assert is_service_allowed({0x9F07: control}, objects(TERMINAL))


def test_a_card_without_dates_is_neither_old_nor_new() -> None:
    terminal = objects(TERMINAL | {"9A": "260314", "9F09": "0002"})
    assert processing_restrictions({}, terminal) == 0


def test_the_century_of_a_date() -> None:
    assert [sortable("491231"), sortable("500101")] == ["20491231", "19500101"]
