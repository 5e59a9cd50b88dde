"""The electricity and the disk: what a power cut leaves of SQLite's files.

Rules of this file: it stands below SQLite as a VFS, so the till's own code opens, writes and
syncs as always. What has been synced survives a cut. What has been written and not synced may be
there, may not be, or may be there in parts of 512 bytes; a cut decides by a seeded chance. From
the cut on nothing that the process does can reach the world: ``Power.require`` raises
``PowerCut`` wherever it would speak to the host, the screen or the printer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR = 512
_VFS_NAME = "taptill-world"
_BESIDE = ("-wal", "-shm", "-journal")


class PowerCut(BaseException):
    """The power is off: the process is gone. Nothing catches this but the world."""


@dataclass(slots=True)
class Image:
    """One file: what is safe on the disk, and the writes (offset, bytes) that are not yet.

    A write of None truncates the file to its offset. ``named`` says that its name is safe too.
    """

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    named: bool = True

    def write(self, offset: int, content: bytes | None) -> None:
        """What a write, or with None a truncation, does until the next sync."""
        self.pending.append((offset, content))

    def settle(self) -> None:
        """What a sync does."""
        for offset, content in self.pending:
            _put(self.durable, offset, content)
        self.pending.clear()

    def left(self, chance: random.Random) -> bytes:
        """What a cut leaves of it."""
        content = bytearray(self.durable)
        match chance.randrange(4):
            case 0:
                pass
            case 1:
                for offset, written in self.pending:
                    _put(content, offset, written)
            case _:
                for offset, written in self.pending:
                    _tear(content, offset, written, chance)
        return bytes(content)


def _put(content: bytearray, offset: int, written: bytes | None) -> None:
    if written is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(written)] = written


def _tear(content: bytearray, offset: int, written: bytes | None, chance: random.Random) -> None:
    """Each sector of a write reaches the disk or does not, whatever came before or after it."""
    if written is None:
        if chance.random() < 0.5:
            _put(content, offset, None)
        return
    at = offset
    while at < offset + len(written):
        end = min((at // SECTOR + 1) * SECTOR, offset + len(written))
        if chance.random() < 0.5:
            _put(content, at, written[at - offset : end - offset])
        at = end


class Power:
    """The supply of one till whose SQLite files are in ``folder``.

    ``writes`` counts every write, sync, truncation and removal of a file so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writes = 0
        self.cuts = 0
        self._files: dict[str, Image] = {}
        self._gone: dict[str, Image] = {}
        self._cut_at: int | None = None
        self._frozen: tuple[dict[str, Image], dict[str, Image]] | None = None

    @property
    def off(self) -> bool:
        """Whether the power has gone."""
        return self._frozen is not None

    def require(self) -> None:
        """Raises PowerCut once the power has gone."""
        if self._frozen is not None:
            raise PowerCut

    def plan_cut(self, after_writes: int) -> None:
        """Cuts the power after so many further writes, unless one is planned already."""
        if self._cut_at is None:
            self._cut_at = self.writes + max(1, after_writes)

    def cut(self) -> None:
        """Cuts it now. What was on its way to the disk is what ``restore`` decides about."""
        if self._frozen is None:
            self.cuts += 1
            self._frozen = deepcopy((self._files, self._gone))

    def restore(self, chance: random.Random) -> None:
        """Makes the disk what the cut has left, and turns the power on again."""
        assert self._frozen is not None
        files, gone = self._frozen
        # A name that has come or gone since the folder was synced may have done so, or not.
        files = {
            name: image for name, image in files.items() if image.named or chance.random() < 0.5
        }
        for name, image in gone.items():
            if name not in files and chance.random() < 0.5:
                files[name] = image
        for path in self.folder.iterdir():
            if path.name.endswith(_BESIDE) and path.name not in files:
                path.unlink()
        self._files, self._gone = {}, {}
        for name, image in files.items():
            content = image.left(chance)
            (self.folder / name).write_bytes(content)
            self._files[name] = Image(bytearray(content))
        self._frozen = self._cut_at = None

    # -- what the VFS tells ----------------------------------------------------------------------

    def opened(self, name: str) -> None:
        """A file was opened. The main file is made, and its name synced, before SQLite has it."""
        if name not in self._files and not self.off:
            content = (self.folder / name).read_bytes()
            self._files[name] = Image(bytearray(content), named=not name.endswith(_BESIDE))

    def wrote(self, name: str, offset: int, content: bytes | None) -> None:
        """Bytes went to a file, or it was cut off at ``offset``."""
        self._files[name].write(offset, content)
        self._count()

    def synced(self, name: str) -> None:
        """A file was synced; with a new one SQLite syncs the folder, and so every name in it."""
        image = self._files[name]
        image.settle()
        if not image.named:
            self._gone.clear()
            for each in self._files.values():
                each.named = True
        self._count()

    def removed(self, name: str, *, safe: bool) -> None:
        """A file was removed; ``safe`` when its folder was synced as well."""
        image = self._files.pop(name, None)
        if image is not None and not safe:
            self._gone[name] = image
        self._count()

    def _count(self) -> None:
        self.writes += 1
        if self._cut_at is not None and self.writes >= self._cut_at:
            self.cut()


class _File(apsw.VFSFile):
    """A file of SQLite's whose writes are told to the power supply."""

    def __init__(
        self, power: Power, filename: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        super().__init__("unix", filename, flags)
        self._power = power
        named = filename.filename() if isinstance(filename, apsw.URIFilename) else filename
        self._name = Path(str(named)).name
        power.opened(self._name)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        if not self._power.off:
            self._power.wrote(self._name, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        super().xTruncate(newsize)
        if not self._power.off:
            self._power.wrote(self._name, newsize, None)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        if not self._power.off:
            self._power.synced(self._name)


class _Vfs(apsw.VFS):
    """Files below a supply's folder are watched; all others are as they would be without it."""

    def __init__(self) -> None:
        super().__init__(_VFS_NAME, "unix")
        self.supplies: dict[Path, Power] = {}

    def _supply(self, name: str) -> Power | None:
        return self.supplies.get(Path(name).parent)

    def xOpen(  # noqa: N802 - SQLite's name
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> apsw.VFSFile:
        named = name.filename() if isinstance(name, apsw.URIFilename) else name
        power = self._supply(named) if named else None
        return _File(power, name, flags) if power else apsw.VFSFile("unix", name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802 - SQLite's
        super().xDelete(filename, syncdir)
        power = self._supply(filename)
        if power is not None and not power.off:
            power.removed(Path(filename).name, safe=bool(syncdir))


_registered: list[_Vfs] = []


@contextmanager
def supplied(folder: Path) -> Iterator[Power]:
    """The power supply of the SQLite files in ``folder``, for as long as the block runs."""
    if not _registered:
        _registered.append(_Vfs())
    vfs = _registered[0]
    power = Power(folder)
    before = apsw.vfs_names()[0]
    vfs.supplies[folder] = power
    apsw.set_default_vfs(_VFS_NAME)
    try:
        yield power
    finally:
        apsw.set_default_vfs(before)
        del vfs.supplies[folder]
