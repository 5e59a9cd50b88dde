"""The far side of nfcpy's ``udp:`` device: cards and tags that answer over the network stack.

Rules of this file: one datagram is one radio frame without its CRC, written as bit rate and
modulation, a space and hexadecimal digits (``106A E080``); ``RFOFF`` alone says that the field
went off (as nfcpy's ``udp`` driver has it, confirmed by running it). An answer that a card takes
time for is delayed by that much, for here the reader's clock is the real one.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from functools import reduce
from operator import xor
from types import TracebackType
from typing import Self

from drivers.door import Chip
from hardware_sim.iso_dep import Answer
from hardware_sim.radio import RadioField
from hardware_sim.tags import Tag

_REQA = b"\x26"
_REQB = b"\x05"
_POLLING = b"\x00"  # The command code of a FeliCa polling frame, after its length.
_CASCADE = {0x93: 0, 0x95: 1, 0x97: 2}
_ANTICOLLISION = (_REQA, *(bytes((code,)) for code in _CASCADE))
_CASCADE_TAG = 0x88
_MORE_UID = 0x04


class CardOnUdp(RadioField):
    """Cards and tags on a UDP port of the loopback interface.

    Args:
        card: presented at once, as a type A card.
        port: where to listen; 0 takes a free one.
    """

    def __init__(self, card: Chip | None = None, *, port: int = 0) -> None:
        super().__init__()
        self._selected: Tag | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._serve, name="card-on-udp")
        if card is not None:
            self.present(card)

    @property
    def url(self) -> str:
        """The address under which ``drivers.nfcpy`` opens it."""
        return f"nfcpy:udp:127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Begins to answer."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An empty datagram to ourselves ends the thread; closing alone would not wake it.
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            datagram, sender = self._socket.recvfrom(4096)
            if not datagram:
                return
            with self.lock:
                answer = self._datagram(datagram)
            if answer is not None and answer.block:
                time.sleep(answer.after_us / 1e6)
                head = datagram.partition(b" ")[0]
                with contextlib.suppress(OSError):
                    self._socket.sendto(head + b" " + answer.block.hex().encode(), sender)

    def _datagram(self, datagram: bytes) -> Answer | None:
        if datagram == b"RFOFF":
            for tag in self.tags:
                tag.power_off()
            self._selected = None
            return None
        modulation, _, text = datagram.partition(b" ")
        try:
            data = bytes.fromhex(text.decode("ascii"))
        except ValueError:
            return None
        technology = modulation[-1:].decode("ascii", errors="replace")
        found = tuple(t for t in self.tags if t.technology == technology and t.answers_polling)
        if technology == "A" and data[:1] in _ANTICOLLISION:
            return Answer(self._anticollision(found, data))
        if technology == "B" and data[:1] == _REQB and found:
            self._selected = found[0]
            return self._selected.frame(data) or Answer(self._selected.sensb)
        if technology == "F" and data[1:2] == _POLLING and found:
            sensf = found[0].sensf
            return Answer(bytes((len(sensf) + 1,)) + sensf)
        here = self._selected is not None and self._selected in self.tags
        return self._selected.frame(data) if self._selected and here else None

    def _anticollision(self, found: tuple[Tag, ...], data: bytes) -> bytes:
        """SENS_RES, SDD_RES and SEL_RES (ISO/IEC 14443-3, 6.5); two cards spoil the check byte."""
        if not found:
            return b""
        if data == _REQA:
            return found[0].sens
        levels = _levels(found[0].uid)
        level = _CASCADE[data[0]]
        if level >= len(levels):
            return b""
        part = levels[level]
        check = reduce(xor, part) ^ (0xFF if len(found) > 1 else 0x00)
        if data[1:] == b"\x20":
            return part + bytes((check,))
        if data[1:] != b"\x70" + part + bytes((check,)) or len(found) > 1:
            return b""
        if level + 1 < len(levels):
            return bytes((_MORE_UID,))
        self._selected = found[0]
        return bytes((found[0].sak,))


def _levels(uid: bytes) -> list[bytes]:
    """The identifier by cascade levels: four bytes each, the cascade tag in front of a rest."""
    parts = []
    while len(uid) > 4:
        parts.append(bytes((_CASCADE_TAG,)) + uid[:3])
        uid = uid[3:]
    return [*parts, uid]
