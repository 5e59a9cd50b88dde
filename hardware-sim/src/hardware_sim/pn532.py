"""A PN532 at the end of a pseudo-terminal, for any program that expects one on a serial port.

Rules of this file: this is the only place where the simulated chip meets a file descriptor. One
thread carries bytes; the lock is held while the chip works, so a card can be presented or taken
away from another thread at any time.
"""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.door import Chip
from hardware_sim.pn532_chip import AirFaults, LineFaults, Pn532
from hardware_sim.radio import RadioField
from terminal.errors import ReaderUnplugged

_QUIET_S = 0.1
_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
}


class Pn532OnPty(RadioField):
    """A PN532 behind ``path``, with a field to put cards into.

    ``path`` is a stable link to the pseudo-terminal; it survives ``unplug`` and ``replug``.

    Args:
        card: presented at once, as a type A card.
        air: how bad the radio link is.
    """

    def __init__(self, card: Chip | None = None, *, air: AirFaults | None = None) -> None:
        super().__init__()
        self._air = air
        self._chip = Pn532(self, air=air)
        self._folder = tempfile.TemporaryDirectory(prefix="pn532-")
        self._plug: _Plug | None = None
        self.path = str(Path(self._folder.name) / "tty")
        if card is not None:
            self.present(card)

    @property
    def url(self) -> str:
        """The address under which ``drivers.nfcpy`` opens it."""
        return f"nfcpy:tty:{self.path}:pn532"

    @property
    def line(self) -> LineFaults:
        """What shall go wrong on the serial line from now on."""
        return self._chip.line

    @property
    def field_on(self) -> bool:
        """Whether the chip powers its field."""
        with self.lock:
            return self._chip.field_on

    @property
    def baud(self) -> int:
        """The rate that the chip listens at."""
        with self.lock:
            return self._chip.baud

    @property
    def commands_taken(self) -> int:
        """How many commands the chip has acknowledged since it got power."""
        with self.lock:
            return self._chip.commands_taken

    def use_air(self, air: AirFaults) -> None:
        """Changes the radio link."""
        with self.lock:
            self._air = air
            self._chip.use_air(air)

    def restart_chip(self) -> None:
        """The chip loses power and comes back, asleep and at its default baud rate."""
        with self.lock:
            for tag in self.tags:
                tag.power_off()
            self._chip = Pn532(self, air=self._air)

    def unplug(self) -> None:
        """Pulls the plug: the port disappears under whoever has it open."""
        plug, self._plug = self._plug, None
        if plug is not None:
            plug.wake()
            plug.thread.join()
            plug.close()

    def replug(self) -> None:
        """Puts the plug back: the same path, a chip that has just got power."""
        self.unplug()
        self.restart_chip()
        self._plug = _Plug(self.path, self._receive)

    def __enter__(self) -> Self:
        """Plugs it in."""
        self.replug()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.unplug()
        self._folder.cleanup()

    def _receive(self, data: bytes, baud: int) -> bytes:
        with self.lock:
            if data:
                return self._chip.receive(data, host_baud=baud)
            self._chip.quiet()
            return b""


class _Plug:
    """A pty that is plugged in, and the thread that carries its bytes to the chip and back."""

    def __init__(self, path: str, receive: Callable[[bytes, int], bytes]) -> None:
        self._path = Path(path)
        self._receive = receive
        self._line, self._device = os.openpty()
        tty.setraw(self._device)
        self._path.symlink_to(os.ttyname(self._device))
        self._wake, self._waker = os.pipe()
        self.thread = threading.Thread(target=self._carry, name="pn532-pty")
        self.thread.start()

    def wake(self) -> None:
        """Ends the thread, which pulls the plug as its last act."""
        os.write(self._waker, b"x")

    def close(self) -> None:
        """Gives back what only the thread needed."""
        os.close(self._wake)
        os.close(self._waker)

    def _carry(self) -> None:
        # A card whose chip raises ReaderUnplugged wants exactly that.
        with contextlib.suppress(ReaderUnplugged):
            try:
                self._carry_on()
            finally:
                self._path.unlink()
                # The device's end was kept open until now: a pty without one hangs up.
                os.close(self._line)
                os.close(self._device)

    def _carry_on(self) -> None:
        while True:
            ready, _, _ = select.select([self._line, self._wake], [], [], _QUIET_S)
            if self._wake in ready:
                return
            data = os.read(self._line, 4096) if ready else b""
            answer = self._receive(data, _SPEEDS.get(termios.tcgetattr(self._line)[5], 0))
            while answer:
                answer = answer[os.write(self._line, answer) :]
