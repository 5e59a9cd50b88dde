"""DE 55, the chip's data: EMV tags in BER-TLV, and never a cardholder's.

Rules of this file: the sealed envelope is the only way for a card number to travel, so the tags
that hold one, or a name, a track or an expiry, are refused here in both directions. The tags
are written in ascending order, so that the same sale always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from terminal.errors import HostGarbled

# EMV Book 3, Annex A, and the kernels' track data: what identifies or pays.
CARDHOLDER_TAGS = frozenset(
    {
        0x56,  # Track 1 equivalent data
        0x57,  # Track 2 equivalent data
        0x5A,  # PAN
        0x99,  # PIN data
        0x5F20,  # Cardholder name
        0x5F24,  # Expiration date
        0x9F0B,  # Cardholder name, extended
        0x9F1F,  # Track 1 discretionary data
        0x9F20,  # Track 2 discretionary data
        0x9F60,  # CVC3 (track 1)
        0x9F61,  # CVC3 (track 2)
        0x9F6B,  # Track 2 data, or card CVM limit
    }
)
_SCRIPTS = frozenset({0x71, 0x72})  # Issuer scripts: the only templates that a host may send.


def encode_chip_data(tags: Mapping[int, bytes]) -> bytes:
    """The tags as BER-TLV, in ascending order.

    Raises:
        AssertionError: a tag is malformed, a template or a cardholder's.
    """
    encoded = bytearray()
    for tag, value in sorted(tags.items()):
        name = tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")
        if fault := _tag_fault(name):
            raise AssertionError(f"our own chip data is wrong: {fault}")
        if len(value) > 0xFF:
            raise AssertionError(f"our own chip data is wrong: tag {tag:X} is too long")
        length = bytes([len(value)]) if len(value) < 0x80 else bytes([0x81, len(value)])
        encoded += name + length + value
    return bytes(encoded)


def decode_chip_data(data: bytes) -> dict[int, bytes]:
    """The tags of DE 55 by number; templates are not opened.

    Raises:
        HostGarbled: this is no TLV, a tag is there twice, or it is a cardholder's.
    """
    tags: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        start, at = at, at + 1
        if data[start] & 0x1F == 0x1F:
            while at < len(data) and data[at] & 0x80:
                at += 1
            at += 1
        name = data[start:at]
        if at >= len(data):
            raise HostGarbled("DE 55 (chip data) ends inside a tag.")
        length, at = data[at], at + 1
        if length == 0x81:
            if at >= len(data) or data[at] < 0x80:
                raise HostGarbled("DE 55 (chip data) has a length that cannot be read.")
            length, at = data[at], at + 1
        elif length > 0x7F:
            raise HostGarbled("DE 55 (chip data) has a length that cannot be read.")
        if at + length > len(data):
            raise HostGarbled("DE 55 (chip data) ends inside a value.")
        tag = int.from_bytes(name, "big")
        if tag not in _SCRIPTS and (fault := _tag_fault(name)):
            raise HostGarbled(f"DE 55 (chip data) cannot be accepted: {fault}.")
        if tag in tags and tag not in _SCRIPTS:
            raise HostGarbled(f"DE 55 (chip data) has tag {tag:X} twice.")
        tags[tag], at = tags.get(tag, b"") + data[at : at + length], at + length
    return tags


def _tag_fault(name: bytes) -> str | None:
    """What is wrong with a tag's bytes, or None."""
    tag = int.from_bytes(name, "big")
    if name[0] == 0 or len(name) > 3:
        return "a tag is malformed"
    multiple = name[0] & 0x1F == 0x1F
    if multiple != (len(name) > 1) or (multiple and name[-1] & 0x80):
        return f"tag {tag:X} is malformed"
    if name[0] & 0x20:
        return f"tag {tag:X} is a template"
    if tag in CARDHOLDER_TAGS:
        return f"tag {tag:X} holds cardholder data"
    return None
