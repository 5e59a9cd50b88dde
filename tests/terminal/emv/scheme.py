"""A made-up scheme with its own CA, and cards of it that answer from a table and sign for real."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from terminal.emv.converse import converse
from terminal.emv.entry_point import (
    Combination,
    ReaderSettings,
    TransactionRequest,
    transact,
)
from terminal.emv.oda import CaKeys, CaPublicKey
from terminal.emv.outcome import Outcome
from terminal.emv.tlv import encode
from terminal.money import Amount, Currency
from tests.terminal.emv.replay import Clock

PAN = "4761739001010010"
CA_INDEX = 0xF9
VISA, MASTERCARD = bytes.fromhex("A0000000031010"), bytes.fromhex("A0000000041010")
UNPREDICTABLE = bytes.fromhex("C0FFEE01")


def tlv(objects: Mapping[int, str | bytes]) -> bytes:
    return b"".join(
        encode(tag, bytes.fromhex(value) if isinstance(value, str) else value)
        for tag, value in objects.items()
    )


class Key:
    """An RSA key that signs in EMV's way: header, body, SHA-1, trailer."""

    def __init__(self, bits: int) -> None:
        self._private = rsa.generate_private_key(65537, bits).private_numbers()
        self.length = bits // 8
        self.modulus = self._private.public_numbers.n.to_bytes(self.length, "big")

    def raw(self, message: bytes) -> bytes:
        number = int.from_bytes(message)
        power = pow(number, self._private.d, self._private.public_numbers.n)
        return power.to_bytes(self.length, "big")

    def sign(self, body: bytes, also: bytes = b"") -> bytes:
        body = body.ljust(self.length - 22, b"\xbb")
        hashed = hashlib.sha1(body + also).digest()  # EMV's certificates are made with SHA-1.
        return self.raw(b"\x6a" + body + hashed + b"\xbc")


@functools.cache
def key(name: str, bits: int) -> Key:
    """A key of this name, made once: nothing depends on its value."""
    return Key(bits)


EXPONENT = bytes.fromhex("010001")


def ca_keys(rid: bytes) -> CaKeys:
    modulus = key("ca", 1408).modulus
    return CaKeys((CaPublicKey(rid[:5], CA_INDEX, modulus, EXPONENT),))


def certificates(
    static_data: bytes,
    *,
    pan: str = PAN,
    prefix: str = "476173FF",
    expiry: str = "1249",
    algorithm: str = "01",
) -> dict[int, bytes]:
    """Tags 8F, 90, 92, 9F32, 9F46, 9F47, 9F48 for a card of this account."""
    ca, issuer, icc = key("ca", 1408), key("issuer", 1152), key("icc", 1024)
    room = ca.length - 36
    left, remainder = issuer.modulus[:room], issuer.modulus[room:]
    head = bytes.fromhex(f"02{prefix}{expiry}00004201{algorithm}") + bytes((issuer.length, 3))
    issuer_certificate = ca.sign(head + left, remainder + EXPONENT)
    room = issuer.length - 42
    icc_left, icc_remainder = icc.modulus[:room], icc.modulus[room:]
    head = bytes.fromhex(f"04{pan.ljust(20, 'F')}{expiry}00004201{algorithm}")
    head += bytes((icc.length, 3))
    icc_certificate = issuer.sign(head + icc_left, icc_remainder + EXPONENT + static_data)
    return {
        0x8F: bytes((CA_INDEX,)),
        0x90: issuer_certificate,
        0x92: remainder,
        0x9F32: EXPONENT,
        0x9F46: icc_certificate,
        0x9F47: EXPONENT,
        0x9F48: icc_remainder,
    }


def key_records(parts: Mapping[int, bytes], **more: bytes) -> tuple[bytes, bytes]:
    """Two records with the certificates, as both do not fit one answer; ``more`` as ``x9F69``."""
    issuer = {tag: parts[tag] for tag in (0x8F, 0x90, 0x92, 0x9F32) if tag in parts}
    icc = {tag: parts[tag] for tag in (0x9F46, 0x9F47, 0x9F48) if tag in parts}
    icc |= {int(name[1:], 16): value for name, value in more.items()}
    return ok(encode(0x70, tlv(issuer))), ok(encode(0x70, tlv(icc)))


def signed(dynamic_data: bytes, also: bytes, format_: int = 0x05) -> bytes:
    """Signed dynamic application data (9F4B) of the card."""
    body = bytes((format_, 0x01, len(dynamic_data))) + dynamic_data
    return key("icc", 1024).sign(body, also)


Answer = bytes | Callable[[bytes], bytes]


@dataclass
class ScriptedCard:
    """A card that answers by the first bytes of the command, the longest match first."""

    answers: Mapping[str, Answer]
    technology: str = "scripted"

    def __post_init__(self) -> None:
        self.sent: list[bytes] = []

    def exchange(self, command: bytes) -> bytes:
        self.sent.append(command)
        wire = command.hex().upper()
        for prefix in sorted(self.answers, key=len, reverse=True):
            if wire.startswith(prefix):
                answer = self.answers[prefix]
                return answer(command) if callable(answer) else answer
        return bytes.fromhex("6D00")


def ok(data: bytes) -> bytes:
    return data + b"\x90\x00"


def directory(*names: bytes, extra: bytes = b"") -> bytes:
    entries = b"".join(encode(0x61, encode(0x4F, name) + extra) for name in names)
    fci = encode(0x84, b"2PAY.SYS.DDF01") + encode(0xA5, encode(0xBF0C, entries))
    return ok(encode(0x6F, fci))


def selected(name: bytes, objects: Mapping[int, str | bytes] | None = None) -> bytes:
    # Kernel 3 runs only what asks for the TTQ.
    asked: dict[int, str | bytes] = {0x9F38: "9F6604"} if name == VISA else {}
    stated = asked | dict(objects or {0x50: b"TEST CARD"})
    fci = encode(0x84, name) + encode(0xA5, tlv(stated))
    return ok(encode(0x6F, fci))


SELECT_PPSE = "00A404000E"


def select(name: bytes) -> str:
    return f"00A40400{len(name):02X}{name.hex().upper()}"


def card(name: bytes, answers: Mapping[str, Answer], *, pdol: str = "") -> ScriptedCard:
    objects: dict[int, str | bytes] = {0x50: b"TEST CARD", 0x5F2D: b"fren"}
    if pdol:
        objects[0x9F38] = pdol
    return ScriptedCard(
        {SELECT_PPSE: directory(name), select(name): selected(name, objects), **answers}
    )


def request(minor: int = 1250, **changes: Any) -> TransactionRequest:
    stated: dict[str, Any] = {
        "amount": Amount(minor, Currency.of("EUR")),
        "at": datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC),
        "unpredictable_number": UNPREDICTABLE,
    }
    return TransactionRequest(**(stated | changes))


def settings(aid: bytes, kernel_id: int, *, keys: bool = True, **changes: Any) -> ReaderSettings:
    """Settings with one combination; ``changes`` go to it, or to the settings when known there."""
    own = {"terminal_type", "capabilities", "luhn_required", "data", "ca_keys", "issuer_cache"}
    combination = {name: value for name, value in changes.items() if name not in own}
    rest = {name: value for name, value in changes.items() if name in own}
    rest.setdefault("ca_keys", ca_keys(aid) if keys else CaKeys())
    scheme = {2: "Mastercard", 3: "Visa"}.get(kernel_id, "other")
    return ReaderSettings(
        country_number=250,
        combinations=(Combination(aid, kernel_id, scheme, **combination),),
        **rest,
    )


def tap(subject: Any, asked: TransactionRequest, reader: ReaderSettings) -> Outcome:
    return converse(transact(asked, reader), subject, monotonic=Clock()).result
