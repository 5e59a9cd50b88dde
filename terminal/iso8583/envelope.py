"""The sealed card as the fields of a message, and back.

Rules of this file: pure; both halves of the conversation use it, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping

from terminal.iso8583.profile import Profile

SERIAL_AT = slice(2, 14)
"""Where a DUKPT envelope has its key serial number: behind its version and suite."""


def envelope_fields(profile: Profile, envelope: bytes) -> dict[int, str]:
    """The sealed card as its fields: whole, or with its key serial number in a field of its own."""
    if not profile.serial_field:
        return {profile.envelope_field: envelope.hex().upper()}
    serial = envelope[SERIAL_AT]
    rest = envelope[: SERIAL_AT.start] + envelope[SERIAL_AT.stop :]
    return {profile.serial_field: serial.hex().upper(), profile.envelope_field: rest.hex().upper()}


def envelope_of(profile: Profile, fields: Mapping[int, str]) -> bytes:
    """The sealed card that ``envelope_fields`` took apart; empty where there is none."""
    rest = bytes.fromhex(fields.get(profile.envelope_field, ""))
    serial = bytes.fromhex(fields.get(profile.serial_field, ""))
    return rest[: SERIAL_AT.start] + serial + rest[SERIAL_AT.start :]
