"""Answers damaged on the way, or by a host: none may become an approval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.errors import HostGarbled
from terminal.iso8583.messages import (
    Action,
    Answer,
    compose_advice,
    compose_sale,
    is_answer_to,
    read_answer,
    repeat_of,
    reversal_of,
)
from terminal.iso8583.profiles import BASE87
from tests.terminal.iso8583.sales import FACTS, answer

SALE = compose_sale(BASE87, FACTS)
ADVICE = compose_advice(BASE87, FACTS)
REVERSAL = reversal_of(BASE87, SALE)
REQUESTS = {"0200": SALE, "0221": repeat_of(BASE87, ADVICE), "0420": REVERSAL}
CODES = ["00", "08", "10", "05", "51", "91", "68", "04", "30", "94", "Z9"]


def money(read: Answer) -> int | None:
    """What the till would book for an answer, in minor units."""
    return read.amount_minor


def understood(request: bytes, wire: bytes) -> Answer | None:
    """What the till makes of a message: not its answer, refused (both None), or an answer."""
    if not is_answer_to(BASE87, request)(wire):
        return None
    try:
        return read_answer(BASE87, request, wire)
    except HostGarbled:
        return None


@pytest.mark.parametrize(
    ("kind", "code"),
    [*(("0200", code) for code in CODES), ("0221", "00"), ("0221", "05"), ("0221", "94")],
)
def test_no_damaged_byte_moves_money(kind: str, code: str) -> None:
    """Every byte in turn is damaged: the same money, or no answer at all."""
    request = REQUESTS[kind]
    good = answer(request, code, amount_minor=500 if code == "10" else None)
    said = read_answer(BASE87, request, good)
    for position in range(len(good)):
        flipped = {good[position] ^ 1 << bit for bit in range(8)}
        for value in (flipped | set(b"019ARZ ")) - {good[position]}:
            read = understood(request, good[:position] + bytes([value]) + good[position + 1 :])
            if read is None:
                continue
            # A partial approval's own amount is the one number that nothing else confirms.
            if said.action is Action.PARTIAL and read.action is Action.PARTIAL:
                assert 0 < (read.amount_minor or 0) < FACTS.amount.minor
            else:
                assert money(read) == money(said)


@given(
    st.sampled_from(sorted(REQUESTS)),
    st.sampled_from(["05", "51", "91", "68", "04", "30", "94", "Z9"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_a_refusal_never_becomes_an_approved_sale(
    kind: str, code: str, damage: list[tuple[int, int]]
) -> None:
    request = REQUESTS[kind]
    wire = bytearray(answer(request, code))
    for position, value in damage:
        wire[position % len(wire)] = value
    read = understood(request, bytes(wire))
    if kind != "0420":
        assert read is None or read.action not in {Action.APPROVED, Action.PARTIAL}


@given(st.sampled_from(sorted(REQUESTS)), st.binary(max_size=150))
def test_noise_is_never_an_answer(kind: str, noise: bytes) -> None:
    assert understood(REQUESTS[kind], noise) is None
