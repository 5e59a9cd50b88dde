"""The simulated certification authorities: RSA test keys and the certificates on the cards.

Rules of this file: everything is deterministic, and the keys in ``test_keys.toml`` are public.
A terminal that accepts the authorities of this file accepts cards that anybody can make, so no
production configuration may hold them. Formats are those of EMV Book 2, chapters 5 and 6.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

from hardware_sim.issuer import ISSUERS
from hardware_sim.powers import power
from terminal.emv.oda import CaPublicKey

AUTHORITY_INDEX = 0xE1
"""The index (8F) of the test authority's key, which no published list of keys uses."""

KEY_SETS: Mapping[str, int] = MappingProxyType(
    {"standard": AUTHORITY_INDEX, "small": 0xE2, "large": 0xE3}
)
"""Sets of keys by name, with the index of their authority: 1408, 1024 and 1984 bits."""

UNKNOWN_AUTHORITY_INDEX = 0xEE
"""The index of an authority that no terminal knows."""

REVOKED_SERIAL = bytes.fromhex("00DEAD")
"""The serial number of every issuer certificate that the authorities have revoked."""

PUBLIC_EXPONENT = 3
CERTIFICATE_SERIAL = bytes.fromhex("000001")
_HASH_AND_KEY_ALGORITHM = b"\x01\x01"
_AUTHENTICATION_CODE = b"\xda\xc0"


@cache
def _private(p: int, q: int) -> tuple[int, int, int]:
    """The private exponents modulo both primes, and the second prime's inverse (RFC 8017, 3.2)."""
    return pow(PUBLIC_EXPONENT, -1, p - 1), pow(PUBLIC_EXPONENT, -1, q - 1), pow(q, -1, p)


@dataclass(frozen=True, slots=True)
class RsaKey:
    """An RSA test key with public exponent 3, from its primes."""

    p: int = field(repr=False)
    q: int = field(repr=False)

    @property
    def modulus(self) -> bytes:
        """The public modulus, as long as it needs to be."""
        number = self.p * self.q
        return number.to_bytes((number.bit_length() + 7) // 8, "big")

    @property
    def exponent(self) -> bytes:
        """The public exponent, one byte."""
        return bytes((PUBLIC_EXPONENT,))

    @property
    def size(self) -> int:
        """The length of modulus and signature in bytes."""
        return len(self.modulus)

    def sign(self, block: bytes) -> bytes:
        """Raises a block of ``size`` bytes to the private exponent (EMV Book 2, A2.1)."""
        if len(block) != self.size:
            raise ValueError(f"a block for this key has {self.size} bytes")
        message = int.from_bytes(block, "big")
        # The Chinese remainder theorem makes this four times as fast as one exponentiation.
        for_p, for_q, inverse = _private(self.p, self.q)
        by_p = power(message, for_p, self.p)
        by_q = power(message, for_q, self.q)
        step = (by_p - by_q) * inverse % self.p
        return (by_q + step * self.q).to_bytes(self.size, "big")


@dataclass(frozen=True, slots=True)
class SchemeKeys:
    """The authority, the issuer and the card of one scheme."""

    authority: RsaKey
    issuer: RsaKey
    card: RsaKey


RIDS: Mapping[str, bytes] = MappingProxyType(
    {scheme: issuer.rid for scheme, issuer in ISSUERS.items()}
)
"""The five bytes that every application of a scheme begins with."""


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()  # noqa: S324 - EMV prescribes SHA-1.


@cache
def _all_keys() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(files("hardware_sim").joinpath("test_keys.toml").read_text("utf-8"))


@cache
def scheme_keys(scheme: str, key_set: str = "standard") -> SchemeKeys:
    """The test keys of one scheme, or those of another set, which all schemes share.

    Raises:
        KeyError: there are none.
    """
    table = _all_keys()[scheme if key_set == "standard" else key_set]
    keys = {name: RsaKey(int(key["p"], 16), int(key["q"], 16)) for name, key in table.items()}
    return SchemeKeys(**keys)


def ca_public_keys() -> tuple[CaPublicKey, ...]:
    """The public keys of all test authorities, for a terminal under test and for no other."""
    return tuple(
        CaPublicKey(rid, index, authority.modulus, authority.exponent)
        for scheme, rid in RIDS.items()
        for key_set, index in KEY_SETS.items()
        for authority in (scheme_keys(scheme, key_set).authority,)
    )


def revoked_certificates() -> frozenset[tuple[bytes, int, bytes]]:
    """The issuer certificates that are revoked: RID, authority's index, serial number."""
    return frozenset(
        (rid, index, REVOKED_SERIAL) for rid in RIDS.values() for index in KEY_SETS.values()
    )


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certified public key as it lies on the card: certificate, remainder, exponent."""

    certificate: bytes = field(repr=False)
    remainder: bytes = field(repr=False)
    exponent: bytes


# Cards are made anew by the thousand in a simulation, and signing is their dearest part.
@lru_cache(maxsize=512)
def _certify(signer: RsaKey, head: bytes, subject: RsaKey, static_data: bytes = b"") -> Certificate:
    """Signs ``head``, the lengths and as much of the modulus as fits (Book 2, 5.1 and 6.1)."""
    header = head + _HASH_AND_KEY_ALGORITHM + bytes((subject.size, len(subject.exponent)))
    room = signer.size - len(header) - 22
    leftmost = subject.modulus[:room].ljust(room, b"\xbb")
    remainder = subject.modulus[room:]
    digest = _sha1(header + leftmost + remainder + subject.exponent + static_data)
    block = b"\x6a" + header + leftmost + digest + b"\xbc"
    return Certificate(signer.sign(block), remainder, subject.exponent)


def _month_first(expiry_yymm: str) -> bytes:
    return bytes.fromhex(expiry_yymm[2:] + expiry_yymm[:2])


def issuer_certificate(
    scheme: str,
    pan: str,
    expiry_yymm: str,
    *,
    key_set: str = "standard",
    serial: bytes = CERTIFICATE_SERIAL,
    signer: RsaKey | None = None,
) -> Certificate:
    """The issuer's public key, signed by the authority (EMV Book 2, 5.1, table 2)."""
    keys = scheme_keys(scheme, key_set)
    identifier = bytes.fromhex(pan[:6].ljust(8, "F"))
    head = b"\x02" + identifier + _month_first(expiry_yymm) + serial
    return _certify(signer or keys.authority, head, keys.issuer)


def card_certificate(
    scheme: str, pan: str, expiry_yymm: str, static_data: bytes, *, key_set: str = "standard"
) -> Certificate:
    """The card's public key, signed by the issuer over the static data (Book 2, 6.1, table 10)."""
    keys = scheme_keys(scheme, key_set)
    number = bytes.fromhex(pan.ljust(20, "F"))
    head = b"\x04" + number + _month_first(expiry_yymm) + CERTIFICATE_SERIAL
    return _certify(keys.issuer, head, keys.card, static_data)


def signed_static_data(scheme: str, static_data: bytes, *, key_set: str = "standard") -> bytes:
    """The issuer's signature over a card without a key, tag 93 (EMV Book 2, 5.1, table 3)."""
    key = scheme_keys(scheme, key_set).issuer
    header = b"\x03\x01" + _AUTHENTICATION_CODE
    header = header.ljust(key.size - 22, b"\xbb")
    return key.sign(b"\x6a" + header + _sha1(header + static_data) + b"\xbc")


def signed_dynamic_data(key: RsaKey, dynamic_data: bytes, terminal_data: bytes) -> bytes:
    """The signature over one transaction, tag 9F4B (EMV Book 2, 6.5.2 and 6.6.1).

    Args:
        key: the card's key.
        dynamic_data: what the card puts inside the signature.
        terminal_data: what is only hashed: the unpredictable number and, for fast DDA, more.
    """
    header = b"\x05\x01" + bytes((len(dynamic_data),)) + dynamic_data
    header = header.ljust(key.size - 22, b"\xbb")
    return key.sign(b"\x6a" + header + _sha1(header + terminal_data) + b"\xbc")


def transaction_hash(data: bytes) -> bytes:
    """The transaction data hash code inside a CDA signature (EMV Book 2, 6.6.1)."""
    return _sha1(data)
