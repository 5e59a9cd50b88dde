"""A card in the virtual reader of Debian's ``vsmartcard-vpcd``, behind a real ``pcscd``.

The reader's driver listens on TCP and the card connects to it. Each message is a length of two
bytes, big end first, and that many bytes. One byte is an order to the card (see ``_Order``), of
which only the ATR is answered; anything longer is a C-APDU (followed from the driver's source,
``virtualsmartcard/src/vpcd/vpcd.c``, and confirmed by running it).

Rules of this file: the card's bytes pass through and are kept nowhere.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from enum import IntEnum
from functools import reduce
from operator import xor

from drivers.door import Chip
from terminal.errors import CardLost, ReaderNotFound

PORT = 35963
"""Where the virtual reader listens as Debian ships it; its second slot is one port higher."""

_STORAGE_CARD_RID = bytes.fromhex("A000000306")
# The daemon has room for 33 bytes of ATR, so one more cannot be read: a card that is there and
# never comes to life.
_MUTE_ATR = bytes(34)


class _Order(IntEnum):
    OFF = 0
    ON = 1
    RESET = 2
    ATR = 4


def iso_dep_atr(historical: bytes = b"") -> bytes:
    """The ATR that a reader makes up for an ISO 14443-4 card (PC/SC part 3, 3.1.3.2.3.1).

    ``historical`` is at most 15 bytes: those of a type A card's ATS.
    """
    if len(historical) > 15:
        raise ValueError("an ATR has at most 15 historical bytes")
    body = bytes((0x80 | len(historical), 0x80, 0x01)) + historical
    return b"\x3b" + body + bytes((reduce(xor, body),))


def storage_card_atr(standard: int, name: int) -> bytes:
    """The ATR that a reader makes up for a storage card (PC/SC part 3, 3.1.3.2.3.2).

    Args:
        standard: the byte of the standard, 0x03 for ISO 14443-3 A.
        name: the card's registered name, 0x0001 for MIFARE Classic 1K.
    """
    provider = _STORAGE_CARD_RID + bytes((standard,)) + name.to_bytes(2, "big") + bytes(4)
    return iso_dep_atr(b"\x80\x4f" + bytes((len(provider),)) + provider)


ISO_DEP = iso_dep_atr()
MIFARE_CLASSIC_1K = storage_card_atr(0x03, 0x0001)
MIFARE_ULTRALIGHT = storage_card_atr(0x03, 0x0003)


class VirtualCard:
    """One card that can be put into the virtual reader and taken out.

    The card is served by a thread of its own from ``attach`` to ``detach``. If the chip raises
    ``CardLost``, the card vanishes without answering. Any other exception of the chip takes the
    card away too, and comes out of the next ``detach``, so that no test passes over it.

    Args:
        chip: what answers. Its ``reset`` is called at every power-up and reset.
        host: where the virtual reader listens.
        port: one port for each of its slots.
        atr: what the card says at power-up; see ``iso_dep_atr`` and ``storage_card_atr``.
        mute: the card is seen in the reader and cannot be powered.
    """

    def __init__(
        self,
        chip: Chip,
        *,
        host: str = "127.0.0.1",
        port: int = PORT,
        atr: bytes = ISO_DEP,
        mute: bool = False,
    ) -> None:
        self.atr = _MUTE_ATR if mute else atr
        self._chip = chip
        self._address = (host, port)
        self._link: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    @property
    def attached(self) -> bool:
        """Whether the card is still in the reader."""
        return self._thread is not None and self._thread.is_alive()

    def attach(self) -> None:
        """Puts the card into the reader, which notices within its polling interval.

        Raises:
            ReaderNotFound: no virtual reader listens there.
        """
        self.detach()
        try:
            self._link = socket.create_connection(self._address, timeout=2.0)
        except OSError as cause:
            host, port = self._address
            raise ReaderNotFound(
                f"No virtual card reader listens on {host}:{port} ({cause.strerror or cause}).",
                remedy="Install vsmartcard-vpcd and start pcscd: sudo systemctl start pcscd.",
            ) from cause
        self._link.settimeout(None)
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(
            target=self._serve, args=(self._link,), name="virtual card", daemon=True
        )
        self._thread.start()

    def detach(self) -> None:
        """Takes the card out. Harmless when it is out.

        Raises:
            Exception: whatever the chip raised and the reader could not be told.
        """
        if self._link is not None and self._thread is not None:
            # The reader may have ended the link already, and then there is nothing to shut.
            with contextlib.suppress(OSError):
                self._link.shutdown(socket.SHUT_RDWR)
            self._thread.join()
        self._link = self._thread = None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _serve(self, link: socket.socket) -> None:
        with link:
            try:
                while (message := _receive(link)) is not None:
                    answer = self._answer(message)
                    if answer is not None:
                        link.sendall(len(answer).to_bytes(2, "big") + answer)
            except (OSError, CardLost):
                # The reader is gone, or the card is: either way the link ends here.
                return
            except Exception as failure:  # noqa: BLE001 - top of the thread; detach() raises it
                self._failure = failure

    def _answer(self, message: bytes) -> bytes | None:
        if len(message) > 1:
            return self._chip.exchange(message)
        order = message[0]
        if order in {_Order.ON, _Order.RESET}:
            self._chip.reset()
        return self.atr if order == _Order.ATR else None


def _receive(link: socket.socket) -> bytes | None:
    """One message; None when the reader has ended the link."""
    head = _receive_exactly(link, 2)
    return head and _receive_exactly(link, int.from_bytes(head, "big"))


def _receive_exactly(link: socket.socket, count: int) -> bytes | None:
    # Without this the kernel waits 40 ms before it acknowledges the length, and the reader's
    # driver does not send the rest until then. Linux forgets the option, so it is set each time.
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    received = link.recv(count, socket.MSG_WAITALL)
    return received if len(received) == count and count > 0 else None
