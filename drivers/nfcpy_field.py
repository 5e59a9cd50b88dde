"""What stands in the radio field of an nfcpy device: one card, several, a foreign tag, nothing.

Rules of this file: it polls and selects, and sends no APDU. A device that is not a PN53x cannot
count cards of one type; there two of them look like none until one is taken away.
"""

from __future__ import annotations

import contextlib
import termios
import time
from dataclasses import dataclass
from typing import Any

import nfc.clf
import nfc.clf.pn53x
import nfc.clf.pn532

DEVICE_ERRORS = (OSError, termios.error, IndexError, nfc.clf.pn53x.Chipset.Error)
"""What nfcpy lets through when the device fails; IndexError where it trusts a short answer."""

_RESET_S = 0.006  # EMV Contactless Book D wants the field off for 5.1 ms at least.
_FELICA_SIGHTINGS = 3
_LIST_PASSIVE_TARGET = 0x4A
_TYPE_A, _FELICA, _TYPE_B = 0, 1, 3
_SENSF_REQ = bytes.fromhex("00FFFF0100")
_SAK_ISO_DEP = 0x20

PAYMENT_ONLY = bytes.fromhex("6A01000003")
"""Enhanced contactless polling, version 1: this reader takes payments and nothing else. A phone
that hears it offers its card by itself. The frames of public transport are never sent: they would
have a locked phone pay without asking its owner."""

_ANNOUNCED_EVERY = 4  # Looks. A published trace has one such frame in 0.96 s.
_FIELD, _FIELD_ON = 0x01, b"\x01"  # RFConfiguration (PN532 user manual, 7.3.1).
_TIMEOUTS, _NO_ANSWER, _DEFAULT = 0x02, b"\x00\x0b\x01", b"\x00\x0b\x0a"
_WITH_CRC = 0x80  # CIU_TxMode, CIU_RxMode
_SAK_MIFARE = 0x08


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look saw: how many cards, the modulation of one, the name of a foreign tag.

    ``glimpse``: something answered that is not yet worth naming.
    """

    cards: int = 0
    brty: str = "106A"
    foreign: str = ""
    glimpse: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing answered at all."""
        return not (self.cards or self.foreign or self.glimpse)


class Field:
    """The radio field of one device."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self._felica_sightings = 0
        self._chipset = device.chipset if isinstance(device, nfc.clf.pn53x.Device) else None
        # Tried with this chip alone, and only here with a simulated one.
        self._announces = isinstance(device, nfc.clf.pn532.Device)
        self._looks = 0

    def off(self) -> None:
        """Switches the field off, so that every card forgets everything."""
        self.device.mute()

    def reset(self) -> None:
        """Switches the field off for long enough; the next look switches it on."""
        self.device.mute()
        time.sleep(_RESET_S)

    def sense(self, brty: str) -> Any:
        """Selects the one tag of type A, B or F; None when it is not there any more."""
        device = self.device
        sense = {"A": device.sense_tta, "B": device.sense_ttb, "F": device.sense_ttf}[brty[-1]]
        try:
            return sense(nfc.clf.RemoteTarget(brty))
        except nfc.clf.Error:
            return None

    def look(self) -> Sight:
        """Who answers to polling: type A and B, and FeliCa when neither does."""
        chipset = self._chipset
        if chipset is None:
            return self._look_by_sensing()
        if self._announces and self._looks % _ANNOUNCED_EVERY == 0:
            self._announce(chipset)
        self._looks += 1
        type_a = _listed(chipset, _TYPE_A, b"")
        type_b = _listed(chipset, _TYPE_B, b"\x00")
        cards = type_a[0] + type_b[0]
        if cards == 1 and type_b[0] and type_b[12] & 0x09 != 0x01:
            return Sight(foreign="ISO 14443-3 B")
        if cards:
            return self._cards(cards, "106A" if type_a[0] else "106B")
        return self._felica(seen=bool(_listed(chipset, _FELICA, _SENSF_REQ)[0]))

    def _announce(self, chipset: Any) -> None:
        """Tells phones what is here, in a frame that is nobody's to answer."""
        chipset.rf_configuration(_FIELD, _FIELD_ON)
        chipset.rf_configuration(_TIMEOUTS, _NO_ANSWER)
        chipset.write_register(("CIU_TxMode", _WITH_CRC), ("CIU_RxMode", _WITH_CRC))
        with contextlib.suppress(nfc.clf.pn53x.Chipset.Error):
            chipset.in_communicate_thru(PAYMENT_ONLY, timeout=0.25)
        chipset.rf_configuration(_TIMEOUTS, _DEFAULT)

    def _look_by_sensing(self) -> Sight:
        type_a = self.sense("106A")
        crowded = getattr(self.device, "crowded", False)
        type_b = self.sense("106B")
        cards = (2 if crowded else bool(type_a)) + bool(type_b)
        if cards:
            return self._cards(cards, "106A" if type_a else "106B")
        return self._felica(seen=bool(self.sense("212F")))

    def _cards(self, cards: int, brty: str) -> Sight:
        self._felica_sightings = 0
        return Sight(cards=cards, brty=brty)

    def _felica(self, *, seen: bool) -> Sight:
        """FeliCa is named when it stays alone: a phone may answer as that a little earlier."""
        self._felica_sightings = self._felica_sightings + 1 if seen else 0
        steady = self._felica_sightings >= _FELICA_SIGHTINGS
        return Sight(foreign="FeliCa" if steady else "", glimpse=seen)

    def abandon(self) -> None:
        """Gives the port back without a word to the device, which is gone."""
        if self._chipset is not None and self._chipset.transport is not None:
            with contextlib.suppress(*DEVICE_ERRORS):
                self._chipset.transport.close()

    def close(self) -> None:
        """Puts the device to sleep and gives it back."""
        try:
            self.device.close()
        except DEVICE_ERRORS:
            self.abandon()


def _listed(chipset: Any, kind: int, data: bytes) -> bytes:
    """InListPassiveTarget for up to two: nfcpy's own asks for one and misses the second."""
    if kind not in chipset.in_list_passive_target_brty_range:
        return b"\x00"
    most = 1 if kind == _FELICA else 2
    command = bytearray((most, kind)) + data
    return bytes(chipset.command(_LIST_PASSIVE_TARGET, command, timeout=1.0)) or b"\x00"


def foreign_name(target: Any) -> str | None:
    """What a tag is that takes no APDUs, by its SEL_RES (NXP AN10833); None for one that does."""
    if target.brty.endswith("B"):
        return None if target.sensb_res[10] & 0x01 else "ISO 14443-3 B"
    if target.rid_res or not target.sel_res:
        return "NFC Type 1 tag"
    sak = target.sel_res[0]
    if sak & _SAK_ISO_DEP:
        return None
    return "MIFARE Classic" if sak & _SAK_MIFARE else "NFC Type 2 tag"
