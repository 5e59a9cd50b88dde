"""Cards whose certificates and keys somebody else made: emv-card-simulator's, in two profiles.

The issuer, its certificates, the records and the card's private key come from the published image;
what answers here only lays them out as the image's own notes say.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from terminal.emv.apdu import Response
from terminal.emv.entry_point import (
    ActionCodes,
    Combination,
    ReaderSettings,
    TransactionRequest,
    transact,
)
from terminal.emv.oda import CaKeys, CaPublicKey
from terminal.emv.outcome import Decision, Outcome
from terminal.emv.relay import RelayResistance
from terminal.emv.tlv import encode
from terminal.money import Amount, Currency
from tests.conftest import require_vectors
from tests.terminal.emv.scheme import directory, ok, tlv

FOUR_DEVICE_BYTES = bytes.fromhex("DEADBEEF")


def image(name: str) -> dict[str, Any]:
    path = require_vectors() / "emv" / "card_images" / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


class ImageCard:
    """The published personalisation, and a signature where the profile says that it signs."""

    technology = "card image"

    def __init__(self, found: dict[str, Any], *, spoil: str = "") -> None:
        self.found, self.spoil = found, spoil
        self.sent: list[bytes] = []
        self.tags = {int(tag, 16): bytes.fromhex(value) for tag, value in found["tags"].items()}
        self.pdol_data = b""
        self.relayed = b""

    def exchange(self, command: bytes) -> bytes:
        self.sent.append(command)
        data = command[5 : 5 + command[4]] if len(command) > 5 else b""
        match command[1]:
            case 0xA4 if data.startswith(b"2PAY"):
                return directory(self.tags[0x84])
            case 0xA4:
                return ok(bytes.fromhex(self.found["fci"]))
            case 0xA8:
                self.pdol_data = data[2:]
                return self.options()
            case 0xB2:
                return self.record(command[3] >> 3, command[2])
            case 0xEA:
                stated = FOUR_DEVICE_BYTES + bytes.fromhex("000000C80012")
                self.relayed = data + stated
                return ok(encode(0x80, stated))
            case 0xAE:
                return self.generate(command[2], data)
        return bytes.fromhex("6D00")

    def record(self, sfi: int, number: int) -> bytes:
        for each in self.found["records"]:
            if (each["sfi"], each["record"]) == (sfi, number):
                return ok(bytes.fromhex(each["data"]))
        return bytes.fromhex("6A83")

    def sign(self, dynamic: bytes, also: bytes) -> bytes:
        key = self.found["icc_private_key"]
        modulus = int(key["modulus"], 16)
        length = len(key["modulus"]) // 2
        body = bytes((0x05, 0x01, len(dynamic))) + dynamic
        body = body.ljust(length - 22, b"\xbb")
        block = b"\x6a" + body + hashlib.sha1(body + also).digest() + b"\xbc"
        return pow(int.from_bytes(block), int(key["private_exponent"], 16), modulus).to_bytes(
            length
        )

    def options(self) -> bytes:
        if "qvsdc" not in self.found:
            return ok(encode(0x77, tlv({0x82: self.tags[0x82], 0x94: self.tags[0x94]})))
        # 9F66 9F02 9F03 9F1A 95 5F2A 9A 9C 9F37, as the image's PDOL has them.
        amount, currency, number = self.pdol_data[4:10], self.pdol_data[23:25], self.pdol_data[-4:]
        related = b"\x01" + FOUR_DEVICE_BYTES + self.tags[0x9F6C]
        signed = number + amount + currency + related
        if self.spoil == "amount":
            signed = number + b"\0\0\0\0\0\x02" + currency + related
        objects = {
            0x82: self.tags[0x82],
            0x94: self.tags[0x94],
            0x57: self.tags[0x57],
            0x9F10: self.tags[0x9F10],
            0x9F26: bytes(range(8)),
            0x9F27: b"\x40",
            0x9F36: self.tags[0x9F36],
            0x9F4B: self.sign(b"\x02" + self.tags[0x9F36], signed),
            0x9F69: related,
            0x9F6C: self.tags[0x9F6C],
        }
        return ok(encode(0x77, tlv(objects)))

    def generate(self, p1: int, cdol_data: bytes) -> bytes:
        kind = bytes((0x80 if self.spoil == "type" else p1 & 0xC0,))
        shown = tlv(
            {0x9F27: bytes((p1 & 0xC0,)), 0x9F36: self.tags[0x9F36], 0x9F10: self.tags[0x9F10]}
        )
        relayed = self.relayed
        if self.spoil == "relay":
            relayed = relayed[:4] + bytes(4) + relayed[8:]
        dynamic = b"\x08" + bytes(8) + kind + bytes(range(8))
        dynamic += hashlib.sha1(self.pdol_data + cdol_data + shown).digest() + relayed
        number = cdol_data[-4:]
        return ok(encode(0x77, shown + tlv({0x9F4B: self.sign(dynamic, number)})))


def settings(found: dict[str, Any], kernel_id: int, **changes: Any) -> ReaderSettings:
    stated = found["test_ca_public_key"]
    key = CaPublicKey(
        bytes.fromhex(stated["rid"]),
        int(stated["index"], 16),
        bytes.fromhex(stated["modulus"]),
        bytes.fromhex(stated["exponent"]),
    )
    combination = Combination(
        bytes.fromhex(found["aid"]),
        kernel_id,
        "emv-card-simulator",
        floor_limit_minor=None,
        ttq=bytes.fromhex("22004000") if kernel_id == 3 else None,
        action_codes=ActionCodes(online=bytes(5), default=bytes(5)),
        relay_resistance=RelayResistance(),
        **changes,
    )
    return ReaderSettings(
        country_number=246,
        combinations=(combination,),
        ca_keys=CaKeys((key,)),
        luhn_required=True,
    )


REQUEST = TransactionRequest(
    amount=Amount(1, Currency.of("EUR")),
    at=datetime(2020, 7, 24, 12, 0, tzinfo=UTC),
    unpredictable_number=bytes.fromhex("01234567"),
)


def tapped(card: ImageCard, reader: ReaderSettings, asked: TransactionRequest = REQUEST) -> Outcome:
    """Runs the dialogue. The image's key of 248 bytes makes answers longer than a short APDU, which
    its simulator sends with GET RESPONSE; so the answers get here without the runner.
    """
    dialogue = transact(asked, reader)
    command = next(dialogue)
    while True:
        answer = card.exchange(command.encode())
        response = Response(answer[:-2], int.from_bytes(answer[-2:]), elapsed_s=0.004)
        try:
            command = dialogue.send(response)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def test_relay_resistance_and_cda_of_a_published_card() -> None:
    found = image("emvcardsim_mastercard_cda_rrp")
    card = ImageCard(found)
    outcome = tapped(card, settings(found, 2))
    assert outcome.decision is Decision.APPROVED, outcome.reason
    assert outcome.reason == "approved offline with CDA"
    assert outcome.card is not None
    assert outcome.card.pan.reveal() == found["expected"]["icc_pan"]
    order = [command[1] for command in card.sent]
    assert order[2:5] == [0xA8, 0xEA, 0xB2], found["expected"]["transaction"]["order"]
    assert card.sent[3].hex().upper() == "80EA0000040123456700"
    assert card.sent[-1][2] & 0x10
    assert outcome.chip_data[0x95][4] == 0x02
    assert outcome.chip_data[0x9F26] == bytes(range(8))


@pytest.mark.parametrize("spoil", ["relay", "type"])
def test_a_relayed_or_changed_answer_of_that_card_is_refused(spoil: str) -> None:
    found = image("emvcardsim_mastercard_cda_rrp")
    outcome = tapped(ImageCard(found, spoil=spoil), settings(found, 2))
    assert outcome.decision is Decision.END_APPLICATION
    assert "signed another" in outcome.reason


def test_fast_dda_of_a_published_card() -> None:
    found = image("emvcardsim_visa_qvsdc_fdda")
    outcome = tapped(ImageCard(found), settings(found, 3))
    assert outcome.decision is Decision.APPROVED, outcome.reason
    assert outcome.reason == "approved offline with fast DDA"
    assert outcome.card is not None
    assert outcome.card.pan.reveal() == found["expected"]["icc_pan"]


def test_fast_dda_of_another_amount_is_refused() -> None:
    found = image("emvcardsim_visa_qvsdc_fdda")
    outcome = tapped(ImageCard(found, spoil="amount"), settings(found, 3))
    assert outcome.decision is Decision.DECLINED
    assert "hash of the signed dynamic data" in outcome.reason


@pytest.mark.parametrize(
    "change", [lambda key: replace(key, index=0x94), lambda key: replace(key, rid=b"\xaf\0\0\0\0")]
)
def test_without_the_right_ca_key_it_is_not_approved(change: Any) -> None:
    found = image("emvcardsim_visa_qvsdc_fdda")
    reader = settings(found, 3)
    (key,) = reader.ca_keys.keys
    outcome = tapped(ImageCard(found), replace(reader, ca_keys=CaKeys((change(key),))))
    assert outcome.decision is Decision.DECLINED
    assert "no CA key" in outcome.reason
