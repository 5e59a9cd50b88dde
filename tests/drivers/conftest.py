"""Real devices for the drivers' tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hardware_sim import daemon
from hardware_sim.pcsc_door import PcscDoor
from terminal.errors import ConfigError


@pytest.fixture
def pcscd() -> daemon.Pcscd:
    """The real daemon, running; skips where it cannot be had, and fails in CI."""
    try:
        running = daemon.shared()
        running.start()
    except ConfigError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    return running


@pytest.fixture
def pcsc_door(pcscd: daemon.Pcscd) -> Iterator[PcscDoor]:
    door = PcscDoor(pcscd)
    yield door
    door.close()
