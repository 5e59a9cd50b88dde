"""What a process did to the files of one folder, and what a power cut leaves of them.

The recording is the shim's (``shim.c``). The disk is ext4's with ``data=ordered`` at its worst: of
what was written and not synced anything may be missing, in sectors of 512 bytes and in any order;
names that came or went since their folder was synced may have done so up to any of them, in order;
and a file's own sync says nothing about its name.
"""

from __future__ import annotations

import hashlib
import os
import random
import struct
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hardware_sim.world.power import Image

SHIM = Path(__file__).with_name("shim.c")
_HEAD = struct.Struct("<BHHQI")


@cache
def built_shim() -> Path:
    """The shim as a library, compiled once for each of its versions."""
    mark = hashlib.sha256(SHIM.read_bytes()).hexdigest()[:16]
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache_home / "taptill-tests"
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / f"shim-{mark}.so"
    if not library.exists():
        draft = folder / f"shim-{mark}-{os.getpid()}.so"
        compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
        flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
        subprocess.run([compiler, *flags, "-o", str(draft), str(SHIM), "-lpthread"], check=True)
        draft.rename(library)
    return library


@dataclass(frozen=True, slots=True)
class Op:
    """One thing done to the disk; ``kind`` is the shim's letter, M a mark of the process."""

    kind: str
    path: str
    second: str
    offset: int
    content: bytes = field(repr=False)


def read_recording(log: Path) -> list[Op]:
    """Everything that was done, in order."""
    return list(_parsed(log.read_bytes()))


def _parsed(log: bytes) -> Iterator[Op]:
    at = 0
    while at < len(log):
        kind, first, second, offset, length = _HEAD.unpack_from(log, at)
        at += _HEAD.size
        names = log[at : at + first].decode(), log[at + first : at + first + second].decode()
        at += first + second
        yield Op(chr(kind), *names, offset, log[at : at + length])
        at += length


Names = dict[str, Image]


class Disk:
    """A disk to which a recording is played, and which can lose its power at any moment."""

    def __init__(self, folder: Path | None = None) -> None:
        self._now: Names = {}
        if folder is not None:
            for path in folder.iterdir():
                if path.is_file():
                    self._now[path.name] = Image(bytearray(path.read_bytes()))
        self._safe: Names = dict(self._now)
        self._moves: list[tuple[Op, Image]] = []

    def play(self, op: Op) -> None:
        """One thing more is done."""
        match op.kind:
            case "M" | "D":
                return
            case "S" if op.path == ".":
                self._safe, self._moves = dict(self._now), []
            case "S":
                self._now[op.path].settle()
            case "W":
                self._now[op.path].write(op.offset, op.content)
            case "T":
                self._now[op.path].write(op.offset, None)
            case _:
                move = (op, Image())
                self._moves.append(move)
                self._now = _moved(self._now, *move)

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """What is found when the power is back; the disk itself goes on as if nothing were."""
        names = self._safe
        for move in self._moves[: chance.randint(0, len(self._moves))]:
            names = _moved(names, *move)
        # Two names of one file have the same content.
        left = {id(image): image.left(chance) for image in names.values()}
        return {name: left[id(image)] for name, image in names.items()}


def _moved(names: Names, op: Op, made: Image) -> Names:
    """The names of a folder after one more has come, gone or changed."""
    moved = dict(names)
    match op.kind:
        case "C":
            moved[op.path] = made
        case "U":
            moved.pop(op.path, None)
        case "R" if op.path in moved:
            moved[op.second] = moved.pop(op.path)
        case "L" if op.path in moved:
            moved[op.second] = moved[op.path]
    return moved
