"""What the bits of EMV's data objects mean (EMV Book 3, Annex C; Book 4, Annex A; Books C-2, C-3).

Rules of this file: data, and nothing else. One row a bit: tag, byte from 1, mask, meaning. The
words are those of the books. Values that are no single bits have tables of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# Tag, byte, mask, meaning.
_BITS = """
82 1 40 SDA supported
82 1 20 DDA supported
82 1 10 Cardholder verification is supported
82 1 08 Terminal risk management is to be performed
82 1 04 Issuer authentication is supported
82 1 02 On-device cardholder verification is supported
82 1 01 CDA supported
82 2 80 EMV mode is supported
82 2 01 Relay resistance protocol is supported
95 1 80 Offline data authentication was not performed
95 1 40 SDA failed
95 1 20 ICC data missing
95 1 10 Card appears on terminal exception file
95 1 08 DDA failed
95 1 04 CDA failed
95 1 02 SDA selected
95 2 80 ICC and terminal have different application versions
95 2 40 Expired application
95 2 20 Application not yet effective
95 2 10 Requested service not allowed for card product
95 2 08 New card
95 3 80 Cardholder verification was not successful
95 3 40 Unrecognised CVM
95 3 20 PIN Try Limit exceeded
95 3 10 PIN entry required and PIN pad not present or not working
95 3 08 PIN entry required, PIN pad present, but PIN was not entered
95 3 04 Online PIN entered
95 4 80 Transaction exceeds floor limit
95 4 40 Lower consecutive offline limit exceeded
95 4 20 Upper consecutive offline limit exceeded
95 4 10 Transaction selected randomly for online processing
95 4 08 Merchant forced transaction online
95 5 80 Default TDOL used
95 5 40 Issuer authentication failed
95 5 20 Script processing failed before final GENERATE AC
95 5 10 Script processing failed after final GENERATE AC
95 5 08 Relay resistance threshold exceeded
95 5 04 Relay resistance time limits exceeded
95 5 02 Relay resistance protocol performed
95 5 01 Relay resistance protocol not performed
9B 1 80 Offline data authentication was performed
9B 1 40 Cardholder verification was performed
9B 1 20 Card risk management was performed
9B 1 10 Issuer authentication was performed
9B 1 08 Terminal risk management was performed
9B 1 04 Script processing was performed
9F07 1 80 Valid for domestic cash transactions
9F07 1 40 Valid for international cash transactions
9F07 1 20 Valid for domestic goods
9F07 1 10 Valid for international goods
9F07 1 08 Valid for domestic services
9F07 1 04 Valid for international services
9F07 1 02 Valid at ATMs
9F07 1 01 Valid at terminals other than ATMs
9F07 2 80 Domestic cashback allowed
9F07 2 40 International cashback allowed
9F33 1 80 Manual key entry
9F33 1 40 Magnetic stripe
9F33 1 20 IC with contacts
9F33 2 80 Plaintext PIN for ICC verification
9F33 2 40 Enciphered PIN for online verification
9F33 2 20 Signature (paper)
9F33 2 10 Enciphered PIN for offline verification
9F33 2 08 No CVM Required
9F33 3 80 SDA
9F33 3 40 DDA
9F33 3 20 Card capture
9F33 3 08 CDA
9F40 1 80 Cash
9F40 1 40 Goods
9F40 1 20 Services
9F40 1 10 Cashback
9F40 1 08 Inquiry
9F40 1 04 Transfer
9F40 1 02 Payment
9F40 1 01 Administrative
9F40 2 80 Cash deposit
9F40 3 80 Numeric keys
9F40 3 40 Alphabetic and special characters keys
9F40 3 20 Command keys
9F40 3 10 Function keys
9F40 4 80 Print, attendant
9F40 4 40 Print, cardholder
9F40 4 20 Display, attendant
9F40 4 10 Display, cardholder
9F40 4 02 Code table 10
9F40 4 01 Code table 9
9F40 5 80 Code table 8
9F40 5 40 Code table 7
9F40 5 20 Code table 6
9F40 5 10 Code table 5
9F40 5 08 Code table 4
9F40 5 04 Code table 3
9F40 5 02 Code table 2
9F40 5 01 Code table 1
9F66 1 80 Mag-stripe mode supported
9F66 1 20 EMV mode supported
9F66 1 10 EMV contact chip supported
9F66 1 08 Offline-only reader
9F66 1 04 Online PIN supported
9F66 1 02 Signature supported
9F66 1 01 Offline data authentication for online authorizations supported
9F66 2 80 Online cryptogram required
9F66 2 40 CVM required
9F66 2 20 Contact chip offline PIN supported
9F66 3 80 Issuer update processing supported
9F66 3 40 Consumer device CVM supported
9F66 4 80 Fast DDA version 01 supported
9F6C 1 80 Online PIN required
9F6C 1 40 Signature required
9F6C 1 20 Go online if offline data authentication fails and reader is online capable
9F6C 1 10 Switch interface if offline data authentication fails and reader supports contact chip
9F6C 1 08 Go online if application expired
9F6C 1 04 Switch interface for cash transactions
9F6C 1 02 Switch interface for cashback transactions
9F6C 1 01 Not valid for contactless ATM transactions
9F6C 2 80 Consumer device CVM performed
9F6C 2 40 Card supports issuer update processing at the point of sale
9F27 1 08 Advice required
DF811B 1 80 Mag-stripe mode not supported
DF811B 1 40 EMV mode not supported
DF811B 1 20 On-device cardholder verification supported
DF811B 1 10 Relay resistance protocol supported
9F7E 1 01 Phones and other devices supported
"""


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of a data object: byte (from 1), mask, and what it says when it is set."""

    byte: int
    mask: int
    meaning: str


def _table() -> dict[int, tuple[Bit, ...]]:
    found: dict[int, tuple[Bit, ...]] = {}
    for line in _BITS.strip().splitlines():
        tag, byte, mask, meaning = line.split(" ", 3)
        found[int(tag, 16)] = (
            *found.get(int(tag, 16), ()),
            Bit(int(byte), int(mask, 16), meaning),
        )
    return found


BITS: Mapping[int, tuple[Bit, ...]] = MappingProxyType(_table())
"""Tag number to the bits of its value that have a meaning."""

CVM_METHODS: Mapping[int, str] = MappingProxyType(
    {
        0x00: "Fail CVM processing",
        0x01: "Plaintext PIN verification performed by ICC",
        0x02: "Enciphered PIN verified online",
        0x03: "Plaintext PIN verification performed by ICC and signature (paper)",
        0x04: "Enciphered PIN verification performed by ICC",
        0x05: "Enciphered PIN verification performed by ICC and signature (paper)",
        0x1E: "Signature (paper)",
        0x1F: "No CVM required",
        0x3F: "No CVM performed",
    }
)
"""CVM codes without the bit "apply next" (EMV Book 3, table 39; 3F is kernel 2's)."""

CVM_CONDITIONS: Mapping[int, str] = MappingProxyType(
    {
        0x00: "Always",
        0x01: "If unattended cash",
        0x02: "If not unattended cash and not manual cash and not purchase with cashback",
        0x03: "If terminal supports the CVM",
        0x04: "If manual cash",
        0x05: "If purchase with cashback",
        0x06: "If transaction is in the application currency and is under X value",
        0x07: "If transaction is in the application currency and is over X value",
        0x08: "If transaction is in the application currency and is under Y value",
        0x09: "If transaction is in the application currency and is over Y value",
    }
)
"""CVM condition codes (EMV Book 3, table 40)."""

CVM_OUTCOMES: Mapping[int, str] = MappingProxyType({0: "Unknown", 1: "Failed", 2: "Successful"})
"""Byte 3 of the CVM results (EMV Book 4, A4)."""

CRYPTOGRAMS: Mapping[int, str] = MappingProxyType(
    {0x00: "AAC: declined", 0x40: "TC: approved offline", 0x80: "ARQC: online authorisation"}
)
"""The two high bits of the cryptogram information data (EMV Book 3, table 15)."""

CRYPTOGRAM_REASONS: Mapping[int, str] = MappingProxyType(
    {1: "Service not allowed", 2: "PIN Try Limit exceeded", 3: "Issuer authentication failed"}
)
"""The three low bits of the same."""

MOBILE_CVM: Mapping[tuple[int, int], str] = MappingProxyType(
    {
        (1, 0x01): "Mobile CVM performed",
        (1, 0x3F): "No CVM performed",
        (2, 0x00): "Mobile CVM not required",
        (2, 0x03): "Terminal required CVM",
        (3, 0x01): "Mobile CVM failed",
        (3, 0x02): "Mobile CVM successful",
        (3, 0x03): "Mobile CVM blocked",
    }
)
"""American Express's 9F71: byte and value (as emv-bertlv reads it)."""

TERMINAL_TYPES: Mapping[int, str] = MappingProxyType(
    {
        high << 4 | low: f"{who}, {where}"
        for high, who in ((1, "bank"), (2, "merchant"), (3, "cardholder"))
        for low, where in (
            (1, "attended, online only"),
            (2, "attended, offline with online capability"),
            (3, "attended, offline only"),
            (4, "unattended, online only"),
            (5, "unattended, offline with online capability"),
            (6, "unattended, offline only"),
        )
    }
)
"""9F35 (EMV Book 4, A1)."""

TRANSACTION_TYPES: Mapping[int, str] = MappingProxyType(
    {
        0x00: "purchase",
        0x01: "cash",
        0x09: "purchase with cashback",
        0x17: "manual cash",
        0x20: "refund",
        0x30: "balance inquiry",
    }
)
"""9C, the first two digits of the processing code (ISO 8583:1987)."""

VISA_FORM_FACTORS: Mapping[int, str] = MappingProxyType(
    {
        0x00: "card",
        0x01: "mini card",
        0x02: "other than card",
        0x03: "mobile phone",
        0x04: "watch",
        0x05: "key fob or other device",
    }
)
"""The low five bits of byte 1 of Visa's 9F6E, as far as published transcripts and lists agree."""

MASTERCARD_FORM_FACTORS: Mapping[str, str] = MappingProxyType(
    {
        "00": "card",
        "01": "mobile phone",
        "02": "key fob",
        "03": "watch",
        "04": "sticker or mobile tag",
        "05": "wristband",
        "06": "phone case or sleeve",
        "07": "phone with a fixed secure element",
        "08": "phone with a removable secure element",
        "09": "phone with a secure element of another kind",
        "10": "tablet",
    }
)
"""Two characters of Mastercard's third party data (9F6E)."""
