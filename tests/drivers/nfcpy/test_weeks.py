"""Long spells at the till: everything that can happen to a PN532, in an order that a seed gives."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest

from drivers import nfcpy
from drivers.door import PatternChip, pattern
from hardware_sim.faults import Faults, FaultyChip
from hardware_sim.iso_dep import Activation, CardTime
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.pn532_chip import AirFaults
from hardware_sim.tags import FOREIGN, IsoDepTag
from terminal.errors import CardLost, ReaderUnplugged
from terminal.ports import ForeignTag, Reader, SeveralCards, Unreadable
from tests.drivers.nfcpy.taps import LONGEST, tap

OPEN = Path("/proc/self/fd")


class Weeks:
    """The world around one reader; it changes whenever the reader asks whether to stop."""

    def __init__(self, world: Pn532OnPty, chance: random.Random) -> None:
        self.world = world
        self.chance = chance
        self.plugged = True

    def something_happens(self) -> bool:
        """Maybe changes the world; as ``cancelled`` it never says stop."""
        if not self.plugged and self.chance.random() < 0.5:
            self.plug()
        elif self.chance.random() < 0.2:
            rarely = (self.two, self.foreign, self.world.remove, self.plug, self.disturb)
            self.chance.choice((*[self.card] * 6, *rarely, self.weather))()
        return False

    def card(self) -> None:
        faults = Faults(
            tear_after=self.chance.choice((None, None, None, 1)),
            mute_at=self.chance.choice((None, None, None, 2)),
            delay_ms=self.chance.choice((0, 0, 300)),
        )
        time = CardTime()
        chip = FaultyChip(PatternChip(), lambda: faults, sleep=time.spend)
        activation = Activation(fsci=self.chance.randrange(9), fwi=self.chance.randrange(9))
        type_b = self.chance.random() < 0.5
        tag = IsoDepTag(chip, type_b=type_b, activation=activation, time=time)
        self.world.present_tags(tag)

    def two(self) -> None:
        self.world.present_two(
            PatternChip(), PatternChip(), second_type_b=self.chance.random() < 0.5
        )

    def foreign(self) -> None:
        self.world.present_foreign(self.chance.choice(list(FOREIGN)))

    def plug(self) -> None:
        if self.plugged:
            self.world.unplug()
        else:
            self.world.replug()
        self.plugged = not self.plugged

    def disturb(self) -> None:
        line = self.world.line
        line.damaged_responses = self.chance.choice((0, 1, 3))
        line.ignored_commands = self.chance.randrange(2)
        line.noisy_responses = self.chance.randrange(3)

    def weather(self) -> None:
        rates = (0.0, 0.0, 0.05, 0.3)
        self.world.use_air(
            AirFaults(
                self.chance.randrange(1000), self.chance.choice(rates), self.chance.choice(rates)
            )
        )

    def calm(self) -> None:
        if not self.plugged:
            self.plug()
        self.world.line.damaged_responses = self.world.line.ignored_commands = 0
        self.world.line.noisy_responses = 0
        self.world.use_air(AirFaults())


def serve(reader: Reader, weeks: Weeks) -> str:
    """One customer, or whatever was left by the last: what came of it."""
    if weeks.chance.random() < 0.5:
        weeks.card()
    try:
        presented = reader.wait_for_card(timeout_s=0.15, cancelled=weeks.something_happens)
        if presented is None:
            return "nobody"
        if isinstance(presented, SeveralCards | ForeignTag | Unreadable):
            return type(presented).__name__
        for _ in range(3):
            weeks.something_happens()
            assert presented.exchange(LONGEST) == pattern(LONGEST)
        reader.release()
        reader.wait_for_removal(timeout_s=0.05, cancelled=weeks.something_happens)
    except CardLost:
        return "lost"
    except ReaderUnplugged:
        return "unplugged"
    return "served"


@pytest.mark.parametrize("seed", range(5))
def test_a_reader_outlives_whatever_happens(world: Pn532OnPty, reader: Reader, seed: int) -> None:
    weeks = Weeks(world, random.Random(seed))  # The seed is in the test's name.
    ends = {serve(reader, weeks) for _ in range(50)}
    # How much happens within a wait depends on the machine, so no more than this is sure.
    assert "served" in ends
    assert len(ends) > 2
    weeks.calm()
    chip = PatternChip()
    world.present(chip)
    assert tap(reader).exchange(LONGEST) == pattern(LONGEST)
    assert chip.seen == [LONGEST]


def test_nothing_is_left_open() -> None:
    def once() -> None:
        with (
            Pn532OnPty(PatternChip()) as world,
            closing(nfcpy.open_reader(world.url)) as reader,
        ):
            tap(reader).exchange(LONGEST)
            world.unplug()
            with pytest.raises(ReaderUnplugged):
                tap(reader)
            world.replug()
            tap(reader).exchange(LONGEST)

    once()
    before = len(list(OPEN.iterdir()))
    for _ in range(5):
        once()
    assert len(list(OPEN.iterdir())) == before
