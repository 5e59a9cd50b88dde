"""The journal: what is recorded, under which numbers, and what a crash leaves."""

from __future__ import annotations

from dataclasses import replace

import apsw
import pytest

from offline_queue import projection
from offline_queue.journal import SqlJournal, open_journal
from offline_queue.numbers import STAN_MAX
from offline_queue.sql import one, rows
from terminal.errors import CardError, StoreError
from terminal.ledger import Compose, Exposure, Journal, Kind, Numbers, OutboxItem, Outgoing
from terminal.money import Amount
from terminal.transaction import (
    AuthorisationSent,
    Cancelled,
    Deferred,
    FateUnknown,
    HostApproved,
    HostDeclined,
    LateAnswer,
    Requeued,
    ReversalConfirmed,
    SaleIntended,
    SetAside,
    State,
)
from tests.offline_queue.sales import (
    CARD,
    EUR,
    JPY,
    CountingEntropy,
    HandClock,
    Till,
    message,
    reversal_of,
)


def outbox(till: Till) -> list[tuple[str, str, bytes]]:
    with till.store.read() as connection:
        return rows(connection, "SELECT txn_id, kind, message FROM outbox ORDER BY item")


def test_the_journal_is_a_journal(till: Till) -> None:
    journal: Journal = till.journal
    assert journal.exposure(EUR) == Exposure(0, 0)


def test_an_online_sale_from_intent_to_approval(till: Till) -> None:
    sale = till.intend(1999)
    assert (sale.state, sale.sequence, sale.amount.minor) == (State.INTENDED, 1, 1999)
    assert outbox(till) == []

    sale, item = till.journal.enqueue(sale.txn_id, till.sent)
    assert sale.state is State.AUTHORISING
    assert (sale.stan, sale.rrn, sale.batch) == (1, "632716000001", 1)
    assert sale.card == CARD
    assert item.kind is Kind.SALE
    assert item.attempts == 0
    assert outbox(till) == [("txn-1", "sale", item.message)]

    approved = HostApproved(till.clock.now(), "00", "123456", 1999)
    sale = till.journal.commit(sale.txn_id, approved, done=item)
    assert (sale.state, sale.approval_code) == (State.APPROVED, "123456")
    assert outbox(till) == []
    assert till.journal.transaction("txn-1") == sale
    names = [type(event).__name__ for event in till.journal.events("txn-1")]
    assert names == ["SaleIntended", "AuthorisationSent", "HostApproved"]
    assert till.store.verify() == 1


def test_a_sale_that_could_not_leave_waits_as_an_advice_under_the_same_key(till: Till) -> None:
    sale, request = till.ask()
    advice = Outgoing(Kind.ADVICE, b"0220 the same sale")
    sale = till.journal.commit(
        sale.txn_id, Deferred(till.clock.now(), "no route"), done=request, queue=advice
    )
    assert (sale.state, sale.stored_offline) == (State.STORED, True)
    assert outbox(till) == [("txn-1", "advice", b"0220 the same sale")]
    with till.store.read() as connection:
        keys = connection.execute(
            "SELECT outbox.key, txn.idempotency_key FROM outbox JOIN txn USING (txn_id)"
        ).fetchall()
    assert keys == [(request.key, request.key)]


def test_each_final_answer_erases_the_message_and_leaves_the_sale_in_no_exposure(
    till: Till,
) -> None:
    now = till.clock.now()
    stored, first = till.store_sale(500)
    refused, second = till.store_sale(700)
    till.store_sale(1100)
    till.store_sale(9000, JPY)
    assert till.journal.exposure(EUR) == Exposure(3, 2300, oldest_at=now)
    till.journal.commit(stored.txn_id, HostApproved(now, "00", "1", 500), done=first)
    till.journal.commit(refused.txn_id, HostDeclined(now, "51", "no funds"), done=second)
    assert till.journal.transaction(refused.txn_id).state is State.DECLINED_AFTER_FORWARD
    assert till.journal.exposure(EUR) == Exposure(1, 1100, oldest_at=now)
    assert till.journal.exposure(JPY) == Exposure(1, 9000, oldest_at=now)
    assert [row[0] for row in outbox(till)] == ["txn-3", "txn-4"]


@pytest.mark.parametrize("between", ["nothing", "this till", "another program"])
def test_a_sale_just_opened_is_read_again_only_if_something_was_committed_since(
    till: Till, between: str
) -> None:
    first = till.intend()
    sale = till.intend()
    if between == "this till":
        till.journal.commit(first.txn_id, Cancelled(till.clock.now(), "changed their mind"))
    if between == "another program":
        other = apsw.Connection(str(till.path))
        other.execute("CREATE TABLE elsewhere (number INTEGER)")
        other.close()
    read: list[str] = []

    def trace(_: object, sql: str, __: object) -> bool:
        read.append(sql)
        return True

    with till.store.read() as connection:
        connection.exec_trace = trace
    till.journal.enqueue(sale.txn_id, till.sent)
    connection.exec_trace = None
    again = [sql for sql in read if sql.startswith(projection.SELECT)]
    assert len(again) == (0 if between == "nothing" else 1)


def test_a_training_sale_is_no_exposure(till: Till) -> None:
    sale = till.journal.open_sale(
        txn_id="t", amount=Amount(5, EUR), at=till.clock.now(), cashier="", training=True
    )
    till.journal.enqueue(sale.txn_id, till.stored)
    assert till.journal.exposure(EUR) == Exposure(0, 0)


def test_a_sale_set_aside_keeps_its_message_until_it_has_an_answer(till: Till) -> None:
    sale, item = till.store_sale()
    now = till.clock.now()
    till.journal.commit(sale.txn_id, SetAside(now, "30", "format error"))
    assert len(outbox(till)) == 1
    assert till.journal.exposure(EUR) == Exposure(1, 1250)
    till.journal.commit(sale.txn_id, Requeued(now))
    till.journal.commit(sale.txn_id, HostApproved(now, "00", "1", 1250), done=item)
    assert outbox(till) == []
    assert till.store.verify() == 1


def test_a_silent_host_leads_to_a_reversal_and_a_late_answer_changes_nothing(till: Till) -> None:
    sale, request = till.ask()
    now = till.clock.now()
    reversal = Outgoing(Kind.REVERSAL, reversal_of(request.message))
    sale = till.journal.commit(
        sale.txn_id, FateUnknown(now, "no answer"), done=request, queue=reversal
    )
    assert sale.state is State.UNKNOWN
    sale = till.journal.commit(sale.txn_id, LateAnswer(now, "00"))
    assert sale.state is State.UNKNOWN
    ((_, kind, body),) = outbox(till)
    assert (kind, body[:4]) == ("reversal", b"0420")
    with till.store.read() as connection:
        item = one(connection, "SELECT item FROM outbox")
    done = OutboxItem(item, sale.txn_id, request.key, Kind.REVERSAL, body)
    sale = till.journal.commit(sale.txn_id, ReversalConfirmed(now, "00"), done=done)
    assert sale.state is State.REVERSED
    assert till.store.verify() == 1


def test_numbers_go_on_after_the_till_was_closed(till: Till) -> None:
    keys = {till.ask()[1].key for _ in range(3)}
    till.reopen()
    sale, item = till.ask()
    assert (sale.sequence, sale.stan, sale.batch) == (4, 4, 1)
    assert item.key not in keys
    assert len(item.key) == 32


def test_the_trace_number_wraps_and_is_never_given_twice_in_a_batch(till: Till) -> None:
    with till.store.write() as connection:
        connection.execute("UPDATE numbers SET value = ? WHERE name = 'stan'", (STAN_MAX - 1,))
    assert [till.ask()[0].stan for _ in range(3)] == [STAN_MAX, 1, 2]
    with till.store.write() as connection:
        connection.execute("UPDATE numbers SET value = ? WHERE name = 'stan'", (STAN_MAX - 1,))
    sale = till.intend()
    with pytest.raises(StoreError, match="every trace number") as caught:
        till.journal.enqueue(sale.txn_id, till.sent)
    assert "Close the batch" in caught.value.remedy
    assert till.journal.transaction(sale.txn_id).state is State.INTENDED


def test_what_fails_while_composing_leaves_no_trace_and_burns_no_number(till: Till) -> None:
    sale = till.intend()

    def fails(numbers: Numbers) -> tuple[AuthorisationSent, Outgoing]:
        raise CardError("no")

    def other_numbers(numbers: Numbers) -> tuple[AuthorisationSent, Outgoing]:
        return till.sent(Numbers(numbers.stan + 1, numbers.rrn, numbers.batch, numbers.key))

    def wrong_kind(numbers: Numbers) -> tuple[AuthorisationSent, Outgoing]:
        return till.sent(numbers)[0], Outgoing(Kind.ADVICE, b"0220")

    table: list[tuple[Compose, type[Exception]]] = [
        (fails, CardError),
        (other_numbers, AssertionError),
        (wrong_kind, AssertionError),
    ]
    for compose, error in table:
        with pytest.raises(error):
            till.journal.enqueue(sale.txn_id, compose)
        assert till.journal.transaction(sale.txn_id) == sale
        assert outbox(till) == []
    assert till.journal.enqueue(sale.txn_id, till.sent)[0].stan == 1


def test_broken_rules_record_nothing(till: Till) -> None:
    sale, item = till.ask()
    now = till.clock.now()
    approved = HostApproved(now, "00", "1", 1250)
    stranger = OutboxItem(item.item_id, "txn-9", item.key, item.kind, item.message)
    with pytest.raises(AssertionError, match="in the outbox"):
        till.journal.commit(sale.txn_id, approved)
    with pytest.raises(AssertionError, match="not in the outbox"):
        till.journal.commit(sale.txn_id, approved, done=OutboxItem(99, "", "", Kind.SALE, b""))
    with pytest.raises(AssertionError, match="cannot happen"):
        till.journal.commit(sale.txn_id, Cancelled(now, "late"), done=item)
    with pytest.raises(AssertionError, match="in the outbox"):
        till.journal.commit(sale.txn_id, FateUnknown(now, "no answer"), done=item)
    other = till.intend()
    with pytest.raises(AssertionError, match="not in the outbox"):
        till.journal.commit(other.txn_id, Cancelled(now, "x"), done=stranger)
    with pytest.raises(AssertionError, match="rules were broken"):
        till.journal.open_sale(
            txn_id=sale.txn_id, amount=Amount(1, EUR), at=now, cashier="", training=False
        )
    assert till.journal.transaction(sale.txn_id) == sale
    assert till.store.verify() == 2


def test_a_sale_that_is_not_there_is_named(till: Till) -> None:
    with pytest.raises(StoreError, match="'nobody'"):
        till.journal.transaction("nobody")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET payload = '{}'",
        "DELETE FROM event",
        "DELETE FROM txn",
        "DELETE FROM batch",
        "INSERT OR REPLACE INTO event SELECT * FROM event",
    ],
)
def test_what_happened_cannot_be_edited(till: Till, statement: str) -> None:
    till.ask()
    with pytest.raises(AssertionError, match=r"append-only|never deleted"), till.store.write() as c:
        c.execute(statement)
    assert till.store.verify() == 1


def test_opening_gives_every_interrupted_sale_a_named_state(till: Till) -> None:
    till.intend(100)
    asked, request = till.ask(200)
    stored, _ = till.store_sale(300)
    approved, item = till.ask(400)
    till.journal.commit(approved.txn_id, HostApproved(till.clock.now(), "00", "1", 400), done=item)
    till.journal.close()

    till.clock.advance(60)
    journal, recovered = open_journal(till.path, till.clock, till.entropy, reversal_of)
    try:
        assert [sale.txn_id for sale in recovered.interrupted] == ["txn-1"]
        assert [sale.txn_id for sale in recovered.reversing] == [asked.txn_id]
        assert recovered.unreadable == ()
        states = {
            name: journal.transaction(name).state for name in ("txn-1", "txn-2", "txn-3", "txn-4")
        }
        assert states == {
            "txn-1": State.INTERRUPTED,
            "txn-2": State.UNKNOWN,
            "txn-3": State.STORED,
            "txn-4": State.APPROVED,
        }
        with journal.store.read() as connection:
            left = rows(connection, "SELECT txn_id, kind, message, key FROM outbox ORDER BY txn_id")
        assert [row[:2] for row in left] == [("txn-2", "reversal"), (stored.txn_id, "advice")]
        assert left[0][2:] == (reversal_of(request.message), request.key)
        assert journal.store.verify() == 4
        again = journal.recover(reversal_of)
        assert (again.interrupted, again.reversing) == ((), ())
    finally:
        journal.close()


@pytest.mark.parametrize("failure", [CardError, AssertionError])
def test_a_request_that_gives_no_reversal_stays_in_sight(
    till: Till, failure: type[Exception]
) -> None:
    till.ask()
    till.ask()

    def picky(request: bytes) -> bytes:
        if b"stan=000001" in request:
            raise failure("unreadable")
        return reversal_of(request)

    recovered = till.journal.recover(picky)
    assert recovered.unreadable == ("txn-1",)
    assert [sale.txn_id for sale in recovered.reversing] == ["txn-2"]
    assert till.journal.transaction("txn-1").state is State.AUTHORISING
    assert till.store.verify() == 2


def test_a_reversal_is_never_sent_to_an_acquirer_that_does_not_know_the_sale(till: Till) -> None:
    """It would say that there is nothing to reverse, while the other one keeps the money."""

    def opened(acquirer: str) -> SqlJournal:
        till.journal.close()
        till.journal, _ = open_journal(
            till.path, till.clock, till.entropy, reversal_of, acquirer=acquirer
        )
        return till.journal

    opened("one")
    sale, item = till.ask()
    for state in (State.AUTHORISING, State.UNKNOWN):
        with pytest.raises(StoreError, match=r"1 of .* sealing key one, .* the key two") as caught:
            opened("two")
        assert "taptill sync" in caught.value.remedy
        # Opening for the right one recovers the sale, and its reversal is for that one too.
        assert opened("one").transaction(sale.txn_id).state is State.UNKNOWN, state
    with till.store.read() as connection:
        [(item_id, acquirer)] = rows(connection, "SELECT item, acquirer FROM outbox")
    assert acquirer == "one"
    assert item_id != item.item_id
    item = replace(item, item_id=item_id)
    till.journal.commit(sale.txn_id, ReversalConfirmed(till.clock.now(), "00"), done=item)
    waits, item = opened("two").enqueue(till.intend().txn_id, till.stored)
    till.journal.commit(waits.txn_id, SetAside(till.clock.now(), "30", "format"))
    # What waits for a person is never sent by itself.
    assert opened("three").transaction(waits.txn_id).state is State.SET_ASIDE


def test_the_first_event_is_the_intent_and_is_kept_as_it_was(till: Till) -> None:
    sale = till.intend()
    (event,) = till.journal.events(sale.txn_id)
    assert event == SaleIntended(till.clock.now(), "txn-1", 1, Amount(1250, EUR), "Ada", False)


def test_the_builders_are_what_the_ports_ask_for() -> None:
    assert HandClock().now().tzinfo is not None
    assert CountingEntropy().random_bytes(4) == b"\x00\x00\x00\x01"
    assert b"stan=000007" in message(b"0200", Numbers(7, "1" * 12, 1, "k"))
