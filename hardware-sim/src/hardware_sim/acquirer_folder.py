"""What a simulated acquirer keeps in its folder, by name.

Rules of this file: names and nothing else, so that a till which only joins an acquirer need not
load what runs one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

PROFILE = "base87"
"""The ISO 8583 profile that the simulated acquirer speaks."""

FOLDER_NAME = "sim-acquirer"
"""The folder's name inside a till's state folder."""


@dataclass(frozen=True, slots=True)
class AcquirerFolder:
    """Where the files of one simulated acquirer are. ``path`` holds nothing of anyone else.

    A till needs ``ca_file`` and ``sealing_key_file`` (public), and for mutual TLS
    ``till_certificate_file`` and ``till_key_file``.
    """

    path: Path

    @property
    def ca_file(self) -> Path:
        """The certificate authority that signed the server's and the till's certificate."""
        return self.path / "ca.pem"

    @property
    def server_certificate_file(self) -> Path:
        """The server's certificate, for 127.0.0.1 and localhost."""
        return self.path / "server.pem"

    @property
    def server_key_file(self) -> Path:
        """The server's private key."""
        return self.path / "server-key.pem"

    @property
    def till_certificate_file(self) -> Path:
        """The certificate that a till shows for mutual TLS."""
        return self.path / "till.pem"

    @property
    def till_key_file(self) -> Path:
        """The till's private key for mutual TLS."""
        return self.path / "till-key.pem"

    @property
    def sealing_key_file(self) -> Path:
        """The X25519 public key that tills seal card data to."""
        return self.path / "sealing.pem"

    @property
    def opening_key_file(self) -> Path:
        """The X25519 private key that opens what tills have sealed."""
        return self.path / "opening-key.pem"

    @property
    def root_key_file(self) -> Path:
        """The Ed25519 private key that signs key manifests."""
        return self.path / "root-key.pem"

    @property
    def root_file(self) -> Path:
        """The public half, which tills pin."""
        return self.path / "root.pem"

    @property
    def manifest_file(self) -> Path:
        """The key manifest that was issued last."""
        return self.path / "manifest.json"

    def retired_key_files(self) -> list[Path]:
        """Opening keys of before a rotation: for what was sealed to them."""
        return sorted(self.path.glob("opening-key-*.pem"))

    @property
    def base_key_file(self) -> Path:
        """The 32 bytes that every till's DUKPT key is derived from."""
        return self.path / "base.key"

    @property
    def protection_key_file(self) -> Path:
        """The 32 bytes that protect a till's DUKPT key on its way to the till."""
        return self.path / "protection.key"

    @property
    def hash_key_file(self) -> Path:
        """The 32 bytes that key the hash of a card number in this acquirer's ledger."""
        return self.path / "hash.key"

    @property
    def ledger_file(self) -> Path:
        """The books."""
        return self.path / "ledger.db"

    @property
    def port_file(self) -> Path:
        """The port of the running acquirer, or of the last one."""
        return self.path / "port.json"

    @property
    def lock_file(self) -> Path:
        """Locked by the acquirer that runs here."""
        return self.path / "lock"

    @property
    def log_file(self) -> Path:
        """What a server that a till has started writes to standard error."""
        return self.path / "server.log"

    def last_port(self) -> int:
        """The port of the acquirer here, running or not; 0 when it never ran."""
        try:
            return int(json.loads(self.port_file.read_text())["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0
