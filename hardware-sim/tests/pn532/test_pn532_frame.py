"""Host frames of the PN532, as its manual prints them and as a bad line delivers them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_sim.pn532_frame import ACK, BODY_MAX, ERROR, NACK, Frame, FrameReader, Kind, encode


@pytest.mark.parametrize(
    ("body", "frame"),
    [
        ("D402", "0000FF02FED4022A00"),  # GetFirmwareVersion
        ("D50332010607", "0000FF06FAD50332010607E800"),  # and the answer of a PN532 v1.6
        ("D4140100", "0000FF04FCD41401001700"),  # SAMConfiguration
        ("7F", "0000FF01FF7F8100"),  # the error frame
    ],
)
def test_a_frame_is_written_and_read_as_in_the_manual(body: str, frame: str) -> None:
    wire = bytes.fromhex(frame)
    assert encode(bytes.fromhex(body)) == wire
    assert FrameReader().feed(wire) == [Frame(Kind.BODY, bytes.fromhex(body))]


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (1, "0000FF01FF"),
        (255, "0000FFFF01"),
        (256, "0000FFFFFF0100FF"),
        (265, "0000FFFFFF0109F6"),
    ],
)
def test_a_long_body_makes_an_extended_frame(length: int, head: str) -> None:
    wire = encode(b"\xd5" * length)
    assert wire.startswith(bytes.fromhex(head))
    assert FrameReader().feed(wire) == [Frame(Kind.BODY, b"\xd5" * length)]


@pytest.mark.parametrize("length", [0, BODY_MAX + 1])
def test_a_body_that_no_frame_carries_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="1 to 265"):
        encode(bytes(length))


GOOD = encode(bytes.fromhex("D402"))


@pytest.mark.parametrize(
    ("wire", "kinds"),
    [
        (ACK, [Kind.ACK]),
        (NACK, [Kind.NACK]),
        (ERROR, [Kind.BODY]),
        (ACK + GOOD + NACK, [Kind.ACK, Kind.BODY, Kind.NACK]),
        (bytes.fromhex("5555000000000000") + GOOD, [Kind.BODY]),  # the wake-up preamble
        (b"\x12\x34\x56" + GOOD, [Kind.BODY]),
        (GOOD[:4] + b"\x00" + GOOD[5:], [Kind.BROKEN]),  # LCS
        (GOOD[:7] + b"\x00" + GOOD[8:], [Kind.BROKEN]),  # DCS
        (bytes.fromhex("0000FFFFFF0002FF") + GOOD, [Kind.BROKEN, Kind.BODY]),  # extended LCS
        (bytes.fromhex("0000FFFFFF0200FE"), [Kind.BROKEN]),  # longer than the chip can hold
        (GOOD[:-3], []),
    ],
)
def test_what_a_line_delivers(wire: bytes, kinds: list[Kind]) -> None:
    assert [frame.kind for frame in FrameReader().feed(wire)] == kinds
    reader = FrameReader()
    piecemeal = [frame.kind for byte in wire for frame in reader.feed(bytes((byte,)))]
    assert piecemeal == kinds


def test_a_frame_that_never_ends_is_dropped_when_the_line_is_quiet() -> None:
    reader = FrameReader()
    assert reader.feed(GOOD[:-3]) == []
    reader.reset()
    assert reader.feed(GOOD) == [Frame(Kind.BODY, bytes.fromhex("D402"))]


@given(bodies=st.lists(st.binary(min_size=1, max_size=BODY_MAX), max_size=4), data=st.data())
def test_frames_survive_any_cut_of_the_stream(bodies: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(map(encode, bodies))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    reader = FrameReader()
    found: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        found += reader.feed(wire[start:end])
    assert found == [Frame(Kind.BODY, body) for body in bodies]


@given(noise=st.binary(max_size=600))
def test_noise_is_never_an_exception(noise: bytes) -> None:
    FrameReader().feed(noise)
