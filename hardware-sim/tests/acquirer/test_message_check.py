"""A message's form is checked against the profile, and every fault is told with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from hardware_sim.bench_till import BenchTill, Slip
from hardware_sim.cli import sim
from hardware_sim.message_check import check_message
from terminal.errors import HostSilent
from terminal.iso8583.codec import Message, encode
from terminal.iso8583.packing import unpack
from terminal.iso8583.profiles import BASE87


@pytest.fixture
def wire(open_till: Callable[..., BenchTill]) -> bytes:
    return open_till().message(Slip())


def changed(wire: bytes, **fields: str | None) -> bytes:
    """The message with fields replaced (``f4="1"``) or left out (None)."""
    message = unpack(BASE87, wire)
    values = dict(message.fields)
    for name, value in fields.items():
        number = int(name[1:])
        if value is None:
            del values[number]
        else:
            values[number] = value
    return encode(BASE87.layout, Message(message.mti, values))


def test_a_sound_message_has_no_fault_and_hides_the_card(wire: bytes) -> None:
    report = check_message(BASE87, wire)
    assert report.faults == ()
    assert report.mti == "0200"
    shown = {each.number: each.value for each in report.fields}
    assert shown[4] == "000000001250"
    assert shown[55].endswith("characters)")
    assert shown[62].endswith("characters)")


def test_every_fault_is_told_at_once(wire: bytes) -> None:
    report = check_message(BASE87, changed(wire, f41=None, f55=None, f38="123456"))
    told = [fault.replace(":", "").split() for fault in report.faults]
    assert [(each[1], each[-1]) for each in told] == [
        *(("38", "message"), ("41", "missing"), ("55", "missing")),
    ]


def test_a_field_that_is_in_no_layout_is_named() -> None:
    with_a_card_number = b"0200" + bytes.fromhex("4000000000000000") + b"164761739001010010"
    report = check_message(BASE87, with_a_card_number)
    assert report.mti == "0200"
    (fault,) = report.faults
    assert "DE 2 does not exist here" in fault
    assert "4761739001010010" not in repr(report)


def test_a_running_acquirer_writes_every_fault_into_its_books(
    open_till: Callable[..., BenchTill],
) -> None:
    till = open_till()
    broken = changed(till.message(Slip()), f41=None, f55=None, f38="123456")
    with pytest.raises(HostSilent):
        till.host.exchange(broken, is_answer=lambda _: True, timeout_s=10.0)
    note = till.control.ledger()[-1].note
    assert [part.split(" (")[0] for part in note.split("; ")] == ["DE 38", "DE 41", "DE 55"]
    assert note == "; ".join(check_message(BASE87, broken).faults)


def test_what_cannot_be_read_is_told_with_its_field(wire: bytes) -> None:
    assert check_message(BASE87, wire[:-10]).faults
    assert check_message(BASE87, b"9999" + wire[4:]).faults[0].startswith("message type 9999")
    letters = wire.replace(b"000000001250", b"00000000125A", 1)
    assert any("class n" in fault for fault in check_message(BASE87, letters).faults)


def test_the_command_prints_a_table_or_json(wire: bytes) -> None:
    table = CliRunner().invoke(sim, ["message", wire.hex()])
    assert table.exit_code == 0
    assert "As the profile wants it." in table.output
    broken = changed(wire, f41=None).hex()
    told = CliRunner().invoke(sim, ["message", "-", "--json"], input=broken)
    assert told.exit_code == 1
    assert json.loads(told.output)["faults"]
    assert CliRunner().invoke(sim, ["message", "xyz"]).exit_code == 1
