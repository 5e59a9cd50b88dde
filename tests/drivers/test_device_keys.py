"""The levels of the key store: swtpm behind the real tools, and a stand-in for the Pi's tool."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.device_keys import FileCounter, Tpm2, open_device_keys
from drivers.keystore import FileKeyStore
from offline_queue.closings import Closings
from offline_queue.journal import SqlJournal
from offline_queue.store import Store
from terminal.errors import KeyStoreError
from tests.offline_queue.sales import START, CountingEntropy, HandClock

# -- tpm2 ----------------------------------------------------------------------------------------


@pytest.fixture
def tpm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts the TPM of this name behind the tools; each name is another chip."""
    if shutil.which("swtpm") is None or shutil.which("tpm2_hmac") is None:
        pytest.skip("swtpm or tpm2-tools is not installed")
    running: list[subprocess.Popen[bytes]] = []

    def stop() -> None:
        for process in running:
            process.terminate()
            process.wait()
        running.clear()

    def use(name: str) -> None:
        stop()
        state = tmp_path / f"chip-{name}"
        state.mkdir(exist_ok=True)
        socket = tmp_path / f"{name}.sock"
        socket.unlink(missing_ok=True)
        running.append(
            subprocess.Popen(
                [
                    *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}"),
                    *("--server", f"type=unixio,path={socket}"),
                    *("--ctrl", f"type=unixio,path={socket}.ctrl"),
                    *("--flags", "not-need-init,startup-clear"),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        while not socket.exists():
            assert running[0].poll() is None, "swtpm ended"
            time.sleep(0.02)
        monkeypatch.setenv("TPM2TOOLS_TCTI", f"swtpm:path={socket}")

    yield use
    stop()


def test_a_tpm_holds_the_root_and_counts(tpm: Callable[[str], None], tmp_path: Path) -> None:
    tpm("one")
    folder = tmp_path / "till"
    folder.mkdir()
    first = open_device_keys("tpm2", folder)
    assert first.keystore.level == "tpm2"
    assert first.counter is not None
    made = first.keystore.mac("ledger/1", b"row")
    assert made != first.keystore.mac("ledger/2", b"row")
    before = first.counter.value()
    first.counter.raise_to(before + 1)
    first.counter.raise_to(before + 1)
    with pytest.raises(KeyStoreError, match="should come to"):
        first.counter.raise_to(before + 3)
    tpm("one")
    again = open_device_keys("tpm2", folder)
    assert again.keystore.mac("ledger/1", b"row") == made
    assert again.counter is not None
    assert again.counter.value() == before + 1
    assert {path.name for path in (folder / "tpm2").iterdir()} == {"root.pub", "root.priv"}


def test_the_disk_in_another_device_opens_nothing(
    tpm: Callable[[str], None], tmp_path: Path
) -> None:
    tpm("one")
    open_device_keys("tpm2", tmp_path)
    tpm("other")
    with pytest.raises(KeyStoreError, match="not this TPM's") as caught:
        open_device_keys("tpm2", tmp_path)
    assert "Bring the disk back" in caught.value.remedy


def test_an_older_image_of_the_disk_is_found_with_a_tpm(
    tpm: Callable[[str], None], tmp_path: Path
) -> None:
    tpm("one")
    keys = open_device_keys("tpm2", tmp_path)
    ledger = tmp_path / "ledger.db"

    def start() -> list[str]:
        store = Store.open(ledger, at=START, keystore=keys.keystore, counter=keys.counter)
        with store:
            if not store.findings:
                # Each new batch moves the counter, as each stored sale does.
                SqlJournal(store, HandClock(), CountingEntropy())
                Closings(store, HandClock()).freeze(by="Ada")
            return [str(finding) for finding in store.findings]

    assert start() == []
    old = tmp_path / "old.db"
    shutil.copy(ledger, old)
    assert start() == []
    shutil.copy(old, ledger)
    assert any("older copy of the whole file" in finding for finding in start())


def test_a_till_without_a_tpm_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TPM2TOOLS_TCTI", f"swtpm:path={tmp_path / 'nobody.sock'}")
    with pytest.raises(KeyStoreError, match="needs a TPM"):
        Tpm2(tmp_path / "tpm2")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KeyStoreError, match="cannot be run") as caught:
        Tpm2(tmp_path / "tpm2")
    assert "tpm2-tools" in caught.value.remedy


# -- rpi-otp -------------------------------------------------------------------------------------

# The interface of rpi-fw-crypto as raspberrypi/utils has it: commands, output and exit codes.
FIRMWARE = """#!/usr/bin/env python3
import hmac, os, sys
key = bytes.fromhex(os.environ["OTP_KEY"])
args = sys.argv[1:]
if args[:1] == ["get-key-status"] and args[1:] == ["1"]:
    print("Key 1 status: 0x00000001 (DEVICE)" if any(key) else "Key 1 status: 0x00000000 ()")
elif args[:1] == ["hmac"]:
    options = dict(zip(args[1::2], args[2::2]))
    assert options["--key-id"] == "1" and options["--outform"] == "hex", options
    message = open(options["--in"], "rb").read()
    assert len(message) <= 2048
    if os.environ.get("HMAC_LOCKED"):
        print("Last crypto error: -6 (Key is locked)", file=sys.stderr)
        sys.exit(255)
    sys.stdout.write(hmac.digest(key, message, "sha256").hex())
else:
    sys.exit(255)
"""


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "rpi-fw-crypto"
    tool.parent.mkdir()
    tool.write_text(FIRMWARE)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("OTP_KEY", "11" * 32)


@pytest.mark.usefixtures("firmware")
def test_the_pis_one_time_memory_gives_a_root_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = open_device_keys("rpi-otp", tmp_path)
    assert (keys.keystore.level, keys.counter) == ("rpi-otp", None)
    made = keys.keystore.mac("ledger/1", b"row")
    assert open_device_keys("rpi-otp", tmp_path).keystore.mac("ledger/1", b"row") == made
    monkeypatch.setenv("OTP_KEY", "22" * 32)
    assert open_device_keys("rpi-otp", tmp_path).keystore.mac("ledger/1", b"row") != made
    monkeypatch.setenv("OTP_KEY", "00" * 32)
    with pytest.raises(KeyStoreError, match="holds no device key"):
        open_device_keys("rpi-otp", tmp_path)
    monkeypatch.setenv("OTP_KEY", "11" * 32)
    monkeypatch.setenv("HMAC_LOCKED", "1")
    with pytest.raises(KeyStoreError, match="Key is locked"):
        open_device_keys("rpi-otp", tmp_path)


def test_a_machine_that_is_no_pi_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KeyStoreError, match="one-time memory") as caught:
        open_device_keys("rpi-otp", tmp_path)
    assert "rpi-fw-crypto" in caught.value.remedy


# -- file and sim --------------------------------------------------------------------------------


def test_a_passphrase_wraps_the_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPTILL_PASSPHRASE", "correct horse")
    made = open_device_keys("file", tmp_path).keystore.mac("x", b"y")
    assert open_device_keys("file", tmp_path).keystore.mac("x", b"y") == made
    monkeypatch.setenv("TAPTILL_PASSPHRASE", "correct hors")
    with pytest.raises(KeyStoreError, match="is wrong"):
        open_device_keys("file", tmp_path)
    monkeypatch.delenv("TAPTILL_PASSPHRASE")
    with pytest.raises(KeyStoreError, match="needs its passphrase"):
        open_device_keys("file", tmp_path)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "taptill-passphrase").write_text("correct horse\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert open_device_keys("file", tmp_path).keystore.mac("x", b"y") == made
    FileKeyStore(tmp_path / "plain.key")
    with pytest.raises(KeyStoreError, match="has no passphrase"):
        FileKeyStore(tmp_path / "plain.key", passphrase="x")


def test_the_simulated_device_is_the_same_everywhere_and_counts(tmp_path: Path) -> None:
    keys = open_device_keys("sim", tmp_path)
    assert keys.keystore.level == "sim"
    assert repr(keys.keystore) == "RootKeyStore('sim')"
    assert isinstance(keys.counter, FileCounter)
    keys.counter.raise_to(1)
    again = open_device_keys("sim", tmp_path).counter
    assert again is not None
    assert again.value() == 1


def test_a_level_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="no key store level 'hsm'") as caught:
        open_device_keys("hsm", tmp_path)
    assert "tpm2" in caught.value.remedy
