"""``taptill sim``, as a person or a script types it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import click
import pytest
from click.testing import CliRunner, Result

from drivers import pcsc
from drivers.registry import AcquirerSettings
from hardware_sim.acquirer import open_acquirer
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.bench_till import BenchTill, Slip
from hardware_sim.cli import COMMANDS, sim
from hardware_sim.daemon import Pcscd

# A shell's background jobs ignore SIGINT, and so would the commands that tests start from one.
RUN = """
import signal
from hardware_sim.cli import sim
signal.signal(signal.SIGINT, signal.default_int_handler)
sim()
"""


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(sim, arguments)


def rows(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    parsed: list[dict[str, str]] = json.loads(result.stdout)
    return parsed


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own, ended as Ctrl-C ends it."""
    command = [sys.executable, "-c", RUN, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_cards_are_listed_with_what_they_do() -> None:
    cards = {row["card"]: row["what_it_does"] for row in rows(run("cards", "--json"))}
    assert {"visa-credit", "mastercard-credit", "expired"} <= cards.keys()
    assert all(cards.values())
    assert "visa-credit" in run("cards").stdout


def test_amounts_are_listed_and_leave_ordinary_prices_alone() -> None:
    endings = {row["ending"] for row in rows(run("amounts", "--json"))}
    assert {".05", ".10", ".51", ".54", ".91"} <= endings
    assert not endings & {".00", ".01", ".02", ".03", ".04", ".50", ".99", ".95", ".90"}
    assert "insufficient funds" in run("amounts").stdout


def test_a_foreground_acquirer_shows_a_line_for_each_message(tmp_path: Path) -> None:
    folder = tmp_path / "host"
    with started("acquirer", "--dir", str(folder), "latency_ms=1", "--json") as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        settings = AcquirerSettings("TILL0001", "SHOP00000000001", tmp_path)
        acquirer = open_acquirer(f"sim:?dir={folder}", settings)
        till = BenchTill(acquirer, acquirer.link(), AcquirerControl(folder))
        assert till.sell(Slip(minor=1251)).response_code == "51"
        line = json.loads(process.stdout.readline())
        assert (line["mti"], line["response_code"], line["amount_minor"]) == ("0200", "51", 1251)
        assert till.control.port == port
        till.close()
        # A host that a person has started outlives its tills.
        assert till.control.alive

        options = json.loads(run("set", "--dir", str(folder), "drop_after=2", "--json").stdout)
        assert (options["drop_after"], options["latency_ms"]) == ("2", "1")
        assert run("restart", "--dir", str(folder)).exit_code == 0
        assert run("forget", "--dir", str(folder)).exit_code == 0
    books = json.loads(run("ledger", "--dir", str(folder), "--json").stdout)
    assert [row["state"] for row in books["captures"]] == ["refused"]
    shown = run("ledger", "--dir", str(folder)).stdout
    assert "EUR 12.51" in shown
    assert "\u2022\u2022\u2022\u2022 0010" in shown


def test_a_person_sees_how_to_join_the_acquirer(tmp_path: Path) -> None:
    with started("acquirer", "--dir", str(tmp_path)) as process:
        assert process.stdout is not None
        seen = "".join(iter(process.stdout.readline, "Ctrl-C ends it.\n"))
    assert f"sim:?dir={tmp_path}" in seen
    lines = seen.splitlines()
    copied = lines[lines.index("  [till]") : lines.index("Change it live with")]
    config = tomllib.loads("\n".join(copied))
    assert config["till"]["acquirer"].startswith("iso8583+tls://")
    assert all(Path(file).is_file() for file in config["acquirer"].values())
    assert len(config["acquirer"]) == 4
    assert re.search(r"iso8583\+tls://127\.0\.0\.1:[0-9]+\?mode=test", seen)


def test_a_pn532_is_there_until_ctrl_c() -> None:
    with started("pn532", "visa-credit") as process:
        assert process.stdout is not None
        path = process.stdout.readline().split()[-1].rstrip(".")
        assert f"--reader nfcpy:tty:{path}:pn532" in process.stdout.readline()
        assert Path(path).resolve().is_char_device()
    assert not Path(path).exists()


@pytest.mark.pcscd
@pytest.mark.xdist_group("pcscd")
def test_a_card_lies_in_the_virtual_reader_until_ctrl_c(pcscd: Pcscd) -> None:
    slot = pcscd.slots[0]
    reader = pcsc.open_reader(f"pcsc:{slot.reader}")
    with started("vpcd", "visa-credit", "--port", str(slot.port)) as process:
        assert process.stdout is not None
        assert "Ctrl-C" in process.stdout.readline()
        card = reader.wait_for_card(timeout_s=20, cancelled=lambda: False)
        assert card is not None
        assert hasattr(card, "exchange")
        answer = card.exchange(bytes.fromhex("00A404000E325041592E5359532E444446303100"))
        assert answer[-2:] == b"\x90\x00"
    assert reader.wait_for_removal(timeout_s=20, cancelled=lambda: False)
    reader.close()


WRONG = [
    # Arguments, exit code, what the message names.
    (["acquirer", "--dir", "{tmp}", "latency=1"], 1, "'latency'"),
    (["acquirer", "--dir", "{tmp}", "latency_ms"], 2, "OPTION=VALUE"),
    (["acquirer", "--dir", "{tmp}", "--terminal", "TILL"], 1, "TERMINAL:MERCHANT"),
    (["acquirer", "--dir", "{tmp}", "--port", "70000"], 2, "65535"),
    (["ledger", "--dir", "{tmp}/none"], 1, "none"),
    (["set", "--dir", "{tmp}/none", "drop_after=1"], 1, "No simulated acquirer"),
    (["vpcd", "no-such-card"], 1, "no-such-card"),
    (["vpcd", "two-cards"], 1, "taptill sim pn532 two-cards"),
    (["vpcd", "visa-credit", "--port", "1"], 1, "vsmartcard-vpcd"),
    (["pn532", "no-such-card"], 1, "no-such-card"),
]


def test_a_tills_own_ledger_is_not_taken_for_the_acquirers(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "ledger.db"))
    connection.execute("CREATE TABLE txn (txn_id TEXT)")
    connection.pragma("user_version", 9999)
    connection.close()
    result = run("ledger", "--dir", str(tmp_path))
    assert (result.exit_code, "sim-acquirer" in result.stderr) == (1, True), result.output


@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    for command in ("cards", "amounts"):
        shown = CliRunner(env={"COLUMNS": str(columns)}).invoke(sim, [command]).stdout
        _title, *lines = shown.splitlines()
        assert max(map(len, lines)) <= columns


@pytest.mark.parametrize(("arguments", "code", "named"), WRONG)
def test_what_is_wrong_is_named(
    tmp_path: Path, arguments: list[str], code: int, named: str
) -> None:
    result = run(*(part.replace("{tmp}", str(tmp_path)) for part in arguments))
    assert (result.exit_code, named in result.stderr) == (code, True), result.output


def test_the_default_folder_is_that_of_the_till(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPTILL_DATA", str(tmp_path))
    acquirer = open_acquirer("sim:", AcquirerSettings("TILL0001", "SHOP1", tmp_path))
    assert run("set", "twice=1").exit_code == 0
    assert AcquirerControl(acquirer.folder).behaviour.twice == 1
    acquirer.close()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_says_of_each_command_what_the_command_says(name: str) -> None:
    command = sim.get_command(click.Context(sim), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=200) == COMMANDS[name].line


def test_the_list_of_commands_imports_none_of_them() -> None:
    code = (
        "import sys; from hardware_sim.cli import sim; sim(['--help'], standalone_mode=False);"
        " print([name for name in sys.modules if name.startswith(('hardware_sim.c', 'apsw'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['hardware_sim.cli']"
