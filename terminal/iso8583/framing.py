"""Where one message ends and the next begins on a byte stream, without any I/O.

Rules of this file: bytes in, whole messages out. A length is judged before a byte of its message
is kept, so a hostile length costs no memory, and a broken length is never skipped over: after it
nothing on the stream can be trusted.
"""

from __future__ import annotations

from enum import Enum

from terminal.errors import HostGarbled

MESSAGE_MAX_BYTES = 8192
"""More than any message of a till: a full base87 sale is below 1500 bytes."""


class Framing(Enum):
    """How the length in front of a message is written; it counts the message alone."""

    LEN2 = "len2"
    """Two bytes, big-endian."""

    ASCII4 = "ascii4"
    """Four ASCII digits."""

    @property
    def prefix_bytes(self) -> int:
        """How long the length itself is."""
        return 2 if self is Framing.LEN2 else 4


def frame(framing: Framing, message: bytes) -> bytes:
    """The message with its length in front.

    Raises:
        AssertionError: the message is empty or too long to frame. We broke the rules.
    """
    longest = 0xFFFF if framing is Framing.LEN2 else 9999
    if not 0 < len(message) <= longest:
        raise AssertionError(f"a message of {len(message)} bytes cannot be framed")
    if framing is Framing.LEN2:
        return len(message).to_bytes(2, "big") + message
    return b"%04d" % len(message) + message


class Deframer:
    """Cuts a byte stream into messages.

    Args:
        framing: how lengths are written.
        max_bytes: the longest message that is accepted.
    """

    def __init__(self, framing: Framing, *, max_bytes: int = MESSAGE_MAX_BYTES) -> None:
        self._framing = framing
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    @property
    def pending_bytes(self) -> int:
        """How much of an unfinished message (or length) is held."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Takes the next bytes of the stream and returns the messages they complete.

        Raises:
            HostGarbled: a length is zero, too large, or not a number.
        """
        self._buffer += data
        messages: list[bytes] = []
        prefix = self._framing.prefix_bytes
        while len(self._buffer) >= prefix:
            end = prefix + self._length(bytes(self._buffer[:prefix]))
            if len(self._buffer) < end:
                break
            messages.append(bytes(self._buffer[prefix:end]))
            del self._buffer[:end]
        return messages

    def _length(self, prefix: bytes) -> int:
        if self._framing is Framing.LEN2:
            length = int.from_bytes(prefix, "big")
        elif prefix.isdigit():  # For bytes, isdigit means ASCII digits only.
            length = int(prefix)
        else:
            raise HostGarbled("The host sent a message length that is not a number.")
        if not 0 < length <= self._max_bytes:
            raise HostGarbled(
                f"The host announced a message of {length} bytes;"
                f" 1 to {self._max_bytes} can be right."
            )
        return length
