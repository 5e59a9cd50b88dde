"""Checks one ISO 8583 message against an acquirer's profile, field by field, with reasons.

Rules of this file: it goes on after the first fault, since whoever certifies a terminal wants all
of them at once. It says what a field is and whether it fits; of fields that hold card data it
shows the length alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import iso8583

from terminal.errors import HostGarbled
from terminal.iso8583.packing import unpack
from terminal.iso8583.profile import Field, MessageFormat, Profile

_HIDDEN = frozenset({2, 14, 35, 36, 45, 52, 55})


@dataclass(frozen=True, slots=True)
class FieldReport:
    """One field of a message: ``fault`` is empty when it is as the profile wants it."""

    number: int
    name: str
    value: str
    presence: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class MessageReport:
    """A whole message. ``faults`` has those of the fields too, in their order."""

    mti: str
    fields: tuple[FieldReport, ...]
    faults: tuple[str, ...]


def check_message(profile: Profile, wire: bytes) -> MessageReport:
    """Everything that can be said about ``wire``, one message without its frame's length."""
    body = wire[len(profile.header) :]
    try:
        values, _ = iso8583.decode(body, profile.layout.spec)
    except iso8583.DecodeError as error:
        where = _title(profile, int(error.field)) if error.field.isdecimal() else error.field
        return MessageReport(body[:4].decode("ascii", "replace"), (), (f"{where}: {error.msg}",))
    except KeyError:
        # pyiso8583 has no words for a field that the layout does not know; the strict reading has.
        return MessageReport(body[:4].decode("ascii", "replace"), (), tuple(_strict(profile, wire)))
    mti = values["t"]
    present = {int(key): value for key, value in values.items() if key not in {"t", "p", "1"}}
    form = profile.form_of(mti, present)
    reports = [_field(profile, number, value, form) for number, value in sorted(present.items())]
    faults = [f"{_title(profile, each.number)}: {each.fault}" for each in reports if each.fault]
    if form is None:
        faults.insert(0, f"message type {mti} does not exist in profile {profile.name}")
    else:
        missing = sorted(form.required - present.keys())
        faults += [f"{_title(profile, number)}: is missing" for number in missing]
    if not faults:
        faults += _strict(profile, wire)
    return MessageReport(mti, tuple(reports), tuple(faults))


def _strict(profile: Profile, wire: bytes) -> Sequence[str]:
    """What only the strict reading finds, such as a bitmap or a length that is not canonical."""
    try:
        unpack(profile, wire)
    except HostGarbled as garbled:
        return (garbled.message,)
    return ()


def _title(profile: Profile, number: int) -> str:
    known = profile.layout.fields.get(number)
    return f"DE {number} ({known.name})" if known else f"DE {number}"


def _field(profile: Profile, number: int, value: str, form: MessageFormat | None) -> FieldReport:
    known = profile.layout.fields.get(number)
    hidden = number in _HIDDEN or number == profile.envelope_field
    presence = "required" if form and number in form.required else "optional"
    fault = ""
    if form is not None and number not in form.allowed:
        presence, fault = "not allowed", "may not stand in this message"
    elif known is not None:
        fault = _content_fault(known, value)
    shown = f"({len(value)} characters)" if hidden else value
    return FieldReport(number, known.name if known else "", shown, presence, fault)


def _content_fault(known: Field, value: str) -> str:
    if not known.admits(value):
        return f"has characters that are not of the class {known.content.name.lower()}"
    size = len(value) if known.encoding != "b" or known.nibbles else len(value) // 2
    if not known.prefix_bytes and size != known.length:
        return f"has {size} of {known.length} characters"
    return f"is longer than {known.length}" if size > known.length else ""
