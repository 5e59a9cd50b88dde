"""Key blocks of version D: how a key reaches this till without being seen (ANSI X9.143:2021).

Rules of this file: the terminal's half, and the one version that AES keys are sent in. Anything
else is refused by name: versions A to C hold triple DES keys, which this till does not use. A
block counts only when every length, its MAC and its padding are right.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from terminal.errors import KeyStoreError

_HEADER = re.compile(
    r"(?P<version>[A-Z])(?P<length>\d{4})(?P<usage>[A-Z0-9]{2})(?P<algorithm>[A-Z0-9])"
    r"(?P<mode>[A-Z0-9])(?P<key_version>[A-Za-z0-9]{2})(?P<exportability>[A-Z0-9])"
    r"(?P<blocks>\d\d)(?P<context>[0-9]{2})",
    re.ASCII,
)
_BLOCK_BYTES = 16
_MAC_DIGITS = 32
_AES_NUMBERS = {16: 2, 24: 3, 32: 4}


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """An opened block. ``optional`` maps the names of optional blocks to their text.

    ``usage`` B1 is an initial DUKPT key; its identifier is the optional block IK (X9.143, 6.3.6).
    """

    usage: str
    algorithm: str
    mode: str
    optional: dict[str, str]
    key: bytes = field(repr=False)


def unwrap(protection_key: bytes, block: str) -> KeyBlock:
    """Opens a version D block under its key block protection key (AES, 16, 24 or 32 bytes).

    Raises:
        KeyStoreError: the block is malformed, of another version, or not authentic.
    """
    if len(protection_key) not in _AES_NUMBERS:
        raise _refused("the protection key has no AES length")
    head = _HEADER.match(block)
    if head is None or not block.isascii():
        raise _refused("the header is malformed")
    if head["version"] != "D":
        raise _refused(f"version {head['version']} is not taken here, only D")
    if int(head["length"]) != len(block):
        raise _refused("it is not as long as it says")
    optional, end = _optional_blocks(block, head.end(), int(head["blocks"]))
    body = block[end:]
    if not re.fullmatch(r"([0-9A-Fa-f]{32}){2,}", body):
        raise _refused("its body is not whole blocks of hexadecimal digits")
    enciphered, code = bytes.fromhex(body[:-_MAC_DIGITS]), bytes.fromhex(body[-_MAC_DIGITS:])
    clear = (
        Cipher(AES(_derived(protection_key, usage=0)), modes.CBC(code))
        .decryptor()
        .update(enciphered)
    )
    made = _cmac(_derived(protection_key, usage=1), block[:end].encode() + clear)
    if not hmac.compare_digest(made, code):
        raise _refused("it is not authentic under this protection key")
    return KeyBlock(head["usage"], head["algorithm"], head["mode"], optional, _key(clear))


def _optional_blocks(block: str, at: int, count: int) -> tuple[dict[str, str], int]:
    """The optional blocks and where the body begins (X9.143, 6.3)."""
    found: dict[str, str] = {}
    for _ in range(count):
        name, digits, start = block[at : at + 2], block[at + 2 : at + 4], at + 4
        if digits == "00":
            # A longer length: two digits say how many digits it has, then it follows.
            width = _hexadecimal(block[start : start + 2])
            digits = block[start + 2 : start + 2 + width]
            start += 2 + width
        end = at + _hexadecimal(digits)
        if end < start or end > len(block) or name in found:
            raise _refused("an optional block is malformed")
        found[name] = block[start:end]
        at = end
    if found and at % _BLOCK_BYTES:
        raise _refused("its optional blocks are not padded to whole blocks")
    return found, at


def _hexadecimal(digits: str) -> int:
    if not re.fullmatch(r"[0-9A-Fa-f]+", digits):
        raise _refused("an optional block's length is malformed")
    return int(digits, 16)


def _derived(key: bytes, *, usage: int) -> bytes:
    """The key for encryption (0) or authentication (1), by CMAC over a counter (X9.143, 5.3.2)."""
    tail = (
        usage.to_bytes(2, "big")
        + b"\x00"
        + _AES_NUMBERS[len(key)].to_bytes(2, "big")
        + (8 * len(key)).to_bytes(2, "big")
    )
    blocks = range(1, -(-len(key) // _BLOCK_BYTES) + 1)
    return b"".join(_cmac(key, bytes((number,)) + tail) for number in blocks)[: len(key)]


def _cmac(key: bytes, data: bytes) -> bytes:
    made = CMAC(AES(key))
    made.update(data)
    return made.finalize()


def _key(clear: bytes) -> bytes:
    """The key behind its length in bits."""
    bits = int.from_bytes(clear[:2], "big")
    if bits % 8 or not 0 < bits <= 8 * (len(clear) - 2):
        raise _refused("the key's length is impossible")
    return clear[2 : 2 + bits // 8]


def _refused(why: str) -> KeyStoreError:
    return KeyStoreError(
        f"The key block cannot be used: {why}.",
        remedy="Ask the acquirer for the block again, as a version D block of ANSI X9.143.",
    )


def wrap(protection_key: bytes, header: str, key: bytes, padding: bytes) -> str:
    """Makes a version D block; ``header`` is complete, with its length and optional blocks.

    For whoever hands keys out: an acquirer that is simulated. ``padding`` is random and brings
    the length and the key to whole blocks.
    """
    clear = (8 * len(key)).to_bytes(2, "big") + key + padding
    code = _cmac(_derived(protection_key, usage=1), header.encode() + clear)
    encryptor = Cipher(AES(_derived(protection_key, usage=0)), modes.CBC(code)).encryptor()
    return f"{header}{encryptor.update(clear).hex().upper()}{code.hex().upper()}"
