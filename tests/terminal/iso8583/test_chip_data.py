"""DE 55: tags in one order, and no cardholder in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.errors import HostGarbled
from terminal.iso8583.chip_data import CARDHOLDER_TAGS, decode_chip_data, encode_chip_data

# The tags of a request that research on acquirers lists, and those of an issuer's answer.
USUAL = [
    *(0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A),
    *(0x9F03, 0x9F33, 0x9F34, 0x9F35, 0x84, 0x9F09, 0x5F34, 0x9F6E, 0x9F1E, 0x9F41, 0x91, 0x8A),
    0xDF8129,
]


@given(st.dictionaries(st.sampled_from(USUAL), st.binary(max_size=255)))
def test_tags_make_the_round_trip_in_one_order(tags: dict[int, bytes]) -> None:
    encoded = encode_chip_data(tags)
    assert decode_chip_data(encoded) == tags
    assert encode_chip_data(dict(reversed(tags.items()))) == encoded


def test_the_order_is_ascending() -> None:
    tags = {0x9F36: b"\x00\x01", 0x82: b"\x39\x00", 0x5F34: b"\x01"}
    assert encode_chip_data(tags).hex() == "82023900" + "5f340101" + "9f36020001"


@pytest.mark.parametrize("tag", sorted(CARDHOLDER_TAGS), ids="{:X}".format)
def test_a_cardholder_tag_is_refused_both_ways(tag: int) -> None:
    with pytest.raises(AssertionError, match=f"{tag:X}"):
        encode_chip_data({tag: b"\x41\x11"})
    name = tag.to_bytes(1 if tag < 0x100 else 2, "big")
    with pytest.raises(HostGarbled, match=f"{tag:X}") as refused:
        decode_chip_data(bytes.fromhex("82023900") + name + b"\x02\x41\x11")
    assert "4111" not in str(refused.value)


@pytest.mark.parametrize("tag", [0, 0x1F, 0x70, 0x77, 0x61, 0x825A, 0x9F, 0x9F81, 0x9F818181])
def test_our_own_malformed_tag_is_refused(tag: int) -> None:
    with pytest.raises(AssertionError):
        encode_chip_data({tag: b"\x00"})


@pytest.mark.parametrize(
    "data",
    [
        "9F",
        "9F26",
        "82",
        "8202",
        "820239",
        "8280",
        "828105" + "00" * 5,
        "8281",
        "82820001" + "00",
        "0000",
        "820239008202" + "3900",
        "70045A0241",
        "77025A00",
        "9F81818101" + "00",
    ],
)
def test_malformed_chip_data_is_refused(data: str) -> None:
    with pytest.raises(HostGarbled):
        decode_chip_data(bytes.fromhex(data))


def test_an_issuer_may_send_scripts_and_they_stay_closed() -> None:
    data = bytes.fromhex("910A" + "00" * 10 + "7203860100" + "7203860101")
    assert decode_chip_data(data) == {0x91: bytes(10), 0x72: bytes.fromhex("860100860101")}


@given(st.binary(max_size=300))
def test_noise_is_refused_or_read(noise: bytes) -> None:
    try:
        tags = decode_chip_data(noise)
    except HostGarbled:
        return
    assert not CARDHOLDER_TAGS & tags.keys()
