"""Offline data authentication with RSA: SDA, DDA, fast DDA and CDA (EMV Book 2, 5 and 6).

Rules of this file: public keys only, and every check that fails is one ``AuthenticationFailed``
that names the check. A failed authentication is no error of the terminal: the kernel decides
what it means. SHA-1 is what EMV's RSA certificates are made with; nothing else here relies on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from terminal.errors import AuthenticationFailed, ConfigError

_HASH = 20
_EXPONENTS = frozenset({3, 65537})
_HEADER, _TRAILER = 0x6A, 0xBC


@dataclass(frozen=True, slots=True)
class RsaPublicKey:
    """A modulus and exponent as numbers, and the modulus length in bytes."""

    modulus: int = field(repr=False)
    exponent: int
    length: int

    def recover(self, signature: bytes) -> bytes:
        """The message under ``signature``, of the same length (EMV Book 2, A2.1).

        Raises:
            AuthenticationFailed: the length is not the key's.
        """
        number = int.from_bytes(signature, "big")
        if len(signature) != self.length or number >= self.modulus:
            raise AuthenticationFailed("a signature does not have the length of its key")
        return pow(number, self.exponent, self.modulus).to_bytes(self.length, "big")


@dataclass(frozen=True, slots=True)
class CaPublicKey:
    """A scheme's certification authority key: RID (5 bytes), index, modulus, exponent, last day.

    Raises:
        ConfigError: a size is wrong, or the checksum is not
            SHA-1(RID || index || modulus || exponent).
    """

    rid: bytes
    index: int
    modulus: bytes = field(repr=False)
    exponent: bytes
    expires: date | None = None
    checksum: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        name = f"CA key {self.index:02X} of {self.rid.hex().upper()}"
        if len(self.rid) != 5 or not 0 <= self.index <= 255:
            raise ConfigError(f"The {name} needs a RID of five bytes and an index of one.")
        # Book 2 ends at 248 bytes (1984 bits); public lists hold 256, and more costs nothing here.
        if not 64 <= len(self.modulus) <= 512 or not self.modulus[0]:
            raise ConfigError(f"The {name} has a modulus outside 64 to 512 bytes.")
        if int.from_bytes(self.exponent, "big") not in _EXPONENTS:
            raise ConfigError(f"The {name} has an exponent that is neither 3 nor 65537.")
        if self.checksum is not None and self.checksum != self.sha1():
            raise ConfigError(
                f"The checksum of the {name} does not match.",
                remedy="Load the key again from the acquirer.",
            )

    def sha1(self) -> bytes:
        """The checksum that is published with a key as public lists print it, 20 bytes."""
        number = bytes((self.index,))
        return _sha1(self.rid + number + self.modulus + self.exponent)

    @property
    def key(self) -> RsaPublicKey:
        """The key as numbers."""
        return _rsa(self.modulus, self.exponent)


@dataclass(frozen=True, slots=True)
class CaKeys:
    """The keys that this terminal trusts, and the issuer certificates that are revoked.

    ``revoked`` holds (RID, CA key index, certificate serial number of 3 bytes).
    """

    keys: tuple[CaPublicKey, ...] = ()
    revoked: frozenset[tuple[bytes, int, bytes]] = frozenset()
    _by_name: dict[tuple[bytes, int], CaPublicKey] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for key in self.keys:
            if (key.rid, key.index) in self._by_name:
                raise ConfigError(
                    f"CA key {key.index:02X} of {key.rid.hex().upper()} is listed twice.",
                    remedy="Keep the live key or the test key, not both.",
                )
            self._by_name[key.rid, key.index] = key

    def replaced_by(self, newer: Iterable[CaPublicKey]) -> CaKeys:
        """The keys with ``newer`` in the place of those of the same RID and index.

        Raises:
            ConfigError: ``newer`` itself names a key twice.
        """
        replacing = CaKeys(tuple(newer))
        kept = tuple(key for key in self.keys if replacing.find(key.rid, key.index) is None)
        return CaKeys(kept + replacing.keys, self.revoked)

    def find(self, rid: bytes, index: int) -> CaPublicKey | None:
        """The key with this RID and index, or None."""
        return self._by_name.get((rid, index))


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """An issuer's key as its certificate gave it; ``identifier`` begins each of its PANs."""

    key: RsaPublicKey
    identifier: str
    serial: bytes
    expires: date


class IssuerKeyCache:
    """Issuer keys already recovered, since many cards carry the same certificate.

    It is handed in and owned by one thread. The oldest entry leaves when ``size`` is reached.
    """

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._keys: dict[bytes, IssuerKey] = {}

    def find(self, name: bytes) -> IssuerKey | None:
        """The key recovered under this name before, or None."""
        return self._keys.get(name)

    def keep(self, name: bytes, key: IssuerKey) -> None:
        """Remembers ``key`` under ``name``."""
        if len(self._keys) >= self._size:
            del self._keys[next(iter(self._keys))]
        self._keys[name] = key


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a card sends for its keys: tags 8F, 90, 92, 9F32 and 9F46, 9F48, 9F47."""

    ca_index: int
    issuer: bytes = field(repr=False)
    issuer_remainder: bytes = field(repr=False)
    issuer_exponent: bytes
    icc: bytes = field(default=b"", repr=False)
    icc_remainder: bytes = field(default=b"", repr=False)
    icc_exponent: bytes = b""


@dataclass(frozen=True, slots=True)
class DynamicData:
    """What a dynamic signature gave: its format (05 or 95) and the ICC dynamic data."""

    signed_format: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CombinedData:
    """What a CDA signature gave (EMV Book 2, 6.6.2): dynamic number, CID and cryptogram.

    ``further`` is what a kernel's own rules add behind the transaction's hash.
    """

    dynamic_number: bytes
    cryptogram_information: int
    cryptogram: bytes
    further: bytes = b""


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _rsa(modulus: bytes, exponent: bytes) -> RsaPublicKey:
    return RsaPublicKey(int.from_bytes(modulus), int.from_bytes(exponent), len(modulus))


def _opened(key: RsaPublicKey, signature: bytes, format_: int, what: str) -> bytes:
    """The recovered message of a certificate, its frame checked (Book 2, 5.3, steps 1 to 4)."""
    message = key.recover(signature)
    if message[0] != _HEADER or message[-1] != _TRAILER or message[1] != format_:
        raise AuthenticationFailed(f"the {what} does not open with its key")
    return message


def _last_day(mmyy: bytes, what: str) -> date:
    text = mmyy.hex()
    if not text.isdecimal() or not 1 <= int(text[:2]) <= 12:
        raise AuthenticationFailed(f"the {what} has no readable expiry")
    month, year = int(text[:2]), int(text[2:])
    year += 1900 if year >= 50 else 2000
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def _recovered_key(
    left: bytes, remainder: bytes, exponent: bytes, length: int, what: str
) -> RsaPublicKey:
    """The key from the certificate's part and the remainder (Book 2, 5.3, step 12)."""
    if length < 40 or len(left) + len(remainder) < length:
        raise AuthenticationFailed(f"the key in the {what} is incomplete")
    if int.from_bytes(exponent) not in _EXPONENTS:
        # A longer exponent would let a card buy seconds of the terminal's time.
        raise AuthenticationFailed(f"the key in the {what} has an exponent that EMV forbids")
    modulus = (left + remainder)[:length] if len(left) < length else left[:length]
    return _rsa(modulus, exponent)


def issuer_key(
    rid: bytes,
    certificates: Certificates,
    ca_keys: CaKeys,
    *,
    on: date,
    cache: IssuerKeyCache | None = None,
) -> IssuerKey:
    """Recovers the issuer's key from its certificate (EMV Book 2, 5.3).

    Raises:
        AuthenticationFailed: no such CA key, or the certificate is forged, expired or revoked.
    """
    ca = ca_keys.find(rid, certificates.ca_index)
    if ca is None:
        raise AuthenticationFailed(
            f"no CA key {certificates.ca_index:02X} for {rid.hex().upper()} is loaded"
        )
    if ca.expires is not None and on > ca.expires:
        raise AuthenticationFailed("the CA key has expired")
    name = _sha1(
        ca.sha1()
        + certificates.issuer
        + certificates.issuer_exponent
        + certificates.issuer_remainder
    )
    found = cache.find(name) if cache else None
    if found is None:
        found = _open_issuer(ca, certificates)
        if cache:
            cache.keep(name, found)
    if on > found.expires:
        raise AuthenticationFailed("the issuer certificate has expired")
    if (rid, certificates.ca_index, found.serial) in ca_keys.revoked:
        raise AuthenticationFailed("the issuer certificate is revoked")
    return found


def _open_issuer(ca: CaPublicKey, certificates: Certificates) -> IssuerKey:
    what = "issuer certificate"
    message = _opened(ca.key, certificates.issuer, 0x02, what)
    signed = message[1:-21] + certificates.issuer_remainder + certificates.issuer_exponent
    if _sha1(signed) != message[-21:-1]:
        raise AuthenticationFailed(f"the hash of the {what} does not match")
    if message[11] != 0x01 or message[12] != 0x01:
        raise AuthenticationFailed(f"the {what} uses an algorithm that is not known")
    return IssuerKey(
        key=_recovered_key(
            message[15:-21],
            certificates.issuer_remainder,
            certificates.issuer_exponent,
            message[13],
            what,
        ),
        identifier=message[2:6].hex().upper().rstrip("F"),
        serial=message[8:11],
        expires=_last_day(message[6:8], what),
    )


def check_issuer_identifier(issuer: IssuerKey, pan: str) -> None:
    """The issuer identifier must begin the PAN (EMV Book 2, 5.3, step 8).

    Raises:
        AuthenticationFailed: it doesn't, or is no 3 to 8 digits.
    """
    digits = issuer.identifier
    if not digits.isdecimal() or not 3 <= len(digits) <= 8 or not pan.startswith(digits):
        raise AuthenticationFailed("the issuer certificate belongs to another issuer")


def icc_key(
    issuer: IssuerKey, certificates: Certificates, static_data: bytes, *, pan: str, on: date
) -> RsaPublicKey:
    """Recovers the card's key from its certificate (EMV Book 2, 6.4).

    ``static_data`` is what Book 3, 10.3 calls the static data to be authenticated.

    Raises:
        AuthenticationFailed: the certificate is forged, expired or made for another account.
    """
    what = "card certificate"
    message = _opened(issuer.key, certificates.icc, 0x04, what)
    signed = message[1:-21] + certificates.icc_remainder + certificates.icc_exponent + static_data
    if _sha1(signed) != message[-21:-1]:
        raise AuthenticationFailed(f"the hash of the {what} does not match")
    if message[2:12].hex().upper().rstrip("F") != pan:
        raise AuthenticationFailed(f"the {what} belongs to another account")
    if on > _last_day(message[12:14], what):
        raise AuthenticationFailed(f"the {what} has expired")
    if message[17] != 0x01 or message[18] != 0x01:
        raise AuthenticationFailed(f"the {what} uses an algorithm that is not known")
    return _recovered_key(
        message[21:-21],
        certificates.icc_remainder,
        certificates.icc_exponent,
        message[19],
        what,
    )


def verify_static(issuer: IssuerKey, signature: bytes, static_data: bytes) -> bytes:
    """SDA (EMV Book 2, 5.4). Returns the data authentication code (9F45), 2 bytes.

    Raises:
        AuthenticationFailed: the signed static application data (93) does not hold.
    """
    message = _opened(issuer.key, signature, 0x03, "signed static data")
    if _sha1(message[1:-21] + static_data) != message[-21:-1]:
        raise AuthenticationFailed("the hash of the signed static data does not match")
    return message[3:5]


def verify_dynamic(
    key: RsaPublicKey, signature: bytes, terminal_data: bytes, *, formats: Iterable[int] = (0x05,)
) -> DynamicData:
    """DDA (EMV Book 2, 6.5.2) and fast DDA, which kernel 3 has.

    ``terminal_data`` is the DDOL data; for fast DDA 9F37 || 9F02 || 5F2A || 9F69. Visa cards sign
    in format 05, phones in format 95 (both seen in published transcripts).

    Raises:
        AuthenticationFailed: the signed dynamic application data (9F4B) does not hold.
    """
    message = key.recover(signature)
    if message[0] != _HEADER or message[-1] != _TRAILER or message[1] not in formats:
        raise AuthenticationFailed("the signed dynamic data does not open with its key")
    if message[2] != 0x01 or 4 + message[3] > len(message) - 21:
        raise AuthenticationFailed("the signed dynamic data is malformed")
    if _sha1(message[1:-21] + terminal_data) != message[-21:-1]:
        raise AuthenticationFailed("the hash of the signed dynamic data does not match")
    return DynamicData(message[1], message[4 : 4 + message[3]])


def verify_combined(
    key: RsaPublicKey, signature: bytes, *, unpredictable_number: bytes, transaction_data: bytes
) -> CombinedData:
    """CDA (EMV Book 2, 6.6.2).

    ``transaction_data`` is PDOL data || CDOL1 data || the objects of the GENERATE AC answer but
    9F4B, as the card sent them.

    Raises:
        AuthenticationFailed: the signature does not hold, or signs another transaction.
    """
    data = verify_dynamic(key, signature, unpredictable_number).data
    size = data[0] if data else 0
    if not 2 <= size <= 8 or len(data) < 1 + size + 1 + 8 + _HASH:
        raise AuthenticationFailed("the combined signature's dynamic data is malformed")
    rest = data[1 + size :]
    if _sha1(transaction_data) != rest[9 : 9 + _HASH]:
        raise AuthenticationFailed("the combined signature is over another transaction")
    return CombinedData(data[1 : 1 + size], rest[0], rest[1:9], rest[9 + _HASH :])
