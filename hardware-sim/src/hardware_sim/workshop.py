"""What scenarios are played with: one acquirer and up to three doors, kept from one to the next.

Rules of this file: starting a process costs more than a whole sale, so a workshop keeps what it
has started and resets it. A scenario still finds a world of its own: a till with its own folder
and terminal number, cards with fresh counters, an acquirer that behaves.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from hardware_sim import daemon
from hardware_sim.acquirer_behaviour import Behaviour
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.stage import PcscStage, Pn532Stage, SimStage, Stage
from terminal.errors import ConfigError

_START_S = 30.0


class Workshop:
    """One worker's acquirer and doors. A context manager; nothing is started before it is used."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self.folder = Path(
            self._open.enter_context(tempfile.TemporaryDirectory(prefix="taptill-workshop-"))
        )
        self._acquirer: AcquirerControl | None = None
        self._stages: dict[str, Stage] = {}
        self._played = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends everything that was started. Harmless when called twice."""
        self._open.close()
        self._stages = {}
        self._acquirer = None

    @property
    def receipts(self) -> Path:
        """Where a simulated printer of a till elsewhere puts its receipts."""
        return self.folder / "receipts"

    def next_number(self) -> int:
        """A number of its own for each scenario: that of its till."""
        self._played += 1
        return self._played

    @property
    def acquirer(self) -> AcquirerControl:
        """The acquirer, running."""
        if self._acquirer is None:
            self._acquirer = self._start_acquirer()
        return self._acquirer

    def _start_acquirer(self) -> AcquirerControl:
        folder = self.folder / "acquirer"
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "hardware_sim.acquirer_host", "--dir", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert server.stdout is not None
        self._open.callback(server.stdout.close)
        self._open.callback(server.wait, _START_S)
        self._open.callback(server.terminate)
        if not server.stdout.readline():
            raise ConfigError("The simulated acquirer did not start.")
        return AcquirerControl(folder)

    def stage(self, door: str) -> Stage:
        """The door, as good as new: plugged in, nothing on the reader, clear weather.

        Raises:
            ConfigError: there is no such door, or what it needs is not installed.
        """
        if door not in self._stages:
            stage = _opener(door)()
            self._open.callback(stage.close)
            self._stages[door] = stage
        self._stages[door].renew()
        return self._stages[door]

    def steady(self) -> None:
        """An acquirer that misbehaves in nothing."""
        if self._acquirer is not None:
            options = Behaviour().as_options()
            self._acquirer.set(**{name: str(value) for name, value in options.items()})


def _opener(door: str) -> Callable[[], Stage]:
    openers: Mapping[str, Callable[[], Stage]] = {
        "sim": SimStage,
        "pcsc": lambda: PcscStage(daemon.shared()),
        "pn532": Pn532Stage,
    }
    if door not in openers:
        raise ConfigError(f"There is no door {door!r}.", remedy=f"Doors: {', '.join(openers)}.")
    return openers[door]
