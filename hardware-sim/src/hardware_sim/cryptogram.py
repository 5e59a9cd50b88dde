"""Triple DES as EMV uses it: key derivation, session keys, MACs and the issuer's answers.

Rules of this file: functions of bytes, without knowledge of schemes, cards or messages. The
constructions are those of EMV Book 2, Annex A1; where that leaves room, those that pyemv and the
hardware-checked vectors of the tests agree on.
"""

from __future__ import annotations

import hashlib
from enum import Enum

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes


class Padding(Enum):
    """How a message is filled up to eight bytes (ISO/IEC 9797-1, 6.3)."""

    ZEROS = "method 1: zeros, none on a full block"
    MARKED = "method 2: 80, then zeros"


class SessionKey(Enum):
    """How the key of one transaction comes from the card's master key."""

    NONE = "the master key itself"
    COMMON = "EMV common session key, EMV Book 2, A1.3.1"
    MASTERCARD = "ATC and unpredictable number"


def check_key(key: bytes) -> None:
    """Refuses what is no double length key.

    Raises:
        ValueError: the key does not have 16 bytes.
    """
    if len(key) != 16:
        raise ValueError("a double length DES key has 16 bytes")


def odd_parity(key: bytes) -> bytes:
    """The key with the lowest bit of each byte set so that an odd number of bits are."""
    return bytes(byte ^ (byte.bit_count() + 1) % 2 for byte in key)


def _tdes(key: bytes, block: bytes) -> bytes:
    """Encrypts whole blocks with a double length key, each block by itself."""
    # The security of DES is of no concern: EMV prescribes it and the keys here are public.
    cipher = Cipher(TripleDES(key + key[:8]), modes.ECB())  # noqa: S305
    return cipher.encryptor().update(block)


def pad(data: bytes, padding: Padding) -> bytes:
    """``data`` filled up to whole blocks of eight bytes; method 1 gives at least one block."""
    if padding is Padding.MARKED:
        data += b"\x80"
    whole = max(8, -(-len(data) // 8) * 8)
    return data.ljust(whole, b"\0")


def mac(key: bytes, data: bytes, padding: Padding = Padding.MARKED) -> bytes:
    """The retail MAC, 8 bytes (ISO/IEC 9797-1, algorithm 3; EMV Book 2, A1.2.1).

    Raises:
        ValueError: the key does not have 16 bytes.
    """
    check_key(key)
    padded = pad(data, padding)
    chain = bytes(8)
    if len(padded) > 8:
        # Three equal keys make triple DES the single DES that the chain is computed with.
        single = Cipher(TripleDES(key[:8] * 3), modes.CBC(bytes(8)))
        chain = single.encryptor().update(padded[:-8])[-8:]
    return _tdes(key, _xor(chain, padded[-8:]))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def icc_master_key_a(issuer_key: bytes, pan: str, sequence: int) -> bytes:
    """The card's master key, option A (EMV Book 2, A1.4.1): from the last 16 digits.

    Raises:
        ValueError: the key does not have 16 bytes.
    """
    check_key(issuer_key)
    digits = (pan + f"{sequence:02d}").rjust(16, "0")[-16:]
    return _diversified(issuer_key, bytes.fromhex(digits))


def icc_master_key_b(issuer_key: bytes, pan: str, sequence: int) -> bytes:
    """The card's master key, option B (EMV Book 2, A1.4.2): for numbers of over 16 digits.

    Up to 16 digits the result is that of option A. Beyond, the 16 digits come from a SHA-1 of
    all digits: its decimal figures first, then its other figures counted down from A.

    Raises:
        ValueError: the key does not have 16 bytes.
    """
    if len(pan) <= 16:
        return icc_master_key_a(issuer_key, pan, sequence)
    check_key(issuer_key)
    digits = pan + f"{sequence:02d}"
    digest = hashlib.sha1(bytes.fromhex("0" * (len(digits) % 2) + digits)).hexdigest()  # noqa: S324 - EMV prescribes SHA-1.
    decimal = "".join(figure for figure in digest if figure.isdecimal())
    other = "".join(str(int(figure, 16) - 10) for figure in digest if not figure.isdecimal())
    return _diversified(issuer_key, bytes.fromhex((decimal + other)[:16]))


def _diversified(issuer_key: bytes, left: bytes) -> bytes:
    right = bytes(byte ^ 0xFF for byte in left)
    return odd_parity(_tdes(issuer_key, left) + _tdes(issuer_key, right))


def common_session_key(master_key: bytes, diversifier: bytes) -> bytes:
    """The EMV common session key (EMV Book 2, A1.3.1) for eight bytes of diversification.

    Raises:
        ValueError: the key does not have 16 bytes, or the diversifier not 8.
    """
    check_key(master_key)
    if len(diversifier) != 8:
        raise ValueError("a session key is derived from 8 bytes")
    left = diversifier[:2] + b"\xf0" + diversifier[3:]
    right = diversifier[:2] + b"\x0f" + diversifier[3:]
    return odd_parity(_tdes(master_key, left) + _tdes(master_key, right))


def session_key(how: SessionKey, master_key: bytes, atc: bytes, unpredictable: bytes) -> bytes:
    """The key of one transaction from the card's master key, the ATC and tag 9F37.

    Mastercard's own derivation is the common one over ATC, two zero bytes and 9F37.
    """
    match how:
        case SessionKey.NONE:
            return master_key
        case SessionKey.COMMON:
            return common_session_key(master_key, atc + bytes(6))
        case SessionKey.MASTERCARD:
            return common_session_key(master_key, atc + bytes(2) + unpredictable)


def arpc_method_1(key: bytes, cryptogram: bytes, response_code: bytes) -> bytes:
    """The issuer's cryptogram, 8 bytes, over a two-byte response code (EMV Book 2, 8.2.1).

    Raises:
        ValueError: an argument has the wrong length.
    """
    check_key(key)
    if len(cryptogram) != 8 or len(response_code) != 2:
        raise ValueError("an ARPC by method 1 needs 8 bytes of ARQC and 2 of response code")
    return _tdes(key, _xor(cryptogram, response_code + bytes(6)))


def arpc_method_2(key: bytes, cryptogram: bytes, status_update: bytes, extra: bytes = b"") -> bytes:
    """The issuer's cryptogram, 4 bytes, over a card status update (EMV Book 2, 8.2.2).

    ``extra`` is proprietary authentication data, up to 8 bytes.

    Raises:
        ValueError: an argument has the wrong length.
    """
    if len(cryptogram) != 8 or len(status_update) != 4 or len(extra) > 8:
        raise ValueError("an ARPC by method 2 needs 8 bytes of ARQC, 4 of CSU and up to 8 more")
    return mac(key, cryptogram + status_update + extra)[:4]
