"""How long taps took: the 500 ms rule, for the merchant's report and for a tester.

Rules of this file: values in, values out. The time of a tap is the card's and the till's together,
without the acquirer: the time for which a customer has to hold still.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from terminal.transaction import Transaction

BUDGET_MS = 500
"""The longest that a tap should take, as public transport asks for."""

_COMMAND = re.compile(r"(INS [0-9A-F]{2}|[A-Z][A-Z ]*[A-Z]) ([0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class TapTime:
    """One tap: whole milliseconds of card and till, and of each command in its order."""

    sequence: int
    card: str
    device: str
    card_ms: int
    terminal_ms: int
    commands: tuple[tuple[str, int], ...]

    @property
    def total_ms(self) -> int:
        """What the customer had to wait for."""
        return self.card_ms + self.terminal_ms

    @property
    def in_time(self) -> bool:
        """Whether the rule of 500 ms was kept."""
        return self.total_ms <= BUDGET_MS

    @property
    def slowest(self) -> str:
        """The command that took longest, ``GET PROCESSING OPTIONS 293 ms``; empty for none."""
        name, took = max(self.commands, key=lambda each: each[1], default=("", 0))
        return f"{name} {took} ms" if name else ""


@dataclass(frozen=True, slots=True)
class TapTimes:
    """Many taps: the middle, the slow end, and how many kept the rule. Times in milliseconds."""

    count: int
    median_ms: int
    p95_ms: int
    worst_ms: int
    in_time: int
    terminal_p95_ms: int


def tap_times(sales: Iterable[Transaction]) -> list[TapTime]:
    """The taps of those sales that met a card and whose time was kept, in the sales' order."""
    found = []
    for sale in sales:
        card = sale.card
        if card is None or not card.command_times:
            continue
        commands = tuple((name, int(ms)) for name, ms in _COMMAND.findall(card.command_times))
        # A started millisecond counts: a rule is not kept by rounding.
        terminal_ms = -(-card.terminal_us // 1000)
        label = f"{card.scheme} {card.masked_pan}"
        found.append(
            TapTime(sale.sequence, label, card.device, card.card_ms, terminal_ms, commands)
        )
    return found


def summary(taps: Sequence[TapTime]) -> TapTimes | None:
    """The figures of many taps; None for none."""
    if not taps:
        return None
    totals = sorted(each.total_ms for each in taps)
    own = sorted(each.terminal_ms for each in taps)
    return TapTimes(
        count=len(taps),
        median_ms=_percentile(totals, 50),
        p95_ms=_percentile(totals, 95),
        worst_ms=totals[-1],
        in_time=sum(each.in_time for each in taps),
        terminal_p95_ms=_percentile(own, 95),
    )


def _percentile(ordered: Sequence[int], percent: int) -> int:
    """The nearest rank: a time that some tap really had."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
