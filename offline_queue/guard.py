"""The guard of an open ledger: what was found at its door, its MACs, and the counter outside.

Rules of this file: one guard to one file, for as long as it is open. Once something is found,
nothing clears it but another start with a sound file. That the ledger was found changed is
written beside it at once (``.sealed``), and into the audit log at the next sound start.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import apsw

from offline_queue.events import write_time
from offline_queue.integrity import Protection
from offline_queue.macs import FIRST_EPOCH, Keys
from offline_queue.verification import Checked, Finding, Sweep, check_all, check_start
from terminal.errors import KeyStoreError
from terminal.ports import KeyStore, RollbackCounter

_TOLD_BYTES_MAX = 65_536


class Guard:
    """Keeps the MACs of one ledger, and remembers what was wrong with it."""

    def __init__(self, path: Path, keystore: KeyStore, counter: RollbackCounter | None) -> None:
        # A file that has no MACs yet is bound to the counter as it stands.
        number = counter.value() if counter is not None else 0
        self.newest = Protection(Keys.of(keystore, FIRST_EPOCH), counter=number)
        self._keystore = keystore
        self._counter = counter
        self._told = path.with_name(path.name + ".sealed")
        self._findings: tuple[Finding, ...] = ()
        self._counted = -1
        self._replaced: Protection | None = None
        self._sweep: Sweep | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the file; empty while it may be written."""
        return self._findings

    def open(self, connection: apsw.Connection, at: datetime) -> None:
        """Looks at the file as a start does, and takes it over where it is sound."""
        checked = check_start(connection, self._keystore, counter=self._counter)
        if not self._accept(checked, at):
            return
        assert checked.keys is not None
        assert checked.head is not None
        assert checked.live is not None
        self.newest = Protection(checked.keys)
        self.newest.begin(connection, checked.head, checked.live)
        self._sweep = Sweep(checked.keys)
        self._settle(connection, at)

    def refuse(self, finding: Finding, at: datetime) -> None:
        """Seals the ledger for a reason that is not in the file."""
        self._accept(Checked((finding,)), at)

    def check_all(self, connection: apsw.Connection, at: datetime) -> None:
        """Looks at the whole file; ``findings`` has what is wrong."""
        self._accept(check_all(connection, self._keystore, counter=self._counter), at)

    def check_some(self, connection: apsw.Connection) -> bool:
        """Looks at the next part of the file; True at its end."""
        if self._sweep is None or self._findings:
            return True
        self._findings = tuple(self._sweep.step(connection))
        return self._sweep.at_end

    def seal(self, connection: apsw.Connection) -> None:
        """Before a commit: the MACs of what it has changed.

        A commit that takes new risk for the shop (a sale is stored, a batch begins) also moves
        the counter outside, so that an older copy of the file shows. Not every commit does: the
        counter of a TPM wears.
        """
        number = None
        if self.newest.at_risk and self._caught_up():
            number = self.newest.head.counter + 1
        self.newest.seal(connection, counter=number)

    def keep(self) -> None:
        """After a commit. The counter follows the file, never the other way round."""
        self.newest.keep()
        if self._replaced is not None:
            self._replaced = None
            self._sweep = Sweep(self.newest.keys)
        self._caught_up()

    def take_back(self, connection: apsw.Connection) -> None:
        """After a roll-back."""
        if self._replaced is not None:
            self.newest.leave(connection)
            self.newest, self._replaced = self._replaced, None
            self.newest.watch(connection)
        self.newest.take_back()

    def rotate(self, connection: apsw.Connection) -> int:
        """The next epoch's keys for every row, in the caller's SQL transaction; the epoch."""
        old = self.newest
        old.leave(connection)
        fresh = Protection(Keys.of(self._keystore, old.keys.epoch + 1))
        self._replaced, self.newest = old, fresh
        fresh.adopt(connection)
        fresh.watch(connection)
        return fresh.keys.epoch

    def _caught_up(self) -> bool:
        """Raises the counter to the last commit's; False where there is none that answers.

        A counter that does not answer must not turn a sale that is recorded into a failure.
        """
        if self._counter is None:
            return False
        number = self.newest.head.counter
        if self._counted != number:
            try:
                self._counter.raise_to(number)
            except KeyStoreError:
                return False
            self._counted = number
        return True

    def _accept(self, checked: Checked, at: datetime) -> bool:
        self._findings = checked.findings
        if checked.findings:
            self._tell(at)
        return not checked.findings

    def _tell(self, at: datetime) -> None:
        """Writes beside the ledger what was found, since nothing may be written into it."""
        try:
            if self._told.exists() and self._told.stat().st_size > _TOLD_BYTES_MAX:
                return
            line = json.dumps(
                {"at": write_time(at), "found": [str(finding) for finding in self._findings[:5]]}
            )
            descriptor = os.open(self._told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line.encode() + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            # The note is for people; that the ledger is sealed does not depend on it.
            return

    def _settle(self, connection: apsw.Connection, at: datetime) -> None:
        """A sound start: earlier findings go into the log, and the counter catches up."""
        self._caught_up()
        try:
            told = self._told.read_text(encoding="utf-8", errors="replace")[:2000]
        except OSError:
            return
        with connection:
            connection.execute(
                "INSERT INTO audit (at, who, what, detail) VALUES (?, 'till', ?, ?)",
                (write_time(at), "the ledger was sealed before", json.dumps({"told": told})),
            )
            self.newest.seal(connection)
        self.newest.keep()
        self._told.unlink(missing_ok=True)
