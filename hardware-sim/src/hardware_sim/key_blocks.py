"""Key blocks at the host: TR-31:2018, ANSI X9.143:2021 and ISO 20038, versions A to E.

Rules of this file: it opens blocks and makes none. A block counts only when its header, its
lengths, its authentication code and its padding are all right; each failure is one ``ValueError``.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

_HEADER = 16
_ALGORITHMS = {"A": "des", "B": "des", "C": "des", "D": "aes", "E": "aes"}
_MAC_BYTES = {"A": 4, "B": 8, "C": 4, "D": 16, "E": 16}
_TEXT = re.compile(rb"[ -~]+")


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """An opened block: its header fields and the key."""

    version: str
    usage: str
    algorithm: str
    mode: str
    key_version: str
    exportability: str
    optional: tuple[tuple[str, str], ...]
    key: bytes = field(repr=False)


def unwrap(protection_key: bytes, block: str) -> KeyBlock:
    """Opens a block under its key block protection key.

    Raises:
        ValueError: the block is malformed, of another version, or not authentic.
    """
    header, optional, end = _header(block)
    version = header[0]
    if (_ALGORITHMS[version] == "des") != (len(protection_key) in {16, 24}) and version in "ABC":
        raise ValueError("a protection key for this version has 16 or 24 bytes")
    size = 2 * _MAC_BYTES[version]
    body = block[end:]
    if len(body) <= size or not re.fullmatch("[0-9A-Fa-f]+", body) or len(body) % 2:
        raise ValueError("the block's body is no hexadecimal of a possible length")
    data, code = bytes.fromhex(body[:-size]), bytes.fromhex(body[-size:])
    if len(data) % (16 if version == "D" else 8 if version in "ABC" else 1):
        raise ValueError("the enciphered key is not whole blocks")
    clear = _opened(version, protection_key, block[:end].encode(), data, code)
    return KeyBlock(
        version, header[5:7], header[7], header[8], header[9:11], header[11], optional, _key(clear)
    )


def _header(block: str) -> tuple[str, tuple[tuple[str, str], ...], int]:
    """The fixed header, the optional blocks, and where the body begins (X9.143, 6)."""
    header = block[:_HEADER]
    if len(header) < _HEADER or not _TEXT.fullmatch(block.encode("ascii", "replace")):
        raise ValueError("the header is shorter than 16 characters")
    if header[0] not in _ALGORITHMS:
        raise ValueError(f"there is no version {header[0]}")
    if not header[1:5].isdecimal() or int(header[1:5]) != len(block):
        raise ValueError("the block is not as long as it says")
    if not header[12:14].isdecimal() or not header[9:11].isalnum():
        raise ValueError("the header's numbers are malformed")
    found = []
    at = _HEADER
    for _ in range(int(header[12:14])):
        name, length = block[at : at + 2], block[at + 2 : at + 4]
        start = at + 4
        if length == "00":
            # A longer length follows: how many characters it has, then it (X9.143, 6.3).
            width = int(block[start : start + 2], 16)
            length = block[start + 2 : start + 2 + width]
            start += 2 + width
        if not re.fullmatch("[0-9A-Fa-f]+", length) or int(length, 16) < start - at:
            raise ValueError("an optional block's length is malformed")
        end = at + int(length, 16)
        if end > len(block):
            raise ValueError("an optional block is cut off")
        found.append((name, block[start:end]))
        at = end
    if at % (16 if _ALGORITHMS[header[0]] == "aes" and header[0] == "D" else 8) and found:
        raise ValueError("the optional blocks are not padded")
    return header, tuple(found), at


def _opened(version: str, key: bytes, header: bytes, data: bytes, code: bytes) -> bytes:
    if version in "AC":
        encryption = bytes(byte ^ 0x45 for byte in key)
        authentication = bytes(byte ^ 0x4D for byte in key)
        made = _des_cbc_mac(authentication, header + data)[:4]
        _authentic(made, code)
        return _cbc(TripleDES(_triple(encryption)), header[:8], data)
    if version == "B":
        encryption, authentication = _derived_des(key)
        clear = _cbc(TripleDES(_triple(encryption)), code, data)
        _authentic(_cmac(TripleDES(_triple(authentication)), header + clear), code)
        return clear
    encryption, authentication = _derived_aes(key, counter_mode=version == "E")
    if version == "D":
        clear = _cbc(AES(encryption), code, data)
    else:
        clear = Cipher(AES(encryption), modes.CTR(code)).decryptor().update(data)
    _authentic(_cmac(AES(authentication), header + clear), code)
    return clear


def _authentic(made: bytes, stated: bytes) -> None:
    if not hmac.compare_digest(made, stated):
        raise ValueError("the block is not authentic")


def _key(clear: bytes) -> bytes:
    """The key behind its length in bits."""
    bits = int.from_bytes(clear[:2])
    if bits % 8 or not 0 < bits <= 8 * (len(clear) - 2):
        raise ValueError("the key's length is impossible")
    return clear[2 : 2 + bits // 8]


def _triple(key: bytes) -> bytes:
    return key if len(key) == 24 else key + key[:8]


def _cbc(algorithm: TripleDES | AES, iv: bytes, data: bytes) -> bytes:
    return Cipher(algorithm, modes.CBC(iv)).decryptor().update(data)


def _cmac(algorithm: TripleDES | AES, data: bytes) -> bytes:
    made = CMAC(algorithm)
    made.update(data)
    return made.finalize()


def _des_cbc_mac(key: bytes, data: bytes) -> bytes:
    padded = data + bytes(-len(data) % 8)
    return Cipher(TripleDES(_triple(key)), modes.CBC(bytes(8))).encryptor().update(padded)[-8:]


def _derived_des(key: bytes) -> tuple[bytes, bytes]:
    """Encryption and authentication key by CMAC over a counter (X9.143, 5.3.2.1)."""
    algorithm = b"\x00\x01" if len(key) == 24 else b"\x00\x00"
    bits = (8 * len(key)).to_bytes(2, "big")

    def made(usage: bytes) -> bytes:
        data = (
            bytes((n,)) + usage + b"\x00" + algorithm + bits for n in range(1, len(key) // 8 + 1)
        )
        return b"".join(_cmac(TripleDES(_triple(key)), each) for each in data)

    return made(b"\x00\x00"), made(b"\x00\x01")


def _derived_aes(key: bytes, *, counter_mode: bool) -> tuple[bytes, bytes]:
    """The same for AES (X9.143, 5.3.2.2; ISO 20038 where the body is in counter mode)."""
    algorithm = {16: 2, 24: 3, 32: 4}.get(len(key))
    if algorithm is None:
        raise ValueError("an AES protection key has 16, 24 or 32 bytes")
    tail = b"\x00" + algorithm.to_bytes(2, "big") + (8 * len(key)).to_bytes(2, "big")

    def made(usage: bytes) -> bytes:
        blocks = range(1, -(-len(key) // 16) + 1)
        data = (bytes((n,)) + usage + tail for n in blocks)
        return b"".join(_cmac(AES(key), each) for each in data)[: len(key)]

    return made(b"\x00\x02" if counter_mode else b"\x00\x00"), made(b"\x00\x01")
