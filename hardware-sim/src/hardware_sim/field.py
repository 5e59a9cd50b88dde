"""The field of a simulated reader: what lies in it, and the reader that looks.

Rules of this file: the field belongs to the world and may be changed from any thread; the
reader belongs to the till's thread. The lock is never held while somebody else's code runs (a
card, ``cancelled``), so either may change the field.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition

from drivers.door import Chip
from hardware_sim.faults import CardMute
from hardware_sim.meaning import name_of, told
from terminal.bench import ILL, WELL
from terminal.errors import CardLost, ReaderUnplugged
from terminal.ports import ForeignTag, Presented, SeveralCards, Unreadable

_LOOK_EVERY_S = 0.05
_LOG_LINES = 60


@dataclass(eq=False, slots=True)
class Presence:
    """Something that lies on the reader.

    ``what`` is a card to talk to, or what a reader makes of it at once. It stays until it is
    taken away, or, with ``leaves_on_release``, until the reader has done with it.
    """

    what: Chip | SeveralCards | ForeignTag | Unreadable
    title: str = "Card"
    technology: str = "ISO 14443-4 A"
    leaves_on_release: bool = False


class Field:
    """What is in front of one reader, and whether the reader is plugged in."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._present: Presence | None = None
        self._plugged = True
        self._log: deque[str] = deque(maxlen=_LOG_LINES)

    @property
    def present(self) -> Presence | None:
        """What lies there now."""
        with self._changed:
            return self._present

    @property
    def plugged(self) -> bool:
        """Whether the reader is there."""
        with self._changed:
            return self._plugged

    def put(self, presence: Presence) -> None:
        """Puts something there, in place of anything else."""
        with self._changed:
            self._present = presence
            self._log.append(f"{presence.title}: on the reader")
            self._changed.notify_all()

    def take(self, presence: Presence | None = None) -> None:
        """Takes away ``presence`` if it is there, or whatever is there."""
        with self._changed:
            here = self._present
            if here is None or presence not in {None, here}:
                return
            self._present = None
            self._log.append(f"{here.title}: taken away")
            self._changed.notify_all()

    def set_plugged(self, *, plugged: bool) -> None:
        """Plugs the reader in or out."""
        with self._changed:
            if self._plugged != plugged:
                self._log.append("Reader plugged in" if plugged else "Reader unplugged")
            self._plugged = plugged
            self._changed.notify_all()

    def pause(self, limit_s: float) -> None:
        """Waits until something changes, but not longer than ``limit_s``."""
        with self._changed:
            self._changed.wait(max(0.0, limit_s))

    def note(self, line: str) -> None:
        """Adds a line to the log. It must carry no card data."""
        with self._changed:
            self._log.append(line)

    def log(self) -> tuple[str, ...]:
        """The last lines, oldest first."""
        with self._changed:
            return tuple(self._log)


class _CardInHand:
    """What the reader hands out: a ``terminal.ports.Card``."""

    def __init__(self, reader: SimulatedReader, presence: Presence, chip: Chip) -> None:
        self._reader = reader
        self._presence = presence
        self._chip = chip

    @property
    def technology(self) -> str:
        return self._presence.technology

    def exchange(self, command: bytes) -> bytes:
        return self._reader.exchange(self._presence, self._chip, command)


class SimulatedReader:
    """A ``terminal.ports.Reader`` over a field.

    Args:
        field: what is in front of it.
        name: its name for a person.
        supply: asked for something to put into an empty field whenever a card is waited for.
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        field: Field,
        name: str,
        *,
        supply: Callable[[], Presence | None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._field = field
        self._name = name
        self._supply = supply
        self._monotonic = monotonic
        self._in_hand: Presence | None = None
        self._known_unplugged = False

    @property
    def name(self) -> str:
        """Its name for a person."""
        return self._name

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        """See ``terminal.ports.Reader``."""
        self.release()
        deadline = self._monotonic() + timeout_s
        while not cancelled():
            if self._is_here():
                presence = self._field.present or self._supplied()
                if presence is not None:
                    return self._taken_up(presence)
            left_s = deadline - self._monotonic()
            if left_s <= 0:
                self._require_plugged()
                return None
            self._field.pause(min(_LOOK_EVERY_S, left_s))
        return None

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        """See ``terminal.ports.Reader``."""
        deadline = self._monotonic() + timeout_s
        while True:
            self._require_plugged()
            if self._field.present is None:
                return True
            left_s = deadline - self._monotonic()
            if left_s <= 0 or cancelled():
                return False
            self._field.pause(min(_LOOK_EVERY_S, left_s))

    def release(self) -> None:
        """See ``terminal.ports.Reader``."""
        presence, self._in_hand = self._in_hand, None
        if presence is not None and presence.leaves_on_release:
            self._field.take(presence)

    def close(self) -> None:
        """See ``terminal.ports.Reader``."""
        self.release()

    def exchange(self, presence: Presence, chip: Chip, command: bytes) -> bytes:
        """One command to the card in hand. For ``_CardInHand``."""
        self._require_in_hand(presence)
        try:
            answer = chip.exchange(command)
        except CardMute:
            self._in_hand = None
            self._field.note(f"{ILL} {name_of(command)}: no answer")
            raise
        except CardLost:
            self._field.note(f"{ILL} {name_of(command)}: the card has left")
            self._in_hand = None
            self._field.take(presence)
            raise
        except ReaderUnplugged:
            self._field.set_plugged(plugged=False)
            self._known_unplugged = True
            raise
        # A slow answer leaves time to take the card away, or to unplug the reader.
        self._require_in_hand(presence)
        mark = WELL if answer[-2:] == b"\x90\x00" else ILL
        self._field.note(f"{mark} {told(command, answer)}")
        return answer

    def _supplied(self) -> Presence | None:
        presence = self._supply()
        if presence is not None:
            self._field.put(presence)
        return presence

    def _taken_up(self, presence: Presence) -> Presented:
        self._in_hand = presence
        what = presence.what
        if isinstance(what, SeveralCards | ForeignTag | Unreadable):
            return what
        what.reset()
        return _CardInHand(self, presence, what)

    def _is_here(self) -> bool:
        """Whether the reader is plugged in; a reader known to be away may come back.

        Raises:
            ReaderUnplugged: it has just gone away.
        """
        if self._field.plugged:
            self._known_unplugged = False
            return True
        if not self._known_unplugged:
            self._require_plugged()
        return False

    def _require_plugged(self) -> None:
        if not self._field.plugged:
            self._known_unplugged = True
            raise ReaderUnplugged(f"{self._name} was unplugged.", remedy="Plug it in again.")

    def _require_in_hand(self, presence: Presence) -> None:
        self._require_plugged()
        if self._in_hand is not presence or self._field.present is not presence:
            raise CardLost("The simulated card is no longer in the field.")
