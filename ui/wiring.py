"""The composition root: from a configuration to a till that can take a payment.

Rules of this file: this is where the hands, the memory and the mind meet, and nowhere else. It
opens things in the order in which they can fail without loss (configuration, keys, acquirer,
printer, ledger, reader) and closes them in reverse.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drivers.clock import SystemClock, SystemEntropy
from drivers.device_keys import open_device_keys
from drivers.exception_store import exception_file
from drivers.hardening import lock_memory
from drivers.manifest import ManifestSealer
from drivers.registry import (
    Acquirer,
    AcquirerSettings,
    open_acquirer,
    open_printer,
    open_reader,
)
from offline_queue.epochs import accept_manifest, fingerprint_epochs
from offline_queue.journal import Recovered, SqlJournal, open_journal
from offline_queue.sync import News, Sync, Timing, Wire
from terminal.checkout import Rules
from terminal.config import Config, parse_config
from terminal.delivery import Verdict, read_verdict
from terminal.emv.oda import CaKeys
from terminal.emv.settings import default_settings
from terminal.errors import ConfigError, KeyStoreError, StoreError
from terminal.iso8583.matching import awaited_key, host_time, told_key
from terminal.iso8583.messages import (
    compose_echo,
    is_answer_to,
    read_answer,
    repeat_of,
    reversal_of,
)
from terminal.iso8583.profile import Profile
from terminal.iso8583.profiles import profile_named
from terminal.ledger import OutboxItem
from terminal.ports import Clock, Entropy, Host, KeyStore, Printer, Reader
from terminal.receipt import Receipt, Shop
from terminal.transaction import Transaction

ECHO_TIMEOUT_S = 5.0
PRODUCTION_LEVELS = frozenset({"tpm2", "rpi-otp"})
"""Key store levels whose root key is not on the same medium as the ledger."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command line decides: the configuration, where the till's own files are."""

    config: Config
    config_dir: Path
    data_dir: Path

    @property
    def ledger_path(self) -> Path:
        """The ledger's database file."""
        return self.data_dir / "ledger.db"

    @property
    def shop(self) -> Shop:
        """The shop as receipts name it."""
        shop = self.config.shop
        return Shop(shop.name, shop.address, shop.contact, shop.return_policy)

    @property
    def zone(self) -> ZoneInfo:
        """The shop's time zone.

        Raises:
            ConfigError: the name is not in the time zone database.
        """
        name = self.config.shop.time_zone
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
            raise ConfigError(
                f"[shop] time_zone = {name!r} is not known.",
                remedy="Use an IANA name like Europe/Madrid.",
            ) from cause


FILE_PRINTER = "file:"
"""The printer of the defaults: a folder beside the ledger."""

RECEIPTS = "receipts"


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything one till process owns. ``open_reader`` opens the reader anew after a loss."""

    settings: Settings
    rules: Rules
    journal: SqlJournal
    recovered: Recovered
    acquirer: Acquirer
    keystore: KeyStore
    clock: Clock
    entropy: Entropy
    printer: Printer
    open_reader: Callable[[], Reader]


def default_data_dir() -> Path:
    """``$TAPTILL_DATA``, or the user's data folder as the XDG rules name it."""
    if named := os.environ.get("TAPTILL_DATA"):
        return Path(named)
    data_home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data_home) / "taptill"


def load_settings(
    *,
    config_file: Path | None = None,
    data_dir: Path | None = None,
    reader: str | None = None,
    acquirer: str | None = None,
    printer: str | None = None,
    currency: str | None = None,
    record: Path | None = None,
) -> Settings:
    """Reads the configuration file, if there is one, and lays the command line over it.

    With ``record`` the reader is the same one, behind a recorder that writes each tap there.

    Raises:
        ConfigError: the file cannot be read, or a value in it is wrong.
    """
    content = b""
    if config_file is not None:
        try:
            content = config_file.read_bytes()
        except OSError as cause:
            raise ConfigError(
                f"The configuration {config_file} cannot be read ({cause.strerror}).",
                remedy="Check the path and its permissions.",
            ) from cause
    source = str(config_file or "The command line")
    config = parse_config(content, source, currency=currency)
    till = replace(
        config.till,
        reader=reader or config.till.reader,
        acquirer=acquirer or config.till.acquirer,
        printer=printer or config.till.printer,
    )
    if record is not None:
        till = replace(till, reader=f"record:{quote(str(record))}?reader={till.reader}")
    folder = config_file.parent if config_file else Path.cwd()
    return Settings(replace(config, till=till), folder, data_dir or default_data_dir())


def _file(settings: Settings, name: str) -> Path | None:
    return settings.config_dir / name if name else None


def data_dir(settings: Settings) -> Path:
    """The till's own folder, made where it is missing.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as cause:
        raise StoreError(
            f"The data folder {settings.data_dir} cannot be made ({cause.strerror}).",
            remedy="Name another with --data, or mend its permissions.",
        ) from cause
    return settings.data_dir


def address_acquirer(settings: Settings, keystore: KeyStore) -> Acquirer:
    """Addresses the configured acquirer; nothing is sent.

    ``keystore`` unwraps a DUKPT key.

    Raises:
        ConfigError: the URL is wrong.
        KeyStoreError: a certificate or key cannot be used.
    """
    till, files = settings.config.till, settings.config.acquirer
    return open_acquirer(
        till.acquirer,
        AcquirerSettings(
            terminal_id=till.terminal_id,
            merchant_id=till.merchant_id,
            state_dir=data_dir(settings),
            ca_file=_file(settings, files.ca_file),
            certificate_file=_file(settings, files.certificate_file),
            private_key_file=_file(settings, files.private_key_file),
            sealing_key_file=_file(settings, files.sealing_key_file),
            manifest_root_file=_file(settings, files.manifest_root_file),
            ca_signer_file=_file(settings, files.ca_signer_file),
            connect_timeout_s=float(settings.config.timing.connect_s),
            keystore=keystore,
        ),
    )


def rules_of(settings: Settings, profile: Profile, ca_keys: CaKeys) -> Rules:
    """The rules of every payment on this till."""
    config = settings.config
    signer = _file(settings, config.acquirer.ca_signer_file)
    emv = default_settings(config.till.country, config.till.currency, ca_keys=ca_keys)
    return Rules(
        terminal_id=config.till.terminal_id,
        merchant_id=config.till.merchant_id,
        profile=_with_own_timing(profile, config.timing.late_booking_s),
        emv=replace(emv, exception_file=exception_file(data_dir(settings), signer)),
        zone=settings.zone,
        offline=config.offline,
        refunds=config.refunds,
        cash_coin_minor=config.cash.smallest_coin_minor,
        present_s=float(config.timing.present_s),
        authorise_s=float(config.timing.authorise_s),
    )


def _with_own_timing(profile: Profile, late_booking_s: int) -> Profile:
    if late_booking_s < 0:
        return profile
    return replace(profile, delivery=replace(profile.delivery, late_booking_s=late_booking_s))


def check_protection(level: str, acquirer: Acquirer) -> None:
    """Refuses real money to a till whose root key lies beside its ledger.

    Raises:
        KeyStoreError: the level is too weak for a production acquirer.
    """
    if acquirer.production and level not in PRODUCTION_LEVELS:
        raise KeyStoreError(
            f"Keys of level {level!r} are refused for {acquirer.name}, where real money"
            " moves: whoever takes the SD card has the keys too.",
            remedy="Use a test address of the acquirer (?mode=test), or set key_store in [till] of"
            f" the configuration to {' or '.join(sorted(PRODUCTION_LEVELS))}.",
        )


@contextmanager
def assembled(
    settings: Settings,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    acquirer: Acquirer | None = None,
) -> Iterator[Parts]:
    """Opens everything that one till process owns, and closes it again.

    The reader is left to the thread that will own it. A simulation hands in its own time,
    chance and acquirer; a till takes the machine's and the one that is configured.

    Raises:
        TerminalError: whatever could not be opened, by name.
    """
    with ExitStack() as stack:
        lock_memory()
        clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
        own_dir = data_dir(settings)
        keys = open_device_keys(settings.config.till.key_store, own_dir)
        keystore = keys.keystore
        acquirer = acquirer or address_acquirer(settings, keystore)
        stack.callback(acquirer.close)
        check_protection(keystore.level, acquirer)
        profile = profile_named(acquirer.profile)
        rules = rules_of(settings, profile, acquirer.ca_keys)
        printer = open_printer(printer_url(settings, own_dir))
        journal, recovered = open_journal(
            settings.ledger_path,
            clock,
            entropy,
            lambda message: reversal_of(profile, message),
            acquirer=acquirer_id(acquirer),
            keystore=keystore,
            counter=keys.counter,
        )
        stack.callback(journal.close)
        rules = replace(rules, fingerprints=fingerprint_epochs(journal.store))
        if isinstance(acquirer.sealer, ManifestSealer) and not journal.store.findings:
            accept_manifest(journal.store, acquirer.sealer.manifest.version, clock.now())
            rules = replace(rules, stored_until=acquirer.sealer.manifest.until)
        yield Parts(
            settings=settings,
            rules=rules,
            journal=journal,
            recovered=recovered,
            acquirer=acquirer,
            keystore=keystore,
            clock=clock,
            entropy=entropy,
            printer=printer,
            open_reader=lambda: open_reader(settings.config.till.reader),
        )


def acquirer_id(acquirer: Acquirer) -> str:
    """Whom stored sales are for: the root that signs the keys, or the one key that there is."""
    sealer = acquirer.sealer
    return sealer.manifest.acquirer if isinstance(sealer, ManifestSealer) else sealer.key_id


def printer_url(settings: Settings, data_dir: Path) -> str:
    """The printer's address; the bare ``file:`` of the defaults is a folder beside the ledger."""
    url = settings.config.till.printer
    return f"{FILE_PRINTER}{data_dir / RECEIPTS}" if url == FILE_PRINTER else url


def receipt_of(parts: Parts, sale: Transaction) -> Receipt | None:
    """A receipt for each sale that met a card or cash; a cancelled amount needs no paper."""
    if sale.card is None and not sale.approved_minor:
        return None
    till = parts.settings.config.till
    return Receipt(
        shop=parts.settings.shop,
        transaction=sale,
        terminal_id=till.terminal_id,
        merchant_id=till.merchant_id,
        printed_at=parts.clock.now(),
        simulated=not parts.acquirer.production,
    )


def wire_of(parts: Parts) -> Wire:
    """The acquirer's protocol, as the forwarder must know it."""
    profile, journal = parts.rules.profile, parts.journal

    def judge(item: OutboxItem, sale: Transaction, answer: bytes, at: datetime) -> Verdict:
        return read_verdict(profile, item, sale, answer, at)

    def read(item: OutboxItem, answer: bytes, at: datetime) -> Verdict:
        return judge(item, journal.transaction(item.txn_id), answer, at)

    return Wire(
        repeat_of=lambda message: repeat_of(profile, message),
        is_answer_to=lambda message: is_answer_to(profile, message),
        read=read,
        probe=lambda link: echo(
            link,
            profile,
            parts.clock,
            parts.settings.config.till.terminal_id,
            timeout_s=float(parts.settings.config.timing.connect_s),
        ),
        judge=judge,
        # A message is looked at more than once on its way out.
        awaited=lru_cache(64)(lambda request: awaited_key(profile, request)),
        told=lambda answer: told_key(profile, answer),
        silences_max=profile.delivery.silences_max,
    )


def echo(
    link: Host,
    profile: Profile,
    clock: Clock,
    terminal_id: str,
    timeout_s: float = ECHO_TIMEOUT_S,
) -> datetime | None:
    """Exchanges an echo (0800): a connection alone proves nothing. The host's time, if told.

    Its STAN is taken from the clock, since it numbers no sale.

    Raises:
        HostError: there is no good answer.
    """
    now = clock.now()
    stan = int(now.timestamp() * 10) % 999_999 + 1
    request = compose_echo(profile, stan=stan, at=now, terminal_id=terminal_id)
    answer = link.exchange(request, is_answer=is_answer_to(profile, request), timeout_s=timeout_s)
    read_answer(profile, request, answer)
    return host_time(profile, answer, now)


def forwarder(parts: Parts, notify: Callable[[News], None]) -> Sync:
    """The forwarder of this till, with a link of its own; not started."""
    return Sync(
        parts.journal,
        parts.acquirer.link,
        wire_of(parts),
        parts.clock,
        parts.entropy,
        notify=notify,
        timing=Timing(answer_timeout_s=parts.rules.authorise_s),
    )
