"""What a face needs of a till, as protocols, so that a test can stand in for the threads."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Protocol

from terminal.money import Amount
from terminal.terms import A_SALE, Terms
from ui.events import TillEvent
from ui.presenter.cues import Cue
from ui.presenter.preferences import Preferences
from ui.questions import Question


class TillPort(Protocol):
    """A running till; ``ui.till.Till`` is one. Every method returns at once.

    ``wake`` is called after each event, from whichever thread made it.
    """

    events: queue.SimpleQueue[TillEvent]
    wake: Callable[[], None]

    def charge(self, amount: Amount, cashier: str = "", terms: Terms = A_SALE) -> None:
        """Asks for one payment."""

    def cancel(self) -> None:
        """Asks to stop waiting for a card."""

    def forward_now(self) -> None:
        """Asks to send what waits without delay."""

    def ask(self, question: Question, by: str = "") -> None:
        """Asks the books; the answer is an event."""


class SignalPort(Protocol):
    """Something that is heard or lit beside the screen. Must not block."""

    def load(self) -> None:
        """Gets ready, before the first sale."""

    def cue(self, cue: Cue) -> None:
        """Sounds a cue."""

    def lights(self, lit: int) -> None:
        """Lights this many of the four lights."""

    def say(self, text: str, language: str) -> None:
        """Speaks a sentence, where there is a voice."""

    def close(self) -> None:
        """Lets go of the device."""


class Keeping(Protocol):
    """Where preferences survive a restart."""

    def keep(self, preferences: Preferences) -> None:
        """Stores them, without making the caller wait."""
