"""A reader of the kind ACR122U around a card: commands that begin with FF are the reader's own.

Through such a reader a program talks to a card as through any, and to the PN532 inside it by
pseudo-APDUs: ``FF 00 00 00 Lc`` and a command of the chip. Sources: ACS, "ACR122U Application
Programming Interface" V2.04, 4.1 and 6.1 to 6.7, and PC/SC part 3, 3.2.2.1.3; the chip is that of
``pn532_chip``. The virtual reader of ``pcscd`` knows no escapes (``SCardControl``), so these
commands go with ``SCardTransmit``, while a card is there.

Rules of this file: bytes in and bytes out. The reader has found the card before anybody asks, as
its own polling does; who lists it again begins with the field off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hardware_sim.pn532_chip import LIST_PASSIVE_TARGET, Pn532
from hardware_sim.pn532_frame import FROM_HOST
from hardware_sim.radio import RadioField
from hardware_sim.tags import IsoDepTag, Tag
from terminal.errors import CardLost

FIRMWARE = b"ACR122U215"
"""What FF 00 48 answers: ten letters and no status word (6.3)."""

_FOR_THE_READER = 0xFF
_OK = b"\x90\x00"
_FAILED = b"\x63\x00"
_NOT_SUPPORTED = b"\x6a\x81"
_HEADER = 5
_LIST_ONE = {"A": b"\x01\x00", "B": b"\x01\x03\x00", "F": b"\x01\x01\x00\xff\xff\x00\x00"}


@dataclass(slots=True)
class Front:
    """What a person sees and hears of the reader, and what it polls for.

    ``lights`` has bit 0 for the red light and bit 1 for the green one; ``beeps`` counts.
    """

    lights: int = 0
    beeps: int = 0
    polls_for: int = 0xFF


class Acr122:
    """A ``drivers.door.Chip``: what lies on such a reader, with the reader in front of it.

    Args:
        tags: what lies there; the reader has found the first one.
        front: its lights and its buzzer.
    """

    def __init__(self, tags: Sequence[Tag], front: Front | None = None) -> None:
        self._tag = tags[0]
        radio = RadioField()
        radio.present_tags(*tags)
        self._pn532 = Pn532(radio)
        self._front = front or Front()
        self._own: dict[tuple[int, int], Callable[[int, bytes], bytes]] = {
            (0xCA, 0x00): lambda *_: self._tag.uid + _OK,
            (0xCA, 0x01): lambda *_: self._answer_to_select(),
            (0x00, 0x00): lambda _, data: self._direct(data),
            (0x00, 0x40): self._light_up,
            (0x00, 0x41): lambda *_: _OK,
            (0x00, 0x48): lambda *_: FIRMWARE,
            (0x00, 0x50): lambda *_: bytes((0x90, self._front.polls_for)),
            (0x00, 0x51): lambda wanted, _: self._poll_for(wanted),
            (0x00, 0x52): lambda *_: _OK,
        }

    def reset(self) -> None:
        """Power for the card: the reader polls and finds it."""
        self._pn532.field_off()
        self._pn532.command(
            bytes((FROM_HOST, LIST_PASSIVE_TARGET)) + _LIST_ONE[self._tag.technology]
        )

    def exchange(self, command: bytes) -> bytes:
        """Answers one command, of the reader's own or of the card's.

        Raises:
            CardLost: the card has left, or is silent.
        """
        if command[:1] != bytes((_FOR_THE_READER,)):
            return self._from_card(command)
        if len(command) < _HEADER:
            return _FAILED
        answer = self._own.get((command[1], command[2]))
        # What stands in place of Lc is Le where there are no data.
        data = command[_HEADER : _HEADER + command[4]]
        return answer(command[3], data) if answer else _NOT_SUPPORTED

    def _from_card(self, command: bytes) -> bytes:
        if not isinstance(self._tag, IsoDepTag):
            return _NOT_SUPPORTED
        answer = self._tag.apdu(command)
        if answer is None:
            raise CardLost("The card on the reader gives no answer.")
        return answer

    def _answer_to_select(self) -> bytes:
        tag = self._tag
        return tag.ats + _OK if isinstance(tag, IsoDepTag) and tag.ats else _NOT_SUPPORTED

    def _direct(self, body: bytes) -> bytes:
        """A command of the chip, and what the chip answers (6.1)."""
        if body[:2] == bytes((FROM_HOST, LIST_PASSIVE_TARGET)):
            # The card that the reader has found is in its protocol state and ignores polling.
            self._pn532.field_off()
        answer = self._pn532.command(body)
        return answer + _OK if answer is not None else _FAILED

    def _light_up(self, states: int, data: bytes) -> bytes:
        """Bits 0 and 1 are the lights as they end, bits 2 and 3 which of them change (6.2)."""
        if len(data) != 4:
            return _FAILED
        mask = states >> 2 & 0x03
        self._front.lights = self._front.lights & ~mask | states & mask
        repetitions, sounds = data[2], data[3]
        self._front.beeps += repetitions if sounds else 0
        return bytes((0x90, self._front.lights))

    def _poll_for(self, wanted: int) -> bytes:
        self._front.polls_for = wanted
        return bytes((0x90, wanted))
