"""Fixtures for pytest that put real daemons behind simulated cards.

Rules of this file: the only module of the simulator that knows pytest, which loads it by entry
point.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from hardware_sim import daemon
from terminal.errors import ConfigError


@pytest.fixture
def pcscd() -> Iterator[daemon.Pcscd]:
    """The real daemon, running; skips where it cannot be had, and fails in CI."""
    try:
        running = daemon.shared()
        running.start()
    except ConfigError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield running
    if not running.isolated:
        # Its socket is the system's, and the tests of another process wait for it.
        running.stop()
        daemon.give_turn()
