"""What the acquirer has signed for this till: a file, and how a newer one takes its place.

Rules of this file: nothing is believed but what the acquirer's key has signed (Ed25519, over the
file's very bytes), an older issue never replaces a newer one, and the file is exchanged whole or
not at all. What is in a file is read by its store.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from drivers.synced import sync_folder
from terminal.errors import KeyStoreError

_SIGNATURE_BYTES = 64
_PEM_MAX = 64 * 1024


class Issue(Protocol):
    """One issue of a file; a later one has a higher version."""

    @property
    def version(self) -> int:
        """Counts up from 1."""


T = TypeVar("T", bound=Issue)


@dataclass(frozen=True, slots=True)
class SignedStore(Generic[T]):
    """A signed file in a folder of the till's own, and the key of whoever may sign it."""

    folder: Path
    signer: Ed25519PublicKey

    installed_name: ClassVar[str]
    """Holds the signature (64 bytes) and the content: one file, so that one rename changes both."""
    what: ClassVar[str]
    """What the file is, for messages."""
    danger: ClassVar[str]
    """What an older issue could do."""
    file_max: ClassVar[int]

    def parse(self, content: bytes, source: str) -> T:
        """Reads what was signed.

        Raises:
            ConfigError: it is not what this store holds; ``source`` names it.
        """
        raise NotImplementedError

    def load(self) -> T | None:
        """The issue that is installed; None before the first.

        Raises:
            KeyStoreError: a file is unreadable, or the signature does not hold.
            ConfigError: what was signed cannot be used on this till.
        """
        path = self.folder / self.installed_name
        if not path.exists():
            return None
        whole = self._read(path)
        return self._verified(whole[_SIGNATURE_BYTES:], whole[:_SIGNATURE_BYTES], path)

    def install(self, file: Path, signature_file: Path) -> T:
        """Takes a newer issue in and returns it.

        Raises:
            KeyStoreError: as ``load``; or it is not newer than what is installed; or the folder
                cannot be written.
            ConfigError: as ``load``.
        """
        content, signature = self._read(file), _signature(self._read(signature_file))
        newer, present = self._verified(content, signature, file), self.load()
        if present is not None and newer.version <= present.version:
            raise KeyStoreError(
                f"{file} is issue {newer.version}, and issue {present.version} is installed.",
                remedy=f"Ask the acquirer for its latest {self.what}. An older one could"
                f" {self.danger}.",
            )
        self._write(signature + content)
        return newer

    def _verified(self, content: bytes, signature: bytes, path: Path) -> T:
        try:
            self.signer.verify(signature, content)
        except InvalidSignature:
            raise KeyStoreError(
                f"{path} is not what the acquirer's key has signed.",
                remedy=f"Get the {self.what} and the signature again, from the same issue.",
            ) from None
        return self.parse(content, str(path))

    def _read(self, path: Path) -> bytes:
        content = read_file(path)
        if len(content) > self.file_max:
            raise KeyStoreError(f"{path} is longer than a file of {self.what} can be.")
        return content

    def _write(self, whole: bytes) -> None:
        path = self.folder / self.installed_name
        draft = path.with_name(f".{path.name}.new")
        try:
            with draft.open("wb") as file:
                file.write(whole)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            sync_folder(self.folder)
        except OSError as cause:
            raise KeyStoreError(f"{path} cannot be written ({cause.strerror}).") from cause


def signer_in(path: Path) -> Ed25519PublicKey:
    """The public key in a file (PEM, Ed25519) of whoever may sign.

    Raises:
        KeyStoreError: the file is missing, unreadable or holds another kind of key.
    """
    try:
        key = load_pem_public_key(read_file(path)[:_PEM_MAX])
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyStoreError(
            f"{path} holds no Ed25519 public key.",
            remedy="Set ca_signer_file in [acquirer] to the PEM file that the acquirer gave.",
        )
    return key


def read_file(path: Path) -> bytes:
    """A file's content.

    Raises:
        KeyStoreError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as cause:
        raise KeyStoreError(f"{path} cannot be read ({cause.strerror}).") from cause


def _signature(content: bytes) -> bytes:
    """The signature's bytes, from a file that holds them or their hexadecimal digits."""
    if len(content) == _SIGNATURE_BYTES:
        return content
    try:
        return bytes.fromhex(content.decode("ascii"))
    except ValueError:
        return b""
