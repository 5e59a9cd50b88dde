"""Kernel 5: J/Speedy's modes, its own cardholder verification, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from hardware_sim.catalogue import load_profile
from terminal.emv.outcome import Cvm, Decision
from tests.terminal.emv.scheme import tlv
from tests.terminal.emv.taps import (
    OFFLINE,
    Between,
    changed,
    each_combination,
    offline,
    reader,
    tapped,
)


def test_the_profile_tells_the_card_of_the_limit() -> None:
    for minor, profile in ((1250, "500000"), (7500, "d00000")):
        chip = Between(load_profile("jcb"))
        tapped(chip, minor, reader())
        options = next(command for command in chip.sent if command[1] == 0xA8)
        assert options.hex().startswith(f"80a800000c830a02{profile}")


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({"application": {"pdol": bytes.fromhex("9F5303")}}, Decision.END_APPLICATION),
        ({"application": {"aip": bytes.fromhex("1900")}}, Decision.END_APPLICATION),
        ({"behaviour": {"decision": "decline"}}, Decision.DECLINED),
    ],
)
def test_cards_that_are_not_taken(changes: Any, decision: Decision) -> None:
    assert tapped(changed("jcb", **changes), 1250, reader()).result.decision is decision


# The status that the card states (9F50) in place of its own, the profile, and what follows.
@pytest.mark.parametrize(
    ("status", "profile", "minor", "cvm", "results"),
    [
        ("00", "500000", 1250, Cvm.NONE, "1f0002"),
        ("00", "500000", 7500, None, ""),
        ("10", "500000", 1250, Cvm.SIGNATURE, "1e0000"),
        ("20", "700000", 7500, Cvm.ONLINE_PIN, "020000"),
        ("20", "500000", 7500, None, ""),
        ("3F", "500000", 7500, Cvm.CONFIRMATION_CODE, "010002"),
        ("30", "400000", 7500, None, ""),
        ("40", "F00000", 1250, None, ""),
        (None, "500000", 7500, Cvm.SIGNATURE, "1e0000"),
        (None, "500000", 1250, Cvm.NONE, "1f0002"),
    ],
)
def test_the_card_chooses_the_verification(
    status: str | None, profile: str, minor: int, cvm: Cvm | None, results: str
) -> None:
    settings = each_combination(
        reader(ca_keys=type(reader().ca_keys)()), data={0x9F53: bytes.fromhex(profile)}
    )

    def hear(command: bytes, answer: bytes) -> bytes:
        if command[1] != 0xAE:
            return answer
        body = answer[2:-2]
        own = next(each for each in (b"\x00", b"\x10") if tlv({0x9F50: each}) in body)
        stated = tlv({0x9F50: status}) if status else b""
        body = body.replace(tlv({0x9F50: own}), stated)
        return bytes((0x77, len(body))) + body + b"\x90\x00"

    outcome = tapped(Between(load_profile("jcb"), hear=hear), minor, settings).result
    if cvm is None:
        assert outcome.decision is Decision.DECLINED
        assert "no cardholder verification" in outcome.reason
    else:
        assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, cvm)
        assert outcome.chip_data[0x9F34].hex() == results


@pytest.mark.parametrize(
    ("ins", "sw", "decision"),
    [
        (0xA8, "6985", Decision.END_APPLICATION),
        (0xAE, "6984", Decision.TRY_ANOTHER_INTERFACE),
        (0xAE, "6986", Decision.TRY_AGAIN),
        (0xAE, "6985", Decision.END_APPLICATION),
    ],
)
def test_refused_commands(ins: int, sw: str, decision: Decision) -> None:
    chip = Between(
        load_profile("jcb"),
        hear=lambda command, answer: bytes.fromhex(sw) if command[1] == ins else answer,
    )
    assert tapped(chip, 1250, reader()).result.decision is decision


def test_a_status_changed_on_the_way_is_declined() -> None:
    def hear(command: bytes, answer: bytes) -> bytes:
        return answer.replace(tlv({0x9F50: b"\x10"}), tlv({0x9F50: b"\x30"}))

    settings = reader(floor_limit_minor=OFFLINE * 2)
    card = offline("jcb")
    honest = (
        changed(
            "jcb",
            behaviour={"decision": "offline"},
            application={"record": card.application.record},
        )
        if card.application
        else card
    )
    assert tapped(honest, 7500, settings).result.cvm is Cvm.SIGNATURE
    outcome = tapped(Between(honest, hear=hear), 7500, settings).result
    assert outcome.decision is Decision.DECLINED
    assert "over another transaction" in outcome.reason
