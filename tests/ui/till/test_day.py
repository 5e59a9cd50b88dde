"""The end of the day as the touchscreen asks for it: closed here, and settled with the acquirer."""

from __future__ import annotations

from offline_queue.closings import Closings
from tests.ui.till.conftest import OpenTill
from tests.ui.till.watcher import Watcher
from ui.questions import UNSETTLED, DayClosed, DayShown, Unanswered


def _closings(watcher: Watcher) -> Closings:
    return Closings(watcher.parts.journal.store, watcher.parts.clock)


def _asked(watcher: Watcher) -> int:
    """How often the acquirer was asked to settle."""
    return [entry.mti for entry in watcher.acquirer.ledger()].count("0500")


def test_a_closed_day_is_settled_with_the_acquirer(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    watcher.charge("12.50")
    watcher.finished()
    watcher.till.ask(DayClosed("Eva"))
    shown = watcher.until(DayShown)
    batch = shown.report.batch
    assert (shown.closed, shown.settlement) == (True, "balanced")
    assert str(shown.report.approved) == "EUR 12.50"
    closing = _closings(watcher).closing(batch)
    assert closing.frozen is not None
    assert closing.frozen.by == "Eva"
    assert closing.settled is not None
    assert closing.settled.outcome == "balanced"
    assert _asked(watcher) == 1
    # The next day has a batch of its own.
    watcher.charge("3.00")
    assert watcher.finished().batch == batch + 1


def test_a_bank_that_is_away_is_asked_again_and_no_second_day_is_closed(
    open_till: OpenTill,
) -> None:
    watcher = open_till()
    watcher.online()
    watcher.charge("12.50")
    watcher.finished()
    watcher.acquirer.network_off()
    watcher.till.ask(DayClosed())
    away = watcher.until(DayShown)
    assert (away.closed, away.settlement) == (True, UNSETTLED)
    assert _closings(watcher).unsettled() == [away.report.batch]
    watcher.acquirer.network_on()
    watcher.till.ask(DayClosed())
    back = watcher.until(DayShown)
    assert (back.report.batch, back.settlement) == (away.report.batch, "balanced")
    assert _closings(watcher).unsettled() == []


def test_sales_that_the_bank_has_otherwise_are_said(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    watcher.charge("12.50")
    watcher.finished()
    watcher.acquirer.tamper("extra")
    watcher.till.ask(DayClosed())
    assert watcher.until(DayShown).settlement == "differs"


def test_a_day_with_a_sale_that_waits_stays_open(open_till: OpenTill) -> None:
    watcher = open_till(start=False)
    watcher.acquirer.network_off()
    watcher.till.start()
    try:
        watcher.online(online=False)
        watcher.charge("12.50")
        watcher.finished()
        watcher.till.ask(DayClosed())
        assert watcher.until(Unanswered).message.startswith("1 sales have no final answer")
        assert _closings(watcher).unsettled() == []
    finally:
        watcher.till.stop()
