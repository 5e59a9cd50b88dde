"""What ``taptill sell``, ``queue`` and ``report`` tell a person and a script, at the real CLI."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drivers.registry import AcquirerSettings
from hardware_sim.acquirer import open_acquirer
from hardware_sim.acquirer_control import AcquirerControl
from tests.drivers.test_ca_key_store import SIGNER, key_set, written
from ui.cli import main

CONFIG = "[timing]\nauthorise_s = 2\n"


class Till:
    """The command line of one till, with an acquirer that outlives each command."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "till"
        self.acquirer = folder / "acquirer"
        self.config = folder / "till.toml"
        self.config.write_text(CONFIG)

    @property
    def control(self) -> AcquirerControl:
        return AcquirerControl(self.acquirer)

    def run(self, *arguments: str, columns: int = 80) -> Result:
        where = ("--config", str(self.config), "--acquirer", f"sim:?dir={self.acquirer}")
        environment = {"TAPTILL_DATA": str(self.data), "COLUMNS": str(columns)}
        return CliRunner(env=environment).invoke(main, [*arguments, *where], prog_name="taptill")

    def sell(self, amount: str, *arguments: str, card: str = "visa-credit") -> Result:
        return self.run("sell", amount, "--reader", f"sim:{card}", *arguments)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    def receipt(self) -> str:
        """The latest one."""
        return max((self.data / "receipts").iterdir()).read_text("utf-8")


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    made = Till(tmp_path)
    held = open_acquirer(
        f"sim:?dir={made.acquirer}", AcquirerSettings("TAPTILL1", "TAPTILLDEMO0001", tmp_path)
    )
    yield made
    held.close()


def test_a_partial_approval_is_not_told_as_a_whole_one(till: Till) -> None:
    done = till.sell("20.10")
    assert done.exit_code == 0
    assert done.stdout.startswith("PARTLY APPROVED\n")
    assert "EUR 12.06 was taken." in done.stdout
    assert "Still due      EUR 8.04" in done.stdout
    sale = json.loads(till.sell("20.10", "--json").stdout)
    assert (sale["amount"], sale["approved"]) == ("20.10", "12.06")


def test_a_sale_that_is_undone_at_once_is_told_as_undone(till: Till) -> None:
    till.control.set(drop_after=1, only="0200")
    done = till.sell("7.00")
    assert done.exit_code == 3
    assert done.stdout.index("NOT KNOWN YET") < done.stdout.index("REVERSED")
    assert "REVERSED" in till.receipt()
    till.control.set(drop_after=1, only="0200")
    sale = json.loads(till.sell("7.00", "--json").stdout)
    assert (sale["state"], sale["money_taken"]) == ("reversed", "no")


def test_a_sale_that_cannot_be_undone_yet_is_told_once(till: Till) -> None:
    till.control.set(drop_after="always")
    done = till.sell("7.00")
    assert done.exit_code == 5
    assert done.stdout.count("NOT KNOWN YET") == 1
    assert "did not answer" not in till.receipt()
    till.control.set(drop_after=0)
    assert "reversed" in till.run("sync").stdout


def test_a_report_leaves_no_currency_out(till: Till) -> None:
    assert till.sell("1500", "--currency", "JPY").exit_code == 0
    assert till.sell("9999999999.99").exit_code == 0
    assert till.sell("1.00").exit_code == 0
    report = till.json("report", "x")
    assert (report["currency"], report["approved"]) == ("EUR", "10000000000.99")
    [other] = report["other_currencies"]
    assert (other["currency"], other["approved"]) == ("JPY", "1500")
    shown = till.run("report", "x").stdout
    assert "10,000,000,000.99" in shown
    assert "1,500" in shown


def test_ca_keys_need_a_signer(till: Till) -> None:
    refused = till.run("keys")
    assert refused.exit_code == 1
    assert "ca_signer_file" in refused.stderr


def test_ca_keys_are_taken_in_and_shown(till: Till, tmp_path: Path) -> None:
    pem = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "signer.pem").write_bytes(pem)
    till.config.write_text(CONFIG + '[acquirer]\nca_signer_file = "signer.pem"\n')
    assert "No CA keys are installed" in till.run("keys").stdout
    path, _ = written(tmp_path, key_set(environment="test"))
    loaded = till.run("keys", "--load", str(path))
    assert loaded.exit_code == 0, loaded.stderr
    assert "Issue 7 of 2026-11-25, test. 1 expired, 1 certificates revoked." in loaded.stdout
    told = till.json("keys")
    assert (told["issue"], told["revoked"], len(told["keys"])) == (7, 1, 18)
    again = till.run("keys", "--load", str(path))
    assert again.exit_code == 1
    assert "issue 7 is installed" in again.stderr


def test_taps_are_timed(till: Till) -> None:
    assert till.sell("1.00").exit_code == 0
    told = till.json("taps")
    [tap] = told["taps"]
    assert [each["name"] for each in tap["commands"]] == [
        "SELECT",
        "SELECT",
        "GET PROCESSING OPTIONS",
    ]
    assert tap["in_time"]
    assert told["figures"]["count"] == told["figures"]["in_time"] == 1
    assert "1 of 1 within 500 ms." in till.run("taps").stdout


def test_what_waits_in_another_currency_keeps_the_batch_open(till: Till) -> None:
    till.control.network_off()
    assert till.sell("15", "--currency", "JPY").exit_code == 0
    refused = till.run("report", "z")
    assert refused.exit_code == 1
    assert "(JPY 15) is stored" in refused.stderr
    assert "1 of its sales have no answer" in refused.stderr
    till.control.network_on()
    assert till.run("sync").exit_code == 0
    assert till.run("report", "z").exit_code == 0


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(till: Till, columns: int) -> None:
    till.control.network_off()
    assert till.sell("5.00").exit_code == 0
    for command in (("queue",), ("report", "x"), ("doctor",)):
        shown = till.run(*command, columns=columns).stdout
        words = [line for line in shown.splitlines() if len(line) > columns and " " in line.strip()]
        assert words == [], command


def test_a_card_that_cannot_pay_is_told_why(till: Till) -> None:
    till.config.write_text(CONFIG + "present_s = 5\n")
    done = till.sell("5.00", card="mifare-tag")
    assert done.exit_code == 4
    assert "Try another card. " in done.stderr
    assert "this is not a payment card." in done.stderr.lower()


def test_a_bench_that_nobody_can_tap_on_is_refused_at_once(till: Till) -> None:
    refused = till.run("sell", "5.00")
    assert refused.exit_code == 1
    assert "--reader sim:visa-credit" in refused.stderr
    assert "taptill run" in refused.stderr


def test_a_sale_that_was_cut_off_is_told_before_the_next(till: Till) -> None:
    till.control.set(latency_ms=1500)
    command = [sys.executable, "-m", "ui", "sell", "12.34", "--reader", "sim:visa-credit"]
    where = ["--acquirer", f"sim:?dir={till.acquirer}", "--data", str(till.data)]
    with subprocess.Popen([*command, *where], stderr=subprocess.PIPE, text=True) as sale:
        assert sale.stderr is not None
        while "Asking the bank" not in sale.stderr.readline():
            assert sale.poll() is None
        sale.kill()
    till.control.set(latency_ms=0)
    later = till.sell("1.00")
    assert later.exit_code == 0
    assert "Sale 1 (EUR 12.34) was interrupted" in later.stderr
    assert "interrupted" not in till.sell("1.00").stderr
