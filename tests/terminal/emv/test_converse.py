from __future__ import annotations

import pytest

from terminal.emv.apdu import Command, Dialogue, Response
from terminal.emv.converse import Exchange, Limits, converse
from terminal.errors import CardError, CardLost, ReaderUnplugged
from tests.terminal.emv.replay import Clock
from tests.terminal.emv.scheme import ScriptedCard

READ = Command(0x00, 0xB2, 0x01, 0x0C)


def reading(count: int) -> Dialogue[int]:
    """Reads the same record over and over; how often it was answered."""
    for _ in range(count):
        response = yield READ
        assert isinstance(response, Response)
    return count


def card(answer: bytes = b"\x70\x00\x90\x00") -> ScriptedCard:
    return ScriptedCard({"00B2": answer})


def test_exchanges_are_measured_and_hold_no_bytes() -> None:
    done = converse(reading(2), card(), monotonic=Clock())
    assert done.result == 2
    assert done.card_time_s == pytest.approx(0.002)
    assert [(each.name, each.sent, each.received, each.sw) for each in done.exchanges] == [
        ("READ RECORD", 5, 4, 0x9000)
    ] * 2
    assert set(Exchange.__dataclass_fields__) == {
        *("name", "sent", "received", "sw", "card_time_s")
    }


def test_bytes_go_to_the_recorder_alone() -> None:
    seen: list[tuple[bytes, bytes | None]] = []
    converse(
        reading(1), card(), monotonic=Clock(), record=lambda sent, got: seen.append((sent, got))
    )
    assert seen == [(READ.encode(), b"\x70\x00\x90\x00")]


def test_an_endless_dialogue_is_ended() -> None:
    assert converse(reading(100), card(), monotonic=Clock()).result == 100
    with pytest.raises(CardError, match="more than 100 commands"):
        converse(reading(101), card(), monotonic=Clock())
    with pytest.raises(CardError, match=r"longer than 0.05 s"):
        converse(reading(100), card(), monotonic=Clock(), limits=Limits(card_time_s=0.05))
    with pytest.raises(CardError, match="more than 600 bytes"):
        converse(
            reading(3),
            card(bytes(256) + b"\x90\x00"),
            monotonic=Clock(),
            limits=Limits(total_bytes=600),
        )


def surviving() -> Dialogue[str]:
    try:
        yield READ
    except (CardLost, CardError) as error:
        caught = type(error).__name__
        try:
            yield READ
        except (CardLost, CardError):
            return caught
    return "not thrown"


def test_lost_cards_and_malformed_answers_are_thrown_in() -> None:
    def lost(_: bytes) -> bytes:
        raise CardLost("The card left.")

    seen: list[bytes | None] = []
    subject = ScriptedCard({"00B2": lost})
    done = converse(surviving(), subject, monotonic=Clock(), record=lambda _, got: seen.append(got))
    assert done.result == "CardLost"
    assert [each.sw for each in done.exchanges] == [None, None]
    assert seen == [None, None]
    for answer in (b"", b"\x90", bytes(300)):
        assert converse(surviving(), card(answer), monotonic=Clock()).result == "CardError"
    with pytest.raises(CardLost):
        converse(reading(1), subject, monotonic=Clock())


def test_an_unplugged_reader_closes_the_dialogue() -> None:
    def unplugged(_: bytes) -> bytes:
        raise ReaderUnplugged("The reader is gone.")

    closed: list[bool] = []

    def watching() -> Dialogue[None]:
        try:
            yield READ
        finally:
            closed.append(True)

    with pytest.raises(ReaderUnplugged):
        converse(watching(), ScriptedCard({"00B2": unplugged}), monotonic=Clock())
    assert closed == [True]
