"""What a process that sees cards does so that they don't outlive it: no dumps, no swap.

Rules of this file: each measure is asked for and looked at again; what the machine does not
allow is said and never assumed. What this cannot do is said as well: Python cannot wipe a
value, so freed memory is overwritten by the C library, which takes two variables that must be
there before the process starts (``docs/taptill.service`` sets them).
"""

from __future__ import annotations

import ctypes
import os
import resource
from dataclasses import dataclass
from pathlib import Path

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_MCL_CURRENT = 1
_MCL_FUTURE = 2
_MCL_ONFAULT = 4

WIPING = {
    "PYTHONMALLOC": "malloc",
    # Freed memory is filled with a pattern, and small blocks are not set aside unfilled.
    "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0",
}
"""The environment under which the C library overwrites what was freed."""


@dataclass(frozen=True, slots=True)
class Hardening:
    """What holds for this process."""

    no_core_dumps: bool
    not_dumpable: bool
    memory_locked: bool
    wipes_on_free: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """What does not hold, in words."""
        words = {
            "core dumps are possible": self.no_core_dumps,
            "other processes of this user may read its memory": self.not_dumpable,
            "its memory may be swapped to the disk": self.memory_locked or not _swap(),
            "freed memory is not overwritten": self.wipes_on_free,
        }
        return tuple(word for word, holds in words.items() if not holds)


def forbid_dumps() -> None:
    """No core files, and no other process of this user reads this one's memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def lock_memory() -> bool:
    """Keeps what this process touches out of the swap file, where that is allowed.

    Without the right to lock all memory, a later request for memory could fail in the middle of
    a sale, so nothing is locked then.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft != resource.RLIM_INFINITY:
        return False
    flags = _MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT
    return bool(_libc().mlockall(flags) == 0)


def hardening() -> Hardening:
    """What holds now, asked of the system."""
    return Hardening(
        no_core_dumps=resource.getrlimit(resource.RLIMIT_CORE)[0] == 0,
        not_dumpable=_libc().prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0,
        memory_locked=_locked_kib() > 0,
        wipes_on_free=all(os.environ.get(name) == value for name, value in WIPING.items()),
    )


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _locked_kib() -> int:
    """How much of this process's memory is locked, as the kernel counts it."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmLck:")]
    return int(found[0]) if found else 0


def _swap() -> bool:
    """Whether this machine has somewhere to swap to."""
    try:
        return len(Path("/proc/swaps").read_text(encoding="utf-8").splitlines()) > 1
    except OSError:
        return True
