"""A thousand hostile cards here; ``python -m benchmarks.fuzz --cards 1000000`` in the night."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import kept, run
from benchmarks.hostile import FromBytes, corpus, play
from terminal.emv.outcome import Decision


def test_a_thousand_hostile_cards_end_in_outcomes() -> None:
    tally = run(7_000_000, 1000)
    assert tally.cards == 1000
    assert not tally.unexpected
    assert len(tally.endings) >= 5  # they come to kernels, and to their ends


def test_what_once_found_something_finds_nothing_now() -> None:
    assert not [number for number in kept() if run(number, 1).unexpected]


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_a_fuzzer_can_drive_them_too(data: bytes) -> None:
    play(FromBytes(data))


def test_the_honest_cards_behind_them_pay() -> None:
    ends = {each.outcome.decision for each in corpus()}
    assert {Decision.APPROVED, Decision.ONLINE_REQUEST} <= ends
