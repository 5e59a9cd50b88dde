"""The command line of a till in this process, beside an acquirer that outlives each command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from click.testing import CliRunner, Result

from drivers.registry import AcquirerSettings
from hardware_sim.acquirer import open_acquirer
from ui.cli import main

_NUMBERS = count(1)


@dataclass
class Shell:
    """One till. Each has a terminal id of its own, so that many can share one acquirer."""

    folder: Path
    acquirer: Path
    settings: str = ""

    def __post_init__(self) -> None:
        self.terminal_id = f"TAP{next(_NUMBERS):05d}"
        self.config = self.folder / "till.toml"
        self.configure(self.settings)

    def configure(self, settings: str) -> None:
        """Writes the configuration; ``settings`` are its tables."""
        till = f'[till]\nreader = "sim:visa-credit"\nterminal_id = "{self.terminal_id}"\n'
        self.config.write_text(till + settings)

    def run(self, *words: str, typed: str | None = None) -> Result:
        where = ["--data", str(self.folder / "till"), "--config", str(self.config)]
        options = [*where, "--acquirer", f"sim:?dir={self.acquirer}"]
        return CliRunner().invoke(main, [*words, *options], input=typed)


@contextmanager
def running_acquirer(folder: Path) -> Iterator[Path]:
    """A simulated acquirer that runs until the end: a command need not start its own."""
    settings = AcquirerSettings("TAP00000", "000000000000001", folder)
    acquirer = open_acquirer(f"sim:?dir={folder / 'bank'}", settings)
    try:
        yield folder / "bank"
    finally:
        acquirer.close()
