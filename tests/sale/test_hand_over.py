"""Money that waits changes hands: one till's sales are forwarded by another, once, and come home.

Everything is real: two ledgers, two command lines, one acquirer process over TLS.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_ledger import CaptureState
from tests.conftest import ROOT
from tests.sale.host_process import running_acquirer


@dataclass
class Shell:
    """The command line of one till."""

    folder: Path
    terminal_id: str
    acquirer: AcquirerControl
    settings: str = ""

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        config = self.folder / f"{self.terminal_id}.toml"
        config.write_text(f'[till]\nterminal_id = "{self.terminal_id}"\n{self.settings}')
        options = ["--config", str(config), "--data", str(self.folder / self.terminal_id)]
        done = subprocess.run(
            [
                *(sys.executable, "-P", "-m", "ui", *arguments, *options),
                *("--acquirer", f"sim:?dir={self.acquirer.folder}", "--reader", "sim:visa-credit"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)


@pytest.fixture
def acquirer(tmp_path: Path) -> Iterator[AcquirerControl]:
    with running_acquirer(tmp_path / "acquirer") as control:
        yield control


def captured(acquirer: AcquirerControl) -> list[tuple[str, int]]:
    found = acquirer.captures(CaptureState.CAPTURED)
    return [(capture.terminal_id, capture.amount_minor) for capture in found]


@pytest.mark.slow
def test_a_queue_goes_to_another_till_and_its_answers_come_home(
    tmp_path: Path, acquirer: AcquirerControl
) -> None:
    mine, other = Shell(tmp_path, "TILLA001", acquirer), Shell(tmp_path, "TILLB001", acquirer)
    acquirer.network_off()
    for amount in ("12.00", "30.00"):
        assert mine.json("sell", amount)["state"] == "stored"
    bundle = str(tmp_path / "x.bundle")
    # What waits is in the way of a reset, and says so; nothing is deleted.
    assert mine.json("queue", "check", code=1) == {
        "safe": False,
        "pending": 2,
        "for_other_tills": 0,
    }
    assert "EUR 42.00" in mine.run("reset", code=1).stderr
    given = mine.json("queue", "export", bundle, "--to", "TILLB001")
    assert given["count"] == 2
    assert mine.json("queue", "check")["safe"]
    # It is pending still, with its amount, and another till's to send.
    listed = mine.json("queue")
    assert listed["pending"] == 2
    assert listed["totals"] == {"EUR": "42.00"}
    assert {row["state"] for row in listed["queue"]} == {"handed over"}
    assert "Nothing waits" in mine.run("queue", "export", bundle, "--to", "TILLB001", code=1).stderr
    acquirer.network_on()
    assert mine.json("sync")["moved"] == []
    assert captured(acquirer) == []

    wrong = mine.run("queue", "import", bundle, "--code", given["code"], code=1)
    assert "is for till TILLB001" in wrong.stderr
    forged = other.run("queue", "import", bundle, "--code", "A" * 32, code=1)
    assert "does not open with this code" in forged.stderr
    other.run("queue", "import", bundle, "--code", given["code"])
    again = other.run("queue", "import", bundle, "--code", given["code"], code=1)
    assert "taken in before" in again.stderr
    assert other.json("queue", "check", code=1)["for_other_tills"] == 2
    assert other.json("sync")["for_other_tills"] == 2
    assert captured(acquirer) == [("TILLA001", 1200), ("TILLA001", 3000)]
    assert other.json("queue", "check")["safe"]

    home = str(tmp_path / "y.bundle")
    told = other.json("queue", "answers", home, "--bundle", given["bundle"])
    moved = mine.json("queue", "import", home, "--code", told["code"])["moved"]
    assert [row["state"] for row in moved] == ["approved", "approved"]
    assert mine.json("queue", "import", home, "--code", told["code"])["moved"] == []
    assert mine.json("queue")["pending"] == 0
    assert "Close the day first" in mine.run("reset", code=1).stderr
    mine.run("report", "z")
    kept = Path(mine.json("reset")["kept_in"])
    assert (kept / "ledger.db").is_file()
    # It goes on with the numbers: neither the acquirer nor a receipt has any of them twice.
    fresh = mine.json("sell", "5.00")
    assert (fresh["number"], fresh["state"]) == (3, "approved")
    assert mine.run("verify").stdout.endswith("every row, none missing.\n")
    assert mine.json("bill", "open", "9.00")["bill"] == "B1"
    stans = [capture.stan for capture in acquirer.captures(CaptureState.CAPTURED)]
    # The day's end took two for its totals.
    assert stans == ["000001", "000002", "000005"]


@pytest.mark.slow
def test_what_was_handed_over_can_be_taken_back_and_is_captured_once(
    tmp_path: Path, acquirer: AcquirerControl
) -> None:
    mine, other = Shell(tmp_path, "TILLA001", acquirer), Shell(tmp_path, "TILLB001", acquirer)
    acquirer.network_off()
    mine.run("sell", "12.00")
    bundle = str(tmp_path / "x.bundle")
    given = mine.json("queue", "export", bundle, "--to", "TILLB001")
    other.run("queue", "import", bundle, "--code", given["code"])
    acquirer.network_on()
    assert "--take-back" in mine.run("queue", "retry", "1", code=1).stderr
    mine.run("queue", "retry", "1", "--take-back")
    # Both send it, and the acquirer knows it for one sale.
    other.run("sync")
    assert [row["state"] for row in mine.json("sync")["moved"]] == ["approved"]
    assert captured(acquirer) == [("TILLA001", 1200)]
    mtis = [entry.mti for entry in acquirer.ledger() if entry.mti.startswith("022")]
    assert sorted(mtis) == ["0220", "0221"]


@pytest.mark.slow
@pytest.mark.parametrize("sent", ["not sent yet", "answered"])
def test_what_was_taken_back_can_be_handed_over_once_more(
    tmp_path: Path, acquirer: AcquirerControl, sent: str
) -> None:
    mine, other = Shell(tmp_path, "TILLA001", acquirer), Shell(tmp_path, "TILLB001", acquirer)
    acquirer.network_off()
    mine.run("sell", "12.00")
    for number in (1, 2):
        file = str(tmp_path / f"{number}.bundle")
        given = mine.json("queue", "export", file, "--to", "TILLB001")
        other.run("queue", "import", file, "--code", given["code"])
        if number == 1:
            if sent == "answered":
                acquirer.network_on()
                other.run("sync")
            mine.run("queue", "retry", "1", "--take-back")
    acquirer.network_on()
    other.run("sync")
    home = str(tmp_path / "home.bundle")
    told = other.json("queue", "answers", home, "--bundle", given["bundle"])
    moved = mine.json("queue", "import", home, "--code", told["code"])["moved"]
    assert [row["state"] for row in moved] == ["approved"]
    assert captured(acquirer) == [("TILLA001", 1200)]
    assert [entry.mti for entry in acquirer.ledger() if entry.mti[:3] == "022"] == [
        "0220" if sent == "answered" else "0221"
    ]


@pytest.mark.slow
def test_keys_that_change_between_two_tills_keep_nothing_from_the_acquirer(
    tmp_path: Path, acquirer: AcquirerControl
) -> None:
    signed = f'[acquirer]\nmanifest_root_file = "{acquirer.folder}/root.pem"\n'
    mine = Shell(tmp_path, "TILLA001", acquirer, signed)
    other = Shell(tmp_path, "TILLB001", acquirer, signed)
    old, new = str(tmp_path / "old.json"), str(tmp_path / "new.json")
    for words in (("--out", old), ("--rotate", "--out", new)):
        command = [sys.executable, "-P", "-m", "ui", "sim", "manifest"]
        where = ["--dir", str(acquirer.folder)]
        subprocess.run([*command, *where, *words], cwd=ROOT, check=True, capture_output=True)
    mine.run("keyring", "import", old)
    other.run("keyring", "import", new)
    acquirer.network_off()
    # The simulated acquirer calls the second amount malformed.
    for amount in ("12.00", "12.30"):
        assert mine.json("sell", amount)["state"] == "stored"
    mine.run("keyring", "import", new)
    given = mine.json("queue", "export", str(tmp_path / "x.bundle"), "--to", "TILLB001")
    other.run("queue", "import", str(tmp_path / "x.bundle"), "--code", given["code"])
    mine.run("queue", "retry", "2", "--take-back")
    acquirer.network_on()
    other.run("sync")
    mine.run("sync")
    assert captured(acquirer) == [("TILLA001", 1200)]
    assert mine.json("queue", "retry", "2")["state"] == "stored"


@pytest.mark.slow
def test_a_sale_set_aside_is_sent_round_again_by_a_person(
    tmp_path: Path, acquirer: AcquirerControl
) -> None:
    till = Shell(tmp_path, "TILLA001", acquirer)
    acquirer.network_off()
    # The simulated acquirer calls this amount malformed.
    till.run("sell", "12.30")
    acquirer.network_on()
    assert [row["state"] for row in till.json("sync")["moved"]] == ["set aside"]
    (row,) = till.json("queue")["queue"]
    assert row["next_try"] == "when a person retries it"
    assert till.json("sync")["moved"] == []
    assert till.json("queue", "retry", "1")["state"] == "stored"
    assert [row["state"] for row in till.json("sync")["moved"]] == ["set aside"]
    assert [entry.mti for entry in acquirer.ledger() if entry.mti[:3] == "022"] == ["0220", "0221"]
    assert "Nothing of sale '9'" in till.run("queue", "retry", "9", code=1).stderr
