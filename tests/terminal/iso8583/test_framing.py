"""Lengths on a byte stream, whatever the pieces that it comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.errors import HostGarbled
from terminal.iso8583.framing import MESSAGE_MAX_BYTES, Deframer, Framing, frame

FRAMINGS = st.sampled_from(list(Framing))


@pytest.mark.parametrize(
    ("framing", "wire"), [(Framing.LEN2, b"\x00\x03abc"), (Framing.ASCII4, b"0003abc")]
)
def test_the_length_counts_the_message_alone(framing: Framing, wire: bytes) -> None:
    assert frame(framing, b"abc") == wire
    assert Deframer(framing).feed(wire) == [b"abc"]


@given(FRAMINGS, st.lists(st.binary(min_size=1, max_size=300), max_size=5), st.data())
def test_messages_survive_any_cutting(
    framing: Framing, messages: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(frame(framing, message) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    deframer = Deframer(framing)
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += deframer.feed(stream[start:end])
    assert found == messages
    assert deframer.pending_bytes == 0


@pytest.mark.parametrize(
    ("framing", "prefix"),
    [
        (Framing.LEN2, b"\x00\x00"),
        (Framing.LEN2, (MESSAGE_MAX_BYTES + 1).to_bytes(2, "big")),
        (Framing.LEN2, b"\xff\xff"),
        (Framing.ASCII4, b"0000"),
        (Framing.ASCII4, b"9999"),
        (Framing.ASCII4, b"+003"),
        (Framing.ASCII4, b" 003"),
        (Framing.ASCII4, b"0_03"),
        (Framing.ASCII4, b"00a3"),
        (Framing.ASCII4, b"\xb2\xb2\xb2\xb2"),
    ],
)
def test_a_broken_length_is_refused_before_its_message(framing: Framing, prefix: bytes) -> None:
    with pytest.raises(HostGarbled):
        Deframer(framing).feed(prefix)


def test_the_longest_message_is_accepted() -> None:
    message = bytes(MESSAGE_MAX_BYTES)
    for framing in Framing:
        assert Deframer(framing).feed(frame(framing, message)) == [message]


@pytest.mark.parametrize(
    ("framing", "size"), [(Framing.LEN2, 0), (Framing.LEN2, 65_536), (Framing.ASCII4, 10_000)]
)
def test_a_message_that_cannot_be_framed_is_our_mistake(framing: Framing, size: int) -> None:
    with pytest.raises(AssertionError):
        frame(framing, bytes(size))


def test_an_unfinished_message_is_seen() -> None:
    deframer = Deframer(Framing.LEN2)
    assert deframer.feed(b"\x00") == []
    assert deframer.feed(b"\x05ab") == []
    assert deframer.pending_bytes == 4
    assert deframer.feed(b"cde\x00") == [b"abcde"]
    assert deframer.pending_bytes == 1
