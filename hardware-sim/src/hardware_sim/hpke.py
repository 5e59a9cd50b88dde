"""HPKE from its parts (RFC 9180): an independent reading of what the till's library does.

Rules of this file: the receiver's side and the key schedule, for test vectors and for proof that
an envelope the till sealed opens elsewhere. The till itself seals with ``cryptography``.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_HASHES = {1: "sha256", 2: "sha384", 3: "sha512"}
_KEY_BYTES = {1: 16, 2: 32, 3: 32, 0xFFFF: 0}
_X25519, _P256 = 0x0020, 0x0010
_CURVES: dict[int, tuple[ec.EllipticCurve, int]] = {
    0x0010: (ec.SECP256R1(), 1),
    0x0011: (ec.SECP384R1(), 2),
    0x0012: (ec.SECP521R1(), 3),
}
EXPORT_ONLY = 0xFFFF


@dataclass(frozen=True, slots=True)
class Suite:
    """Algorithm identifiers as RFC 9180, 7, numbers them."""

    kem: int
    kdf: int
    aead: int

    def __post_init__(self) -> None:
        if self.kem not in {_X25519, *_CURVES} or self.kdf not in _HASHES:
            raise ValueError("an algorithm of this suite is not known")
        if self.aead not in _KEY_BYTES:
            raise ValueError("an algorithm of this suite is not known")


@dataclass(frozen=True, slots=True)
class Context:
    """What both sides share: key, nonce and exporter secret (RFC 9180, 5.1)."""

    suite: Suite
    shared_secret: bytes = field(repr=False)
    key: bytes = field(repr=False)
    base_nonce: bytes = field(repr=False)
    exporter_secret: bytes = field(repr=False)

    def nonce(self, sequence: int) -> bytes:
        """The nonce of one message."""
        number = int.from_bytes(self.base_nonce) ^ sequence
        return number.to_bytes(len(self.base_nonce), "big")

    def open(self, sequence: int, aad: bytes, sealed: bytes) -> bytes:
        """The clear text of one message.

        Raises:
            ValueError: it is not authentic, or the suite only exports.
        """
        cipher = self._cipher()
        try:
            return cipher.decrypt(self.nonce(sequence), sealed, aad)
        except InvalidTag:
            raise ValueError("the message is not authentic") from None

    def seal(self, sequence: int, aad: bytes, clear: bytes) -> bytes:
        """One message, sealed."""
        return self._cipher().encrypt(self.nonce(sequence), clear, aad)

    def _cipher(self) -> AESGCM | ChaCha20Poly1305:
        if self.suite.aead == EXPORT_ONLY:
            raise ValueError("this suite seals nothing")
        return ChaCha20Poly1305(self.key) if self.suite.aead == 3 else AESGCM(self.key)

    def export(self, context: bytes, length: int) -> bytes:
        """A secret for something else (RFC 9180, 5.3)."""
        labels = _Labels(self.suite.kdf, _suite_id(self.suite))
        return labels.expand(self.exporter_secret, b"sec", context, length)


class _Labels:
    """Extract and expand with labels (RFC 9180, 4)."""

    def __init__(self, kdf: int, suite_id: bytes) -> None:
        self._hash = _HASHES[kdf]
        self._id = b"HPKE-v1" + suite_id
        self.size = hashlib.new(self._hash).digest_size

    def extract(self, salt: bytes, label: bytes, secret: bytes) -> bytes:
        salt = salt or bytes(self.size)
        return hmac.digest(salt, self._id + label + secret, self._hash)

    def expand(self, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
        info = length.to_bytes(2, "big") + self._id + label + info
        made = block = b""
        for number in range(1, -(-length // self.size) + 1):
            block = hmac.digest(key, block + info + bytes((number,)), self._hash)
            made += block
        return made[:length]


def _suite_id(suite: Suite) -> bytes:
    return b"HPKE" + b"".join(
        number.to_bytes(2, "big") for number in (suite.kem, suite.kdf, suite.aead)
    )


def public_key(kem: int, secret: bytes) -> bytes:
    """The public key of a private one, as the wire has it."""
    if kem == _X25519:
        return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    curve, _ = _CURVES[kem]
    key = ec.derive_private_key(int.from_bytes(secret), curve)
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _exchanged(kem: int, secret: bytes, other: bytes) -> bytes:
    if kem == _X25519:
        mine = X25519PrivateKey.from_private_bytes(secret)
        return mine.exchange(X25519PublicKey.from_public_bytes(other))
    curve, _ = _CURVES[kem]
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(curve, other)
    return ec.derive_private_key(int.from_bytes(secret), curve).exchange(ec.ECDH(), theirs)


def decapsulated(kem: int, sent: bytes, secret: bytes, sender: bytes | None = None) -> bytes:
    """The shared secret at the receiver (RFC 9180, 4.1); ``sender`` in the authenticated modes."""
    kdf = 1 if kem == _X25519 else _CURVES[kem][1]
    labels = _Labels(kdf, b"KEM" + kem.to_bytes(2, "big"))
    shared = _exchanged(kem, secret, sent)
    context = sent + public_key(kem, secret)
    if sender is not None:
        shared += _exchanged(kem, secret, sender)
        context += sender
    first = labels.extract(b"", b"eae_prk", shared)
    return labels.expand(first, b"shared_secret", context, labels.size)


def context(
    suite: Suite,
    shared: bytes,
    info: bytes,
    *,
    mode: int = 0,
    psk: bytes = b"",
    psk_id: bytes = b"",
) -> Context:
    """The key schedule (RFC 9180, 5.1).

    Raises:
        ValueError: the mode wants a pre-shared key and there is none, or the other way round.
    """
    if bool(psk) != bool(psk_id) or bool(psk) != (mode in {1, 3}):
        raise ValueError("the mode and the pre-shared key do not belong together")
    labels = _Labels(suite.kdf, _suite_id(suite))
    schedule = bytes((mode,)) + labels.extract(b"", b"psk_id_hash", psk_id)
    schedule += labels.extract(b"", b"info_hash", info)
    secret = labels.extract(shared, b"secret", psk)
    size = _KEY_BYTES[suite.aead]
    return Context(
        suite,
        shared,
        labels.expand(secret, b"key", schedule, size) if size else b"",
        labels.expand(secret, b"base_nonce", schedule, 12) if size else b"",
        labels.expand(secret, b"exp", schedule, labels.size),
    )
