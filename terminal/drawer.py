"""The cash drawer: what should be in it, and what somebody counted.

Rules of this file: pure. A drawer begins with its float; what it should hold is the float, what
cash has come in and gone out by sales, refunds and voids since, and what was put in and taken out
for another reason. Cash sales move what was handed over less the change, so their rounding is in
the drawer too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from terminal.day_events import DayEvent, DrawerCounted, DrawerMoved, DrawerOpened
from terminal.errors import AmountError, SupervisorNeeded
from terminal.money import Amount, Currency


@dataclass(frozen=True, slots=True)
class DrawerStanding:
    """A drawer since its float was put in; sums in minor units.

    ``taken_minor`` is the net of cash sales and refunds. ``counted_minor`` is the last count,
    None before there is one, and ``difference_minor`` what it was off by when it was made:
    negative where money was missing.
    """

    currency: Currency
    opened_at: datetime
    opened_by: str
    float_minor: int
    taken_minor: int = 0
    put_in_minor: int = 0
    taken_out_minor: int = 0
    counted_minor: int | None = None
    difference_minor: int = 0
    counted_at: datetime | None = None
    counted_by: str = ""

    @property
    def expected_minor(self) -> int:
        """What should be in it now."""
        return self.float_minor + self.taken_minor + self.put_in_minor - self.taken_out_minor


@dataclass(frozen=True, slots=True)
class CashMove:
    """Cash that is put in (positive) or taken out (negative) and is no sale."""

    minor: int
    reason: str
    by: str = ""
    approved_by: str = ""


def drawer_of(events: Sequence[DayEvent], cash_minor: int, currency: Currency) -> DrawerStanding:
    """The drawer that these events add up to; they begin with its float.

    ``cash_minor`` is what all cash payments of the ledger have moved until now.

    Raises:
        AssertionError: they do not begin with a float.
    """
    first, *rest = events
    if not isinstance(first, DrawerOpened):
        raise AssertionError("a drawer begins with its float")
    standing = DrawerStanding(
        currency=currency,
        opened_at=first.at,
        opened_by=first.by,
        float_minor=first.float_minor,
        taken_minor=cash_minor - first.cash_before_minor,
    )
    for event in rest:
        match event:
            case DrawerMoved(minor=minor) if minor > 0:
                standing = replace(standing, put_in_minor=standing.put_in_minor + minor)
            case DrawerMoved(minor=minor):
                standing = replace(standing, taken_out_minor=standing.taken_out_minor - minor)
            case DrawerCounted():
                standing = replace(
                    standing,
                    counted_minor=event.counted_minor,
                    difference_minor=event.counted_minor - event.expected_minor,
                    counted_at=event.at,
                    counted_by=event.by,
                )
            case _:
                pass
    return standing


def judge_move(standing: DrawerStanding, move: CashMove, limit_minor: int) -> None:
    """Refuses cash that cannot be moved.

    Raises:
        AmountError: it is nothing, has no reason, or is more than the drawer should hold.
        SupervisorNeeded: more than ``limit_minor`` is taken out, and nobody has allowed it.
    """
    if move.minor == 0 or not move.reason.strip():
        raise AmountError("Cash that moves has an amount and a reason.")
    held = Amount(max(0, standing.expected_minor), standing.currency)
    out = Amount(max(0, -move.minor), standing.currency)
    if out.minor > held.minor:
        raise AmountError(
            f"The drawer should hold {held}, and {out} cannot be taken out.",
            remedy="Count it, and put in what is missing from its figures first.",
        )
    if out.minor > limit_minor and not move.approved_by:
        most = Amount(limit_minor, standing.currency)
        raise SupervisorNeeded((f"{out} is taken out, and more than {most} is unusual.",))
