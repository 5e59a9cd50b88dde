"""What keeps a till from selling is told in the shop's language, and in English for the phone."""

from __future__ import annotations

import pytest

from terminal import errors
from tests.ui.test_shell import FREE, after
from ui.events import OutOfService, Refused
from ui.presenter.faults import FAULTS
from ui.presenter.pages import page
from ui.words import LANGUAGES, Words

KINDS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, errors.TerminalError)
]
TOLD = [
    ("ReaderUnplugged", "The reader is not there"),
    ("ReaderNotFound", "The reader is not there"),
    ("StoreFull", "The disk of the till is full"),
    ("AnswerLost", "The till cannot write its book"),
    ("StoreSealed", "The till's book was changed by something else"),
    ("HostSilent", "The bank cannot be reached as it is set up"),
]


@pytest.mark.parametrize(("fault", "sentence"), TOLD)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", [Refused, OutOfService])
def test_a_fault_is_told_in_every_language(
    event: type[Refused | OutOfService], language: str, fault: str, sentence: str
) -> None:
    words = Words(language)
    shell, _ = after(FREE, event("Plain English.", "Do this.", fault))
    told = page(shell.till, words)
    assert FAULTS[fault][0] == sentence
    if language == "en":
        assert told.lines == ("Plain English.", "Do this.")
    else:
        assert told.lines == tuple(words.say(each) for each in FAULTS[fault])
        assert "Plain English." in told.detail


def test_what_has_no_name_is_told_as_it_came() -> None:
    shell, _ = after(FREE, Refused("Plain English.", "Do this.", "TerminalError"))
    assert page(shell.till, Words("fa")).lines == ("Plain English.", "Do this.")
    assert {each.__name__ for each in KINDS} >= set(FAULTS)
