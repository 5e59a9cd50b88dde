"""The outbox: who may send which message, when, and as which copy."""

from __future__ import annotations

import pytest

from offline_queue.outbox import LONGEST_WAIT_S, Outbox
from terminal.ledger import Kind, OutboxItem, Outgoing
from terminal.transaction import FateUnknown, HostApproved, Requeued, SetAside
from tests.offline_queue.sales import Till, reversal_of


@pytest.fixture
def outbox(till: Till) -> Outbox:
    return Outbox(till.store)


def claim(till: Till, outbox: Outbox, owner: str = "sync") -> OutboxItem | None:
    return outbox.claim(till.clock.now(), owner=owner, lease_s=30)


def reverse(till: Till) -> str:
    sale, request = till.ask()
    reversal = Outgoing(Kind.REVERSAL, reversal_of(request.message))
    event = FateUnknown(till.clock.now(), "no answer")
    till.journal.commit(sale.txn_id, event, done=request, queue=reversal)
    return sale.txn_id


def test_reversals_go_first_then_the_oldest_advice_and_never_a_sale_in_hand(
    till: Till, outbox: Outbox
) -> None:
    first, _ = till.store_sale()
    till.ask()
    second, _ = till.store_sale()
    undone = reverse(till)
    order = [claim(till, outbox) for _ in range(4)]
    assert [item.txn_id if item else None for item in order] == [
        undone,
        first.txn_id,
        second.txn_id,
        None,
    ]
    assert outbox.count() == 4


def test_a_claim_counts_the_send_on_the_disk_before_it_happens(till: Till, outbox: Outbox) -> None:
    till.store_sale()
    item = claim(till, outbox)
    assert item is not None
    assert item.attempts == 1
    # The process ends here, before or after the send: nobody can know, so it counts.
    till.reopen()
    till.journal.recover(reversal_of)
    again = claim(till, Outbox(till.store))
    assert again is not None
    assert (again.item_id, again.attempts, again.message) == (item.item_id, 2, item.message)


def test_a_claimed_message_is_nobody_elses_until_the_lease_ends(till: Till, outbox: Outbox) -> None:
    till.store_sale()
    assert claim(till, outbox, "one") is not None
    assert claim(till, outbox, "other") is None
    till.clock.advance(29.999)
    assert claim(till, outbox, "other") is None
    till.clock.advance(0.001)
    item = claim(till, outbox, "other")
    assert item is not None
    assert item.attempts == 2


def test_a_message_that_waits_holds_up_no_other(till: Till, outbox: Outbox) -> None:
    stuck, _ = till.store_sale()
    free, _ = till.store_sale()
    item = claim(till, outbox)
    assert item is not None
    assert item.txn_id == stuck.txn_id
    till.put_off(item, 60.0, "91 issuer unavailable")
    following = claim(till, outbox)
    assert following is not None
    assert following.txn_id == free.txn_id
    assert claim(till, outbox) is None
    assert outbox.seconds_to_next(till.clock.now()) == 30.0
    till.clock.advance(60)
    again = claim(till, outbox)
    assert again is not None
    assert (again.txn_id, again.attempts) == (stuck.txn_id, 2)


def test_what_never_left_counts_as_not_sent(till: Till, outbox: Outbox) -> None:
    till.store_sale()
    for _ in range(3):
        item = claim(till, outbox)
        assert item is not None
        assert item.attempts == 1
        till.give_back(item)


def test_a_send_that_was_counted_anew_is_not_uncounted_by_an_old_claim(
    till: Till, outbox: Outbox
) -> None:
    till.store_sale()
    old = claim(till, outbox)
    till.clock.advance(30)
    new = claim(till, outbox)
    assert old is not None
    assert new is not None
    till.give_back(old)
    till.clock.advance(30)
    third = claim(till, outbox)
    assert third is not None
    assert third.attempts == 3


def test_a_sale_set_aside_waits_for_a_person(till: Till, outbox: Outbox) -> None:
    sale, _ = till.store_sale()
    till.journal.commit(sale.txn_id, SetAside(till.clock.now(), "30", "format error"))
    assert claim(till, outbox) is None
    assert outbox.seconds_to_next(till.clock.now()) is None
    till.journal.commit(sale.txn_id, Requeued(till.clock.now()))
    item = claim(till, outbox)
    assert item is not None
    till.journal.commit(sale.txn_id, HostApproved(till.clock.now(), "00", "1", 1250), done=item)
    assert outbox.count() == 0


def test_a_clock_that_was_set_back_holds_nothing_up(till: Till, outbox: Outbox) -> None:
    till.store_sale()
    till.store_sale()
    waiting = claim(till, outbox)
    assert waiting is not None
    till.put_off(waiting, 60.0)
    assert claim(till, outbox) is not None
    till.clock.advance(-365 * 86400)
    assert outbox.seconds_to_next(till.clock.now()) == 0.0
    assert {claim(till, outbox) is not None for _ in range(2)} == {True}
    assert claim(till, outbox) is None


def test_how_long_until_the_next(till: Till, outbox: Outbox) -> None:
    now = till.clock.now()
    assert outbox.seconds_to_next(now) is None
    till.ask()
    assert outbox.seconds_to_next(now) is None
    till.store_sale()
    assert outbox.seconds_to_next(now) == 0.0
    item = claim(till, outbox)
    assert item is not None
    assert outbox.seconds_to_next(now) == 30.0
    till.put_off(item, 12.5)
    assert outbox.seconds_to_next(now) == 12.5
    assert outbox.make_due() == 1
    assert outbox.seconds_to_next(now) == 0.0
    assert outbox.make_due() == 0


def test_nothing_is_put_off_beyond_what_the_outbox_takes_for_real(
    till: Till, outbox: Outbox
) -> None:
    for lease_s in (-1.0, LONGEST_WAIT_S + 1):
        with pytest.raises(AssertionError, match="longer than"):
            outbox.claim(till.clock.now(), owner="sync", lease_s=lease_s)


def test_the_number_of_a_message_is_never_given_again_whatever_sqlite_has_noted(till: Till) -> None:
    """SQLite's note of the last number has no MAC, so nothing may go by it."""
    given = set()
    for forgotten in ("UPDATE sqlite_sequence SET seq = 0", "DELETE FROM sqlite_sequence"):
        sale, item = till.store_sale()
        given.add(item.item_id)
        done = HostApproved(till.clock.now(), "00", "A1B2C3", sale.amount.minor)
        till.journal.commit(sale.txn_id, done, done=item)
        with till.store.write() as connection:
            connection.execute(forgotten)
        _, again = till.store_sale()
        assert again.item_id not in given
        given.add(again.item_id)
    assert len(given) == 4
