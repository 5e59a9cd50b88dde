"""A till that a script drives, as whoever writes scripts knows it.

Rules of this file: the product offers such a till by entry point (``TILLS``), and the simulator
plays its scenarios on whatever it finds there, so that neither imports the other. Only plain
values cross: what a person would read on the screen, and what the books say. No card data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from terminal.ports import Clock, Entropy

TILLS = "taptill.tills"
"""The entry-point group in which a till offers itself: an ``OpenTill``."""


@dataclass(frozen=True, slots=True)
class TillOrder:
    """The till that a script wants.

    Attributes:
        data_dir: its own folder: ledger, keys, configuration.
        config: a configuration file's content, TOML; the addresses below come on top.
        reader: the reader's address.
        acquirer: the acquirer's address.
        printer: the printer's address.
        clock: its time.
        entropy: its chance.
        authorise_s: how long it waits for the acquirer's answer, in seconds.
        present_s: how long it waits for a card, in seconds.
    """

    data_dir: Path
    config: str
    reader: str
    acquirer: str
    printer: str
    clock: Clock
    entropy: Entropy
    authorise_s: float = 15.0
    present_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What the till's face says at one moment.

    ``state`` names it for a script: the prompt (``present card``, ``see phone``), the end of a
    payment (``approved``, ``stored``), ``ready`` for the next amount or ``out of service``.
    ``words`` is every line of text on the screen, in the till's language. ``reason`` is what the
    till itself knows about a refusal, in English and more exactly than anybody at the counter is
    told; empty where nothing was refused.
    """

    state: str
    money_taken: str
    words: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BookedSale:
    """One transaction in the till's ledger; amounts in minor units of ``currency``.

    ``kind`` is ``sale`` or another kind by name; ``card`` is empty where no card was read.
    """

    kind: str
    state: str
    amount_minor: int
    approved_minor: int
    currency: str
    response_code: str
    reason: str
    rrn: str
    scheme: str = ""
    device: str = ""
    cvm: str = ""
    last4: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for the acquirer: how many transactions, and their sum in the till's currency."""

    count: int
    total_minor: int
    currency: str


class ScriptedTill(Protocol):
    """A running till. Not to be used by two threads at once."""

    def verbs(self) -> tuple[str, ...]:
        """What ``act`` understands."""

    def act(self, verb: str, argument: str = "") -> None:
        """Does what a cashier would do: ``charge 12.50``, ``cancel``, ``forward``.

        Raises:
            ConfigError: the till has no such verb.
            TerminalError: it refuses the argument.
        """

    def look(self, timeout_s: float) -> Shown | None:
        """The screen after its next change, or None when nothing changes in time."""

    def sales(self) -> tuple[BookedSale, ...]:
        """Every transaction of the ledger, oldest first.

        Raises:
            StoreError: the ledger is not whole.
        """

    def waiting(self) -> Waiting:
        """What waits for the acquirer."""

    def close(self) -> None:
        """Ends the till as its own switch would. Harmless when called twice."""


OpenTill = Callable[[TillOrder], ScriptedTill]
