"""Cards that lie: whatever they answer, a tap ends in an outcome and within the limits."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from terminal.emv.converse import converse
from terminal.emv.entry_point import ReaderSettings, default_settings, transact
from terminal.emv.outcome import Decision, Outcome
from terminal.emv.tags import TAGS
from terminal.emv.tlv import encode
from terminal.errors import CardError, CardLost
from terminal.money import Currency
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import fast_dda, mastercard, mastercard_reader
from tests.terminal.emv.replay import Clock
from tests.terminal.emv.scheme import MASTERCARD, VISA, request

SECRET = scheme.PAN


class Script:
    """Answers in order, whatever is asked; then the card is gone."""

    technology = "hostile"

    def __init__(self, answers: list[bytes]) -> None:
        self._answers: Iterator[bytes] = iter(answers)

    def exchange(self, command: bytes) -> bytes:
        for answer in self._answers:
            return answer
        raise CardLost("The card left.")


class Spoiled:
    """An honest card, one of whose answers is changed in one byte, cut or lengthened."""

    technology = "spoiled"

    def __init__(self, honest: scheme.ScriptedCard, at: int, how: int, where: int) -> None:
        self._honest, self._left, self._how, self._where = honest, at, how, where

    def exchange(self, command: bytes) -> bytes:
        answer = self._honest.exchange(command)
        self._left -= 1
        if self._left >= 0:
            return answer
        self._left = 1 << 30
        where = self._where % len(answer)
        if self._how == 256:
            return answer[:where]
        if self._how == 257:
            return answer + bytes(self._where % 8)
        return answer[:where] + bytes((answer[where] ^ self._how,)) + answer[where + 1 :]


def run(card: Script | Spoiled, reader_: ReaderSettings) -> Outcome | None:
    """The outcome, or None when the runner ended the conversation."""
    shown = ""
    outcome = None
    try:
        outcome = converse(transact(request(), reader_), card, monotonic=Clock()).result
    except CardError as error:
        shown = str(error)
    assert SECRET not in shown + repr(outcome)
    return outcome


values = st.binary(max_size=40)
names = st.sampled_from(sorted(tag for tag in TAGS))
objects = st.lists(st.tuples(names, values), max_size=8).map(
    lambda pairs: b"".join(encode(tag, value) for tag, value in pairs)
)
templates = st.tuples(st.sampled_from([0x6F, 0x70, 0x77, 0x80, 0x84]), objects).map(
    lambda pair: encode(*pair)
)
bodies = st.one_of(st.binary(max_size=256), objects, templates)
answers = st.tuples(bodies, st.sampled_from(["9000", "9000", "9000", "6985", "6283"])).map(
    lambda pair: pair[0][:256] + bytes.fromhex(pair[1])
)
honest_start = st.sampled_from(
    [
        [],
        [scheme.directory(VISA), scheme.selected(VISA, {0x9F38: "9F66049F02069F3704"})],
        [scheme.directory(MASTERCARD), scheme.selected(MASTERCARD, {0x9F38: "9F3303"})],
        [scheme.directory(MASTERCARD, VISA)],
    ]
)

DEFAULT = default_settings(250, Currency.of("EUR"), floor_limit_minor=100_000)
LYING_VISA, LYING_MASTERCARD = fast_dda(), mastercard(0x40)
OFFLINE_VISA = scheme.settings(VISA, 3, floor_limit_minor=100_000)
OFFLINE_MASTERCARD = mastercard_reader()


@settings(deadline=None)
@given(honest_start, st.lists(answers, max_size=8))
def test_nonsense_ends_in_an_outcome(start: list[bytes], rest: list[bytes]) -> None:
    outcome = run(Script(start + rest), DEFAULT)
    assert outcome is None or outcome.decision is not Decision.APPROVED


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([0, 1]),
    st.integers(0, 6),
    st.integers(1, 257),
    st.integers(0, 300),
)
@example(1, 3, 1, 181)  # a record that the certificate covers: no CDA, so no offline approval
def test_a_spoiled_card_is_never_approved_for_another_deal(
    which: int, at: int, how: int, where: int
) -> None:
    honest, reader_ = (
        (LYING_VISA, OFFLINE_VISA),
        (LYING_MASTERCARD, OFFLINE_MASTERCARD),
    )[which]
    outcome = run(Spoiled(honest, at, how, where), reader_)
    if outcome is not None and outcome.decision is Decision.APPROVED:
        # What was changed is not signed (a label, padding): account and cryptogram are the card's.
        assert outcome.card is not None
        assert outcome.card.pan.reveal() in {scheme.PAN, "5413330089600044"}
        assert outcome.card.expiry_yymm == "2812"


@settings(deadline=None)
@given(st.integers(1, 30))
def test_endless_records_are_ended(files: int) -> None:
    locator = b"".join(bytes((sfi << 3, 1, 255, 0)) for sfi in range(1, files + 1))
    options = encode(0x77, encode(0x82, b"\x00\x80") + encode(0x94, locator[:200]))
    start = [scheme.directory(MASTERCARD), scheme.selected(MASTERCARD), scheme.ok(options)]
    assert run(Script(start + [b"\x70\x00\x90\x00"] * 300), DEFAULT) is None
