from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.emv.tlv import (
    TOTAL_MAX,
    Tlv,
    decode,
    encode,
    encode_all,
    find_all,
    first,
    parse_tag,
    read_tag,
    split,
    tag_bytes,
)
from terminal.errors import CardError
from tests.conftest import require_vectors
from tests.terminal.emv.replay import load


def cases(operation: str) -> list[dict[str, Any]]:
    listed = load(require_vectors() / "emv" / "tlv_dol" / "ber_tlv_pyemv.json")["cases"]
    # ``simple`` is a one-byte length that EMV does not know.
    return [
        each
        for each in listed
        if each["operation"] == operation and "simple" not in each.get("options", {})
    ]


def nested(objects: Iterable[Tlv]) -> dict[str, Any]:
    return {
        tag_bytes(each.tag).hex().upper(): (
            nested(each.children) if each.constructed else each.value.hex().upper()
        )
        for each in objects
    }


def flat(objects: Iterable[Tlv]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in objects:
        found |= flat(each.children) if each.constructed else nested([each])
    return found


def test_decode_like_pyemv() -> None:
    for case in cases("decode"):
        data = bytes.fromhex(case["data"])
        if "expected_error" in case or case["data"] == "9C80":
            # pyemv reads the indefinite length 80 as zero; EMV forbids it.
            with pytest.raises(CardError):
                decode(data)
        else:
            shape = flat if case.get("options", {}).get("flatten") else nested
            assert shape(decode(data)) == case["output"], case


def encoded(objects: dict[str, Any]) -> bytes:
    return b"".join(
        encode(int(tag, 16), encoded(value) if isinstance(value, dict) else bytes.fromhex(value))
        for tag, value in objects.items()
    )


def test_encode_like_pyemv() -> None:
    for case in cases("encode"):
        if "expected_error" not in case:
            assert encoded(case["tlv"]).hex().upper() == case["output"]


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ("9F8080808001" + "00", "longer than four bytes"),
        ("9F", "cut off"),
        ("5F80", "cut off"),
        ("5A", "has no length"),
        ("5A80", "indefinite"),
        ("5A850000000001FF", "takes 5 bytes"),
        ("5A8201", "cut off"),
        ("5A84FFFFFFFF00", "claims 4294967295 bytes"),
        ("5A02FF", "claims 2 bytes and has 1"),
    ],
)
def test_what_cannot_be_read_in_one_way_is_refused(wire: str, reason: str) -> None:
    data = bytes.fromhex(wire)
    with pytest.raises(CardError, match=reason):
        decode(data)
    with pytest.raises(CardError, match=reason):
        split(data)


def test_padding_is_skipped_and_long_lengths_are_read() -> None:
    data = bytes.fromhex("00005A8108111111111111111100005F340101" + "00")
    assert [(each.tag, len(each.value)) for each in decode(data)] == [(0x5A, 8), (0x5F34, 1)]
    assert [tag for tag, _ in split(data)] == [0x5A, 0x5F34]
    assert split(data)[0][1].hex() == "5a81081111111111111111"


def test_depth_and_size_are_bounded() -> None:
    data = b""
    for _ in range(8):
        data = encode(0x70, data)
    assert len(decode(data)) == 1
    with pytest.raises(CardError, match="nested deeper"):
        decode(encode(0x70, data))
    with pytest.raises(CardError, match="is the most"):
        decode(bytes(TOTAL_MAX + 1))
    with pytest.raises(ValueError, match="is the most"):
        encode(0x5A, bytes(TOTAL_MAX + 1))


def test_find_at_any_depth_in_order() -> None:
    data = decode(bytes.fromhex("700687010287010161038701035001AA"))
    assert [each.value[0] for each in find_all(data, 0x87)] == [2, 1, 3]
    found = first(data, 0x50)
    assert found is not None
    assert found.value == b"\xaa"
    assert first(data, 0x5A) is None


def test_a_value_is_never_shown() -> None:
    assert "4761" not in repr(decode(bytes.fromhex("5A084761739001010010")))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0x5A, 0x9F26, 0xDF8101, 0x82]), st.binary(max_size=300)),
        max_size=8,
    )
)
def test_what_is_encoded_is_decoded(objects: list[tuple[int, bytes]]) -> None:
    wire = b"".join(encode(tag, value) for tag, value in objects)
    assert [(each.tag, each.value) for each in decode(wire)] == objects
    assert b"".join(raw for _, raw in split(wire)) == wire


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_objects_or_a_card_error(data: bytes) -> None:
    try:
        objects = decode(data)
    except CardError:
        return
    assert sum(len(each.value) for each in objects) <= len(data)


def test_a_written_tag_is_one_whole_tag() -> None:
    assert parse_tag("9F38") == 0x9F38
    for wrong in ("", "9F", "9Z", "5A00"):
        with pytest.raises(ValueError, match="tag"):
            parse_tag(wrong)


def test_a_tag_has_four_bytes_at_most() -> None:
    assert [each.tag for each in decode(bytes.fromhex("1F81820401AA"))] == [0x1F818204]
    for five in ("1F818283040100", "1F818283848500"):
        with pytest.raises(CardError, match="longer than four bytes"):
            decode(bytes.fromhex(five))
        with pytest.raises(CardError, match="longer than four bytes"):
            read_tag(bytes.fromhex(five), 0)


def test_64_kib_are_read() -> None:
    assert decode(bytes(TOTAL_MAX)) == []


@pytest.mark.parametrize("data", ["5A81", "70039F3681" + "00", "70025A81" + "00", "5A82", "5A8201"])
def test_a_length_ends_with_its_template(data: str) -> None:
    with pytest.raises(CardError, match="cut off"):
        decode(bytes.fromhex(data))


@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_padding_is_skipped_byte_by_byte(zeros: int) -> None:
    data = bytes(zeros) + bytes.fromhex("9F360200075A0112")
    assert split(data) == [(0x9F36, data[zeros : zeros + 5]), (0x5A, data[-3:])]
    assert [each.tag for each in decode(data)] == [0x9F36, 0x5A]


def test_a_template_is_written_with_what_is_in_it() -> None:
    inner = Tlv(0x5A, b"\x12", ())
    assert encode_all([Tlv(0x70, b"something else", (inner,))]).hex() == "70035a0112"
    assert encode_all([Tlv(0x70, b"", ()), inner]).hex() == "70005a0112"


def test_a_value_of_64_kib_is_written() -> None:
    assert encode(0x5A, bytes(TOTAL_MAX))[:5].hex() == "5a83010000"
