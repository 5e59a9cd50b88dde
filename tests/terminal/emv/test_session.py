"""The reader that drives its field by itself: what it does, action by action.

The recorded suite of the conformance command holds its order and its words; here are the turns
that the suite leaves out.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from terminal.emv import session
from terminal.emv.apdu import Command, Response
from terminal.emv.kernels import c3
from terminal.emv.outcome import Cvm, Decision, MessageId, Start, UiRequest, UiStatus
from terminal.emv.session import KernelStart, OutcomeParameters, Session
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import VISA, ScriptedCard, ok
from tests.terminal.emv.taps import reader

Kernel = Generator[Command, Response, OutcomeParameters]


def played(
    reading: Session, card: Any, *, online: bytes = b"", alone: bool = True
) -> tuple[list[str], OutcomeParameters]:
    """The actions in words, and the outcome."""
    done = []
    running = reading.run()
    answer: Any = None
    try:
        while True:
            action = running.send(answer)
            answer = None
            if isinstance(action, Command):
                answer = Response.decode(card.exchange(action.encode()))
                continue
            said = type(action).__name__
            if isinstance(action, session.Show):
                said = action.shown.request.message.name
            elif isinstance(action, session.FieldOn):
                answer = alone
            elif isinstance(action, session.GoOnline):
                answer = online
            elif isinstance(action, session.FieldOff):
                said += f" {action.hold_ms}" if action.hold_ms else ""
            elif isinstance(action, session.Restart):
                said += f" {action.start.name}"
            done.append(said)
    except StopIteration as end:
        return done, end.value


def visa(**answers: bytes) -> ScriptedCard:
    # Named twice, so that "select next" has a next one.
    listed = scheme.directory(VISA, VISA)
    table = {scheme.SELECT_PPSE: listed, scheme.select(VISA): scheme.selected(VISA)}
    return ScriptedCard({**table, **{prefix[1:]: answer for prefix, answer in answers.items()}})


def scripted(*outcomes: OutcomeParameters) -> tuple[Session, list[KernelStart]]:
    """A session whose kernel ends like this, each time that it is started."""
    starts: list[KernelStart] = []

    def kernel(begun: KernelStart) -> Kernel:
        starts.append(begun)
        yield Command(0x00, 0xB2, len(starts), 0x0C)
        return outcomes[len(starts) - 1]

    return Session(scheme.request(), scheme.settings(VISA, 3), {3: kernel}), starts


def test_a_kernel_of_this_product() -> None:
    asked, settings = scheme.request(), reader()
    kernels = {3: session.kernel_of(c3.run)}
    done, found = played(Session(asked, settings, kernels), EmvCard(load_profile("visa-credit")))
    assert done == ["PRESENT_CARD", "FieldOn", "AUTHORISING", "Report", "FieldOff"]
    assert (found.decision, found.cvm, found.receipt) == (
        Decision.ONLINE_REQUEST,
        found.outcome.cvm if found.outcome else None,
        found.cvm is Cvm.SIGNATURE,
    )


AGAIN = OutcomeParameters(Decision.TRY_AGAIN, Start.B)
APPROVED = OutcomeParameters(Decision.APPROVED)
AUTHORISING = UiRequest(MessageId.AUTHORISING, UiStatus.CARD_READ)


@pytest.mark.parametrize(
    ("outcomes", "online", "alone", "done"),
    [
        (
            [OutcomeParameters(Decision.TRY_AGAIN, Start.B, field_off_ms=13), APPROVED],
            b"",
            True,
            ["PRESENT_CARD", "FieldOn", "FieldOff 13", "FieldOn", "Report", "FieldOff"],
        ),
        (
            [AGAIN, APPROVED],
            b"",
            True,
            ["PRESENT_CARD", "FieldOn", "FieldOn", "Report", "FieldOff"],
        ),
        (
            [APPROVED],
            b"",
            False,
            ["PRESENT_CARD", "FieldOn", "ONE_CARD_ONLY", "WaitForOneCard", "Report", "FieldOff"],
        ),
        (
            [OutcomeParameters(Decision.END_APPLICATION, Start.C, field_off_ms=20), APPROVED],
            b"",
            True,
            [
                *("PRESENT_CARD", "FieldOn", "Report", "FieldOff 20", "Restart C"),
                *("PRESENT_CARD", "Report", "FieldOff"),
            ],
        ),
        (
            [OutcomeParameters(Decision.ONLINE_REQUEST, Start.B), APPROVED],
            b"\x8a\x02\x30\x30",
            True,
            [
                *("PRESENT_CARD", "FieldOn", "Report", "GoOnline", "Restart B"),
                *("PRESENT_CARD", "FieldOn", "Report", "FieldOff"),
            ],
        ),
        (
            [OutcomeParameters(Decision.SELECT_NEXT), APPROVED],
            b"",
            True,
            ["PRESENT_CARD", "FieldOn", "Report", "FieldOff"],
        ),
        (
            [replace(APPROVED, ui=session.Shown(AUTHORISING))],
            b"",
            True,
            ["PRESENT_CARD", "FieldOn", "AUTHORISING", "Report", "FieldOff"],
        ),
        (
            [OutcomeParameters(Decision.ONLINE_REQUEST, Start.D), APPROVED],
            b"\x8a\x02\x30\x30",
            True,
            [
                *("PRESENT_CARD", "FieldOn", "Report", "GoOnline", "Restart D"),
                *("PRESENT_CARD", "Report", "FieldOff"),
            ],
        ),
        (
            [OutcomeParameters(Decision.ONLINE_REQUEST, Start.D)],
            b"",
            True,
            ["PRESENT_CARD", "FieldOn", "Report", "GoOnline", "CARD_READ_OK", "FieldOff"],
        ),
    ],
)
def test_what_a_kernels_outcome_leads_to(
    outcomes: Sequence[OutcomeParameters], online: bytes, *, alone: bool, done: list[str]
) -> None:
    reading, starts = scripted(*outcomes)
    assert played(reading, visa(), online=online, alone=alone) == (done, outcomes[-1])
    assert len(starts) == len(outcomes)
    assert starts[-1].restarted == any(each.startswith("Restart") for each in done)


UNREADABLE = ok(bytes.fromhex("6F057703"))


@pytest.mark.parametrize(
    "answers",
    [
        {"_" + scheme.SELECT_PPSE: bytes.fromhex("6A82")},
        {"_" + scheme.SELECT_PPSE: UNREADABLE},
        {"_" + scheme.select(VISA): bytes.fromhex("6283")},
        {"_" + scheme.select(VISA): UNREADABLE},
    ],
)
def test_no_application_that_can_be_used(answers: dict[str, bytes]) -> None:
    reading, starts = scripted(APPROVED)
    done, found = played(reading, visa(**answers))
    assert done == ["PRESENT_CARD", "FieldOn", "TRY_ANOTHER_CARD", "Report", "FieldOff"]
    assert found.decision is Decision.END_APPLICATION
    assert not starts


@pytest.mark.parametrize(
    ("autorun", "done"), [(True, ["FieldOn", "PRESENT_CARD"]), (False, ["FieldOff", "WELCOME"])]
)
def test_a_reader_that_waits(*, autorun: bool, done: list[str]) -> None:
    actions = list(session.idle(autorun=autorun))
    said = [
        each.shown.request.message.name if isinstance(each, session.Show) else type(each).__name__
        for each in actions
    ]
    assert said == done


def test_autorun_sends_the_qualifiers_as_configured() -> None:
    starts: list[KernelStart] = []

    def kernel(begun: KernelStart) -> Kernel:
        starts.append(begun)
        yield Command(0x00, 0xB2, 1, 0x0C)
        return APPROVED

    settings = scheme.settings(VISA, 3, ttq=bytes.fromhex("B6204000"), cvm_limit_minor=0)
    for autorun, qualifiers in ((True, "b6204000"), (False, "b6e04000")):
        played(Session(scheme.request(), settings, {3: kernel}, autorun=autorun), visa())
        assert starts[-1].activation.terminal[0x9F66].hex() == qualifiers
        assert starts[-1].start is (Start.B if autorun else Start.A)
        assert starts[-1].activation.indicators.cvm_required is not autorun


def test_an_amount_that_no_application_may_take() -> None:
    reading = Session(
        scheme.request(), scheme.settings(VISA, 3, contactless_limit_minor=1250), kernels={}
    )
    done, found = played(reading, visa())
    assert done == ["PRESENT_CARD", "INSERT_OR_SWIPE", "Report", "FieldOff"]
    assert found.decision is Decision.TRY_ANOTHER_INTERFACE
    assert found.ui is not None
    assert found.ui.request.message is MessageId.INSERT_OR_SWIPE


def test_a_command_is_answered_with_a_response_and_nothing_else() -> None:
    reading, _ = scripted(APPROVED)
    running = reading.run()
    action: Any = next(running)
    while not isinstance(action, Command):
        action = running.send(None)
    with pytest.raises(AssertionError, match="answered with a response"):
        running.send(b"\x90\x00")
