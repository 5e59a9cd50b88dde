"""The schemes' CA keys on this till: what is believed, and how a newer set gets in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drivers.ca_key_store import INSTALLED_NAME, CaKeyStore
from hardware_sim.ca import ca_public_keys
from terminal.emv.oda import CaPublicKey
from terminal.errors import ConfigError, KeyStoreError

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def key_set(version: int = 7, environment: str = "production", **changes: Any) -> dict[str, Any]:
    keys = [
        {
            "rid": key.rid.hex(),
            "index": f"{key.index:02X}",
            "modulus": key.modulus.hex(),
            "exponent": key.exponent.hex(),
            "checksum": key.sha1().hex(),
            "expires": "2030-12-31" if number else "2026-01-31",
        }
        for number, key in enumerate(ca_public_keys())
    ]
    revoked = [{"rid": "A000000003", "index": "E1", "serial": "001234"}]
    return {
        "version": version,
        "issued": "2026-11-25",
        "environment": environment,
        "keys": keys,
        "revoked": revoked,
        **changes,
    }


def written(folder: Path, table: Any, signer: Ed25519PrivateKey = SIGNER) -> tuple[Path, Path]:
    content = table if isinstance(table, bytes) else json.dumps(table).encode()
    path = folder / "set.json"
    path.write_bytes(content)
    signature = folder / "set.json.sig"
    signature.write_bytes(signer.sign(content))
    return path, signature


@pytest.fixture
def store(tmp_path: Path) -> CaKeyStore:
    (tmp_path / "till").mkdir()
    pem = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "signer.pem").write_bytes(pem)
    return CaKeyStore.opened(tmp_path / "till", tmp_path / "signer.pem", production=True)


def test_a_signed_set_is_taken_in_and_found_again(store: CaKeyStore, tmp_path: Path) -> None:
    assert store.load() is None
    store.install(*written(tmp_path, key_set()))
    found = store.load()
    assert found is not None
    assert (found.version, found.issued, found.environment) == (7, date(2026, 11, 25), "production")
    assert found.keys.find(bytes.fromhex("A000000004"), 0xE1) is not None
    assert (bytes.fromhex("A000000003"), 0xE1, bytes.fromhex("001234")) in found.keys.revoked
    assert [key.rid.hex() for key in found.expired(date(2026, 11, 25))] == ["a000000003"]


def test_a_signature_in_digits(store: CaKeyStore, tmp_path: Path) -> None:
    path, signature = written(tmp_path, key_set())
    signature.write_text(signature.read_bytes().hex(), "ascii")
    assert store.install(path, signature).version == 7


def test_an_older_issue_does_not_come_back(store: CaKeyStore, tmp_path: Path) -> None:
    store.install(*written(tmp_path, key_set(7)))
    for version in (6, 7):
        with pytest.raises(KeyStoreError, match="issue 7 is installed"):
            store.install(*written(tmp_path, key_set(version, revoked=[])))
    assert store.install(*written(tmp_path, key_set(8))).version == 8
    found = store.load()
    assert found is not None
    assert found.version == 8


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("which", [0, 1])
def test_a_changed_byte_is_refused(store: CaKeyStore, tmp_path: Path, which: int) -> None:
    paths = written(tmp_path, key_set())
    flip(paths[which])
    with pytest.raises(KeyStoreError, match="acquirer's key has signed"):
        store.install(*paths)
    assert store.load() is None


def test_a_changed_store_is_refused(store: CaKeyStore, tmp_path: Path) -> None:
    store.install(*written(tmp_path, key_set()))
    flip(store.folder / INSTALLED_NAME)
    with pytest.raises(KeyStoreError, match="acquirer's key has signed"):
        store.load()


def test_somebody_elses_signature(store: CaKeyStore, tmp_path: Path) -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(KeyStoreError, match="acquirer's key has signed"):
        store.install(*written(tmp_path, key_set(), stranger))
    path, signature = written(tmp_path, key_set())
    signature.write_text("no signature", "ascii")
    with pytest.raises(KeyStoreError, match="acquirer's key has signed"):
        store.install(path, signature)


def test_test_keys_stay_out_of_a_till_that_moves_money(store: CaKeyStore, tmp_path: Path) -> None:
    paths = written(tmp_path, key_set(environment="test"))
    with pytest.raises(ConfigError, match="holds test keys"):
        store.install(*paths)
    harmless = CaKeyStore(store.folder, store.signer, production=False)
    assert harmless.install(*paths).environment == "test"


Change = Callable[[dict[str, Any]], Any]


def _in_key(**changes: Any) -> Change:
    def change(table: dict[str, Any]) -> Any:
        table["keys"][0] |= changes
        return table

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: b"no json", "is not JSON"),
        (lambda _: [], "expected exactly the fields"),
        (lambda table: table | {"more": 1}, "expected exactly the fields"),
        (lambda table: table | {"version": 0}, "version"),
        (lambda table: table | {"version": True}, "version"),
        (lambda table: table | {"environment": "live"}, "environment"),
        (lambda table: table | {"issued": "25.11.2026"}, "expected a day"),
        (lambda table: table | {"issued": "2026-02-30"}, "expected a day"),
        (lambda table: table | {"keys": {}}, "are lists"),
        (lambda table: table | {"keys": [1]}, "key 1: expected exactly"),
        (lambda table: table | {"keys": table["keys"] * 2}, "listed twice"),
        (_in_key(rid="A0"), "RID of five bytes"),
        (_in_key(index="0102"), "one byte"),
        (_in_key(modulus="XY"), "hexadecimal"),
        (_in_key(checksum="00" * 20), "checksum"),
        (_in_key(exponent="05"), "exponent"),
        (
            lambda table: table | {"revoked": [{"rid": "A0", "index": "01", "serial": "000001"}]},
            "five bytes",
        ),
    ],
)
def test_what_is_no_set_of_keys(
    store: CaKeyStore, tmp_path: Path, change: Change, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        store.install(*written(tmp_path, change(key_set())))


def test_files_that_cannot_be_used(store: CaKeyStore, tmp_path: Path) -> None:
    path, signature = written(tmp_path, key_set())
    with pytest.raises(KeyStoreError, match="cannot be read"):
        store.install(tmp_path / "nothing", signature)
    path.write_bytes(bytes(1024 * 1024 + 1))
    with pytest.raises(KeyStoreError, match="longer than a file of CA keys"):
        store.install(path, signature)
    gone = CaKeyStore(tmp_path / "no folder", store.signer, production=True)
    with pytest.raises(KeyStoreError, match="cannot be written"):
        gone.install(*written(tmp_path, key_set()))


@pytest.mark.parametrize("kind", ["missing", "text", "x25519"])
def test_a_signer_that_is_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "signer.pem"
    if kind == "text":
        path.write_text("no key")
    elif kind == "x25519":
        public = X25519PrivateKey.generate().public_key()
        path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(KeyStoreError):
        CaKeyStore.opened(tmp_path, path, production=True)


def test_larger_keys_than_emv_has_are_taken() -> None:
    key = CaPublicKey(bytes.fromhex("A000000004"), 1, b"\xff" * 256, b"\x03")
    assert key.key.length == 256
