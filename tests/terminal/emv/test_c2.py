"""Kernel 2 against cards that answer from a table and sign for real."""

from __future__ import annotations

import re
from typing import Any

import pytest

from terminal.emv.entry_point import ActionCodes
from terminal.emv.outcome import Cvm, Decision, MessageId, Start
from tests.terminal.emv.cards import (
    MASTERCARD_PAN,
    Objects,
    mastercard,
    mastercard_reader,
)
from tests.terminal.emv.scheme import (
    MASTERCARD,
    card,
    ok,
    request,
    tap,
)


def test_online_with_cda_and_its_chip_data() -> None:
    subject = mastercard(0x80, records={0x9F6E: "02500000303700"})
    outcome = tap(subject, request(6000), mastercard_reader(action_codes=ActionCodes()))
    assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, Cvm.SIGNATURE), (
        outcome.reason
    )
    assert outcome.device == "phone"
    assert outcome.card is not None
    assert outcome.card.pan.reveal() == MASTERCARD_PAN
    sent = {command[1]: command for command in subject.sent}
    assert sent[0xAE][2] == 0x90
    assert [command.hex()[:8] for command in subject.sent[3:]] == [
        "00b20114",  # the mag-stripe record of 08010100 is not read
        "00b2011c",
        "00b2021c",
        "80ae9000",
    ]
    assert {tag: value.hex() for tag, value in outcome.chip_data.items()} == {
        0x9F26: "a1a2a3a4a5a6a7a8",
        0x9F27: "80",
        0x9F10: "0110a08001220000",
        0x9F36: "0123",
        0x82: "1980",
        0x84: "a0000000041010",
        0x5F34: "00",
        0x9F6E: "02500000303700",
        0x9F37: "c0ffee01",
        0x95: "0000008000",
        0x9A: "260314",
        0x9C: "00",
        0x9F02: "000000006000",
        0x9F03: "000000000000",
        0x5F2A: "0978",
        0x9F1A: "0250",
        0x9F33: "002008",
        0x9F34: "1e0300",
        0x9F35: "22",
        0x9F09: "0002",
    }


@pytest.mark.parametrize(
    ("changes", "asked", "decision"),
    [
        ({"kind": 0x40}, 0x50, Decision.APPROVED),
        ({"kind": 0x80}, 0x50, Decision.ONLINE_REQUEST),
        ({"kind": 0x00}, 0x50, Decision.DECLINED),
        ({"kind": 0x80, "aip": "1880"}, 0x80, Decision.ONLINE_REQUEST),  # the card has no CDA
        ({"kind": 0x40, "pdol": ""}, 0x50, Decision.APPROVED),
    ],
)
def test_answers_to_a_request_for_offline_approval(
    changes: dict[str, Any], asked: int, decision: Decision
) -> None:
    subject = mastercard(**changes)
    outcome = tap(subject, request(), mastercard_reader())
    assert subject.sent[-1][2] == asked
    assert outcome.decision is decision, outcome.reason
    assert outcome.cvm is (Cvm.NOT_APPLICABLE if decision is Decision.DECLINED else Cvm.NONE)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spoil": "signature"}, "did not sign"),
        ({"spoil": "transaction"}, "over another transaction"),
        ({"spoil": "type"}, "signed another kind"),
        ({"kind": 0xC0}, "another cryptogram than"),
        ({"answer": {"x9F36": None}}, "no Application Transaction Counter"),
        ({"answer": {"x9F27": None}}, "no Cryptogram Information Data"),
        ({"answer": {"x9F27": "4000"}}, "is not one byte"),
        ({"answer": {"x9F26": "0000000000000000"}}, "states tag 9F26 twice"),
        ({"kind": b"\x6a\x81"}, "GENERATE AC was answered with 6A81"),
        ({"kind": ok(b"")}, "is not one template"),
        ({"kind": ok(bytes.fromhex("7000"))}, "neither format 1 nor 2"),
        ({"kind": ok(bytes.fromhex("800400012345"))}, "an impossible length"),
        ({"kind": ok(bytes.fromhex("800B4000010102030405060708"))}, "did not sign"),
        ({"records": {0x5A: None}}, "no Application PAN"),
        ({"records": {0x5F24: None}}, "no Application Expiration Date"),
        ({"records": {0x8C: None}}, "no Card Risk Management"),
        ({"records": {0x8E: "0000"}}, "CVM list"),
        ({"records": {0x8E: "00000000000000001F"}}, "CVM list"),
    ],
)
def test_cards_that_break_the_rules(changes: dict[str, Any], reason: str) -> None:
    outcome = tap(mastercard(**({"kind": 0x40} | changes)), request(), mastercard_reader())
    assert outcome.decision is Decision.END_APPLICATION
    assert re.search(reason, outcome.reason), outcome.reason


def test_the_cryptogram_must_be_no_better_than_asked_for() -> None:
    online = mastercard_reader(action_codes=ActionCodes(online=b"\xff" * 5), floor_limit_minor=0)
    outcome = tap(mastercard(0x40), request(), online)
    assert outcome.decision is Decision.END_APPLICATION
    denied = mastercard_reader(action_codes=ActionCodes(denial=b"\xff" * 5), floor_limit_minor=0)
    for kind, decision in ((0x00, Decision.DECLINED), (0x80, Decision.END_APPLICATION)):
        subject = mastercard(kind)
        assert tap(subject, request(), denied).decision is decision
        assert subject.sent[-1][2] == 0x00


def test_format_1_without_cda() -> None:
    answer = bytes.fromhex("8013" + "80" + "0007" + "0102030405060708" + "0110A08001220000")
    outcome = tap(mastercard(ok(answer), aip="1880"), request(), mastercard_reader())
    assert outcome.decision is Decision.ONLINE_REQUEST
    assert outcome.chip_data[0x9F26].hex() == "0102030405060708"
    assert outcome.chip_data[0x9F36].hex() == "0007"


def test_a_phone_that_wants_its_owner() -> None:
    for kind, wish, decision in (
        (0x00, "000100", Decision.TRY_AGAIN),
        (0x00, "010000", Decision.DECLINED),
        (0x80, "000001", Decision.TRY_AGAIN),
        (0x80, "010000", Decision.ONLINE_REQUEST),
    ):
        outcome = tap(mastercard(kind, answer={"xDF4B": wish}), request(), mastercard_reader())
        assert outcome.decision is decision
    subject = mastercard(0x00, answer={"xDF4B": "000001"})
    outcome = tap(subject, request(), mastercard_reader())
    assert outcome.start is Start.B
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.SEE_PHONE


def test_mag_stripe_mode_is_refused() -> None:
    subject = mastercard(aip="1900")
    outcome = tap(subject, request(), mastercard_reader())
    assert outcome.decision is Decision.TRY_ANOTHER_INTERFACE
    assert "mag-stripe" in outcome.reason
    assert subject.sent[-1][1] == 0xA8


def test_refused_options_and_limits() -> None:
    refusing = card(MASTERCARD, {"80A8": b"\x69\x84"})
    assert tap(refusing, request(), mastercard_reader()).decision is Decision.TRY_ANOTHER_INTERFACE
    limited = {"contactless_limit_minor": 1000, "on_device_limit_minor": 100_000}
    assert (
        "over the contactless" in tap(mastercard(), request(), mastercard_reader(**limited)).reason
    )
    phone = tap(mastercard(aip="1B80"), request(), mastercard_reader(**limited))
    assert phone.decision is Decision.ONLINE_REQUEST


# TVR after each rule; the card asks for it in its CDOL, and the host gets it.
@pytest.mark.parametrize(
    ("changes", "settings_", "minor", "tvr"),
    [
        ({}, {}, 1250, "0000000000"),
        ({}, {"relay_resistance_in_tvr": True}, 1250, "0000000001"),
        ({"aip": "1880"}, {}, 1250, "8000000000"),
        ({}, {"capabilities": bytes.fromhex("002800")}, 1250, "8000000000"),
        ({}, {"keys": False}, 1250, "8000000000"),  # no key, so CDA is not announced
        ({"records": {0x9F4A: None}}, {}, 1250, "2400000000"),
        ({"chain": {"prefix": "400000FF"}}, {}, 1250, "0400000000"),
        ({"chain": {"expiry": "0126"}}, {}, 1250, "0400000000"),
        ({"chain": {"algorithm": "02"}}, {}, 1250, "0400000000"),
        ({"records": {0x5F24: "260228"}}, {}, 1250, "0040000000"),
        ({"records": {0x5F25: "270101"}}, {}, 1250, "0020000000"),
        ({"records": {0x9F08: "0001"}}, {}, 1250, "0080000000"),
        ({"records": {0x9F07: "0000"}}, {}, 1250, "0010000000"),
        ({"records": {0x8E: None}}, {}, 1250, "2000000000"),
        ({"records": {0x8E: "0000000000000000"}}, {}, 1250, "2000000000"),
        ({"records": {0x8E: "00000000000000000500"}}, {}, 1250, "0000800000"),
        ({"records": {0x8E: "00000000000000007F001F00"}}, {}, 1250, "0000400000"),
        ({"records": {0x8E: "00000000000000000200"}}, {"cvm_capability": 0x40}, 6000, "0000048000"),
        ({}, {}, 6000, "0000008000"),
    ],
)
def test_terminal_verification_results(
    changes: dict[str, Any], settings_: dict[str, Any], minor: int, tvr: str
) -> None:
    subject = mastercard(**changes)
    outcome = tap(subject, request(minor), mastercard_reader(**settings_))
    assert outcome.chip_data[0x95].hex() == tvr
    assert subject.sent[-1][5 + 14 : 5 + 19].hex() == tvr
    assert bool(subject.sent[-1][2] & 0x10) is tvr.startswith(("00", "20"))


# What a device says of its holder, with and without a signature over it.
@pytest.mark.parametrize(
    ("changes", "keys", "minor", "asked"),
    [
        ({}, True, 6000, 0x50),
        ({}, False, 1250, 0x80),
        ({}, False, 6000, 0x00),
        ({"aip": "1A80"}, True, 6000, 0x00),  # the card has no CDA
        ({"chain": {"expiry": "0126"}}, True, 1250, 0x00),  # CDA failed
    ],
)
def test_a_device_is_trusted_when_it_signs(
    changes: dict[str, Any], minor: int, asked: int, *, keys: bool
) -> None:
    subject = mastercard(0x00, **({"aip": "1B80"} | changes))
    tap(subject, request(minor), mastercard_reader(keys=keys))
    assert subject.sent[-1][2] == asked


def test_a_declined_card_is_sent_to_a_contact_reader_where_there_is_one() -> None:
    contacts = mastercard_reader(capabilities=bytes.fromhex("202808"))
    for form, decision in (
        (None, Decision.TRY_ANOTHER_INTERFACE),
        ("02500000303700", Decision.DECLINED),  # a phone has no contacts
    ):
        outcome = tap(mastercard(0x00, records={0x9F6E: form}), request(), contacts)
        assert outcome.decision is decision


# Terminal type, action codes against a TVR of 8000000000, and what is asked for.
@pytest.mark.parametrize(
    ("kind", "codes", "issuer", "asked"),
    [
        (0x22, {}, {}, 0x40),
        (0x22, {"online": b"\x80" + bytes(4)}, {}, 0x80),
        (0x22, {}, {0x9F0F: "8000000000"}, 0x80),
        (0x22, {}, {0x9F0F: None}, 0x80),  # an absent issuer code is all ones
        (0x22, {"denial": b"\x80" + bytes(4)}, {}, 0x00),
        (0x22, {}, {0x9F0E: "8000000000"}, 0x00),
        (0x22, {}, {0x9F0E: None}, 0x40),  # an absent denial code is all zeros
        (0x21, {}, {}, 0x80),
        (0x23, {}, {}, 0x40),
        (0x23, {"default": b"\x80" + bytes(4)}, {}, 0x00),
        (0x23, {}, {0x9F0D: None}, 0x00),
    ],
)
def test_terminal_action_analysis(
    kind: int, codes: dict[str, bytes], issuer: Objects, asked: int
) -> None:
    subject = mastercard(aip="1880", records=issuer)
    stated = ActionCodes(**({"online": bytes(5), "default": bytes(5)} | codes))
    reader = mastercard_reader(terminal_type=kind, action_codes=stated, offline_without_cda=True)
    tap(subject, request(), reader)
    assert subject.sent[-1][2] == asked


def test_an_offline_approval_needs_a_signature() -> None:
    for kind, asked in ((0x22, 0x80), (0x23, 0x00)):
        subject = mastercard(0x00, aip="1880")
        tap(subject, request(), mastercard_reader(terminal_type=kind))
        assert subject.sent[-1][2] == asked


@pytest.mark.parametrize(
    ("form", "device"),
    [
        ("02500000303000", "card"),
        ("02500000303300", "watch"),
        ("025000003033", "watch"),
        ("02508000303300", "card"),  # bit 8 says that no device type follows
        ("0250", "card"),
    ],
)
def test_device(form: str, device: str) -> None:
    assert tap(mastercard(records={0x9F6E: form}), request(), mastercard_reader()).device == device
