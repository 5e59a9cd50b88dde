"""From tags 57, 5A and 5F24 to the card data values of ``terminal.card``.

Rules of this file: what two tags say must agree, and no message carries a digit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from terminal.card import CardData, Pan, Track2
from terminal.emv import tags
from terminal.errors import CardError

_TRACK_2 = re.compile(
    r"(?P<pan>[0-9]{8,19})D(?P<expiry>[0-9]{2}(?:0[1-9]|1[0-2]))[0-9]{3,24}F?", re.ASCII
)
_TRACK_1 = re.compile(
    r"B(?P<pan>[0-9]{8,19})\^(?P<name>[^^]{0,26})\^"
    r"(?P<expiry>[0-9]{2}(?:0[1-9]|1[0-2]))(?P<service>[0-9]{3})[^^]*",
    re.ASCII,
)
_PAN = re.compile(r"(?P<pan>[0-9]{8,19})F*", re.ASCII)
_DATE = re.compile(r"[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Track1:
    """Track 1 data (tag 56): account, expiry (YYMM), service code, last and first name."""

    pan: Pan
    expiry_yymm: str = field(repr=False)
    service: str
    name: tuple[str, ...] = field(repr=False)


def parse_track1(value: bytes) -> Track1:
    """Reads tag 56, format B (ISO/IEC 7813).

    Raises:
        CardError: not format B, or a malformed PAN, expiry or service code.
    """
    match = _TRACK_1.fullmatch(value.decode("ascii", "replace"))
    if match is None:
        raise CardError("The card's track 1 data (56) is malformed.")
    names = tuple(part.strip() for part in match["name"].split("/"))
    return Track1(Pan(match["pan"]), match["expiry"], match["service"], names)


def parse_track2(value: bytes) -> tuple[Pan, str, Track2]:
    """PAN, expiry (YYMM) and the whole of tag 57, of at most 19 bytes (ISO/IEC 7813).

    Raises:
        CardError: no separator, a malformed PAN or expiry, no service code, or an F that is
            not the single one that fills the last byte.
    """
    text = value.hex().upper()
    match = _TRACK_2.fullmatch(text)
    if match is None:
        raise CardError("The card's track 2 data (57) is malformed.")
    track = text.removesuffix("F")
    return Pan(match["pan"]), match["expiry"], Track2(track)


def parse_pan(value: bytes) -> Pan:
    """The PAN of tag 5A, which F nibbles fill up at the right.

    Raises:
        CardError: anything but 8 to 19 digits before the padding.
    """
    match = _PAN.fullmatch(value.hex().upper())
    if match is None:
        raise CardError("The card's PAN (5A) is malformed.")
    return Pan(match["pan"])


def parse_date(value: bytes, tag: int) -> str:
    """A date of tag 5F24 or 5F25 as ``YYMMDD``.

    Raises:
        CardError: not three bytes of digits that can be a date.
    """
    text = value.hex()
    if not _DATE.fullmatch(text):
        raise CardError(f"The card's date {tag:04X} is malformed.")
    return text


def card_data(objects: Mapping[int, bytes]) -> CardData:
    """The account on the card, from what its records and answers hold.

    Track 2 data counts first and the PAN of 5A has to agree with it; the expiry of 5F24 is
    preferred to that of track 2, because a card may state the latter for old hosts.

    Raises:
        CardError: PAN or expiry is missing or malformed, or 57 and 5A name different accounts.
    """
    pan: Pan | None = None
    expiry: str | None = None
    track2: Track2 | None = None
    if tags.TRACK_2_57 in objects:
        pan, expiry, track2 = parse_track2(objects[tags.TRACK_2_57])
    if tags.PAN_5A in objects:
        stated = parse_pan(objects[tags.PAN_5A])
        if pan is not None and pan != stated:
            raise CardError("The card names one account in track 2 (57) and another in 5A.")
        pan = stated
    if tags.EXPIRY_5F24 in objects:
        expiry = parse_date(objects[tags.EXPIRY_5F24], tags.EXPIRY_5F24)[:4]
    if pan is None:
        raise CardError("The card gave no account number (neither 57 nor 5A).")
    if expiry is None:
        raise CardError("The card gave no expiry date (neither 57 nor 5F24).")
    return CardData(
        pan=pan,
        expiry_yymm=expiry,
        sequence=_sequence(objects.get(tags.PAN_SEQUENCE_5F34)),
        track2=track2,
        par=_par(objects.get(tags.PAR_9F24)),
    )


def _sequence(value: bytes | None) -> int | None:
    if value is None:
        return None
    digits = value.hex()
    if len(value) != 1 or not digits.isdecimal():
        raise CardError("The card's PAN sequence number (5F34) is malformed.")
    return int(digits)


def _par(value: bytes | None) -> str | None:
    # A malformed reference decides nothing, so it is dropped and the card is not refused for it.
    text = "" if value is None else value.decode("ascii", "replace")
    return text if re.fullmatch(r"[0-9A-Z]{29}", text, re.ASCII) else None
