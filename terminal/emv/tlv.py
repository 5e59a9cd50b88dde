"""BER-TLV as EMV uses it (EMV Book 3, Annex B), strict, for data that a stranger's card sent.

Rules of this file: tags are numbers (``0x9F38``), a value is never shown in a ``repr`` or a
message, and whatever cannot be read in exactly one way is a ``CardError``. Definite lengths
only, at most four length bytes, nesting at most eight deep, 64 KiB in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from terminal.errors import CardError

DEPTH_MAX = 8
TOTAL_MAX = 64 * 1024
_TAG_BYTES_MAX = 4
_CONSTRUCTED = 0x20
_new = tuple.__new__


class Tlv(NamedTuple):
    """One data object: its tag, its value, and its children when the tag is constructed.

    A tuple, because a card's answer is taken apart on every tap and a frozen dataclass takes four
    times as long to make; it shows its tag alone.
    """

    tag: int
    value: bytes
    children: tuple[Tlv, ...] = ()

    @property
    def constructed(self) -> bool:
        """Whether the tag says that the value is made of data objects (bit 6 of byte 1)."""
        return is_constructed(self.tag)

    def __repr__(self) -> str:
        return f"Tlv(tag={self.tag}, children={self.children!r})"


def tag_bytes(tag: int) -> bytes:
    """The tag as on the wire: ``0x9F38`` is ``9F 38``."""
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")


def parse_tag(text: str) -> int:
    """The number of a tag that a person or a file wrote in hexadecimal, like ``9F38``.

    Raises:
        ValueError: it is no hexadecimal, no whole tag, or more than one.
    """
    try:
        data = bytes.fromhex(text)
        tag, end = read_tag(data, 0)
    except (ValueError, IndexError, CardError) as cause:
        raise ValueError(f"{text!r} is no tag") from cause
    if end != len(data):
        raise ValueError(f"{text!r} is more than one tag")
    return tag


def is_constructed(tag: int) -> bool:
    """Whether the first byte of the tag has bit 6 set (EMV Book 3, Annex B1)."""
    return bool(tag_bytes(tag)[0] & _CONSTRUCTED)


def read_tag(data: bytes, offset: int) -> tuple[int, int]:
    """The tag at ``offset`` and the offset behind it: one to four bytes (Book 3, Annex B1).

    Raises:
        CardError: the tag is cut off or longer than four bytes.
    """
    first = data[offset]
    end = offset + 1
    if first & 0x1F != 0x1F:
        return first, end
    tag = first
    while True:
        if end >= len(data):
            raise CardError(f"A tag that begins with {first:02X} is cut off.")
        if end - offset >= _TAG_BYTES_MAX:
            raise CardError(f"A tag that begins with {first:02X} is longer than four bytes.")
        following = data[end]
        tag = tag << 8 | following
        end += 1
        if not following & 0x80:
            return tag, end


def read_length(data: bytes, offset: int, tag: int) -> tuple[int, int]:
    """The length at ``offset`` and the offset of the value (Book 3, Annex B2).

    ``tag`` is what a message names.

    Raises:
        CardError: it is cut off, indefinite or longer than four bytes.
    """
    if offset >= len(data):
        raise CardError(f"Tag {tag:02X} has no length.")
    first = data[offset]
    offset += 1
    if first < 0x80:
        return first, offset
    count = first & 0x7F
    if count == 0:
        raise CardError(f"Tag {tag:02X} has an indefinite length, which EMV forbids.")
    if count > 4:
        raise CardError(f"The length of tag {tag:02X} takes {count} bytes; four are allowed.")
    if offset + count > len(data):
        raise CardError(f"The length of tag {tag:02X} is cut off.")
    return int.from_bytes(data[offset : offset + count], "big"), offset + count


def decode(data: bytes) -> list[Tlv]:
    """Reads all data objects in ``data``; zero bytes between them are padding and skipped.

    Raises:
        CardError: a tag, length or value is cut off, a length is indefinite, the nesting is
            deeper than eight, or the data is longer than 64 KiB.
    """
    if len(data) > TOTAL_MAX:
        raise CardError(f"TLV data of {len(data)} bytes; {TOTAL_MAX} is the most allowed.")
    return _decode(data, 0, len(data), 1)


def _decode(data: bytes, offset: int, end: int, depth: int) -> list[Tlv]:
    """The objects of ``data[offset:end]``. Short tags and lengths are read in place."""
    found: list[Tlv] = []
    append = found.append
    while offset < end:
        tag = first = data[offset]
        offset += 1
        if not first:
            continue
        if depth > DEPTH_MAX:
            raise CardError(f"TLV data is nested deeper than {DEPTH_MAX}.")
        if first & 0x1F == 0x1F:
            if offset < end and data[offset] < 0x80:
                tag = first << 8 | data[offset]
                offset += 1
            else:
                tag, offset = read_tag(data[:end], offset - 1)
        if offset < end and data[offset] < 0x80:
            length = data[offset]
            offset += 1
        elif offset + 1 < end and data[offset] == 0x81:
            length = data[offset + 1]
            offset += 2
        else:
            length, offset = read_length(data[:end], offset, tag)
        stop = offset + length
        if stop > end:
            raise CardError(f"Tag {tag:02X} claims {length} bytes and has {end - offset}.")
        children = (
            tuple(_decode(data, offset, stop, depth + 1)) if first & _CONSTRUCTED and length else ()
        )
        append(_new(Tlv, (tag, data[offset:stop], children)))
        offset = stop
    return found


def split(data: bytes) -> list[tuple[int, bytes]]:
    """The tag and the bytes as sent of each object at the top level, without padding.

    A signature is over what the card sent, and a card may write a length longer than needed.

    Raises:
        CardError: as ``decode``.
    """
    found: list[tuple[int, bytes]] = []
    offset = 0
    while offset < len(data):
        if data[offset] == 0:
            offset += 1
            continue
        start = offset
        tag, offset = read_tag(data, offset)
        length, offset = read_length(data, offset, tag)
        if offset + length > len(data):
            raise CardError(f"Tag {tag:02X} claims {length} bytes and has {len(data) - offset}.")
        offset += length
        found.append((tag, data[start:offset]))
    return found


def encode(tag: int, value: bytes) -> bytes:
    """One data object on the wire, with the shortest definite length.

    Raises:
        ValueError: the value is longer than 64 KiB.
    """
    return _head(tag, len(value)) + value


@lru_cache(maxsize=4096)
def _head(tag: int, length: int) -> bytes:
    """Tag and length; a terminal writes the same few hundred all its life."""
    if length < 0x80:
        return tag_bytes(tag) + bytes((length,))
    if length > TOTAL_MAX:
        raise ValueError(f"a value of {length} bytes; {TOTAL_MAX} is the most allowed")
    size = (length.bit_length() + 7) // 8
    return tag_bytes(tag) + bytes((0x80 | size,)) + length.to_bytes(size, "big")


def walk(objects: Iterable[Tlv]) -> Iterator[Tlv]:
    """Every data object, a template before its children, in the card's order."""
    for each in objects:
        yield each
        yield from walk(each.children)


def find_all(objects: Iterable[Tlv], tag: int) -> list[Tlv]:
    """Every data object with this tag, at any depth, in the card's order."""
    return [each for each in walk(objects) if each.tag == tag]


def first(objects: Iterable[Tlv], tag: int) -> Tlv | None:
    """The first data object with this tag at any depth, or None."""
    return next((each for each in walk(objects) if each.tag == tag), None)


def encode_all(objects: Iterable[Tlv]) -> bytes:
    """Data objects on the wire, templates with what is in them.

    Raises:
        ValueError: a value is longer than 64 KiB.
    """
    pieces: list[bytes] = []
    for tag, value, children in objects:
        content = encode_all(children) if children else value
        pieces += (_head(tag, len(content)), content)
    return b"".join(pieces)
