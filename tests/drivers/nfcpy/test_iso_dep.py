"""Blocks, chaining and waiting times between nfcpy and a card, through its real PN532 driver."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from drivers.door import PatternChip, pattern
from hardware_sim.iso_dep import FRAME_SIZES, Activation, Answer, Pace
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.pn532_chip import AirFaults
from hardware_sim.tags import IsoDepTag
from terminal.errors import CardError, CardLost
from terminal.ports import Reader
from tests.drivers.nfcpy.taps import LONGEST, tap


@pytest.mark.parametrize("type_b", [False, True], ids=["type A", "type B"])
@pytest.mark.parametrize("chunk", [1, 256])
@pytest.mark.parametrize("fsci", range(9), ids=lambda fsci: f"frames of {FRAME_SIZES[fsci]}")
def test_long_commands_and_answers_are_chained(
    world: Pn532OnPty, reader: Reader, fsci: int, chunk: int, *, type_b: bool
) -> None:
    chip = PatternChip()
    card = IsoDepTag(chip, type_b=type_b, activation=Activation(fsci=fsci), pace=Pace(chunk=chunk))
    world.present_tags(card)
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)
    assert chip.seen == [LONGEST]


@pytest.mark.parametrize(
    ("fwi", "thinking_ms", "asks", "answered"),
    [
        (4, 0, True, True),
        (4, 4, False, True),  # FWT is 4.8 ms.
        (4, 400, True, True),  # 82 times FWT: more than one extension can give.
        (4, 200, True, True),
        (4, 200, False, False),  # As slow, and silent about it.
        (7, 150, True, True),
        (7, 150, False, False),
        (10, 300, False, True),  # FWT is 309 ms.
        (14, 3000, False, True),  # FWT is 4.9 s; the chip itself waits 3.3 s at most.
    ],
)
@pytest.mark.parametrize("type_b", [False, True], ids=["type A", "type B"])
def test_a_slow_card_gets_the_time_it_asks_for(
    world: Pn532OnPty,
    reader: Reader,
    *,
    type_b: bool,
    fwi: int,
    thinking_ms: int,
    asks: bool,
    answered: bool,
) -> None:
    pace = Pace(thinking_ms=thinking_ms, asks_for_time=asks, chunk=100)
    activation = Activation(fwi=fwi, fsci=2)
    world.present_tags(IsoDepTag(PatternChip(), type_b=type_b, activation=activation, pace=pace))
    card = tap(reader)
    if answered:
        assert card.exchange(LONGEST) == pattern(LONGEST)
    else:
        with pytest.raises(CardLost):
            card.exchange(LONGEST)


@pytest.mark.parametrize("seed", range(20))
def test_on_a_bad_air_a_command_runs_once_and_its_answer_is_whole_or_none(
    world: Pn532OnPty, reader: Reader, seed: int
) -> None:
    chance = random.Random(seed)  # The seed is in the test's name.
    chip = PatternChip()
    card = IsoDepTag(
        chip,
        type_b=chance.random() < 0.5,
        activation=Activation(fsci=chance.randrange(9), fwi=chance.choice((4, 7))),
        pace=Pace(chunk=chance.choice((13, 60, 256)), thinking_ms=chance.choice((0, 0, 300))),
    )
    world.present_tags(card)
    in_hand = tap(reader)
    world.use_air(
        AirFaults(seed, lost_rate=chance.choice((0, 0.2)), damaged_rate=chance.choice((0, 0.2)))
    )
    sent: list[bytes] = []
    try:
        for _ in range(8):
            data = chance.randbytes(chance.randrange(1, 256))
            command = bytes((0x80, 0xCA, chance.randrange(256), 0, len(data))) + data + b"\x00"
            sent.append(command)
            assert in_hand.exchange(command) == pattern(command)
    except CardLost:
        # The last one may have reached the card. None reached it twice.
        assert chip.seen in (sent, sent[:-1])
    else:
        assert chip.seen == sent


@pytest.mark.parametrize("at", range(1, 12))
def test_one_lost_block_is_made_good(world: Pn532OnPty, reader: Reader, at: int) -> None:
    chip = PatternChip()
    world.present(chip, ats=Activation(fsci=5))
    card = tap(reader)
    world.use_air(AirFaults(timeout_at=frozenset({at})))
    assert card.exchange(LONGEST) == pattern(LONGEST)
    assert chip.seen == [LONGEST]


@pytest.mark.parametrize("type_b", [False, True], ids=["type A", "type B"])
def test_a_block_is_one_command_to_the_chip(
    world: Pn532OnPty, reader: Reader, *, type_b: bool
) -> None:
    world.present(PatternChip(), type_b=type_b)
    card = tap(reader)
    card.exchange(LONGEST)
    before = world.commands_taken
    for _ in range(5):
        assert card.exchange(LONGEST) == pattern(LONGEST)
    # 261 bytes take two blocks out, and 258 take two back; the first answers the second.
    assert world.commands_taken - before == 5 * 3


class Stubborn(IsoDepTag):
    """A card that is activated and then answers every block by ``script``."""

    def __init__(self, script: Callable[[bytes], bytes | None]) -> None:
        super().__init__(PatternChip())
        self.script = script
        self.blocks = 0

    def frame(self, data: bytes) -> Answer | None:
        if not self.activated:
            return super().frame(data)
        self.blocks += 1
        block = self.script(data)
        return None if block is None else Answer(block)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(lambda _: b"\xf2\x01", id="asks for time without end"),
        pytest.param(lambda _: b"\xf2\x00", id="asks for no time"),
        pytest.param(lambda _: b"\xf2", id="asks for time without saying how much"),
        pytest.param(lambda block: bytes((0x12 | block[0] & 1, 0x55)), id="chains without end"),
        pytest.param(lambda block: bytes((0xA2 | ~block[0] & 1,)), id="never takes the command"),
        pytest.param(lambda _: b"\x03\x90\x00", id="uses the wrong block number"),
        pytest.param(lambda _: b"\xc2", id="deselects itself"),
        pytest.param(lambda _: b"\xff\xff", id="talks nonsense"),
        pytest.param(lambda _: b"", id="sends empty frames"),
        pytest.param(lambda _: None, id="is silent"),
    ],
)
def test_a_card_that_breaks_the_block_protocol_is_lost(
    world: Pn532OnPty, reader: Reader, script: Callable[[bytes], bytes | None]
) -> None:
    tag = Stubborn(script)
    world.present_tags(tag)
    card = tap(reader)
    with pytest.raises(CardLost):
        card.exchange(bytes.fromhex("80CA100000"))
    assert 1 <= tag.blocks <= 400
    reader.release()
    world.present(PatternChip())
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)


@pytest.mark.parametrize("block", [b"\x02", b"\x02\x90"], ids=["no byte", "one byte"])
def test_an_answer_without_a_status_word_is_the_cards_fault(
    world: Pn532OnPty, reader: Reader, block: bytes
) -> None:
    world.present_tags(Stubborn(lambda _: block))
    with pytest.raises(CardError, match="status word"):
        tap(reader).exchange(bytes.fromhex("80CA100000"))
