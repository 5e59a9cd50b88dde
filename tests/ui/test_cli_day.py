"""The merchant's day from the command line: refund, void, cash, report, export, insight."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ui.command_line import Shell

SETTINGS = """
[cash]
smallest_coin = "0.05"
[refunds]
limit = "10.00"
[transfer]
iban = "DE89 3704 0044 0532 0130 00"
"""


@pytest.fixture
def shell(tmp_path: Path, bank: Path) -> Shell:
    return Shell(tmp_path, bank, SETTINGS)


def test_a_day_from_its_first_sale_to_the_books(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("sell", "20.00", "--tip", "2.00", "--cashier", "Ada").exit_code == 0
    assert "REFUNDED" in shell.run("refund", "1", "5.00").stdout
    held = shell.run("refund", "1", "15.00", "--without-card")
    assert (held.exit_code, "A supervisor has to allow this" in held.stderr) == (1, True)
    allowed = shell.run("refund", "1", "15.00", "--without-card", "--approved-by", "Eva")
    assert allowed.exit_code == 0
    over = shell.run("refund", "1", "5.00")
    assert "EUR 2.00 can still be given back" in over.stderr
    assert shell.run("sell", "7.00").exit_code == 0
    assert "VOIDED" in shell.run("void", "4", "--reason", "wrong").stdout
    assert "Change: EUR 7.45" in shell.run("cash", "12.53", "20").stdout
    assert "REFUNDED" in shell.run("refund", "5", "2.53").stdout
    assert "No sale is called '99'" in shell.run("refund", "99").stderr
    page, figures = tmp_path / "z.pdf", tmp_path / "z.csv"
    closed = shell.run("report", "z", "--pdf", str(page), "--csv", str(figures), "--language", "es")
    assert closed.exit_code == 0, closed.stderr
    assert "El adquirente coincide al céntimo." in closed.stdout
    assert page.read_bytes().startswith(b"%PDF-")
    assert "total,all,2,34.53,22.53,12.00,EUR" in figures.read_text()
    year = json.loads(shell.run("report", "period", "2000-01-01", "2099-12-31", "--json").stdout)
    assert (year["net_minor"], year["tips"]["minor"]) == (1200, 200)
    assert shell.run("report", "period", "2099-01-01", "2000-01-01").exit_code == 1
    assert shell.run("report", "year").exit_code == 2
    books = shell.run("export", "ledger", "2000-01-01", "2099-12-31").stdout
    assert books.count("Assets:Cash") == 2
    rows = json.loads(shell.run("export", "json", "2000-01-01", "2099-12-31").stdout)
    assert [row["kind"] for row in rows] == ["sale", "refund", "refund", "sale", "sale", "refund"]
    told = json.loads(shell.run("insight", "2000-01-01", "2099-12-31", "--json").stdout)
    assert told["approved_by_scheme"] == [{"name": "Visa", "part": 2, "whole": 2}]


def test_the_drawer_is_counted_before_anybody_is_told(shell: Shell) -> None:
    assert "There is no ledger" in shell.run("drawer", "count", "1").stderr
    assert shell.run("drawer", "float", "100.00", "--by", "Ada").exit_code == 0
    assert shell.run("cash", "12.53", "20").exit_code == 0
    shell.run("drawer", "in", "20.00", "--reason", "coins", "--by", "Ada")
    shell.run("drawer", "out", "5.00", "--reason", "milk", "--by", "Ada")
    held = shell.run("drawer", "out", "60.00", "--reason", "bank")
    assert (held.exit_code, "A supervisor has to allow this" in held.stderr) == (1, True)
    assert (
        shell.run("drawer", "out", "60", "--reason", "bank", "--approved-by", "Eva").exit_code == 0
    )
    counted = shell.run("drawer", "count", "67.50", "--by", "Ben", "--json")
    told = json.loads(counted.stdout)
    assert (told["expected_minor"], told["difference_minor"]) == (6755, -5)
    assert "Difference       -0.05" in shell.run("drawer", "show").stdout
    for words, why in (
        (
            ("drawer", "out", "100", "--reason", "x", "--approved-by", "Eva"),
            "should hold EUR 67.55",
        ),
        (("drawer", "in", "1", "--reason", " "), "an amount and a reason"),
        (("drawer", "count", "1,00"), "is not an amount"),
    ):
        wrong = shell.run(*words)
        assert (wrong.exit_code, why in wrong.stderr) == (1, True), wrong.output
    x = json.loads(shell.run("report", "x", "--json").stdout)
    assert x["drawer"] == {
        "float_minor": 10_000,
        "taken_minor": 1255,
        "put_in_minor": 2000,
        "taken_out_minor": 6500,
        "expected_minor": 6755,
        "counted_minor": 6750,
        "difference_minor": -5,
    }


def test_a_transfer_by_code_is_paid_when_it_has_arrived(shell: Shell, tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    now = shell.run("transfer", "ask", "12.00", "--code", str(picture), "--wait", "0", "--json")
    told = json.loads(now.stdout)
    assert (now.exit_code, told["state"]) == (5, "awaited")
    assert told["code"].split("\n")[6:8] == ["DE89370400440532013000", "EUR12.00"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    reference = f"{shell.terminal_id}-000001-{told['transaction'][-6:].upper()}"
    assert f"Reference: {reference}" in now.stderr
    queued = " ".join(shell.run("queue").stdout.split())
    assert f"Nobody has seen the transfer {reference} arrive yet." in queued, queued
    assert "Transfers not confirmed (1)" in shell.run("report", "x").stdout
    assert shell.run("transfer", "check").exit_code == 5
    assert "APPROVED" in shell.run("transfer", "check", "1").stdout
    assert "No transfer is awaited" in shell.run("transfer", "check").stdout
    # One that never comes is seen by a person, or given up; sync asks about all.
    for _ in range(2):
        assert shell.run("sell", "12.51", "--then", "transfer").exit_code == 5
    assert "2 still pending" in shell.run("sync").stdout
    assert shell.run("transfer", "confirm", "3", "--by", "Eva").exit_code == 0
    assert shell.run("transfer", "drop", "5", "--by", "Eva").exit_code == 4
    for words, why in (
        (("transfer", "confirm", "3"), "is no transfer that is awaited: it is approved"),
        (("transfer", "ask", "12", "--currency", "USD"), "cannot be asked for by a SEPA code"),
        (("transfer", "ask", "1", "--wait", "0", "--code", "x.gif"), "neither .png nor .svg"),
    ):
        wrong = shell.run(*words)
        assert (wrong.exit_code, why in wrong.stderr) == (1, True), wrong.output
    shell.configure("")
    nobody = shell.run("transfer", "ask", "1")
    assert "does not know whom a transfer is to pay" in nobody.stderr
    shell.configure('[transfer]\niban = "DE00"\n')
    assert "iban = 'DE00' is not an IBAN" in shell.run("transfer", "ask", "1").stderr


def test_with_staff_a_refund_needs_the_pin_of_somebody_who_may(shell: Shell) -> None:
    assert shell.run("sell", "20.00").exit_code == 0
    made = shell.run("users", "add", "Eva", "--role", "merchant", typed="7391\n7391\n")
    assert made.exit_code == 0, made.output
    refused = shell.run("refund", "1", "1.00")
    assert "has to allow this" in refused.stderr
    wrong = shell.run("refund", "1", "1.00", "--approved-by", "Eva", typed="1111\n")
    assert (wrong.exit_code, "PIN is wrong" in wrong.stderr) == (1, True)
    right = shell.run("refund", "1", "1.00", "--approved-by", "Eva", typed="7391\n")
    assert right.exit_code == 0, right.output


def test_a_catalogue_is_taken_in_whole_or_not_at_all_and_sold_from(
    shell: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "items.csv"
    path.write_text("name,price,group,tax,barcode\nTea,1.80,drinks,10,4006381333931\n")
    assert "EUR 1.80" in shell.run("catalogue", str(path), "--by", "Eva").stdout
    path.write_text("name,price,tax\nTea,x,10\nMilk,1.00,101\n")
    refused = shell.run("catalogue", str(path))
    assert "line 2, column 2 (price)" in refused.stderr
    assert "line 3, column 3 (tax)" in refused.stderr
    path.write_bytes(b"name,price\nCaf\xe9,1.00\n")
    assert "not UTF-8 text (line 2, byte 14)" in shell.run("catalogue", str(path)).stderr
    assert "No such file" in shell.run("catalogue", str(tmp_path / "none.csv")).stderr
    assert json.loads(shell.run("catalogue", "--json").stdout)["items"][0]["name"] == "Tea"
    sold = shell.run("sell", "--item", "2xTea", "--item", "4006381333931", "--discount", "10")
    assert (sold.exit_code, "EUR 4.86" in sold.stdout) == (0, True), sold.output
    group = json.loads(shell.run("report", "x", "--json").stdout)["groups"][0]
    assert (group["name"], group["sold"]["minor"]) == ("drinks", 486)
    for words, code, why in (
        (("sell", "--item", "Beer"), 1, "'Beer' is no item of the catalogue"),
        (("sell", "--item", "Tea", "--discount", "x"), 1, "'x' is no percentage"),
        (("sell", "2.00", "--item", "Tea"), 2, "Give an AMOUNT or --item"),
        (("sell",), 2, "Missing argument 'AMOUNT', or --item"),
        (("bill", "open", "--item", "Tea", "--line", "A=1"), 2, "and not both"),
    ):
        wrong = shell.run(*words)
        assert (wrong.exit_code, why in wrong.stderr) == (code, True), wrong.output
    opened = shell.run("bill", "open", "--item", "2xTea")
    assert "2 x Tea" in opened.stdout
