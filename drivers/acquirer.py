"""An acquirer's host at ``iso8583+tls://host:port``: its address, its files, its sealing key.

Rules of this file: opening reads files and sends nothing, so that whatever is wrong with a
certificate or a key is said at start and not at a sale. The CA file is pinned: no authority
that the system happens to trust is believed.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cryptography.x509 import load_pem_x509_certificates

from drivers.answer_mac import MacKey, MacLink
from drivers.ca_key_store import CaKeyStore
from drivers.dukpt import DUKPT_STATE, DukptSealer
from drivers.keystore import HpkeSealer
from drivers.manifest import MANIFEST_FILE, Manifest, ManifestSealer, parse_manifest, root_of
from drivers.registry import AcquirerSettings
from drivers.tls_host import TlsHost
from terminal.emv.oda import CaKeys
from terminal.errors import ConfigError, KeyStoreError
from terminal.iso8583.profile import Profile
from terminal.iso8583.profiles import profile_named
from terminal.ports import Host, Sealer

__all__ = ["TlsAcquirer", "TlsHost", "open_acquirer", "tls_context"]

_EXAMPLE = "iso8583+tls://host.example:5000?profile=base87"


@dataclass(frozen=True, slots=True)
class TlsAcquirer:
    """An acquirer at a host and port. Opening it has read files and sent nothing."""

    address: str
    port: int
    profile: str
    production: bool
    sealer: Sealer
    context: ssl.SSLContext
    connect_timeout_s: float
    ca_keys: CaKeys = field(default_factory=CaKeys)
    """The schemes' keys that the acquirer has signed for its tills; without any, cards are
    authenticated by their issuers alone, online."""
    mac_secret: bytes = field(default=b"", repr=False)
    """Of what the till's key for the MACs of answers is made; empty where the dialect has none."""

    @property
    def name(self) -> str:
        """Host and port."""
        return f"{self.address}:{self.port}"

    def link(self) -> Host:
        """A new link, for one thread. It connects at the first message."""
        profile = profile_named(self.profile)
        link = TlsHost(
            self.address,
            self.port,
            self.context,
            framing=profile.framing,
            connect_timeout_s=self.connect_timeout_s,
        )
        sealer = self.sealer
        if not profile.mac_field or not isinstance(sealer, HpkeSealer | ManifestSealer):
            return link
        keys: dict[str, MacKey] = {}

        def key_now() -> MacKey:
            """The key that goes with the acquirer's of now."""
            named = sealer.key_id
            if named not in keys:
                keys[named] = MacKey(sealer.public_key, self.mac_secret)
            return keys[named]

        return MacLink(link, profile, key_now)

    def close(self) -> None:
        """Nothing to end: links are closed by those who asked for them."""


def open_acquirer(url: str, settings: AcquirerSettings) -> TlsAcquirer:
    """Addresses ``iso8583+tls://host:port?profile=base87``.

    ``mode=test`` in the query says that no real money moves there; without it the acquirer
    counts as production, where keys of level ``file`` and ``sim`` are refused.

    Raises:
        ConfigError: the URL is malformed or names an unknown profile.
        KeyStoreError: a certificate or key is missing, unreadable or does not fit.
    """
    address, port, options = _parse(url)
    profile = profile_named(options.get("profile", "base87"))
    production = options.get("mode", "production") == "production"
    return TlsAcquirer(
        address=address,
        port=port,
        profile=profile.name,
        production=production,
        sealer=sealer_for(profile, settings),
        context=tls_context(settings),
        connect_timeout_s=settings.connect_timeout_s,
        ca_keys=_ca_keys(settings, production=production),
        mac_secret=mac_secret(profile, settings),
    )


def mac_secret(profile: Profile, settings: AcquirerSettings) -> bytes:
    """Of what the till's key for the MACs of answers is made, where the dialect has them.

    Raises:
        KeyStoreError: there is no key store to take it from.
    """
    if not profile.mac_field:
        return b""
    if settings.keystore is None:
        raise KeyStoreError("Answers with a MAC need the device's key store.")
    return settings.keystore.mac("answer mac", settings.terminal_id.encode())


def sealer_for(profile: Profile, settings: AcquirerSettings) -> Sealer:
    """The sealer that the acquirer's dialect asks for: HPKE, or DUKPT where it has a serial.

    Raises:
        KeyStoreError: the key for it is missing or cannot be used.
    """
    if profile.serial_field:
        if settings.keystore is None:
            raise KeyStoreError("A DUKPT key cannot be used without the device's key store.")
        return DukptSealer(settings.state_dir / DUKPT_STATE, settings.keystore)
    if settings.manifest_root_file is not None:
        return ManifestSealer(manifest_of(settings), lambda: datetime.now(UTC))
    if settings.sealing_key_file is None:
        raise KeyStoreError(
            "No sealing key of the acquirer is configured.",
            remedy="Set sealing_key_file in [acquirer] of the configuration to the PEM file of its"
            " X25519 public key, as the acquirer gave it.",
        )
    return HpkeSealer.from_pem(settings.sealing_key_file)


def _ca_keys(settings: AcquirerSettings, *, production: bool) -> CaKeys:
    """The schemes' keys that are installed on this till (``taptill keys --load``)."""
    if settings.ca_signer_file is None:
        return CaKeys()
    store = CaKeyStore.opened(settings.state_dir, settings.ca_signer_file, production=production)
    installed = store.load()
    return installed.keys if installed else CaKeys()


def manifest_of(settings: AcquirerSettings) -> Manifest:
    """The manifest that was imported last.

    Raises:
        KeyStoreError: there is none, or it does not hold under the pinned root.
    """
    if settings.manifest_root_file is None:
        raise AssertionError("there is no root for a manifest")
    path = settings.state_dir / MANIFEST_FILE
    try:
        content = path.read_bytes()
    except OSError as cause:
        raise KeyStoreError(
            f"There is no key manifest of the acquirer yet ({path}).",
            remedy="Import the one that the acquirer gave: taptill keyring import FILE",
        ) from cause
    return parse_manifest(content, root_of(settings.manifest_root_file))


def _parse(url: str) -> tuple[str, int, dict[str, str]]:
    def refuse(why: str) -> ConfigError:
        return ConfigError(
            f"The acquirer address {url!r} {why}.", remedy=f"Write it like {_EXAMPLE}."
        )

    try:
        parts = urlsplit(url)
        address, port = parts.hostname, parts.port
        pairs = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError:
        raise refuse("is malformed") from None
    if not address or not port:
        raise refuse("needs a host and a port")
    if parts.username is not None or parts.path.strip("/") or parts.fragment:
        raise refuse("may have a host, a port and options, and nothing else")
    options = dict(pairs)
    if len(options) != len(pairs):
        raise refuse("has an option twice")
    if unknown := sorted(options.keys() - {"profile", "mode"}):
        raise refuse(f"has the unknown option {unknown[0]!r}; there are profile and mode")
    if options.get("mode", "test") not in {"test", "production"}:
        raise refuse("has a mode that is neither test nor production")
    return address, port, options


def tls_context(settings: AcquirerSettings) -> ssl.SSLContext:
    """TLS 1.2 or later that trusts the acquirer's CA file alone, with our certificate if any.

    Raises:
        KeyStoreError: a file is missing, unreadable, encrypted, or the key does not fit.
    """
    if settings.ca_file is None:
        raise KeyStoreError(
            "No CA file for the acquirer is configured.",
            remedy="Set ca_file in [acquirer] of the configuration to the PEM file of the CA that"
            " signs the acquirer's certificate.",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Checks the certificate and the name.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _read(settings.ca_file, "The acquirer's CA file")
    try:
        context.load_verify_locations(cafile=settings.ca_file)
    except ssl.SSLError:
        raise _unusable(settings.ca_file, "The acquirer's CA file") from None
    certificate, key = settings.certificate_file, settings.private_key_file
    if certificate is None:
        if key is not None:
            raise KeyStoreError(
                f"There is a private key ({key}) and no certificate.",
                remedy="Set certificate_file in [acquirer] of the configuration as well.",
            )
        return context
    _check_certificate(certificate)
    if key is not None:
        _read(key, "The till's private key")
    try:
        # Without a password given, OpenSSL would stop the till and ask on its terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as cause:
        if cause.reason == "KEY_VALUES_MISMATCH":
            raise KeyStoreError(
                f"The private key does not belong to the certificate {certificate}.",
                remedy="Put the key and the certificate of the same request together.",
            ) from None
        if key is None:
            raise KeyStoreError(
                f"The till's certificate {certificate} comes without its private key.",
                remedy="Set private_key_file in [acquirer] of the configuration as well.",
            ) from None
        raise _unusable(key, "The till's private key") from None
    return context


def _check_certificate(path: Path) -> None:
    """Tells a wrong certificate file before OpenSSL, whose error could mean the key as well."""
    _read(path, "The till's certificate")
    try:
        load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        raise _unusable(path, "The till's certificate") from None


def _read(path: Path, what: str) -> None:
    try:
        path.read_bytes()
    except OSError as cause:
        raise KeyStoreError(
            f"{what} {path} cannot be read: {cause.strerror}.",
            remedy="Check the path and that the till may read it.",
        ) from cause


def _unusable(path: Path, what: str) -> KeyStoreError:
    return KeyStoreError(
        f"{what} {path} cannot be used.", remedy="It must be a PEM file without a password."
    )
