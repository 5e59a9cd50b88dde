"""Devices by URL: a scheme names an entry point, and the entry point opens the rest.

Rules of this file: a driver is imported only when its scheme is used, so a till without pyscard
still runs on a PN532; the simulator comes in by entry points alone, so a till without that
distribution cannot open ``sim:`` at all. An unknown scheme lists those that exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeVar, cast

from terminal.emv.oda import CaKeys
from terminal.errors import (
    ConfigError,
    KeyStoreError,
    PrinterError,
    ReaderAddressWrong,
    ReaderNotFound,
    TerminalError,
)
from terminal.ports import Host, KeyStore, Printer, Reader, Sealer

READERS = "taptill.readers"
ACQUIRERS = "taptill.acquirers"
PRINTERS = "taptill.printers"

_SIMULATED = frozenset({"sim", "replay", "record"})
_SIMULATOR = (
    " The simulator is the distribution taptill-hardware-sim, and is not installed here; a till in"
    " use names its own reader and acquirer in the configuration (--config)."
)


@dataclass(frozen=True, slots=True)
class FoundReader:
    """A reader that is attached now: how to address it, what it is, which driver serves it."""

    url: str
    name: str
    driver: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class AcquirerSettings:
    """What a link to the acquirer needs beside its URL.

    ``state_dir`` is a folder of the till's own. The files are PEM: the acquirer's CA, this
    till's certificate and key for mutual TLS, and the acquirer's public sealing key.
    With a ``manifest_root_file`` the sealing keys come from the manifest in ``state_dir`` that
    this root has signed. ``keystore`` unwraps a DUKPT key, for acquirers that seal with one.
    """

    terminal_id: str
    merchant_id: str
    state_dir: Path
    ca_file: Path | None = None
    certificate_file: Path | None = None
    private_key_file: Path | None = None
    sealing_key_file: Path | None = None
    manifest_root_file: Path | None = None
    ca_signer_file: Path | None = None
    connect_timeout_s: float = 3.0
    keystore: KeyStore | None = None


class Acquirer(Protocol):
    """An acquirer that has been addressed. Opening it sends nothing."""

    @property
    def name(self) -> str:
        """For a person: host and port, or ``simulated acquirer``."""

    @property
    def production(self) -> bool:
        """Whether real money moves there: then keys of level ``file`` and ``sim`` are refused."""

    @property
    def profile(self) -> str:
        """The name of its ISO 8583 profile."""

    @property
    def ca_keys(self) -> CaKeys:
        """The schemes' CA public keys that this acquirer has its tills trust."""

    @property
    def sealer(self) -> Sealer:
        """Seals card data to the acquirer's public key."""

    def link(self) -> Host:
        """A new link, for one thread. It connects at the first message."""

    def close(self) -> None:
        """Ends what opening has started. Harmless when called twice."""


OpenReader = Callable[[str], Reader]
OpenAcquirer = Callable[[str, AcquirerSettings], Acquirer]
OpenPrinter = Callable[[str], Printer]

T = TypeVar("T")


# What is installed does not change under a running till, and looking through it takes a while.
@cache
def schemes(group: str) -> Mapping[str, EntryPoint]:
    """The schemes of one group, by name, without importing any driver."""
    return MappingProxyType({point.name: point for point in entry_points(group=group)})


def _opener(
    group: str, kind: str, url: str, error: Callable[..., TerminalError]
) -> Callable[..., object]:
    scheme, colon, _ = url.partition(":")
    known = schemes(group)
    listed = ", ".join(f"{name}:" for name in sorted(known)) or "none"
    if not colon or scheme not in known:
        hint = _SIMULATOR if scheme in _SIMULATED else ""
        raise error(
            f"The {kind} address {url!r} begins with no known scheme.",
            remedy=f"Schemes that exist here: {listed}.{hint}",
        )
    try:
        return cast("Callable[..., object]", known[scheme].load())
    except ImportError as cause:
        raise error(
            f"The driver for {scheme}: cannot be loaded ({cause}).",
            remedy=_extra(scheme),
        ) from cause


def open_reader(url: str) -> Reader:
    """Opens the reader at ``url``.

    Raises:
        ReaderAddressWrong: no driver for the scheme, or a malformed address.
        ReaderNotFound: no reader at the address.
    """
    return cast("Reader", _opener(READERS, "reader", url, ReaderAddressWrong)(url))


def open_acquirer(url: str, settings: AcquirerSettings) -> Acquirer:
    """Addresses the acquirer at ``url`` without sending anything.

    Raises:
        ConfigError: no driver for the scheme, or the URL is malformed.
        KeyStoreError: a certificate or key is missing or unreadable.
    """
    return cast("Acquirer", _opener(ACQUIRERS, "acquirer", url, ConfigError)(url, settings))


def open_printer(url: str) -> Printer:
    """Opens the printer at ``url``.

    Raises:
        PrinterError: no driver for the scheme, or no printer at the address.
    """
    return cast("Printer", _opener(PRINTERS, "printer", url, PrinterError)(url))


def discover_readers() -> list[FoundReader | str]:
    """Every reader that any driver can see now; a string says why a driver could not look."""
    found: list[FoundReader | str] = []
    for scheme, point in sorted(schemes(READERS).items()):
        try:
            module = __import__(point.module, fromlist=["discover"])
            found.extend(cast("list[FoundReader]", module.discover()))
        except ImportError as cause:
            found.append(f"{scheme}: its packages are not installed ({cause}). {_extra(scheme)}")
        except (ReaderNotFound, KeyStoreError) as cause:
            found.append(f"{scheme}: {cause}")
    return found


def _extra(scheme: str) -> str:
    """How to install what the driver of a scheme needs."""
    name = {"nfcpy": "nfc", "escpos": "printer"}.get(scheme, scheme)
    return f"Install the extra that brings it: pip install 'taptill[{name}]'."
