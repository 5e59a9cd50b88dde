"""A hand that holds cards to a stage and takes them away again, as a customer's would.

Rules of this file: a card is held until the reader has been silent for a moment after speaking to
it, so no reader has to be asked. Everything may be called from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hardware_sim.handles import CardHandle
from hardware_sim.meaning import NotedChip
from hardware_sim.stage import Held, Stage

SILENT_S = 1.2
"""A reader that is through with a card says nothing more for that long."""

_LOOK_S = 0.05


class Hand:
    """Holds one card at a time to a stage.

    Args:
        stage: the reader and the world before it.
        note: takes a line for a person, at each command.
        seed: gives cards their first counters; each keeps them as long as the hand exists.
    """

    def __init__(self, stage: Stage, note: Callable[[str], None], *, seed: int = 0) -> None:
        self._stage = stage
        self._note = note
        self._seed = seed
        self._cards: dict[str, CardHandle] = {}
        self._lock = threading.Lock()
        self._holds = 0
        self._spoken_at: float | None = None

    def tap(self, *names: str, fault: str = "", stays: bool = False) -> None:
        """Holds a card to the reader, or several at once, in place of what was there.

        Raises:
            ConfigError: there is no such card or fault, or the door cannot stage it.
        """
        cards = [self._cards.get(name) or CardHandle(name, seed=self._seed) for name in names]
        for card in cards:
            card.set_fault(fault)
        held = [card.chip_for(self._stage) for card in cards]
        with self._lock:
            self._cards |= dict(zip(names, cards, strict=True))
            self._holds += 1
            self._spoken_at = None
            number = self._holds
        self._stage.put(
            [
                Held(each.profile, NotedChip(each.chip, self._note, lambda _: self._heard()))
                for each in held
            ]
        )
        titles = " and ".join(card.profile.card.title for card in cards)
        self._note(f"{titles} {'is' if len(cards) == 1 else 'are'} on the reader")
        if not stays:
            threading.Thread(target=self._let_go, args=(number,), daemon=True).start()

    def take(self) -> None:
        """Takes the card away."""
        with self._lock:
            self._holds += 1
        self._stage.take()
        self._note("nothing is on the reader")

    def _heard(self) -> None:
        self._spoken_at = time.monotonic()

    def _let_go(self, number: int) -> None:
        """Takes the card away once the reader is through with it, unless a hand was quicker."""
        while True:
            time.sleep(_LOOK_S)
            spoken_at = self._spoken_at
            with self._lock:
                if self._holds != number:
                    return
                if spoken_at is None or time.monotonic() < spoken_at + SILENT_S:
                    continue
                self._holds += 1
            self._stage.take()
            self._note("the card is taken away")
            return
