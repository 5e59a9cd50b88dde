"""A message as bytes and back, held to its profile on both ways.

Rules of this file: a message of ours that breaks the profile is our mistake, one of the host's is
garbled; nothing between the two is let through.
"""

from __future__ import annotations

from functools import lru_cache

from terminal.errors import HostGarbled
from terminal.iso8583 import codec
from terminal.iso8583.codec import Message
from terminal.iso8583.profile import Profile


def pack(profile: Profile, message: Message) -> bytes:
    """The bytes of a message as one frame holds them.

    Raises:
        AssertionError: the message breaks the profile.
    """
    if fault := _format_fault(profile, message):
        raise AssertionError(f"our own message is wrong: {fault}")
    return profile.header + codec.encode(profile.layout, message)


# A request and its answer are each read once to match them and once to judge them.
@lru_cache(maxsize=4)
def unpack(profile: Profile, wire: bytes) -> Message:
    """The message that one frame holds.

    Raises:
        HostGarbled: the bytes are not one message of this profile, with the right fields.
    """
    message = codec.decode(profile.layout, wire[len(profile.header) :])
    if fault := _format_fault(profile, message):
        raise HostGarbled(f"The host's message is malformed: {fault}.")
    return message


def _format_fault(profile: Profile, message: Message) -> str | None:
    form = profile.form_of(message.mti, message.fields)
    if form is None:
        return f"message type {message.mti} does not exist here"
    if missing := form.required - message.fields.keys():
        return f"{message.mti} lacks DE {min(missing)} ({field_name(profile, min(missing))})"
    if extra := message.fields.keys() - form.allowed:
        return f"{message.mti} may not have DE {min(extra)} ({field_name(profile, min(extra))})"
    return None


def field_name(profile: Profile, number: int) -> str:
    """What a field is called in this dialect, for a person."""
    return profile.layout.fields[number].name if number in profile.layout.fields else "unknown"
