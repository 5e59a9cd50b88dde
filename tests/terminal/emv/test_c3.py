"""Kernel 3 against cards that answer from a table and sign for real."""

from __future__ import annotations

import re
from typing import Any

import pytest

from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome, Start
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import RELATED, TRACK, fast_dda, options, visa
from tests.terminal.emv.scheme import VISA, ScriptedCard, request, settings, tap, tlv


def offline(**changes: Any) -> Any:
    return settings(VISA, 3, floor_limit_minor=5000, **changes)


def test_online_with_everything_in_the_answer() -> None:
    subject = visa(options(x9F6E="0370000F", x9F24=b"Q" * 29))
    outcome = tap(subject, request(sequence=7), settings(VISA, 3, data={0x9F1E: b"TAPTILL1"}))
    assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, Cvm.NONE)
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.AUTHORISING
    assert outcome.ui.languages == ("fr", "en")
    assert outcome.device == "phone"
    assert outcome.application is not None
    assert (outcome.application.label, outcome.application.scheme) == ("TEST CARD", "Visa")
    assert outcome.card is not None
    assert outcome.card.pan.reveal() == scheme.PAN
    assert (outcome.card.sequence, outcome.card.par) == (1, "Q" * 29)
    # TTQ with "online cryptogram required", amount, unpredictable number, currency.
    assert subject.sent[2].hex() == "80a8000012831022804000000000001250c0ffee01097800"
    assert {tag: value.hex() for tag, value in outcome.chip_data.items()} == {
        0x9F26: "1122334455667788",
        0x9F27: "80",
        0x9F10: "06011203a00000",
        0x9F36: "0042",
        0x82: "2000",
        0x84: "a0000000031010",
        0x5F34: "01",
        0x9F6E: "03700000",
        0x9F37: "c0ffee01",
        0x95: "0000000000",
        0x9A: "260314",
        0x9C: "00",
        0x9F02: "000000001250",
        0x9F03: "000000000000",
        0x5F2A: "0978",
        0x9F1A: "0250",
        0x9F33: "002808",
        0x9F35: "22",
        0x9F09: "0002",
        0x9F1E: b"TAPTILL1".hex(),
        0x9F41: "00000007",
    }


@pytest.mark.parametrize(
    ("issuer_data", "decision"),
    [
        ("06011203A00000", Decision.ONLINE_REQUEST),
        ("06011203800000", Decision.DECLINED),  # AAC
        ("0601120390", Decision.ONLINE_REQUEST),  # TC against a floor limit of zero
    ],
)
def test_cryptogram_kind_from_issuer_data(issuer_data: str, decision: Decision) -> None:
    subject = visa(options(x9F27=None, x9F10=issuer_data, x5F24="281231"))
    outcome = tap(subject, request(), settings(VISA, 3))
    assert outcome.decision is decision
    assert outcome.chip_data[0x9F27][0] & 0x3F == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"x9F26": None}, "no Application Cryptogram"),
        ({"x9F36": None}, "no Application Transaction Counter"),
        ({"x9F10": None}, "no Issuer Application Data"),
        ({"x9F27": None, "x9F10": "060112"}, "does not say which cryptogram"),
        ({"x9F27": "C0"}, "a kind that does not exist"),
        ({"x9F27": "8000"}, "a kind that does not exist"),
        ({"x57": None}, "no Track 2 Equivalent Data"),
        ({"x57": "5413330089600044D2812201000000000F"}, "belongs to another scheme"),
        ({"x57": "4761739001010011D2812201000000000F"}, "wrong check digit"),
        ({"x9F26": "11223344"}, "9F26 has 4 bytes"),
        ({"x9F6C": "80"}, r"\(9F6C\) do not have two bytes"),
    ],
)
def test_answers_that_break_the_rules(changes: dict[str, Any], reason: str) -> None:
    outcome = tap(visa(options(**changes)), request(), settings(VISA, 3, cvm_limit_minor=1))
    assert outcome.decision is Decision.END_APPLICATION
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.TRY_ANOTHER_CARD
    assert outcome.card is None
    assert re.search(reason, outcome.reason)


@pytest.mark.parametrize(
    ("sw", "decision", "message", "start"),
    [
        ("6984", Decision.TRY_ANOTHER_INTERFACE, MessageId.INSERT_OR_SWIPE, Start.NONE),
        ("6985", Decision.END_APPLICATION, MessageId.TRY_ANOTHER_CARD, Start.NONE),
        ("6986", Decision.TRY_AGAIN, MessageId.SEE_PHONE, Start.B),
        ("6A81", Decision.END_APPLICATION, MessageId.TRY_ANOTHER_CARD, Start.NONE),
    ],
)
def test_refused_options(sw: str, decision: Decision, message: MessageId, start: Start) -> None:
    outcome = tap(visa(bytes.fromhex(sw)), request(), settings(VISA, 3))
    assert (outcome.decision, outcome.start) == (decision, start)
    assert outcome.ui is not None
    assert outcome.ui.message is message
    assert sw in outcome.reason


def test_a_declining_card_need_not_name_its_account() -> None:
    for track, known in ((TRACK, True), (None, False)):
        outcome = tap(visa(options(x9F27="00", x57=track)), request(), settings(VISA, 3))
        assert outcome.decision is Decision.DECLINED
        assert (outcome.card is not None) is known


# Card qualifiers, static TTQ, and what both sides agree on over the CVM limit.
@pytest.mark.parametrize(
    ("qualifiers", "ttq", "related", "cvm"),
    [
        (None, "22004000", None, Cvm.SIGNATURE),
        (None, "20004000", None, None),
        (None, "24004000", None, Cvm.ONLINE_PIN),
        (None, "24000000", None, None),
        ("8000", "26004000", None, Cvm.ONLINE_PIN),
        ("8000", "22004000", None, None),
        ("C000", "22004000", None, Cvm.SIGNATURE),
        ("4000", "20004000", None, None),
        ("0080", "22004000", None, Cvm.CONFIRMATION_CODE),
        ("0080", "22000000", None, None),
        ("0080", "22004000", "01A1B2C3D40080", Cvm.CONFIRMATION_CODE),
        ("0080", "22004000", "01A1B2C3D40000", None),  # the signed copy says otherwise
        ("0000", "26004000", None, None),
    ],
)
def test_cardholder_verification_online(
    qualifiers: str | None, ttq: str, related: str | None, cvm: Cvm | None
) -> None:
    subject = visa(options(x9F6C=qualifiers, x9F69=related))
    reader = settings(VISA, 3, ttq=bytes.fromhex(ttq), cvm_limit_minor=1250)
    outcome = tap(subject, request(), reader)
    if cvm is None:
        assert outcome.decision is Decision.DECLINED
        assert "verification" in outcome.reason
    else:
        assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, cvm)


def test_verification_that_the_card_asks_for_below_the_limit() -> None:
    for qualifiers, cvm in (
        (None, Cvm.NONE),
        ("8000", Cvm.NONE),  # no PIN entry here, and none is required
        ("4000", Cvm.SIGNATURE),
        ("0080", Cvm.CONFIRMATION_CODE),
    ):
        outcome = tap(visa(options(x9F6C=qualifiers)), request(), settings(VISA, 3))
        assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, cvm)


@pytest.mark.parametrize(
    ("changes", "reader", "reason"),
    [
        ({}, {"floor_limit_minor": 0}, "an online cryptogram was required"),
        ({"x9F6C": "8000"}, {"ttq": bytes.fromhex("26004000")}, "asks for an online PIN"),
        ({"x9F6C": "0800", "expiry": "260313"}, {}, "has expired"),
    ],
)
def test_offline_approvals_that_go_online(
    changes: dict[str, Any], reader: dict[str, Any], reason: str
) -> None:
    stated = {"floor_limit_minor": 5000} | reader
    outcome = tap(fast_dda(**changes), request(), settings(VISA, 3, **stated))
    assert outcome.decision is Decision.ONLINE_REQUEST
    assert reason in outcome.reason


@pytest.mark.parametrize("format_", [0x05, 0x95])
def test_offline_approval_with_fast_dda(format_: int) -> None:
    outcome = tap(fast_dda(format_=format_), request(), offline())
    assert (outcome.decision, outcome.cvm) == (Decision.APPROVED, Cvm.NONE), outcome.reason
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.APPROVED


def test_offline_approval_with_signature() -> None:
    subject = fast_dda(x9F6C="4000")
    outcome = tap(subject, request(), offline(cvm_limit_minor=1))
    assert (outcome.decision, outcome.cvm) == (Decision.APPROVED, Cvm.SIGNATURE)
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.APPROVED_SIGN


@pytest.mark.parametrize(
    ("changes", "reader", "reason"),
    [
        ({"x9F6C": "0080"}, {"cvm_limit_minor": 1}, "verification"),
        ({"static": {0x5F25: "270101"}}, {}, "not yet effective"),
        ({"expiry": "260313"}, {}, "expired"),
        ({"expiry": None}, {}, "expired"),
        ({"x82": "0000"}, {}, "does not support fast DDA"),
        ({"x9F4B": None}, {}, "no signature"),
        ({"related": bytes(7)}, {}, "not of version 01"),
        ({"format_": 0x04}, {}, "does not open"),
        ({}, {"keys": False}, "no CA key F9"),
        ({"static": {0x9F4A: "95"}}, {}, "static data"),
    ],
)
def test_offline_approvals_that_do_not_hold(
    changes: dict[str, Any], reader: dict[str, Any], reason: str
) -> None:
    stated = {"floor_limit_minor": 5000} | reader
    outcome = tap(fast_dda(**changes), request(), settings(VISA, 3, **stated))
    assert outcome.decision is Decision.DECLINED
    assert reason in outcome.reason


# What the card's qualifiers want when authentication fails or the application has expired.
@pytest.mark.parametrize(
    ("qualifiers", "ttq", "decision"),
    [
        ("2000", "22004000", Decision.ONLINE_REQUEST),
        ("2000", "2A004000", Decision.DECLINED),  # an offline-only reader
        ("1000", "32004000", Decision.TRY_ANOTHER_INTERFACE),
        ("1000", "22004000", Decision.DECLINED),  # no contact reader
        ("3000", "32004000", Decision.ONLINE_REQUEST),
        (None, "32004000", Decision.DECLINED),
    ],
)
def test_failed_authentication(qualifiers: str | None, ttq: str, decision: Decision) -> None:
    subject = fast_dda(x9F6C=qualifiers, x9F4B=None)
    outcome = tap(subject, request(), offline(ttq=bytes.fromhex(ttq)))
    assert outcome.decision is decision
    assert "no signature" in outcome.reason


@pytest.mark.parametrize(
    ("qualifiers", "ttq", "decision"),
    [
        ("0800", "22004000", Decision.ONLINE_REQUEST),
        ("0800", "2A004000", Decision.DECLINED),
        ("0000", "22004000", Decision.DECLINED),
    ],
)
def test_expired(qualifiers: str, ttq: str, decision: Decision) -> None:
    subject = fast_dda(x9F6C=qualifiers, expiry="260313")
    outcome: Outcome = tap(subject, request(), offline(ttq=bytes.fromhex(ttq)))
    assert (outcome.decision, outcome.reason) == (decision, "the application has expired")


@pytest.mark.parametrize("tag", [0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47])
def test_each_part_of_the_chain_is_needed(tag: int) -> None:
    subject = fast_dda()
    answers = dict(subject.answers)
    static = tlv({0x5A: scheme.PAN, 0x5F24: "281231"})
    parts = {t: v for t, v in scheme.certificates(static).items() if t != tag}
    answers["00B20114"], answers["00B20214"] = scheme.key_records(parts, x9F69=RELATED)
    outcome = tap(ScriptedCard(answers), request(), offline())
    assert outcome.decision is Decision.DECLINED
    assert "the card gave no" in outcome.reason
