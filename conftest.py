"""What the product's tests and the simulator's tests share."""

from __future__ import annotations

import os

import pytest

from hardware_sim import daemon
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps all tests of the daemon in one process.

    Where no namespace can be made for a daemon of one's own, its socket is the system's, and
    whoever has it keeps it to the end of the process.
    """
    for item in items:
        uses = "pcscd" in getattr(item, "fixturenames", ())
        if uses or item.get_closest_marker("pcscd") is not None:
            item.add_marker(pytest.mark.xdist_group("pcscd"))
