"""The end of the day as the touchscreen asks for it: closed here, and settled with the acquirer."""

from __future__ import annotations

from offline_queue.bills import NewBill
from offline_queue.closings import Closings
from terminal.bill import PartWish
from terminal.money import Amount
from terminal.terms import Tender, Terms, TransactionKind
from terminal.transaction import MoneyTaken, State
from tests.ui.till.conftest import OpenTill
from tests.ui.till.test_counter import eur, with_iban
from tests.ui.till.watcher import Watcher
from ui.counter_questions import BillOpening, BillShown, DrawerBegun, PartWanted, TenderWanted
from ui.events import SaleChanged
from ui.questions import (
    UNSETTLED,
    DayClosed,
    DayHeld,
    DayShown,
    DayWanted,
    HoldsShown,
    HoldsWanted,
    HoldTaken,
)


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


def test_what_waits_keeps_a_day_open_until_it_is_carried_over(open_till: OpenTill) -> None:
    watcher = open_till(start=False)
    watcher.acquirer.network_off()
    watcher.till.start()
    try:
        watcher.online(online=False)
        watcher.charge("12.50")
        stored = watcher.finished()
        watcher.till.ask(DayClosed())
        held = watcher.until(DayHeld)
        assert [sale.txn_id for sale in held.waiting] == [stored.txn_id]
        assert _closings(watcher).unsettled() == []
        # Carried over, it belongs to the next day, and the day it was taken from is closed.
        watcher.till.ask(DayClosed("Eva", carry=True))
        shown = watcher.until(DayShown)
        # The bank is to hear what was carried over, and it is still away.
        assert (shown.closed, shown.settlement) == (True, UNSETTLED)
        assert [sale.txn_id for sale in shown.carried] == [stored.txn_id]
        assert watcher.parts.journal.transaction(stored.txn_id).batch == shown.report.batch + 1
    finally:
        watcher.till.stop()


def test_what_waits_is_sent_before_the_day_is_closed(open_till: OpenTill) -> None:
    watcher = open_till(start=False)
    watcher.acquirer.network_off()
    watcher.till.start()
    try:
        watcher.online(online=False)
        watcher.charge("12.50")
        stored = watcher.finished()
        watcher.acquirer.network_on()
        watcher.till.ask(DayClosed())
        shown = watcher.until(DayShown)
        assert (shown.closed, shown.settlement, shown.carried) == (True, "balanced", ())
        assert watcher.parts.journal.transaction(stored.txn_id).batch == shown.report.batch
    finally:
        watcher.till.stop()


def test_cash_is_counted_with_the_day_and_needs_no_reader(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    euro = watcher.parts.settings.config.till.currency
    paid = TenderWanted(Amount(1250, euro), Tender.CASH, tendered=Amount(2000, euro), cashier="Ana")
    watcher.till.ask(paid)
    sale = watcher.finished()
    assert (sale.state, sale.tendered_minor, sale.cashier) == (State.APPROVED, 2000, "Ana")
    watcher.till.ask(DayWanted())
    shown = watcher.until(DayShown)
    assert shown.cash is not None
    assert shown.cash.minor == 1250


def test_a_hold_is_listed_and_taken_in_part(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    euro = watcher.parts.settings.config.till.currency
    watcher.till.charge(Amount(5000, euro), "Ana", Terms(kind=TransactionKind.HOLD))
    hold = watcher.finished()
    assert (hold.state, hold.money_taken) == (State.HELD, MoneyTaken.NO)
    watcher.till.ask(HoldsWanted())
    assert [each.txn_id for each in watcher.until(HoldsShown).holds] == [hold.txn_id]
    watcher.till.ask(HoldTaken(hold.txn_id, Amount(4200, euro), "Ana"))
    assert watcher.finished().state is State.STORED
    watcher.until(SaleChanged, lambda event: event.transaction.state is State.APPROVED)
    assert watcher.parts.journal.transaction(hold.txn_id).approved_minor == 4200
    watcher.till.ask(HoldsWanted())
    assert watcher.until(HoldsShown).holds == ()


def test_the_day_says_what_is_still_to_be_paid_and_how_the_drawer_stands(
    open_till: OpenTill,
) -> None:
    watcher = open_till(change=with_iban)
    watcher.online()
    ask = watcher.till.ask
    ask(DayWanted())
    plain = watcher.until(DayShown)
    assert (plain.bills, plain.awaited, plain.drawer) == ((), (), None)
    ask(DrawerBegun(eur(10_000), "Ana"))
    ask(BillOpening(NewBill(eur(2000), label="Table 7")))
    watcher.until(BillShown)
    # Half of the table by a transfer that nobody has seen: it is in doubt, and not due.
    ask(PartWanted("B1", PartWish(eur(1000), Tender.TRANSFER)))
    awaited = watcher.finished()
    ask(TenderWanted(eur(500), Tender.CASH))
    watcher.finished()
    ask(DayWanted())
    shown = watcher.until(DayShown)
    assert [(each.bill.label, each.due.minor) for each in shown.bills] == [("Table 7", 1000)]
    assert [each.txn_id for each in shown.awaited] == [awaited.txn_id]
    assert shown.drawer is not None
    assert shown.drawer.expected_minor == 10_500
    # The end of the day says the same; what is due is not of a batch.
    ask(DayClosed(carry=True))
    closed = watcher.until(DayShown)
    assert (closed.closed, len(closed.bills), closed.drawer) == (True, 1, shown.drawer)
