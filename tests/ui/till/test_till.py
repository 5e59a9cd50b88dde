"""The till's thread: what it tells, and in which order; one payment at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hardware_sim.acquirer_ledger import CaptureState
from terminal.bench import bench_of
from terminal.money import Amount, Currency
from terminal.ports import PrintLine
from terminal.progress import Authorising, CardRead, Presenting, Prompted
from terminal.transaction import MoneyTaken, State
from tests.ui.till.conftest import OpenTill
from ui.events import (
    Finished,
    PendingChanged,
    ReceiptDone,
    SaleChanged,
)
from ui.wiring import Parts, assembled, load_settings

SEEN_IN_ORDER = ["Presenting", "CardRead", "Authorising", "Finished", "ReceiptDone"]
LONG_S = 600.0
"""How long a card is waited for, where a test shows that something ends sooner."""


def present_s(seconds: float) -> Callable[[Parts], Parts]:
    return lambda parts: replace(parts, rules=replace(parts.rules, present_s=seconds))


def authorise_s(seconds: float) -> Callable[[Parts], Parts]:
    return lambda parts: replace(parts, rules=replace(parts.rules, authorise_s=seconds))


# -- the order of what is told -------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "state"), [("12.50", "APPROVED"), ("10.51", "DECLINED")])
def test_an_online_sale(open_till: OpenTill, amount: str, state: str) -> None:
    watcher = open_till()
    watcher.online()
    watcher.charge(amount)
    done = watcher.until(ReceiptDone)
    assert watcher.story() == SEEN_IN_ORDER
    [finished] = [event for event in watcher.seen if isinstance(event, Finished)]
    assert finished.transaction.state is State[state]
    assert watcher.parts.journal.transaction(done.txn_id) == finished.transaction
    assert done.ok
    assert Path(done.note).read_text(encoding="utf-8").count("•••• 0010") == 1
    [presenting] = [event for event in watcher.seen if isinstance(event, Presenting)]
    assert str(presenting.amount) == f"EUR {amount}"


def test_a_sale_without_a_line_is_stored_and_forwarded_when_it_is_back(
    open_till: OpenTill,
) -> None:
    watcher = open_till(start=False)
    watcher.acquirer.network_off()
    watcher.till.start()
    try:
        watcher.online(online=False)
        watcher.charge()
        sale = watcher.finished()
        assert (sale.state, sale.money_taken) == (State.STORED, MoneyTaken.NOT_YET)
        waiting = watcher.until(PendingChanged, lambda event: event.count == 1)
        assert str(waiting.total) == "EUR 12.50"
        watcher.until(ReceiptDone)
        # The line is known to be away, so nobody waits for the acquirer.
        assert watcher.story() == [name for name in SEEN_IN_ORDER if name != "Authorising"]

        watcher.acquirer.network_on()
        watcher.till.forward_now()
        moved = watcher.until(SaleChanged).transaction
        assert (moved.txn_id, moved.state) == (sale.txn_id, State.APPROVED)
        assert watcher.until(PendingChanged).count == 0
    finally:
        watcher.till.stop()
    assert [capture.state for capture in watcher.acquirer.captures()] == [CaptureState.CAPTURED]


def test_a_line_that_goes_during_the_sale(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    watcher.acquirer.network_off()
    watcher.charge()
    assert watcher.finished().state is State.STORED
    watcher.until(ReceiptDone)
    assert watcher.story() == SEEN_IN_ORDER


def test_a_lost_answer_is_told_as_unknown_and_reversed(open_till: OpenTill) -> None:
    watcher = open_till(change=authorise_s(1.0))
    watcher.online()
    watcher.acquirer.set(drop_after=1)
    watcher.charge()
    sale = watcher.finished()
    assert (sale.state, sale.money_taken) == (State.UNKNOWN, MoneyTaken.NOT_KNOWN)
    moved = watcher.until(SaleChanged).transaction
    assert (moved.txn_id, moved.state) == (sale.txn_id, State.REVERSED)
    assert watcher.story()[:4] == SEEN_IN_ORDER[:4]
    assert [capture.state for capture in watcher.acquirer.captures()] == [CaptureState.REVERSED]


def test_nobody_taps(open_till: OpenTill) -> None:
    watcher = open_till("sim:", change=present_s(0.3))
    watcher.charge()
    sale = watcher.finished()
    assert (sale.state, sale.reason) == (State.CANCELLED, "Nobody tapped in time.")
    assert watcher.story() == ["Presenting", "Finished"]
    [finished] = [event for event in watcher.seen if isinstance(event, Finished)]
    assert finished.receipt is None


def test_cancelling_ends_the_wait_long_before_its_time(open_till: OpenTill) -> None:
    watcher = open_till("sim:", change=present_s(LONG_S))
    watcher.charge()
    watcher.until(Presenting)
    watcher.till.cancel()
    # ``finished`` waits a tenth of LONG_S at most.
    sale = watcher.finished()
    assert (sale.state, sale.reason) == (State.CANCELLED, "Cancelled by the cashier.")
    # The wish to cancel ends with its sale.
    watcher.charge()
    watcher.until(Presenting)
    bench = bench_of(watcher.till._reader)  # type: ignore[arg-type]  # opened by the first sale
    assert bench is not None
    bench.tap("visa-credit")
    assert watcher.finished().state is State.APPROVED


def test_cancelling_after_the_card_was_read_changes_nothing(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    watcher.acquirer.set(latency_ms=300)
    watcher.charge()
    watcher.until(CardRead)
    watcher.till.cancel()
    assert watcher.finished().state is State.APPROVED


def test_what_a_crash_left_is_told_first(open_till: OpenTill, tmp_path: Path) -> None:
    with assembled(load_settings(data_dir=tmp_path / "till")) as parts:
        amount = Amount(1250, Currency.of("EUR"))
        parts.journal.open_sale(
            txn_id="sale_cut", amount=amount, at=parts.clock.now(), cashier="", training=False
        )
    watcher = open_till()
    moved = watcher.until(SaleChanged).transaction
    assert (moved.txn_id, moved.state) == ("sale_cut", State.INTERRUPTED)
    assert watcher.seen == [SaleChanged(moved)]
    assert watcher.until(PendingChanged).count == 0


# -- one payment at a time -----------------------------------------------------------------------


def test_two_quick_touches_make_one_sale(open_till: OpenTill) -> None:
    watcher = open_till("sim:", change=present_s(LONG_S))
    for _ in range(5):
        watcher.charge()
    watcher.until(Presenting)
    watcher.charge()
    watcher.till.cancel()
    watcher.finished()
    watcher.till.stop()
    watcher.rest()
    assert watcher.story() == ["Presenting", "Finished"]
    assert watcher.states() == [State.CANCELLED]


class SlowPaper:
    """A printer that is done when the test says so."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def print(self, title: str, lines: Sequence[PrintLine]) -> str:
        assert lines
        assert self.done.wait(60.0)
        return title


def test_a_sale_that_is_asked_for_while_paper_comes_out_is_made_once(open_till: OpenTill) -> None:
    paper = SlowPaper()
    watcher = open_till("sim:", change=lambda p: present_s(LONG_S)(replace(p, printer=paper)))
    watcher.charge()
    watcher.until(Presenting)
    bench = bench_of(watcher.till._reader)  # type: ignore[arg-type]  # it waits for a card
    assert bench is not None
    bench.tap("visa-credit")
    assert watcher.finished().state is State.APPROVED
    # The paper is still coming out; the next customer pays already.
    watcher.charge("1.00")
    watcher.charge("1.00")
    paper.done.set()
    watcher.until(ReceiptDone)
    watcher.until(Presenting)
    watcher.charge("1.00")
    watcher.till.cancel()
    watcher.finished()
    watcher.till.stop()
    assert [e for e in watcher.rest() if isinstance(e, Presenting | Finished)] == []
    assert watcher.states() == [State.APPROVED, State.CANCELLED]


# -- stopping ------------------------------------------------------------------------------------


def test_stopping_while_a_card_is_waited_for(open_till: OpenTill) -> None:
    watcher = open_till("sim:", change=present_s(LONG_S))
    watcher.charge()
    watcher.until(Presenting)
    watcher.till.stop()
    assert not watcher.till._thread.is_alive()
    watcher.rest()
    assert watcher.story() == ["Presenting", "Finished"]
    assert watcher.states() == [State.CANCELLED]


def test_stopping_while_the_acquirer_is_asked(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    watcher.acquirer.set(latency_ms=500)
    watcher.charge()
    watcher.until(Authorising)
    watcher.till.stop()
    watcher.rest()
    assert watcher.story() == SEEN_IN_ORDER
    assert watcher.states() == [State.APPROVED]


def test_a_till_that_was_never_started_can_be_stopped(open_till: OpenTill) -> None:
    watcher = open_till(start=False)
    watcher.till.stop()
    assert watcher.rest() == []


def test_a_prompt_is_told_between(open_till: OpenTill) -> None:
    watcher = open_till("sim:visa-phone")
    watcher.online()
    watcher.charge()
    assert watcher.until(Prompted).message.name == "SEE_PHONE"
    assert watcher.finished().state is State.APPROVED
