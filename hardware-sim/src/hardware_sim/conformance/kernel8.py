"""The cryptography of kernel 8 (Book E): EC-SDSA, blinded keys, AES (``kernel8/*``).

Rules of this file: there is no kernel 8 in this product. Its published examples are recomputed all
the same, with textbook arithmetic that suits examples and nothing else; what a case asks beyond
them is not run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    Mismatch,
    OutOfScope,
    kinds,
    require,
    same,
    unhex,
    upper,
)

Point = tuple[int, int] | None
"""A point of a curve in affine coordinates; None is the point at infinity."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A prime curve y2 = x3 - 3x + b (FIPS 186-4, D.1.2): prime, b, order, base point, bytes."""

    prime: int
    b: int
    order: int
    base: tuple[int, int]
    size: int

    def lift(self, x: int) -> Point:
        """A point with this x, of the two the one whose y is even.

        Raises:
            Mismatch: there is none.
        """
        square = (x**3 - 3 * x + self.b) % self.prime
        y = pow(square, (self.prime + 1) // 4, self.prime)
        if y * y % self.prime != square:
            raise Mismatch("no point of the curve has this x coordinate")
        return x, y if y % 2 == 0 else self.prime - y

    def add(self, left: Point, right: Point) -> Point:
        """The sum of two points."""
        if left is None or right is None:
            return right if left is None else left
        if left[0] == right[0] and (left[1] + right[1]) % self.prime == 0:
            return None
        if left == right:
            slope = (3 * left[0] ** 2 - 3) * pow(2 * left[1], -1, self.prime)
        else:
            slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, self.prime)
        x = (slope * slope - left[0] - right[0]) % self.prime
        return x, (slope * (left[0] - x) - left[1]) % self.prime

    def times(self, number: int, point: Point) -> Point:
        """A multiple of a point, by doubling and adding."""
        total: Point = None
        while number:
            if number & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            number >>= 1
        return total

    def x_of(self, point: Point) -> bytes:
        """The x coordinate, as long as the curve's prime."""
        require(point is not None, "the result is the point at infinity")
        return point[0].to_bytes(self.size, "big") if point else b""


def _curve(prime: int, b: str, order: str, x: str, y: str) -> Curve:
    size = (prime.bit_length() + 7) // 8
    return Curve(prime, int(b, 16), int(order, 16), (int(x, 16), int(y, 16)), size)


CURVES = {
    "P-256": _curve(
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        "5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B",
        "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
        "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296",
        "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5",
    ),
    "P-521": _curve(
        2**521 - 1,
        "0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0"
        "BD3BB1BF073573DF883D2C34F1EF451FD46B503F00",
        "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0"
        "148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        "00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC1"
        "27A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66",
        "011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9"
        "013FAD0761353C7086A272C24088BE94769FD16650",
    ),
}
"""The two curves of Book E."""

_HASHES = {"SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512}


def _signature(case: Json) -> str:
    """EC-SDSA (ISO/IEC 14888-3): r = H(x(kG) || M), s = k + r d mod n, checked from both sides."""
    curve, digest = CURVES[case["curve"]], _HASHES[case.get("hash", "SHA-256")]
    message, signature = unhex(case["message"]), unhex(case["signature"])
    size = digest().digest_size
    r, s = signature[:size], int.from_bytes(signature[size:])
    public: Point = int(case["public_key_x"], 16), int(case["public_key_y"], 16)
    if "private_key" in case:
        secret = int(case["private_key"], 16)
        same("the public key", curve.times(secret, curve.base), public)
        if "fixed_k" in case:
            k = int(case["fixed_k"], 16)
            made = digest(curve.x_of(curve.times(k, curve.base)) + message).digest()
            s_made = (k + int.from_bytes(made) * secret) % curve.order
            same("the signature", upper(made + s_made.to_bytes(curve.size)), upper(signature))
    minus_r = curve.order - int.from_bytes(r) % curve.order
    point = curve.add(curve.times(s, curve.base), curve.times(minus_r, public))
    same("r", upper(digest(curve.x_of(point) + message).digest()), upper(r))
    twin = bytes((message[0] ^ 1,)) + message[1:]
    other = digest(curve.x_of(point) + twin).digest()
    require(other != r, "a changed message verifies")
    if "certificate" in case:
        same("the certificate", upper(message + signature), case["certificate"])
    return "signed and verified; a changed message is refused"


def _encrypted(case: Json) -> str:
    key = unhex(case.get("session_key_confidentiality") or case["key"])
    start = unhex(case["start_value"])
    cipher = Cipher(AES(key), modes.CTR(start)).encryptor()
    same("the cipher text", upper(cipher.update(unhex(case["plain"]))), case["cipher"])
    return ""


def _shared(case: Json) -> str:
    curve = CURVES[case["curve"]]
    point = curve.lift(int(case["card_public_key_x"], 16))
    z = curve.x_of(curve.times(int(case["terminal_private_key"], 16), point))
    same("z", upper(z), case["z"])
    return ""


def _cmac(key: bytes, data: bytes) -> bytes:
    made = CMAC(AES(key))
    made.update(data)
    return made.finalize()


def _block(key: bytes, data: bytes) -> bytes:
    # One block: Book E prescribes it for deriving a key.
    return Cipher(AES(key), modes.ECB()).encryptor().update(data)  # noqa: S305


def _derived(case: Json) -> str:
    same("Kd", upper(_cmac(bytes(16), unhex(case["z"]))), case["kd"])
    return ""


def _cryptogram(case: Json) -> str:
    key = unhex(case["mk_ac"])
    session = _block(key, unhex(case["atc"]).ljust(16, b"\0"))
    if len(key) > 16:
        session += _block(key, (unhex(case["atc"]) + b"\x0f").ljust(16, b"\0"))
    same("the session key", upper(session), case.get("session_key", upper(session)))
    made = _cmac(session, unhex(case["ac_input"]))[:8]
    same("the cryptogram", upper(made), case["ac"])
    return ""


def _mac(case: Json) -> str:
    """A CMAC whose key and input the case states (EDA MAC, issuer MACs)."""
    names = {name: value for name, value in case.items() if isinstance(value, str)}
    key = next((n for n in names if re.search(r"key|^sk|^mk|^kd", n)), None)
    data = next((n for n in names if re.search(r"input|data|message", n) and n != key), None)
    made = next((n for n in names if re.search(r"(^|_)(e?d?a?_?)?(mac|cmac)$", n)), None)
    if key is None or made is None:
        raise OutOfScope(f"no rule here for: {case.get('operation', case.get('name'))}")
    if data is None:
        parts = re.search(r"0000 *\|\| *AC", case.get("operation", ""))
        if not parts:
            raise OutOfScope(f"no rule here for: {case.get('operation', case.get('name'))}")
        message = (
            bytes(2) + unhex(names.get("ac")) + unhex(names.get("iad_mac") or names.get("iad"))
        )
    else:
        message = unhex(names[data])
    full = _cmac(unhex(names[key]), message)
    same("the MAC", upper(full[: len(unhex(names[made]))]), names[made])
    return ""


_RULES = (
    (frozenset({"curve", "message", "signature"}), "EC-SDSA", _signature),
    (frozenset({"start_value", "plain", "cipher"}), "AES-CTR", _encrypted),
    (frozenset({"curve", "terminal_private_key", "card_public_key_x", "z"}), "BDH", _shared),
    (frozenset({"mk_ac", "atc", "ac_input", "ac"}), "AES cryptogram", _cryptogram),
    (frozenset({"z", "kd"}), "BDH key", _derived),
)


def _cases(document: Document, _: Library) -> Iterator[Case]:
    for case in document.content["cases"]:
        name, check = "AES-CMAC", _mac
        for keys, title, rule in _RULES:
            if case.keys() >= keys:
                name, check = title, rule
                break
        yield Case(
            case.get("name", name),
            f"{name} of kernel 8, recomputed (there is no kernel 8 here)",
            partial(check, case),
        )


FORMATS = (Format("kernel8_crypto", "Kernel 8 cryptography", kinds("kernel8_crypto"), _cases),)
"""The formats of this file."""
