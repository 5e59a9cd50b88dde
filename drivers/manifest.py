"""The acquirer's key manifest: which of its keys to seal to, and until when.

Rules of this file: a manifest counts only under the pinned root of the acquirer, and its version
only goes up, so that a key that was withdrawn does not come back. Sealing takes the newest key
that is valid; what waits in the queue keeps the key it was sealed to. When the last key has run
out nothing may be stored any more; the acquirer is still asked online.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from drivers.keystore import HpkeSealer, key_id_of
from terminal.errors import KeyStoreError

MANIFEST_FILE = "manifest.json"
"""The manifest in use, in the till's data folder."""

CLIENT = 1
"""The version of this side of the agreement: a manifest may ask for a newer one."""

SIZE_MAX = 65_536
_CONTEXT = b"taptill key manifest 1\x00"
_REMEDY = "Ask the acquirer for its newest manifest, and import it: taptill keyring import FILE"


@dataclass(frozen=True, slots=True)
class AcquirerKey:
    """One sealing key: its id (16 hexadecimal digits), when it may be used, the key."""

    kid: str
    public_key: X25519PublicKey
    not_before: datetime
    not_after: datetime

    def valid(self, at: datetime) -> bool:
        """Whether cards may be sealed to it now."""
        return self.not_before <= at < self.not_after


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the acquirer has signed. ``acquirer`` is the id of the root that it is signed by."""

    acquirer: str
    version: int
    keys: tuple[AcquirerKey, ...]

    @property
    def until(self) -> datetime:
        """When the last key runs out."""
        return max(key.not_after for key in self.keys)

    def key_at(self, at: datetime) -> AcquirerKey:
        """The key to seal to: the newest valid one; past all of them, the last to run out."""
        valid = [key for key in self.keys if key.valid(at)]
        if valid:
            return max(valid, key=lambda key: key.not_before)
        return max(self.keys, key=lambda key: key.not_after)


def root_of(path: Path) -> Ed25519PublicKey:
    """The acquirer's pinned root, an Ed25519 public key in PEM form.

    Raises:
        KeyStoreError: the file is missing, or holds another kind of key.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as cause:
        raise KeyStoreError(
            f"The acquirer's root key {path} cannot be read ({cause.strerror}).",
            remedy="Set manifest_root_file in [acquirer] to the root key as the acquirer gave it.",
        ) from cause
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyStoreError(f"{path} holds no Ed25519 public key.", remedy=_REMEDY)
    return key


def parse_manifest(content: bytes, root: Ed25519PublicKey, *, newer_than: int = 0) -> Manifest:
    """A manifest that is signed by ``root``.

    ``newer_than`` is the highest version that this till has seen: an older one is refused.

    Raises:
        KeyStoreError: it is malformed, not signed by this root, older, or for a newer Taptill.
    """
    try:
        outer = json.loads(content[:SIZE_MAX])
        payload = base64.b64decode(outer["payload"], validate=True)
        signature = base64.b64decode(outer["signature"], validate=True)
        root.verify(signature, _CONTEXT + payload)
        inner = json.loads(payload)
        version, client = inner["version"], inner["min_client"]
        keys = tuple(_key(each) for each in inner["keys"])
    except InvalidSignature:
        raise KeyStoreError(
            "The key manifest is not signed by the acquirer's root.", remedy=_REMEDY
        ) from None
    except (ValueError, KeyError, TypeError, binascii.Error) as cause:
        raise KeyStoreError(f"The key manifest is malformed ({cause}).", remedy=_REMEDY) from None
    if type(version) is not int or type(client) is not int or not keys:
        raise KeyStoreError("The key manifest is malformed.", remedy=_REMEDY)
    if client > CLIENT:
        raise KeyStoreError(
            "The key manifest is for a newer Taptill.", remedy="Update Taptill, then import it."
        )
    if version < newer_than:
        raise KeyStoreError(
            f"The key manifest has version {version}, and this till has seen {newer_than}.",
            remedy=_REMEDY,
        )
    return Manifest(root_id(root), version, keys)


def _key(content: Any) -> AcquirerKey:
    public = X25519PublicKey.from_public_bytes(base64.b64decode(content["public_key"]))
    kid = key_id_of(public).hex()
    if kid != content["kid"]:
        raise ValueError("a key has another id than its own")
    begin, end = (_moment(content[name]) for name in ("not_before", "not_after"))
    if begin >= end:
        raise ValueError("a key ends before it begins")
    return AcquirerKey(kid, public, begin, end)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC)


def root_id(root: Ed25519PublicKey) -> str:
    """The acquirer by its root: 16 hexadecimal digits that no rotation changes."""
    raw = root.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).digest()[:8].hex()


def manifest_payload(
    version: int,
    keys: list[tuple[X25519PublicKey, datetime, datetime]],
    *,
    min_client: int = CLIENT,
) -> bytes:
    """What a root signs: the keys and when each may be used. For whoever issues manifests."""
    listed = [
        {
            "kid": key_id_of(public).hex(),
            "public_key": base64.b64encode(
                public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            ).decode(),
            "not_before": begin.astimezone(UTC).isoformat(),
            "not_after": end.astimezone(UTC).isoformat(),
        }
        for public, begin, end in keys
    ]
    content = {"version": version, "min_client": min_client, "keys": listed}
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def signed_manifest(payload: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The manifest as a file; ``sign`` is the root's signature over what it is given."""
    outer = {
        "payload": base64.b64encode(payload).decode(),
        "signature": base64.b64encode(sign(_CONTEXT + payload)).decode(),
    }
    return json.dumps(outer).encode()


class ManifestSealer:
    """Seals to the newest valid key of a manifest.

    Args:
        manifest: the keys, verified.
        now: the time of day.
    """

    def __init__(self, manifest: Manifest, now: Callable[[], datetime]) -> None:
        self.manifest = manifest
        self._now = now
        self._sealers = {key.kid: HpkeSealer(key.public_key) for key in manifest.keys}

    @property
    def key_id(self) -> str:
        """Which key seals now: 16 hexadecimal digits."""
        return self.manifest.key_at(self._now()).kid

    @property
    def public_key(self) -> X25519PublicKey:
        """The acquirer's key that seals now."""
        return self._sealers[self.key_id].public_key

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """The envelope of ``plaintext`` under the key whose id is part of ``info``."""
        for kid, sealer in self._sealers.items():
            # The binding ends with the key id, so both cannot differ at a rotation's stroke.
            if info.endswith(kid.encode()):
                return sealer.seal(plaintext, info)
        return self._sealers[self.key_id].seal(plaintext, info)
