"""``taptill doctor``: is everything there that a payment needs, and how well is it protected?

Rules of this file: a check never raises and never changes anything; it ends as ok, a warning or a
failure, with the remedy beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from importlib.util import find_spec
from pathlib import Path

import click

from drivers.clock import SystemClock
from drivers.device_keys import open_device_keys
from drivers.hardening import hardening, lock_memory
from drivers.registry import Acquirer, open_printer, open_reader
from offline_queue.store import RESERVE_BYTES, Store, is_missing
from offline_queue.verification import verify
from terminal.errors import StoreError, StoreSealed, TerminalError
from terminal.iso8583.profiles import profile_named
from ui.tables import print_json, print_table
from ui.wiring import (
    PRODUCTION_LEVELS,
    Settings,
    address_acquirer,
    check_protection,
    echo,
    printer_url,
)

LEVELS = {
    "sim": "Fixed test keys. Protects nothing; for simulations only.",
    "file": "The root key is a file beside the ledger. Stops someone who has only the ledger;"
    " does not stop a thief of the SD card. Refused for a production acquirer.",
    "rpi-otp": "The root key is in the Pi's one-time memory. Stops a thief of the SD card;"
    " does not stop someone with root on the running till. Not yet proven on hardware.",
    "tpm2": "The root key is in a TPM. Stops theft, cloning and roll-back of the SD card;"
    " does not stop someone with root on the running till.",
}
"""What each protection level of the key store means, in words for a merchant."""

BUILT_IN_2026 = datetime(2026, 1, 1, tzinfo=UTC)


class Health(Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    thing: str
    health: Health
    finding: str
    remedy: str = ""


def doctor(settings: Settings, *, as_json: bool) -> int:
    """Runs every check and prints the findings; 0 when none has failed."""
    steps: list[tuple[str, Callable[[], Check]]] = [
        ("ledger", lambda: _ledger(settings)),
        ("keys", lambda: _keys(settings)),
        ("clock", lambda: _clock(settings)),
        ("reader", lambda: _reader(settings)),
        ("acquirer", lambda: _acquirer(settings)),
        ("printer", lambda: _printer(settings)),
        ("display", _display),
        ("memory", _memory),
        ("approval", _approval),
    ]
    checks = [_guarded(thing, step) for thing, step in steps]
    rows = [
        {"thing": c.thing, "health": c.health.value, "finding": c.finding, "remedy": c.remedy}
        for c in checks
    ]
    if as_json:
        print_json({"checks": rows, "levels": LEVELS})
    else:
        headings = {
            "thing": "Check",
            "health": "Health",
            "finding": "Finding",
            "remedy": "What to do",
        }
        print_table("Taptill", headings, rows, "")
        click.echo()
        levels = [{"level": level, "means": means} for level, means in LEVELS.items()]
        print_table("Levels of protection", {"level": "Level", "means": "Means"}, levels, "")
    return int(any(check.health is Health.FAILED for check in checks))


def _guarded(thing: str, step: Callable[[], Check]) -> Check:
    try:
        return step()
    except TerminalError as failed:
        return Check(thing, Health.FAILED, failed.message, failed.remedy)


def _ledger(settings: Settings) -> Check:
    path = settings.ledger_path
    if is_missing(path):
        return Check("ledger", Health.OK, f"None yet; the first sale makes {path}.")
    with Store.read_only(path) as store:
        free = store.free_bytes()
    keys = open_device_keys(settings.config.till.key_store, settings.data_dir)
    if findings := verify(path, keys.keystore, counter=keys.counter):
        more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
        raise StoreSealed(
            f"{path} is not as this till left it: {findings[0]}{more}.",
            remedy="Keep the folder as it is and call your service. See: taptill verify",
        )
    if free < RESERVE_BYTES:
        raise StoreError(f"The disk of {path} is full.", remedy="Free some space.")
    return Check("ledger", Health.OK, f"{path} is sound; {free // 2**20} MiB are free.")


def _keys(settings: Settings) -> Check:
    level, path = settings.config.till.key_store, settings.data_dir / "device.key"
    if level == "file" and is_missing(path):
        return Check("keys", Health.WARNING, f"None yet; the first start makes {path}.")
    keys = open_device_keys(level, settings.data_dir)
    tells = "" if keys.counter else " An older copy of the whole disk is not noticed."
    health = Health.OK if level in PRODUCTION_LEVELS else Health.WARNING
    return Check("keys", health, f"Level {keys.keystore.level}: {LEVELS[level]}{tells}")


def _clock(settings: Settings) -> Check:
    now = SystemClock().now()
    local = now.astimezone(settings.zone)
    if now < BUILT_IN_2026:
        finding = f"The clock says {local:%Y-%m-%d %H:%M}, which is in the past."
        return Check("clock", Health.FAILED, finding, "Set the clock, or connect to a time server.")
    return Check("clock", Health.OK, f"{local:%Y-%m-%d %H:%M:%S %Z}")


def _reader(settings: Settings) -> Check:
    reader = open_reader(settings.config.till.reader)
    try:
        return Check("reader", Health.OK, f"{reader.name} ({settings.config.till.reader})")
    finally:
        reader.close()


def _acquirer(settings: Settings) -> Check:
    keys = open_device_keys(settings.config.till.key_store, settings.data_dir)
    acquirer = address_acquirer(settings, keys.keystore)
    try:
        check_protection(settings.config.till.key_store, acquirer)
        return _echo(settings, acquirer)
    finally:
        acquirer.close()


def _echo(settings: Settings, acquirer: Acquirer) -> Check:
    """Asks the host for an echo, and says how fast it answered and what moves there."""
    clock = SystemClock()
    link = acquirer.link()
    started = clock.monotonic()
    try:
        echo(link, profile_named(acquirer.profile), clock, settings.config.till.terminal_id)
    finally:
        link.close()
    took_ms = round((clock.monotonic() - started) * 1000)
    where = "production" if acquirer.production else "test, no real money"
    finding = f"{acquirer.name} answers in {took_ms} ms ({where})."
    return Check("acquirer", Health.OK, finding)


def _printer(settings: Settings) -> Check:
    url = printer_url(settings, settings.data_dir)
    open_printer(url)
    # A printer of paper is opened for each job, so that it may come and go.
    asked = "" if url.startswith("file:") else " The printer itself is asked at the first receipt."
    return Check("printer", Health.OK, f"{url}{'.' if asked else ''}{asked}")


def _display() -> Check:
    if find_spec("kivy") is None:
        return Check(
            "display",
            Health.WARNING,
            "Kivy is not installed; the till runs in the console.",
            "Install the extra touch.",
        )
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return Check("display", Health.OK, "A desktop is running.")
    if Path("/dev/dri").exists():
        return Check("display", Health.OK, "A screen without a desktop (KMS).")
    return Check("display", Health.WARNING, "No display; the till runs in the console.")


def _memory() -> Check:
    """What a till started in the same way does with card data in its memory."""
    lock_memory()
    if missing := hardening().missing:
        remedy = "Start the till as docs/taptill.service does."
        return Check("memory", Health.WARNING, f"{'; '.join(missing)}.".capitalize(), remedy)
    return Check("memory", Health.OK, "No dumps, no swap, freed memory is overwritten.")


def _approval() -> Check:
    finding = "Not certified by EMVCo, PCI or a card scheme; no PIN entry."
    return Check("approval", Health.WARNING, finding, "Read the README before taking real money.")
