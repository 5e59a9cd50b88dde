"""What waits and what was taken, as the screen and the end of the day show it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from offline_queue.outbox import Outbox
from offline_queue.reports import Reports, TotalsRow
from terminal.errors import AmountError, StoreError
from terminal.ledger import Kind, Outgoing
from terminal.money import Amount
from terminal.transaction import (
    FINAL,
    Cancelled,
    CardDeclined,
    FateUnknown,
    HostApproved,
    HostDeclined,
    SetAside,
    State,
)
from tests.offline_queue.sales import EUR, JPY, START, Till


def one_sale_in_each_open_state(till: Till) -> None:
    till.intend(1)
    till.clock.advance(1)
    till.ask(20)
    till.store_sale(300)
    unknown, request = till.ask(4000)
    reversal = Outgoing(Kind.REVERSAL, b"0420")
    event = FateUnknown(till.clock.now(), "no answer")
    till.journal.commit(unknown.txn_id, event, done=request, queue=reversal)
    aside, _ = till.store_sale(50000)
    till.journal.commit(aside.txn_id, SetAside(till.clock.now(), "30", "format error"))


def test_the_pending_total_is_the_sum_over_every_state_that_is_not_final(till: Till) -> None:
    one_sale_in_each_open_state(till)
    till.store_sale(7, JPY)
    done, item = till.store_sale(600000)
    till.journal.commit(done.txn_id, HostApproved(till.clock.now(), "00", "1", 600000), done=item)
    reports = Reports(till.store)
    pending = reports.pending()
    assert pending.count == 6
    assert pending.totals == {EUR: 54321, JPY: 7}
    assert pending.total(EUR) == Amount(54321, EUR)
    assert pending.oldest_at == START
    states = {row.transaction.state for row in reports.queue()}
    # A void and a transfer begin at a person's wish, which other tests have.
    assert states == set(State) - FINAL - {State.VOIDING, State.AWAITED}


def test_nothing_pending_is_zero_and_not_nothing(till: Till) -> None:
    pending = Reports(till.store).pending()
    assert (pending.count, dict(pending.totals), pending.oldest_at) == (0, {}, None)
    assert pending.total(EUR) == Amount(0, EUR)


def test_a_sum_that_no_amount_holds_is_told(till: Till) -> None:
    for _ in range(2):
        till.store_sale(999_999_999_999)
    pending = Reports(till.store).pending()
    assert pending.totals == {EUR: 2 * 999_999_999_999}
    with pytest.raises(AmountError):
        pending.total(EUR)


def test_the_queue_says_what_waits_why_and_until_when(till: Till) -> None:
    one_sale_in_each_open_state(till)
    outbox = Outbox(till.store)
    reversal = outbox.claim(till.clock.now(), owner="sync", lease_s=30)
    assert reversal is not None
    later = till.clock.now() + timedelta(seconds=8)
    till.put_off(reversal, 8.0, "91 issuer unavailable")
    table = [
        (row.transaction.txn_id, row.kind, row.attempts, row.next_try, row.reason)
        for row in Reports(till.store).queue()
    ]
    assert table == [
        ("txn-4", Kind.REVERSAL, 1, later, "91 issuer unavailable"),
        ("txn-2", Kind.SALE, 0, None, ""),
        ("txn-3", Kind.ADVICE, 0, None, "no network"),
        ("txn-5", Kind.ADVICE, 0, None, "format error"),
        ("txn-1", None, 0, None, ""),
    ]


def test_a_batch_is_added_up_and_closed_when_nothing_waits(till: Till) -> None:
    now = till.clock.now()
    for minor in (1000, 250):
        sale, item = till.ask(minor)
        till.journal.commit(sale.txn_id, HostApproved(now, "00", "1", minor), done=item)
    sale, item = till.ask(900)
    till.journal.commit(sale.txn_id, HostApproved(now, "10", "2", 400), done=item)
    sale, item = till.ask(77)
    till.journal.commit(sale.txn_id, HostDeclined(now, "51", "no funds"), done=item)
    till.journal.commit(till.intend().txn_id, Cancelled(now, "by the cashier"))
    till.journal.commit(till.intend().txn_id, CardDeclined(now, "expired"))
    reports = Reports(till.store)
    assert reports.open_batch() == 1
    assert reports.totals(1) == [
        TotalsRow(EUR, "Visa", State.APPROVED, 3, 2150, 1650),
        TotalsRow(EUR, "Visa", State.DECLINED, 1, 77, 0),
    ]

    waiting, item = till.store_sale(5)
    with pytest.raises(StoreError, match="1 of its sales"):
        till.freeze()
    assert reports.open_batch() == 1
    till.journal.commit(waiting.txn_id, HostApproved(now, "00", "3", 5), done=item)
    assert till.freeze() == 1
    assert reports.open_batch() == 2
    assert [(batch.number, batch.closed_at is None) for batch in reports.batches()] == [
        (2, True),
        (1, False),
    ]
    sale, _ = till.ask()
    assert sale.batch == 2
    assert till.store.verify() == 8


def test_sales_are_listed_newest_first(till: Till) -> None:
    for minor in (1, 2, 3):
        till.ask(minor)
    till.intend(4)
    reports = Reports(till.store)
    assert [sale.amount.minor for sale in reports.transactions(limit=2)] == [4, 3]
    assert [sale.amount.minor for sale in reports.transactions(batch=1)] == [3, 2, 1]
    assert reports.transactions(batch=2) == []


def test_training_sales_are_listed_and_never_added_up(till: Till) -> None:
    sale = till.journal.open_sale(
        txn_id="t", amount=Amount(5, EUR), at=till.clock.now(), cashier="", training=True
    )
    till.journal.enqueue(sale.txn_id, till.stored)
    reports = Reports(till.store)
    assert reports.pending().count == 0
    assert reports.totals(1) == []
    assert [row.training for row in reports.transactions()] == [True]
    assert len(reports.queue()) == 1
