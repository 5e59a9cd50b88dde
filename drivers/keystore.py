"""Keys: the sealer to the acquirer's public key, and the device's own root key in a file.

Rules of this file: no key comes out of an object once it is in, nothing here can open what it
has sealed, and a key file that others can read is refused rather than repaired, since a key
that has been readable may already have been read.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from drivers.clock import SystemEntropy
from drivers.synced import sync_folder
from terminal.errors import KeyStoreError
from terminal.ports import Entropy

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
"""DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180, 7.1 to 7.3)."""

ENVELOPE_VERSION = 0x01
SUITE_X25519_AES256GCM = 0x01
KEY_ID_SIZE = 8
HEADER_SIZE = 2 + KEY_ID_SIZE

_ROOT_SIZE = 32
_WRAPPED = b"TAPTILL-KEY-1\x00"
_SALT_SIZE = 16
_NONCE_SIZE = 12
_WRAPPED_SIZE = len(_WRAPPED) + _SALT_SIZE + _NONCE_SIZE + _ROOT_SIZE + 16
_LABEL_PREFIX = b"taptill file keystore v1\x00"


def key_id_of(public_key: X25519PublicKey) -> bytes:
    """The id of a sealing key: the first 8 bytes of SHA-256 over its 32 raw bytes."""
    raw = public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).digest()[:KEY_ID_SIZE]


class HpkeSealer:
    """Seals to the acquirer with HPKE base mode (RFC 9180), single shot, empty AAD.

    The envelope is ``01 | 01 | key id (8 bytes) | enc (32 bytes) | ciphertext | tag (16 bytes)``:
    format version, suite, and what the acquirer needs to find its private key. Everything
    that the card data is bound to travels as ``info``.

    Raises:
        KeyStoreError: the key is of low order, so that anyone could open what it seals.
    """

    __slots__ = ("_header", "_public_key")

    def __init__(self, public_key: X25519PublicKey) -> None:
        self._public_key = public_key
        self._header = bytes((ENVELOPE_VERSION, SUITE_X25519_AES256GCM)) + key_id_of(public_key)
        # One sealing now tells a useless key at start, and not when a customer has tapped.
        try:
            self.seal(b"", b"")
        except ValueError as cause:
            raise KeyStoreError(
                f"The acquirer's sealing key {self.key_id} cannot be used.",
                remedy="Ask the acquirer for its X25519 public key again.",
            ) from cause

    @classmethod
    def from_pem(cls, path: Path) -> HpkeSealer:
        """The sealer for the X25519 public key in this PEM file (SubjectPublicKeyInfo).

        Raises:
            KeyStoreError: the file is missing, unreadable, no PEM, or another kind of key.
        """
        remedy = "Set the sealing key file to the acquirer's X25519 public key in PEM form."
        try:
            text = path.read_bytes()
        except OSError as cause:
            raise KeyStoreError(
                f"The acquirer's sealing key {path} cannot be read ({cause.strerror}).",
                remedy=remedy,
            ) from cause
        try:
            key = load_pem_public_key(text)
        except (ValueError, TypeError) as cause:
            raise KeyStoreError(
                f"{path} holds no public key in PEM form.", remedy=remedy
            ) from cause
        if not isinstance(key, X25519PublicKey):
            raise KeyStoreError(
                f"{path} holds a key of another kind, and not X25519.", remedy=remedy
            )
        return cls(key)

    @property
    def key_id(self) -> str:
        """Which of the acquirer's keys: 16 hexadecimal digits."""
        return self._header[2:].hex()

    @property
    def public_key(self) -> X25519PublicKey:
        """The acquirer's key."""
        return self._public_key

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """The envelope of ``plaintext``, bound to ``info``: 58 bytes longer than the plaintext."""
        return self._header + SUITE.encrypt(plaintext, self._public_key, info)


class FileKeyStore:
    """A device root key in a file of this user's: protection level ``file``.

    It protects against nobody who can read the till's disk, and says so by its level. The file
    is made at first use and holds 32 random bytes; with a passphrase they are wrapped under
    argon2id of it, so that the disk alone is not enough while the till is off.

    Args:
        path: the key file; its folder must exist.
        entropy: where the root comes from if it has to be made.
        passphrase: the operator's; empty for none.

    Raises:
        KeyStoreError: the file cannot be made or read, is readable by others, belongs to
            another user, does not hold a root key, or the passphrase is wrong.
    """

    __slots__ = ("_root", "path")

    def __init__(self, path: Path, entropy: Entropy | None = None, *, passphrase: str = "") -> None:
        self.path = path
        entropy = entropy or SystemEntropy()
        if not os.path.lexists(path):
            root = entropy.random_bytes(_ROOT_SIZE)
            _create(path, _wrapped(root, passphrase, entropy) if passphrase else root)
        self._root = _unwrapped(path, _read(path), passphrase)

    def __repr__(self) -> str:
        return f"FileKeyStore({str(self.path)!r})"

    @property
    def level(self) -> str:
        """The protection level: ``file``."""
        return "file"

    def mac(self, label: str, data: bytes) -> bytes:
        """HMAC-SHA-256 of ``data`` under a key of its own for ``label``; 32 bytes."""
        expand = HKDFExpand(SHA256(), _ROOT_SIZE, _LABEL_PREFIX + label.encode())
        return hmac.digest(expand.derive(self._root), data, "sha256")


def _create(path: Path, root: bytes) -> None:
    """Makes the file whole or not at all, and leaves one that appeared meanwhile alone."""
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(root)
                file.flush()
                os.fsync(file.fileno())
            # A link, unlike a rename, fails when another process has made the key first.
            os.link(draft, path)
        except FileExistsError:
            return
        finally:
            Path(draft).unlink()
        sync_folder(path.parent)
    except OSError as cause:
        raise KeyStoreError(
            f"The key file {path} cannot be made ({cause.strerror}).",
            remedy="Give the till a folder that it may write.",
        ) from cause


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as cause:
        raise KeyStoreError(
            f"The key file {path} cannot be opened ({cause.strerror}).",
            remedy="It must be a plain file that belongs to the till's user.",
        ) from cause
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyStoreError(f"The key file {path} is no plain file.")
        if status.st_uid != os.geteuid():
            raise KeyStoreError(
                f"The key file {path} belongs to another user.",
                remedy=f"Run the till as its owner, or: chown {os.geteuid()} {path}",
            )
        if status.st_mode & 0o077:
            raise KeyStoreError(
                f"The key file {path} can be read or written by other users"
                f" (mode {stat.S_IMODE(status.st_mode):04o}).",
                remedy=f"If nobody else has used this machine: chmod 600 {path}",
            )
        content = os.read(descriptor, _WRAPPED_SIZE + 1)
    finally:
        os.close(descriptor)
    if len(content) not in {_ROOT_SIZE, _WRAPPED_SIZE}:
        raise KeyStoreError(
            f"The key file {path} does not hold {_ROOT_SIZE} bytes.",
            remedy="Restore it from a backup; without it, returning cards are not recognised.",
        )
    return content


def _wrapping(passphrase: str, salt: bytes) -> AESGCM:
    kdf = Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=64 * 1024)
    return AESGCM(kdf.derive(passphrase.encode()))


def _wrapped(root: bytes, passphrase: str, entropy: Entropy) -> bytes:
    salt, nonce = entropy.random_bytes(_SALT_SIZE), entropy.random_bytes(_NONCE_SIZE)
    return _WRAPPED + salt + nonce + _wrapping(passphrase, salt).encrypt(nonce, root, _WRAPPED)


def _unwrapped(path: Path, content: bytes, passphrase: str) -> bytes:
    if len(content) == _ROOT_SIZE:
        if passphrase:
            raise KeyStoreError(
                f"The key file {path} has no passphrase, and one was given.",
                remedy="Start without it. A passphrase is set when the key is made.",
            )
        return content
    if not passphrase:
        raise KeyStoreError(
            f"The key file {path} needs its passphrase.",
            remedy="Set TAPTILL_PASSPHRASE, or give systemd the credential taptill-passphrase.",
        )
    begin = len(_WRAPPED)
    salt = content[begin : begin + _SALT_SIZE]
    nonce = content[begin + _SALT_SIZE : begin + _SALT_SIZE + _NONCE_SIZE]
    try:
        return _wrapping(passphrase, salt).decrypt(
            nonce, content[begin + _SALT_SIZE + _NONCE_SIZE :], _WRAPPED
        )
    except InvalidTag:
        raise KeyStoreError(
            f"The passphrase of the key file {path} is wrong.", remedy="Type it again."
        ) from None
