"""The same card behind a PN532 on a serial line, read with plain nfcpy."""

import nfc
import nfc.clf.pn532
import nfc.clf.transport
import pytest

PPSE = b"2PAY.SYS.DDF01"


@pytest.mark.sim_door("pn532")
@pytest.mark.sim_card("visa-credit")
def test_the_directory_names_a_visa_card(sim_reader, sim_card):
    sim_reader.put(sim_card)
    frontend = nfc.ContactlessFrontend()
    frontend.device = nfc.clf.pn532.init(nfc.clf.transport.TTY(sim_reader.path))
    frontend.device._path = sim_reader.path
    try:
        tag = frontend.connect(rdwr={"on-connect": lambda tag: False})
        assert bytes.fromhex("A0000000031010") in tag.send_apdu(0x00, 0xA4, 0x04, 0x00, PPSE)
    finally:
        frontend.close()
