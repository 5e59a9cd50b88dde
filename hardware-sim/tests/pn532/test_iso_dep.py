"""The card's half of the block protocol, as transcripts of ISO/IEC 14443-4 blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_sim.iso_dep import Activation, Blocks, CardTime, Pace

SILENCE = ""


class Echo:
    """Answers each command with itself and 9000."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []

    def exchange(self, command: bytes) -> bytes:
        self.commands.append(command)
        return command + b"\x90\x00"


def run(transcript: str, *, cid: int = 0, fsci: int = 8, pace: Pace | None = None) -> list[bytes]:
    """Plays lines of ``reader -> card`` and returns the commands that the card has seen."""
    card = Echo()
    activation = Activation(fsci=fsci, fwi=4)
    blocks = Blocks(card, activation, fsd=256, cid=cid, pace=pace or Pace(), time=CardTime())
    for line in transcript.strip().splitlines():
        sent, _, expected = (part.strip() for part in line.partition("->"))
        answer = blocks.answer(bytes.fromhex(sent))
        got = answer.block.hex().upper() if answer else SILENCE
        assert got == expected.replace(" ", ""), line
    return card.commands


@pytest.mark.parametrize(
    ("transcript", "commands"),
    [
        pytest.param("02 AABB -> 02 AABB9000 \n 03 CC -> 03 CC9000", 2, id="block numbers"),
        pytest.param("12 AA -> A2 \n 13 BB -> A3 \n 02 CC -> 02 AABBCC9000", 1, id="chained out"),
        pytest.param("02 AA -> 02 AA9000 \n B2 -> 02 AA9000 \n A2 -> 02 AA9000", 1, id="again"),
        pytest.param("B2 -> A3 \n 02 AA -> 02 AA9000", 1, id="the command was lost"),
        pytest.param(
            "12 AA -> A2 \n B2 -> A2 \n 03 BB -> 03 AABB9000", 1, id="its R(ACK) was lost"
        ),
        pytest.param("02 AA -> 02 AA9000 \n A3 ->", 1, id="nothing is left to acknowledge"),
        pytest.param("02 AA -> 02 AA9000 \n C2 -> C2", 1, id="deselected"),
        pytest.param(
            "0A01 AA -> \n 0601 AA -> \n 08 -> \n FF -> \n F2 01 ->  \n E0 80 ->",
            0,
            id="not for it",
        ),
    ],
)
def test_a_transcript(transcript: str, commands: int) -> None:
    assert len(run(transcript)) == commands


def test_an_answer_is_chained_back() -> None:
    run(
        """
        02 AABBCCDD -> 12 AABB
        A3          -> 13 CCDD
        B3          -> 13 CCDD
        A2          -> 02 9000
        """,
        pace=Pace(chunk=2),
    )


def test_a_card_identifier_must_be_its_own() -> None:
    run(
        """
        0A03 AA -> 0A03 AA9000
        0A04 AA ->
        03 AA   ->
        CA03    -> CA03
        """,
        cid=3,
    )


def test_a_frame_longer_than_the_card_takes_is_dropped() -> None:
    frame = "02" + "AA" * 13
    assert run(f"{frame}BB -> \n {frame} -> {frame}9000", fsci=0) == [b"\xaa" * 13]


def test_a_slow_card_asks_for_time_and_again() -> None:
    # FWT is 4.833 ms, so 400 ms are 82 of it, and 59 is the most that it may ask for.
    run(
        """
        02 AA  -> F23B
        B2     -> F23B
        F205   ->
        F23B   -> F217
        F217   -> 02 AA9000
        03 BB  -> F23B
        """,
        pace=Pace(thinking_ms=400),
    )


@pytest.mark.parametrize(
    ("activation", "ats"),
    [
        (Activation(), "0578007002"),
        (Activation(fsci=2, fwi=4, sfgi=1), "0572004102"),
        (Activation(historical=b"\x80\x01"), "07780070028001"),
        (Activation(raw_ats=b"\x01"), "01"),
    ],
)
def test_an_answer_to_select(activation: Activation, ats: str) -> None:
    assert activation.ats.hex().upper() == ats
    again = Activation.of_ats(activation.ats)
    assert again.ats == activation.ats
    if activation.raw_ats is None:
        assert (again.fsci, again.fwi, again.sfgi) == (
            activation.fsci,
            activation.fwi,
            activation.sfgi,
        )
    else:
        assert (again.fsci, again.fwi) == (2, 4)


@pytest.mark.parametrize(
    "values", [{"fsci": 16}, {"fwi": -1}, {"sfgi": 16}, {"historical": bytes(16)}]
)
def test_an_activation_that_no_card_can_have(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"four bits|historical"):
        Activation(**values)  # type: ignore[arg-type] # wrong on purpose


@given(blocks=st.lists(st.binary(max_size=40), max_size=12), thinking=st.sampled_from((0, 50)))
def test_no_sequence_of_blocks_is_an_exception(blocks: list[bytes], thinking: int) -> None:
    card = Blocks(
        Echo(),
        Activation(fsci=1, fwi=4),
        fsd=16,
        pace=Pace(thinking_ms=thinking),
        time=CardTime(),
    )
    for block in blocks:
        answer = card.answer(block)
        assert answer is None or 1 <= len(answer.block) <= 14
