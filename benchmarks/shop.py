"""A till on disk for a benchmark, with stop-watches at the seams that are measured.

Rules of this file: everything between the watches is the product's own; the simulator gives the
card, the acquirer and the keys of its test authorities, so that signatures really are checked.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from hardware_sim.ca import ca_public_keys
from terminal.checkout import Ports, pay
from terminal.emv.oda import CaKeys
from terminal.emv.settings import default_settings
from terminal.ledger import Compose, Journal, OutboxItem
from terminal.money import Amount
from terminal.ports import (
    Card,
    ForeignTag,
    Host,
    Presented,
    Reader,
    SeveralCards,
    Unreadable,
)
from terminal.progress import CardRead, Progress
from terminal.risk import OfflineLimits
from terminal.transaction import Transaction
from ui.wiring import Parts, assembled, load_settings

now = time.perf_counter
FLOOR_LIMIT_MINOR = 20_00


@dataclass(slots=True)
class Laps:
    """The moments of one tap, in seconds of one clock."""

    presented: float = 0.0
    sealed: float = 0.0
    recorded: float = 0.0
    in_card: float = 0.0

    @property
    def own_s(self) -> float:
        """From the card in the field to the recorded sale, without the card's own time."""
        return self.recorded - self.presented - self.in_card

    @property
    def read_s(self) -> float:
        """From the card in the field to the sealed card, with the card and its transport."""
        return self.sealed - self.presented


class _TimedCard:
    def __init__(self, card: Card, laps: Laps) -> None:
        self._card = card
        self._laps = laps

    @property
    def technology(self) -> str:
        return self._card.technology

    def exchange(self, command: bytes) -> bytes:
        started = now()
        try:
            return self._card.exchange(command)
        finally:
            self._laps.in_card += now() - started


class _TimedReader:
    def __init__(self, reader: Reader, laps: Laps) -> None:
        self._reader = reader
        self._laps = laps
        self.name = reader.name
        self.release = reader.release
        self.wait_for_removal = reader.wait_for_removal
        self.close = reader.close

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        found = self._reader.wait_for_card(timeout_s=timeout_s, cancelled=cancelled)
        self._laps.presented = now()
        if found is None or isinstance(found, SeveralCards | ForeignTag | Unreadable):
            return found
        return _TimedCard(found, self._laps)


class _TimedJournal:
    def __init__(self, journal: Journal, laps: Laps) -> None:
        self._journal = journal
        self._laps = laps
        self.open_sale = journal.open_sale
        self.commit = journal.commit
        self.exposure = journal.exposure
        self.declines = journal.declines
        self.transaction = journal.transaction
        self.open_refund = journal.open_refund
        self.open_part = journal.open_part
        self.book = journal.book
        self.undo = journal.undo
        self.standing = journal.standing

    def enqueue(self, txn_id: str, compose: Compose) -> tuple[Transaction, OutboxItem]:
        recorded = self._journal.enqueue(txn_id, compose)
        self._laps.recorded = now()
        return recorded


@dataclass
class Shop:
    """An open till. ``sell`` makes one sale and gives its laps."""

    parts: Parts
    reader: Reader
    link: Host
    laps: Laps = field(default_factory=Laps)

    def sell(self, minor: int = 12_50) -> tuple[Transaction, Laps]:
        """One sale, with the acquirer's answer if it goes online."""
        laps = Laps()

        def show(progress: Progress) -> None:
            if isinstance(progress, CardRead):
                laps.sealed = now()

        parts = self.parts
        ports = Ports(
            reader=_TimedReader(self.reader, laps),
            host=self.link,
            journal=_TimedJournal(parts.journal, laps),
            sealer=parts.acquirer.sealer,
            keystore=parts.keystore,
            clock=parts.clock,
            entropy=parts.entropy,
            show=show,
            cancelled=lambda: False,
            host_online=lambda: True,
        )
        sale = pay(ports, parts.rules, Amount(minor, parts.settings.config.till.currency))
        return sale, laps


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on a disk: a memory file system would make every sync free."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="taptill-bench-") as name:
        yield Path(name)


@contextmanager
def open_shop(reader_url: str) -> Iterator[Shop]:
    """A till with the simulated acquirer, and the CA keys of the simulated cards."""
    with folder() as data_dir, assembled(load_settings(data_dir=data_dir)) as parts:
        till = parts.settings.config.till
        emv = default_settings(
            till.country,
            till.currency,
            floor_limit_minor=FLOOR_LIMIT_MINOR,
            ca_keys=CaKeys(ca_public_keys()),
        )
        endless = 10**11
        limits = OfflineLimits(
            total_minor=endless, count=endless, card_total_minor=endless, card_count=endless
        )
        rules = replace(parts.rules, emv=emv, offline=limits)
        settings = load_settings(data_dir=data_dir, reader=reader_url)
        reader = _opened(settings.config.till.reader)
        link = parts.acquirer.link()
        try:
            yield Shop(replace(parts, rules=rules, settings=settings), reader, link)
        finally:
            reader.close()
            link.close()


def _opened(url: str) -> Reader:
    from drivers.registry import open_reader  # noqa: PLC0415 - only the drivers that are measured

    return open_reader(url)
