"""The line to the acquirer as a measured state: online, degraded or offline.

Rules of this file: pure. A line falls at once, since a cashier waits, and rises only after
several good answers in a row, so that a network that flaps does not flap the till. What counts
is an answer of the host; a connection alone proves nothing.

::

    (not measured) --answered--> ONLINE           any --failed--> OFFLINE
    ONLINE   --slow or in trouble, DEGRADE times in a row--> DEGRADED
    DEGRADED --quick and well, RECOVER times in a row------> ONLINE
    OFFLINE  --answered, RISE times in a row---------------> ONLINE
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Line(Enum):
    """How the acquirer can be reached."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Answered:
    """The host answered after ``took_s``; ``trouble`` is what it said of itself (91, 96)."""

    took_s: float
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The host could not be reached, or did not answer an echo in time."""

    reason: str


Signal = Answered | Failed


@dataclass(frozen=True, slots=True)
class LineRules:
    """When the line changes: ``slow_s`` is what an answer may take, the rest counts in a row."""

    slow_s: float = 2.0
    degrade: int = 3
    recover: int = 3
    rise: int = 2

    def __post_init__(self) -> None:
        if min(self.degrade, self.recover, self.rise) < 1 or self.slow_s <= 0:
            raise AssertionError("the rules of a line cannot be right")


@dataclass(frozen=True, slots=True)
class Connectivity:
    """The line as the signals so far have left it; ``line`` is None before the first.

    ``well`` and ``unwell`` count answers in a row: quick and without trouble, or not.
    """

    line: Line | None = None
    reason: str = ""
    well: int = 0
    unwell: int = 0

    @property
    def usable(self) -> bool:
        """Whether it is worth a customer's time to ask the host."""
        return self.line is not Line.OFFLINE

    def after(self, signal: Signal, rules: LineRules) -> Connectivity:
        """The line once ``signal`` was seen."""
        match signal:
            case Failed(reason=reason):
                return Connectivity(Line.OFFLINE, reason)
            case Answered(took_s=took_s, trouble=trouble):
                slow = (
                    f"The acquirer takes {took_s:.1f} s to answer." if took_s > rules.slow_s else ""
                )
                return self._answered(trouble or slow, rules)

    def _answered(self, complaint: str, rules: LineRules) -> Connectivity:
        """``complaint`` is empty for a host that is quick and well."""
        seen = replace(
            self,
            well=0 if complaint else self.well + 1,
            unwell=self.unwell + 1 if complaint else 0,
        )
        match self.line:
            case None:
                return replace(seen, line=Line.ONLINE)
            case Line.OFFLINE if seen.well + seen.unwell >= rules.rise:
                line = Line.DEGRADED if complaint else Line.ONLINE
                return Connectivity(line, complaint)
            case Line.ONLINE if seen.unwell >= rules.degrade:
                return Connectivity(Line.DEGRADED, complaint)
            case Line.DEGRADED if seen.well >= rules.recover:
                return Connectivity(Line.ONLINE)
            case _:
                return seen
