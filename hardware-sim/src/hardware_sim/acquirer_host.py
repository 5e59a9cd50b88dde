"""The simulated acquirer as a process of its own: ``python -m hardware_sim.acquirer_host``.

Rules of this file: it puts the parts together and owns the folder. The folder's lock says
whether an acquirer is alive there, since the kernel lets go of it however the process ends;
certificates, keys, books and port stay in the folder, so a restart is the same acquirer.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from hardware_sim.acquirer_behaviour import Behaviour
from hardware_sim.acquirer_channel import ControlChannel
from hardware_sim.acquirer_desk import AcquirerDesk
from hardware_sim.acquirer_folder import PROFILE, AcquirerFolder
from hardware_sim.acquirer_keys import OpeningKeys, initial_key_block
from hardware_sim.acquirer_ledger import AcquirerLedger, Entry
from hardware_sim.acquirer_server import AcquirerServer, Reply
from hardware_sim.catalogue import accounts
from hardware_sim.certificates import dukpt_key, hash_key, make_credentials, opening_keys
from terminal.errors import ConfigError, TerminalError
from terminal.iso8583.profiles import profile_named

FIRST_LEASE_S = 20.0
RESTART_PAUSE_MAX_MS = 60_000


class AlreadyRunning(TerminalError):
    """Another process is the acquirer of this folder."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _write_port(folder: AcquirerFolder, port: int) -> None:
    draft = folder.port_file.with_suffix(".new")
    draft.write_text(json.dumps({"port": port, "pid": os.getpid()}) + "\n")
    draft.rename(folder.port_file)


class AcquirerHost:
    """One running acquirer: it listens from the moment it is made until ``close``.

    Args:
        path: the folder of everything it keeps.
        port: 0 for the port of the last run, or any.
        terminals: merchant by terminal to enrol; while none is enrolled everyone is served.
        options: misbehaviour from the start, as ``Behaviour.changed`` reads it.
        until_unused: end when the last till that leased it has gone.
        watch: called with each message that was received.

    Raises:
        AlreadyRunning: another process is the acquirer of this folder.
        ConfigError: the port is taken, or an option is wrong.
        KeyStoreError: the folder or its keys cannot be used.
        StoreError: the books cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        port: int = 0,
        terminals: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
        until_unused: bool = False,
        watch: Callable[[Entry], None] | None = None,
    ) -> None:
        behaviour = Behaviour().changed(options or {})
        # Read now, so that the first sale of each card does not wait for it.
        accounts()
        self.folder = AcquirerFolder(path)
        self._ended = threading.Event()
        self._restarting = threading.Lock()
        self._lock = _locked(self.folder)
        try:
            make_credentials(self.folder)
            self._watch = watch
            self._desk = self._new_desk(behaviour)
            for terminal_id, merchant_id in (terminals or {}).items():
                self._desk.enrol(terminal_id, merchant_id)
            self._server = AcquirerServer(
                self.folder,
                self._handle,
                framing=profile_named(PROFILE).framing,
                port=port,
                wish=self.folder.last_port(),
            )
            self.port = self._server.port
            _write_port(self.folder, self.port)
            self._apply(behaviour)
            self._channel = ControlChannel(
                path, self._operations(), self._ended.set if until_unused else None
            )
            self._channel.open()
        except BaseException:
            self._lock.close()
            raise
        if until_unused:
            threading.Thread(target=self._end_if_nobody_comes, daemon=True).start()

    def _new_desk(self, behaviour: Behaviour) -> AcquirerDesk:
        return AcquirerDesk(
            profile=profile_named(PROFILE),
            keys=OpeningKeys(opening_keys(self.folder), dukpt_key(self.folder.base_key_file)),
            hash_key=hash_key(self.folder),
            ledger=AcquirerLedger(self.folder.ledger_file),
            behaviour=behaviour,
            now=_utc_now,
            watch=self._watch,
        )

    def _handle(self, message: bytes) -> Reply:
        # Asked for anew at each message, since a restart puts another desk here.
        return self._desk.handle(message)

    def _end_if_nobody_comes(self) -> None:
        """A till that was killed before it took its lease leaves nobody to wait for."""
        if not self._channel.ever_leased.wait(FIRST_LEASE_S):
            self._ended.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until the acquirer is told to end, or nobody uses it; False when time is up."""
        return self._ended.wait(timeout_s)

    def end(self) -> None:
        """Makes ``wait`` return; may be called from a signal handler or another thread."""
        self._ended.set()

    def close(self) -> None:
        """Stops listening, closes the books and lets go of the folder."""
        self._channel.close()
        self._server.close()
        self._desk.close()
        self._lock.close()

    def _operations(self) -> dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
        return {
            "lease": self._look,
            "look": self._look,
            "set": self._set,
            "enrol": self._enrol,
            "initial_key": self._initial_key,
            "forget": self._forget,
            "restart": self._restart,
            "tamper": self._tamper,
            "stop": self._stop,
        }

    def _look(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        options = self._desk.behaviour.as_options()
        return {
            "port": self.port,
            "pid": os.getpid(),
            "leases": self._channel.leases,
            "options": options,
        }

    def _set(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        options = {str(name): str(value) for name, value in dict(request["options"]).items()}
        with self._restarting:
            self._apply(self._desk.change(options))
        return self._look(request)

    def _apply(self, behaviour: Behaviour) -> None:
        self._server.demand_certificate(mutual=behaviour.mutual_tls)
        if behaviour.refuse:
            self._server.refuse()
        else:
            self._server.admit()

    def _enrol(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._desk.enrol(str(request["terminal_id"]), str(request["merchant_id"]))
        return {}

    def _initial_key(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a key facility does for a till: its DUKPT key, in a key block."""
        protection_key = dukpt_key(self.folder.protection_key_file)
        base_key = dukpt_key(self.folder.base_key_file)
        block = initial_key_block(base_key, protection_key, str(request["terminal_id"]))
        return {"block": block, "protection_key": protection_key.hex()}

    def _forget(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self._desk.forget_answers()
        return {}

    def _restart(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Breaks every connection and comes back with nothing but what is on disk."""
        pause_ms = int(request.get("pause_ms", 0))
        if not 0 <= pause_ms <= RESTART_PAUSE_MAX_MS:
            raise ConfigError(f"A restart takes 0 to {RESTART_PAUSE_MAX_MS} milliseconds.")
        with self._restarting:
            behaviour = self._desk.behaviour
            self._server.refuse()
            self._desk.close()
            time.sleep(pause_ms / 1000)
            self._desk = self._new_desk(behaviour)
            self._apply(behaviour)
        return {}

    def _tamper(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._desk.tamper(str(request["how"]))
        return {}

    def _stop(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self._ended.set()
        return {}


def _locked(folder: AcquirerFolder) -> IO[str]:
    """The open lock file of a folder that no other acquirer owns."""
    try:
        folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = folder.lock_file.open("w")
    except OSError as cause:
        raise ConfigError(
            f"The simulated acquirer's folder {folder.path} cannot be used ({cause.strerror}).",
            remedy="Give it a folder that this user may write.",
        ) from cause
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as cause:
        lock.close()
        raise AlreadyRunning(
            f"A simulated acquirer is running in {folder.path} already.",
            remedy="Join it with --acquirer sim:?dir=FOLDER, or give the new one another folder.",
        ) from cause
    return lock


def terminal_of(text: str) -> tuple[str, str]:
    """Reads ``TERMINAL:MERCHANT``, as in DE 41 and DE 42.

    Raises:
        ConfigError: it is not of that form.
    """
    terminal_id, colon, merchant_id = text.partition(":")
    if not colon or not 1 <= len(terminal_id) <= 8 or not 1 <= len(merchant_id) <= 15:
        raise ConfigError(
            f"{text!r} names no terminal.",
            remedy="Give TERMINAL:MERCHANT, at most 8 and 15 characters.",
        )
    return terminal_id, merchant_id


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs an acquirer until it is told to end; prints its port as one line of JSON first.

    Returns 0 after a run, or at once when another process is the acquirer of the folder (the
    line then says ``"joined": true``); 2 when it cannot start.
    """
    parser = argparse.ArgumentParser(description="A simulated acquirer on loopback TLS.")
    parser.add_argument("--dir", type=Path, required=True, help="everything it keeps")
    parser.add_argument("--port", type=int, default=0, help="0 for the last port, or any")
    parser.add_argument("--terminal", action="append", default=[], metavar="TERMINAL:MERCHANT")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    parser.add_argument("--until-unused", action="store_true", help="end with the last lease")
    given = parser.parse_args(arguments)
    try:
        host = AcquirerHost(
            given.dir,
            port=given.port,
            terminals=dict(terminal_of(text) for text in given.terminal),
            options=dict(text.partition("=")[::2] for text in given.set),
            until_unused=given.until_unused,
        )
    except AlreadyRunning:
        _announce({"joined": True, "port": AcquirerFolder(given.dir).last_port()})
        return 0
    except TerminalError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: host.end())
    _announce({"joined": False, "port": host.port, "pid": os.getpid()})
    host.wait()
    host.close()
    return 0


def _announce(facts: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
