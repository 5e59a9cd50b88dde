"""Mag-stripe mode, balance, data exchange, limits by program, issuer update: all off by default."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.conformance.dialogue_proof import steps_of
from hardware_sim.conformance.recorded_terminal import fitting_terminal
from hardware_sim.conformance.replay import RecordedCard, applications, run, with_directory
from hardware_sim.issuer import ISSUERS, issuer_authentication_data
from terminal.emv.converse import converse
from terminal.emv.entry_point import Combination, update
from terminal.emv.kernels.issuer_update import IssuerData, Updated, supports_update
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome
from terminal.emv.settings import DynamicLimits, default_settings
from terminal.emv.tlv import encode
from terminal.errors import CardError, CardLost, ConfigError
from tests.conftest import require_vectors
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import MASTERCARD_PAN, mastercard, mastercard_reader, options
from tests.terminal.emv.replay import Clock, load
from tests.terminal.emv.scheme import MASTERCARD, VISA, card, ok, request, tap, tlv
from tests.terminal.emv.taps import EUR, reader, tapped

# -- mag-stripe mode -------------------------------------------------------------------------

TRACK = "5413330089600044D28122010000000000000F"
MAG_RECORD: dict[int, str | bytes] = {
    0x9F6B: TRACK,
    0x9F65: "0038",  # the code in places 4 to 6
    0x9F66: "01C6",  # numbers in places 2, 3, 7, 8, 9
    0x9F67: "02",
}


def mag_card(
    record: dict[int, str | bytes | None] | None = None,
    answer: bytes | None = None,
    aip: str = "0000",
) -> scheme.ScriptedCard:
    stated = {t: v for t, v in {**MAG_RECORD, **(record or {})}.items() if v is not None}
    made = {0x9F61: "01F5", 0x9F60: "01F5", 0x9F36: "000B"}
    return card(
        MASTERCARD,
        {
            "80A8": ok(encode(0x77, tlv({0x82: aip, 0x94: "08010100"}))),
            "00B2010C": ok(encode(0x70, tlv(stated))),
            "802A8E80": ok(encode(0x77, tlv(made))) if answer is None else answer,
        },
    )


def mag_reader(**changes: Any) -> Any:
    return mastercard_reader(mag_stripe_mode=True, **changes)


def test_a_published_mag_stripe_card() -> None:
    """Played byte for byte by a reader whose unpredictable number is that of the recording."""
    found = load(require_vectors() / "emv" / "transcripts" / "mastercard_magstripe_ccc.json")
    recorded = steps_of(found)
    seen = applications(recorded)
    asked, settings = fitting_terminal(found, seen)
    steps = with_directory(recorded, seen)
    replayed = RecordedCard(steps, exact=True)
    outcome = run(replace(asked, unpredictable_number=bytes(4)), settings, replayed)
    assert outcome.decision is Decision.ONLINE_REQUEST, outcome.reason
    assert replayed.position == len(steps)
    stated = found["expected"]["applications"][0]
    assert outcome.card is not None
    assert (outcome.card.pan.reveal(), outcome.card.expiry_yymm) == (
        stated["pan"],
        stated["expiry_yymm"],
    )


def test_the_digits_go_where_the_card_says() -> None:
    subject = mag_card()
    outcome = tap(subject, request(unpredictable_number=bytes.fromhex("000D4E7F")), mag_reader())
    assert outcome.decision is Decision.ONLINE_REQUEST, outcome.reason
    # 000D4E7F is 872063, of whose digits three are asked for; the counter's two are 11.
    assert subject.sent[-1].hex().upper() == "802A8E80040000006300".replace("00000063", "00000063")
    assert outcome.card is not None
    assert outcome.card.track2 is not None
    written = outcome.card.track2.reveal()
    assert written == "5413330089600044D2812201" + "000011" + "0" + "501" + "63" + "3"


@pytest.mark.parametrize(
    ("minor", "aip", "cvm", "last"),
    [
        (1250, "0000", Cvm.NONE, "3"),
        (1250, "0200", Cvm.NONE, "3"),
        (5000, "0000", Cvm.NONE, "3"),
        (6000, "0000", Cvm.SIGNATURE, "3"),
        (6000, "0200", Cvm.CONFIRMATION_CODE, "8"),
    ],
)
def test_verification_in_mag_stripe_mode(minor: int, aip: str, cvm: Cvm, last: str) -> None:
    outcome = tap(mag_card(aip=aip), request(minor), mag_reader())
    assert outcome.cvm is cvm
    assert outcome.card is not None
    assert outcome.card.track2 is not None
    assert outcome.card.track2.reveal()[-1] == last


@pytest.mark.parametrize(
    ("changes", "decision", "reason"),
    [
        ({"record": {0x9F67: "0A"}}, Decision.END_APPLICATION, "impossible count"),
        ({"record": {0x9F66: "FFFF"}}, Decision.END_APPLICATION, "impossible count"),
        ({"record": {0x9F65: "8000"}}, Decision.END_APPLICATION, "outside its track"),
        ({"record": {0x9F6B: "5413330089600044D2812201"}}, Decision.END_APPLICATION, "no room"),
        ({"record": {0x9F6B: "5413330089600044"}}, Decision.END_APPLICATION, "no room"),
        ({"record": {0x9F6B: None}}, Decision.END_APPLICATION, "no Track 2 Data"),
        ({"answer": b"\x69\x85"}, Decision.END_APPLICATION, "CHECKSUM was answered with 6985"),
        ({"answer": ok(b"\x80\x00")}, Decision.END_APPLICATION, "not one template 77"),
        ({"answer": ok(encode(0x77, tlv({0x9F36: "000B"})))}, Decision.DECLINED, "no code"),
        (
            {"answer": ok(encode(0x77, tlv({0x9F36: "000B", 0xDF4B: "000001"})))},
            Decision.TRY_AGAIN,
            "owner",
        ),
    ],
)
def test_mag_stripe_cards_that_break_the_rules(
    changes: dict[str, Any], decision: Decision, reason: str
) -> None:
    outcome = tap(mag_card(**changes), request(), mag_reader())
    assert outcome.decision is decision, outcome.reason
    assert reason in outcome.reason


def test_mag_stripe_mode_is_off_by_default() -> None:
    assert not any(each.mag_stripe_mode for each in default_settings(250, EUR).combinations)
    outcome = tap(mag_card(), request(), mastercard_reader())
    assert outcome.decision is Decision.TRY_ANOTHER_INTERFACE


# -- data exchange and balance ---------------------------------------------------------------


def exchanging(capabilities: str, answers: dict[str, bytes]) -> scheme.ScriptedCard:
    subject = mastercard(0x80, records={0x9F5D: capabilities})
    return scheme.ScriptedCard({**subject.answers, **answers})


@pytest.mark.parametrize(
    ("capabilities", "answer", "balance"),
    [
        ("000200", ok(tlv({0x9F50: "000000004711"})), 4711),
        ("000200", ok(tlv({0x9F50: "00000000471A"})), None),
        ("000200", ok(tlv({0x9F51: "000000004711"})), None),
        ("000200", b"\x6a\x88", None),
        ("000000", ok(tlv({0x9F50: "000000004711"})), None),
        ("", ok(tlv({0x9F50: "000000004711"})), None),
    ],
)
def test_the_balance(capabilities: str, answer: bytes, balance: int | None) -> None:
    subject = exchanging(capabilities, {"80CA9F50": answer})
    outcome = tap(subject, request(), mastercard_reader(reads_balance=True))
    assert outcome.decision is Decision.ONLINE_REQUEST
    assert outcome.balance_minor == balance
    unasked = exchanging(capabilities, {"80CA9F50": answer})
    assert tap(unasked, request(), mastercard_reader()).balance_minor is None
    assert not [command for command in unasked.sent if command[1] == 0xCA]


def test_what_the_settings_want_is_read_and_written() -> None:
    subject = exchanging(
        "", {"80CA9F70": ok(tlv({0x9F70: "CAFE"})), "80CA005A": ok(tlv({0x5A: MASTERCARD_PAN}))}
    )
    settings = mastercard_reader(
        data_to_read=(0x9F70, 0x9F71, 0x5A), data_to_write={0x9F75: b"\x01\x02"}
    )
    outcome = tap(subject, request(), settings)
    # An account number does not ride along, whoever asks for it.
    assert outcome.data == {0x9F70: bytes.fromhex("CAFE")}
    names = [command[1] for command in subject.sent]
    assert names[-2:] == [0xAE, 0xDA]
    assert subject.sent[-1].hex() == "80da9f75020102"
    declining = scheme.ScriptedCard({**mastercard(0x00).answers})
    refused = tap(declining, request(), mastercard_reader(data_to_write={0x9F75: b"\x01"}))
    assert refused.decision is Decision.DECLINED


def test_a_card_that_is_to_come_again_is_not_written_to() -> None:
    subject = mastercard(0x80, answer={"xDF4B": "000001"})
    outcome = tap(subject, request(), mastercard_reader(data_to_write={0x9F75: b"\x01"}))
    assert outcome.decision is Decision.TRY_AGAIN
    assert not [command for command in subject.sent if command[1] == 0xDA]


# -- limits by program -----------------------------------------------------------------------

TRANSIT, ANY = bytes.fromhex("31010826"), b""


def program_card(program: str | None) -> scheme.ScriptedCard:
    objects: dict[int, str | bytes] = {0x9F38: "9F6604"}
    if program:
        objects[0x9F5A] = program
    answers = {
        scheme.SELECT_PPSE: scheme.directory(VISA),
        scheme.select(VISA): scheme.selected(VISA, objects),
        "80A8": options(),
    }
    return scheme.ScriptedCard(answers)


# The card's program, and the TTQ's second byte that it gets for 12.50; None for no payment.
@pytest.mark.parametrize(
    ("program", "byte_2"),
    [
        (None, 0x00),
        ("3101082699", 0xC0),
        ("310108", 0x80),
        ("31010827", 0x80),
        ("3101082600", None),
    ],
)
def test_limits_follow_the_cards_program(program: str | None, byte_2: int | None) -> None:
    settings = scheme.settings(
        VISA,
        3,
        floor_limit_minor=100_000,
        dynamic_limits=(
            DynamicLimits(ANY, floor_limit_minor=0),
            DynamicLimits(TRANSIT, cvm_limit_minor=1000, floor_limit_minor=500),
            DynamicLimits(TRANSIT + b"\0", contactless_limit_minor=1250),
        ),
    )
    subject = program_card(program)
    outcome = tap(subject, request(1250), settings)
    if byte_2 is None:
        assert "over the limit for cards of this program" in outcome.reason
        assert len(subject.sent) == 2
    else:
        assert subject.sent[2][8] == byte_2


def test_a_program_of_17_bytes() -> None:
    with pytest.raises(ConfigError, match="at most 16 bytes"):
        DynamicLimits(bytes(17))


# -- issuer update ---------------------------------------------------------------------------


def updated(chip: Any, aid: bytes, data: IssuerData) -> Updated | Outcome:
    return converse(update(aid, data), chip, monotonic=Clock()).result


def test_the_issuers_answer_reaches_the_card() -> None:
    chip = EmvCard(load_profile("visa-credit"), seed=3)
    outcome = tapped(chip, 1250, reader()).result
    assert outcome.application is not None
    account = load_profile("visa-credit").account
    assert account is not None
    answer = issuer_authentication_data(
        ISSUERS["Visa"], account.pan, account.sequence, outcome.chip_data, "00"
    )
    chip.reset()
    assert updated(chip, outcome.application.aid, IssuerData(answer)) == Updated(
        authenticated=True, script_results=b""
    )
    chip.reset()
    forged = bytes((answer[0] ^ 1,)) + answer[1:]
    assert updated(chip, outcome.application.aid, IssuerData(forged)) == Updated(
        authenticated=False, script_results=b""
    )
    other = updated(chip, MASTERCARD, IssuerData(answer))
    assert isinstance(other, Outcome)
    assert "another card" in other.reason


SCRIPT = bytes.fromhex("9F180411223344" + "86088424000003AABBCC" + "86098418000004AABBCCDD")


@pytest.mark.parametrize(
    ("scripts", "answers", "results", "commands"),
    [
        (tlv({0x72: SCRIPT}), {}, "2011223344", 2),
        (tlv({0x71: SCRIPT}), {"8424": b"\x63\x00"}, "2011223344", 2),
        (tlv({0x72: SCRIPT}), {"8424": b"\x69\x85"}, "1111223344", 1),
        (tlv({0x72: SCRIPT}), {"8418": b"\x6f\x00"}, "1211223344", 2),
        (tlv({0x72: "8603842400"}), {}, "1100000000", 0),
        (tlv({0x71: SCRIPT[7:]}) + tlv({0x72: SCRIPT[:7]}), {}, "20000000002011223344", 2),
        (b"", {}, "", 0),
    ],
)
def test_scripts_are_sent_as_they_are(
    scripts: bytes, answers: dict[str, bytes], results: str, commands: int
) -> None:
    stated = {scheme.select(VISA): scheme.selected(VISA), "84": b"\x90\x00", **answers}
    subject = scheme.ScriptedCard(stated)
    found = updated(subject, VISA, IssuerData(scripts=scripts))
    assert isinstance(found, Updated)
    assert found == Updated(authenticated=False, script_results=bytes.fromhex(results))
    assert len(subject.sent) == 1 + commands


@pytest.mark.parametrize(
    "wrong",
    [
        {"authentication_91": bytes(7)},
        {"authentication_91": bytes(17)},
        {"scripts": bytes(129)},
        {"scripts": tlv({0x70: b""})},
    ],
)
def test_issuer_data_that_cannot_be(wrong: dict[str, bytes]) -> None:
    with pytest.raises(CardError):
        IssuerData(**wrong)


def test_a_card_that_leaves_before_the_update() -> None:
    class Gone:
        technology = "gone"

        def exchange(self, command: bytes) -> bytes:
            raise CardLost("The card left.")

    outcome = updated(Gone(), VISA, IssuerData())
    assert isinstance(outcome, Outcome)
    assert outcome.decision is Decision.TRY_AGAIN
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.PRESENT_AGAIN


def test_which_cards_take_updates() -> None:
    assert [
        supports_update(bytes.fromhex(ctq)) for ctq in ("0040", "0080", "0001", "FFBF", "40", "")
    ] == [
        True,
        *(False,) * 5,
    ]
    assert Combination(VISA, 3, "Visa").dynamic_limits == ()
