"""How a world went."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a world went. ``charged_minor`` is what both ledgers agree on."""

    seed: int
    days: int
    sales: int
    charged_minor: int
    power_cuts: int
    ends: dict[str, int] = field(default_factory=dict)
