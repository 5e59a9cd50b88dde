"""Figures: percentiles of what was measured, beside what they should be."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured line; ``met`` is None where there is no target."""

    name: str
    measured: str
    target: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return f"  {self.name:<44} {self.measured:<42} {self.target:<16} {verdict}".rstrip()


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that is not below ``percent`` of them (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def times(name: str, seconds: Sequence[float], *, p99_below_ms: float | None = None) -> Figure:
    """p50 and p99 of durations."""
    p50, p99 = (percentile(seconds, percent) * 1000 for percent in (50, 99))
    measured = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms (n={len(seconds)})"
    if p99_below_ms is None:
        return Figure(name, measured)
    return Figure(name, measured, f"p99 < {p99_below_ms:g} ms", p99 < p99_below_ms)


def ratio(
    name: str, ours_s: Sequence[float], peer_s: Sequence[float], *, at_least: float
) -> Figure:
    """Our rate as a part of the peer's, by the median; 1.0 is as fast."""
    ours, peer = (1 / statistics.median(seconds) for seconds in (ours_s, peer_s))
    measured = f"{ours / peer:.2f} ({ours:.0f}/s against {peer:.0f}/s)"
    return Figure(name, measured, f">= {at_least:g}", ours / peer >= at_least)
