"""What a face needs of a till, as a protocol, so that a test can stand in for the threads."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Protocol

from terminal.money import Amount
from ui.events import TillEvent


class TillPort(Protocol):
    """A running till; ``ui.till.Till`` is one. Every method returns at once.

    ``wake`` is called after each event, from whichever thread made it.
    """

    events: queue.SimpleQueue[TillEvent]
    wake: Callable[[], None]

    def charge(self, amount: Amount) -> None:
        """Asks for one payment."""

    def cancel(self) -> None:
        """Asks to stop waiting for a card."""

    def forward_now(self) -> None:
        """Asks to send what waits without delay."""
