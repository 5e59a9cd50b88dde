from __future__ import annotations

import pytest

from terminal.card import CardData, Pan
from terminal.emv.apdu import Command, Response
from terminal.emv.outcome import Application, Decision, Outcome
from terminal.errors import CardError


@pytest.mark.parametrize(
    ("command", "wire"),
    [
        (Command(0x00, 0x84, 0x00, 0x00, le=None), "00840000"),  # case 1
        (Command(0x00, 0xB2, 0x01, 0x0C), "00B2010C00"),  # case 2
        (Command(0x80, 0xDA, 0x00, 0x00, b"\x01", le=None), "80DA00000101"),  # case 3
        (Command(0x80, 0xA8, 0x00, 0x00, b"\x83\x00"), "80A8000002830000"),  # case 4
    ],
)
def test_commands_on_the_wire(command: Command, wire: str) -> None:
    assert command.encode().hex().upper() == wire
    assert Command.decode(bytes.fromhex(wire)) == command


@pytest.mark.parametrize("wire", ["", "00B201", "00B2010C0301", "00B2010C01020304"])
def test_bytes_that_are_no_command(wire: str) -> None:
    with pytest.raises(ValueError, match="command"):
        Command.decode(bytes.fromhex(wire))


def test_impossible_commands() -> None:
    with pytest.raises(ValueError, match="header"):
        Command(0x100, 0, 0, 0)
    with pytest.raises(ValueError, match="longer"):
        Command(0, 0, 0, 0, bytes(256))
    with pytest.raises(ValueError, match="Le"):
        Command(0, 0, 0, 0, le=256)


def test_answers_and_their_bounds() -> None:
    assert Response.decode(b"\x01\x90\x00") == Response(b"\x01", 0x9000)
    assert Response(b"\x01", 0x6A82).encode() == b"\x01\x6a\x82"
    assert not Response(b"", 0x6A82).ok
    for wire in (b"", b"\x90", bytes(259)):
        with pytest.raises(CardError):
            Response.decode(wire)


def test_names_and_no_bytes_when_shown() -> None:
    command = Command(0x80, 0xA8, 0, 0, bytes.fromhex("4761739001010010"))
    assert command.name == "GET PROCESSING OPTIONS"
    assert Command(0, 0x01, 0, 0).name == "INS 01"
    shown = repr(command) + repr(Response(bytes.fromhex("4761739001010010"), 0x9000))
    assert "4761" not in shown
    assert "Gas" not in shown


def test_an_outcome_keeps_cardholder_data_out_of_chip_data() -> None:
    with pytest.raises(AssertionError, match="cardholder data"):
        Outcome(Decision.DECLINED, "", chip_data={0x57: b""})
    card = CardData(Pan("4761739001010010"), "2812")
    with pytest.raises(AssertionError, match="needs card data"):
        Outcome(Decision.APPROVED, "", card=card)
    used = Application(b"\xa0\x00\x00\x00\x03", "VISA", "Visa", 3)
    assert Outcome(Decision.APPROVED, "", card=card, application=used).device == "card"
