"""The CA keys of the schemes on this till: a file that the acquirer has signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from drivers.signed_store import SignedStore, signer_in
from terminal.emv.ca_key_set import CaKeySet, parse_key_set

INSTALLED_NAME = "ca-keys.signed"


@dataclass(frozen=True, slots=True)
class CaKeyStore(SignedStore[CaKeySet]):
    """The set of keys; with ``production`` one of test keys is refused."""

    production: bool

    installed_name: ClassVar[str] = INSTALLED_NAME
    what: ClassVar[str] = "CA keys"
    danger: ClassVar[str] = "bring a revoked key back"
    file_max: ClassVar[int] = 1024 * 1024

    @classmethod
    def opened(cls, folder: Path, signer_file: Path, *, production: bool) -> CaKeyStore:
        """The store whose sets the key in ``signer_file`` (PEM, Ed25519) has signed.

        Raises:
            KeyStoreError: the file is missing, unreadable or holds another kind of key.
        """
        return cls(folder, signer_in(signer_file), production)

    def parse(self, content: bytes, source: str) -> CaKeySet:
        """Reads a set of keys (``terminal.emv.ca_key_set``).

        Raises:
            ConfigError: it is none, or holds test keys where real money moves.
        """
        return parse_key_set(content, production=self.production, source=source)
