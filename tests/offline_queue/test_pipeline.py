"""Several messages in flight: which answer is whose, what is lost with a link, who is late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from offline_queue.pipeline import Arrival, Pipeline
from terminal.errors import HostError, HostGarbled, HostSilent, HostUnreachable
from terminal.ledger import Kind, OutboxItem


def item(number: int, *, attempts: int = 1, fence: int = 1) -> OutboxItem:
    message = b"0220%06d" % number
    return OutboxItem(number, f"sale{number}", "key", Kind.ADVICE, message, attempts, fence)


def key(message: bytes) -> bytes | None:
    return None if message == b"??" else message[4:]


def answer(number: int) -> bytes:
    return b"0230%06d" % number


@dataclass
class ScriptedLink:
    """A link that carries what it is told to; nothing waits but the hands of its clock."""

    coming: list[list[bytes] | HostError] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    refuses: HostError | None = None
    now: float = 0.0

    def send(self, request: bytes, *, timeout_s: float) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.sent.append(request)

    def receive(self, *, timeout_s: float) -> list[bytes]:
        came = self.coming.pop(0) if self.coming else []
        if isinstance(came, HostError):
            raise came
        if not came:
            self.now += timeout_s
        return came

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to end."""


def pipeline(link: ScriptedLink) -> Pipeline:
    return Pipeline(
        link,
        awaited=key,
        told=key,
        is_answer_to=lambda request: lambda answer: True,
        monotonic=lambda: link.now,
        timeout_s=15.0,
    )


def numbers(arrivals: list[Arrival]) -> list[int]:
    return [arrival.item.item_id for arrival in arrivals]


def test_answers_in_any_order_find_their_messages_and_strangers_are_dropped() -> None:
    link = ScriptedLink([[answer(9), answer(3), answer(1)], [answer(1), answer(2)]])
    pipe = pipeline(link)
    for number in (1, 2, 3):
        assert pipe.launch(item(number), item(number).message) is None
    assert pipe.several
    assert numbers(pipe.collect()) == [3, 1]
    assert pipe.in_flight == 1
    # The second answer to the first message comes too late to mean anything.
    assert numbers(pipe.collect()) == [2]
    assert pipe.in_flight == 0


def test_each_message_has_its_own_deadline() -> None:
    link = ScriptedLink()
    pipe = pipeline(link)
    pipe.launch(item(1), item(1).message)
    link.now = 10.0
    pipe.launch(item(2), item(2).message)
    (late,) = pipe.collect()
    assert (late.item.item_id, link.now) == (1, 15.0)
    assert isinstance(late.result, HostSilent)
    assert numbers(pipe.collect()) == [2]
    assert link.now == 25.0


@pytest.mark.parametrize("lost", [HostSilent("closed"), HostGarbled("no frame")])
def test_a_link_that_is_lost_takes_everything_in_flight_with_it(lost: HostError) -> None:
    pipe = pipeline(ScriptedLink([lost]))
    for number in (1, 2):
        pipe.launch(item(number), item(number).message)
    arrivals = pipe.collect()
    assert numbers(arrivals) == [1, 2]
    assert {type(arrival.result) for arrival in arrivals} == {type(lost)}


def test_what_cannot_be_sent_is_not_in_flight_and_what_was_is_silent() -> None:
    link = ScriptedLink()
    pipe = pipeline(link)
    pipe.launch(item(1), item(1).message)
    link.refuses = HostUnreachable("no route")
    assert pipe.launch(item(2), item(2).message) is link.refuses
    (lost,) = pipe.collect()
    assert lost.item.item_id == 1
    # It had left, so its fate is not known, whatever became of the second.
    assert isinstance(lost.result, HostSilent)


def test_a_message_that_is_claimed_anew_in_flight_is_not_sent_twice() -> None:
    link = ScriptedLink([[answer(1)]])
    pipe = pipeline(link)
    pipe.launch(item(1), item(1).message)
    pipe.launch(item(1, fence=2, attempts=2), b"0221000001")
    assert link.sent == [b"0220000001"]
    (arrival,) = pipe.collect()
    assert arrival.item.fence == 2


def test_another_message_with_the_same_numbers_waits() -> None:
    link = ScriptedLink()
    pipe = pipeline(link)
    assert not pipe.is_taken(item(1), item(1).message)
    pipe.launch(item(1), item(1).message)
    other = item(7)
    assert pipe.is_taken(other, item(1).message)
    with pytest.raises(AssertionError, match="same numbers"):
        pipe.launch(other, item(1).message)


def test_an_answer_that_cannot_be_read_is_somebodys_only_when_one_waits() -> None:
    link = ScriptedLink([[b"??"], [b"??"], []])
    pipe = pipeline(link)
    pipe.launch(item(1), item(1).message)
    assert numbers(pipe.collect()) == [1]
    pipe.launch(item(2), item(2).message)
    pipe.launch(item(3), item(3).message)
    assert pipe.collect() == []
    assert numbers(pipe.collect()) == [2, 3]
