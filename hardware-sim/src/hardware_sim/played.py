"""How one scenario of the book went."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Played:
    """How a scenario went. ``failure`` is empty when all was as it must be.

    ``dialogue`` is a digest of every byte that passed between card and till, the same for the same
    seed on every door. ``skipped`` says why it could not be played at all, as where a door's
    daemon is not installed.
    """

    name: str
    group: str
    where: str
    door: str
    seed: int
    seconds: float = 0.0
    transcript: tuple[str, ...] = ()
    failure: str = ""
    failed_at: str = ""
    skipped: str = ""
    dialogue: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was played and all was as it must be."""
        return not self.failure and not self.skipped
