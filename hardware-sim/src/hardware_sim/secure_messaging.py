"""What an issuer sends to its cards: script MACs, enciphered PIN blocks, CVC3, their keys.

Rules of this file: functions of bytes, like ``cryptogram``. The constructions are those of EMV
Book 2, 9 and Annex A1, and of the schemes as pyemv and hardware-checked vectors agree on them.
"""

from __future__ import annotations

from enum import Enum

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from hardware_sim.cryptogram import Padding, check_key, common_session_key, mac, odd_parity, pad

_ATC_MAX = 0xFFFF


class Encipherment(Enum):
    """How command data is enciphered."""

    VISA = "length byte, padding, each block by itself"
    MASTERCARD = "padding only where needed, chained"
    EMV = "padding always, chained"


def visa_messaging_key(master_key: bytes, atc: bytes) -> bytes:
    """Visa's session key for secure messaging: the master key with the ATC in both halves.

    Raises:
        ValueError: the key does not have 16 bytes, or the ATC not 2.
    """
    check_key(master_key)
    if len(atc) != 2:
        raise ValueError("an ATC has 2 bytes")
    left = bytes(6) + atc
    right = bytes(6) + bytes(byte ^ 0xFF for byte in atc)
    return odd_parity(_xor(master_key, left + right))


def tree_session_key(
    master_key: bytes, atc: bytes, *, height: int = 8, branches: int = 4, iv: bytes = bytes(16)
) -> bytes:
    """The session key of EMV2000's tree (EMV 4.0 Book 2, A1.3.1), which later books dropped.

    Raises:
        ValueError: a length is wrong, or the tree has too few leaves for every ATC.
    """
    check_key(master_key)
    if len(atc) != 2 or len(iv) != 16:
        raise ValueError("the tree needs an ATC of 2 bytes and an IV of 16")
    if branches**height < _ATC_MAX:
        raise ValueError("the tree has fewer keys than there are ATCs")
    number = int.from_bytes(atc)
    parent, grandparent = master_key, iv
    for level in range(height - 1, 0, -1):
        at = number // branches**level % branches
        parent, grandparent = _child(parent, grandparent, at), parent
    leaf = _child(parent, grandparent, number % branches)
    return odd_parity(_xor(leaf, grandparent))


def _child(key: bytes, above: bytes, branch: int) -> bytes:
    index = branch.to_bytes(8, "big")
    right = _xor(_xor(above[8:], index), bytes(7) + b"\xf0")
    return encrypted(key, _xor(above[:8], index)) + encrypted(key, right)


def command_mac(key: bytes, command: bytes, length: int = 8) -> bytes:
    """The MAC of a script command (EMV Book 2, 9.2.1), its first ``length`` bytes.

    Raises:
        ValueError: the key does not have 16 bytes.
    """
    return mac(key, command)[:length]


def encipher(key: bytes, data: bytes, how: Encipherment) -> bytes:
    """Command data under a session key (EMV Book 2, 9.3).

    Raises:
        ValueError: the key does not have 16 bytes.
    """
    check_key(key)
    if how is Encipherment.VISA:
        return encrypted(key, pad(bytes((len(data),)) + data, Padding.MARKED))
    padded = pad(data, Padding.MARKED) if how is Encipherment.EMV else _filled(data)
    return encrypted(key, padded, iv=bytes(8))


def _filled(data: bytes) -> bytes:
    return pad(data, Padding.MARKED) if len(data) % 8 else data


def visa_pin_block(card_key: bytes, pin: str, current_pin: str | None = None) -> bytes:
    """The block of Visa's PIN CHANGE: tied to the card's key and, if given, the current PIN.

    Raises:
        ValueError: a PIN is not 4 to 12 digits, or the key does not have 16 bytes.
    """
    _check_pin(pin)
    check_key(card_key)
    block = bytes((len(pin),)) + bytes.fromhex(pin.ljust(14, "F"))
    block = _xor(block, bytes(4) + card_key[4:8])
    if current_pin is not None:
        _check_pin(current_pin)
        block = _xor(block, bytes.fromhex(current_pin.ljust(16, "0")))
    return block


def iso_2_pin_block(pin: str) -> bytes:
    """ISO 9564-1 format 2.

    Raises:
        ValueError: the PIN is not 4 to 12 digits.
    """
    _check_pin(pin)
    return bytes.fromhex(f"2{len(pin):X}{pin.ljust(14, 'F')}")


def _check_pin(pin: str) -> None:
    if not (pin.isascii() and pin.isdecimal() and 4 <= len(pin) <= 12):
        raise ValueError("a PIN has 4 to 12 digits")


def cvc3(card_key: bytes, track: bytes, atc: bytes, unpredictable: bytes) -> int:
    """The dynamic code of Mastercard's mag-stripe mode, 0 to 65535, over a track's template.

    Raises:
        ValueError: a length is wrong.
    """
    check_key(card_key)
    if len(atc) != 2 or len(unpredictable) != 4:
        raise ValueError("CVC3 needs an ATC of 2 bytes and a number of 4")
    start = mac(card_key, track)[-2:]
    return int.from_bytes(encrypted(card_key, start + unpredictable + atc)[-2:])


def script_session_key(master_key: bytes, cryptogram: bytes) -> bytes:
    """The EMV common session key of a script, from the transaction's cryptogram (A1.3.1).

    Raises:
        ValueError: a length is wrong.
    """
    return common_session_key(master_key, cryptogram)


def encrypted(key: bytes, blocks: bytes, iv: bytes | None = None) -> bytes:
    """Whole blocks under triple DES with a key of 8, 16 or 24 bytes; chained when there is an IV.

    Raises:
        ValueError: a length is wrong.
    """
    # The security of DES is of no concern: EMV prescribes it and the keys here are public.
    whole = (key * 3)[:24] if len(key) in {8, 16} else key
    mode = modes.CBC(iv) if iv is not None else modes.ECB()  # noqa: S305 - as prescribed.
    cipher = Cipher(TripleDES(whole), mode).encryptor()
    return cipher.update(blocks) + cipher.finalize()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
