"""What the ledger knows for the limits: per card and account, by age and clock; it survives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from offline_queue.clockwork import TOLERANCE
from offline_queue.outbox import Outbox
from offline_queue.plan import Hold, Later, NotSent, Record
from terminal.ledger import Declined, Exposure, Numbers, Outgoing
from terminal.money import Amount
from terminal.transaction import (
    CardSummary,
    HostApproved,
    HostDeclined,
    State,
    StoredOffline,
)
from tests.offline_queue.sales import CARD, EUR, Till

PHONE = replace(CARD, fingerprint="f0" * 16, par_fingerprint="aa" * 16)
PLASTIC = replace(CARD, fingerprint="f1" * 16, par_fingerprint="aa" * 16)


def store(till: Till, card: CardSummary, minor: int, *, by_card: bool = False) -> str:
    def compose(numbers: Numbers) -> tuple[StoredOffline, Outgoing]:
        event, outgoing = till.stored(numbers)
        return replace(event, card=card, card_approved=by_card), outgoing

    sale, _ = till.journal.enqueue(till.intend(minor).txn_id, compose)
    return sale.txn_id


def test_sales_are_counted_by_card_account_and_kind_and_survive_a_restart(till: Till) -> None:
    start = till.clock.now()
    store(till, PHONE, 500)
    till.clock.advance(60)
    store(till, PLASTIC, 700, by_card=True)
    store(till, CARD, 1100)
    till.reopen()
    known = Exposure(3, 2300, 2, 1200, approved_count=1, approved_minor=700, oldest_at=start)
    assert till.journal.exposure(EUR, PHONE) == known
    assert till.journal.exposure(EUR, PLASTIC) == known
    assert till.journal.exposure(EUR, CARD) == replace(known, card_count=1, card_minor=1100)
    assert till.journal.exposure(EUR) == replace(known, card_count=0, card_minor=0)


def test_only_an_answer_of_the_host_lowers_a_count(till: Till) -> None:
    for minor in (500, 700):
        store(till, CARD, minor)
    outbox = Outbox(till.store)
    # The line flaps: nothing leaves, something leaves and is not answered.
    for step in (NotSent("no route"), Later(1.0, "no answer"), Hold("unreadable")):
        item = outbox.claim(till.clock.now(), owner="sync", lease_s=30)
        assert item is not None
        till.journal.settle([(item, step)])
        till.clock.advance(30)
        till.reopen()
        outbox = Outbox(till.store)
        assert till.journal.exposure(EUR, CARD).card_count == 2
    item = outbox.claim(till.clock.now(), owner="sync", lease_s=30)
    assert item is not None
    done = HostApproved(till.clock.now(), "00", "1", 700)
    (sale,) = till.journal.settle([(item, Record(done, erase=True))])
    assert sale is not None
    assert sale.state is State.APPROVED
    assert till.journal.exposure(EUR, CARD).card_count == 1


def test_a_card_that_was_declined_after_forwarding_is_known_for_a_while(till: Till) -> None:
    txn_id = store(till, PHONE, 500)
    item = Outbox(till.store).claim(till.clock.now(), owner="sync", lease_s=30)
    at = till.clock.now()
    till.journal.commit(txn_id, HostDeclined(at, "51", "no funds"), done=item)
    assert till.journal.exposure(EUR, PLASTIC).card_declined
    assert not till.journal.exposure(EUR, CARD).card_declined
    since = at - timedelta(days=30)
    assert till.journal.declines(PLASTIC, since) == [Declined(at, "51", Amount(500, EUR))]
    till.clock.advance(31 * 86400)
    assert not till.journal.exposure(EUR, PLASTIC).card_declined


def test_a_clock_that_was_set_back_is_noticed_until_the_host_confirms_it(till: Till) -> None:
    till.clock.advance(86400)
    till.intend()
    till.clock.advance(-TOLERANCE.total_seconds())
    assert till.journal.exposure(EUR).set_back_s == 0
    till.clock.advance(-1)
    assert till.journal.exposure(EUR).set_back_s == 121
    # A restart, and a sale meanwhile, clear nothing.
    till.reopen()
    till.intend()
    assert till.journal.exposure(EUR).set_back_s == 121
    # A host that tells another time does not, either.
    now = till.clock.now()
    assert not till.journal.saw_host_time(now + timedelta(seconds=121))
    assert till.journal.exposure(EUR).set_back_s == 121
    assert till.journal.saw_host_time(now + timedelta(seconds=119))
    assert till.journal.exposure(EUR).set_back_s == 0
    till.reopen()
    assert till.journal.exposure(EUR).set_back_s == 0


def test_a_claim_that_another_took_over_records_nothing(till: Till) -> None:
    txn_id = store(till, CARD, 500)
    outbox = Outbox(till.store)
    old = outbox.claim(till.clock.now(), owner="one", lease_s=30)
    till.clock.advance(30)
    new = outbox.claim(till.clock.now(), owner="other", lease_s=30)
    assert old is not None
    assert new is not None
    declined = Record(HostDeclined(till.clock.now(), "51", "no funds"), erase=True)
    for step in (declined, Later(300.0, "late"), NotSent("late"), Hold("late")):
        assert till.journal.settle([(old, step)]) == [None]
    assert till.journal.transaction(txn_id).state is State.STORED
    approved = Record(HostApproved(till.clock.now(), "00", "1", 500), erase=True)
    (sale,) = till.journal.settle([(new, approved)])
    assert sale is not None
    # One answer for all of it; the other forwarder's comes to nothing, whatever it is.
    assert till.journal.settle([(new, approved), (old, declined)]) == [None, None]
    assert till.store.verify() == 1
