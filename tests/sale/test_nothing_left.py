"""No card number and no track is left behind: not in a file, a log, or anything printed.

Every kind of sale is made by the real command line in processes of its own; then every byte of
every file in its folders and of all that it printed is searched, in every form a number can
take. For each channel a number is planted as a control, which the search must find.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from hardware_sim.acquirer import FOLDER_NAME
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.catalogue import load_profile
from hardware_sim.leaks import find, find_in_folder, forms_of
from tests.conftest import ROOT

CARDS = ("visa-credit", "visa-no-oda", "mastercard-credit", "visa-phone", "expired")


def _numbers() -> dict[str, str]:
    """What must not be found: each card's number, and its discretionary data from track 2."""
    numbers = {}
    for card in CARDS:
        account = load_profile(card).account
        assert account is not None
        numbers[card] = account.pan
        track2 = account.track2.hex().upper().rstrip("F")
        numbers[f"track 2 of {card}"] = track2.split("D")[1]
    return numbers


NUMBERS = _numbers()


def _taptill(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "TAPTILL_DATA": str(data_dir), "TMPDIR": str(data_dir / "tmp")}
    (data_dir / "tmp").mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "ui", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """The folder of a till that has seen every kind of end, and all that it printed."""
    data_dir = tmp_path_factory.mktemp("till")
    printed = b""
    config = str(_config(data_dir))
    readers = [f"sim:{card}" for card in CARDS]
    readers += [f"sim:{card}?tear_after=3&times=1" for card in CARDS[:3:2]]
    readers += [f"sim:{card}?sw=6985&sw_at=3" for card in CARDS[:3:2]]
    for amount, reader in zip(("12.50", "40.51") * len(readers), readers, strict=False):
        done = _taptill(data_dir, "sell", amount, "--json", "--reader", reader, "--config", config)
        printed += done.stdout + done.stderr
    acquirer = data_dir / FOLDER_NAME
    done = _taptill(
        data_dir, "sell", "7.00", "--reader", "sim:visa-credit", "--acquirer", "sim:?refuse=true"
    )
    printed += done.stdout + done.stderr
    assert b"STORED OFFLINE" in done.stdout, printed.decode()
    for arguments in (("queue", "--json"), ("report", "x"), ("doctor",), ("queue",)):
        done = _taptill(data_dir, *arguments)
        printed += done.stdout + done.stderr
    assert AcquirerControl(acquirer).captures()
    return data_dir, printed


def _config(data_dir: Path) -> Path:
    """Short waits: a card that is refused is refused again until the time is up."""
    path = data_dir / "till.toml"
    path.write_text("[timing]\npresent_s = 5\nauthorise_s = 5\n")
    return path


def test_no_file_holds_a_card(left_behind: tuple[Path, bytes]) -> None:
    folder, _ = left_behind
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"ledger.db", "device.key", "server.log"} <= names
    assert any(path.parent.name == "receipts" for path in files)
    assert find_in_folder(folder, NUMBERS) == []


def test_nothing_printed_holds_a_card(left_behind: tuple[Path, bytes]) -> None:
    _, printed = left_behind
    assert b"approved" in printed
    assert find("printed", printed, NUMBERS) == []


def test_envelopes_leave_the_ledger_with_their_answer(left_behind: tuple[Path, bytes]) -> None:
    """The stored sale keeps its envelope; after forwarding, its bytes are gone from the file."""
    folder, _ = left_behind
    import apsw  # noqa: PLC0415 - a look at the file that no part of the till takes

    ledger = folder / "ledger.db"
    connection = apsw.Connection(str(ledger), flags=apsw.SQLITE_OPEN_READONLY)
    messages = [bytes(row[0]) for row in connection.execute("SELECT message FROM outbox")]
    connection.close()
    assert messages
    probes = [message[-64:-32] for message in messages]
    before = ledger.read_bytes() + _beside(ledger)
    assert all(probe in before for probe in probes), "the control: they are there now"
    done = _taptill(folder, "sync")
    assert done.returncode == 0, done.stderr
    after = ledger.read_bytes() + _beside(ledger)
    assert not any(probe in after for probe in probes)
    assert json.loads(_taptill(folder, "queue", "--json").stdout)["pending"] == 0


def _beside(ledger: Path) -> bytes:
    log = ledger.with_name(f"{ledger.name}-wal")
    return log.read_bytes() if log.exists() else b""


# -- the controls: a search that finds nothing must be able to find something --------------------


@pytest.mark.parametrize("form", forms_of(NUMBERS["visa-credit"]))
@pytest.mark.parametrize("channel", ["file", "printed", "gzip"])
def test_a_planted_number_is_found(tmp_path: Path, form: str, channel: str) -> None:
    chance = random.Random(7)
    needle = forms_of(NUMBERS["visa-credit"])[form]
    content = chance.randbytes(500) + needle + chance.randbytes(500)
    if channel == "printed":
        leaks = find("printed", content, NUMBERS)
    else:
        planted = tmp_path / "deep" / "ledger.db"
        planted.parent.mkdir()
        planted.write_bytes(gzip.compress(content) if channel == "gzip" else content)
        leaks = find_in_folder(tmp_path, NUMBERS)
    assert f"visa-credit as {form}" in {leak.form.split(" in a ")[0] for leak in leaks}


def test_a_number_in_a_file_name_is_found(tmp_path: Path) -> None:
    (tmp_path / f"{NUMBERS['visa-credit']}.txt").touch()
    assert find_in_folder(tmp_path, NUMBERS)
