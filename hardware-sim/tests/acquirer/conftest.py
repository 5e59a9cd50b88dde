"""Tills on a simulated acquirer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.registry import AcquirerSettings
from hardware_sim.acquirer import open_acquirer
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.bench_till import BenchTill


@pytest.fixture
def open_till(tmp_path: Path) -> Iterator[Callable[..., BenchTill]]:
    """Opens tills on ``sim:`` in one state folder, and closes them all."""
    opened: list[BenchTill] = []

    def opener(url: str = "sim:", terminal_id: str = "TILL0001") -> BenchTill:
        settings = AcquirerSettings(terminal_id, "SHOP00000000001", tmp_path)
        acquirer = open_acquirer(url, settings)
        till = BenchTill(acquirer, acquirer.link(), AcquirerControl(acquirer.folder))
        opened.append(till)
        return till

    yield opener
    for till in opened:
        till.host.close()
        till.acquirer.close()


@pytest.fixture
def till(open_till: Callable[..., BenchTill]) -> BenchTill:
    return open_till()
