"""The reader's own commands, byte for byte: ACS, ACR122U API V2.04, 4.1 and chapter 6."""

from __future__ import annotations

import pytest

from hardware_sim.acr122 import FIRMWARE, Acr122, Front
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.radio import tags_of
from terminal.errors import CardLost

PPSE = "00A404000E325041592E5359532E444446303100"


def reader_with(card: str = "visa-credit", front: Front | None = None) -> Acr122:
    profile = load_profile(card)
    reader = Acr122(tags_of(profile, EmvCard(profile)), front)
    reader.reset()
    return reader


def said(reader: Acr122, command: str) -> str:
    return reader.exchange(bytes.fromhex(command)).hex().upper()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("FFCA000000", "08A1B2C39000"),
        ("FFCA010000", "05788070029000"),
        ("FF00480000", FIRMWARE.hex().upper()),
        ("FF00500000", "90FF"),
        ("FF00518F00", "908F"),
        ("FF00410A00", "9000"),
        ("FF00520000", "9000"),
        ("FF00400F0401010201", "9003"),
        ("FF00400C0400000000", "9000"),
        ("FF00400F00", "6300"),
        ("FF00000002D402", "D503320106079000"),
        ("FF00000002D4FE", "6300"),
        ("FF00000000", "6300"),
        ("FF00", "6300"),
        ("FF00770000", "6A81"),
        ("FFB0000010", "6A81"),
    ],
)
def test_each_command_has_its_answer(command: str, answer: str) -> None:
    assert said(reader_with(), command) == answer


def test_the_card_answers_through_the_chip_as_it_does_by_itself() -> None:
    direct, through = reader_with(), reader_with()
    plain = said(direct, PPSE)
    assert plain.endswith("9000")
    length = f"{3 + len(PPSE) // 2:02X}"
    assert said(through, f"FF000000{length}D44001{PPSE}") == f"D54100{plain}9000"


def test_a_card_that_is_listed_again_is_a_card_that_begins_anew() -> None:
    reader = reader_with()
    listed = said(reader, "FF00000004D44A0100")
    assert listed.startswith("D54B010100042004")
    assert listed.endswith("9000")
    assert said(reader, "FF00000003D44401") == "D545009000"
    assert said(reader, "FF00000004D44A0100") == listed


def test_a_tag_without_apdus_has_an_identifier_and_nothing_else() -> None:
    reader = reader_with("ntag-sticker")
    assert said(reader, "FFCA000000") == "041122334455669000"
    assert said(reader, "FFCA010000") == "6A81"
    assert said(reader, PPSE) == "6A81"


def test_lights_stay_when_the_card_goes() -> None:
    front = Front()
    said(reader_with(front=front), "FF0040050400000000")
    assert said(reader_with("amex", front), "FF0040000400000000") == "9001"


def test_a_card_that_has_left_is_lost_for_the_program_and_silent_for_the_chip() -> None:
    profile = load_profile("visa-credit")

    class Leaving(EmvCard):
        def exchange(self, command: bytes) -> bytes:
            raise CardLost("gone")

    reader = Acr122(tags_of(profile, Leaving(profile)))
    reader.reset()
    length = f"{3 + len(PPSE) // 2:02X}"
    assert said(reader, f"FF000000{length}D44001{PPSE}") == "D541019000"
    with pytest.raises(CardLost):
        said(reader, PPSE)
