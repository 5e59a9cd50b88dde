"""Who may write the ledger: one process, and whether there was a ledger before.

Rules of this file: the lock is the kernel's, so it goes with its process however that ends. Its
file stays, and remembers that a ledger with MACs was here.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from offline_queue.failures import of_disk
from terminal.errors import StoreBusy, StoreError

_OWNER_BYTES = 40
_KNOWN = b" has a ledger"


def own(path: Path) -> int:
    """The descriptor that holds the lock of the one writing process, for as long as it is open.

    Raises:
        StoreBusy: another process holds it; the message names the process id.
        StoreError: the folder cannot be written.
    """
    lock_path = path.with_name(path.name + ".lock")
    try:
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as cause:
        raise StoreError(
            f"The folder {path.parent} of the ledger cannot be written ({cause.strerror}).",
            remedy="Make the folder, and let the till's user write it.",
        ) from cause
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _note(lock, known=remembers(lock))
    except BlockingIOError as cause:
        owner = os.pread(lock, _OWNER_BYTES, 0).decode("ascii", "replace").partition(" ")[0]
        os.close(lock)
        raise StoreBusy(
            f"Another process of this till has {path} open (process id {owner or 'unknown'}).",
            remedy="Use that one, or end it first.",
        ) from cause
    except OSError as cause:
        os.close(lock)
        raise of_disk(path, cause) from cause
    return lock


def remembers(lock: int) -> bool:
    """Whether a ledger with MACs has been here: the lock's file says so once one was."""
    return _KNOWN in os.pread(lock, _OWNER_BYTES, 0)


def remember(lock: int) -> None:
    """Writes it there."""
    _note(lock, known=True)


def prepared(path: Path) -> Path:
    """Where a ledger stands that is to follow the one at ``path``."""
    return path.parent / "ledger-next" / path.name


def _note(lock: int, *, known: bool) -> None:
    text = str(os.getpid()).encode() + (_KNOWN if known else b"")
    os.pwrite(lock, text.ljust(_OWNER_BYTES), 0)


def gone(path: Path) -> StoreError:
    """The answer to a ledger that was here: no new one takes its place in silence."""
    if prepared(path).exists():
        return StoreError(
            f"The ledger {path} was being put aside, and that was cut off.",
            remedy="Say taptill reset once more: it ends what was begun.",
        )
    return StoreError(
        f"The ledger {path} is gone: it was here, and sales may wait in it.",
        remedy="Put the file back, with its -wal if there is one. Only if it is lost for good,"
        f" remove {path.name}.lock: the till then begins a new one, and knows nothing of what"
        " waited.",
    )
