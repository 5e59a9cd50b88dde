"""A thread for small chores of the face: storing a choice, lighting a lamp, speaking a sentence.

Rules of this file: chores run one after the other, in order; none may take part in a sale, and
one that fails is dropped, for a till sells without lamps and without a voice.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

Chore = Callable[[], None]


class Backstage:
    """Runs chores on a thread of its own. ``do`` returns at once."""

    def __init__(self) -> None:
        self._chores: queue.SimpleQueue[Chore | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="backstage", daemon=True)
        self._thread.start()

    def do(self, chore: Chore) -> None:
        """Adds a chore at the end of the line."""
        self._chores.put(chore)

    def close(self, timeout_s: float = 5.0) -> None:
        """Does what is in the line, and ends."""
        self._chores.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (chore := self._chores.get()) is not None:
            with suppress(OSError):
                chore()
