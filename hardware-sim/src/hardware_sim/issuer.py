"""The simulated issuer: master keys, session keys, cryptograms and the answers to them.

Rules of this file: it computes what an issuer's security module computes and knows nothing of
cards, readers or messages. The issuer master keys are constants of the simulator, one per
scheme, derived from a sentence: they are public and protect nothing.

What each cryptogram version is computed over is taken from pyemv and from the hardware-checked
vectors of the tests, which agree.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hardware_sim.cryptogram import (
    Padding,
    SessionKey,
    arpc_method_1,
    arpc_method_2,
    check_key,
    icc_master_key_b,
    mac,
    odd_parity,
    session_key,
)

AMOUNT_9F02 = 0x9F02
AMOUNT_OTHER_9F03 = 0x9F03
COUNTRY_9F1A = 0x9F1A
TVR_95 = 0x95
CURRENCY_5F2A = 0x5F2A
DATE_9A = 0x9A
TYPE_9C = 0x9C
UNPREDICTABLE_9F37 = 0x9F37
AIP_82 = 0x82
ATC_9F36 = 0x9F36
IAD_9F10 = 0x9F10
CRYPTOGRAM_9F26 = 0x9F26
CID_9F27 = 0x9F27
DF_NAME_84 = 0x84

CRYPTOGRAM_INPUT = MappingProxyType(
    {
        AMOUNT_9F02: 6,
        AMOUNT_OTHER_9F03: 6,
        COUNTRY_9F1A: 2,
        TVR_95: 5,
        CURRENCY_5F2A: 2,
        DATE_9A: 3,
        TYPE_9C: 1,
        UNPREDICTABLE_9F37: 4,
        AIP_82: 2,
        ATC_9F36: 2,
    }
)
"""What every cryptogram here is computed over, in this order, with the lengths in bytes. Part
of the issuer application data (9F10) follows (EMV Book 2, 8.1.1)."""

TERMINAL_INPUT = frozenset(CRYPTOGRAM_INPUT) - {AIP_82, ATC_9F36}
"""The part of it that the terminal sends to the card."""

NO_OFFLINE_COUNTERS = bytes(7) + b"\xff"
"""The counters that a Mastercard-like card of this simulator reports: it keeps none."""

DERIVATION_KEY_INDEX = 1
"""The one set of keys that the simulated issuers have."""


@dataclass(frozen=True, slots=True)
class CryptogramVersion:
    """One way of computing a cryptogram, as the issuer application data names it.

    ``iad_parts`` are the slices of 9F10 that end the input; None stands for the end. ``iad_length``
    is the one length that 9F10 can have, or None where every byte of it is in the input anyway.
    """

    number: int
    session: SessionKey
    padding: Padding
    iad_parts: tuple[tuple[int, int | None], ...]
    iad_length: int | None
    arpc_method: int
    arpc_session: SessionKey


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """One scheme's issuer in this simulator. ``rid`` is the scheme's five bytes."""

    scheme: str
    rid: bytes
    master_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.rid) != 5:
            raise ValueError("a RID has five bytes")
        check_key(self.master_key)


_VISA_10 = CryptogramVersion(10, SessionKey.NONE, Padding.ZEROS, ((3, 7),), 7, 1, SessionKey.NONE)
_VISA_18 = CryptogramVersion(
    18, SessionKey.COMMON, Padding.MARKED, ((0, None),), None, 2, SessionKey.COMMON
)
_CVR = ((2, 8),)
_CVR_AND_COUNTERS = ((2, 8), (10, 18))
_MASTERCARD = tuple(
    CryptogramVersion(number, session, Padding.MARKED, parts, 18, 1, arpc_session)
    for number, session, parts, arpc_session in (
        (16, SessionKey.MASTERCARD, _CVR, SessionKey.NONE),
        (17, SessionKey.MASTERCARD, _CVR_AND_COUNTERS, SessionKey.NONE),
        (20, SessionKey.COMMON, _CVR, SessionKey.COMMON),
        (21, SessionKey.COMMON, _CVR_AND_COUNTERS, SessionKey.COMMON),
    )
)
# The computation behind American Express's version 1 is not public. The simulator gives its
# Amex-like card the oldest of the others, which says nothing about real cards.
_AMEX_1 = CryptogramVersion(1, SessionKey.NONE, Padding.ZEROS, ((3, 7),), 7, 1, SessionKey.NONE)

# Nor are those of the schemes below public. The simulator computes theirs as version 18 above.
_OTHER_1 = CryptogramVersion(
    1, SessionKey.COMMON, Padding.MARKED, ((0, None),), None, 2, SessionKey.COMMON
)

VERSIONS: Mapping[str, Mapping[int, CryptogramVersion]] = MappingProxyType(
    {
        "Visa": {version.number: version for version in (_VISA_10, _VISA_18)},
        "Mastercard": {version.number: version for version in _MASTERCARD},
        "Amex": {1: _AMEX_1},
        "JCB": {1: _OTHER_1},
        "Discover": {1: _OTHER_1},
        "UnionPay": {1: _OTHER_1},
    }
)
"""The cryptogram versions that each scheme's issuer knows, by number."""


def _simulated(scheme: str, rid: str) -> IssuerKeys:
    sentence = f"Taptill simulator: test issuer master key of {scheme}"
    key = odd_parity(hashlib.sha256(sentence.encode()).digest()[:16])
    return IssuerKeys(scheme, bytes.fromhex(rid), key)


ISSUERS: Mapping[str, IssuerKeys] = MappingProxyType(
    {
        "Visa": _simulated("Visa", "A000000003"),
        "Mastercard": _simulated("Mastercard", "A000000004"),
        "Amex": _simulated("Amex", "A000000025"),
        "JCB": _simulated("JCB", "A000000065"),
        "Discover": _simulated("Discover", "A000000152"),
        "UnionPay": _simulated("UnionPay", "A000000333"),
    }
)
"""The simulated issuers by scheme. Maestro cards belong to Mastercard's."""


def issuer_of(pan: str) -> IssuerKeys | None:
    """The simulated issuer of a card number by its first digits, or None (ISO/IEC 7812)."""
    if pan.startswith("4"):
        return ISSUERS["Visa"]
    if pan.startswith(("34", "37")):
        return ISSUERS["Amex"]
    if pan.startswith(("5", "67")) or 2221 <= int(pan[:4]) <= 2720:
        return ISSUERS["Mastercard"]
    if 3528 <= int(pan[:4]) <= 3589:
        return ISSUERS["JCB"]
    if pan.startswith(("6011", "65", "36")) or 644 <= int(pan[:3]) <= 649:
        return ISSUERS["Discover"]
    return ISSUERS["UnionPay"] if pan.startswith("62") else None


def icc_master_key(keys: IssuerKeys, pan: str, sequence: int) -> bytes:
    """The master key of one card: option A up to 16 digits and option B beyond."""
    return icc_master_key_b(keys.master_key, pan, sequence)


def cryptogram_version(scheme: str, iad: bytes) -> CryptogramVersion | None:
    """The version that the issuer application data names, or None.

    Mastercard begins with the key index; the others put a length byte first (06), then the key
    index and the version. The index must be one that the simulated issuer has.
    """
    known = VERSIONS.get(scheme, {})
    index_at = 0 if scheme == "Mastercard" else 1
    if len(iad) < 7 or iad[index_at] != DERIVATION_KEY_INDEX:
        return None
    if index_at and (iad[0] != 6 or iad[3] != 3):
        return None
    version = known.get(iad[index_at + 1])
    if version is None or version.iad_length not in {None, len(iad)}:
        return None
    return version


def application_cryptogram(
    version: CryptogramVersion, master_key: bytes, data: Mapping[int, bytes]
) -> bytes:
    """The ARQC, TC or AAC, 8 bytes, over the data objects in ``data`` (EMV Book 2, 8.1).

    Args:
        version: how to compute it.
        master_key: the card's master key, 16 bytes.
        data: the tags of ``CRYPTOGRAM_INPUT`` and 9F10.

    Raises:
        KeyError: a tag is missing.
    """
    iad = data[IAD_9F10]
    ending = b"".join(iad[start:stop] for start, stop in version.iad_parts)
    message = b"".join(data[tag] for tag in CRYPTOGRAM_INPUT) + ending
    key = session_key(version.session, master_key, data[ATC_9F36], data[UNPREDICTABLE_9F37])
    return mac(key, message, version.padding)


def dynamic_number(master_key: bytes, atc: bytes) -> bytes:
    """The ICC dynamic number of one transaction, 8 bytes.

    A simulator's own choice: a MAC of the ATC, so that the issuer can check the two bytes of it
    which a Mastercard-like card puts in 9F10 and which no cryptogram covers.
    """
    return mac(master_key, b"ICC dynamic number" + atc)


def arqc_fault(
    keys: IssuerKeys, pan: str, sequence: int, chip_data: Mapping[int, bytes]
) -> str | None:
    """Why the chip data does not prove that this card asked for this sale; None when it does.

    Every byte of the cryptogram, of its input and of 9F10 is checked. What no cryptogram covers
    (terminal capabilities, CVM results and the like) is not: that is the acquirer's part.

    Args:
        keys: the issuer's keys.
        pan: the card number.
        sequence: the PAN sequence number (5F34), 0 for a card without one.
        chip_data: DE 55, by tag.
    """
    lengths = {**CRYPTOGRAM_INPUT, CRYPTOGRAM_9F26: 8, CID_9F27: 1}
    for tag, length in lengths.items():
        if len(chip_data.get(tag, b"")) != length:
            return f"tag {tag:X} is missing or not {length} bytes long"
    if chip_data[CID_9F27][0] & 0xC0 != 0x80 or chip_data[CID_9F27][0] & 0x3F:
        return "tag 9F27 does not announce an ARQC"
    if not chip_data.get(DF_NAME_84, keys.rid).startswith(keys.rid):
        return "tag 84 belongs to another scheme than the card number"
    iad = chip_data.get(IAD_9F10, b"")
    version = cryptogram_version(keys.scheme, iad)
    if version is None:
        return "tag 9F10 names no cryptogram version and key that this issuer has"
    master_key = icc_master_key(keys, pan, sequence)
    if keys.scheme == "Mastercard":
        if iad[8:10] != dynamic_number(master_key, chip_data[ATC_9F36])[:2]:
            return "tag 9F10 has a wrong ICC dynamic number"
        if iad[10:] != NO_OFFLINE_COUNTERS:
            return "tag 9F10 has offline counters, which cards of this issuer do not keep"
    expected = application_cryptogram(version, master_key, chip_data)
    if not hmac.compare_digest(expected, chip_data[CRYPTOGRAM_9F26]):
        return "tag 9F26 is not the cryptogram of this data"
    return None


def verify_arqc(keys: IssuerKeys, pan: str, sequence: int, chip_data: Mapping[int, bytes]) -> bool:
    """Whether the chip data proves that this card asked for this sale. See ``arqc_fault``."""
    return arqc_fault(keys, pan, sequence, chip_data) is None


def issuer_authentication_data(
    keys: IssuerKeys,
    pan: str,
    sequence: int,
    chip_data: Mapping[int, bytes],
    response_code: str,
) -> bytes:
    """Tag 91 of the answer to an ARQC: ARPC and response code, or ARPC and card status update.

    Args:
        keys: the issuer's keys.
        pan: the card number.
        sequence: the PAN sequence number (5F34).
        chip_data: DE 55 of the request, whose ARQC has been verified.
        response_code: DE 39 of the answer, two characters.

    Raises:
        ValueError: the chip data names no cryptogram version of this issuer.
    """
    version = cryptogram_version(keys.scheme, chip_data.get(IAD_9F10, b""))
    if version is None:
        raise ValueError("tag 9F10 names no cryptogram version that this issuer has")
    master_key = icc_master_key(keys, pan, sequence)
    key = session_key(
        version.arpc_session, master_key, chip_data[ATC_9F36], chip_data[UNPREDICTABLE_9F37]
    )
    cryptogram = chip_data[CRYPTOGRAM_9F26]
    if version.arpc_method == 1:
        code = response_code.encode("ascii")
        return arpc_method_1(key, cryptogram, code) + code
    # Byte 2, bit 8 of the card status update says "issuer approves" (EMV Book 3, C10).
    status_update = bytes((0, 0x80 if response_code == "00" else 0, 0, 0))
    return arpc_method_2(key, cryptogram, status_update) + status_update
