"""The till for learners: amounts decide, everything is marked, and nothing reaches a bank."""

from __future__ import annotations

import queue
from datetime import UTC, datetime

import pytest

from terminal.emv.outcome import MessageId
from terminal.money import Amount, Currency
from terminal.terms import Tender, Terms, TransactionKind
from terminal.transaction import MoneyTaken, State, Transaction
from ui.counter_questions import TenderWanted
from ui.events import Finished, NetworkChanged, PendingChanged, Presenting, Prompted, TillEvent
from ui.presenter.verdict import Verdict, verdict_of
from ui.questions import (
    CopyWanted,
    DayClosed,
    DayShown,
    DayWanted,
    Done,
    HistoryShown,
    HistoryWanted,
    HoldsShown,
    HoldsWanted,
    QueueShown,
    QueueWanted,
    RefundWanted,
    SaleShown,
    SaleWanted,
    Unanswered,
)
from ui.training import DECLINED, TrainingTill

EUR = Currency.of("EUR")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def till() -> TrainingTill:
    return TrainingTill(lambda: NOW, Amount(500_00, EUR))


def told(till: TrainingTill) -> list[TillEvent]:
    """Everything that the till has said since it was last asked."""
    events: list[TillEvent] = []
    while True:
        try:
            events.append(till.events.get_nowait())
        except queue.Empty:
            return events


def practised(till: TrainingTill, minor: int, card: str = "card") -> Transaction:
    till.charge(Amount(minor, EUR), "Ana")
    till.tap(card)
    [ended] = [event for event in told(till) if isinstance(event, Finished)]
    return ended.transaction


@pytest.mark.parametrize(
    ("minor", "verdict", "approved"),
    [
        (12_50, Verdict.APPROVED, 12_50),
        (10_10, Verdict.PARTLY_APPROVED, 6_06),
        (10_68, Verdict.UNKNOWN, 0),
        (10_91, Verdict.STORED, 0),
        *((1000 + cents, Verdict.DECLINED, 0) for cents in sorted(DECLINED)),
    ],
)
def test_the_last_two_digits_decide(
    till: TrainingTill, minor: int, verdict: Verdict, approved: int
) -> None:
    sale = practised(till, minor)
    assert (verdict_of(sale), sale.approved_minor) == (verdict, approved)
    assert (sale.training, sale.cashier) == (True, "Ana")
    if verdict is Verdict.DECLINED:
        assert sale.response_code == f"{minor % 100:02d}"


def test_a_phone_asks_its_owner_first_and_two_cards_are_too_many(till: TrainingTill) -> None:
    till.charge(Amount(500, EUR))
    till.tap("two")
    till.tap("phone")
    messages = [event.message for event in told(till) if isinstance(event, Prompted)]
    assert messages == [MessageId.ONE_CARD_ONLY, MessageId.SEE_PHONE]
    till.tap("phone")
    [ended] = [event for event in told(till) if isinstance(event, Finished)]
    assert ended.transaction.card is not None
    assert (ended.transaction.state, ended.transaction.card.device) == (State.APPROVED, "phone")


def test_a_second_charge_and_a_tap_without_one_do_nothing(till: TrainingTill) -> None:
    till.tap("card")
    assert told(till) == []
    till.charge(Amount(500, EUR))
    till.charge(Amount(700, EUR))
    assert [e.amount.minor for e in told(till) if isinstance(e, Presenting)] == [500]
    till.cancel()
    till.cancel()
    [ended] = [event for event in told(till) if isinstance(event, Finished)]
    assert ended.transaction.state is State.CANCELLED


def test_what_waits_is_sent_when_somebody_asks_for_it(till: TrainingTill) -> None:
    practised(till, 10_91)
    practised(till, 20_68)
    till.ask(QueueWanted())
    [shown] = [event for event in told(till) if isinstance(event, QueueShown)]
    assert (len(shown.waiting), shown.total.minor) == (2, 31_59)
    till.forward_now()
    events = told(till)
    assert NetworkChanged(online=True) in events
    assert [e.count for e in events if isinstance(e, PendingChanged)] == [0]
    assert [sale.state for sale in till.book] == [State.APPROVED, State.REVERSED]


def test_a_tip_is_practised_as_it_is_sold(till: TrainingTill) -> None:
    till.charge(Amount(2200, EUR), "Ana", Terms(tip_minor=200))
    till.tap("card")
    assert till.book[-1].terms.tip_minor == 200


def test_holds_and_cash_are_practised_too(till: TrainingTill) -> None:
    till.charge(Amount(5000, EUR), "Ana", Terms(kind=TransactionKind.HOLD))
    till.tap("card")
    hold = till.book[-1]
    assert (hold.state, hold.money_taken) == (State.HELD, MoneyTaken.NO)
    till.ask(HoldsWanted())
    assert HoldsShown((hold,)) in told(till)
    cash = TenderWanted(Amount(1250, EUR), Tender.CASH, tendered=Amount(2000, EUR), cashier="Ana")
    till.ask(cash)
    [ended] = [event for event in told(till) if isinstance(event, Finished)]
    paid = ended.transaction
    assert (paid.state, paid.tendered_minor - paid.cash_minor) == (State.APPROVED, 750)


def test_the_book_answers_as_the_real_one_does(till: TrainingTill) -> None:
    first, second = practised(till, 12_50), practised(till, 10_51)
    till.ask(HistoryWanted())
    till.ask(HistoryWanted("1250"))
    every, found = [e for e in told(till) if isinstance(e, HistoryShown)]
    assert [row.txn_id for row in every.found] == [second.txn_id, first.txn_id]
    assert [row.txn_id for row in found.found] == [first.txn_id]
    assert all(row.training for row in every.found)
    till.ask(SaleWanted(first.txn_id))
    [shown] = [event for event in told(till) if isinstance(event, SaleShown)]
    assert "TRAINING" in shown.receipt
    till.ask(DayWanted())
    till.ask(DayClosed())
    before, closed = [e for e in told(till) if isinstance(e, DayShown)]
    assert (before.closed, closed.closed) == (False, True)
    assert before.report.approved.minor == 12_50
    till.ask(CopyWanted(first.txn_id))
    assert [e.where for e in told(till) if isinstance(e, Done)] == ["TRAINING"]
    for question in (SaleWanted("nothing"), RefundWanted(first.txn_id)):
        till.ask(question)
        assert isinstance(told(till)[0], Unanswered)
