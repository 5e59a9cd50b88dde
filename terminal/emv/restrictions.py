"""Processing restrictions (EMV Book 3, 10.4): versions, usage control, dates; a TVR comes out.

Rules of this file: a pure function of what card and terminal say; the TVR bits it sets are all in
byte 2.
"""

from __future__ import annotations

from collections.abc import Mapping

from terminal.emv import tags
from terminal.emv.account import parse_date

VERSIONS_DIFFER = 0x80
EXPIRED = 0x40
NOT_YET_EFFECTIVE = 0x20
SERVICE_NOT_ALLOWED = 0x10

_CASH = frozenset({0x01, 0x17})
_CASHBACK = 0x09


def sortable(yymmdd: str) -> str:
    """The date with its century, by EMV's window: years 50 to 99 are 19xx (Book 4, 6.7.3)."""
    return ("19" if yymmdd >= "50" else "20") + yymmdd


def is_expired(card: Mapping[int, bytes], today: bytes) -> bool:
    """Whether the expiration date (5F24) lies before ``today`` (9A).

    Raises:
        CardError: the date is malformed.
    """
    value = card.get(tags.EXPIRY_5F24)
    if value is None:
        return False
    return sortable(parse_date(value, tags.EXPIRY_5F24)) < sortable(today.hex())


def is_not_yet_effective(card: Mapping[int, bytes], today: bytes) -> bool:
    """Whether the effective date (5F25) lies behind ``today`` (9A).

    Raises:
        CardError: the date is malformed.
    """
    value = card.get(tags.EFFECTIVE_5F25)
    if value is None:
        return False
    return sortable(parse_date(value, tags.EFFECTIVE_5F25)) > sortable(today.hex())


def is_service_allowed(card: Mapping[int, bytes], terminal: Mapping[int, bytes]) -> bool:
    """Whether the application usage control (9F07) allows this transaction (Book 3, 10.4.2)."""
    control = card.get(tags.USAGE_CONTROL_9F07)
    if control is None or len(control) != 2:
        return True
    kind = terminal[tags.TERMINAL_TYPE_9F35][0]
    automat = kind in {0x14, 0x15, 0x16} and bool(
        terminal[tags.ADDITIONAL_CAPABILITIES_9F40][0] & 0x80
    )
    if not control[0] & (0x02 if automat else 0x01):
        return False
    issuer = card.get(tags.ISSUER_COUNTRY_5F28)
    if issuer is None:
        return True
    domestic = issuer == terminal[tags.COUNTRY_9F1A]
    number = terminal[tags.TRANSACTION_TYPE_9C][0]
    if number in _CASH:
        return bool(control[0] & (0x80 if domestic else 0x40))
    if number == _CASHBACK and not control[1] & (0x80 if domestic else 0x40):
        return False
    return bool(control[0] & (0x28 if domestic else 0x14))


def processing_restrictions(card: Mapping[int, bytes], terminal: Mapping[int, bytes]) -> int:
    """Byte 2 of the TVR after processing restrictions.

    Raises:
        CardError: a date of the card is malformed.
    """
    today = terminal[tags.DATE_9A]
    version = card.get(tags.CARD_VERSION_9F08)
    byte_2 = 0
    if version is not None and version != terminal[tags.TERMINAL_VERSION_9F09]:
        byte_2 |= VERSIONS_DIFFER
    if not is_service_allowed(card, terminal):
        byte_2 |= SERVICE_NOT_ALLOWED
    if is_not_yet_effective(card, today):
        byte_2 |= NOT_YET_EFFECTIVE
    if is_expired(card, today):
        byte_2 |= EXPIRED
    return byte_2
