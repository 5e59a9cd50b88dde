"""What is heard: the tones as samples, which change sounds like what, and the spoken sentence."""

from __future__ import annotations

import io
import itertools
import wave
from dataclasses import replace

import pytest

from terminal.emv.outcome import MessageId
from terminal.transaction import State
from tests.ui.stand_ins import AMOUNT, EUR, part_paid, sale
from ui.backstage import Backstage
from ui.events import Authorising, CardRead, Finished, Presenting, Prompted, TillEvent
from ui.presenter.cues import Cue, cue, lights
from ui.presenter.spoken import spoken
from ui.presenter.state import ViewState
from ui.presenter.touches import Touch
from ui.tones import RATE_HZ, TUNES, samples, wav
from ui.touch.signals import Signals
from ui.words import LANGUAGES, Words

START = ViewState(EUR)
PRESENTING = Presenting(AMOUNT, 60.0)


def after(*happenings: TillEvent | Touch) -> ViewState:
    state = START
    for happening in happenings:
        state = state.after(happening)
    return state


def pitch_hz(tone: bytes, seconds: float) -> float:
    """How often the samples swing through zero, twice for each wave."""
    values = memoryview(tone).cast("h")
    signs = [value > 0 for value in values if value]
    crossings = sum(1 for before, now in itertools.pairwise(signs) if before != now)
    return crossings / 2 / seconds


@pytest.mark.parametrize("what", list(Cue))
def test_each_tone_has_its_pitch_begins_and_ends_softly(what: Cue) -> None:
    for hertz, seconds in TUNES[what]:
        tone = samples([(hertz, seconds)])
        values = memoryview(tone).cast("h")
        assert len(values) == round(RATE_HZ * seconds)
        assert abs(values[0]) < 500
        assert abs(values[-1]) < 3000
        assert pitch_hz(tone, seconds) == pytest.approx(hertz, abs=12)


def test_a_read_card_is_one_tone_and_an_approval_another() -> None:
    # As EMV Contactless Book A has the success tone, which means that the card is read.
    assert TUNES[Cue.READ] == ((1500, 0.5),)
    assert TUNES[Cue.APPROVED] != TUNES[Cue.READ]
    # A refusal is low, and comes twice.
    low = [hertz for hertz, _ in TUNES[Cue.REFUSED] if hertz]
    assert len(low) == 2
    assert max(low) < min(hertz for hertz, _ in TUNES[Cue.APPROVED] if hertz)
    assert len({tuple(tune) for tune in TUNES.values()}) == len(Cue)


def test_a_tone_is_a_sound_file_that_any_player_takes() -> None:
    with wave.open(io.BytesIO(wav(Cue.READ))) as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        assert shape == (1, 2, RATE_HZ)
        assert file.getnframes() == RATE_HZ // 2


READ = (PRESENTING, CardRead())
ASKED = (*READ, Authorising(15.0))


@pytest.mark.parametrize(
    ("before", "event", "heard", "lit"),
    [
        ((), PRESENTING, None, 1),
        ((PRESENTING,), CardRead(), Cue.READ, 4),
        (READ, Authorising(15.0), None, 4),
        ((PRESENTING,), Prompted(MessageId.ONE_CARD_ONLY), Cue.ALERT, 1),
        ((PRESENTING,), Prompted(MessageId.SEE_PHONE), Cue.ALERT, 1),
        ((PRESENTING,), Prompted(MessageId.PROCESSING), None, 2),
        (ASKED, Finished(sale(State.APPROVED), None), Cue.APPROVED, 4),
        (ASKED, Finished(sale(State.DECLINED), None), Cue.REFUSED, 0),
        (ASKED, Finished(sale(State.UNKNOWN), None), Cue.ALERT, 0),
        (ASKED, Finished(part_paid(), None), Cue.ALERT, 0),
        (READ, Finished(sale(State.STORED), None), Cue.SAVED, 4),
        ((PRESENTING,), Finished(sale(State.CANCELLED), None), None, 0),
    ],
)
def test_each_change_sounds_and_shines_as_what_it_means(
    before: tuple[TillEvent, ...], event: TillEvent, heard: Cue | None, lit: int
) -> None:
    state = after(*before)
    then = state.after(event)
    assert (cue(state, then), lights(then)) == (heard, lit)
    # The same once more is no news.
    assert cue(then, then) is None


@pytest.mark.parametrize(
    ("before", "event", "sentence"),
    [
        ((), PRESENTING, "€12.50. Hold card, phone or watch here"),
        ((PRESENTING,), CardRead(), ""),
        (
            (PRESENTING,),
            Prompted(MessageId.SEE_PHONE),
            "€12.50. See your phone, then hold again",
        ),
        (ASKED, Finished(sale(State.APPROVED), None), "Approved. €12.50. Money was taken"),
        (ASKED, Finished(sale(State.DECLINED), None), "Card declined. €12.50. No money was taken"),
    ],
)
def test_the_amount_and_the_end_are_spoken(
    before: tuple[TillEvent, ...], event: TillEvent, sentence: str
) -> None:
    state = after(*before)
    then = state.after(event)
    assert spoken(state, then, Words("en")) == sentence
    assert spoken(then, then, Words("en")) == ""


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_voice_gets_plain_digits_and_no_card(language: str) -> None:
    state = after(*ASKED)
    then = state.after(Finished(sale(State.APPROVED), None))
    told = spoken(state, then, Words(language))
    assert any(number in told for number in ("12.50", "12,50", "12\u066b50"))
    assert "•" not in told
    assert not set(told) & set("\u2066\u2067\u2068\u2069")


def test_a_partly_paid_sale_speaks_of_what_is_due() -> None:
    state = after(*ASKED)
    part = part_paid()
    told = spoken(state, state.after(Finished(part, None)), Words("en"))
    assert f"Still due: €{part.still_due_minor / 100:.2f}" in told


class _Recorder:
    """A beeper that remembers."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def tone(self, hertz: int) -> None:
        self.heard.append(hertz)


def test_a_beeper_sounds_what_the_loudspeaker_does() -> None:
    recorder, backstage = _Recorder(), Backstage()
    signals = Signals(backstage, beeper=recorder)
    signals.cue(Cue.APPROVED)
    signals.close()
    backstage.close()
    assert recorder.heard == [*(round(hertz) for hertz, _ in TUNES[Cue.APPROVED]), 0]


def test_a_beeper_that_fails_stops_nothing() -> None:
    class Broken:
        def tone(self, hertz: int) -> None:
            raise OSError(hertz)

    backstage = Backstage()
    signals = Signals(backstage, beeper=Broken())
    for _ in range(2):
        signals.cue(Cue.READ)
    signals.close()
    backstage.close()


def test_the_state_of_a_sale_is_all_that_is_heard() -> None:
    state = after(*ASKED)
    assert cue(state, replace(state, online=False, pending_count=7)) is None
