"""A real ``pcscd`` with virtual readers, started and stopped at will, for tests and the bench.

Where the system allows it, the daemon gets a mount namespace of its own: its socket and its
drivers are then invisible to the system's ``pcscd``, which goes on undisturbed, and several can
run at once. The client library remembers the socket's path for the life of the process, so all
daemons of one process use the same path, one after another. Where namespaces are refused, the
daemon takes the system's own socket, and a lock makes other test processes wait for their turn.

Rules of this file: the daemon's log of APDUs stays off; it would hold card numbers.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from terminal.errors import ConfigError

_SYSTEM_SOCKET = Path("/run/pcscd/pcscd.comm")
_DRIVERS = Path("/usr/lib/pcsc/drivers")
_CONFIGURATION = Path("/etc/reader.conf.d/vpcd")
_START_TIMEOUT_S = 20.0
_SLOTS = 2
# Below the ports that Linux hands out by itself, and above those that Debian's own reader has.
_FIRST_PORT, _LAST_PORT = 26_000, 32_000

# The daemon's own folder becomes /run, and the drivers of real readers are hidden, so that a
# reader on the developer's desk is neither taken nor listed. "exec" keeps the process id.
_ENTER = 'mount --bind "$0" /run && mount --bind "$1" "$2" && shift 2 && exec "$@"'


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of a virtual reader: its name in PC/SC, and the port where a card connects."""

    reader: str
    port: int


class Pcscd:
    """A ``pcscd`` of our own. A context manager: started on entry, stopped on exit.

    Args:
        name: the virtual reader's name; the daemon appends `` 00 00`` and `` 00 01``.

    Raises:
        ConfigError: ``pcscd`` or the virtual reader's driver isn't installed, or no daemon can
            be started here; the message says what to do.
    """

    def __init__(self, *, name: str = "Virtual PCD") -> None:
        self._daemon = _installed("pcscd", "pcscd")
        self._driver = _vpcd_driver()
        self._prefix = _isolation()
        self._home = _home()
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None
        # A card's thread may end the daemon while the reader's thread starts it again.
        self._changing = threading.RLock()
        first = _free_ports()
        self.slots = tuple(Slot(f"{name} 00 {index:02X}", first + index) for index in range(_SLOTS))

    @property
    def isolated(self) -> bool:
        """Whether the daemon is invisible to the rest of the system."""
        return self._prefix is not None

    @property
    def socket_path(self) -> Path:
        """Where clients reach the daemon; ``PCSCLITE_CSOCK_NAME`` tells them."""
        return self._home / "run/pcscd/pcscd.comm" if self.isolated else _SYSTEM_SOCKET

    @property
    def running(self) -> bool:
        """Whether the daemon is alive."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, plugged: bool = True) -> None:
        """Starts the daemon and waits until it answers. Harmless when it runs.

        Args:
            plugged: False starts it without the reader. It looks for readers of this kind only
                when it starts, so plugging one in later means to stop it and start it again.

        Raises:
            ConfigError: it ended at once or did not answer; the message holds its last words.
        """
        with self._changing:
            if not self.running:
                self._start(plugged=plugged)

    def _start(self, *, plugged: bool) -> None:
        if self.isolated:
            os.environ["PCSCLITE_CSOCK_NAME"] = str(self.socket_path)
        else:
            _take_turn()
            if _answers(self.socket_path):
                raise ConfigError(
                    "Another pcscd runs, and this system refuses a namespace for a second one.",
                    remedy="Stop it for the tests: sudo systemctl stop pcscd.socket pcscd.",
                )
        configuration = self._write_configuration(plugged=plugged)
        command = [self._daemon, "--foreground", "--error", "--config", str(configuration)]
        if "--disable-polkit" in _help(self._daemon):
            # A namespace has no system bus to ask, and the asker is the user who started us.
            command.append("--disable-polkit")
        log = self._home / "pcscd.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                self._enter(command), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not _answers(self.socket_path):
            if not self.running or time.monotonic() > deadline:
                self.stop()
                last_words = log.read_text(errors="replace").strip()[-400:] or "(nothing)"
                raise ConfigError(
                    f"pcscd did not start; it said: {last_words}",
                    remedy="Where namespaces are refused, it has to be started by root.",
                )
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends the daemon, as an administrator would. Harmless when it has ended."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the daemon without warning, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        with self._changing:
            if self._process is None:
                return
            self._process.send_signal(how)
            self._process.wait()
            self._process = None
            # After a crash these are left, and would be taken for those of a living daemon.
            self.socket_path.unlink(missing_ok=True)
            self.socket_path.with_name("pcscd.pid").unlink(missing_ok=True)

    def _enter(self, command: list[str]) -> list[str]:
        if self._prefix is None:
            return command
        folders = [str(self._home / "run"), str(self._home / "empty"), str(_DRIVERS)]
        return [*self._prefix, "sh", "-c", _ENTER, *folders, *command]

    def _write_configuration(self, *, plugged: bool) -> Path:
        # A copy, because the folder of drivers is hidden from an isolated daemon.
        driver = self._home / "libifdvpcd.so"
        shutil.copyfile(self._driver, driver)
        folder = self._home / "reader.conf.d"
        port = self.slots[0].port
        reader = (
            f'FRIENDLYNAME "{self._name}"\nDEVICENAME /dev/null:{port}\n'
            f"LIBPATH {driver}\nCHANNELID {port}\n"
        )
        (folder / "vpcd").write_text(reader if plugged else "# The reader is unplugged.\n")
        return folder


@cache
def shared() -> Pcscd:
    """The daemon of this process, running; it ends with the process.

    Raises:
        ConfigError: as ``Pcscd``.
    """
    daemon = Pcscd()
    daemon.start()
    atexit.register(daemon.stop)
    return daemon


@cache
def _home() -> Path:
    """The folder of this process's daemons."""
    home = Path(tempfile.mkdtemp(prefix="taptill-pcscd-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in ("run/pcscd", "empty", "reader.conf.d"):
        (home / name).mkdir(parents=True)
    return home


def _installed(program: str, package: str) -> str:
    # Debian keeps the daemon in a folder that is not on every user's PATH.
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise ConfigError(
            f"{program} is not installed.", remedy=f"Install it: sudo apt install {package}"
        )
    return found


def _vpcd_driver() -> Path:
    lines = _CONFIGURATION.read_text().splitlines() if _CONFIGURATION.is_file() else []
    paths = [line.split(maxsplit=1)[1].strip() for line in lines if line.startswith("LIBPATH")]
    if not paths or not Path(paths[0]).is_file():
        raise ConfigError(
            "The virtual card reader is not installed.",
            remedy="Install it: sudo apt install vsmartcard-vpcd",
        )
    return Path(paths[0])


@cache
def _isolation() -> tuple[str, ...] | None:
    """The command that enters a mount namespace; None where the system refuses one."""
    unshare = shutil.which("unshare")
    if unshare is None or not _DRIVERS.is_dir():
        return None
    for mapping in ((), ("--map-root-user",)):
        prefix = (unshare, *mapping, "--mount")
        trial = [*prefix, "sh", "-c", _ENTER]
        folders = [str(_home() / "run"), str(_home() / "empty"), str(_DRIVERS)]
        if not subprocess.run(
            [*trial, *folders, "true"], capture_output=True, check=False
        ).returncode:
            return prefix
    return None


@cache
def _take_turn() -> int:
    """Waits until no other test process uses the system's socket; ours until ``give_turn``."""
    lock = os.open(
        Path(tempfile.gettempdir()) / "taptill-pcscd.lock", os.O_RDWR | os.O_CREAT, 0o666
    )
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def give_turn() -> None:
    """Lets the next test process have the system's socket. Stop the daemon before."""
    if _take_turn.cache_info().currsize:
        os.close(_take_turn())
        _take_turn.cache_clear()


@cache
def _help(program: str) -> str:
    return subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout


def _free_ports() -> int:
    """The first of as many free ports in a row as the reader has slots.

    The daemon opens them itself and later, so that they are free now is not enough: a lock keeps
    other processes from choosing the same ones for as long as this process lives.
    """
    for first in range(_FIRST_PORT, _LAST_PORT, _SLOTS):
        lock = os.open(
            Path(tempfile.gettempdir()) / f"taptill-vpcd-{first}.lock",
            os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
            0o666,
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for port in range(first, first + _SLOTS):
                _occupy(port).close()
        except OSError:
            os.close(lock)
            continue
        # The lock stays open, and goes with the process.
        return first
    raise ConfigError(
        f"No two ports between {_FIRST_PORT} and {_LAST_PORT} are free for a virtual reader."
    )


def _occupy(port: int) -> socket.socket:
    taken = socket.socket()
    try:
        taken.bind(("", port))
        taken.listen()
    except (OSError, OverflowError):
        taken.close()
        raise
    return taken


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
