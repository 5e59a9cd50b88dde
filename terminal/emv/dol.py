"""Data Object Lists: what a card asks the terminal to send (EMV Book 3, 5.4).

Rules of this file: a card gets the objects of a whitelist and zeros for everything else, so a
hostile list cannot make the terminal echo card or terminal secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terminal.emv.tags import DOL_WHITELIST, TAGS
from terminal.emv.tlv import is_constructed, read_tag
from terminal.errors import CardError

FILLED_MAX = 252
"""The most a filled list may have: 255 bytes of command data less the template 83 and length."""


@dataclass(frozen=True, slots=True)
class DolEntry:
    """One entry: the tag asked for and the length in bytes that its value must have."""

    tag: int
    length: int


def parse(dol: bytes) -> tuple[DolEntry, ...]:
    """The entries of a Data Object List.

    Raises:
        CardError: a tag or length is cut off, or the filled list would not fit one command.
    """
    entries: list[DolEntry] = []
    offset = total = 0
    while offset < len(dol):
        tag, offset = read_tag(dol, offset)
        if offset >= len(dol):
            raise CardError(f"A data object list ends behind tag {tag:02X}, without its length.")
        entries.append(DolEntry(tag, dol[offset]))
        total += dol[offset]
        offset += 1
    if total > FILLED_MAX:
        raise CardError(f"A data object list asks for {total} bytes; {FILLED_MAX} fit a command.")
    return tuple(entries)


def split(entries: Sequence[DolEntry], data: bytes) -> tuple[bytes, ...]:
    """A filled list taken apart: the bytes of each entry.

    Raises:
        CardError: the data is not as long as the list asks for.
    """
    if len(data) != sum(entry.length for entry in entries):
        raise CardError("Filled data does not have the length that its data object list asks for.")
    pieces: list[bytes] = []
    offset = 0
    for entry in entries:
        pieces.append(data[offset : offset + entry.length])
        offset += entry.length
    return tuple(pieces)


def fit(tag: int, value: bytes, length: int) -> bytes:
    """``value`` in exactly ``length`` bytes, cut or padded as its format says (Book 3, 5.4)."""
    info = TAGS.get(tag)
    form = info.format if info else "b"
    if form == "n":
        return value[-length:].rjust(length, b"\x00") if length else b""
    return value[:length].ljust(length, b"\xff" if form == "cn" else b"\x00")


def fill(entries: Sequence[DolEntry], values: Mapping[int, bytes]) -> bytes:
    """The values asked for, joined; unknown, templated and unlisted tags become zeros."""
    return b"".join(
        fit(entry.tag, values[entry.tag], entry.length)
        if entry.tag in DOL_WHITELIST and entry.tag in values and not is_constructed(entry.tag)
        else bytes(entry.length)
        for entry in entries
    )
