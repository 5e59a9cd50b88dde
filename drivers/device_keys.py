"""Where the device's root key lives: levels ``sim``, ``file``, ``tpm2`` and ``rpi-otp``.

Rules of this file: a level says honestly what it stops. The root itself is asked for once, at
start; every key of the till is derived from it in memory, by label. A level that cannot be
opened is an error that names the remedy, and never a quiet fall to a weaker one.

A TPM is driven through Debian's ``tpm2-tools``, the Pi's one-time memory through the firmware's
own tool ``rpi-fw-crypto`` (docs/decisions, "Key stores"). The latter is written to its published
interface and **not yet proven on hardware**.
"""

from __future__ import annotations

import hmac
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from drivers.keystore import FileKeyStore
from drivers.synced import sync_folder
from terminal.errors import KeyStoreError
from terminal.ports import KeyStore, RollbackCounter

LEVELS = ("sim", "file", "tpm2", "rpi-otp")
NV_INDEX = "0x01800A74"
"""The TPM's counter: an index of the owner's range (TCG registry of reserved handles)."""

OTP_KEY_ID = "1"
"""The slot of the device's own key in the Pi's firmware."""

PASSPHRASE = "TAPTILL_PASSPHRASE"  # noqa: S105 - the name of a variable
_CREDENTIAL = "taptill-passphrase"
_TOOL_TIMEOUT_S = 30.0
_ROOT_MESSAGE = b"taptill device root 1"
_LABEL_PREFIX = b"taptill device key v1\x00"
_COUNTER_BYTES = 8


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """An opened key store, and the counter beside it where the device has one."""

    keystore: KeyStore
    counter: RollbackCounter | None


class RootKeyStore:
    """Keys derived from a root that was asked for once; ``level`` says from where."""

    __slots__ = ("_root", "level")

    def __init__(self, level: str, root: bytes) -> None:
        if len(root) != 32:
            raise AssertionError("a root key has 32 bytes")
        self.level = level
        self._root = root

    def __repr__(self) -> str:
        return f"RootKeyStore({self.level!r})"

    def mac(self, label: str, data: bytes) -> bytes:
        """HMAC-SHA-256 of ``data`` under a key of its own for ``label``; 32 bytes."""
        expand = HKDFExpand(SHA256(), 32, _LABEL_PREFIX + label.encode())
        return hmac.digest(expand.derive(self._root), data, "sha256")


def open_device_keys(level: str, folder: Path) -> DeviceKeys:
    """Opens the key store of this level; what it keeps of its own is in ``folder``.

    Raises:
        KeyStoreError: it is not there, does not answer, or belongs to another device.
    """
    match level:
        case "sim":
            return DeviceKeys(RootKeyStore("sim", bytes(range(32))), FileCounter(folder))
        case "file":
            return DeviceKeys(FileKeyStore(folder / "device.key", passphrase=passphrase()), None)
        case "tpm2":
            tpm = Tpm2(folder / "tpm2")
            return DeviceKeys(RootKeyStore("tpm2", tpm.root()), tpm)
        case "rpi-otp":
            return DeviceKeys(RootKeyStore("rpi-otp", rpi_root()), None)
    raise KeyStoreError(
        f"There is no key store level {level!r}.", remedy=f"Levels: {', '.join(LEVELS)}."
    )


def passphrase() -> str:
    """The operator's passphrase: from systemd's credentials, or the environment; else empty."""
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        credential = Path(folder) / _CREDENTIAL
        if credential.is_file():
            return credential.read_text(encoding="utf-8").strip()
    return os.environ.get(PASSPHRASE, "")


class FileCounter:
    """The counter of a simulated device: a number in a file. It stops nobody."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "sim.counter"

    def value(self) -> int:
        """How far it has come."""
        try:
            return int(self._path.read_text())
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as cause:
            raise KeyStoreError(f"The simulated counter {self._path} is unreadable.") from cause

    def raise_to(self, value: int) -> None:
        """Raises it to ``value``."""
        draft = self._path.with_suffix(".new")
        draft.write_text(str(value))
        draft.rename(self._path)


class Tpm2:
    """A key and a counter inside a TPM 2.0.

    The HMAC key is made in the TPM and never leaves it; the two files in ``folder`` are wrapped
    by that TPM alone. The primary key is made anew from the owner's seed at each start. Without
    a resource manager a TPM has three places for objects, so they are emptied between steps.

    Args:
        folder: where the wrapped key is kept; made at first use.

    Raises:
        KeyStoreError: tpm2-tools are missing, no TPM answers, or the key is another TPM's.
    """

    def __init__(self, folder: Path) -> None:
        self._public, self._private = folder / "root.pub", folder / "root.priv"
        if not (self._public.exists() and self._private.exists()):
            folder.mkdir(mode=0o700, exist_ok=True)
            self._provision()
        self._define_counter()

    def root(self) -> bytes:
        """The root key of this device: an HMAC that only this TPM computes."""
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            (work / "message").write_bytes(_ROOT_MESSAGE)
            self._primary(work)
            self._run("tpm2_flushcontext", "-t")
            try:
                self._run(
                    *("tpm2_load", "-Q", "-C", str(work / "primary"), "-c", str(work / "key")),
                    *("-u", str(self._public), "-r", str(self._private)),
                )
            except KeyStoreError as cause:
                raise KeyStoreError(
                    f"The key in {self._public.parent} is not this TPM's. {cause.message}",
                    remedy="The disk was moved from another device, or the TPM was cleared. Bring"
                    " the disk back to its device.",
                ) from cause
            self._run("tpm2_flushcontext", "-t")
            self._run(
                *("tpm2_hmac", "-c", str(work / "key"), "-g", "sha256"),
                *("-o", str(work / "mac"), str(work / "message")),
            )
            self._run("tpm2_flushcontext", "-t")
            return (work / "mac").read_bytes()

    def value(self) -> int:
        """How far the TPM's counter has come."""
        return int.from_bytes(self._run("tpm2_nvread", "-C", "o", NV_INDEX)[:_COUNTER_BYTES], "big")

    def raise_to(self, value: int) -> None:
        """Raises the TPM's counter by the one that it may be behind."""
        reached = self.value()
        if reached > value or value - reached > 1:
            raise KeyStoreError(
                f"The TPM's counter is at {reached} and should come to {value}.",
                remedy="The ledger is not this device's, or older than the device.",
            )
        if reached < value:
            self._run("tpm2_nvincrement", "-Q", "-C", "o", NV_INDEX)

    def _provision(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            self._primary(work)
            self._run("tpm2_flushcontext", "-t")
            self._run(
                *("tpm2_create", "-Q", "-C", str(work / "primary"), "-G", "hmac"),
                *("-u", str(work / "root.pub"), "-r", str(work / "root.priv")),
                *("-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"),
            )
            self._run("tpm2_flushcontext", "-t")
            for path in (self._private, self._public):
                write_synced(path, (work / path.name).read_bytes())

    def _primary(self, work: Path) -> None:
        self._run("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", str(work / "primary"))

    def _define_counter(self) -> None:
        """Makes the counter where it is not; it begins where no counter of this TPM has been."""
        defined = self._run("tpm2_getcap", "handles-nv-index").decode().split()
        if int(NV_INDEX, 16) in {int(word, 16) for word in defined if word.startswith("0x")}:
            return
        self._run(
            *("tpm2_nvdefine", "-Q", "-C", "o", "-s", str(_COUNTER_BYTES), NV_INDEX),
            *("-a", "nt=counter|ownerread|ownerwrite|authread|authwrite"),
        )
        self._run("tpm2_nvincrement", "-Q", "-C", "o", NV_INDEX)

    @staticmethod
    def _run(*command: str) -> bytes:
        return _tool(command, "a TPM 2.0", "Install tpm2-tools, and let the till's user into tss.")


def rpi_root() -> bytes:
    """The root key of a Raspberry Pi 4 or 5: an HMAC under the key in its one-time memory.

    Not yet proven on hardware: written to the interface of ``rpi-fw-crypto`` as its source has it.

    Raises:
        KeyStoreError: the tool is missing, there is no key, or the firmware refuses.
    """
    remedy = (
        "Install rpi-fw-crypto (package raspi-utils), update the firmware, and write the device's"
        " key once with rpi-otp-private-key."
    )
    status = _tool(
        ("rpi-fw-crypto", "get-key-status", OTP_KEY_ID), "the Pi's one-time memory", remedy
    )
    if b"DEVICE" not in status:
        raise KeyStoreError("The Pi's one-time memory holds no device key.", remedy=remedy)
    with tempfile.TemporaryDirectory() as name:
        message = Path(name) / "message"
        message.write_bytes(_ROOT_MESSAGE)
        made = _tool(
            (
                *("rpi-fw-crypto", "hmac", "--in", str(message)),
                *("--key-id", OTP_KEY_ID, "--outform", "hex"),
            ),
            "the Pi's one-time memory",
            remedy,
        )
    try:
        root = bytes.fromhex(made.decode("ascii").strip())
    except ValueError:
        root = b""
    if len(root) != 32 or not any(root):
        raise KeyStoreError("The Pi's firmware gave no HMAC of 32 bytes.", remedy=remedy)
    return root


def _tool(command: tuple[str, ...], what: str, remedy: str) -> bytes:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_TOOL_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise KeyStoreError(
            f"The key store needs {what}, and {command[0]} cannot be run ({cause}).", remedy=remedy
        ) from cause
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise KeyStoreError(
            f"The key store needs {what}: {command[0]} failed"
            f" ({said[0] if said else done.returncode}).",
            remedy=remedy,
        )
    return done.stdout


def write_synced(path: Path, content: bytes) -> None:
    """A file for this user alone, there whole or as it was.

    Raises:
        KeyStoreError: it cannot be written.
    """
    draft = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        sync_folder(path.parent)
    except OSError as cause:
        raise KeyStoreError(
            f"{path} cannot be written ({cause.strerror}).",
            remedy="Free some space on the disk, and let the till's user write the folder.",
        ) from cause
