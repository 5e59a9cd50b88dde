"""The forwarder: what it does about each result, and that it never sends a first copy twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from offline_queue.outbox import Outbox
from offline_queue.plan import Later, NotSent, Record, Step, backoff_s, plan
from offline_queue.reports import Reports
from offline_queue.requeue import requeue
from offline_queue.sync import (
    LineChanged,
    Progress,
    Round,
    SaleMoved,
    Trouble,
)
from terminal.delivery import Done, Retry, Verdict
from terminal.errors import HostError, HostGarbled, HostSilent, HostUnreachable
from terminal.ledger import Kind, OutboxItem, Outgoing
from terminal.line import Failed
from terminal.money import Amount
from terminal.transaction import (
    FateUnknown,
    HostApproved,
    Requeued,
    SetAside,
    State,
)
from tests.offline_queue.forwarding import Behaviour, Bench, ScriptedHost, approving, raising
from tests.offline_queue.sales import EUR, START, Till, repeat_of, reversal_of


@pytest.fixture
def bench(till: Till) -> Iterator[Bench]:
    bench = Bench(till, ScriptedHost(approving))
    yield bench
    assert bench.sync.stop()
    bench.sync.close()


ITEM = OutboxItem(1, "txn", "key", Kind.ADVICE, b"0220", attempts=3)
APPROVED = HostApproved(START, "00", "123456", 1250)
ASIDE = SetAside(START, "30", "format error")


@pytest.mark.parametrize(
    ("result", "step"),
    [
        (Done(APPROVED), Record(APPROVED, erase=True)),
        (Done(ASIDE), Record(ASIDE, erase=False)),
        (Retry("91"), Later(2.0, "91")),
        (HostUnreachable("no route"), NotSent("no route")),
        (HostSilent("no answer"), Later(2.0, "no answer")),
        (HostGarbled("nonsense"), Later(2.0, "nonsense")),
    ],
)
def test_the_plan(result: Verdict | HostError, step: Step) -> None:
    assert plan(ITEM, result, 0.0) == step


@pytest.mark.parametrize(
    ("attempts", "shortest"),
    [(0, 0.5), (1, 0.5), (2, 1.0), (3, 2.0), (9, 128.0), (10, 150.0), (10**9, 150.0)],
)
def test_the_wait_doubles_up_to_five_minutes(attempts: int, shortest: float) -> None:
    assert backoff_s(attempts, 0.0) == shortest
    assert shortest < backoff_s(attempts, 0.999999) < 2 * shortest


def test_a_round_sends_everything_once_and_erases_what_was_answered(bench: Bench) -> None:
    items = [bench.till.store_sale()[1] for _ in range(3)]
    assert bench.sync.run_once() == Round(sent=3, answered=3, online=True)
    assert bench.host.seen == [item.message for item in items]
    assert {bench.state(item.txn_id) for item in items} == {State.APPROVED}
    assert Outbox(bench.till.store).count() == 0
    first = bench.till.journal.transaction("txn-1")
    assert next(news for news in bench.news if isinstance(news, SaleMoved)) == SaleMoved(first)
    assert LineChanged(online=True) in bench.news
    assert bench.sync.run_once() == Round(0, 0, online=True)
    assert bench.host.opened == 1


def test_from_the_second_send_on_it_is_a_repeat_of_the_same_bytes(bench: Bench) -> None:
    _, item = bench.till.store_sale()
    arrived = []

    def drops_answers(request: bytes) -> bytes:
        arrived.append(request)
        if len(arrived) < 3:
            raise HostSilent("no answer")
        return approving(request)

    bench.host.behaviour = drops_answers
    for _ in range(3):
        bench.sync.run_once()
        bench.till.clock.advance(300)
    repeat = repeat_of(item.message)
    assert arrived == [item.message, repeat, repeat]
    assert repeat[:4] == b"0221"
    assert bench.state(item.txn_id) is State.APPROVED


def test_what_never_left_goes_out_as_a_first_copy(bench: Bench) -> None:
    _, item = bench.till.store_sale()
    bench.host.behaviour = raising(HostUnreachable("no route"))
    for _ in range(3):
        assert bench.sync.run_once() == Round(0, 0, online=False)
    assert bench.news == [LineChanged(online=False, reason="no route")]
    bench.host.behaviour = approving
    assert bench.sync.run_once() == Round(1, 1, online=True)
    assert bench.host.seen == [item.message]


def test_a_line_that_is_down_costs_one_try_a_round(bench: Bench) -> None:
    tried = []

    def down(request: bytes) -> bytes:
        tried.append(request)
        raise HostUnreachable("no route")

    for _ in range(5):
        bench.till.store_sale()
    bench.host.behaviour = down
    bench.sync.run_once()
    assert len(tried) == 1


def test_one_message_that_is_never_answered_holds_up_no_other(bench: Bench) -> None:
    stuck, _ = bench.till.store_sale()
    others = [bench.till.store_sale()[0] for _ in range(3)]

    def picky(request: bytes) -> bytes:
        if b"stan=000001" in request:
            raise HostSilent("no answer")
        return approving(request)

    bench.host.behaviour = picky
    assert bench.sync.run_once() == Round(sent=4, answered=3, online=True)
    assert bench.state(stuck.txn_id) is State.STORED
    assert {bench.state(sale.txn_id) for sale in others} == {State.APPROVED}


def test_a_line_that_has_gone_silent_stops_the_round_after_the_echo(bench: Bench) -> None:
    for _ in range(3):
        bench.till.store_sale()
    bench.host.behaviour = raising(HostSilent("no answer"))

    def no_echo() -> None:
        raise HostSilent("no echo")

    bench.host.echo = no_echo
    assert bench.sync.run_once() == Round(sent=1, answered=0, online=False)
    assert bench.news == [LineChanged(online=False, reason="no echo")]


@pytest.mark.parametrize(
    ("code", "state", "left"),
    [
        (b"00", State.APPROVED, 0),
        (b"51", State.DECLINED_AFTER_FORWARD, 0),
        (b"30", State.SET_ASIDE, 1),
        (b"91", State.STORED, 1),
        (b"??", State.STORED, 1),
    ],
)
def test_each_answer_leaves_a_state_and_the_message_while_it_is_needed(
    bench: Bench, code: bytes, state: State, left: int
) -> None:
    sale, _ = bench.till.store_sale()
    bench.host.behaviour = lambda request: code + request
    bench.sync.run_once()
    assert bench.state(sale.txn_id) is state
    assert Outbox(bench.till.store).count() == left
    assert bench.till.store.verify() == 1


def test_a_sale_sent_round_again_by_a_person_goes_out_as_a_repeat(bench: Bench) -> None:
    sale, item = bench.till.store_sale()
    bench.host.behaviour = lambda request: b"30" + request
    bench.sync.run_once()
    bench.host.behaviour = approving
    bench.sync.run_once()
    assert bench.state(sale.txn_id) is State.SET_ASIDE
    bench.till.journal.commit(sale.txn_id, Requeued(bench.till.clock.now()))
    bench.sync.run_once()
    assert bench.state(sale.txn_id) is State.APPROVED
    assert bench.host.seen == [item.message, repeat_of(item.message)]


def test_a_reversal_goes_out_before_the_sales_that_waited_longer(bench: Bench) -> None:
    stored, _ = bench.till.store_sale()
    unknown, request = bench.till.ask()
    reversal = Outgoing(Kind.REVERSAL, reversal_of(request.message))
    bench.till.journal.commit(
        unknown.txn_id, FateUnknown(START, "no answer"), done=request, queue=reversal
    )
    bench.sync.run_once()
    assert [message[:4] for message in bench.host.seen] == [b"0420", b"0220"]
    assert bench.state(unknown.txn_id) is State.REVERSED
    assert bench.state(stored.txn_id) is State.APPROVED


def test_the_thread_forwards_when_the_line_comes_and_when_it_is_told(bench: Bench) -> None:
    def no_echo() -> None:
        raise HostUnreachable("no route")

    bench.host.echo = no_echo
    first, _ = bench.till.store_sale()
    bench.sync.start()
    bench.wait_for(lambda: LineChanged(online=False, reason="no route") in bench.news)
    assert bench.host.seen == []
    bench.host.echo = lambda: None
    bench.sync.kick()
    bench.wait_for(lambda: bench.state(first.txn_id) is State.APPROVED)
    second, _ = bench.till.store_sale()
    bench.sync.kick()
    bench.wait_for(lambda: bench.state(second.txn_id) is State.APPROVED)
    assert bench.sync.online is True
    assert bench.sync.stop()
    assert bench.host.closed == 1


def test_the_thread_survives_a_failure_of_its_own_and_shows_it(bench: Bench) -> None:
    broken, _ = bench.till.store_sale()
    fine, _ = bench.till.store_sale()

    def fails_once(request: bytes) -> bytes:
        if b"stan=000001" in request:
            raise RuntimeError("our own fault")
        return approving(request)

    bench.host.behaviour = fails_once
    bench.sync.start()
    bench.wait_for(lambda: bench.state(fine.txn_id) is State.APPROVED)
    assert Trouble("our own fault") in bench.news
    assert bench.state(broken.txn_id) is State.STORED
    with pytest.raises(AssertionError, match="already"):
        bench.sync.start()


def test_a_round_that_is_cut_off_anywhere_ends_in_one_capture(bench: Bench) -> None:
    """The process dies at each step of a send; the host keeps what arrived, by key."""
    captured: set[bytes] = set()
    copies: list[bytes] = []

    class Died(BaseException):
        pass

    def host(when: str) -> Behaviour:
        def behaviour(request: bytes) -> bytes:
            if when == "before the send":
                raise Died
            copies.append(request)
            captured.add(request[4:])
            if when == "after the send":
                raise Died
            return approving(request)

        return behaviour

    _, item = bench.till.store_sale()
    for when in ("before the send", "after the send", "never"):
        bench.host.behaviour = host(when)
        if when == "never":
            bench.sync.run_once()
        else:
            with pytest.raises(Died):
                bench.sync.run_once()
            bench.till.journal.recover(reversal_of)
    assert captured == {item.message[4:]}
    assert [copy[:4] for copy in copies] == [b"0221", b"0221"]
    assert bench.state(item.txn_id) is State.APPROVED


def test_a_message_that_cannot_be_read_waits_for_a_person_with_its_amount(bench: Bench) -> None:
    broken, item = bench.till.store_sale(700)
    fine, _ = bench.till.store_sale()
    # It was sent before, so it has to be made a repeat, and is no message any more.
    claimed = Outbox(bench.till.store).claim(START, owner="before", lease_s=0)
    assert claimed is not None
    with bench.till.store.write() as connection:
        connection.execute("UPDATE outbox SET message = ? WHERE item = ?", (b"?", item.item_id))

    def unreadable(request: bytes) -> bytes:
        if request == b"?":
            raise AssertionError("our own message cannot be read back")
        return repeat_of(request)

    bench.sync._wire = replace(bench.sync._wire, repeat_of=unreadable)
    for _ in range(3):
        bench.sync.run_once()
        bench.till.clock.advance(300)
    assert bench.state(fine.txn_id) is State.APPROVED
    assert bench.state(broken.txn_id) is State.STORED
    assert [message[:4] for message in bench.host.seen] == [b"0220"]
    (row,) = Reports(bench.till.store).queue()
    assert "cannot be read back" in row.held
    assert Reports(bench.till.store).pending().total(EUR) == Amount(700, EUR)
    assert Outbox(bench.till.store).seconds_to_next(bench.till.clock.now()) is None


def test_a_sale_that_alone_is_never_answered_is_set_aside_and_a_reversal_never(
    bench: Bench,
) -> None:
    stuck, _ = bench.till.store_sale()
    unknown, request = bench.till.ask()
    reversal = Outgoing(Kind.REVERSAL, reversal_of(request.message))
    doubt = FateUnknown(START, "no answer")
    bench.till.journal.commit(unknown.txn_id, doubt, done=request, queue=reversal)
    bench.host.behaviour = raising(HostSilent("no answer"))
    bench.sync._wire = replace(bench.sync._wire, silences_max=3)
    for _ in range(5):
        bench.sync.run_once()
        bench.till.clock.advance(300)
    assert bench.state(stuck.txn_id) is State.SET_ASIDE
    assert "3 times" in bench.till.journal.transaction(stuck.txn_id).reason
    assert bench.state(unknown.txn_id) is State.UNKNOWN
    bench.host.behaviour = approving
    bench.sync.run_once()
    assert bench.state(unknown.txn_id) is State.REVERSED
    assert bench.state(stuck.txn_id) is State.SET_ASIDE
    # A person sends it round again, and it is a repeat with its own bytes.
    requeue(bench.till.journal, bench.till.clock, str(stuck.sequence), acquirer="")
    bench.sync.run_once()
    assert bench.state(stuck.txn_id) is State.APPROVED
    assert bench.host.seen[-1][:4] == b"0221"


def test_a_silence_of_the_whole_host_sets_nothing_aside(bench: Bench) -> None:
    def no_echo() -> None:
        raise HostSilent("no echo")

    sale, _ = bench.till.store_sale()
    bench.host.behaviour, bench.host.echo = raising(HostSilent("no answer")), no_echo
    bench.sync._wire = replace(bench.sync._wire, silences_max=2)
    for _ in range(6):
        bench.sync.run_once()
        bench.till.clock.advance(300)
    assert bench.state(sale.txn_id) is State.STORED


def test_how_far_it_has_come_is_told(bench: Bench) -> None:
    for _ in range(3):
        bench.till.store_sale()
    bench.sync.run_once()
    told = [news for news in bench.news if isinstance(news, Progress)]
    assert told[-1] == Progress(3, 3, {EUR: 0})


def test_a_line_that_fell_comes_back_after_two_good_answers(bench: Bench) -> None:
    def no_echo() -> None:
        raise HostUnreachable("no route")

    bench.host.echo = no_echo
    assert not bench.sync.probe()
    assert bench.sync.online is False
    bench.host.echo = lambda: None
    assert bench.sync.probe()
    assert bench.sync.online is False
    assert bench.sync.probe()
    assert bench.sync.online is True
    assert [news for news in bench.news if isinstance(news, LineChanged)] == [
        LineChanged(online=False, reason="no route"),
        LineChanged(online=True),
    ]
    # What the till's own thread has seen counts as well.
    bench.sync.observe(Failed("no route"))
    assert bench.sync.online is False
