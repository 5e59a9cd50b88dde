"""What can stand in a reader's field: payment cards of type A and B, and everything else.

Rules of this file: no I/O. A tag knows its answers to polling (ISO/IEC 14443-3), hands blocks to
``iso_dep`` once it is activated, and is silent when a real one would be. Anticollision is done
by the reader's side of each door; here only identifiers and states are kept.
"""

from __future__ import annotations

from drivers.door import Chip
from hardware_sim.faults import CardMute
from hardware_sim.iso_dep import FRAME_SIZES, Activation, Answer, Blocks, CardTime, Pace
from terminal.errors import CardLost

_RATS = 0xE0
_HLTA = bytes((0x50, 0x00))
_REQB = 0x05
_ATTRIB = 0x1D


class Tag:
    """A tag of type ``A``, ``B`` or ``F`` that answers polling and nothing else.

    Args:
        technology: ``A``, ``B`` or ``F``.
        uid: its identifier: 4, 7 or 10 bytes (A), 4 (B), 8 (F).
        sens: SENS_RES of a type A tag, low byte first, as on the air.
        sak: SEL_RES of a type A tag.
        protocol: the three protocol bytes in SENSB_RES of a type B tag.
    """

    def __init__(
        self,
        technology: str,
        uid: bytes,
        *,
        sens: bytes = b"\x04\x00",
        sak: int = 0x00,
        protocol: bytes = b"\x00\x80\x70",
    ) -> None:
        self.technology = technology
        self.uid = uid
        self.sens = sens
        self.sak = sak
        self.halted = False
        self.gone = False
        self.mute = False
        self._protocol = protocol

    @property
    def sensb(self) -> bytes:
        """SENSB_RES (ATQB): 50, PUPI, application data, protocol info; 12 bytes."""
        return b"\x50" + self.uid[:4] + bytes(4) + self._protocol

    @property
    def sensf(self) -> bytes:
        """SENSF_RES: 01, IDm, PMm, system code; 19 bytes."""
        return b"\x01" + self.uid[:8] + bytes.fromhex("0120220427674EFF") + b"\x00\x03"

    @property
    def answers_polling(self) -> bool:
        """Whether REQA or REQB reaches it: not gone, halted or already activated."""
        return not (self.gone or self.halted)

    def frame(self, data: bytes) -> Answer | None:
        """The answer to one frame of the reader; None is silence."""
        if data == _HLTA and self.technology == "A":
            self.halted = True
        return None

    def power_off(self) -> None:
        """The field went away."""
        self.halted = False
        self.mute = False


class IsoDepTag(Tag):
    """A card that takes APDUs, type A or B.

    Args:
        card: answers the APDUs.
        type_b: type B in place of A.
        uid: 4 bytes; a second card in the field needs another one.
        activation: FSCI, FWI, SFGI.
        pace: how long it thinks, and in what pieces it answers.
        time: where its chip spends time beyond that, instead of sleeping.
    """

    def __init__(
        self,
        card: Chip,
        *,
        type_b: bool = False,
        uid: bytes = b"\x08\x5a\x17\xc3",
        activation: Activation | None = None,
        pace: Pace | None = None,
        time: CardTime | None = None,
    ) -> None:
        self._activation = activation or Activation()
        protocol = bytes((0x00, self._activation.fsci << 4 | 1, self._activation.fwi << 4))
        super().__init__("B" if type_b else "A", uid, sak=0x20, protocol=protocol)
        self._card = _Leaving(card, self)
        self._pace = pace or Pace()
        self._time = time or CardTime()
        self._blocks: Blocks | None = None

    @property
    def answers_polling(self) -> bool:
        """As for any tag; and a card in its protocol state ignores REQA and REQB."""
        return super().answers_polling and self._blocks is None

    @property
    def ats(self) -> bytes:
        """The answer to select of a type A card; empty for type B, which has none."""
        return self._activation.ats if self.technology == "A" else b""

    @property
    def activated(self) -> bool:
        """Whether it is in its protocol state."""
        return self._blocks is not None and not self.gone

    def frame(self, data: bytes) -> Answer | None:
        """RATS, ATTRIB, REQB and WUPB, HLTA, then blocks."""
        answer = None
        if data and self._speaks():
            answer = self._block(data) if self._blocks else self._activate(data)
        # The chip behind it may just have left the field.
        return answer if self._speaks() else None

    def _speaks(self) -> bool:
        return not (self.gone or self.mute)

    def _block(self, data: bytes) -> Answer | None:
        assert self._blocks is not None
        answer = self._blocks.answer(data)
        if self._blocks.deselected:
            self._blocks, self.halted = None, True
        return answer

    def _activate(self, data: bytes) -> Answer | None:
        if self.technology == "A":
            if data[0] == _RATS and len(data) == 2 and not self.halted:
                self._start(fsdi=data[1] >> 4, cid=data[1] & 0x0F)
                return Answer(self._activation.ats)
            return super().frame(data)
        if data[0] == _REQB and len(data) == 3:
            # Bit 4 of PARAM makes it a WUPB, which a halted card answers too (14443-3, 7.7.4).
            if self.halted and not data[2] & 0x08:
                return None
            self.halted = False
            return Answer(self.sensb)
        if data[0] == _ATTRIB and len(data) >= 9 and data[1:5] == self.uid and not self.halted:
            self._start(fsdi=data[6] & 0x0F, cid=data[8] & 0x0F)
            return Answer(bytes((data[8] & 0x0F,)))
        return None

    def _start(self, *, fsdi: int, cid: int) -> None:
        self._card.power_up()
        self._blocks = Blocks(
            self._card,
            self._activation,
            fsd=FRAME_SIZES[min(fsdi, 8)],
            cid=cid,
            pace=self._pace,
            time=self._time,
        )

    def apdu(self, command: bytes) -> bytes | None:
        """One APDU past the block protocol, for a reader chip that runs it in firmware."""
        response = self._card.exchange(command)
        return response if self._speaks() else None

    def power_off(self) -> None:
        """The field went away: the card forgets its activation."""
        super().power_off()
        self._blocks = None


class _Leaving:
    """The chip of a tag, which leaves the field or falls silent when the chip says so."""

    def __init__(self, card: Chip, tag: Tag) -> None:
        self._card = card
        self._tag = tag
        self._fresh = False

    def power_up(self) -> None:
        """Resets the chip, unless it has not been spoken to since the last time."""
        if not self._fresh:
            self._card.reset()
        self._fresh = True

    def exchange(self, command: bytes) -> bytes:
        self._fresh = False
        try:
            return self._card.exchange(command)
        except CardMute:
            self._tag.mute = True
        except CardLost:
            self._tag.gone = True
        return b""


def foreign(name: str) -> Tag:
    """A tag that is no payment card: one of ``FOREIGN``.

    Raises:
        ValueError: no such tag; the message lists those that exist.
    """
    if name not in FOREIGN:
        raise ValueError(f"no tag named {name!r}; there are {', '.join(FOREIGN)}")
    technology, uid, sens, sak, protocol = FOREIGN[name]
    return Tag(
        technology,
        bytes.fromhex(uid),
        sens=bytes.fromhex(sens),
        sak=sak,
        protocol=bytes.fromhex(protocol),
    )


FOREIGN = {
    # Technology, identifier, SENS_RES, SAK, SENSB protocol bytes. SAK after NXP AN10833.
    "MIFARE Classic": ("A", "3A7C51E2", "0400", 0x08, "000000"),
    "MIFARE Classic 4K": ("A", "3A7C51E3", "0200", 0x18, "000000"),
    "NTAG": ("A", "04A1B2C3D4E5F6", "4400", 0x00, "000000"),
    "FeliCa": ("F", "0101060123456789", "0000", 0x00, "000000"),
    "type B tag": ("B", "5B1C2D3E", "0000", 0x00, "008070"),
}
