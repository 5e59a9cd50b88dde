"""The failures of SQLite and of the disk, under the names of this project.

Rules of this file: no SQLite error leaves the memory under its own name; a constraint that is
broken, or a statement that is not understood, is our own fault and no failure of the till.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from terminal.errors import StoreBusy, StoreError, StoreFull


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Gives the failures of SQLite the names of this project."""
    try:
        yield
    except apsw.ConstraintError as cause:
        # Constraints state what our own code keeps, so no input and no disk leads here.
        raise AssertionError(f"the ledger's rules were broken: {cause}") from cause
    except apsw.FullError as cause:
        raise _full(path) from cause
    except (apsw.NotADBError, apsw.CorruptError) as cause:
        raise damaged(path, str(cause)) from cause
    except (apsw.ReadOnlyError, apsw.PermissionsError) as cause:
        raise read_only(path) from cause
    except apsw.CantOpenError as cause:
        raise StoreError(
            f"The ledger {path} cannot be opened.",
            remedy="The till's user must be able to read and write the file and its folder.",
        ) from cause
    except (apsw.BusyError, apsw.LockedError) as cause:
        raise StoreBusy(
            f"Another program holds {path} ({cause}).",
            remedy="Close whatever has the ledger's file open.",
        ) from cause
    except apsw.IOError as cause:
        if free_bytes(path) == 0:
            raise _full(path) from cause
        raise StoreError(
            f"The disk under {path} has failed ({cause}).",
            remedy="Check the disk or card, then start the till again.",
        ) from cause
    except OSError as cause:
        # Files beside the ledger: its name, and the copy that an update of the schema keeps.
        raise of_disk(path, cause) from cause
    except apsw.Error as cause:
        # What is left is a statement that SQLite does not understand, and we wrote it.
        raise AssertionError(f"SQLite refused a statement: {cause}") from cause


def of_disk(path: Path, cause: OSError) -> StoreError:
    """The name of a failure to make the file or its folder."""
    if free_bytes(path) == 0:
        return _full(path)
    return StoreError(
        f"The ledger {path} cannot be made or kept ({cause.strerror}).",
        remedy="Let the till's user write the folder, and check the disk or card.",
    )


def _full(path: Path) -> StoreFull:
    return StoreFull(
        f"The disk that holds {path} is full.",
        remedy="Free some space. Nothing was recorded, and nothing that was is lost.",
    )


def read_only(path: Path) -> StoreError:
    """The answer to a file that may be read and not written."""
    return StoreError(
        f"The ledger {path} is read-only.",
        remedy="Let the till's user write the file and its folder, and check that the disk is"
        " not mounted read-only.",
    )


def free_bytes(path: Path) -> int:
    """What is free on the disk that holds this file."""
    try:
        status = os.statvfs(path.parent)
    except OSError:
        return 1  # Unknown, and not zero, which would claim that the disk is full.
    return status.f_bavail * status.f_frsize


def damaged(path: Path, reason: str) -> StoreError:
    """The one answer to a file that SQLite cannot read: keep it, whatever it looks like."""
    return StoreError(
        f"The ledger {path} is damaged ({reason}).",
        remedy="Keep the file and its -wal: sales can be saved from them. Restore a backup, or"
        " point the ledger's path at a new file.",
    )
