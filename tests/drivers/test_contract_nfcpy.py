"""nfcpy's real drivers, over a real pty and over real sockets, held to the readers' contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from drivers.contract import Check, checks_for
from drivers.door import Ability, Chip, PatternChip
from drivers.nfcpy import open_reader
from hardware_sim.nfc_udp import CardOnUdp
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.tags import Tag
from terminal.ports import Reader

FIELD = Ability.FOREIGN | Ability.TWO | Ability.UNREADABLE
# SAK says ISO-DEP, and the request for an answer to select stays without one.
MUTE = Tag("A", b"\x08\x01\x02\x03", sak=0x20)


class FieldDoor:
    abilities: ClassVar[Ability] = FIELD

    def __init__(self, world: Pn532OnPty | CardOnUdp, *, type_b: bool = False) -> None:
        self.world = world
        self.type_b = type_b

    def open(self) -> Reader:
        return open_reader(self.world.url)

    def present(self, chip: Chip) -> None:
        self.world.present(chip, type_b=self.type_b)

    def remove(self) -> None:
        self.world.remove()

    def present_foreign(self) -> None:
        self.world.present_foreign("MIFARE Classic")

    def present_two(self) -> None:
        self.world.present_two(PatternChip(), PatternChip(), second_type_b=self.type_b)

    def present_unreadable(self) -> None:
        self.world.present_tags(MUTE)

    def unplug(self) -> None:
        assert isinstance(self.world, Pn532OnPty)
        self.world.unplug()

    def plug(self) -> None:
        assert isinstance(self.world, Pn532OnPty)
        self.world.replug()


class SerialDoor(FieldDoor):
    abilities: ClassVar[Ability] = FIELD | Ability.UNPLUG


@pytest.fixture(params=["type A", "type B"])
def serial_door(request: pytest.FixtureRequest) -> Iterator[SerialDoor]:
    with Pn532OnPty() as world:
        yield SerialDoor(world, type_b=request.param == "type B")


@pytest.fixture(params=["type A", "type B"])
def udp_door(request: pytest.FixtureRequest) -> Iterator[FieldDoor]:
    with CardOnUdp() as world:
        yield FieldDoor(world, type_b=request.param == "type B")


@pytest.mark.parametrize("check", checks_for(SerialDoor.abilities), ids=str)
def test_a_pn532_on_a_serial_port(serial_door: SerialDoor, check: Check) -> None:
    check(serial_door)


@pytest.mark.parametrize("check", checks_for(FieldDoor.abilities), ids=str)
def test_a_device_on_udp(udp_door: FieldDoor, check: Check) -> None:
    check(udp_door)
