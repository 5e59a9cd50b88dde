"""How one card was read, as the page about the reader shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tap:
    """How one card was read: what it took, what the till added, how often it was held anew."""

    card_s: float
    terminal_s: float
    again: int
