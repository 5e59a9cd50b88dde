"""One scenario while it is played: the till, what it has shown, and the world before it.

Rules of this file: whatever is done, shown and said to the card goes into the transcript, in plain
language, so that a failure can be read without being run again. What steps do is in ``steps``,
what must be so in ``expectations``.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardware_sim.card import EmvCard
from hardware_sim.far_till import FarTill, opener
from hardware_sim.scenario import Scenario
from hardware_sim.stage import Stage
from hardware_sim.virtual_clock import ScriptClock
from hardware_sim.workshop import Workshop
from terminal.scripted import ScriptedTill, Shown, TillOrder

PATIENCE_S = 20.0
"""How long a step waits for what must become so. A machine under load needs it; a fault too."""

SETTLED_S = 4.0
"""How long another end of the payment has to stand before it is taken for the last word."""

FORWARD_AGAIN_S = 2.5
"""How long the result of a ``forward`` is waited for before it is asked for again."""

READING = frozenset({"ready", "welcome", "present card", "processing"})
"""Screens at which a customer goes on holding the card."""

_NEEDS_A_PROCESS = frozenset({"kill", "disk", "brownout"})


class Unmet(Exception):
    """What had to be so is not: what was expected, and what was found."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}; found {found}")
        self.expected = expected
        self.found = found


@dataclass
class Scene:
    """A scenario while it is played: the till, what it has shown, and the world before it."""

    workshop: Workshop
    scenario: Scenario
    stage: Stage
    seed: int
    order: TillOrder
    clock: ScriptClock
    terminal_id: str
    till: ScriptedTill | None = None
    shown: list[Shown] = field(default_factory=list)
    cursor: int = 0
    held: bool = False
    stays: bool = False
    chips: dict[tuple[str, int], EmvCard] = field(default_factory=dict)
    cards_used: set[str] = field(default_factory=set)
    apdus: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)
    accounted: bool = True
    forwarding_since: float | None = None
    dialogue: Any = field(default_factory=hashlib.sha256, repr=False)

    @property
    def receipts(self) -> Path:
        """Where the printer puts them: beside the till's own folder, whose disk may be full."""
        return self.order.data_dir.with_suffix(".receipts")

    @property
    def running(self) -> ScriptedTill:
        """The till; a script that has killed it starts it before it asks for something."""
        if self.till is None:
            raise Unmet("a till that runs", "it was killed: add the step start")
        return self.till

    @property
    def now(self) -> Shown:
        """The screen as it is."""
        return self.shown[-1] if self.shown else Shown("ready", "", ())

    def note(self, line: str) -> None:
        """Adds a line to the transcript."""
        self.transcript.append(line)

    def open_till(self) -> None:
        """Starts the till, in a process of its own where the script is going to kill it."""
        verbs = {step.verb for step in self.scenario.steps}
        if verbs & _NEEDS_A_PROCESS:
            self.till = FarTill(self.order, on_small_disk="disk" in verbs)
        else:
            self.till = opener()(self.order)

    def advance(self, timeout_s: float) -> bool:
        """Takes in one change of the screen; the customer does what it says. False: no change."""
        shown = self.running.look(timeout_s)
        if shown is None:
            return False
        self.shown.append(shown)
        self.note(f"      screen: {' | '.join(shown.words[:6])}  [{shown.state}]")
        if self.held and not self.stays and shown.state not in READING:
            self.take()
        return True

    def take(self) -> None:
        """The customer takes the card away."""
        if self.held:
            self.held = False
            self.note("      the card is taken away")
            self.stage.take()

    def await_that(self, holds: Callable[[], str], expected: str) -> None:
        """Waits until ``holds`` has nothing to object.

        Raises:
            Unmet: it still has when patience ends.
        """
        deadline = time.monotonic() + PATIENCE_S
        while objection := holds():
            if time.monotonic() > deadline:
                raise Unmet(expected, objection)
            self.advance(0.02)
            self.forward_again()

    def forward_again(self) -> None:
        """Sends once more what a first try did not bring through, as a person would ask again.

        The time of day stands still, so no back-off would ever end by itself.
        """
        now = time.monotonic()
        if self.forwarding_since is not None and now > self.forwarding_since + FORWARD_AGAIN_S:
            self.forwarding_since = now
            self.running.act("forward")
