"""The sealer against RFC 9180's vectors, and the key file against careless hands."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drivers.clock import SystemClock, SystemEntropy
from drivers.keystore import HEADER_SIZE, SUITE, FileKeyStore, HpkeSealer
from terminal.errors import KeyStoreError
from terminal.ports import Clock, Entropy, KeyStore, Sealer

_KEM_ID = b"KEM" + (0x0020).to_bytes(2, "big")
_SUITE_ID = b"HPKE" + bytes.fromhex("002000010002")


def _extract(salt: bytes, suite: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(prk: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]


def rfc9180_open(private: X25519PrivateKey, enc: bytes, info: bytes) -> tuple[bytes, bytes]:
    """The key and base nonce of a base mode context, from the RFC's text (4.1 and 5.1)."""
    dh = private.exchange(X25519PublicKey.from_public_bytes(enc))
    context = enc + private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    prk = _extract(b"", _KEM_ID, b"eae_prk", dh)
    secret = _expand(prk, _KEM_ID, b"shared_secret", context, 32)
    schedule = (
        b"\x00"
        + _extract(b"", _SUITE_ID, b"psk_id_hash", b"")
        + _extract(b"", _SUITE_ID, b"info_hash", info)
    )
    prk = _extract(secret, _SUITE_ID, b"secret", b"")
    return (
        _expand(prk, _SUITE_ID, b"key", schedule, 32),
        _expand(prk, _SUITE_ID, b"base_nonce", schedule, 12),
    )


@pytest.fixture(scope="module")
def rfc_vector(vectors_dir: Path) -> dict[str, Any]:
    vectors = json.loads((vectors_dir / "crypto" / "hpke_rfc9180.json").read_text())["vectors"]
    (found,) = [
        vector
        for vector in vectors
        if (vector["mode"], vector["kem_id"], vector["kdf_id"], vector["aead_id"]) == (0, 32, 1, 2)
    ]
    assert isinstance(found, dict)
    return found


def test_the_rfc_vector_opens_with_the_independent_key_schedule(
    rfc_vector: dict[str, Any],
) -> None:
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(rfc_vector["skRm"]))
    key, nonce = rfc9180_open(
        private, bytes.fromhex(rfc_vector["enc"]), bytes.fromhex(rfc_vector["info"])
    )
    assert key.hex() == rfc_vector["key"]
    assert nonce.hex() == rfc_vector["base_nonce"]
    first = rfc_vector["encryptions"][0]
    opened = AESGCM(key).decrypt(nonce, bytes.fromhex(first["ct"]), bytes.fromhex(first["aad"]))
    assert opened.hex() == first["pt"]


def test_what_the_sealer_seals_opens_with_the_independent_key_schedule(
    rfc_vector: dict[str, Any],
) -> None:
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(rfc_vector["skRm"]))
    sealer = HpkeSealer(private.public_key())
    envelope = sealer.seal(b"what the card said", b"terminal 1, sale 7")
    enc, ciphertext = envelope[HEADER_SIZE : HEADER_SIZE + 32], envelope[HEADER_SIZE + 32 :]
    key, nonce = rfc9180_open(private, enc, b"terminal 1, sale 7")
    assert AESGCM(key).decrypt(nonce, ciphertext, b"") == b"what the card said"


def test_the_suite_opens_the_rfc_key_schedule_with_empty_aad(rfc_vector: dict[str, Any]) -> None:
    # The vectors carry an AAD and the library's interface has none, so the ciphertext is made
    # from the vector's own key and nonce.
    ciphertext = AESGCM(bytes.fromhex(rfc_vector["key"])).encrypt(
        bytes.fromhex(rfc_vector["base_nonce"]), b"beauty", b""
    )
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(rfc_vector["skRm"]))
    message = bytes.fromhex(rfc_vector["enc"]) + ciphertext
    assert SUITE.decrypt(message, private, bytes.fromhex(rfc_vector["info"])) == b"beauty"


def test_the_envelope_has_its_layout_and_is_never_the_same_twice() -> None:
    private = X25519PrivateKey.generate()
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    sealer: Sealer = HpkeSealer(private.public_key())
    one, other = sealer.seal(b"data", b"info"), sealer.seal(b"data", b"info")
    assert one[:2] == b"\x01\x01"
    assert one[2:10].hex() == sealer.key_id == hashlib.sha256(raw).hexdigest()[:16]
    assert len(one) == len(b"data") + 58
    assert one != other


@pytest.mark.parametrize("part", ["info", "enc", "ciphertext", "tag"])
def test_an_envelope_opens_only_whole_and_with_its_info(part: str) -> None:
    private = X25519PrivateKey.generate()
    sealed = bytearray(HpkeSealer(private.public_key()).seal(b"data", b"info")[HEADER_SIZE:])
    assert SUITE.decrypt(bytes(sealed), private, b"info") == b"data"
    position = {"enc": 3, "ciphertext": 33, "tag": -1}.get(part)
    if position is not None:
        sealed[position] ^= 1
    with pytest.raises(InvalidTag):
        SUITE.decrypt(bytes(sealed), private, b"Info" if part == "info" else b"info")


def test_a_sealer_is_read_from_pem(tmp_path: Path) -> None:
    public = X25519PrivateKey.generate().public_key()
    file = tmp_path / "seal.pem"
    file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert HpkeSealer.from_pem(file).key_id == HpkeSealer(public).key_id


def test_a_pem_file_that_cannot_serve_is_named(tmp_path: Path) -> None:
    other = generate_ec(SECP256R1()).public_key()
    elliptic = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    cases = {"missing": None, "text": b"not a key", "empty": b"", "elliptic": elliptic}
    for name, content in cases.items():
        file = tmp_path / f"{name}.pem"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(KeyStoreError) as caught:
            HpkeSealer.from_pem(file)
        assert str(file) in caught.value.message
        assert caught.value.remedy
    with pytest.raises(KeyStoreError):
        HpkeSealer.from_pem(tmp_path)


def test_a_public_key_of_low_order_is_refused_at_once() -> None:
    with pytest.raises(KeyStoreError, match="cannot be used"):
        HpkeSealer(X25519PublicKey.from_public_bytes(bytes(32)))


class _FixedEntropy:
    def random_bytes(self, count: int) -> bytes:
        return bytes(range(count))


def test_the_root_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    first: KeyStore = FileKeyStore(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["root.key"]
    again = FileKeyStore(path)
    assert first.mac("pan", b"1") == again.mac("pan", b"1")
    assert first.level == "file"
    assert path.read_bytes().hex() not in repr(again)


def test_labels_and_data_and_roots_make_different_macs(tmp_path: Path) -> None:
    one, other = FileKeyStore(tmp_path / "one"), FileKeyStore(tmp_path / "other")
    macs = [one.mac("a", b"1"), one.mac("a", b"2"), one.mac("b", b"1"), other.mac("a", b"1")]
    assert len(set(macs)) == 4
    assert {len(mac) for mac in macs} == {32}


def test_the_mac_is_hmac_under_hkdf_expand(tmp_path: Path) -> None:
    # RFC 5869, 2.3: one block of HKDF-Expand is HMAC(PRK, info | 01).
    keystore = FileKeyStore(tmp_path / "root.key", _FixedEntropy())
    info = b"taptill file keystore v1\x00" + b"pan epoch 1"
    key = hmac.digest(bytes(range(32)), info + b"\x01", "sha256")
    assert keystore.mac("pan epoch 1", b"data") == hmac.digest(key, b"data", "sha256")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o602, 0o601])
def test_a_root_that_others_can_reach_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "root.key"
    FileKeyStore(path)
    path.chmod(mode)
    with pytest.raises(KeyStoreError) as caught:
        FileKeyStore(path)
    assert f"{mode:04o}" in caught.value.message
    assert f"chmod 600 {path}" in caught.value.remedy


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_root_of_another_length_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "root.key"
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    with pytest.raises(KeyStoreError, match="does not hold 32 bytes"):
        FileKeyStore(path)


def test_links_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    real = tmp_path / "real"
    FileKeyStore(real)
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "dangling", "folder", "pipe"):
        with pytest.raises(KeyStoreError, match=name):
            FileKeyStore(tmp_path / name)
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="missing"):
        FileKeyStore(tmp_path / "missing" / "root.key")


def test_a_key_of_another_user_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = tmp_path / "root.key"
    FileKeyStore(path)
    os.chown(path, 1, 1)
    with pytest.raises(KeyStoreError, match="another user"):
        FileKeyStore(path)


def test_the_system_clock_and_entropy_fill_their_ports() -> None:
    clock: Clock = SystemClock()
    entropy: Entropy = SystemEntropy()
    offset = clock.now().utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
    assert clock.monotonic() <= clock.monotonic()
    assert len(entropy.random_bytes(16)) == 16
    assert entropy.random_bytes(16) != entropy.random_bytes(16)
