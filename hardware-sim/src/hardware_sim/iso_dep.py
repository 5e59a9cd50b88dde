"""The card's half of ISO/IEC 14443-4: blocks in, blocks out, around anything that answers APDUs.

Rules of this file: no I/O, no clock, no threads. A block that a real card would leave without an
answer gives None. How long an answer takes is a number beside it and never a sleep, so that each
door (the PN532 on a pty, nfcpy's ``udp:`` device) can hold it against its own frame waiting time.
Block formats and the numbered rules are those of ISO/IEC 14443-4:2018, 7; where this file
had to choose, it follows what nfcpy's and libnfc's initiators accept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
"""FSC and FSD in bytes by FSCI and FSDI: the whole frame with PCB, CID and two bytes of CRC."""

_CRC_LENGTH = 2
_DESELECT = 0xC2
_WTX = 0xF2
_WTXM_MAX = 59


class Apdus(Protocol):
    """What answers the APDUs: a chip, or something between it and the protocol."""

    def exchange(self, command: bytes) -> bytes:
        """The R-APDU for one C-APDU."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A block from the card, ``after_us`` microseconds after the reader's block."""

    block: bytes = field(repr=False)
    after_us: int = 0


@dataclass(frozen=True, slots=True)
class Activation:
    """What a card says of itself when it is activated.

    ``fsci`` is the index of the longest frame that the card takes (0: 16 bytes, 8: 256 bytes),
    ``fwi`` gives the frame waiting time 302 us * 2^fwi, ``sfgi`` the guard time after it. A
    ``raw_ats`` is sent in place of the well-formed ATS of a type A card.
    """

    fsci: int = 8
    fwi: int = 7
    sfgi: int = 0
    historical: bytes = b""
    raw_ats: bytes | None = None

    def __post_init__(self) -> None:
        if any(not 0 <= nibble <= 15 for nibble in (self.fsci, self.fwi, self.sfgi)):
            raise ValueError("FSCI, FWI and SFGI are four bits each")
        if len(self.historical) > 15:
            raise ValueError("there are at most 15 historical bytes")

    @classmethod
    def of_ats(cls, ats: bytes) -> Activation:
        """The activation of a card whose ATS is known; what it leaves out has its default."""
        format_byte = ats[1] if len(ats) > 1 else 0x02
        at_tb = 3 if format_byte & 0x10 else 2
        times = ats[at_tb] if format_byte & 0x20 and len(ats) > at_tb else 0x40
        return cls(format_byte & 0x0F, times >> 4, times & 0x0F, raw_ats=ats)

    @property
    def ats(self) -> bytes:
        """TL, T0 with TA, TB and TC present, the three of them, historical bytes (5.2)."""
        if self.raw_ats is not None:
            return self.raw_ats
        interface = bytes((0x70 | self.fsci, 0x00, self.fwi << 4 | self.sfgi, 0x02))
        body = interface + self.historical
        return bytes((len(body) + 1,)) + body

    @property
    def frame_waiting_us(self) -> int:
        """FWT in microseconds: 256 * 16 / fc * 2^FWI (7.2); 15 stands for 4."""
        return round(4096 / 13.56 * (1 << (self.fwi if self.fwi < 15 else 4)))


@dataclass(frozen=True, slots=True)
class Pace:
    """How a card goes about an answer.

    ``thinking_ms`` is what each APDU takes it; when that is longer than its frame waiting time
    it asks for more, unless ``asks_for_time`` is False. ``chunk`` is the most bytes of an answer
    that it puts into one block, where the reader would take more.
    """

    thinking_ms: int = 0
    asks_for_time: bool = True
    chunk: int = 256


class CardTime:
    """Time that a card takes without anybody waiting: ``spend`` stands where it would sleep."""

    def __init__(self) -> None:
        self._spent_s = 0.0

    def spend(self, seconds: float) -> None:
        """The card thinks for so long about the APDU in hand."""
        self._spent_s += seconds

    def take_us(self) -> int:
        """What was spent since the last time this was asked, in microseconds."""
        spent_s, self._spent_s = self._spent_s, 0.0
        return round(spent_s * 1e6)


class Blocks:
    """One activated card, from RATS or ATTRIB to DESELECT.

    Args:
        card: answers the APDUs.
        activation: the card's own parameters.
        fsd: the longest frame that the reader takes, in bytes.
        cid: the identifier given at activation; 0 when none is used.
        pace: how long it thinks, and in what pieces it answers.
        time: what the chip spends beyond that, APDU by APDU.
    """

    def __init__(
        self,
        card: Apdus,
        activation: Activation,
        *,
        fsd: int,
        cid: int = 0,
        pace: Pace,
        time: CardTime,
    ) -> None:
        self._card = card
        self._pace = pace
        self._time = time
        self._activation = activation
        self._fsd = fsd
        self._cid = cid
        self._needed_us = 0
        self._factor = 0
        self._number = 1  # Rule C: the card starts with block number 1.
        self._command = bytearray()
        self._rest: bytes | None = None
        self._delayed: bytes | None = None
        self._last: Answer | None = None
        self._with_cid = False
        self.deselected = False

    def answer(self, block: bytes) -> Answer | None:
        """The card's answer to one block of the reader; None when it stays silent."""
        if not block:
            return None
        header, inf = block[0], block[1:]
        self._with_cid = bool(header & 0x08)
        if self._with_cid:
            if not inf or inf[0] & 0x0F != self._cid:
                return None
            inf = inf[1:]
        elif self._cid:
            return None
        if header & 0xE6 == 0x02:  # A node address (bit 3) is not supported.
            return self._information(chained=bool(header & 0x10), inf=inf)
        if header & 0xE6 == 0xA2:
            return self._receipt(number=header & 1, nak=bool(header & 0x10))
        if header & 0xF7 == _DESELECT:
            self.deselected = True
            return self._send(_DESELECT)
        if header & 0xF7 == _WTX:
            return self._granted(inf)
        return None

    def _send(self, header: int, inf: bytes = b"", after_us: int = 0) -> Answer:
        cid = bytes((self._cid,)) if self._with_cid else b""
        head = bytes((header | (0x08 if self._with_cid else 0),)) + cid
        self._last = Answer(head + inf, after_us)
        return self._last

    def _information(self, *, chained: bool, inf: bytes) -> Answer | None:
        if 1 + self._with_cid + len(inf) + _CRC_LENGTH > FRAME_SIZES[min(self._activation.fsci, 8)]:
            return None  # The card's buffer is full: a frame longer than FSC is an error.
        self._number ^= 1  # Rule D.
        self._command += inf
        if chained:
            return self._send(0xA2 | self._number)
        command, self._command = bytes(self._command), bytearray()
        response = self._card.exchange(command)
        thinking_us = self._pace.thinking_ms * 1000 + self._time.take_us()
        waiting_us = self._activation.frame_waiting_us
        if thinking_us <= waiting_us or not self._pace.asks_for_time:
            return self._chunk(response, after_us=thinking_us)
        self._delayed = response
        return self._ask_for(thinking_us - waiting_us, after_us=waiting_us)

    def _ask_for(self, needed_us: int, *, after_us: int) -> Answer:
        """S(WTX) with a WTXM of at most 59 (7.3); what is missing then is asked for again."""
        self._needed_us = needed_us
        self._factor = min(-(-needed_us // self._activation.frame_waiting_us), _WTXM_MAX)
        return self._send(_WTX, bytes((self._factor,)), after_us)

    def _granted(self, inf: bytes) -> Answer | None:
        if self._delayed is None or inf != bytes((self._factor,)):
            return None
        granted_us = self._factor * self._activation.frame_waiting_us
        if self._needed_us > granted_us:
            return self._ask_for(self._needed_us - granted_us, after_us=granted_us)
        response, self._delayed = self._delayed, None
        return self._chunk(response, after_us=self._needed_us)

    def _chunk(self, response: bytes, after_us: int = 0) -> Answer:
        room = min(self._fsd - 1 - self._with_cid - _CRC_LENGTH, self._pace.chunk)
        self._rest = response[room:]
        more = 0x10 if self._rest else 0
        return self._send(0x02 | more | self._number, response[:room], after_us)

    def _receipt(self, *, number: int, nak: bool) -> Answer | None:
        if number == self._number:
            return self._last  # Rule 11: the reader missed it.
        if nak:
            return self._send(0xA2 | self._number)  # Rule 12.
        if not self._rest:
            return None
        self._number ^= 1  # Rules E and 13: acknowledged, so the chain goes on.
        return self._chunk(self._rest)
