"""The strict codec, on the layout that a till speaks."""

from __future__ import annotations

import traceback

import iso8583
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.errors import HostGarbled
from terminal.iso8583.codec import Message, decode, encode
from terminal.iso8583.profile import Content, Field, Layout
from terminal.iso8583.profiles import BASE87

LAYOUT = BASE87.layout

_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
_MMDD = st.sampled_from(
    [f"{m:02d}{d:02d}" for m, n in enumerate(_DAYS, 1) for d in range(1, n + 1)]
)
_HHMMSS = st.builds(
    "{:02d}{:02d}{:02d}".format, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)
)
_ALPHABETS = {
    Content.N: "0123456789",
    Content.AN: "0123456789ABCXYZabcxyz",
    Content.ANP: "0123456789ABCXYZabcxyz ",
    Content.ANS: "".join(map(chr, range(0x20, 0x7F))),
    Content.B: "0123456789ABCDEF",
}


def values_of(form: Field) -> st.SearchStrategy[str]:
    """Any value that a field of the till's layout may hold."""
    match form.content:
        case Content.MMDDHHMMSS:
            return st.builds("{}{}".format, _MMDD, _HHMMSS)
        case Content.MMDD:
            return _MMDD
        case Content.HHMMSS:
            return _HHMMSS
        case Content.XN:
            digits = st.text("0123456789", min_size=form.length - 1, max_size=form.length - 1)
            return st.builds("{}{}".format, st.sampled_from("CD"), digits)
        case Content.B:
            # A binary field of no bytes is written, and read, like any other.
            return st.binary(max_size=form.length).map(lambda data: data.hex().upper())
        case content:
            low = 0 if form.prefix_bytes else form.length
            return st.text(_ALPHABETS[content], min_size=low, max_size=form.length)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    numbers = draw(st.sets(st.sampled_from(sorted(LAYOUT.fields)), min_size=1))
    mti = draw(st.text("0123456789", min_size=4, max_size=4))
    return Message(mti, {number: draw(values_of(LAYOUT.fields[number])) for number in numbers})


@given(messages())
def test_every_message_makes_the_round_trip(message: Message) -> None:
    wire = encode(LAYOUT, message)
    assert decode(LAYOUT, wire) == message
    values, _ = iso8583.decode(wire, LAYOUT.spec)
    assert {k: v for k, v in values.items() if k not in {"t", "p", "1"}} == {
        str(number): value for number, value in message.fields.items()
    }


@given(messages(), st.data())
def test_there_is_one_way_to_write_a_message(message: Message, data: st.DataObject) -> None:
    """Whatever bytes are changed: they are refused, or they are how the new message is written."""
    wire = bytearray(encode(LAYOUT, message))
    for _ in range(data.draw(st.integers(1, 3))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = decode(LAYOUT, bytes(wire))
    except HostGarbled:
        return
    assert encode(LAYOUT, read) == bytes(wire)


@given(st.binary(max_size=200))
def test_noise_is_refused_or_a_message(noise: bytes) -> None:
    try:
        read = decode(LAYOUT, noise)
    except HostGarbled:
        return
    assert encode(LAYOUT, read) == noise


def _wire(mti: bytes, bits: list[int], body: bytes) -> bytes:
    bitmap = sum(1 << (64 - bit) for bit in bits)
    return mti + bitmap.to_bytes(8, "big") + body


@pytest.mark.parametrize(
    ("wire", "named"),
    [
        (b"", "bitmap"),
        (b"0200", "bitmap"),
        (b"0200" + bytes(8), "no field"),
        (_wire(b"02AB", [3], b"000000"), "message type"),
        (_wire(b" 200", [3], b"000000"), "message type"),
        (_wire(b"\xb2200", [3], b"000000"), "message type"),
        (_wire(b"0200", [3], b"00000A"), r"DE 3 \(processing code\)"),
        (_wire(b"0200", [3], b"00000 "), r"DE 3 \(processing code\)"),
        (_wire(b"0200", [3], b"0000\xb2\xb3"), r"DE 3 \(processing code\)"),
        (_wire(b"0200", [3], b"00000"), r"DE 3 \(processing code\)"),
        (_wire(b"0200", [3], b"0000000"), "DE 3 "),
        (_wire(b"0200", [2], b"161234567890123456"), "DE 2 does not exist"),
        (_wire(b"0200", [35], b"10123456789="), "DE 35 does not exist"),
        (_wire(b"0200", [7], b"1301000000"), "DE 7 "),
        (_wire(b"0200", [7], b"0230000000"), "DE 7 "),
        (_wire(b"0200", [7], b"0101240000"), "DE 7 "),
        (_wire(b"0200", [12], b"006000"), "DE 12 "),
        (_wire(b"0200", [13], b"0431"), "DE 13 "),
        (_wire(b"0200", [32], b"+912345678"), "DE 32 "),
        (_wire(b"0200", [32], b" 9123456789"), "DE 32 "),
        (_wire(b"0200", [32], b"0_123456789"), "DE 32 "),
        (_wire(b"0200", [32], b"12123456789012"), "DE 32 "),
        (_wire(b"0200", [32], b"11123"), "DE 32 "),
        (_wire(b"0200", [39], b"0\n"), "DE 39 "),
        (_wire(b"0200", [63], b"003a\tb"), "DE 63 "),
        (_wire(b"0200", [1, 3], b"000000"), "second bitmap"),
        (_wire(b"0200", [1, 3], bytes(8) + b"000000"), "second bitmap is empty"),
        (_wire(b"0200", [1, 3], bytes([0x80]) + bytes(7) + b"000000"), "DE 65 does not exist"),
        (_wire(b"0200", [1], bytes(7) + b"\x01" + bytes(8)), "DE 128 does not exist"),
        (_wire(b"0200", [64], bytes(8)), "DE 64 does not exist"),
    ],
)
def test_a_malformed_message_is_refused_by_the_field(wire: bytes, named: str) -> None:
    with pytest.raises(HostGarbled, match=named):
        decode(LAYOUT, wire)


@pytest.mark.parametrize(
    ("mti", "fields", "named"),
    [
        ("02AB", {3: "000000"}, "message type"),
        ("200", {3: "000000"}, "message type"),
        ("0200", {}, "no field"),
        ("0200", {2: "4111111111111111"}, "DE 2 does not exist"),
        ("0200", {35: "4111111111111111=2912"}, "DE 35 does not exist"),
        ("0200", {45: "B4111"}, "DE 45 does not exist"),
        ("0200", {65: "0000000000000000"}, "DE 65 does not exist"),
        ("0200", {3: "00000"}, "DE 3 "),
        ("0200", {4: "-00000001250"}, "DE 4 "),
        ("0200", {4: "\u0967\u0968\u0969000000000"}, "DE 4 "),
        ("0200", {7: "0230000000"}, "DE 7 "),
        ("0200", {32: "123456789012"}, "DE 32 "),
        ("0200", {55: "ABC"}, "DE 55 "),
        ("0200", {55: "abcd"}, "DE 55 "),
        ("0200", {62: "00" * 1000}, "DE 62 "),
        ("0200", {63: "caf\u00e9"}, "DE 63 "),
    ],
)
def test_our_own_mistake_is_an_assertion(mti: str, fields: dict[int, str], named: str) -> None:
    with pytest.raises(AssertionError, match=named):
        encode(LAYOUT, Message(mti, fields))


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


@pytest.mark.parametrize(
    "wire",
    [
        _wire(b"0200", [63], b"064SECRET"),
        _wire(b"0200", [62], b"00XSECRET"),
        _wire(b"0200", [49], b"SEC"),
        _wire(b"0200", [39], b"00SECRET"),
    ],
)
def test_no_error_carries_what_was_in_the_message(wire: bytes) -> None:
    with pytest.raises(HostGarbled) as refused:
        decode(LAYOUT, wire)
    # pyiso8583's own error keeps the whole message, so it must not even hang on as a context.
    assert [type(error) for error in _chain(refused.value)] == [HostGarbled]
    text = "".join(traceback.format_exception_only(refused.value)) + repr(refused.value)
    assert "SEC" not in text


def test_a_message_does_not_show_its_fields() -> None:
    assert "SECRET" not in repr(Message("0200", {63: "SECRET"}))


def test_a_layout_refuses_a_field_that_cannot_be() -> None:
    for number in (0, 1, 65, 129):
        with pytest.raises(AssertionError, match=str(number)):
            Layout("wrong", {number: Field("any", Content.N, 2)})
