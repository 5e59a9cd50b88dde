"""Another till of the same shop: it forwards what the first one hands over.

Rules of this file: a whole till with a ledger of its own, opened when somebody brings it a file,
on electricity that never goes. A file is taken in once, and only with its code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hardware_sim.world.clock import SeededEntropy, VirtualClock
from hardware_sim.world.network import WorldAcquirer
from hardware_sim.world.oracle import require
from hardware_sim.world.process import CONFIG, TillProcess
from offline_queue.bundle import unseal
from offline_queue.handover import Handover, Till
from terminal.config import parse_config
from terminal.errors import StoreError
from ui.wiring import Parts, Settings, acquirer_id, assembled

NAME = "WORLD002"
_CONFIG = CONFIG.replace(b"WORLD001", NAME.encode())


def desk_of(parts: Parts) -> Handover:
    """Where this till hands over, and is handed to."""
    me = Till(parts.settings.config.till.terminal_id, acquirer_id(parts.acquirer))
    return Handover(parts.journal, me, parts.clock, parts.entropy)


class Neighbour:
    """The other till.

    Args:
        folder: its own; made when it is first needed.
        clock: the world's time.
        acquirer: the acquirer of this world.
        seed: of its chance.
    """

    def __init__(
        self, folder: Path, clock: VirtualClock, acquirer: WorldAcquirer, seed: int
    ) -> None:
        self._settings = Settings(parse_config(_CONFIG, "the till next door"), folder, folder)
        self._clock = clock
        self._acquirer = acquirer
        self._seed = seed
        self._opened = 0
        self.bundles: list[str] = []

    def take(self, content: bytes, code: str) -> None:
        """Takes a file in. A second time it must be refused.

        Raises:
            Untrue: it was not.
        """
        bundle = unseal(content, code, "a file of this world")
        with self._open() as till:
            desk = desk_of(till.parts)
            desk.take(bundle)
            self.bundles.append(bundle.name)
            taken = 1
            with suppress(StoreError):
                desk.take(bundle)
                taken += 1
        require(taken == 1, f"the bundle {bundle.name} was taken in twice")

    def forward(self) -> list[tuple[bytes, str]]:
        """Sends what can be sent; for each bundle with answers a file of them, and its code."""
        if not self.bundles:
            return []
        files: list[tuple[bytes, str]] = []
        with self._open() as till:
            if till.reaches_host():
                till.line.run_once()
            for name in self.bundles:
                written: list[bytes] = []
                try:
                    done = desk_of(till.parts).answer(name, written.append)
                except StoreError as refused:
                    if "no answer yet" not in refused.message:
                        raise
                else:
                    files.append((written[0], done.code))
        return files

    def stuck(self, txn_id: str) -> bool:
        """Whether a message waits for a person here, and nobody comes."""
        with self._open() as till, till.parts.journal.store.read() as connection:
            found = connection.execute(
                "SELECT 1 FROM relay WHERE txn_id = ? AND held <> '' AND answered_at = ''",
                (txn_id,),
            )
            return bool(found.fetchall())

    @contextmanager
    def _open(self) -> Iterator[TillProcess]:
        self._settings.data_dir.mkdir(exist_ok=True)
        self._opened += 1
        entropy = SeededEntropy(f"{self._seed}/next door/{self._opened}")
        with assembled(
            self._settings, clock=self._clock, entropy=entropy, acquirer=self._acquirer
        ) as parts:
            till = TillProcess(parts, _nobody)
            try:
                yield till
            finally:
                till.line.close()


def _nobody(news: object) -> None:
    """Nobody looks at this till's screen."""
