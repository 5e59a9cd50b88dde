"""Kernel 2 against cards that answer from a table and sign for real."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from terminal.emv.entry_point import ActionCodes
from terminal.emv.outcome import Cvm, Decision, MessageId, Start
from terminal.emv.tlv import encode
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import (
    MASTERCARD,
    ScriptedCard,
    card,
    ok,
    request,
    settings,
    tap,
    tlv,
)

PAN = "5413330089600044"
CDOL = "9F0206" + "9F0306" + "9F1A02" + "9505" + "5F2A02" + "9A03" + "9C01" + "9F3704" + "9F3501"
CDOL += "9F3403" + "9F3303"
NEVER_ONLINE = ActionCodes(online=bytes(5), default=bytes(5))

ISSUER_NEVER_ONLINE = {0x9F0D: bytes(5), 0x9F0E: bytes(5), 0x9F0F: bytes(5)}
Objects = dict[int, str | bytes | None]


def generated(
    kind: int, command: bytes, pdol_data: bytes, *, spoil: str = "", **changes: str | bytes | None
) -> bytes:
    """The answer to GENERATE AC in format 2; signed when CDA was asked for."""
    cdol_data = command[5:-1]
    objects: Objects = {0x9F27: bytes((kind,)), 0x9F36: "0123", 0x9F10: "0110A08001220000"}
    objects |= {int(name[1:], 16): value for name, value in changes.items()}
    stated = {tag: value for tag, value in objects.items() if value is not None}
    cryptogram = bytes.fromhex("A1A2A3A4A5A6A7A8")
    if not command[2] & 0x10 or kind == 0:
        return ok(encode(0x77, tlv(stated | {0x9F26: cryptogram})))
    over = pdol_data + cdol_data + tlv(stated)
    if spoil == "transaction":
        over += b"!"
    cid = 0x80 if spoil == "type" else kind
    dynamic = b"\x08" + bytes(range(8)) + bytes((cid,)) + cryptogram
    dynamic += hashlib.sha1(over).digest()
    signature = scheme.signed(dynamic, scheme.UNPREDICTABLE)
    if spoil != "signature":
        stated[0x9F4B] = signature
    return ok(encode(0x77, tlv(stated)))


def mastercard(
    kind: int | bytes = 0x80,
    *,
    aip: str = "1980",
    records: Objects | None = None,
    spoil: str = "",
    chain: dict[str, Any] | None = None,
    answer: dict[str, str | bytes | None] | None = None,
    pdol: str = "9F3303",
) -> ScriptedCard:
    account: Objects = {
        0x57: f"{PAN}D2812201000000000F",
        0x5A: PAN,
        0x5F24: "281231",
        0x5F25: "200101",
        0x5F28: "0250",
        0x5F34: "00",
        0x8C: CDOL,
        0x8E: "000000000000000042031E031F03",
        0x9F07: "FF00",
        0x9F08: "0002",
        0x9F42: "0978",
        0x9F4A: "82",
        **ISSUER_NEVER_ONLINE,
    }
    account |= records or {}
    static = tlv({tag: value for tag, value in account.items() if value is not None})
    parts = scheme.certificates(
        static + bytes.fromhex(aip), pan=PAN, **({"prefix": "541333FF"} | (chain or {}))
    )
    issuer, icc = scheme.key_records(parts)
    options = tlv({0x82: aip, 0x94: "08010100" + "10010101" + "18010200"})
    pdol_data = bytes.fromhex("002808")[: 3 if pdol else 0]

    def generate(command: bytes) -> bytes:
        if isinstance(kind, bytes):
            return kind
        return generated(kind, command, pdol_data, spoil=spoil, **(answer or {}))

    answers: dict[str, Any] = {
        "80A8": ok(encode(0x77, options)),
        "00B20114": ok(encode(0x70, static)),
        "00B2011C": issuer,
        "00B2021C": icc,
        "80AE": generate,
    }
    return card(MASTERCARD, answers, pdol=pdol)


def reader(**changes: Any) -> Any:
    stated: dict[str, Any] = {
        "floor_limit_minor": 5000,
        "cvm_limit_minor": 5000,
        "action_codes": NEVER_ONLINE,
        "relay_resistance_in_tvr": False,
    }
    return settings(MASTERCARD, 2, **(stated | changes))


def test_online_with_cda_and_its_chip_data() -> None:
    subject = mastercard(0x80, records={0x9F6E: "02500000303700"})
    outcome = tap(subject, request(6000), reader(action_codes=ActionCodes()))
    assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, Cvm.SIGNATURE), (
        outcome.reason
    )
    assert outcome.device == "phone"
    assert outcome.card is not None
    assert outcome.card.pan.reveal() == PAN
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
        ({"kind": 0x40, "aip": "1880"}, 0x40, Decision.APPROVED),  # the card has no CDA
        ({"kind": 0x40, "pdol": ""}, 0x50, Decision.APPROVED),
    ],
)
def test_answers_to_a_request_for_offline_approval(
    changes: dict[str, Any], asked: int, decision: Decision
) -> None:
    subject = mastercard(**changes)
    outcome = tap(subject, request(), reader())
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
    outcome = tap(mastercard(**({"kind": 0x40} | changes)), request(), reader())
    assert outcome.decision is Decision.END_APPLICATION
    assert re.search(reason, outcome.reason), outcome.reason


def test_the_cryptogram_must_be_no_better_than_asked_for() -> None:
    online = reader(action_codes=ActionCodes(online=b"\xff" * 5), floor_limit_minor=0)
    outcome = tap(mastercard(0x40), request(), online)
    assert outcome.decision is Decision.END_APPLICATION
    denied = reader(action_codes=ActionCodes(denial=b"\xff" * 5), floor_limit_minor=0)
    for kind, decision in ((0x00, Decision.DECLINED), (0x80, Decision.END_APPLICATION)):
        subject = mastercard(kind)
        assert tap(subject, request(), denied).decision is decision
        assert subject.sent[-1][2] == 0x00


def test_format_1_without_cda() -> None:
    answer = bytes.fromhex("8013" + "80" + "0007" + "0102030405060708" + "0110A08001220000")
    outcome = tap(mastercard(ok(answer), aip="1880"), request(), reader())
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
        outcome = tap(mastercard(kind, answer={"xDF4B": wish}), request(), reader())
        assert outcome.decision is decision
    subject = mastercard(0x00, answer={"xDF4B": "000001"})
    outcome = tap(subject, request(), reader())
    assert outcome.start is Start.B
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.SEE_PHONE


def test_mag_stripe_mode_is_refused() -> None:
    subject = mastercard(aip="1900")
    outcome = tap(subject, request(), reader())
    assert outcome.decision is Decision.TRY_ANOTHER_INTERFACE
    assert "mag-stripe" in outcome.reason
    assert subject.sent[-1][1] == 0xA8


def test_refused_options_and_limits() -> None:
    refusing = card(MASTERCARD, {"80A8": b"\x69\x84"})
    assert tap(refusing, request(), reader()).decision is Decision.TRY_ANOTHER_INTERFACE
    limited = {"contactless_limit_minor": 1000, "on_device_limit_minor": 100_000}
    assert "over the contactless" in tap(mastercard(), request(), reader(**limited)).reason
    phone = tap(mastercard(aip="1B80"), request(), reader(**limited))
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
    outcome = tap(subject, request(minor), reader(**settings_))
    assert outcome.chip_data[0x95].hex() == tvr
    assert subject.sent[-1][5 + 14 : 5 + 19].hex() == tvr
    assert bool(subject.sent[-1][2] & 0x10) is tvr.startswith(("00", "20"))


# What a device says of its holder, with and without a signature over it.
@pytest.mark.parametrize(
    ("changes", "keys", "minor", "asked"),
    [
        ({}, True, 6000, 0x50),
        ({}, False, 1250, 0x40),
        ({}, False, 6000, 0x00),
        ({"aip": "1A80"}, True, 6000, 0x00),  # the card has no CDA
        ({"chain": {"expiry": "0126"}}, True, 1250, 0x00),  # CDA failed
    ],
)
def test_a_device_is_trusted_when_it_signs(
    changes: dict[str, Any], minor: int, asked: int, *, keys: bool
) -> None:
    subject = mastercard(0x00, **({"aip": "1B80"} | changes))
    tap(subject, request(minor), reader(keys=keys))
    assert subject.sent[-1][2] == asked


def test_a_declined_card_is_sent_to_a_contact_reader_where_there_is_one() -> None:
    contacts = reader(capabilities=bytes.fromhex("202808"))
    for form, decision in (
        (None, Decision.TRY_ANOTHER_INTERFACE),
        ("02500000303700", Decision.DECLINED),  # a phone has no contacts
    ):
        outcome = tap(mastercard(0x00, records={0x9F6E: form}), request(), contacts)
        assert outcome.decision is decision


# 8E, static 9F33 byte 2 with and without the CVM limit, amount, and 9F34 with the outcome's CVM.
@pytest.mark.parametrize(
    ("aip", "cvm_list", "capability", "minor", "results", "cvm"),
    [
        ("1980", "42031E031F03", 0x60, 6000, "420300", Cvm.ONLINE_PIN),
        ("1980", "42031E031F03", 0x20, 6000, "1e0300", Cvm.SIGNATURE),
        ("1980", "42031E031F03", 0x20, 1250, "1f0302", Cvm.NONE),
        ("1980", "42001E001F00", 0x20, 6000, "1e0000", Cvm.SIGNATURE),
        ("1980", "02001E00", 0x20, 6000, "3f0001", Cvm.NONE),  # no "apply next"
        ("1980", "0000", 0x20, 6000, "000001", Cvm.NONE),  # fail CVM
        ("1980", "1F06", 0x08, 6000, "3f0001", Cvm.NONE),  # under X = 0
        ("1980", "1F07", 0x08, 6000, "1f0702", Cvm.NONE),
        ("1980", "1F08", 0x08, 6000, "3f0001", Cvm.NONE),
        ("1980", "1F09", 0x08, 6000, "1f0902", Cvm.NONE),
        ("1980", "1F0A", 0x08, 6000, "3f0001", Cvm.NONE),  # a condition that is not known
        ("1980", "1F02", 0x08, 6000, "1f0202", Cvm.NONE),
        ("1980", "1F01", 0x08, 6000, "3f0001", Cvm.NONE),
        ("1980", "1F04", 0x08, 6000, "3f0001", Cvm.NONE),
        ("1980", "1F05", 0x08, 6000, "3f0001", Cvm.NONE),
        ("0980", "1F00", 0x08, 6000, "3f0000", Cvm.NONE),  # the card verifies nobody
        ("1B80", "1F00", 0x08, 6000, "010002", Cvm.CONFIRMATION_CODE),
        ("1B80", "1F00", 0x08, 1250, "3f0002", Cvm.NONE),
    ],
)
def test_cardholder_verification(
    aip: str, cvm_list: str, capability: int, minor: int, results: str, cvm: Cvm
) -> None:
    subject = mastercard(aip=aip, records={0x8E: "0000000000000000" + cvm_list})
    outcome = tap(subject, request(minor), reader(cvm_capability=capability))
    assert outcome.decision is Decision.ONLINE_REQUEST, outcome.reason
    assert (outcome.chip_data[0x9F34].hex(), outcome.cvm) == (results, cvm)


@pytest.mark.parametrize(("condition", "kind"), [("04", 0x01), ("05", 0x09), ("02", 0x00)])
def test_conditions_on_the_kind_of_transaction(condition: str, kind: int) -> None:
    records: Objects = {0x8E: "0000000000000000" + "1F" + condition}
    for number in (0x00, 0x01, 0x09):
        outcome = tap(mastercard(records=records), request(transaction_type=number), reader())
        stated = "1f" + condition + "02" if number == kind else "3f0001"
        assert outcome.chip_data[0x9F34].hex() == stated


def test_amount_conditions_need_the_application_currency() -> None:
    records: Objects = {0x8E: "0000000000000000" + "1F07", 0x9F42: "0840"}
    outcome = tap(mastercard(records=records), request(), reader())
    assert outcome.chip_data[0x9F34].hex() == "3f0001"


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
    tap(subject, request(), reader(terminal_type=kind, action_codes=stated))
    assert subject.sent[-1][2] == asked


@pytest.mark.parametrize(
    ("form", "device"),
    [
        ("02500000303000", "card"),
        ("02500000303300", "watch"),
        ("02508000303300", "card"),  # bit 8 says that no device type follows
        ("0250", "card"),
    ],
)
def test_device(form: str, device: str) -> None:
    assert tap(mastercard(records={0x9F6E: form}), request(), reader()).device == device
