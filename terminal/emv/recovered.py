"""What is inside a recovered certificate or signature, part by part (EMV Book 2, 5 and 6).

Rules of this file: it takes messages apart for people and tests and judges nothing; the checks of
a payment are those of ``oda``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from terminal.errors import CardError

_HASH = 20

# Parts behind header and format, in order: name and length.
_ISSUER = (
    ("issuer identifier", 4),
    ("expiry", 2),
    ("serial number", 3),
    ("hash algorithm", 1),
    ("public key algorithm", 1),
    ("public key length", 1),
    ("exponent length", 1),
)
_CARD = (("pan", 10), *_ISSUER[1:])
_STATIC = (("hash algorithm", 1), ("data authentication code", 2))
_DYNAMIC = (("hash algorithm", 1), ("dynamic data length", 1))
_KINDS = {
    0x02: ("issuer certificate", _ISSUER),
    0x03: ("signed static data", _STATIC),
    0x04: ("card certificate", _CARD),
    0x05: ("signed dynamic data", _DYNAMIC),
    0x95: ("signed dynamic data of a phone", _DYNAMIC),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a recovered message; the name is in lower case."""

    name: str
    value: bytes = field(repr=False)


def kind_of(message: bytes) -> str:
    """What a recovered message is, by its second byte."""
    return _KINDS[message[1]][0] if len(message) > 1 and message[1] in _KINDS else "unknown"


def parts(message: bytes) -> tuple[Part, ...]:
    """The parts of a recovered message, which together are all of its bytes.

    Raises:
        CardError: it is too short or of an unknown format.
    """
    if len(message) < 2 or message[1] not in _KINDS:
        raise CardError("A recovered message is of no format that is known.")
    _, layout = _KINDS[message[1]]
    found = [Part("header", message[:1]), Part("data format", message[1:2])]
    offset = 2
    for name, length in layout:
        found.append(Part(name, message[offset : offset + length]))
        offset += length
    end = len(message) - _HASH - 1
    if offset > end:
        raise CardError("A recovered message is too short for its format.")
    body = message[offset:end]
    if message[1] in {0x02, 0x04}:
        found += _key(body, message[offset - 2])
    elif message[1] == 0x03:
        found.append(Part("padding", body))
    else:
        found += _dynamic(body, message[3])
    found += [Part("hash", message[end:-1]), Part("trailer", message[-1:])]
    return tuple(found)


def _key(body: bytes, length: int) -> list[Part]:
    """The public key or its left part; a shorter key is padded with BB (Book 2, table 6)."""
    found = [Part("public key", body[:length])]
    return found + ([Part("padding", body[length:])] if len(body) > length else [])


def _dynamic(body: bytes, length: int) -> list[Part]:
    """ICC dynamic data: its number, and for CDA the cryptogram and the hash (table 19)."""
    if length > len(body):
        raise CardError("Signed dynamic data is longer than its message.")
    data, padding = body[:length], body[length:]
    size = data[0] if data else 0
    found = [
        Part("dynamic number length", data[:1]),
        Part("dynamic number", data[1 : 1 + size]),
    ]
    rest = data[1 + size :]
    if len(rest) >= 1 + 8 + _HASH:
        found += [
            Part("cryptogram information", rest[:1]),
            Part("cryptogram", rest[1:9]),
            Part("transaction data hash", rest[9 : 9 + _HASH]),
        ]
        rest = rest[9 + _HASH :]
    if rest:
        found.append(Part("other dynamic data", rest))
    return found + ([Part("padding", padding)] if padding else [])
