"""A project that has never heard of a till reads a simulated card with plain pyscard."""

import pytest
from smartcard.System import readers
from smartcard.util import toHexString

SELECT_PPSE = [0x00, 0xA4, 0x04, 0x00, 0x0E, *b"2PAY.SYS.DDF01", 0x00]


@pytest.mark.sim_door("pcsc")
@pytest.mark.sim_card("mastercard-credit")
def test_the_directory_names_a_mastercard(sim_reader, sim_card):
    sim_reader.put(sim_card)
    reader = next(each for each in readers() if str(each) == sim_reader.name)
    connection = reader.createConnection()
    connection.connect()
    data, sw1, sw2 = connection.transmit(SELECT_PPSE)
    connection.disconnect()
    assert (sw1, sw2) == (0x90, 0x00)
    assert "A0 00 00 00 04 10 10" in toHexString(data)


@pytest.mark.sim_door("pcsc")
@pytest.mark.sim_card("visa-credit", fault="sw=6A82 sw_at=1")
def test_a_card_can_be_told_to_misbehave(sim_reader, sim_card):
    sim_reader.put(sim_card)
    reader = next(each for each in readers() if str(each) == sim_reader.name)
    connection = reader.createConnection()
    connection.connect()
    _, sw1, sw2 = connection.transmit(SELECT_PPSE)
    connection.disconnect()
    assert (sw1, sw2) == (0x6A, 0x82)
    assert sim_card.commands == ["SELECT"]
