"""A running till for a test, and a face that only watches and waits."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from hardware_sim.acquirer import SimulatedAcquirer
from hardware_sim.acquirer_control import AcquirerControl
from offline_queue.reports import Reports
from terminal.money import Amount
from terminal.transaction import State, Transaction
from ui.events import (
    Finished,
    NetworkChanged,
    PendingChanged,
    ReaderChanged,
    SaleChanged,
    StaffChanged,
    TillEvent,
)
from ui.till import Till
from ui.wiring import Parts

PATIENCE_S = 60.0
E = TypeVar("E")
_AT_ANY_TIME = (NetworkChanged, PendingChanged, ReaderChanged, SaleChanged, StaffChanged)


@dataclass
class Watcher:
    """Reads what a till tells, in order; ``seen`` is all of it."""

    parts: Parts
    till: Till
    seen: list[TillEvent] = field(default_factory=list)

    @property
    def acquirer(self) -> AcquirerControl:
        assert isinstance(self.parts.acquirer, SimulatedAcquirer)
        return AcquirerControl(self.parts.acquirer.folder)

    def charge(self, text: str = "12.50") -> None:
        self.till.charge(Amount.parse(text, self.parts.settings.config.till.currency))

    def until(self, kind: type[E], which: Callable[[E], bool] = lambda _: True) -> E:
        """The next event of this kind that is as asked for; what comes before it is noted too."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                event = self.till.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind.__name__} after {self.seen}") from None
            self.seen.append(event)
            if isinstance(event, kind) and which(event):
                return event

    def rest(self) -> list[TillEvent]:
        """What has been told since, without waiting; after ``stop`` nothing else can come."""
        told = []
        while not self.till.events.empty():
            told.append(self.till.events.get())
        self.seen += told
        return told

    def finished(self) -> Transaction:
        return self.until(Finished).transaction

    def online(self, *, online: bool = True) -> None:
        """Waits until the forwarder has seen the line come or go."""
        self.until(NetworkChanged, lambda event: event.online is online)

    def story(self) -> list[str]:
        """The events of payments by name; without what may come at any time between them."""
        return [type(e).__name__ for e in self.seen if not isinstance(e, _AT_ANY_TIME)]

    def states(self) -> list[State]:
        """The states of all sales in the ledger, oldest first; the ledger is proven whole."""
        self.parts.journal.store.verify()
        sales = Reports(self.parts.journal.store).transactions(limit=1000)
        return [sale.state for sale in reversed(sales)]
