"""What a reader is tested against: cards of our own making, and the door they come through.

Rules of this file: no test framework and no simulator is imported, so that the authors of
drivers and of simulators can both build on it.
"""

from __future__ import annotations

from enum import Flag, auto
from typing import Protocol

from terminal.errors import CardLost
from terminal.ports import Reader


class Chip(Protocol):
    """What lies behind a door: the application side of a card."""

    def reset(self) -> None:
        """The card was activated: powered up, or selected in the field."""

    def exchange(self, command: bytes) -> bytes:
        """Answers one C-APDU with an R-APDU.

        Raises:
            CardLost: the card leaves the field now, without an answer. The door makes it so.
        """


class Ability(Flag):
    """What a door can stage beyond one card that comes and goes."""

    FOREIGN = auto()
    TWO = auto()
    UNREADABLE = auto()
    UNPLUG = auto()


class Door(Protocol):
    """A reader under test and the world in front of it. Each check gets a fresh one."""

    @property
    def abilities(self) -> Ability:
        """Which of the optional things below this door can stage."""

    def open(self) -> Reader:
        """Opens the reader. Called once or more; the readers are not used side by side."""

    def present(self, chip: Chip) -> None:
        """Puts a payment card on the reader."""

    def remove(self) -> None:
        """Takes away whatever lies there. Harmless when there is nothing."""

    def present_foreign(self) -> None:
        """Puts a tag there that is no payment card (``Ability.FOREIGN``)."""

    def present_two(self) -> None:
        """Puts two payment cards there at once (``Ability.TWO``)."""

    def present_unreadable(self) -> None:
        """Puts something there that cannot be activated (``Ability.UNREADABLE``)."""

    def unplug(self) -> None:
        """Takes the reader away (``Ability.UNPLUG``)."""

    def plug(self) -> None:
        """Brings the reader back (``Ability.UNPLUG``)."""


class PatternChip:
    """A chip whose answers depend on every byte of the command and on nothing else.

    Args:
        leaves_after: after so many answers it leaves the field instead of answering.
    """

    def __init__(self, *, leaves_after: int | None = None) -> None:
        self.resets = 0
        self.seen: list[bytes] = []
        self._leaves_after = leaves_after

    def reset(self) -> None:
        """Counts the activations."""
        self.resets += 1

    def exchange(self, command: bytes) -> bytes:
        """Answers by the pattern, or leaves."""
        if self._leaves_after is not None and len(self.seen) >= self._leaves_after:
            raise CardLost("The card leaves, as this check wants it to.")
        self.seen.append(command)
        return pattern(command)


def pattern(command: bytes) -> bytes:
    """The answer of a ``PatternChip``: P1 bytes of data, and 9000 or, for P2 not 0, 6Axx."""
    seed = sum(command)
    data = bytes((seed + index) & 0xFF for index in range(command[2] or 256))
    return data + b"\x90\x00" if command[3] == 0 else bytes((0x6A, command[3]))
