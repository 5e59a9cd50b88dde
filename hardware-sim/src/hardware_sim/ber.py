"""BER-TLV as a card writes it, and data object lists as a card reads them (EMV Book 3, 5.4, B).

Rules of this file: it shares no code with ``terminal.emv``, so that a mistake there cannot hide
behind the same mistake here. It trusts its input, which is the simulator's own.
"""

from __future__ import annotations

from collections.abc import Mapping


def tlv(tag: int, *parts: bytes) -> bytes:
    """One data object: the tag, the shortest length, and the parts as its value."""
    value = b"".join(parts)
    head = tag.to_bytes((tag.bit_length() + 7) // 8, "big")
    size = len(value)
    if size < 0x80:
        return head + bytes((size,)) + value
    if size < 0x100:
        return head + bytes((0x81, size)) + value
    return head + bytes((0x82, *size.to_bytes(2, "big"))) + value


def concatenated(objects: Mapping[int, bytes]) -> bytes:
    """Data objects one after the other, in the order of the mapping."""
    return b"".join(tlv(tag, value) for tag, value in objects.items())


def read_dol(dol: bytes) -> tuple[tuple[int, int], ...]:
    """The entries of a data object list: tag and length in bytes.

    Raises:
        ValueError: the list ends in the middle of an entry.
    """
    entries = []
    at = 0
    while at < len(dol):
        start = at
        if dol[at] & 0x1F == 0x1F:
            at += 1
            while at < len(dol) and dol[at] & 0x80:
                at += 1
        at += 1
        if at >= len(dol):
            raise ValueError("a data object list ends in the middle of an entry")
        entries.append((int.from_bytes(dol[start:at], "big"), dol[at]))
        at += 1
    return tuple(entries)


def dol_values(dol: bytes, data: bytes) -> dict[int, bytes] | None:
    """What the terminal sent for a list, by tag; None when the length is wrong."""
    entries = read_dol(dol)
    if len(data) != sum(length for _, length in entries):
        return None
    values = {}
    at = 0
    for tag, length in entries:
        values[tag] = data[at : at + length]
        at += length
    return values
