"""What a bench offers whoever draws it: switches, how much of each, and lines for a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.registry import AcquirerSettings, open_reader
from hardware_sim.acquirer import open_acquirer
from hardware_sim.acquirer_bench import AcquirerBench
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.bench_till import BenchTill, Slip
from hardware_sim.printer import SimulatedPrinter
from terminal.bench import Bench, bench_of
from terminal.errors import PrinterError, ReaderNotFound
from terminal.ports import SeveralCards


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BenchTill]:
    folder = tmp_path_factory.mktemp("bench")
    acquirer = open_acquirer("sim:", AcquirerSettings("TILL0001", "SHOP00000000001", folder))
    till = BenchTill(acquirer, acquirer.link(), AcquirerControl(acquirer.folder))
    yield till
    till.close()


def switch(bench: Bench, name: str) -> tuple[bool, str]:
    return next((each.on, each.value) for each in bench.switches() if each.id == name)


def test_every_command_can_be_the_one_before_which_a_card_leaves() -> None:
    bench = bench_of(open_reader("sim:"))
    assert bench is not None
    seen = [switch(bench, "early")[1]]
    while len(seen) == len(set(seen)):
        bench.step("early")
        seen.append(switch(bench, "early")[1])
    assert seen == [f"after {count}" for count in (2, 3, 4, 5, 6, 7, 0, 1, 2)]
    bench.step("two")
    assert switch(bench, "two") == (False, "")
    with pytest.raises(ReaderNotFound, match="no switch 'turbo'"):
        bench.step("turbo")


def test_two_cards_at_once_are_two_cards_whichever_is_tapped() -> None:
    reader = open_reader("sim:")
    bench = bench_of(reader)
    assert bench is not None
    bench.set_switch("two", True)
    bench.tap("visa-credit")
    found = reader.wait_for_card(timeout_s=10.0, cancelled=lambda: False)
    assert isinstance(found, SeveralCards)


def test_the_bank_misbehaves_as_much_as_is_chosen(till: BenchTill) -> None:
    bench = AcquirerBench(till.control.folder)
    assert isinstance(bench, Bench)
    bench.step("slow")
    assert switch(bench, "slow") == (False, "20 s")
    assert till.control.behaviour.latency_ms == 0
    bench.set_switch("slow", True)
    assert till.control.behaviour.latency_ms == 20_000
    bench.step("slow")
    assert switch(bench, "slow") == (True, "1 s")
    assert till.control.behaviour.latency_ms == 1000
    bench.set_switch("slow", False)
    bench.set_switch("lose-answers", True)
    assert till.control.behaviour.only == ("0200",)
    bench.set_switch("lose-answers", False)
    assert not till.control.behaviour.only
    assert not any(each.on for each in bench.switches())


def test_a_bank_that_has_forgotten_says_so_until_the_next_message(till: BenchTill) -> None:
    bench = AcquirerBench(till.control.folder)
    bench.log()
    bench.set_switch("forget", True)
    assert switch(bench, "forget") == (True, "")
    till.sell(Slip(stan=7))
    assert bench.log()[-1].startswith("✓ sale EUR 12.50")
    assert switch(bench, "forget") == (False, "")


def test_a_printer_without_paper_prints_nothing_and_says_so(tmp_path: Path) -> None:
    printer = SimulatedPrinter(tmp_path / "receipts")
    bench = printer.bench
    assert isinstance(bench, Bench)
    printer.print("one", [])
    bench.set_switch("paper", True)
    with pytest.raises(PrinterError, match="out of paper"):
        printer.print("two", [])
    bench.set_switch("paper", False)
    printer.print("three", [])
    assert bench.log() == ("✓ one", "! two: no paper", "✓ three")
    assert switch(bench, "paper") == (False, "")
