"""The three doors as a stage for scripts: a reader, and the world before it.

Rules of this file: a stage only puts things on a reader, takes them away and cuts its plug. The
cards live here and not with the till, on every door, so a till may be killed and started anew.
A card whose chip wants the reader unplugged (``ReaderUnplugged``) gets that on every door.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drivers.door import Chip
from hardware_sim.acr122 import Acr122, Front
from hardware_sim.bench import presented
from hardware_sim.daemon import Pcscd
from hardware_sim.field import Field, Presence
from hardware_sim.field_link import FieldServer
from hardware_sim.iso_dep import CardTime
from hardware_sim.pcsc_door import PcscDoor
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.pn532_chip import AirFaults
from hardware_sim.profile import Profile
from hardware_sim.radio import tags_of
from hardware_sim.tags import Tag
from hardware_sim.vpcd import ISO_DEP, MIFARE_CLASSIC_1K
from terminal.errors import CardLost, ConfigError, ReaderUnplugged
from terminal.ports import SeveralCards

_LOOKED_S = 0.5
"""The daemon looks for cards every 400 ms (pcsc-lite, PCSCLITE_STATUS_POLL_RATE)."""

_FIELD_LOOKED_S = 0.1
"""A reader that waits for a simulated field to be empty is told at once."""

_NFCPY_LOOKED_S = 0.25
"""Through nfcpy a reader takes a card for gone when it has looked twice and seen none."""


@dataclass(frozen=True, slots=True)
class Held:
    """One card in somebody's hand: what it is, and the chip in it."""

    profile: Profile
    chip: Chip


class Stage(Protocol):
    """A reader and the world before it."""

    @property
    def url(self) -> str:
        """How a till addresses the reader."""

    def renew(self) -> None:
        """Makes it as good as new: plugged in, nothing there, clear weather."""

    def sleep(self, seconds: float) -> None:
        """Where a slow card spends its time."""

    def put(self, cards: Sequence[Held]) -> None:
        """Holds these to the reader, in place of what was there.

        Raises:
            ConfigError: this door cannot stage that.
        """

    def take(self) -> None:
        """Takes away whatever is there. Harmless when there is nothing."""

    def unplug(self) -> None:
        """Takes the reader away."""

    def plug(self) -> None:
        """Brings it back. Harmless when it is there."""

    def kill(self) -> None:
        """Ends what serves the reader without warning, as a crash would."""

    def weather(self, air: AirFaults) -> None:
        """Makes the radio link bad, where there is one; elsewhere nothing happens."""

    def close(self) -> None:
        """Ends everything. Harmless when called twice."""


class _Unplugging:
    """A chip that may pull the plug: then the card is lost, and the stage does the rest."""

    def __init__(self, chip: Chip, unplug: Callable[[], None]) -> None:
        self._chip = chip
        self._unplug = unplug

    def reset(self) -> None:
        self._chip.reset()

    def exchange(self, command: bytes) -> bytes:
        try:
            return self._chip.exchange(command)
        except ReaderUnplugged:
            # The thread that carries this command cannot end itself.
            threading.Thread(target=self._unplug, name="unplug").start()
            raise CardLost("The reader went away with the card.") from None


class _Emptied:
    """When something was last taken away.

    A swap between two looks of a reader would pass unseen, and no hand is that quick. A till that
    missed it would take the new card for the old one, and give that time to leave.
    """

    def __init__(self, looked_s: float) -> None:
        self._looked_s = looked_s
        self._since = 0.0

    def note(self) -> None:
        self._since = time.monotonic()

    def settle(self) -> None:
        time.sleep(max(0.0, self._since + self._looked_s - time.monotonic()))


class SimStage:
    """The field in this process, and a reader that reaches it from any other."""

    def __init__(self) -> None:
        self._emptied = _Emptied(_FIELD_LOOKED_S)
        self._lies_there = False
        self._folder = tempfile.TemporaryDirectory(prefix="taptill-field-")
        self.field = Field()
        self._server = FieldServer(self.field, Path(self._folder.name) / "field")

    @property
    def url(self) -> str:
        """See ``Stage``."""
        return self._server.url

    def renew(self) -> None:
        """See ``Stage``."""
        self.take()
        self.plug()

    def sleep(self, seconds: float) -> None:
        """See ``Stage``."""
        time.sleep(seconds)

    def put(self, cards: Sequence[Held]) -> None:
        """See ``Stage``."""
        self._emptied.settle()
        self._lies_there = True
        if len(cards) > 1:
            self.field.put(Presence(SeveralCards(), title="Several cards"))
            return
        [held] = cards
        self.field.put(presented(held.profile, held.chip, leaves_on_release=False))

    def take(self) -> None:
        """See ``Stage``."""
        if self._lies_there:
            self._lies_there = False
            self.field.take()
            self._emptied.note()

    def unplug(self) -> None:
        """See ``Stage``."""
        self.field.set_plugged(plugged=False)

    def plug(self) -> None:
        """See ``Stage``."""
        self.field.set_plugged(plugged=True)

    def kill(self) -> None:
        """See ``Stage``. There is no daemon here, so the reader goes."""
        self.unplug()

    def weather(self, air: AirFaults) -> None:
        """See ``Stage``."""

    def close(self) -> None:
        """See ``Stage``."""
        self._server.close()
        self._folder.cleanup()


class _Slot:
    """A slot of the virtual reader, and when a card was last taken out of it."""

    def __init__(self, door: PcscDoor, name: str) -> None:
        self.door = door
        self.name = name
        self.emptied = _Emptied(_LOOKED_S)

    def take(self) -> None:
        self.door.remove()
        self.emptied.note()


class PcscStage:
    """The virtual reader behind a real ``pcscd``. Its two slots are used by turns.

    It is of the kind ACR122U: see ``acr122``.
    """

    def __init__(self, daemon: Pcscd) -> None:
        self._daemon = daemon
        self._slots = [
            _Slot(PcscDoor(daemon, slot=number), slot.reader)
            for number, slot in enumerate(daemon.slots)
        ]
        self._lies_there = False
        self.front = Front()

    @property
    def _slot(self) -> _Slot:
        return self._slots[0]

    @property
    def url(self) -> str:
        """See ``Stage``."""
        return self._slot.door.url

    def seen(self) -> None:
        """Waits until the daemon has had a look at what was put there."""
        time.sleep(_LOOKED_S)

    @property
    def reader_name(self) -> str:
        """The reader's name in PC/SC."""
        return self._slot.name

    def renew(self) -> None:
        """See ``Stage``. The other slot has been empty for longer."""
        self.take()
        self.plug()
        self.front = Front()
        self._slots.reverse()

    def sleep(self, seconds: float) -> None:
        """See ``Stage``."""
        time.sleep(seconds)

    def put(self, cards: Sequence[Held]) -> None:
        """See ``Stage``."""
        if len(cards) != 1 or cards[0].profile.card.presents == "several":
            raise ConfigError(
                "The virtual reader of pcscd has room for one card.",
                remedy="Play this on the door sim or pn532.",
            )
        self.take()
        self._slot.emptied.settle()
        [held] = cards
        tag = held.profile.card.presents == "tag"
        mute = held.profile.card.presents == "unreadable"
        chip = Acr122(tags_of(held.profile, _Unplugging(held.chip, self.unplug)), self.front)
        self._slot.door.present(chip, atr=MIFARE_CLASSIC_1K if tag else ISO_DEP, mute=mute)
        self._lies_there = True

    def take(self) -> None:
        """See ``Stage``."""
        if self._lies_there:
            self._lies_there = False
            self._slot.take()

    def unplug(self) -> None:
        """See ``Stage``."""
        self._daemon.stop()

    def plug(self) -> None:
        """See ``Stage``."""
        self._daemon.start()

    def kill(self) -> None:
        """See ``Stage``."""
        self._daemon.kill()

    def weather(self, air: AirFaults) -> None:
        """See ``Stage``. The radio is inside the reader, out of sight."""

    def close(self) -> None:
        """See ``Stage``. The daemon is left running: it was not started here."""
        self.take()
        self._daemon.start()


class Pn532Stage:
    """A PN532 at the end of a pseudo-terminal, behind the real nfcpy."""

    def __init__(self) -> None:
        self._pn532 = Pn532OnPty()
        self._pn532.replug()
        self._plugged = True
        self._lies_there = False
        self._emptied = _Emptied(_NFCPY_LOOKED_S)
        self._time = CardTime()

    @property
    def url(self) -> str:
        """See ``Stage``."""
        return self._pn532.url

    @property
    def path(self) -> str:
        """The serial line."""
        return self._pn532.path

    def renew(self) -> None:
        """See ``Stage``."""
        self.take()
        self.plug()
        self.weather(AirFaults())

    def sleep(self, seconds: float) -> None:
        """See ``Stage``. The chip compares times and waits for none."""
        self._time.spend(seconds)

    def put(self, cards: Sequence[Held]) -> None:
        """See ``Stage``."""
        uids = (bytes((0x08, 0x31, 0x9E, number)) for number in range(2, 256))
        tags: list[Tag] = []
        for held in cards:
            chip = _Unplugging(held.chip, self.unplug)
            tags += tags_of(held.profile, chip, self._time)
        for number, tag in enumerate(tags):
            if number:
                tag.uid = next(uids)
        self._emptied.settle()
        self._pn532.present_tags(*tags)
        self._lies_there = True

    def take(self) -> None:
        """See ``Stage``."""
        if self._lies_there:
            self._lies_there = False
            self._pn532.remove()
            self._emptied.note()

    def unplug(self) -> None:
        """See ``Stage``."""
        if self._plugged:
            self._plugged = False
            self._pn532.unplug()

    def plug(self) -> None:
        """See ``Stage``."""
        if not self._plugged:
            self._pn532.replug()
            self._plugged = True

    def kill(self) -> None:
        """See ``Stage``. The chip loses its power and comes back, which nobody announces."""
        self._pn532.restart_chip()

    def weather(self, air: AirFaults) -> None:
        """See ``Stage``."""
        self._pn532.use_air(air)

    def close(self) -> None:
        """See ``Stage``."""
        self._pn532.__exit__(None, None, None)
