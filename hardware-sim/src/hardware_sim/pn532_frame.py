"""Host frames of the PN532: preamble, start code, LEN, LCS, TFI, DCS (NXP UM0701-02, 6.2.1).

Rules of this file: a codec without I/O. A frame whose checksum is wrong comes out as BROKEN, for
the chip then gives no ACK and the host has to notice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

ACK = bytes.fromhex("0000FF00FF00")
NACK = bytes.fromhex("0000FFFF0000")
ERROR = bytes.fromhex("0000FF01FF7F8100")
"""The error frame: the application level refuses the command's syntax."""

FROM_HOST = 0xD4
TO_HOST = 0xD5
BODY_MAX = 265
"""The longest body, TFI included: 264 bytes of command or response and the TFI."""

_START = b"\x00\xff"
_NORMAL_MAX = 255


class Kind(Enum):
    """What arrived."""

    BODY = "a command or a response"
    ACK = "acknowledged"
    NACK = "send again"
    BROKEN = "a checksum does not match"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``body`` begins with the TFI and is empty for anything but BODY."""

    kind: Kind
    body: bytes = field(default=b"", repr=False)


def encode(body: bytes) -> bytes:
    """A normal frame, or an extended one from 256 bytes on; ``body`` begins with the TFI.

    Raises:
        ValueError: the body is empty or longer than the chip can hold.
    """
    if not 0 < len(body) <= BODY_MAX:
        raise ValueError(f"a frame carries 1 to {BODY_MAX} bytes")
    tail = bytes((-sum(body) & 0xFF, 0x00))
    if len(body) <= _NORMAL_MAX:
        return b"\x00" + _START + bytes((len(body), -len(body) & 0xFF)) + body + tail
    length = len(body).to_bytes(2, "big")
    return b"\x00" + _START + b"\xff\xff" + length + bytes((-sum(length) & 0xFF,)) + body + tail


class FrameReader:
    """Finds frames in what a serial line delivers, in pieces of any size."""

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def waiting(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._pending)

    def reset(self) -> None:
        """Drops a frame that has not ended: the line went quiet in the middle of it."""
        self._pending.clear()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now."""
        self._pending += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        begin = self._pending.find(_START)
        if begin < 0:
            # A zero at the end may be the first half of a start code.
            del self._pending[: -1 if self._pending.endswith(b"\x00") else None]
            return None
        del self._pending[:begin]
        head = bytes(self._pending[2:7])
        if len(head) < 2:
            return None
        if head[:2] == b"\x00\xff":
            return self._take(4, Frame(Kind.ACK))
        if head[:2] == b"\xff\x00":
            return self._take(4, Frame(Kind.NACK))
        if head[:2] == b"\xff\xff":
            if len(head) < 5:
                return None
            length, checked, skip = int.from_bytes(head[2:4], "big"), sum(head[2:5]), 7
        else:
            length, checked, skip = head[0], sum(head[:2]), 4
        if checked & 0xFF or not 0 < length <= BODY_MAX:
            return self._take(2, Frame(Kind.BROKEN))
        if len(self._pending) < skip + length + 1:
            return None
        body = bytes(self._pending[skip : skip + length])
        whole = not (sum(body) + self._pending[skip + length]) & 0xFF
        return self._take(
            skip + length + 1, Frame(Kind.BODY, body) if whole else Frame(Kind.BROKEN)
        )

    def _take(self, count: int, frame: Frame) -> Frame:
        del self._pending[:count]
        return frame
