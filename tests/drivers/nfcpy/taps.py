"""What the tests of nfcpy's doors tap with."""

from __future__ import annotations

from terminal.ports import Card, ForeignTag, Presented, Reader, SeveralCards, Unreadable

LONGEST = bytes.fromhex("80CA0000FF") + bytes(range(255)) + b"\x00"
"""261 bytes out, and 258 come back: more than one frame of 256 bytes each way."""


def wait(reader: Reader, timeout_s: float = 10.0) -> Presented | None:
    return reader.wait_for_card(timeout_s=timeout_s, cancelled=lambda: False)


def tap(reader: Reader) -> Card:
    presented = wait(reader)
    assert presented is not None
    assert not isinstance(presented, SeveralCards | ForeignTag | Unreadable), presented
    return presented
