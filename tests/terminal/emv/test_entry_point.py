from __future__ import annotations

import functools
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from terminal.emv.entry_point import (
    ActionCodes,
    Combination,
    ReaderSettings,
    TransactionRequest,
    activated,
    default_settings,
)
from terminal.emv.outcome import Decision, MessageId, Start
from terminal.emv.selection import Candidate
from terminal.emv.tlv import encode
from terminal.errors import CardLost, ConfigError
from terminal.money import Amount, Currency
from tests.conftest import require_vectors
from tests.terminal.emv.replay import load
from tests.terminal.emv.scheme import (
    MASTERCARD,
    SELECT_PPSE,
    VISA,
    ScriptedCard,
    directory,
    ok,
    request,
    select,
    selected,
    settings,
    tap,
    tlv,
)

AMEX = bytes.fromhex("A00000002501")
EUR = Currency.of("EUR")
TRACK = "4761739001010010D2812201000000000F"
OPTIONS = ok(
    encode(
        0x77,
        tlv(
            {0x82: "2000", 0x57: TRACK, 0x9F10: "06011203A00000", 0x9F26: "00" * 8, 0x9F36: "0001"}
        ),
    )
)


def default() -> ReaderSettings:
    return default_settings(250, EUR)


def test_published_answers_that_must_be_rejected() -> None:
    reasons = {
        "6A82": "not a payment card",
        "6F05A503BF0C009000": r"no usable name \(84\)",
        "700200009000": "no template 6F",
        "6A81": "GET PROCESSING OPTIONS was answered with 6A81",
        "6A83": "READ RECORD was answered with 6A83",
    }
    cases = load(require_vectors() / "emv" / "negative" / "card_answers_to_reject.json")["cases"]
    assert {case["response"] for case in cases} == set(reasons)
    commands = {
        "SELECT PPSE": SELECT_PPSE,
        "SELECT AID": select(VISA),
        "GET PROCESSING OPTIONS": "80A8",
        "READ RECORD": "00B2",
    }
    for case in cases:
        answers = {
            SELECT_PPSE: directory(VISA),
            select(VISA): selected(VISA),
            "80A8": ok(encode(0x77, OPTIONS[2:-2] + tlv({0x94: "08010100"}))),
            commands[case["after_command"]]: bytes.fromhex(case["response"]),
        }
        outcome = tap(ScriptedCard(answers), request(), default())
        assert outcome.decision is Decision.END_APPLICATION
        assert outcome.ui is not None
        assert outcome.ui.message is MessageId.TRY_ANOTHER_CARD
        assert re.search(reasons[case["response"]], outcome.reason), case


def next_of(answers: list[bytes], _: bytes) -> bytes:
    return answers.pop(0)


def test_the_next_candidate_is_tried() -> None:
    refused = {
        "SELECT refused": {select(MASTERCARD): b"\x6a\x82"},
        "SELECT malformed": {select(MASTERCARD): ok(b"\x70\x00")},
        "SELECT of another": {select(MASTERCARD): selected(VISA)},
        "options refused": {select(MASTERCARD): selected(MASTERCARD)},
    }
    for name, answers in refused.items():
        options = [b"\x69\x85", OPTIONS] if name == "options refused" else [OPTIONS]
        subject = ScriptedCard(
            {
                SELECT_PPSE: directory(MASTERCARD, VISA),
                select(VISA): selected(VISA),
                "80A8": functools.partial(next_of, options),
                **answers,
            }
        )
        outcome = tap(subject, request(), default())
        assert outcome.decision is Decision.ONLINE_REQUEST, (name, outcome.reason)
        assert outcome.application is not None
        assert outcome.application.aid == VISA
    none = tap(ScriptedCard({SELECT_PPSE: directory(MASTERCARD, VISA)}), request(), default())
    assert none.decision is Decision.END_APPLICATION
    assert "6D00" in none.reason


def test_a_visa_application_that_asks_for_no_ttq_is_passed_over() -> None:
    for pdol in ("", "9F0206"):
        subject = ScriptedCard(
            {SELECT_PPSE: directory(VISA), select(VISA): selected(VISA, {0x9F38: pdol})}
        )
        outcome = tap(subject, request(), default())
        assert outcome.decision is Decision.END_APPLICATION
        assert "not made for kernel 3" in outcome.reason
        assert len(subject.sent) == 2


def test_schemes_without_a_kernel_are_sent_to_the_chip() -> None:
    reader = default()
    domestic = tuple(
        replace(each, kernel_id=0x810001) if each.kernel_id == 4 else each
        for each in reader.combinations
    )
    reader = replace(reader, combinations=domestic)
    named = bytes.fromhex("9F2A03810001")
    subject = ScriptedCard({SELECT_PPSE: directory(AMEX, extra=named)})
    outcome = tap(subject, request(), reader)
    assert outcome.decision is Decision.TRY_ANOTHER_INTERFACE
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.INSERT_CARD
    assert outcome.reason == "the scheme needs kernel 8454145, which is not here"
    assert len(subject.sent) == 1


@pytest.mark.parametrize(
    ("aid", "scheme"),
    [
        ("A0000002771010", "Interac"),
        ("A00000038410", "eftpos"),
        ("A0000005241010", "RuPay"),
        ("A0000003591010028001", "girocard"),
    ],
)
def test_domestic_schemes_are_known_by_name(aid: str, scheme: str) -> None:
    outcome = tap(ScriptedCard({SELECT_PPSE: directory(bytes.fromhex(aid))}), request(), default())
    assert outcome.decision is Decision.END_APPLICATION
    assert f"no application that this terminal takes, but {scheme}" in outcome.reason


def test_no_application_in_common() -> None:
    outcome = tap(ScriptedCard({SELECT_PPSE: directory()}), request(), default())
    assert outcome.decision is Decision.END_APPLICATION
    assert "no application" in outcome.reason


def test_over_every_limit_no_card_is_asked() -> None:
    subject = ScriptedCard({})
    outcome = tap(subject, request(5000), default_settings(250, EUR, contactless_limit_minor=5000))
    assert outcome.decision is Decision.TRY_ANOTHER_INTERFACE
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.INSERT_OR_SWIPE
    assert subject.sent == []


@pytest.mark.parametrize("lost_at", [0, 1, 2])
def test_a_lost_card_is_to_be_presented_again(lost_at: int) -> None:
    def lost(_: bytes) -> bytes:
        raise CardLost("The card left.")

    names = [SELECT_PPSE, select(VISA), "80A8"]
    answers: dict[str, Any] = {
        SELECT_PPSE: directory(VISA),
        select(VISA): selected(VISA),
        names[lost_at]: lost,
    }
    outcome = tap(ScriptedCard(answers), request(), default())
    assert (outcome.decision, outcome.start) == (Decision.TRY_AGAIN, Start.B)
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.PRESENT_AGAIN


@pytest.mark.parametrize(
    ("objects", "scheme_label", "label"),
    [
        ({0x50: b"VISA CREDIT"}, b"", "VISA CREDIT"),
        ({0x50: b"VISA", 0x9F12: b"Ma carte", 0x9F11: b"\x01"}, b"", "Ma carte"),
        ({0x50: b"VISA", 0x9F12: b"\xcf\xf0", 0x9F11: b"\x05"}, b"", "VISA"),
        ({0xDF01: b""}, b"FROM PPSE", "FROM PPSE"),
        ({0xDF01: b""}, b"", "Visa"),
        ({0x50: b"A LABEL OF MORE THAN SIXTEEN"}, b"", "A LABEL OF MORE "),
    ],
)
def test_the_name_on_the_receipt(
    objects: dict[int, str | bytes], scheme_label: bytes, label: str
) -> None:
    extra = encode(0x50, scheme_label) if scheme_label else b""
    subject = ScriptedCard(
        {
            SELECT_PPSE: directory(VISA, extra=extra),
            select(VISA): selected(VISA, objects),
            "80A8": OPTIONS,
        }
    )
    outcome = tap(subject, request(), default())
    assert outcome.application is not None
    assert outcome.application.label == label


@pytest.mark.parametrize(
    "changes",
    [
        {"at": datetime(2026, 3, 14)},  # noqa: DTZ001 - a time without a zone is the point.
        {"unpredictable_number": b"123"},
        {"transaction_type": 0x0A},
        {"transaction_type": 0x100},
        {"other_minor": -1},
        {"sequence": 100_000_000},
    ],
)
def test_impossible_requests(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the "):
        request(**changes)


def test_impossible_settings() -> None:
    visa: dict[str, Any] = {"country_number": 250, "combinations": (Combination(VISA, 3, "V"),)}
    settings_: list[dict[str, Any]] = [
        {"country_number": 0},
        {"terminal_type": 0x40},
        {"capabilities": b""},
        {"additional_capabilities": b""},
        {"combinations": ()},
    ]
    for wrong in settings_:
        with pytest.raises(ConfigError):
            ReaderSettings(**(visa | wrong))
    combination: dict[str, Any] = {"aid": VISA, "kernel_id": 3, "scheme": "Visa"}
    combinations: list[dict[str, Any]] = [{"aid": b""}, {"ttq": b""}, {"cvm_limit_minor": -1}]
    for wrong in combinations:
        with pytest.raises(ConfigError):
            Combination(**(combination | wrong))
    with pytest.raises(ConfigError):
        ActionCodes(denial=b"")


def test_settings_that_a_card_may_ask_for() -> None:
    subject = ScriptedCard(
        {
            SELECT_PPSE: directory(VISA),
            select(VISA): selected(VISA, {0x9F38: "9F66049F1C089F1A029F21039F4106"}),
            "80A8": OPTIONS,
        }
    )
    reader = settings(
        VISA,
        3,
        data={0x9F1C: b"TILL0001", 0x9F1A: b"\x00\x00", 0x5A: b"never"},
        keys=False,
    )
    tap(
        subject,
        TransactionRequest(
            Amount(1, EUR), datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC), bytes(4), sequence=12
        ),
        reader,
    )
    assert subject.sent[2][11:-1] == b"TILL0001" + bytes.fromhex("0000" + "150926" + "000000000012")


def test_only_a_card_that_is_to_come_again_is_waited_for() -> None:
    def gone(_: bytes) -> bytes:
        raise CardLost("The card left.")

    for answer, hold_ms in ((gone, 1300), (b"\x6a\x82", 0)):
        outcome = tap(ScriptedCard({SELECT_PPSE: answer}), request(), default())
        assert outcome.ui is not None
        assert outcome.ui.hold_time_ms == hold_ms


def test_only_kernel_3_wants_its_qualifiers_in_the_list() -> None:
    other = settings(VISA, 7)
    (combination,) = other.combinations
    answer = selected(VISA, {0x9F38: "9F0206"})[:-2]
    found = activated(Candidate(VISA, "", combination), answer, request(), other)
    assert found.application.df_name == VISA


@pytest.mark.parametrize(
    ("name", "more"), [("A0000002771010", ", but Interac"), ("A0000009991010", "")]
)
def test_a_card_with_nothing_for_this_terminal(name: str, more: str) -> None:
    card = ScriptedCard({SELECT_PPSE: directory(bytes.fromhex(name))})
    reason = tap(card, request(), default()).reason
    assert reason == f"the card has no application that this terminal takes{more}"
