"""What can go wrong between a card and a till, to be asked for by name.

Rules of this file: a fault is counted in commands or bytes, or drawn from a seed; never by the
clock. The card itself is sound: a fault stands between it and the reader.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from drivers.door import Chip
from terminal.errors import CardLost, ConfigError, ReaderUnplugged


class CardMute(CardLost):
    """The card is in the field and does not answer."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults are asked for. Everything is counted anew at each presentation.

    Attributes:
        tear_after: the card leaves after so many commands have been answered.
        tear_at: the card leaves at this byte of the conversation, commands and answers counted.
        delay_ms: every answer takes so much longer.
        mute_at: the command of this number (from 1) is never answered.
        sw: the status word that takes the place of the answer to command ``sw_at``.
        sw_at: the number of that command (from 1).
        unplug_after: the reader goes away after so many commands have been answered.
        noise: how many answers of a hundred have one bit turned over.
        faulty_taps: after so many presentations nothing goes wrong any more; 0 for no end.
        air_lost: how many radio blocks of a hundred never reach the card.
        air_crc: how many of its blocks of a hundred arrive with a wrong CRC. Both are for a door
            that has radio blocks (a PN532), whose protocol repeats what was lost.
        kbps: the bit rate of the radio, 106 to 848; every byte takes its time. 0 takes none.
        warm_up_ms: how long the field takes to wake the card.
        think: how long the card thinks, in percent of what was measured on a real phone.
    """

    tear_after: int | None = None
    tear_at: int | None = None
    delay_ms: int = 0
    mute_at: int | None = None
    sw: int = 0x6F00
    sw_at: int | None = None
    unplug_after: int | None = None
    noise: int = 0
    faulty_taps: int = 0
    air_lost: int = 0
    air_crc: int = 0
    kbps: int = 0
    warm_up_ms: int = 0
    think: int = 0

    def thinking_ms(self, command: bytes) -> float:
        """How long the card thinks about this command."""
        ins = command[1] if len(command) > 1 else 0
        return self.think * THINKING_MS.get(ins, OTHER_MS) / 100

    def on_air_ms(self, message: bytes) -> float:
        """How long a command or an answer is on the air, with what the block protocol adds.

        A byte is eight bits and a parity bit; a block has a start, a PCB and two bytes of CRC
        (ISO/IEC 14443-3, 6.2.3 and -4, 7.1).
        """
        if not self.kbps:
            return 0.0
        blocks = max(1, -(-len(message) // _BLOCK))
        return (len(message) + blocks * _BLOCK_HEAD) * _BITS / self.kbps


THINKING_MS: Mapping[int, int] = MappingProxyType(
    {0xA4: 54, 0xA8: 293, 0xB2: 11, 0xAE: 250, 0xEA: 5, 0xCA: 10, 0xD0: 60}
)
"""How long a phone thought, in milliseconds, by instruction.

SELECT, GET PROCESSING OPTIONS with its signature and READ RECORD are those of a public trace of
Apple Pay (proxmark3); the others are estimates.
"""

OTHER_MS = 20
_BLOCK, _BLOCK_HEAD, _BITS = 253, 4, 9


def parse_faults(text: str) -> Faults:
    """Reads faults as a script or an address has them: ``tear_after=2 noise=5``.

    Raises:
        ConfigError: there is no such fault, or its number does not fit.
    """
    known = {item.name for item in fields(Faults)}
    values = {}
    for part in text.split():
        name, equals, value = part.partition("=")
        if name not in known or not equals:
            raise ConfigError(
                f"{part!r} is no fault of a card.", remedy=f"Faults: {', '.join(sorted(known))}."
            )
        pattern = r"[0-9A-Fa-f]{4}" if name == "sw" else r"[0-9]{1,9}"
        if not re.fullmatch(pattern, value, re.ASCII):
            expected = "four hexadecimal digits" if name == "sw" else "a whole number"
            raise ConfigError(f"{name}={value!r}: expected {expected}.")
        values[name] = int(value, 16 if name == "sw" else 10)
    return Faults(**values)


class FaultyChip:
    """A card with trouble on the way to it.

    Args:
        chip: the sound card.
        faults: asked at every command, so that faults can be turned on in the middle.
        card_ms: how long each answer takes even without trouble.
        seed: for the noise.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        chip: Chip,
        faults: Callable[[], Faults],
        *,
        card_ms: int = 0,
        seed: int = 0,
        sleep: Callable[[float], None],
    ) -> None:
        self._chip = chip
        self._faults = faults
        self._card_ms = card_ms
        # The noise has to be repeatable; nothing is kept secret with it.
        self._chance = random.Random(seed)  # noqa: S311
        self._sleep = sleep
        self._presentations = 0
        self._commands = 0
        self._bytes = 0

    def reset(self) -> None:
        """A new presentation begins."""
        self._presentations += 1
        self._commands = 0
        self._bytes = 0
        self._spend(self._faults().warm_up_ms)
        self._chip.reset()

    def exchange(self, command: bytes) -> bytes:
        """Answers one command, unless a fault prevents it.

        Raises:
            CardLost: the card has left, or is silent.
            ReaderUnplugged: the reader has gone away.
        """
        faults = self._faults()
        if faults.faulty_taps and self._presentations > faults.faulty_taps:
            faults = Faults()
        self._commands += 1
        number = self._commands
        if faults.unplug_after is not None and number > faults.unplug_after:
            raise ReaderUnplugged("The simulated reader was unplugged.")
        if faults.tear_after is not None and number > faults.tear_after:
            raise CardLost("The simulated card was taken away early.")
        self._count(command, faults)
        thinks_ms = self._card_ms + faults.delay_ms + faults.thinking_ms(command)
        self._spend(thinks_ms + faults.on_air_ms(command))
        answer = self._chip.exchange(command)
        self._spend(faults.on_air_ms(answer))
        if number == faults.mute_at:
            raise CardMute("The simulated card did not answer.")
        if number == faults.sw_at:
            answer = faults.sw.to_bytes(2, "big")
        if faults.noise and self._chance.randrange(100) < faults.noise:
            bit = self._chance.randrange(len(answer) * 8)
            flipped = int.from_bytes(answer, "big") ^ 1 << bit
            answer = flipped.to_bytes(len(answer), "big")
        self._count(answer, faults)
        return answer

    def _spend(self, duration_ms: float) -> None:
        if duration_ms:
            self._sleep(duration_ms / 1000)

    def _count(self, wire: bytes, faults: Faults) -> None:
        self._bytes += len(wire)
        if faults.tear_at is not None and self._bytes >= faults.tear_at:
            raise CardLost("The simulated card was taken away in the middle of a message.")
