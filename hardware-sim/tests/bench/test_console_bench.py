"""The bench on a console, and cards that are made by answering questions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from drivers.registry import open_reader
from hardware_sim.acquirer_bench import AcquirerBench
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.catalogue import load_profile
from hardware_sim.cli import sim
from hardware_sim.cli_bench import Table
from hardware_sim.handles import ReaderHandle
from terminal.ports import Card, ForeignTag, SeveralCards, Unreadable

ROOT = Path(__file__).resolve().parents[3]
PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


def never() -> bool:
    return False


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def table(
    sim_reader: ReaderHandle, sim_acquirer: AcquirerControl, said: list[str], tmp_path: Path
) -> Table:
    return Table(sim_reader.stage, sim_acquirer, said.append, seed=0, receipts=tmp_path)


def test_a_card_is_held_until_the_reader_is_through_with_it(
    table: Table, sim_reader: ReaderHandle, said: list[str]
) -> None:
    reader = open_reader(sim_reader.url)

    def words() -> Iterator[str]:
        yield "tap visa-credit tear_after=2"
        card = reader.wait_for_card(timeout_s=10.0, cancelled=never)
        assert not isinstance(card, SeveralCards | ForeignTag | Unreadable)
        held: Card | None = card
        assert held is not None
        assert held.exchange(PPSE)[-2:] == b"\x90\x00"
        assert reader.wait_for_removal(timeout_s=10.0, cancelled=never)
        yield "quit"

    table.run(words())
    reader.close()
    assert said[0] == "    Visa credit is on the reader"
    assert any("SELECT: 9000 ok" in line for line in said)
    assert "    the card is taken away" in said


def test_the_words_of_the_bench(
    table: Table, sim_acquirer: AcquirerControl, said: list[str], tmp_path: Path
) -> None:
    table.run(
        [
            "tap gold\n",
            "tip visa-credit\n",
            "tap visa-credit tear=1\n",
            "tap 'visa\n",
            "network off\n",
            "acquirer drop_after=1\n",
            "forget\n",
            "books\n",
            "log\n",
            "paper\n",
            "paper out\n",
            "put visa-credit amex\n",
            "help\n",
        ]
    )
    text = "\n".join(said)
    for words in (
        "There is no simulated card 'gold'",
        "'tip' is no word of the bench",
        "'tear=1' is no fault of a card",
        "No closing quotation",
        "The way to the acquirer is off.",
        "drop_after=1",
        "has forgotten what it answered",
        # The acquirer may have served other tests before.
        *(AcquirerBench(sim_acquirer.folder).log() or ("No message has come.",)),
        "Paper is put in, or taken out.",
        "Paper is out.",
        "Visa credit and American Express are on the reader",
        "put CARD",
    ):
        assert words in text
    assert sim_acquirer.behaviour.refuse
    assert [each.name for each in tmp_path.iterdir()] == ["OUT-OF-PAPER"]


@contextmanager
def bench_process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "ui", "sim", "bench"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as bench:
        yield bench
        assert bench.stdin is not None
        bench.stdin.close()
        bench.wait(30)


def test_a_till_in_another_process_takes_a_payment_from_the_bench(tmp_path: Path) -> None:
    with bench_process() as bench:
        assert bench.stdout is not None
        assert bench.stdin is not None
        line = ""
        while "--reader" not in line:
            line = bench.stdout.readline()
        found = re.search(r"--reader '([^']+)' --acquirer '([^']+)'", line)
        assert found is not None
        bench.stdin.write("put mastercard-credit\n")
        bench.stdin.flush()
        sold = subprocess.run(
            [
                *(sys.executable, "-m", "ui", "sell", "12.50"),
                *("--reader", found[1], "--acquirer", found[2]),
            ],
            cwd=ROOT,
            env={**os.environ, "TAPTILL_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert sold.returncode == 0, sold.stderr
        assert "APPROVED" in sold.stdout
    assert bench.returncode == 0


def test_a_new_card_is_made_by_answering(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    answers = "mastercard-credit\nOur card\n\n\n\ndecline\nnone\nn\nno-expiry\n"
    result = CliRunner().invoke(sim, ["new", str(path)], input=answers)
    assert result.exit_code == 0, result.output
    profile = load_profile(str(path))
    assert profile.card.title == "Our card"
    assert profile.behaviour.decision == "decline"
    assert profile.application is not None
    assert profile.application.has_error("no-expiry")


@pytest.mark.parametrize(
    ("name", "answers", "message"),
    [
        ("mine.txt", "", "does not end in .toml"),
        ("there.toml", "", "exists already"),
        ("mine.toml", "\n\n\n4111111111111112\n\n\n\n\n\n", "the check digit is wrong"),
    ],
)
def test_a_wrong_answer_leaves_no_file(
    tmp_path: Path, name: str, answers: str, message: str
) -> None:
    (tmp_path / "there.toml").touch()
    result = CliRunner().invoke(sim, ["new", str(tmp_path / name)], input=answers)
    assert result.exit_code == 1
    assert message in result.output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["there.toml"]
