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
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.door import Chip
from hardware_sim.iso_dep import Activation
from hardware_sim.pn532_chip import AirFaults, LineFaults, Pn532
from hardware_sim.tags import IsoDepTag, Tag, foreign

_QUIET_S = 0.1
_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
}
_SECOND_UID = b"\x08\x31\x9e\x02"


class Pn532OnPty:
    """A PN532 behind ``path``, with a field to put cards into.

    ``path`` is a stable link to the pseudo-terminal; it survives ``unplug`` and ``replug``.

    Args:
        card: presented at once, as a type A card.
        air: how bad the radio link is.
    """

    def __init__(self, card: Chip | None = None, *, air: AirFaults | None = None) -> None:
        self._chip = Pn532(air=air)
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="pn532-")
        self._ends: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None
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
        with self._lock:
            return self._chip.field_on

    @property
    def baud(self) -> int:
        """The rate that the chip listens at."""
        with self._lock:
            return self._chip.baud

    def use_air(self, air: AirFaults) -> None:
        """Changes the radio link."""
        with self._lock:
            self._chip.use_air(air)

    def present(
        self, card: Chip, *, type_b: bool = False, ats: Activation | None = None
    ) -> IsoDepTag:
        """Holds one card to the reader."""
        tag = IsoDepTag(card, type_b=type_b, activation=ats)
        self.present_tags(tag)
        return tag

    def present_two(self, first: Chip, second: Chip, *, second_type_b: bool = False) -> None:
        """Holds two cards to the reader at once."""
        self.present_tags(
            IsoDepTag(first), IsoDepTag(second, type_b=second_type_b, uid=_SECOND_UID)
        )

    def present_foreign(self, name: str) -> None:
        """Holds a tag that is no payment card to the reader: one of ``tags.FOREIGN``."""
        self.present_tags(foreign(name))

    def present_tags(self, *tags: Tag) -> None:
        """Holds these to the reader, in place of what was there."""
        with self._lock:
            self._chip.tags = tags

    def remove(self) -> None:
        """Takes everything out of the field."""
        self.present_tags()

    def restart_chip(self) -> None:
        """The chip loses power and comes back, asleep and at its default baud rate."""
        with self._lock:
            tags, self._chip = self._chip.tags, Pn532()
            self._chip.tags = tags

    def unplug(self) -> None:
        """Pulls the plug: the port disappears under whoever has it open."""
        ends, self._ends = self._ends, None
        if ends is None:
            return
        Path(self.path).unlink()
        thread, self._thread = self._thread, None
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"x")
        if thread is not None:
            thread.join()
        for end in (*ends, self._wake_read, self._wake_write):
            os.close(end)

    def replug(self) -> None:
        """Puts the plug back: the same path, a chip that has just got power."""
        self.unplug()
        self.restart_chip()
        host_end, device_end = os.openpty()
        # The device end is kept open, for a pty without one hangs up at its first reader.
        tty.setraw(device_end)
        Path(self.path).symlink_to(os.ttyname(device_end))
        self._ends = host_end, device_end
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._carry, args=(host_end,), name="pn532-pty")
        self._thread.start()

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

    def _carry(self, line: int) -> None:
        while True:
            ready, _, _ = select.select([line, self._wake_read], [], [], _QUIET_S)
            if self._wake_read in ready:
                return
            with self._lock:
                if not ready:
                    self._chip.quiet()
                    continue
                baud = _SPEEDS.get(termios.tcgetattr(line)[5], 0)
                answer = self._chip.receive(os.read(line, 4096), host_baud=baud)
            while answer:
                answer = answer[os.write(line, answer) :]
