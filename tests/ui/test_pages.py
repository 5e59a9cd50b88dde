"""Pages: what each state says, in every language."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest

from terminal.emv.outcome import MessageId
from terminal.money import Amount, Currency
from terminal.transaction import MoneyTaken, State
from tests.ui.stand_ins import AMOUNT, EUR, part_paid, sale
from ui.events import (
    Authorising,
    CardRead,
    Finished,
    NetworkChanged,
    OutOfService,
    PendingChanged,
    Presenting,
    Prompted,
    ReaderChanged,
    ReceiptDone,
    Refused,
    TillEvent,
)
from ui.presenter.page import Page, chips
from ui.presenter.pages import page
from ui.presenter.sayings import LAST_WORDS, MONEY_LINES, PROMPTS, RESULTS, Tone
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.touches import Cancel, Charge, Digit, Done, Touch
from ui.presenter.verdict import Verdict
from ui.words import LANGUAGES, Words

ENGLISH = Words("en")


def shown(*happenings: TillEvent | Touch, words: Words = ENGLISH) -> Page:
    state = ViewState(EUR)
    for happening in happenings:
        state = state.after(happening)
    return page(state, words)


def plain(text: str) -> str:
    return ENGLISH.plain(text)


def test_tables_are_total() -> None:
    assert set(PROMPTS) == set(MessageId)
    assert set(RESULTS) == set(Verdict)
    assert set(MONEY_LINES) == set(MoneyTaken)
    assert set(LAST_WORDS) == set(State)


@pytest.mark.parametrize(
    ("happenings", "amount", "label", "enabled"),
    [
        ((), "€0.00", "Charge", False),
        ((Digit(5),), "€0.05", "Charge €0.05", True),
        ((Digit(1), Digit(2), Digit(5), Digit(0)), "€12.50", "Charge €12.50", True),
        ((ReaderChanged(ok=False, text=""), Digit(5)), "€0.05", "Charge €0.05", True),
    ],
)
def test_start(happenings: tuple[Touch, ...], amount: str, label: str, *, enabled: bool) -> None:
    start = shown(*happenings)
    assert plain(start.amount) == amount
    assert plain(start.keys[0].label) == label
    assert start.keys[0].enabled is enabled


@pytest.mark.parametrize(
    ("happenings", "title", "lights", "keys"),
    [
        ((Digit(5), Charge()), "One moment…", 0, ["Cancel"]),
        ((Presenting(AMOUNT, 30.0),), "Hold card, phone or watch here", 1, ["Cancel"]),
        (
            (Presenting(AMOUNT, 30.0), Cancel()),
            "Hold card, phone or watch here",
            1,
            ["Cancelling…"],
        ),
        (
            (Presenting(AMOUNT, 30.0), Prompted(MessageId.ONE_CARD_ONLY)),
            "One card only, please",
            1,
            ["Cancel"],
        ),
        (
            (Presenting(AMOUNT, 30.0), Prompted(MessageId.SEE_PHONE)),
            "See your phone, then hold again",
            1,
            ["Cancel"],
        ),
        ((Presenting(AMOUNT, 30.0), CardRead()), "Card read. You can take it away", 4, []),
        ((Presenting(AMOUNT, 30.0), CardRead(), Authorising(9.0)), "Asking the bank…", 4, []),
    ],
)
def test_prompts(
    happenings: tuple[TillEvent | Touch, ...], title: str, lights: int, keys: list[str]
) -> None:
    prompt = shown(*happenings)
    assert prompt.title == title
    assert prompt.lights == lights
    assert [key.label for key in prompt.keys] == keys


@pytest.mark.parametrize(
    ("event", "title", "tone", "money"),
    [
        (Finished(sale(State.APPROVED), None), "Approved", Tone.OK, MoneyTaken.YES),
        (Finished(part_paid(), None), "Partly paid", Tone.WARN, MoneyTaken.YES),
        (Finished(sale(State.DECLINED), None), "Card declined", Tone.BAD, MoneyTaken.NO),
        (Finished(sale(State.STORED), None), "Saved offline", Tone.WARN, MoneyTaken.NOT_YET),
        (
            Finished(sale(State.UNKNOWN), None),
            "We don't know yet",
            Tone.PENDING,
            MoneyTaken.NOT_KNOWN,
        ),
        (Finished(sale(State.REVERSED), None), "Undone", Tone.NEUTRAL, MoneyTaken.NO),
        (Finished(sale(State.CANCELLED), None), "Cancelled", Tone.NEUTRAL, MoneyTaken.NO),
        (Refused("No room on the disk."), "Sale not possible now", Tone.WARN, MoneyTaken.NO),
    ],
)
def test_results_say_whether_money_was_taken(
    event: TillEvent, title: str, tone: Tone, money: MoneyTaken
) -> None:
    result = shown(Presenting(AMOUNT, 30.0), event)
    assert (result.title, result.tone, result.money_taken) == (title, tone, money)
    assert result.money == MONEY_LINES[money]


def test_a_result_names_the_card_by_four_digits() -> None:
    result = shown(Finished(sale(State.APPROVED), None), ReceiptDone("t1", ok=True, note="x"))
    assert plain(result.lines[0]) == "Visa •••• 1234"
    assert plain(result.amount) == "€12.50"
    assert plain(result.detail) == "Approval 123456 · Receipt printed"


def test_a_refusal_without_the_bank_tells_the_cashier_why() -> None:
    refused = replace(
        sale(State.DECLINED), response_code="", reason="Offline, one sale may be at most EUR 50.00."
    )
    assert "at most EUR 50.00." in plain(shown(Finished(refused, None)).detail)


def test_a_partial_approval_shows_what_was_paid_and_what_is_due() -> None:
    result = shown(Finished(part_paid(), None))
    assert plain(result.amount) == "€7.50"
    assert "Still due: €5.00" in map(plain, result.lines)


def test_a_decline_names_no_cause_but_the_code_for_the_cashier() -> None:
    result = shown(Finished(sale(State.DECLINED), None))
    said = plain(" ".join((result.title, *result.lines, result.money)))
    assert "funds" not in said
    assert plain(result.detail) == "Bank code 51"


@pytest.mark.parametrize(
    ("state", "labels"),
    [
        (State.APPROVED, ["Receipt", "New sale"]),
        (State.UNKNOWN, ["New sale"]),
        (State.STORED, ["Receipt", "New sale"]),
        (State.DECLINED, ["Cash", "Charge €12.50 again", "New sale"]),
        (State.CANCELLED, ["Cash", "Charge €12.50 again", "New sale"]),
    ],
)
def test_result_keys(state: State, labels: list[str]) -> None:
    result = shown(Finished(sale(state), None))
    assert [plain(key.label) for key in result.keys] == labels


def test_out_of_service_tells_of_the_last_sale() -> None:
    closed = shown(Finished(sale(State.UNKNOWN), None), OutOfService("The disk.", "Call us."))
    assert closed.lines == ("The disk.", "Call us.")
    assert plain(closed.detail) == "Last sale: €12.50 · Visa •••• 1234 · We don't know yet"
    assert closed.money_taken is MoneyTaken.NOT_KNOWN
    assert not closed.keys


@pytest.mark.parametrize(
    ("events", "texts"),
    [
        ((), ["Reader ready"]),
        ((ReaderChanged(ok=False, text=""),), ["No reader"]),
        ((NetworkChanged(online=False),), ["Offline", "Reader ready"]),
        (
            (NetworkChanged(online=False), PendingChanged(3, Amount(4120, EUR))),
            ["Offline · 3 to send · €41.20", "Reader ready"],
        ),
        ((PendingChanged(1, Amount(100, EUR)),), ["1 to send · €1.00", "Reader ready"]),
        ((PendingChanged(0, Amount(0, EUR)),), ["Reader ready"]),
    ],
)
def test_chips(events: tuple[TillEvent, ...], texts: list[str]) -> None:
    state = ViewState(EUR)
    for event in events:
        state = state.after(event)
    assert [plain(chip.text) for chip in chips(state, ENGLISH)] == texts


STORIES: list[tuple[TillEvent | Touch, ...]] = [
    (),
    (Digit(1),),
    (Digit(1), Charge()),
    *((Presenting(AMOUNT, 1.0), Prompted(message)) for message in MessageId),
    (Presenting(AMOUNT, 1.0), CardRead(), Authorising(1.0)),
    *((Finished(sale(state), None),) for state in State),
    (Finished(part_paid(), None),),
    *((Finished(sale(state), None), Done()) for state in State),
    (Refused("m", "r"),),
    (OutOfService("m", "r"),),
    (NetworkChanged(online=False), PendingChanged(2, AMOUNT)),
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_complete_in_every_language(language: str) -> None:
    words = Words(language)
    for story in STORIES:
        told = shown(*story, words=words)
        assert told.title
        texts = [told.title, told.amount, told.caption, told.money, told.detail, *told.lines]
        texts += [key.label for key in told.keys] + [chip.text for chip in told.chips]
        for text in texts:
            assert not set("{}") & set(text), text
        if told.screen is Screen.RESULT:
            assert told.money
        if language == "fa":
            assert not set(string.ascii_letters) & set(told.title)


@pytest.mark.parametrize("code", ["EUR", "JPY", "KWD", "IRR", "XOF"])
def test_the_start_counts_in_any_currency(code: str) -> None:
    currency = Currency.of(code)
    state = ViewState(currency).after(Digit(1)).after(Digit(2)).after(Digit(5))
    text = plain(page(state, ENGLISH).amount)
    expected = {"EUR": "€1.25", "JPY": "¥125", "KWD": "KWD\xa00.125", "IRR": "IRR\xa0125"}
    assert text == expected.get(code, f"{code}\xa0125")
