from __future__ import annotations

import pytest

from terminal.emv import dol
from terminal.emv.tags import DOL_WHITELIST, TAGS
from terminal.emv.tlv import tag_bytes
from terminal.errors import CardError
from tests.conftest import require_vectors
from tests.terminal.emv.replay import load


def test_parse_and_fill_like_openemv() -> None:
    for case in load(require_vectors() / "emv" / "tlv_dol" / "dol_openemv.json")["cases"]:
        wire = bytes.fromhex(case["dol"])
        if "expected_error" in case:
            with pytest.raises(CardError, match="without its length"):
                dol.parse(wire)
            continue
        entries = dol.parse(wire)
        if case["operation"] == "parse":
            stated = [[tag_bytes(each.tag).hex().upper(), each.length] for each in entries]
            assert stated == case["expected_entries"]
            assert sum(each.length for each in entries) == case["expected_data_length"]
        else:
            values: dict[int, bytes] = {}
            for source in case["sources_in_priority_order"]:
                values = {int(t, 16): bytes.fromhex(v) for t, v in source.items()} | values
            assert dol.fill(entries, values).hex().upper() == case["expected_data"]


def test_fill_like_bertlv() -> None:
    for case in load(require_vectors() / "emv" / "tlv_dol" / "filled_dol_bertlv.json")["cases"]:
        values = {int(tag, 16): bytes.fromhex(value) for tag, value in case["expected"].items()}
        filled = dol.fill(dol.parse(bytes.fromhex(case["dol"])), values)
        assert filled.hex().upper() == case["data"]


@pytest.mark.parametrize(
    ("tag", "value", "length", "fitted"),
    [
        (0x9F02, "000000001250", 3, "001250"),  # n: cut at the left
        (0x9F02, "1250", 4, "00001250"),
        (0x9F1A, "0978", 0, ""),
        (0x5A, "4761739001010010", 10, "4761739001010010FFFF"),  # cn: F at the right
        (0x5A, "4761739001010010", 4, "47617390"),
        (0x9F37, "01020304", 6, "010203040000"),  # b: zeros at the right
        (0x9F37, "01020304", 2, "0102"),
        (0x9F4E, "5348", 3, "534800"),  # ans: the same
        (0xDF7F, "01", 2, "0100"),  # not known: as b
    ],
)
def test_values_are_cut_and_padded_by_format(
    tag: int, value: str, length: int, fitted: str
) -> None:
    assert dol.fit(tag, bytes.fromhex(value), length) == bytes.fromhex(fitted)


def test_only_whitelisted_objects_leave() -> None:
    values = {0x57: b"\x47", 0x5A: b"\x47", 0x9F37: b"\x01\x02\x03\x04", 0x70: b"\xff"}
    entries = dol.parse(bytes.fromhex("5701" + "5A01" + "9F3704" + "7001" + "9F0201"))
    assert dol.fill(entries, values) == bytes.fromhex("0000" + "01020304" + "00" + "00")
    assert {0x57, 0x5A, 0x5F20, 0x5F24, 0x99, 0x9F26}.isdisjoint(DOL_WHITELIST)
    assert set(TAGS) >= DOL_WHITELIST


def test_a_list_that_fits_no_command_is_refused() -> None:
    assert len(dol.fill(dol.parse(bytes.fromhex("9F02FC")), {})) == dol.FILLED_MAX
    with pytest.raises(CardError, match="253 bytes"):
        dol.parse(bytes.fromhex("9F02FD"))
    with pytest.raises(CardError, match="cut off"):
        dol.parse(bytes.fromhex("9F"))


def test_a_filled_list_is_taken_apart_again() -> None:
    entries = dol.parse(bytes.fromhex("9F0206" + "9A03" + "9C01"))
    filled = bytes.fromhex("000000001250" + "260314" + "00")
    pieces = dol.split(entries, filled)
    assert [piece.hex() for piece in pieces] == ["000000001250", "260314", "00"]
    for wrong in (filled + b"\x00", filled[:-1], b""):
        with pytest.raises(CardError, match="length that its data object list"):
            dol.split(entries, wrong)
    assert dol.split((), b"") == ()
