"""Command and response APDUs (ISO/IEC 7816-4), and the shape of a card dialogue.

Rules of this file: neither a command nor a response shows its bytes when printed; data of
either may hold a card number. A dialogue is a generator that yields commands and is sent
responses, so nothing in it can reach a transport, a clock or a thread.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from terminal.errors import CardError

_NAMES = {
    0x82: "EXTERNAL AUTHENTICATE",
    0x84: "GET CHALLENGE",
    0x88: "INTERNAL AUTHENTICATE",
    0xA4: "SELECT",
    0xA8: "GET PROCESSING OPTIONS",
    0xAE: "GENERATE AC",
    0xB2: "READ RECORD",
    0xC0: "GET RESPONSE",
    0xCA: "GET DATA",
    0xD0: "RECOVER AC",
    0xEA: "EXCHANGE RELAY RESISTANCE DATA",
    0x2A: "COMPUTE CRYPTOGRAPHIC CHECKSUM",
    0xDA: "PUT DATA",
}


@dataclass(frozen=True, slots=True)
class Command:
    """A short C-APDU. ``le`` is 0 for "as much as there is" (256), None for no Le byte."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = field(default=b"", repr=False)
    le: int | None = 0

    def __post_init__(self) -> None:
        if any(not 0 <= byte <= 0xFF for byte in (self.cla, self.ins, self.p1, self.p2)):
            raise ValueError("a header byte of the command is outside 0 to 255")
        if len(self.data) > 255:
            raise ValueError("command data is longer than 255 bytes")
        if self.le is not None and not 0 <= self.le <= 0xFF:
            raise ValueError("Le is outside 0 to 255")

    @property
    def name(self) -> str:
        """The command's name in the standard."""
        return _NAMES.get(self.ins, f"INS {self.ins:02X}")

    def encode(self) -> bytes:
        """The bytes on the wire: cases 1 to 4 of ISO/IEC 7816-3, 12.1."""
        header = bytes((self.cla, self.ins, self.p1, self.p2))
        body = bytes((len(self.data),)) + self.data if self.data else b""
        tail = b"" if self.le is None else bytes((self.le,))
        return header + body + tail

    @classmethod
    def decode(cls, wire: bytes) -> Command:
        """Reads a short C-APDU back from bytes.

        Raises:
            ValueError: the lengths do not add up.
        """
        if len(wire) < 4:
            raise ValueError("a command has at least four bytes")
        cla, ins, p1, p2 = wire[:4]
        body = wire[4:]
        if not body:
            return cls(cla, ins, p1, p2, b"", None)
        if len(body) == 1:
            return cls(cla, ins, p1, p2, b"", body[0])
        lc = body[0]
        if len(body) == lc + 1:
            return cls(cla, ins, p1, p2, body[1:], None)
        if len(body) == lc + 2:
            return cls(cla, ins, p1, p2, body[1:-1], body[-1])
        raise ValueError("Lc does not match the command's length")


@dataclass(frozen=True, slots=True)
class Response:
    """An R-APDU: data and status word, and how long it took to come, as far as that is known."""

    data: bytes = field(repr=False)
    sw: int
    elapsed_s: float = field(default=0.0, compare=False)

    @classmethod
    def decode(cls, wire: bytes, elapsed_s: float = 0.0) -> Response:
        """Splits an answer into data and status word.

        Raises:
            CardError: fewer than two bytes, or more than a short APDU can carry.
        """
        if len(wire) < 2:
            raise CardError(f"The card answered {len(wire)} bytes; a status word has two.")
        if len(wire) > 258:
            raise CardError(f"The card answered {len(wire)} bytes; 258 is the most allowed.")
        return cls(wire[:-2], int.from_bytes(wire[-2:], "big"), elapsed_s)

    def encode(self) -> bytes:
        """The bytes on the wire."""
        return self.data + self.sw.to_bytes(2, "big")

    @property
    def ok(self) -> bool:
        """Whether the status word is 9000."""
        return self.sw == 0x9000


T = TypeVar("T")
Dialogue = Generator[Command, Response, T]
"""A conversation with a card that ends in a ``T``. ``CardLost`` is thrown into it."""
