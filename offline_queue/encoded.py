"""How rows become bytes for their MACs, and the keyed hash over them.

Rules of this file: a row is encoded in one way only, each value with its type and length. It runs
for every row of every sale, so values that come again are encoded once, and what a hash makes of
its key alone is worked out once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

_BLOCK = 64
_COMMON_MAX = 4096
_COMMON_LENGTH = 16
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def length_first(*parts: str | bytes) -> bytes:
    """Each part behind its 4-byte length, so that no two lists of parts look alike."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _of_kind(letter: bytes, content: bytes) -> bytes:
    return letter + len(content).to_bytes(4, "big") + content


class _Texts(dict[str, bytes]):
    """Texts as they are encoded. Short ones are remembered: most columns have the same few."""

    def __missing__(self, value: str) -> bytes:
        encoded = _of_kind(b"t", value.encode())
        if len(value) <= _COMMON_LENGTH:
            if len(self) >= _COMMON_MAX:
                self.clear()
            self[value] = encoded
        return encoded


class _Numbers(dict[int, bytes]):
    """Numbers as they are encoded; small ones are remembered."""

    def __missing__(self, value: int) -> bytes:
        encoded = _of_kind(b"i", str(value).encode())
        if 0 <= value < _COMMON_MAX:
            self[value] = encoded
        return encoded


class _Blobs(dict[bytes, bytes]):
    """Bytes are as they are, and none is remembered."""

    def __missing__(self, value: bytes) -> bytes:
        return _of_kind(b"b", value)


class _Reals(dict[float, bytes]):
    """None is remembered, since 0.0 and -0.0 would be taken for one another."""

    def __missing__(self, value: float) -> bytes:
        return _of_kind(b"f", value.hex().encode())


_BY_TYPE: dict[type[Any], Any] = {
    str: _Texts(),
    int: _Numbers(),
    bytes: _Blobs(),
    float: _Reals(),
    type(None): {None: _of_kind(b"n", b"")},
}


def encode_row(values: Sequence[object]) -> bytes:
    """The values of a row, one way only: each with its type and its 4-byte length.

    Raises:
        AssertionError: a value that no STRICT column of ours can hold.
    """
    by_type = _BY_TYPE
    try:
        return b"".join([by_type[value.__class__][value] for value in values])
    except KeyError as cause:
        raise AssertionError(f"SQLite gave a value of type {cause}") from None


class Hmac:
    """HMAC-SHA-256 under one key (RFC 2104), from copies of what the key alone makes of the hash.

    ``start`` are bytes with which every message begins. The key has at most 64 bytes.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, start: bytes = b"") -> None:
        if len(key) > _BLOCK:
            raise AssertionError("a key of more than a block would be hashed first")
        block = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER) + start)
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def of(self, message: bytes) -> bytes:
        """The MAC of ``start`` and this; 32 bytes."""
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()
