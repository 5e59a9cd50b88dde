"""Asks benches for news on a thread of its own, so that the screen never waits for one.

Rules of this file: no Kivy. What crosses to the screen is a frozen snapshot; what crosses to
the benches is a command in a queue.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from terminal.bench import Bench, BenchCard, BenchSwitch
from terminal.errors import TerminalError

POLL_S = 0.15


@dataclass(frozen=True, slots=True)
class Look:
    """How one bench looks at a moment."""

    cards: tuple[BenchCard, ...] = ()
    switches: tuple[BenchSwitch, ...] = ()
    log: tuple[str, ...] = ()


class BenchFeed:
    """Carries commands to the benches and snapshots back.

    Args:
        benches: as many as there are simulated devices.
        changed: called, on the feed's thread, after a new snapshot is in ``looks``.
    """

    def __init__(self, benches: Sequence[Bench], changed: Callable[[], object]) -> None:
        self.looks: tuple[Look, ...] = tuple(Look() for _ in benches)
        self._failed_command = ""
        self._failed_look = ""
        self._cards: tuple[tuple[BenchCard, ...], ...] = ()
        self._benches = tuple(benches)
        self._changed = changed
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bench feed", daemon=True)

    def start(self) -> None:
        """Takes a first look in the background, and goes on looking."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends the thread. Harmless when it never started."""
        self._commands.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def tap(self, bench: int, card_id: str) -> None:
        """Holds a card of that bench to its reader."""
        self._commands.put(lambda: self._benches[bench].tap(card_id))

    def remove(self, bench: int) -> None:
        """Takes the card of that bench away."""
        self._commands.put(self._benches[bench].remove)

    def turn(self, bench: int, switch: BenchSwitch) -> None:
        """Turns a switch the other way."""
        self._commands.put(lambda: self._benches[bench].set_switch(switch.id, not switch.on))

    def step(self, bench: int, switch: BenchSwitch) -> None:
        """Moves a switch's value on to the next."""
        self._commands.put(lambda: self._benches[bench].step(switch.id))

    @property
    def trouble(self) -> str:
        """What went wrong with the last command or the last look; empty when nothing did."""
        return " ".join(text for text in (self._failed_command, self._failed_look) if text)

    def _run(self) -> None:
        while True:
            failed = _failure_of(self._look)
            if failed != self._failed_look:
                self._failed_look = failed
                self._changed()
            try:
                command = self._commands.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if command is None:
                return
            failed = _failure_of(command)
            if failed != self._failed_command:
                self._failed_command = failed
                self._changed()

    def _look(self) -> None:
        """A bench in trouble stays as it was; its cards are asked for once."""
        if not self._cards:
            self._cards = tuple(bench.cards() for bench in self._benches)
        looks = tuple(
            Look(held, bench.switches(), bench.log())
            for held, bench in zip(self._cards, self._benches, strict=True)
        )
        if looks != self.looks:
            self.looks = looks
            self._changed()


def _failure_of(action: Callable[[], None]) -> str:
    """Does it, and says in one line why it could not be done."""
    try:
        action()
    except TerminalError as failed:
        return str(failed)
    return ""
