"""A PN532 on a pty, and the reader that nfcpy makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drivers import nfcpy
from hardware_sim.pn532 import Pn532OnPty
from terminal.ports import Reader


@pytest.fixture
def world() -> Iterator[Pn532OnPty]:
    with Pn532OnPty() as world:
        yield world


@pytest.fixture
def reader(world: Pn532OnPty) -> Iterator[Reader]:
    reader = nfcpy.open_reader(world.url)
    yield reader
    reader.close()
