"""Bills from the command line, and what comes after a card that pays nothing or a part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ui.command_line import Shell
from ui import paying

SETTINGS = '[transfer]\niban = "DE89370400440532013000"\n'


@pytest.fixture
def shell(tmp_path: Path, bank: Path) -> Shell:
    return Shell(tmp_path, bank, SETTINGS)


@pytest.fixture(scope="module")
def one_bill(tmp_path_factory: pytest.TempPathFactory, bank: Path) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("bill"), bank, SETTINGS)
    assert shell.run("bill", "open", "5", "--label", "Counter").exit_code == 0
    return shell


def test_what_a_card_leaves_is_paid_by_the_next_tender(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = shell.run("sell", "12.10", "--tip", "1.00", "--then", "cash", "--json")
    told = json.loads(paid.stdout)
    assert (paid.exit_code, told["bill"], told["due"]) == (0, "R1", "0.00")
    asked = shell.run("sell", "12.51", "--then", "cash", "--json")
    told = json.loads(asked.stdout)
    assert [each["state"] for each in told["payments"]] == ["declined", "approved"]
    assert (asked.exit_code, told["due"]) == (0, "0.00")
    # Nobody can be asked: the rest stays open, and is shown.
    left = shell.run("sell", "12.10", "--json")
    assert json.loads(left.stdout)["due"] == "4.84"
    name = json.loads(left.stdout)["bill"]
    assert f"{name}" in shell.run("bill", "show").stdout
    assert "Still due on bills (1)" in shell.run("report", "x").stdout
    # Somebody can: a transfer is no answer to cash that is not enough, and Enter is all of it.
    monkeypatch.setattr(paying, "somebody_there", lambda: True)
    talk = shell.run("sell", "12.10", typed="a\n3\n5\n")
    assert "is not enough for EUR 4.84" in talk.stderr
    assert "Change: EUR 0.16" in talk.stderr
    assert shell.run("sell", "12.51", typed="n\n").exit_code == 3
    paid = shell.run("bill", "pay", name, "--cash")
    assert f"Bill {name} is paid." in paid.stdout


def test_a_table_pays_by_lines_by_shares_and_in_cash(shell: Shell) -> None:
    lines = ("--line", "Soup=5.00@10", "--line", "Wine=10.00@21", "--line", "Tea=2.00")
    opened = shell.run("bill", "open", "--label", "Table 4", *lines)
    assert (opened.exit_code, "EUR 17.00 is due" in opened.stdout) == (0, True)
    first = shell.run("bill", "pay", "1", "--lines", "1,3")
    assert "EUR 10.00 is due" in first.stdout, first.output
    again = shell.run("bill", "pay", "B1", "--lines", "3")
    assert (again.exit_code, "Line 3 of this bill is paid" in again.stderr) == (1, True)
    half = shell.run("bill", "pay", "b1", "--share", "2", "--tendered", "10", "--tip", "1.00")
    assert "Change: EUR 4.00" in half.stdout, half.output
    over = shell.run("bill", "pay", "B1", "5.01", "--cash")
    assert "EUR 5.00 is due, and not EUR 5.01" in over.stderr
    awaited = shell.run("bill", "pay", "B1", "2", "--transfer")
    assert "not known yet whether EUR 2.00 was paid" in awaited.stdout, awaited.output
    shown = json.loads(shell.run("bill", "show", "B1", "--json").stdout)
    assert (shown["paid"], shown["doubt"], shown["due"]) == ("12.00", "2.00", "3.00")
    assert [line["paid"] for line in shown["lines"]] == [True, False, True]
    refused = shell.run("bill", "close", "B1", "--reason", "gone")
    assert "not known yet" in refused.stderr
    assert shell.run("verify").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("bill", "pay", "B9"), 1, "There is no bill 'B9'"),
        (("bill", "pay", "B1", "x"), 1, "'x' is not an amount"),
        (("bill", "pay", "B1", "--lines", "1;2"), 1, "names no lines"),
        (("bill", "pay", "B1", "--lines", "4"), 1, "no such line"),
        (("bill", "pay", "B1", "1", "--share", "2"), 2, "no two of them"),
        (("bill", "pay", "B1", "--cash", "--transfer"), 2, "not both"),
        (("bill", "open", "0"), 1, "zero is nothing to pay"),
        (("bill", "open", "5", "--line", "Tea"), 1, "is no line of a bill"),
        (("bill", "open", "5", "--line", "Tea=2"), 1, "not its total"),
        (("bill", "close", "B9", "--reason", "gone"), 1, "There is no bill 'B9'"),
    ],
)
def test_bad_input_is_named(one_bill: Shell, words: tuple[str, ...], code: int, why: str) -> None:
    result = one_bill.run(*words)
    assert (result.exit_code, why in result.stderr) == (code, True), result.output


def test_a_bill_is_closed_once(shell: Shell) -> None:
    assert shell.run("bill", "open", "5").exit_code == 0
    closed = shell.run("bill", "close", "B1", "--reason", "they left")
    assert (closed.exit_code, "was closed: they left" in closed.stdout) == (0, True)
    again = shell.run("bill", "close", "B1", "--reason", "they left")
    assert (again.exit_code, "is not open" in again.stderr) == (1, True)
    assert "no bill is open" in shell.run("bill", "show").stdout
