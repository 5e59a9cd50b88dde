"""The CA keys of the schemes on this till: a signed file, and how a newer one takes its place.

Rules of this file: nothing is believed but what the acquirer's key has signed (Ed25519, over the
file's very bytes), an older issue never replaces a newer one, and the file is exchanged whole or
not at all. What is in the file is read by ``terminal.emv.ca_key_set``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from terminal.emv.ca_key_set import CaKeySet, parse_key_set
from terminal.errors import KeyStoreError

INSTALLED_NAME = "ca-keys.signed"
"""The signature's 64 bytes and the set behind them: one file, so that one rename changes both."""

_SIGNATURE_BYTES = 64
_FILE_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CaKeyStore:
    """The signed set in a folder of the till's own, and the key of whoever may sign it."""

    folder: Path
    signer: Ed25519PublicKey
    production: bool

    @classmethod
    def opened(cls, folder: Path, signer_file: Path, *, production: bool) -> CaKeyStore:
        """The store whose sets the key in ``signer_file`` (PEM, Ed25519) has signed.

        Raises:
            KeyStoreError: the file is missing, unreadable or holds another kind of key.
        """
        try:
            key = load_pem_public_key(_read(signer_file))
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise KeyStoreError(
                f"{signer_file} holds no Ed25519 public key.",
                remedy="Set ca_signer_file in [acquirer] to the PEM file that the acquirer gave.",
            )
        return cls(folder, key, production)

    def load(self) -> CaKeySet | None:
        """The set that is installed; None before the first.

        Raises:
            KeyStoreError: a file is unreadable, or the signature does not hold.
            ConfigError: what was signed is no set of keys for this till.
        """
        path = self.folder / INSTALLED_NAME
        if not path.exists():
            return None
        whole = _read(path)
        return self._verified(whole[_SIGNATURE_BYTES:], whole[:_SIGNATURE_BYTES], path)

    def install(self, keys_file: Path, signature_file: Path) -> CaKeySet:
        """Takes a newer set in and returns it.

        Raises:
            KeyStoreError: as ``load``; or it is not newer than what is installed; or the folder
                cannot be written.
            ConfigError: as ``load``.
        """
        content, signature = _read(keys_file), _signature(_read(signature_file))
        newer, present = self._verified(content, signature, keys_file), self.load()
        if present is not None and newer.version <= present.version:
            raise KeyStoreError(
                f"{keys_file} is issue {newer.version}, and issue {present.version} is installed.",
                remedy="Ask the acquirer for its latest set. An older one could bring a revoked"
                " key back.",
            )
        self._write(signature + content)
        return newer

    def _verified(self, content: bytes, signature: bytes, path: Path) -> CaKeySet:
        try:
            self.signer.verify(signature, content)
        except InvalidSignature:
            raise KeyStoreError(
                f"{path} is not what the acquirer's key has signed.",
                remedy="Get the keys and their signature again, from the same issue.",
            ) from None
        return parse_key_set(content, production=self.production, source=str(path))

    def _write(self, whole: bytes) -> None:
        path = self.folder / INSTALLED_NAME
        draft = path.with_name(f".{path.name}.new")
        try:
            with draft.open("wb") as file:
                file.write(whole)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as cause:
            raise KeyStoreError(f"{path} cannot be written ({cause.strerror}).") from cause


def _signature(content: bytes) -> bytes:
    """The signature's bytes, from a file that holds them or their hexadecimal digits."""
    if len(content) == _SIGNATURE_BYTES:
        return content
    try:
        return bytes.fromhex(content.decode("ascii"))
    except ValueError:
        return b""


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as cause:
        raise KeyStoreError(f"{path} cannot be read ({cause.strerror}).") from cause
    if len(content) > _FILE_MAX:
        raise KeyStoreError(f"{path} is longer than a set of keys can be.")
    return content
