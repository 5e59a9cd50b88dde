"""A disk of a few megabytes for one process, which can be filled for real.

Rules of this file: the disk is a tmpfs in a mount namespace of the process that calls ``mount``, so
nobody else sees it and it goes with the process. Where the system refuses namespaces there is
no such disk, and the scenario that needs one is not played.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

from terminal.errors import ConfigError


class NoSmallDisk(ConfigError):
    """This system refuses what a small disk needs."""


SIZE_MIB = 24
_FILLING = "FILLING"
_NEW_MOUNTS, _NEW_USER = 0x20000, 0x10000000


def mount(folder: Path) -> None:
    """Puts an empty disk at ``folder``, for this process and its children. Before any thread.

    Raises:
        NoSmallDisk: the system refuses it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NEW_MOUNTS) != 0:
        if libc.unshare(_NEW_MOUNTS | _NEW_USER) != 0:
            raise NoSmallDisk(
                f"A small disk needs a mount namespace ({os.strerror(ctypes.get_errno())})."
            )
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    for command in (
        ["mount", "--make-rprivate", "/"],
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(folder)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoSmallDisk(f"A small disk cannot be mounted here: {done.stderr.strip()}")


def fill(folder: Path) -> None:
    """Leaves no byte free on the disk of ``folder``."""
    with (folder / _FILLING).open("wb", buffering=0) as out:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    out.write(bytes(size))
            except OSError:
                continue


def free(folder: Path) -> None:
    """Makes room again."""
    (folder / _FILLING).unlink(missing_ok=True)
