"""The acquirer's identity: its certificates, its sealing key, its own secret, in one folder.

Rules of this file: everything is made once and kept, so that a restart on the same folder is the
same acquirer; each file is written whole or not at all, and ``ca.pem``, written last, says that
the set is complete. Private keys are readable by this user alone and never leave the folder.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from drivers.keystore import key_id_of
from drivers.manifest import manifest_payload, parse_manifest, signed_manifest
from hardware_sim.acquirer_folder import AcquirerFolder
from terminal.errors import KeyStoreError

HASH_KEY_SIZE = 32
OVERLAP = timedelta(days=7)
"""How long a retired key is still sealed to, by tills that have not heard of the next."""

_VALID_FOR = timedelta(days=3650)


def make_credentials(folder: AcquirerFolder) -> None:
    """Makes the certificates and keys of ``folder`` on first use. The caller holds its lock.

    Raises:
        KeyStoreError: the folder cannot be made or written.
    """
    try:
        folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not folder.ca_file.exists():
            _make(folder)
    except OSError as cause:
        raise KeyStoreError(
            f"The simulated acquirer's folder {folder.path} cannot be used ({cause.strerror}).",
            remedy="Give it a folder that this user may write.",
        ) from cause


def opening_key(folder: AcquirerFolder) -> X25519PrivateKey:
    """The private key that opens envelopes.

    Raises:
        KeyStoreError: the file is missing, or holds something else.
    """
    return _opening(folder, folder.opening_key_file)


def _opening(folder: AcquirerFolder, path: Path) -> X25519PrivateKey:
    try:
        key = load_pem_private_key(_read(folder, path), password=None)
    except ValueError:
        key = None
    if not isinstance(key, X25519PrivateKey):
        raise KeyStoreError(f"{path} holds no X25519 private key.", remedy=_anew(folder))
    return key


def hash_key(folder: AcquirerFolder) -> bytes:
    """The key of the ledger's card hashes; 32 bytes.

    Raises:
        KeyStoreError: the file is missing, or not 32 bytes long.
    """
    key = _read(folder, folder.hash_key_file)
    if len(key) != HASH_KEY_SIZE:
        raise KeyStoreError(
            f"{folder.hash_key_file} does not hold {HASH_KEY_SIZE} bytes.", remedy=_anew(folder)
        )
    return key


def opening_keys(folder: AcquirerFolder) -> tuple[X25519PrivateKey, ...]:
    """Every private key that opens envelopes, the one in use first.

    Raises:
        KeyStoreError: a file is missing, or holds something else.
    """
    retired = [_opening(folder, path) for path in folder.retired_key_files()]
    return (opening_key(folder), *retired)


def issue_manifest(
    folder: AcquirerFolder, at: datetime, *, valid_for: timedelta = timedelta(days=90)
) -> bytes:
    """The next key manifest: the key in use from now on, and retired ones until then.

    Raises:
        KeyStoreError: a key is missing, or the folder cannot be written.
    """
    root = _root(folder)
    version = 1
    if folder.manifest_file.exists():
        last = parse_manifest(folder.manifest_file.read_bytes(), root.public_key())
        version = last.version + 1
    keys = [(key.public_key(), at, at + valid_for) for key in opening_keys(folder)[:1]]
    keys += [(key.public_key(), at - valid_for, at + OVERLAP) for key in opening_keys(folder)[1:]]
    manifest = signed_manifest(manifest_payload(version, keys), root.sign)
    _write(folder.manifest_file, manifest)
    return manifest


def rotate_opening_key(folder: AcquirerFolder) -> None:
    """A new key to seal to; the one before is kept for what was sealed to it.

    Raises:
        KeyStoreError: a key is missing.
    """
    old = opening_key(folder)
    kid = key_id_of(old.public_key()).hex()
    _write(folder.path / f"opening-key-{kid}.pem", _private_pem(old))
    fresh = X25519PrivateKey.generate()
    _write(folder.opening_key_file, _private_pem(fresh))
    _write(
        folder.sealing_key_file,
        fresh.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def _root(folder: AcquirerFolder) -> Ed25519PrivateKey:
    """The root of the manifests, made at first use."""
    if not folder.root_key_file.exists():
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(folder.root_key_file, pem)
        public = made.public_key()
        _write(
            folder.root_file, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
    key = load_pem_private_key(_read(folder, folder.root_key_file), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyStoreError(f"{folder.root_key_file} holds no Ed25519 key.", remedy=_anew(folder))
    return key


def dukpt_key(path: Path) -> bytes:
    """A key of the DUKPT side, made at first use, since an older acquirer has none; 32 bytes.

    Raises:
        KeyStoreError: the file cannot be made or read.
    """
    try:
        if not path.exists():
            _write(path, secrets.token_bytes(HASH_KEY_SIZE))
        return path.read_bytes()
    except OSError as cause:
        raise KeyStoreError(
            f"The simulated acquirer's {path} cannot be used ({cause.strerror}).",
            remedy="Give it a folder that this user may write.",
        ) from cause


def _anew(folder: AcquirerFolder) -> str:
    return f"Remove {folder.path} to start with a new acquirer."


def _read(folder: AcquirerFolder, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise KeyStoreError(
            f"The simulated acquirer's {path} cannot be read ({cause.strerror}).",
            remedy=_anew(folder),
        ) from cause


def _make(folder: AcquirerFolder) -> None:
    authority = generate_private_key(SECP256R1())
    authority_name = _name("Taptill simulated acquirer CA")
    private_key = X25519PrivateKey.generate()
    public_key = private_key.public_key()
    server_key, server = _issue(authority, authority_name, "localhost", server=True)
    till_key, till = _issue(authority, authority_name, "till", server=False)
    _write(folder.server_key_file, server_key)
    _write(folder.server_certificate_file, server)
    _write(folder.till_key_file, till_key)
    _write(folder.till_certificate_file, till)
    _write(folder.opening_key_file, _private_pem(private_key))
    _write(
        folder.sealing_key_file,
        public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )
    _write(folder.hash_key_file, secrets.token_bytes(HASH_KEY_SIZE))
    # The CA's private key is used here and forgotten: this CA never signs anything else.
    _write(folder.ca_file, _self_signed(authority, authority_name))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _private_pem(key: EllipticCurvePrivateKey | X25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _certificate(
    key: EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name
) -> x509.CertificateBuilder:
    # A day early, since the clock of a till on the bench may be a little behind.
    begin = datetime.now(UTC) - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _self_signed(key: EllipticCurvePrivateKey, name: x509.Name) -> bytes:
    certificate = (
        _certificate(key, name, name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def _issue(
    authority: EllipticCurvePrivateKey, authority_name: x509.Name, common_name: str, *, server: bool
) -> tuple[bytes, bytes]:
    """A private key and the certificate for it, both PEM."""
    key = generate_private_key(SECP256R1())
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _certificate(key, _name(common_name), authority_name)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
            critical=False,
        )
    )
    if server:
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
        )
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(authority, SHA256())
    return _private_pem(key), certificate.public_bytes(Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    """Writes a file that is there whole or not at all, for this user alone."""
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.rename(path)
