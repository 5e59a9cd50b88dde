"""HPKE (``crypto/hpke*``): key schedule, messages, exports, and the till's own library."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM
from cryptography.hazmat.primitives.hpke import Suite as LibrarySuite

from hardware_sim import hpke
from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    OutOfScope,
    refused,
    same,
    unhex,
    upper,
)


def _vector(case: Json) -> str:
    try:
        suite = hpke.Suite(case["kem_id"], case["kdf_id"], case["aead_id"])
    except ValueError as why:
        raise OutOfScope(str(why)) from why
    sent, secret = unhex(case["enc"]), unhex(case["skRm"])
    same("pkRm", hpke.public_key(suite.kem, secret), unhex(case["pkRm"]))
    if "skEm" in case:
        same("pkEm", hpke.public_key(suite.kem, unhex(case["skEm"])), unhex(case["pkEm"]))
    sender = unhex(case["pkSm"]) if case.get("pkSm") else None
    shared = hpke.decapsulated(suite.kem, sent, secret, sender)
    context = hpke.context(
        suite,
        shared,
        unhex(case["info"]),
        mode=case["mode"],
        psk=unhex(case.get("psk")),
        psk_id=unhex(case.get("psk_id")),
    )
    for name, value in (
        ("shared_secret", context.shared_secret),
        ("key", context.key),
        ("base_nonce", context.base_nonce),
        ("exporter_secret", context.exporter_secret),
    ):
        same(name, upper(value), upper(unhex(case.get(name, value.hex()))))
    for number, message in enumerate(case.get("encryptions", [])):
        _message(context, message.get("seq", number), message)
    for export in case.get("exports", []):
        made = context.export(unhex(export["exporter_context"]), export["L"])
        same("the exported value", made, unhex(export["exported_value"]))
    counted = f"{len(case.get('encryptions', []))} messages, {len(case.get('exports', []))} exports"
    return counted + _with_the_library(suite, secret, case)


def _message(context: hpke.Context, sequence: int, message: Json) -> None:
    aad, sealed, clear = (unhex(message[name]) for name in ("aad", "ct", "pt"))
    if "nonce" in message:
        same("the nonce", context.nonce(sequence), unhex(message["nonce"]))
    same("the clear text", context.open(sequence, aad, sealed), clear)
    same("the cipher text", context.seal(sequence, aad, clear), sealed)
    wrong = bytes((sealed[0] ^ 1,)) + sealed[1:]
    refused("a changed message", partial(context.open, sequence, aad, wrong), by=ValueError)


_KEMS = {
    0x0010: (KEM.P256, ec.SECP256R1()),
    0x0011: (KEM.P384, ec.SECP384R1()),
    0x0012: (KEM.P521, ec.SECP521R1()),
}
_KDFS = {1: KDF.HKDF_SHA256, 2: KDF.HKDF_SHA384, 3: KDF.HKDF_SHA512}
_AEADS = {1: AEAD.AES_128_GCM, 2: AEAD.AES_256_GCM, 3: AEAD.CHACHA20_POLY1305}
_X25519 = 0x0020


def _with_the_library(suite: hpke.Suite, secret: bytes, case: Json) -> str:
    """What the till's library seals to this key opens here, with the same info."""
    if suite.aead not in _AEADS or case["mode"] != 0:
        return ""
    public: X25519PublicKey | ec.EllipticCurvePublicKey
    if suite.kem == _X25519:
        kem = KEM.X25519
        public = X25519PrivateKey.from_private_bytes(secret).public_key()
    else:
        kem, curve = _KEMS[suite.kem]
        public = ec.derive_private_key(int.from_bytes(secret), curve).public_key()
    info, clear = unhex(case["info"]), b"sealed by the till's own library"
    theirs = LibrarySuite(kem, _KDFS[suite.kdf], _AEADS[suite.aead])
    sealed = theirs.encrypt(clear, public, info)
    size = len(unhex(case["enc"]))
    context = hpke.context(suite, hpke.decapsulated(suite.kem, sealed[:size], secret), info)
    same("what the till's library sealed", context.open(0, b"", sealed[size:]), clear)
    return "; opens what the till's library seals"


def _cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["vectors"], 1):
        yield Case(
            str(case.get("id", number)),
            "key schedule, messages and exports of RFC 9180",
            partial(_vector, case),
        )


def _is_hpke(document: Document) -> bool:
    first = document.content["vectors"][0]
    return isinstance(first, dict) and {"kem_id", "aead_id"} <= first.keys()


FORMATS = (Format("hpke", "HPKE", _is_hpke, _cases),)
"""The formats of this file."""
