"""Kernel 4: Expresspay's cardholder verification and its ways out, with the simulator's card."""

from __future__ import annotations

from typing import Any

import pytest

from hardware_sim.profile import Profile
from terminal.emv.outcome import Cvm, Decision, MessageId
from tests.terminal.emv.scheme import tlv
from tests.terminal.emv.taps import OFFLINE, Between, changed, each_combination, offline, reader
from tests.terminal.emv.taps import tapped as tap_

PHONE = bytes.fromhex("19C0")
MOBILE_THEN_SIGNATURE = bytes.fromhex("0000000000000000" + "41031E03")
CONTACTS = bytes.fromhex("202808")


def card(aip: str = "1980", **record: bytes | None) -> Profile:
    base = changed("amex").application
    assert base is not None
    named = {int(name[1:], 16): value for name, value in record.items()}
    stated = {tag: value for tag, value in {**base.record, **named}.items() if value is not None}
    return changed("amex", application={"aip": bytes.fromhex(aip), "record": stated})


def outcome_of(profile: Any, minor: int = 7500, settings: Any = None, **asked: Any) -> Any:
    return tap_(profile, minor, settings or reader(), **asked).result


def test_the_reader_tells_the_card_of_the_limit() -> None:
    for minor, byte_3, capability in ((1250, 0x00, 0x08), (7500, 0x40, 0x20)):
        chip = Between(card())
        outcome = outcome_of(chip, minor)
        options = next(command for command in chip.sent if command[1] == 0xA8)
        assert options.hex() == "80a80000078305" + f"22{'18a0'}{byte_3:02x}0300"
        assert outcome.chip_data[0x9F33][1] == capability
        assert 0x9F6E not in outcome.chip_data


# Mobile CVM results (9F71), whether the phone was asked before, and what becomes of it.
@pytest.mark.parametrize(
    ("results", "restarted", "minor", "decision", "cvm"),
    [
        ("010002", False, 7500, Decision.ONLINE_REQUEST, Cvm.CONFIRMATION_CODE),
        ("010001", False, 7500, Decision.TRY_AGAIN, None),
        ("3F0000", False, 7500, Decision.TRY_AGAIN, None),
        ("010001", True, 7500, Decision.ONLINE_REQUEST, Cvm.SIGNATURE),
        ("010003", False, 7500, Decision.ONLINE_REQUEST, Cvm.SIGNATURE),
        ("", False, 7500, Decision.ONLINE_REQUEST, Cvm.SIGNATURE),
        ("010001", False, 1250, Decision.TRY_AGAIN, None),
        ("3F0000", True, 1250, Decision.ONLINE_REQUEST, Cvm.NONE),
    ],
)
def test_a_phone_that_verifies_its_owner(
    results: str, minor: int, decision: Decision, cvm: Cvm | None, *, restarted: bool
) -> None:
    phone = card(
        "19C0",
        x8E=MOBILE_THEN_SIGNATURE + bytes.fromhex("1F00"),
        x9F71=bytes.fromhex(results) or None,
    )
    outcome = outcome_of(phone, minor, restarted=restarted)
    assert outcome.decision is decision, outcome.reason
    assert outcome.device == "phone"
    if cvm is None:
        assert outcome.ui.message is MessageId.SEE_PHONE
    else:
        assert outcome.cvm is cvm


# The CVM list, what the reader is, 9F34 and byte 3 of the TVR; over the limit.
@pytest.mark.parametrize(
    ("aip", "listed", "minor", "results", "byte_3"),
    [
        ("0980", None, 1250, "3f0000", 0x00),
        ("0980", None, 7500, "3f0001", 0x80),
        ("1980", "", 7500, "3f0000", 0x00),
        ("1980", "00", 7500, "000001", 0x80),
        ("1980", "2A004A001E00", 7500, "3f0001", 0xC0),
        ("1980", "6A001E00", 7500, "1e0000", 0x40),
        ("1980", "0500", 7500, "3f0001", 0x80),
        ("1980", "4103", 7500, "3f0001", 0x80),
        ("1980", "1E03", 1250, "3f0001", 0x80),
        ("1980", "1F06", 1250, "3f0001", 0x80),
        ("1980", "1E031F00", 1250, "1f0002", 0x00),
        ("1980", "4200", 7500, "3f0001", 0x80),
    ],
)
def test_cvm_lists(aip: str, listed: str | None, minor: int, results: str, byte_3: int) -> None:
    rules = (
        None if listed is None else bytes(8) + bytes.fromhex(listed.ljust(4, "0") if listed else "")
    )
    outcome = outcome_of(card(aip, x8E=rules), minor)
    assert outcome.chip_data[0x9F34].hex() == results
    assert outcome.chip_data[0x95][2] == byte_3


def test_an_online_pin_where_the_reader_has_it() -> None:
    settings = each_combination(reader(), cvm_capability=0x40)
    outcome = outcome_of(card(x8E=bytes(8) + bytes.fromhex("4203")), 7500, settings)
    assert (outcome.cvm, outcome.chip_data[0x95][2]) == (Cvm.ONLINE_PIN, 0x04)


def test_a_reader_with_contacts_takes_the_card_over() -> None:
    settings = each_combination(reader())
    with_contacts = type(settings)(
        country_number=978,
        combinations=settings.combinations,
        capabilities=CONTACTS,
        ca_keys=settings.ca_keys,
    )
    outcome = outcome_of(card("0980"), 7500, with_contacts)
    assert outcome.decision is Decision.TRY_ANOTHER_INTERFACE
    declining = changed("amex", behaviour={"decision": "decline"})
    assert outcome_of(declining, 1250, with_contacts).decision is Decision.DECLINED
    elsewhere = each_combination(
        with_contacts, data={0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex("9CA00003")}
    )
    outcome = outcome_of(declining, 1250, elsewhere)
    assert outcome.decision is Decision.TRY_ANOTHER_INTERFACE
    assert outcome.ui.message is MessageId.INSERT_CARD


def test_what_the_kernel_does_not_do() -> None:
    assert outcome_of(card("1900")).decision is Decision.TRY_ANOTHER_INTERFACE
    refusing = Between(
        card(), hear=lambda command, answer: b"\x69\x85" if command[1] == 0xA8 else answer
    )
    assert "answered with 6985" in outcome_of(refusing).reason


@pytest.mark.parametrize(
    ("aip", "sw", "restarted", "decision"),
    [
        ("19C0", "6984", False, Decision.TRY_AGAIN),
        ("19C0", "6984", True, Decision.END_APPLICATION),
        ("1980", "6984", False, Decision.END_APPLICATION),
        ("19C0", "6A81", False, Decision.END_APPLICATION),
    ],
)
def test_generate_ac_that_is_refused(
    aip: str, sw: str, decision: Decision, *, restarted: bool
) -> None:
    chip = Between(
        card(aip, x9F71=None),
        hear=lambda command, answer: bytes.fromhex(sw) if command[1] == 0xAE else answer,
    )
    assert outcome_of(chip, 1250, restarted=restarted).decision is decision


def test_a_changed_cryptogram_is_declined() -> None:
    def flip(command: bytes, answer: bytes) -> bytes:
        return (
            answer.replace(tlv({0x9F27: b"\x40"}), tlv({0x9F27: b"\x80"}))
            if command[1] == 0xAE
            else answer
        )

    outcome = outcome_of(
        Between(offline("amex"), hear=flip), 1250, reader(floor_limit_minor=OFFLINE)
    )
    assert outcome.decision is Decision.DECLINED
    assert "signed another" in outcome.reason or "over another" in outcome.reason


def test_static_authentication_goes_online() -> None:
    """SDA is offered by the card and left out by the reader, or done, and never enough."""
    static = changed("amex", application={"aip": bytes.fromhex("5880")})
    outcome = outcome_of(static, 1250, reader(floor_limit_minor=OFFLINE))
    assert outcome.decision is Decision.ONLINE_REQUEST
    assert outcome.chip_data[0x95][0] == 0x80
    settings = reader(floor_limit_minor=OFFLINE)
    with_sda = type(settings)(
        country_number=978,
        combinations=settings.combinations,
        capabilities=bytes.fromhex("002888"),
        ca_keys=settings.ca_keys,
    )
    outcome = outcome_of(static, 1250, with_sda)
    assert outcome.decision is Decision.ONLINE_REQUEST
    # Selected, and the signature (93) is not there.
    assert outcome.chip_data[0x95][0] == 0x62
    forged = card("5880", x93=bytes(8))
    assert outcome_of(forged, 1250, with_sda).chip_data[0x95][0] == 0x42
