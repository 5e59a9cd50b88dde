"""FF1 (NIST SP 800-38G): recomputed, though the product has no format-preserving encryption.

Rules of this file: an account becomes a random token here and never another number of its form, so
this is textbook arithmetic for published samples and is used for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    refused,
    require,
    same,
    unhex,
)
from hardware_sim.dukpt import aes_block

_DOMAIN_MIN = 100
_ROUNDS = 10
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _number(numerals: Sequence[int], radix: int) -> int:
    total = 0
    for numeral in numerals:
        total = total * radix + numeral
    return total


def _numerals(number: int, radix: int, count: int) -> list[int]:
    found = []
    for _ in range(count):
        number, numeral = divmod(number, radix)
        found.append(numeral)
    return found[::-1]


def _cbc_mac(key: bytes, data: bytes) -> bytes:
    return Cipher(AES(key), modes.CBC(bytes(16))).encryptor().update(data)[-16:]


def encrypt(key: bytes, tweak: bytes, numerals: Sequence[int], radix: int) -> list[int]:
    """FF1.Encrypt (SP 800-38G, 6.2, algorithm 7).

    Raises:
        ValueError: a numeral is outside the radix, or there are fewer than 100 messages.
    """
    count = len(numerals)
    if not 2 <= radix <= 1 << 16 or any(not 0 <= each < radix for each in numerals):
        raise ValueError("a numeral is outside the radix")
    if count < 2 or radix**count < _DOMAIN_MIN:
        raise ValueError("fewer than 100 messages have this length")
    left = count // 2
    right = count - left
    a, b = list(numerals[:left]), list(numerals[left:])
    size = -(-((radix**right - 1).bit_length()) // 8)
    wide = 4 * -(-size // 4) + 4
    head = bytes((1, 2, 1)) + radix.to_bytes(3, "big") + bytes((10, left % 256))
    head += count.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    for turn in range(_ROUNDS):
        block = tweak + bytes((-len(tweak) - size - 1) % 16) + bytes((turn,))
        block += _number(b, radix).to_bytes(size, "big")
        made = _cbc_mac(key, head + block)
        more = range(1, -(-wide // 16))
        made += b"".join(aes_block(key, _mixed(made, each)) for each in more)
        m = left if turn % 2 == 0 else right
        c = (_number(a, radix) + int.from_bytes(made[:wide])) % radix**m
        a, b = b, _numerals(c, radix, m)
    return a + b


def _mixed(block: bytes, number: int) -> bytes:
    return (int.from_bytes(block[:16]) ^ number).to_bytes(16, "big")


def _message(value: Json) -> list[int]:
    if isinstance(value, str):
        return [_DIGITS.index(each) for each in value.lower()]
    return list(value)


def _sample(case: Json) -> str:
    make = partial(
        encrypt,
        unhex(case["key"]),
        unhex(case["tweak"]),
        _message(case["plaintext"]),
        case["radix"],
    )
    if case.get("result", "valid") != "valid":
        return f"refused: {refused('the message', make, by=ValueError)}"
    same("the result", make(), _message(case["ciphertext"]))
    require(case["ciphertext"] != "", "the case states no result")
    return ""


def _cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["vectors"], 1):
        yield Case(
            str(case.get("id", number)),
            "FF1, recomputed (the product uses random tokens instead)",
            partial(_sample, case),
        )


def _is_ff1(document: Document) -> bool:
    first = document.content["vectors"][0]
    return isinstance(first, dict) and {"radix", "tweak"} <= first.keys()


FORMATS = (Format("ff1", "Format-preserving encryption", _is_ff1, _cases),)
"""The formats of this file."""
