"""The virtual reader takes the commands of an ACR122U: plain pyscard speaks to the PN532 in it."""

import pytest
from smartcard.System import readers
from smartcard.util import toBytes, toHexString

SELECT_PPSE = "00 A4 04 00 0E 32 50 41 59 2E 53 59 53 2E 44 44 46 30 31 00"


def through_the_chip(connection, command):
    """Direct transmit: a command of the PN532, and its answer."""
    body = toBytes(command)
    data, sw1, sw2 = connection.transmit([0xFF, 0x00, 0x00, 0x00, len(body), *body])
    assert (sw1, sw2) == (0x90, 0x00)
    return toHexString(data)


@pytest.fixture
def connection(sim_reader, sim_card):
    sim_reader.put(sim_card)
    reader = next(each for each in readers() if str(each) == sim_reader.name)
    connection = reader.createConnection()
    connection.connect()
    yield connection
    connection.disconnect()


@pytest.mark.sim_door("pcsc")
@pytest.mark.sim_card("mastercard-credit")
def test_the_pn532_lists_the_card_and_carries_its_commands(connection, sim_card):
    assert through_the_chip(connection, "D4 02").startswith("D5 03 32")
    listed = through_the_chip(connection, "D4 4A 01 00")
    assert listed.startswith("D5 4B 01 01")
    answer = through_the_chip(connection, f"D4 40 01 {SELECT_PPSE}")
    assert answer.startswith("D5 41 00 6F")
    assert "A0 00 00 00 04 10 10" in answer
    assert sim_card.commands == ["SELECT"]


@pytest.mark.sim_door("pcsc")
def test_the_green_light_and_the_buzzer(connection, sim_reader):
    data, sw1, sw2 = connection.transmit(toBytes("FF 00 40 0E 04 01 01 02 01"))
    assert (data, sw1, sw2) == ([], 0x90, 0x02)
    assert sim_reader.lights == ("green",)
    assert sim_reader.beeps == 2
