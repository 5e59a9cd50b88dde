"""Real devices for the drivers' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hardware_sim import daemon
from hardware_sim.pcsc_door import PcscDoor


@pytest.fixture
def pcsc_door(pcscd: daemon.Pcscd) -> Iterator[PcscDoor]:
    door = PcscDoor(pcscd)
    yield door
    door.close()
