"""Which key fingerprints are made with, since when, and which manifest of keys was seen.

Rules of this file: numbers only; the keys are the key store's. A number that was left is never
used again, and the next rotation waits until sales under the key before count for no limit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from offline_queue import audit
from offline_queue.events import read_time, write_time
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.errors import KeyStoreError
from terminal.tokens import FIRST_EPOCHS, FingerprintEpochs

LONGEST_WINDOW = timedelta(days=35)
"""No limit looks further back at a card than this, so a key that was left is kept as long."""

_MARK = "fingerprint epoch"
_MANIFEST = "manifest version"


def fingerprint_epochs(store: Store) -> FingerprintEpochs:
    """The key in use, and until when the one before counts.

    Raises:
        StoreError: the ledger cannot be read.
    """
    with store.read() as connection:
        found = rows(connection, "SELECT value FROM mark WHERE name = ?", (_MARK,))
    if not found:
        return FIRST_EPOCHS
    number, _, since = str(found[0][0]).partition(" ")
    return FingerprintEpochs(int(number), read_time(since) + LONGEST_WINDOW)


def rotate_fingerprints(store: Store, at: datetime, *, by: str) -> FingerprintEpochs:
    """Begins the next epoch.

    Raises:
        KeyStoreError: the last rotation is not over yet.
        StoreError: nothing was changed.
    """
    now = fingerprint_epochs(store)
    if now.previous(at) is not None and now.previous_until is not None:
        raise KeyStoreError(
            "The key of fingerprints was rotated not long ago.",
            remedy=f"Rotate it again after {now.previous_until:%Y-%m-%d}: until then cards are"
            " counted under both keys.",
        )
    following = now.current + 1
    with store.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)",
            (_MARK, f"{following} {write_time(at)}"),
        )
        audit.note(connection, at, by, "fingerprint key rotated", {"epoch": following})
    return fingerprint_epochs(store)


def manifest_version(store: Store) -> int:
    """The highest version of the acquirer's key manifest that this till has seen.

    Raises:
        StoreError: the ledger cannot be read.
    """
    with store.read() as connection:
        found = rows(connection, "SELECT value FROM mark WHERE name = ?", (_MANIFEST,))
    return int(found[0][0]) if found else 0


def accept_manifest(store: Store, version: int, at: datetime, *, by: str = "till") -> None:
    """Takes note of a manifest, so that none before it is taken again.

    Raises:
        KeyStoreError: this till has seen a newer one.
        StoreError: nothing was recorded.
    """
    seen = manifest_version(store)
    if version < seen:
        raise KeyStoreError(
            f"The key manifest has version {version}, and this till has seen {seen}.",
            remedy="Import the acquirer's newest one: taptill keyring import FILE",
        )
    if version == seen:
        return
    with store.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)", (_MANIFEST, str(version))
        )
        audit.note(connection, at, by, "key manifest accepted", {"version": version})
