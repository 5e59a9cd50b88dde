"""A till's memory on a fresh file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.offline_queue.devices import Device, OutsideCounter, trade
from tests.offline_queue.sales import Till


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    till = Till(tmp_path / "ledger.db")
    yield till
    till.journal.close()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    device = Device(tmp_path / "till", OutsideCounter())
    trade(device.till)
    device.till.store.close()
    yield device
    device.till.store.close()
