"""PEM files of a till that are right, and some that are wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Pems:
    """A folder of files; ``right`` names those that fit together, by their setting."""

    folder: Path
    right: dict[str, str]


def make_pems(folder: Path) -> Pems:
    key, other = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "till under test")])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=30))
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    private, public = PrivateFormat.PKCS8, PublicFormat.SubjectPublicKeyInfo
    locked = BestAvailableEncryption(b"secret")
    contents = {
        "certificate.pem": certificate,
        "certificate_public.pem": key.public_key().public_bytes(Encoding.PEM, public),
        "key.pem": key.private_bytes(Encoding.PEM, private, NoEncryption()),
        "other_key.pem": other.private_bytes(Encoding.PEM, private, NoEncryption()),
        "locked_key.pem": key.private_bytes(Encoding.PEM, private, locked),
        "sealing.pem": X25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, public),
        "text.pem": b"This is no key.\n",
    }
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    right = {
        "ca_file": "certificate.pem",
        "certificate_file": "certificate.pem",
        "private_key_file": "key.pem",
        "sealing_key_file": "sealing.pem",
    }
    return Pems(folder, right)
