"""A PN532 on a serial port, for nfcpy's own driver: framing that survives a bad line.

Rules of this file: frames may carry card data, so nothing here logs or quotes one. nfcpy's ``TTY``
trusts every byte it reads; this one finds the start of a frame, checks both checksums and asks
for a damaged frame again (NXP UM0701-02, 6.2.1).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import termios
import time
from typing import Any

import nfc.clf.pn532
import serial
from nfc.clf.transport import TTY

from terminal.errors import ReaderNotFound

_ACK = bytes.fromhex("0000FF00FF00")
_NACK = bytes.fromhex("0000FFFF0000")
_SET_115200 = bytes.fromhex("0000FF03FDD410041800")
_SET_115200_DONE = bytes.fromhex("0000FF02FED5111A00")
_WAKE_UP = bytes(10)
_START = b"\x00\x00\xff"
_FAST_BAUD = 921600
_REPEATS = 2

# A chip acknowledges within 15 ms and nfcpy waits 100. A busy Pi may keep us from looking for
# longer than that, and a card would be lost for it.
_PATIENCE_S = 0.3
_ACK_MS = 100

# nfcpy hands the path to a shell (``stty -F``), so only harmless characters may be in it.
_SAFE_PATH = re.compile(r"/[A-Za-z0-9/._-]+")


class Uart(TTY):  # type: ignore[misc] # nfcpy has no types.
    """nfcpy's serial transport, with an exclusive port and frames that are checked."""

    def open(self, port: str, baudrate: int = 115200) -> None:
        """Opens the port for this process alone; closes what was open."""
        self.close()
        self.tty = serial.Serial(port, baudrate, timeout=0.05, write_timeout=1.0, exclusive=True)

    def close(self) -> None:
        """Gives the port back, also when the device behind it is gone."""
        port, self.tty = self.tty, None
        if port is not None:
            with contextlib.suppress(OSError, termios.error):
                port.reset_output_buffer()
            port.close()

    def read(self, timeout: int) -> bytearray:
        """The next frame, within ``timeout`` milliseconds.

        Raises:
            OSError: ETIMEDOUT when nothing came, EIO when it stays damaged.
        """
        self.tty.timeout = max(timeout / 1000, _PATIENCE_S)
        for attempt in range(1 + _REPEATS):
            if attempt:
                self.tty.reset_input_buffer()
                self.tty.write(_NACK)
            frame = self._frame()
            if _sound(frame):
                return frame
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def write(self, frame: bytes) -> None:
        """Sends a frame; what was still waiting to be read is dropped."""
        self.tty.reset_input_buffer()
        self.tty.write(frame)

    def _frame(self) -> bytearray:
        frame = bytearray(self.tty.read(6))
        if not frame:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        while len(frame) == 6 and not frame.startswith(_START):
            following = self.tty.read(1)
            if not following:
                break
            frame = frame[1:] + following
        if frame.startswith(_ACK) or len(frame) < 6:
            return frame
        if frame[3:5] == b"\xff\xff":
            frame += self.tty.read(3)
            frame += self.tty.read(int.from_bytes(frame[5:7], "big") + 1)
        else:
            frame += self.tty.read(frame[3] + 1)
        return frame


def _sound(frame: bytearray) -> bool:
    """Whether the frame is whole: an ACK, or lengths and checksums that agree."""
    if frame == _ACK:
        return True
    if not frame.startswith(_START) or len(frame) < 7:
        return False
    if frame[3:5] == b"\xff\xff":
        head, length = frame[5:8], int.from_bytes(frame[5:7], "big")
        body = frame[8:]
    else:
        head, length = frame[3:5], frame[3]
        body = frame[5:]
    # The body ends with DCS and the postamble.
    return not sum(head) & 0xFF and len(body) == length + 2 and not sum(body[:-1]) & 0xFF


def connect_pn532(path: str) -> Any:
    """The PN532 device of nfcpy on the serial port ``path``.

    Raises:
        ReaderNotFound: no such port, not allowed, in use, or no PN532 behind it.
    """
    # nfcpy knows by the name of a port how patient it must be, and a link hides that name.
    port = os.path.realpath(path) if _SAFE_PATH.fullmatch(path) else ""
    if not _SAFE_PATH.fullmatch(port):
        raise ReaderNotFound(
            f"The serial port {path!r} has characters that no device path has.",
            remedy="Name it as in nfcpy:tty:USB0:pn532 or nfcpy:tty:/dev/ttyUSB0:pn532.",
        )
    try:
        uart = Uart(port)
    except OSError as error:
        raise _cannot_open(path, error) from None
    try:
        try:
            return nfc.clf.pn532.init(uart)
        except OSError:
            # A till that was killed leaves the chip at the high speed, where it hears nothing.
            _slow_down(uart, port)
            return nfc.clf.pn532.init(uart)
    except (OSError, termios.error, ValueError, nfc.clf.pn532.Chipset.Error):
        # ValueError: something answers, and not with the four bytes of a PN532's version.
        uart.close()
        raise ReaderNotFound(
            f"No PN532 answers on {path}.",
            remedy="Check its power, that it is set to UART (HSU), and that TX and RX are crossed.",
        ) from None


def _slow_down(uart: Uart, port: str) -> None:
    uart.open(port, _FAST_BAUD)
    uart.write(_WAKE_UP + _SET_115200)
    with contextlib.suppress(OSError):
        if uart.read(_ACK_MS) == _ACK and uart.read(_ACK_MS) == _SET_115200_DONE:
            uart.write(_ACK)
            uart.tty.flush()
    time.sleep(0.001)


def _cannot_open(path: str, error: OSError) -> ReaderNotFound:
    """The failure to open a port, with the remedy for its cause."""
    remedies = {
        errno.ENOENT: "Check the cable and the name; `taptill readers` lists what is attached.",
        errno.EACCES: "Add this user to the group that owns it, often dialout, and log in again.",
        errno.EAGAIN: "Another program has it open; close that one.",
    }
    remedy = remedies.get(error.errno or 0, "Check that it is a serial port.")
    reason = os.strerror(error.errno).lower() if error.errno else "not a usable serial port"
    return ReaderNotFound(f"The serial port {path} cannot be opened ({reason}).", remedy=remedy)
