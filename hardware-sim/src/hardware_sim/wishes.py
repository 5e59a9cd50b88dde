"""What a simulated card wants of the reader, in the bits that its scheme says it in.

Rules of this file: a profile's word for the cardholder verification (``signature``, ``online-pin``,
``device``, ``none``) goes in, a data object comes out. Cards are data and know no readers.
"""

from __future__ import annotations

from enum import Enum


class Cryptogram(Enum):
    """What the card says about the sale: bits 8 and 7 of tag 9F27 (EMV Book 3, table 14)."""

    AAC = 0x00
    TC = 0x40
    ARQC = 0x80


def decided(decision: str, *, online_only: bool) -> Cryptogram:
    """The cryptogram that a card gives by its profile's ``decision``, where it may choose."""
    if decision == "decline":
        return Cryptogram.AAC
    return Cryptogram.TC if decision == "offline" and not online_only else Cryptogram.ARQC


def qualifiers(cvm: str, terminal: bytes) -> bytes:
    """Tag 9F6C for a reader with these qualifiers (9F66), in the bits that kernels 3 and 7 test."""
    if cvm == "device":
        return b"\x00\x80"
    if not terminal[1] & 0x40:
        return bytes(2)
    if cvm == "online-pin" and terminal[0] & 0x04:
        return b"\x80\x00"
    if cvm != "none" and terminal[0] & 0x02:
        return b"\x40\x00"
    return bytes(2)


def requirements(stated: bytes) -> bytes:
    """Tag 9F71: the wishes of 9F6C in the bits that Discover's cards say them in."""
    return bytes((stated[0] & 0xC0 | (stated[1] & 0x80) >> 3, 0))


def verification_status(cvm: str, profile: bytes) -> bytes:
    """Tag 9F50: what J/Speedy's card chooses when the reader's profile (9F53) needs something."""
    if cvm == "device":
        return b"\x30"
    if not profile[0] & 0x80:
        return b"\x00"
    return {"signature": b"\x10", "online-pin": b"\x20"}.get(cvm, b"\x00")
