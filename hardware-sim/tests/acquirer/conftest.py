"""Tills on a simulated acquirer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.registry import AcquirerSettings
from hardware_sim.acquirer import open_acquirer
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.bench_till import BenchTill


def opened(folder: Path, url: str = "sim:", terminal_id: str = "TILL0001") -> BenchTill:
    acquirer = open_acquirer(url, AcquirerSettings(terminal_id, "SHOP00000000001", folder))
    return BenchTill(acquirer, acquirer.link(), AcquirerControl(acquirer.folder))


@pytest.fixture
def open_till(tmp_path: Path) -> Iterator[Callable[..., BenchTill]]:
    """Opens tills on ``sim:`` in one state folder, and closes them all."""
    tills: list[BenchTill] = []

    def opener(url: str = "sim:", terminal_id: str = "TILL0001") -> BenchTill:
        tills.append(opened(tmp_path, url, terminal_id))
        return tills[-1]

    yield opener
    for till in tills:
        till.close()


@pytest.fixture
def till(open_till: Callable[..., BenchTill]) -> BenchTill:
    return open_till()


@pytest.fixture(scope="module")
def shared_till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BenchTill]:
    """One till for all rows of a table; each row is a sale of its own."""
    till = opened(tmp_path_factory.mktemp("shared"))
    yield till
    till.close()
