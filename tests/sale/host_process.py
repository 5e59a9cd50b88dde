"""An acquirer in a process of its own, which outlives every till of a test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hardware_sim.acquirer_control import AcquirerControl


@contextmanager
def running_acquirer(folder: Path) -> Iterator[AcquirerControl]:
    """Starts it in ``folder``, and ends it with the block."""
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "hardware_sim.acquirer_host", "--dir", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    server.stdout.readline()
    try:
        yield AcquirerControl(folder)
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()
