"""Real devices for the drivers' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hardware_sim import daemon
from hardware_sim.pcsc_door import PcscDoor
from tests.drivers.tls_server import Pki


@pytest.fixture
def pcsc_door(pcscd: daemon.Pcscd) -> Iterator[PcscDoor]:
    door = PcscDoor(pcscd)
    yield door
    door.close()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))
