"""The acquirer's key manifest: signatures, versions, rotation, and what runs out."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from drivers.keystore import key_id_of
from drivers.manifest import (
    ManifestSealer,
    manifest_payload,
    parse_manifest,
    root_id,
    root_of,
    signed_manifest,
)
from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.acquirer_keys import OpeningKeys
from hardware_sim.certificates import (
    issue_manifest,
    make_credentials,
    opening_keys,
    rotate_opening_key,
)
from offline_queue.epochs import accept_manifest
from offline_queue.store import Store
from terminal.errors import KeyStoreError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Moving:
    """A time of day that is set by hand."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def acquirer(tmp_path: Path) -> AcquirerFolder:
    folder = AcquirerFolder(tmp_path / "acquirer")
    make_credentials(folder)
    return folder


def test_rows_sealed_before_a_rotation_open_after_it(acquirer: AcquirerFolder) -> None:
    clock = Moving()
    first = parse_manifest(issue_manifest(acquirer, NOW), root_of(acquirer.root_file))
    sealer = ManifestSealer(first, clock)
    before = sealer.key_id
    queued = [sealer.seal(b"card %d" % n, f"sale {n} {before}".encode()) for n in range(500)]
    rotate_opening_key(acquirer)
    content = issue_manifest(acquirer, NOW + 80 * DAY)
    second = parse_manifest(content, root_of(acquirer.root_file), newer_than=first.version)
    assert (second.version, second.acquirer) == (2, first.acquirer)
    clock.at = NOW + 80 * DAY
    fresh = ManifestSealer(second, clock)
    assert fresh.key_id != before, "new sales take the new key"
    late = fresh.seal(b"late", f"sale late {before}".encode())
    assert late[2:10].hex() == before, "a binding made before the stroke keeps its key"
    keys = OpeningKeys(opening_keys(acquirer))
    for number, envelope in enumerate(queued):
        opened = keys.open(envelope, lambda kid, n=number: f"sale {n} {kid}".encode())  # type: ignore[misc]  # bound
        assert opened == b"card %d" % number
    assert keys.open(late, lambda kid: f"sale late {kid}".encode()) == b"late"


def test_the_newest_valid_key_seals_and_past_all_the_last_one(acquirer: AcquirerFolder) -> None:
    root = Ed25519PrivateKey.generate()
    keys = [X25519PrivateKey.generate().public_key() for _ in range(3)]
    kids = [key_id_of(key).hex() for key in keys]
    spans = [(NOW - 9 * DAY, NOW + DAY), (NOW, NOW + 9 * DAY), (NOW + 5 * DAY, NOW + 20 * DAY)]
    payload = manifest_payload(7, [(k, *span) for k, span in zip(keys, spans, strict=True)])
    manifest = parse_manifest(signed_manifest(payload, root.sign), root.public_key())
    assert manifest.acquirer == root_id(root.public_key())
    assert manifest.until == NOW + 20 * DAY
    table = {-1: 0, 0: 1, 2: 1, 5: 2, 19: 2, 20: 2, 400: 2}
    assert {day: kids.index(manifest.key_at(NOW + day * DAY).kid) for day in table} == table


def _altered(content: bytes, **changes: object) -> bytes:
    outer = json.loads(content)
    inner = json.loads(base64.b64decode(outer["payload"]))
    inner.update(changes)
    outer["payload"] = base64.b64encode(json.dumps(inner).encode()).decode()
    return json.dumps(outer).encode()


def test_what_is_not_signed_as_it_stands_is_refused(acquirer: AcquirerFolder) -> None:
    content = issue_manifest(acquirer, NOW)
    root = root_of(acquirer.root_file)
    stranger = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(KeyStoreError, match="not signed by the acquirer"):
        parse_manifest(content, stranger)
    alterations: list[dict[str, object]] = [{"version": 99}, {"keys": []}, {"min_client": 0}]
    for changes in alterations:
        with pytest.raises(KeyStoreError, match="not signed by the acquirer"):
            parse_manifest(_altered(content, **changes), root)
    for broken in (b"", b"{}", b"[]", content[:-9], b'{"payload":"!","signature":""}'):
        with pytest.raises(KeyStoreError, match="malformed"):
            parse_manifest(broken, root)


def test_an_older_manifest_and_one_for_a_newer_taptill_are_refused(
    acquirer: AcquirerFolder, tmp_path: Path
) -> None:
    root = root_of(acquirer.root_file) if acquirer.root_file.exists() else None
    first = issue_manifest(acquirer, NOW)
    second = issue_manifest(acquirer, NOW)
    root = root_of(acquirer.root_file)
    with pytest.raises(KeyStoreError, match="version 1, and this till has seen 2"):
        parse_manifest(first, root, newer_than=2)
    assert parse_manifest(second, root, newer_than=2).version == 2
    with Store.open(tmp_path / "ledger.db", at=NOW) as store:
        accept_manifest(store, 2, NOW)
        accept_manifest(store, 2, NOW)
        with pytest.raises(KeyStoreError, match="has seen 2"):
            accept_manifest(store, 1, NOW)
    signer = Ed25519PrivateKey.generate()
    key = X25519PrivateKey.generate().public_key()
    payload = manifest_payload(1, [(key, NOW, NOW + DAY)], min_client=2)
    with pytest.raises(KeyStoreError, match="newer Taptill"):
        parse_manifest(signed_manifest(payload, signer.sign), signer.public_key())


def test_a_key_under_anothers_name_is_refused() -> None:
    signer = Ed25519PrivateKey.generate()
    key = X25519PrivateKey.generate().public_key()
    inner = json.loads(manifest_payload(1, [(key, NOW, NOW + DAY)]))
    inner["keys"][0]["kid"] = "00" * 8
    content = signed_manifest(json.dumps(inner).encode(), signer.sign)
    with pytest.raises(KeyStoreError, match="another id than its own"):
        parse_manifest(content, signer.public_key())
