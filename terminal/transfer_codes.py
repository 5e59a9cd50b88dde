"""What a QR code for a bank transfer carries: SEPA's own form, and EMV's for merchants.

Rules of this file: text only; a face draws it. Sources: EPC069-12 v2.1 (the SEPA credit transfer
QR code) and EMV QRCPS Merchant-Presented Mode v1.1 (TLV with two-digit ids and lengths, and a
CRC-16/CCITT-FALSE over everything before it, 4.7.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from terminal.errors import AmountError, ConfigError
from terminal.money import Amount


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid. ``iban`` without spaces; ``network`` and ``account`` are for EMV codes."""

    name: str
    iban: str = ""
    bic: str = ""
    city: str = ""
    country: str = ""
    network: str = ""
    account: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 70:
            raise ConfigError("The payee's name has 1 to 70 letters.")
        if self.iban and not iban_valid(self.iban):
            raise ConfigError(f"{self.iban!r} is not an IBAN.", remedy="Check its digits.")


def iban_valid(iban: str) -> bool:
    """Whether the check digits of an IBAN hold (ISO 13616: MOD 97-10)."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}", iban, re.ASCII):
        return False
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def sepa_code(payee: Payee, amount: Amount, reference: str) -> str:
    """The text of an EPC069-12 code: twelve lines, at most 331 bytes.

    Raises:
        AmountError: not in euros, or outside 0.01 to 999,999,999.99.
        ConfigError: the payee has no IBAN, or the text is too long.
    """
    if amount.currency.code != "EUR" or not 1 <= amount.minor <= 99_999_999_999:
        raise AmountError(f"{amount} cannot be asked for by a SEPA code.")
    if not payee.iban:
        raise ConfigError("A SEPA transfer needs the payee's IBAN.")
    lines = (
        *("BCD", "002", "1", "SCT", payee.bic, payee.name, payee.iban),
        *(f"EUR{amount.decimal}", "", "", reference[:140]),
    )
    text = "\n".join(lines)
    if len(text.encode()) > 331:
        raise ConfigError("The transfer's code is longer than 331 bytes.")
    return text


def merchant_code(payee: Payee, amount: Amount, reference: str) -> str:
    """The text of an EMV merchant-presented code, dynamic (with an amount), CRC included.

    Raises:
        AmountError: the amount has more than 13 characters.
        ConfigError: the payee lacks city, country, network or account.
    """
    if not (payee.city and re.fullmatch(r"[A-Z]{2}", payee.country)):
        raise ConfigError("A merchant code needs the payee's city and country.")
    if not (payee.network and payee.account):
        raise ConfigError("A merchant code needs the payee's network and account.")
    if len(amount.decimal) > 13:
        raise AmountError(f"{amount} does not fit a merchant code.")
    account = _tlv("00", payee.network) + _tlv("01", payee.account)
    body = "".join(
        (
            _tlv("00", "01"),
            _tlv("01", "12"),
            _tlv("26", account),
            _tlv("52", "0000"),
            _tlv("53", f"{amount.currency.number:03d}"),
            _tlv("54", amount.decimal),
            _tlv("58", payee.country),
            _tlv("59", payee.name[:25]),
            _tlv("60", payee.city[:15]),
            _tlv("62", _tlv("05", reference[:25])),
            "6304",
        )
    )
    return f"{body}{crc16(body.encode()):04X}"


def _tlv(tag: str, value: str) -> str:
    if not 1 <= len(value) <= 99:
        raise ConfigError(f"Field {tag} of a merchant code has 1 to 99 characters.")
    return f"{tag}{len(value):02d}{value}"


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 1021, initial value FFFF."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
