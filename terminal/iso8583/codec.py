"""Messages to bytes and back: pyiso8583 at the core, and nothing past it that is not exact.

Rules of this file: pyiso8583 reads ``+9`` and `` 9`` as lengths, letters in numeric fields and
any four characters as a message type. So a message counts as read only when its content is of
the right class *and* writing it again gives the same bytes: there is one way to write a message,
and everything else is refused. Errors name a field and never what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import iso8583

from terminal.errors import HostGarbled
from terminal.iso8583.profile import Layout

_Pieces = Mapping[str, Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """A decoded message: its type (four digits) and its fields by number.

    Text fields are as on the wire, with their padding; binary fields are upper-case
    hexadecimal.
    """

    mti: str
    fields: Mapping[int, str] = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))


def encode(layout: Layout, message: Message) -> bytes:
    """The bytes of a message, without framing.

    Raises:
        AssertionError: the message breaks the layout. We broke the rules, nobody else.
    """
    fault = _fault(layout, message)
    if fault is None:
        try:
            return _join(layout, _encoded(layout, message))
        except iso8583.EncodeError as error:
            fault = f"{_describe(layout, error.field)} cannot be written"
    # Raised here, outside the handler: pyiso8583's errors hold the message they are about.
    raise AssertionError(f"our own message is wrong: {fault}")


def decode(layout: Layout, wire: bytes) -> Message:
    """The message in ``wire``, which is one whole message without framing.

    Raises:
        HostGarbled: the bytes are not exactly one message of this layout.
    """
    fault = _bitmap_fault(layout, wire)
    if fault is None:
        try:
            values, pieces = iso8583.decode(wire, layout.spec)
        except iso8583.DecodeError as error:
            fault = f"{_describe(layout, error.field)} cannot be read"
    if fault is None:
        fields = {int(key): value for key, value in values.items() if key not in {"t", "p", "1"}}
        message = Message(values["t"], fields)
        fault = _fault(layout, message) or _difference(layout, message, pieces, wire)
        if fault is None:
            return message
    # Raised here, outside the handler: pyiso8583's errors hold the message they are about.
    raise HostGarbled(f"The host's message is malformed: {fault}.")


def _describe(layout: Layout, key: str) -> str:
    named = {"t": "the message type", "p": "the bitmap", "1": "the second bitmap"}
    return named.get(key) or f"DE {key} ({layout.fields[int(key)].name})"


def _fault(layout: Layout, message: Message) -> str | None:
    """What is wrong with the values of a message, or None."""
    if not re.fullmatch(r"[0-9]{4}", message.mti, re.ASCII):
        return "the message type is not four digits"
    if not message.fields:
        return "there is no field"
    for number, value in message.fields.items():
        form = layout.fields.get(number)
        if form is None:
            return f"DE {number} does not exist here"
        if not form.admits(value):
            return f"DE {number} ({form.name}) is not {form.content.name}"
    return None


def _bitmap_fault(layout: Layout, wire: bytes) -> str | None:
    """What is wrong with the bitmaps, or None; a wrong length is left to pyiso8583."""
    start = layout.spec["t"]["max_len"]
    width = layout.spec["p"]["max_len"]
    raw = wire[start : start + 2 * width]
    if layout.bitmap_encoding != "b":
        text = raw.decode(layout.bitmap_encoding, errors="replace")
        match = re.match(r"(?:[0-9A-F]{2})*", text, re.ASCII)
        raw = bytes.fromhex(match.group()) if match else b""
    if len(raw) < 8:
        return "the bitmap cannot be read"
    numbers = _numbers(raw[:8], 0)
    if 1 in numbers:
        if len(raw) < 16:
            return "the second bitmap cannot be read"
        second = _numbers(raw[8:], 64)
        if not second and not layout.secondary_always:
            return "the second bitmap is empty"
        numbers = [number for number in numbers if number != 1] + second
    for number in numbers:
        if number not in layout.fields:  # DE 65, a third bitmap, is in no layout.
            return f"DE {number} does not exist here"
    return None


def _numbers(bitmap: bytes, offset: int) -> list[int]:
    bits = int.from_bytes(bitmap, "big")
    return [offset + 64 - bit for bit in range(63, -1, -1) if bits >> bit & 1]


def _encoded(layout: Layout, message: Message) -> _Pieces:
    values = {str(number): value for number, value in message.fields.items()}
    _, pieces = iso8583.encode({"t": message.mti, **values}, layout.spec)
    return pieces


def _join(layout: Layout, encoded: _Pieces) -> bytes:
    pieces = dict(encoded)
    if layout.secondary_always and "1" not in pieces:
        primary = pieces["p"]["data"]
        if layout.bitmap_encoding != "b":
            raise AssertionError("an empty second bitmap is only known in binary")
        pieces["p"] = {"len": b"", "data": bytes([primary[0] | 0x80]) + primary[1:]}
        pieces["1"] = {"len": b"", "data": bytes(8)}
    fields = sorted(int(key) for key in pieces.keys() - {"t", "p"})  # 1 is the second bitmap.
    return b"".join(
        pieces[key]["len"] + pieces[key]["data"] for key in ("t", "p", *map(str, fields))
    )


def _difference(layout: Layout, message: Message, pieces: _Pieces, wire: bytes) -> str | None:
    """Where writing the message again gives other bytes than were read, or None."""
    try:
        again = _encoded(layout, message)
    except iso8583.EncodeError as error:
        return f"{_describe(layout, error.field)} cannot be written again"
    for number in sorted(message.fields):
        key = str(number)
        if pieces[key] != again[key]:
            return f"{_describe(layout, key)} is not written as it should be"
    return None if _join(layout, again) == wire else "the bitmap is not written as it should be"
