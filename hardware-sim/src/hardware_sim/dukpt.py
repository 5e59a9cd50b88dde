"""DUKPT at the host: from a base derivation key and a key serial number to a terminal's keys.

Rules of this file: AES DUKPT is ANSI X9.24-3:2017, triple DES DUKPT is ANSI X9.24-1:2009 for
readers of the older kind. Both are checked against the standards' own published vectors.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

PIN_ENCRYPTION = 0x1000
MAC_GENERATION = 0x2000
MAC_VERIFICATION = 0x2001
MAC_BOTH = 0x2002
DATA_ENCRYPT = 0x3000
DATA_DECRYPT = 0x3001
DATA_BOTH = 0x3002
KEY_ENCRYPTION = 0x0002
_DERIVATION = 0x8000
_INITIAL = 0x8001

_ALGORITHMS = {"AES128": (2, 128), "AES192": (3, 192), "AES256": (4, 256)}

_VARIANT = bytes.fromhex("C0C0C0C000000000C0C0C0C000000000")
_PIN_VARIANT = bytes.fromhex("00000000000000FF")
_REQUEST_VARIANT = bytes.fromhex("000000000000FF00")
_RESPONSE_VARIANT = bytes.fromhex("00000000FF000000")
_COUNTER_BITS = 0x1FFFFF


def aes_block(key: bytes, block: bytes) -> bytes:
    """One block under AES: X9.24-3 derives with it, and ISO 9564 format 4 is made of two."""
    return Cipher(AES(key), modes.ECB()).encryptor().update(block)  # noqa: S305 - as prescribed.


def _derived(key: bytes, usage: int, kind: str, tail: bytes) -> bytes:
    """A key from another one (X9.24-3, 6.3.2): as many blocks as it is long."""
    number, bits = _ALGORITHMS[kind]
    data = usage.to_bytes(2, "big") + number.to_bytes(2, "big") + bits.to_bytes(2, "big") + tail
    blocks = range(1, -(-bits // 128) + 1)
    return b"".join(aes_block(key, bytes((1, each)) + data) for each in blocks)[: bits // 8]


def _kind(key: bytes) -> str:
    return f"AES{8 * len(key)}"


def aes_initial_key(base_key: bytes, key_id: bytes) -> bytes:
    """The initial key of one terminal (8 bytes of identifier); as long as the base key."""
    return _derived(base_key, _INITIAL, _kind(base_key), key_id)


def aes_transaction_key(initial_key: bytes, serial: bytes) -> bytes:
    """The derivation key at a key serial number of 12 bytes: identifier (8) and counter (4)."""
    counter = int.from_bytes(serial[8:])
    key, so_far = initial_key, 0
    for bit in reversed(range(32)):
        if counter >> bit & 1:
            so_far |= 1 << bit
            tail = serial[4:8] + so_far.to_bytes(4, "big")
            key = _derived(key, _DERIVATION, _kind(initial_key), tail)
    return key


def aes_working_key(transaction_key: bytes, usage: int, kind: str, serial: bytes) -> bytes:
    """A working key of a usage, such as ``MAC_GENERATION``, and a kind, such as ``AES128``."""
    return _derived(transaction_key, usage, kind, serial[4:12])


def iso_4_pin_block(key: bytes, pin_field: bytes, pan: str) -> bytes:
    """ISO 9564-1 format 4: the PIN field, enciphered, mixed with the PAN field, enciphered."""
    extra = max(0, len(pan) - 12)
    digits = pan.rjust(12, "0")
    pan_field = bytes.fromhex(f"{extra:X}{digits}".ljust(32, "0"))
    return aes_block(key, _xor(aes_block(key, pin_field), pan_field))


def tdes_initial_key(base_key: bytes, serial: bytes) -> bytes:
    """The initial PIN encryption key (X9.24-1, A.6) for a key serial number of 10 bytes."""
    identity = (int.from_bytes(serial) & ~_COUNTER_BITS).to_bytes(10, "big")[:8]
    return _tdes(base_key, identity) + _tdes(_xor(base_key, _VARIANT), identity)


def tdes_transaction_key(initial_key: bytes, serial: bytes) -> bytes:
    """The key of one transaction, before its variants (X9.24-1, A.3)."""
    number = int.from_bytes(serial)
    counter = number & _COUNTER_BITS
    register = number & ~_COUNTER_BITS & 0xFFFF_FFFF_FFFF_FFFF
    key = initial_key
    for bit in reversed(range(21)):
        if counter >> bit & 1:
            register |= 1 << bit
            key = _one_way(key, register.to_bytes(8, "big"))
    return key


def _one_way(key: bytes, register: bytes) -> bytes:
    other = _xor(key, _VARIANT)
    right = _xor(_des(key[:8], _xor(register, key[8:])), key[8:])
    left = _xor(_des(other[:8], _xor(register, other[8:])), other[8:])
    return left + right


def tdes_pin_block(transaction_key: bytes, clear_block: bytes) -> bytes:
    """A clear PIN block under the PIN variant of a transaction key."""
    return _tdes(_xor(transaction_key, _PIN_VARIANT * 2), clear_block)


def iso_0_pin_block(pin: str, pan: str) -> bytes:
    """ISO 9564-1 format 0: the PIN mixed with the last twelve digits before the check digit."""
    digits = pan[:-1][-12:].rjust(12, "0")
    return _xor(bytes.fromhex(f"0{len(pin):X}{pin}".ljust(16, "F")), bytes.fromhex("0000" + digits))


def tdes_mac_key(transaction_key: bytes, *, response: bool) -> bytes:
    """The MAC variant of a transaction key, for what the terminal sends or what it receives."""
    return _xor(transaction_key, (_RESPONSE_VARIANT if response else _REQUEST_VARIANT) * 2)


def _des(key: bytes, block: bytes) -> bytes:
    # Three equal keys make triple DES the single DES that the standard's one-way step needs.
    return Cipher(TripleDES(key * 3), modes.ECB()).encryptor().update(block)  # noqa: S305 - as prescribed.


def _tdes(key: bytes, block: bytes) -> bytes:
    return Cipher(TripleDES(key + key[:8]), modes.ECB()).encryptor().update(block)  # noqa: S305 - as prescribed.


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def check_values(key: bytes) -> tuple[bytes, ...]:
    """The check values that a key may be published with: zeros enciphered, or a CMAC of zeros."""
    found = []
    if len(key) in {16, 24, 32}:
        made = CMAC(AES(key))
        made.update(bytes(16))
        found += [made.finalize(), aes_block(key, bytes(16))]
    if len(key) in {8, 16, 24}:
        whole = key * 3 if len(key) == 8 else key if len(key) == 24 else key + key[:8]
        found.append(_tdes_whole(whole, bytes(8)))
    return tuple(found)


def _tdes_whole(key: bytes, block: bytes) -> bytes:
    return Cipher(TripleDES(key), modes.ECB()).encryptor().update(block)  # noqa: S305 - as prescribed.
