"""What the commands that guard the till do: ``verify``, ``users``, ``keys``.

Rules of this file: reading goes on beside a running till; whatever changes something says who
did it, and the audit log keeps it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from drivers.clock import SystemClock, SystemEntropy
from drivers.device_keys import open_device_keys, write_synced
from drivers.dukpt import DUKPT_STATE, inject
from drivers.key_blocks import unwrap
from drivers.manifest import MANIFEST_FILE, parse_manifest, root_of
from offline_queue.audit import Audit
from offline_queue.epochs import (
    accept_manifest,
    fingerprint_epochs,
    manifest_version,
    rotate_fingerprints,
)
from offline_queue.macs import Head
from offline_queue.staff import Staff, people_of
from offline_queue.store import Store, is_missing
from offline_queue.verification import verify as verify_file
from terminal.errors import ConfigError, KeyStoreError, StaffError
from terminal.roles import Action, Role
from ui.books import require_ledger
from ui.pins import authorised
from ui.tables import print_json, print_table
from ui.wiring import Settings, data_dir


def verify(settings: Settings, *, as_json: bool) -> int:
    """Reads the whole ledger and lists everything that is not as this till left it."""
    require_ledger(settings)
    keys = open_device_keys(settings.config.till.key_store, settings.data_dir)
    shows = sys.stderr.isatty() and not as_json
    findings = verify_file(
        settings.ledger_path,
        keys.keystore,
        counter=keys.counter,
        progress=_show_progress if shows else None,
    )
    if shows:
        click.echo(err=True)
    rows = [{"what": finding.what, "where": finding.where} for finding in findings]
    if as_json:
        print_json({"sound": not rows, "ledger": str(settings.ledger_path), "findings": rows})
    else:
        headings = {"what": "What", "where": "Where"}
        sound = f"{settings.ledger_path} is as this till left it: every row, none missing."
        print_table("Not as this till left it", headings, rows, sound)
    return int(bool(rows))


def _show_progress(done: int, total: int) -> None:
    percent = 100 * done // total if total else 100
    click.echo(f"\r{percent:3d} %  {done} of {total} rows", nl=False, err=True)


# -- people --------------------------------------------------------------------------------------


@contextmanager
def _ledger(settings: Settings) -> Iterator[tuple[Store, Staff]]:
    """The ledger for writing, and its people; for as long as no till has it open."""
    keys = open_device_keys(settings.config.till.key_store, data_dir(settings))
    clock, entropy = SystemClock(), SystemEntropy()
    with Store.open(
        settings.ledger_path, at=clock.now(), keystore=keys.keystore, counter=keys.counter
    ) as store:
        yield store, Staff(store, keys.keystore, clock, entropy)


def users(settings: Settings, *, as_json: bool) -> int:
    """Who works here."""
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        found = people_of(store)
    rows = [
        {"name": p.name, "role": p.role.value, "active": "yes" if p.active else "no"} for p in found
    ]
    if as_json:
        print_json({"users": rows})
    else:
        headings = {"name": "Name", "role": "Role", "active": "Works here"}
        print_table("People", headings, rows, "Nobody has a PIN: whoever stands here may do all.")
    return 0


def add_user(settings: Settings, name: str, role: Role, *, by: str) -> int:
    """Makes somebody known, or gives them another role and PIN."""
    with _ledger(settings) as (_, staff):
        who = authorised(staff, Action.MANAGE_STAFF, by)
        pin = click.prompt(f"New PIN for {name}", hide_input=True, err=True)
        if click.prompt("Once more", hide_input=True, err=True) != pin:
            raise StaffError("The two PINs differ.", remedy="Try again.")
        staff.add(name, role, pin, by=who)
    click.echo(f"{name} works here as {role.value}.")
    return 0


def remove_user(settings: Settings, name: str, *, by: str) -> int:
    """Ends somebody's rights."""
    with _ledger(settings) as (_, staff):
        staff.remove(name, by=authorised(staff, Action.MANAGE_STAFF, by))
    click.echo(f"{name} works here no more.")
    return 0


def log(settings: Settings, *, limit: int, as_json: bool) -> int:
    """The audit log, newest first."""
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        entries = Audit(store).entries(limit=limit)
    rows = [
        {
            "at": entry.at.astimezone(settings.zone).isoformat(timespec="seconds"),
            "who": entry.who,
            "what": entry.what,
            "detail": ", ".join(f"{name} {value}" for name, value in entry.detail.items()),
        }
        for entry in entries
    ]
    if as_json:
        print_json({"entries": rows})
    else:
        headings = {"at": "When", "who": "Who", "what": "What", "detail": ""}
        print_table("Audit log", headings, rows, "Nothing is in the log yet.")
    return 0


# -- keys ----------------------------------------------------------------------------------------


def show_keys(settings: Settings, *, as_json: bool) -> int:
    """Which keys are in use, and until when."""
    keys = open_device_keys(settings.config.till.key_store, data_dir(settings))
    now = SystemClock().now()
    rows = [{"key": "device", "in_use": f"level {keys.keystore.level}", "until": ""}]
    if not is_missing(settings.ledger_path):
        with Store.read_only(settings.ledger_path) as store:
            epochs = fingerprint_epochs(store)
            with store.read() as connection:
                head = Head.read(connection)
        until = epochs.previous_until if epochs.previous(now) else None
        also = f" and {epochs.current - 1}" if until else ""
        rows.append(
            {"key": "ledger", "in_use": f"epoch {head.epoch if head else '?'}", "until": ""}
        )
        rows.append(
            {
                "key": "fingerprints",
                "in_use": f"epoch {epochs.current}{also}",
                "until": f"{until:%Y-%m-%d}" if until else "",
            }
        )
    root = settings.config.acquirer.manifest_root_file
    if root:
        content = (data_dir(settings) / MANIFEST_FILE).read_bytes()
        manifest = parse_manifest(content, root_of(settings.config_dir / root))
        for key in manifest.keys:
            used = key.kid == manifest.key_at(now).kid
            rows.append(
                {
                    "key": f"acquirer {key.kid}",
                    "in_use": "seals now" if used else "valid" if key.valid(now) else "not now",
                    "until": f"{key.not_after:%Y-%m-%d}",
                }
            )
    if as_json:
        print_json({"keys": rows})
    else:
        print_table("Keys", {"key": "Key", "in_use": "In use", "until": "Until"}, rows, "")
    return 0


def import_manifest(settings: Settings, file: Path, *, by: str) -> int:
    """Takes in a key manifest, under the pinned root, if it is not older than the last one."""
    root = settings.config.acquirer.manifest_root_file
    if not root:
        raise ConfigError(
            "No root key of the acquirer is configured.",
            remedy="Set manifest_root_file in [acquirer] to the root key as the acquirer gave it.",
        )
    content = _content(file)
    with _ledger(settings) as (store, staff):
        who = authorised(staff, Action.IMPORT_KEYS, by)
        seen = manifest_version(store)
        manifest = parse_manifest(content, root_of(settings.config_dir / root), newer_than=seen)
        write_synced(data_dir(settings) / MANIFEST_FILE, content)
        accept_manifest(store, manifest.version, SystemClock().now(), by=who)
    count = len(manifest.keys)
    click.echo(
        f"Manifest {manifest.version}: {count} {'key' if count == 1 else 'keys'},"
        f" the last until {manifest.until:%Y-%m-%d}."
    )
    return 0


def inject_key(settings: Settings, file: Path, protection_key: Path, *, by: str) -> int:
    """Loads the till's DUKPT key."""
    try:
        key = bytes.fromhex(_content(protection_key).decode("ascii").strip())
    except ValueError:
        raise KeyStoreError(f"{protection_key} holds no hexadecimal key.") from None
    block = unwrap(key, _content(file).decode("ascii", "replace").strip())
    keys = open_device_keys(settings.config.till.key_store, data_dir(settings))
    with _ledger(settings) as (store, staff):
        who = authorised(staff, Action.IMPORT_KEYS, by)
        key_id = inject(data_dir(settings) / DUKPT_STATE, keys.keystore, block)
        Audit(store).record(SystemClock().now(), who, "DUKPT key loaded", {"key": key_id})
    click.echo(f"The DUKPT key {key_id} is loaded. Destroy {file} and {protection_key} now.")
    return 0


def rotate(settings: Settings, what: str, *, by: str) -> int:
    """The next key for the ledger's rows, or for fingerprints."""
    require_ledger(settings)
    now = SystemClock().now()
    with _ledger(settings) as (store, staff):
        who = authorised(staff, Action.ROTATE_KEYS, by)
        if what == "ledger":
            epoch = store.rotate_keys(now)
            Audit(store).record(now, who, "ledger key rotated", {"epoch": epoch})
        else:
            epoch = rotate_fingerprints(store, now, by=who).current
    click.echo(f"The key of the {what} is now number {epoch}.")
    return 0


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as cause:
        raise KeyStoreError(
            f"{file} cannot be read ({cause.strerror}).", remedy="Check its path."
        ) from cause
