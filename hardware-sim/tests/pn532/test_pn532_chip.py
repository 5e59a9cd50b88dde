"""The PN532 as a host sees it: command by command, with cards in its field."""

from __future__ import annotations

import pytest

from drivers.door import PatternChip, pattern
from hardware_sim.iso_dep import Activation, Pace
from hardware_sim.pn532_chip import AirFaults, Pn532
from hardware_sim.pn532_frame import ACK, ERROR, FROM_HOST, NACK, FrameReader, encode
from hardware_sim.radio import RadioField
from hardware_sim.tags import IsoDepTag, foreign

REFUSED = "7F"


class Host:
    """A host that has woken the chip, and speaks hexadecimal."""

    def __init__(self, *, air: AirFaults | None = None) -> None:
        self.field = RadioField()
        self.chip = Pn532(self.field, air=air)
        self.baud = 115200
        self.send(bytes(10))
        self("12 00")  # The firmware leaves activation to the host, as nfcpy wants it.

    def send(self, wire: bytes) -> bytes:
        return self.chip.receive(wire, host_baud=self.baud)

    def __call__(self, command: str) -> str:
        """The response's code and data, in hexadecimal; or that the chip refused."""
        answer = self.send(encode(bytes((FROM_HOST,)) + bytes.fromhex(command)))
        assert answer.startswith(ACK)
        answer = answer[len(ACK) :]
        if answer == ERROR:
            return REFUSED
        (frame,) = FrameReader().feed(answer)
        assert frame.body[0] == 0xD5
        return frame.body[1:].hex().upper()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.mark.parametrize(
    ("command", "response"),
    [
        ("02", "0332010607"),
        ("00 00 48656C6C6F", "01 00 48656C6C6F"),  # communication line
        ("00 01", "01 00"),  # ROM
        ("00 02", "01 00"),  # RAM
        ("00 06", "01 01"),  # attention request, and no card is there
        ("00 07", "01 00"),  # antenna
        ("00 55", REFUSED),
        ("00", REFUSED),
        ("04", "05 00 00 00 00"),  # no error, no field, no target
        ("06 6302 6303", "07 00 00"),
        ("06 63", REFUSED),
        ("08 6302 80", "09"),
        ("08 6302", REFUSED),
        ("12 00", "13"),
        ("12", REFUSED),
        ("14 01 00 00", "15"),
        ("14 09", REFUSED),
        ("32 01 01", "33"),
        ("32 05 01 00 01", "33"),
        ("32 05 01", REFUSED),
        ("32 99 00", REFUSED),
        ("4A 01 00", "4B 00"),
        ("4A 02 03 00", "4B 00"),
        ("4A 03 00", REFUSED),
        ("4A 01 09", REFUSED),
        ("42 30 00", "43 01"),
        ("42", REFUSED),
        ("40 01 30 00", "41 27"),
        ("52 00", "53 00"),
        ("54 01", "55 27"),
        ("99", REFUSED),
    ],
)
def test_a_command_without_a_card(host: Host, command: str, response: str) -> None:
    assert host(command) == response.replace(" ", "")


def test_a_register_keeps_what_is_written(host: Host) -> None:
    assert host("08 6302 80 6303 55") == "09"
    assert host("06 6302 6303") == "078055"


def test_a_chip_that_sleeps_misses_what_wakes_it() -> None:
    chip = Pn532(RadioField())
    ask = encode(bytes.fromhex("D402"))
    assert chip.receive(ask, host_baud=115200) == b""
    assert chip.receive(ask, host_baud=115200).startswith(ACK)


def test_power_down_is_sleep(host: Host) -> None:
    assert host("16 20") == "1700"
    assert host.send(encode(bytes.fromhex("D402"))) == b""
    assert host("02") == "0332010607"


def test_the_speed_changes_when_the_host_has_acknowledged(host: Host) -> None:
    assert host("10 08") == "11"
    assert host("02") == "0332010607"
    assert host.send(ACK) == b""
    assert host.send(encode(bytes.fromhex("D402"))) == b""
    host.baud = 1288000
    assert host("02") == "0332010607"
    assert host("10 0A") == REFUSED


def test_a_broken_command_gets_no_acknowledgement(host: Host) -> None:
    wire = encode(bytes.fromhex("D402"))
    assert host.send(wire[:-2] + b"\x00\x00") == b""


def test_a_response_is_sent_again_on_request(host: Host) -> None:
    first = host.send(encode(bytes.fromhex("D402")))
    assert host.send(NACK) == first[len(ACK) :]
    assert host.send(ACK) == b""


@pytest.mark.parametrize(
    ("tag", "listing", "response"),
    [
        ("MIFARE Classic", "4A 01 00", "4B 01 01 0004 08 04 3A7C51E2"),
        ("NTAG", "4A 01 00", "4B 01 01 0044 00 07 04A1B2C3D4E5F6"),
        (
            "FeliCa",
            "4A 01 01 00FFFF0100",
            "4B 01 01 14 01 0101060123456789 0120220427674EFF 0003",
        ),
        ("type B tag", "4A 01 03 00", "4B 01 01 50 5B1C2D3E 00000000 008070 00"),
        ("NTAG", "4A 01 03 00", "4B 00"),
    ],
)
def test_a_tag_is_listed(host: Host, tag: str, listing: str, response: str) -> None:
    host.field.present_foreign(tag)
    assert host(listing) == response.replace(" ", "")
    assert host("04")[4:6] == "01"  # The field is on.
    if tag == "NTAG" and listing.startswith("4A 01 00"):
        assert host("40 01 30 04") == "4101"  # It takes no APDUs.


def test_two_cards_are_listed_and_none_is_selected(host: Host) -> None:
    host.field.present_two(PatternChip(), PatternChip())
    assert host("4A 02 00")[:4] == "4B02"
    assert host("42 E080") == "4301"
    assert host("54 02") == "5500"
    assert host("42 E080")[:4] == "4300"


def test_a_card_is_activated_talks_and_is_deselected(host: Host) -> None:
    host.field.present(PatternChip())
    assert host("4A 01 00") == "4B010100042004085A17C3"
    assert host("42 E080") == "4300" + "0578007002"
    answer = pattern(bytes.fromhex("80CA020000")).hex().upper()
    assert host("42 02 80CA020000") == "430002" + answer
    assert host("42 03 80CA020000") == "430003" + answer
    assert host("00 06") == "0100"
    assert host("42 C2") == "4300C2"
    assert host("00 06") == "0101"
    assert host("4A 01 00") == "4B00"  # Halted: only a field that was off wakes it.
    assert host("32 01 00") == "33"
    assert host("4A 01 00")[:4] == "4B01"


def test_a_type_b_card_is_activated_by_the_firmware(host: Host) -> None:
    host.field.present(PatternChip(), type_b=True)
    assert host("4A 01 03 00") == "4B0101" + "50085A17C300000000008170" + "0101"
    # With the target's number as CID, so blocks carry it.
    answer = pattern(bytes.fromhex("80CA020000")).hex().upper()
    assert host("42 0A01 80CA020000") == "43000A01" + answer
    assert host("42 02 80CA020000") == "4301"
    assert host("42 CA01") == "4300CA01"
    assert host("42 050008") == "4300" + "50085A17C300000000008170"


def test_the_firmware_can_run_the_block_protocol_itself(host: Host) -> None:
    chip = PatternChip()
    host.field.present(chip)
    assert host("12 10") == "13"  # automatic RATS
    assert host("4A 01 00").endswith("0578007002")
    command = bytes.fromhex("80CA000000")
    assert host("40 01 80CA000000") == "4100" + pattern(command).hex().upper()
    host.field.remove()
    assert host("40 01 80CA000000") == "4101"


def test_a_long_answer_comes_in_an_extended_frame(host: Host) -> None:
    host.field.present(PatternChip())
    host("4A 01 00")
    host("42 E080")
    answer = host.send(encode(bytes.fromhex("D442 02 80CA000000")))
    assert answer[len(ACK) :].startswith(bytes.fromhex("0000FFFFFF0101FE"))
    assert answer[len(ACK) + 11] == 0x12  # Chained: 258 bytes are more than one frame holds.


@pytest.mark.parametrize(
    ("index", "answered"),
    [(0, True), (6, False), (7, True), (10, True)],  # none, 3.2 ms, 6.4 ms, 51.2 ms
)
def test_an_answer_after_the_time_is_lost(host: Host, index: int, answered: bool) -> None:  # noqa: FBT001 - a table.
    slow = IsoDepTag(PatternChip(), activation=Activation(fwi=5), pace=Pace(thinking_ms=5))
    host.field.present_tags(slow)
    host("4A 01 00")
    host("42 E080")
    host(f"32 02 000A{index:02X}")
    assert (host("42 02 80CA020000")[:4] == "4300") is answered


def test_a_card_that_left_does_not_answer(host: Host) -> None:
    host.field.present(PatternChip())
    host("4A 01 00")
    host("42 E080")
    host.field.remove()
    assert host("42 02 80CA020000") == "4301"
    assert host("00 06") == "0101"


def test_release_forgets_the_targets(host: Host) -> None:
    host.field.present_tags(foreign("NTAG"))
    host("4A 01 00")
    assert host("44 01") == "4500"
    assert host("52 00") == "5300"
    assert host("54 01") == "5527"
    assert host("52") == REFUSED


def test_the_air_is_as_bad_as_its_seed_says() -> None:
    def taps(seed: int) -> list[str]:
        host = Host(air=AirFaults(seed, lost_rate=0.3, damaged_rate=0.3))
        host.field.present(PatternChip())
        host("4A 01 00")
        return [host("42 E080")[:4] for _ in range(30)]

    assert taps(7) == taps(7)
    assert taps(7) != taps(8)
    assert {"4300", "4301", "4302", "4303"} >= set(taps(7))
    assert "4302" in taps(7) or "4303" in taps(7)
