"""Kernels 6 and 7, and what they share with kernel 3 beyond its own tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hardware_sim.catalogue import load_profile
from hardware_sim.personalisation import Personalisation
from hardware_sim.profile import Profile
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Cvm, Decision
from terminal.emv.tlv import encode
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import options
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


def restated(profile: Profile, tag: int, value: str | None) -> Between:
    """The card with another value in its answer to GET PROCESSING OPTIONS, or without it."""

    def hear(command: bytes, answer: bytes) -> bytes:
        if command[1] != 0xA8 or answer[:1] != b"\x77":
            return answer
        head = 3 if answer[1] == 0x81 else 2
        body = answer[head:-2]
        at = body.index(tag.to_bytes(2))
        head = 4 if body[at + 2] == 0x81 else 3
        own = body[at : at + head + body[at + head - 1]]
        body = body.replace(own, tlv({tag: value}) if value is not None else b"")
        length_bytes = bytes((len(body),)) if len(body) < 128 else bytes((0x81, len(body)))
        return b"\x77" + length_bytes + body + b"\x90\x00"

    return Between(profile, hear=hear)


# The card processing requirements (9F71), the TTQ, amount and verification, asked online.
@pytest.mark.parametrize(
    ("stated", "ttq", "minor", "cvm"),
    [
        ("8000", "26004000", 1250, Cvm.ONLINE_PIN),
        ("8000", "22004000", 7500, None),
        ("8002", "22004000", 7500, Cvm.SIGNATURE),
        ("8001", "20004000", 7500, Cvm.NONE),
        ("4000", "22004000", 1250, Cvm.SIGNATURE),
        ("4000", "20004000", 1250, Cvm.NONE),
        ("1000", "22004000", 7500, Cvm.CONFIRMATION_CODE),
        ("1000", "22000000", 7500, None),
        ("0000", "22004000", 7500, None),
        (None, "22004000", 7500, Cvm.SIGNATURE),
        (None, "20004000", 1250, Cvm.NONE),
    ],
)
def test_discovers_requirements(stated: str | None, ttq: str, minor: int, cvm: Cvm | None) -> None:
    settings = each_combination(reader(), ttq=bytes.fromhex(ttq))
    outcome = tapped(restated(load_profile("discover"), 0x9F71, stated), minor, settings).result
    assert outcome.decision is (Decision.ONLINE_REQUEST if cvm else Decision.DECLINED)
    assert outcome.cvm is (cvm or Cvm.NOT_APPLICABLE)


def test_requirements_of_a_wrong_length() -> None:
    outcome = tapped(restated(load_profile("discover"), 0x9F71, "00"), 1250, reader()).result
    assert outcome.decision is Decision.END_APPLICATION
    assert "9F71" in outcome.reason


# An offline approval of Discover's whose signature does not hold: what the card wants then.
@pytest.mark.parametrize(
    ("stated", "ttq", "decision"),
    [
        ("0040", "22004000", Decision.ONLINE_REQUEST),
        ("0020", "32004000", Decision.TRY_ANOTHER_INTERFACE),
        ("0020", "22004000", Decision.DECLINED),
        ("0010", "22004000", Decision.DECLINED),
    ],
)
def test_a_changed_answer_of_discovers(stated: str, ttq: str, decision: Decision) -> None:
    settings = each_combination(reader(floor_limit_minor=OFFLINE), ttq=bytes.fromhex(ttq))
    outcome = tapped(restated(offline("discover"), 0x9F71, stated), 1250, settings).result
    assert outcome.decision is decision
    assert "over another transaction" in outcome.reason


@pytest.mark.parametrize(
    ("ttq", "aip", "spoilt", "reason"),
    [
        ("22004000", "2080", False, "does not support CDA"),
        ("22004000", "0180", True, "signed another cryptogram"),
    ],
)
def test_discovers_approval_needs_cda(ttq: str, aip: str, reason: str, *, spoilt: bool) -> None:
    profile = changed(
        "discover",
        behaviour={"decision": "offline", "cvm": "none"},
        application={"aip": bytes.fromhex(aip)},
    )

    class Liar(Between):
        def _signed_cryptogram(
            self,
            chip: Personalisation,
            shown: Mapping[int, bytes],
            cdol_data: bytes,
            values: Mapping[int, bytes],
        ) -> bytes:
            other = {**values, 0x9F26: bytes(8)} if spoilt else values
            return super()._signed_cryptogram(chip, shown, cdol_data, other)

    outcome = tapped(Liar(profile), 1250, reader(floor_limit_minor=OFFLINE)).result
    assert outcome.decision is Decision.DECLINED
    assert reason in outcome.reason


def test_an_approval_of_discovers_without_a_signature() -> None:
    profile = offline("discover")
    chip = restated(profile, 0x9F4B, None)
    outcome = tapped(chip, 1250, reader(floor_limit_minor=OFFLINE)).result
    assert outcome.decision is Decision.DECLINED
    assert "gave no signature" in outcome.reason


# A device's word, with the signature over it where the reader asks for one (TTQ byte 1, bit 1).
@pytest.mark.parametrize("card_id", ["visa-credit", "discover", "unionpay"])
@pytest.mark.parametrize(
    ("ttq", "keys", "strict", "spoilt", "cvm"),
    [
        ("22004000", True, False, False, Cvm.CONFIRMATION_CODE),
        ("22004000", True, True, False, None),
        ("23004000", True, True, False, Cvm.CONFIRMATION_CODE),
        ("23004000", True, False, False, Cvm.CONFIRMATION_CODE),
        ("23004000", True, False, True, None),
        ("23004000", False, True, False, None),
    ],
)
def test_the_word_of_a_device(
    card_id: str, ttq: str, cvm: Cvm | None, *, keys: bool, strict: bool, spoilt: bool
) -> None:
    settings = each_combination(
        reader() if keys else reader(ca_keys=CaKeys()),
        ttq=bytes.fromhex(ttq),
        signed_device_cvm_only=strict,
    )
    phone = changed(card_id, behaviour={"cvm": "device"})

    def hear(command: bytes, answer: bytes) -> bytes:
        if not spoilt or command[1] != 0xA8:
            return answer
        at = answer.index(bytes.fromhex("9F4B8180")) + 4
        return answer[:at] + bytes((answer[at] ^ 1,)) + answer[at + 1 :]

    outcome = tapped(Between(phone, hear=hear), 7500, settings).result
    assert outcome.decision is (Decision.ONLINE_REQUEST if cvm else Decision.DECLINED)
    assert outcome.cvm is (cvm or Cvm.NOT_APPLICABLE)


def test_a_signature_without_a_known_ca_key_is_left_to_the_issuer() -> None:
    settings = each_combination(reader(ca_keys=CaKeys()), ttq=bytes.fromhex("23004000"))
    phone = changed("visa-credit", behaviour={"cvm": "device"})
    assert tapped(phone, 7500, settings).result.cvm is Cvm.CONFIRMATION_CODE


# UnionPay's application version (9F08) decides which fast DDA the card must have made.
@pytest.mark.parametrize(
    ("version", "related", "reason"),
    [
        (b"\x00\x30", None, "approved offline"),
        (b"\x00\x20", None, "does not belong to its version"),
        (b"\x00\x30", b"\x01\x01", "wrong length"),
        (None, None, "does not belong to its version"),
    ],
)
def test_unionpays_versions(version: bytes | None, related: bytes | None, reason: str) -> None:
    profile = offline("unionpay")
    assert profile.application is not None
    record = dict(profile.application.record)
    record.pop(0x9F08)
    if version:
        record[0x9F08] = version
    profile = changed(
        "unionpay",
        behaviour={"decision": "offline", "cvm": "none"},
        application={"record": record},
    )

    def hear(command: bytes, answer: bytes) -> bytes:
        if related is None or command[1] != 0xB2 or bytes.fromhex("9F69") not in answer:
            return answer
        body = answer[3:-2] if answer[1] == 0x81 else answer[2:-2]
        at = body.index(bytes.fromhex("9F69"))
        body = body[:at] + tlv({0x9F69: related})
        return tlv({0x70: body}) + b"\x90\x00"

    outcome = tapped(Between(profile, hear=hear), 1250, reader(floor_limit_minor=OFFLINE)).result
    assert reason in outcome.reason
    assert (outcome.decision is Decision.APPROVED) is reason.startswith("approved")


def test_a_card_of_version_00_signs_the_number_alone() -> None:
    """Made by hand: no card of the simulator has it."""
    aid = bytes.fromhex("A000000333010102")
    pan = "6250946000000016"
    static = tlv({0x5A: pan, 0x5F24: "281231", 0x9F08: "0020"})
    issuer, icc = scheme.key_records(scheme.certificates(static, pan=pan, prefix="625094FF"))

    def gpo(command: bytes) -> bytes:
        number = command[11:15]
        signature = scheme.signed(b"\x02\x00\x42", number)
        stated: dict[str, Any] = {
            "x57": f"{pan}D2812201000000000F",
            "x9F27": "40",
            "x94": "08010101" + "10010200",
            "x9F4B": signature,
            "x9F6C": None,
        }
        return options(**stated)

    answers: dict[str, Any] = {
        "80A8": gpo,
        "00B2010C": scheme.ok(encode(0x70, static)),
        "00B20114": issuer,
        "00B20214": icc,
    }
    card = scheme.card(aid, answers, pdol="9F66049F3704")
    settings = scheme.settings(aid, 7, floor_limit_minor=100_000)
    outcome = scheme.tap(card, scheme.request(), settings)
    assert outcome.decision is Decision.APPROVED, outcome.reason
