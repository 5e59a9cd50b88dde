"""``taptill reset``: the ledger is put aside, and another goes on where it ended."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from offline_queue import ownership
from offline_queue.schema import sync_path
from terminal.checkout import pay
from terminal.money import Amount
from terminal.terms import Terms, TransactionKind
from terminal.transaction import State
from tests.ui.command_line import Shell
from ui.attended import at_till
from ui.wiring import load_settings

SETTINGS = """
[transfer]
iban = "DE89 3704 0044 0532 0130 00"
"""


@pytest.fixture
def shell(tmp_path: Path, bank: Path) -> Shell:
    return Shell(tmp_path, bank, SETTINGS)


def test_a_till_whose_ledger_is_put_aside_goes_on_with_its_numbers(shell: Shell) -> None:
    assert shell.run("sell", "7.00").exit_code == 0
    opened = json.loads(shell.run("bill", "open", "9.00", "--json").stdout)["bill"]
    assert shell.run("bill", "close", opened, "--reason", "they left").exit_code == 0
    ask = ("transfer", "ask", "12.00", "--wait", "0", "--json")
    first = shell.run(*ask)
    assert (first.exit_code, shell.run("transfer", "check").exit_code) == (5, 5)
    assert shell.run("transfer", "check").exit_code == 0
    receipts = sorted(path.name for path in (shell.folder / "till").glob("receipts/*.txt"))
    kept = {name: (shell.folder / "till" / "receipts" / name).read_bytes() for name in receipts}
    assert shell.run("report", "z").exit_code == 0
    for _ in range(2):
        assert shell.run("reset").exit_code == 0
    again = shell.run(*ask)
    assert [json.loads(each.stdout)["number"] for each in (first, again)] == [2, 3]
    # The money that came before reset pays nothing that is sold after it.
    checked = shell.run("transfer", "check")
    assert (checked.exit_code, "has not arrived yet" in checked.stdout) == (5, True), checked.output
    assert shell.run("sell", "3.00").exit_code == 0
    assert {
        name: (shell.folder / "till" / "receipts" / name).read_bytes() for name in receipts
    } == kept
    assert json.loads(shell.run("bill", "open", "4.00", "--json").stdout)["bill"] == "B2"
    assert shell.run("verify").exit_code == 0


def test_people_and_what_is_sold_go_on(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("sell", "20.00").exit_code == 0
    items = tmp_path / "items.csv"
    items.write_text("name,price\nTea,2.50\n")
    assert shell.run("catalogue", str(items)).exit_code == 0
    assert (
        shell.run("users", "add", "Eva", "--role", "merchant", typed="7391\n7391\n").exit_code == 0
    )
    added = shell.run(
        *("users", "add", "Ben", "--role", "cashier", "--by", "Eva"), typed="7391\n2846\n2846\n"
    )
    assert added.exit_code == 0, added.output
    for words, typed, why in (
        (("reset",), None, "Somebody who may put the ledger aside"),
        (("reset", "--by", "Ben"), "2846\n", "may not put the ledger aside"),
        (("reset", "--by", "Eva"), "0000\n", "PIN"),
        (("queue", "export", "x", "--to", "T2", "--cashier", "Ben"), "2846\n", "may not hand the"),
        (("queue", "retry", "1", "--cashier", "Ben"), "2846\n", "may not send a set-aside sale"),
    ):
        refused = shell.run(*words, typed=typed)
        assert (refused.exit_code, why in refused.stderr) == (1, True), refused.output
    assert shell.run("report", "z", "--by", "Eva", typed="7391\n").exit_code == 0
    done = shell.run("reset", "--by", "Eva", typed="7391\n")
    assert done.exit_code == 0, done.output
    assert "Tea" in shell.run("catalogue").stdout
    reduced = ("sell", "--item", "Tea", "--discount", "10", "--cashier")
    alone = shell.run(*reduced, "Ben", typed="2846\n")
    assert (alone.exit_code, "may not take something off" in alone.stderr) == (1, True)
    assert shell.run(*reduced, "Eva", typed="7391\n").exit_code == 0
    assert "Ben" in shell.run("users", "list").stdout
    assert shell.run("sell", "3.00").exit_code == 0
    assert "Somebody who may refund" in shell.run("refund", "3").stderr
    assert "Eva" in shell.run("users", "log").stdout
    assert shell.run("verify").exit_code == 0


def test_a_bill_that_is_due_keeps_the_ledger_in_its_place(shell: Shell) -> None:
    assert shell.run("bill", "open", "9.00").exit_code == 0
    refused = shell.run("reset")
    assert (refused.exit_code, "Something is due of bills: B1" in refused.stderr) == (1, True)
    assert shell.run("bill", "close", "B1", "--reason", "left").exit_code == 0
    assert shell.run("reset").exit_code == 0


def test_the_old_file_is_found_out_where_the_device_counts(shell: Shell) -> None:
    shell.configure('key_store = "sim"\n')
    assert shell.run("sell", "20.00").exit_code == 0
    assert shell.run("report", "z").exit_code == 0
    kept = Path(json.loads(shell.run("reset", "--json").stdout)["kept_in"])
    assert shell.run("sell", "3.00").exit_code == 0
    assert shell.run("verify").exit_code == 0
    ledger = shell.folder / "till" / "ledger.db"
    shutil.copy(kept / "ledger.db", ledger)
    found = shell.run("sell", "4.00")
    assert (found.exit_code, "not as this till left it" in found.stderr) == (1, True), found.output


def test_an_amount_that_is_held_keeps_the_ledger_in_its_place(shell: Shell) -> None:
    settings = load_settings(
        config_file=shell.config,
        data_dir=shell.folder / "till",
        reader="sim:visa-credit",
        acquirer=f"sim:?dir={shell.acquirer}",
    )
    with at_till(settings) as till:
        amount = Amount(5000, settings.config.till.currency)
        terms = Terms(kind=TransactionKind.HOLD)
        held = pay(till.reading(), till.parts.rules, amount, terms=terms)
    assert held.state is State.HELD
    assert shell.run("report", "z").exit_code == 0
    refused = shell.run("reset")
    assert (refused.exit_code, "held for somebody, under the numbers 1." in refused.stderr) == (
        1,
        True,
    ), refused.output
    assert shell.run("void", "1").exit_code == 0
    assert shell.run("reset").exit_code == 0, shell.run("reset").output


def test_a_day_that_is_open_keeps_the_ledger_in_its_place(shell: Shell) -> None:
    assert shell.run("cash", "20.00", "20.00").exit_code == 0
    refused = shell.run("reset")
    assert (refused.exit_code, "Batch 1 has sales and is not closed" in refused.stderr) == (1, True)
    assert "taptill report z" in refused.stderr
    assert shell.run("report", "z").exit_code == 0
    assert shell.run("reset").exit_code == 0
    assert json.loads(shell.run("sell", "3.00", "--json").stdout)["batch"] == 3


class Cut(BaseException):
    """The power goes."""


@pytest.mark.parametrize("at", range(1, 9))
def test_whatever_cuts_it_off_the_same_command_ends_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    shell.configure('key_store = "sim"\n')
    assert shell.run("sell", "20.00").exit_code == 0
    assert shell.run("report", "z").exit_code == 0
    ledger = shell.folder / "till" / "ledger.db"
    left = at

    def cutting(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Cut
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", cutting(Path.rename))
        patch.setattr("offline_queue.starting_over.sync_path", cutting(sync_path))
        patch.setattr(shutil, "rmtree", cutting(shutil.rmtree))
        patch.setattr(Path, "mkdir", cutting(Path.mkdir))
        with pytest.raises(Cut):
            shell.run("reset")
    moved = not ledger.exists()
    if moved:
        said = shell.run("sell", "3.00")
        assert "taptill reset once more" in said.stderr
        assert said.exit_code == 1
    finished = shell.run("reset")
    assert finished.exit_code == 0, finished.output
    assert not ownership.prepared(ledger).parent.exists()
    sold = shell.run("sell", "3.00", "--json")
    assert json.loads(sold.stdout)["number"] == 2
    assert list(shell.folder.glob("till/ledger-until-*/ledger.db"))
    assert shell.run("verify").exit_code == 0
