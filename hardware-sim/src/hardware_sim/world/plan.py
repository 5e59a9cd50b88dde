"""What happens in a world, as a list that a seed makes and that can be made shorter.

Rules of this file: a step holds no details. Each draws its own from the seed and its number, so
that taking other steps away changes nothing about those that stay.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

DAY_S = 86_400.0
_OPEN_S = 10 * 3600.0


class Deed(Enum):
    """One kind of step."""

    SALE = "somebody wants to pay"
    REFUND = "somebody brings something back"
    VOID = "a sale is to be undone"
    HOLD = "an amount is held on a card for later"
    TAKE = "what is held is taken"
    CASH = "somebody pays in cash, or gets cash back"
    WEATHER = "the network changes"
    MOOD = "the host begins or ceases to misbehave"
    HOST_RESTART = "the host restarts, perhaps without its answers"
    POWER_CUT = "the power will go soon"
    CLOCK = "the till's clock is set"
    RESTART = "the till is ended and started"
    ROTATE = "the ledger's rows get new keys"
    NEW_NAMES = "cards are told apart by a new key"
    FORWARD = "the cashier has everything sent now"
    CLOSE = "the day is closed"
    BILL = "a table has eaten, and several will pay"
    PART = "somebody pays a part of a bill"
    DROP = "what is left of a bill is not going to be paid"
    TRANSFER = "somebody pays by bank transfer"
    LOOK = "an awaited transfer is looked for"
    DRAWER = "the drawer gets its float, is counted, or cash is put in or taken out"
    CARRY = "the day is closed, and what waits goes into the next one"
    HAND_OVER = "what waits is handed over to another till"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens ``at_s`` seconds after the beginning of the world."""

    number: int
    at_s: float
    deed: Deed


@dataclass(frozen=True, slots=True)
class Plan:
    """A world that has not happened yet."""

    seed: int
    days: int
    steps: tuple[Step, ...]

    def chance(self, step: Step) -> random.Random:
        """The details of one step."""
        # It has to be repeatable; nothing is kept secret with it.
        return random.Random(f"{self.seed}/{step.number}")  # noqa: S311


_TROUBLES = (
    *(Deed.WEATHER, Deed.WEATHER, Deed.MOOD, Deed.MOOD, Deed.MOOD, Deed.HOST_RESTART),
    *(
        Deed.POWER_CUT,
        Deed.POWER_CUT,
        Deed.POWER_CUT,
        Deed.CLOCK,
        Deed.RESTART,
        Deed.FORWARD,
        Deed.ROTATE,
    ),
    *(Deed.REFUND, Deed.REFUND, Deed.REFUND, Deed.VOID, Deed.VOID),
)
_HOTEL = (
    *(Deed.HOLD, Deed.HOLD, Deed.HOLD, Deed.TAKE, Deed.TAKE, Deed.TAKE),
    *(Deed.CASH, Deed.CASH, Deed.NEW_NAMES),
)
_RESTAURANT = (
    *(Deed.BILL, Deed.BILL, Deed.PART, Deed.PART, Deed.PART, Deed.PART, Deed.PART, Deed.DROP),
    *(Deed.TRANSFER, Deed.LOOK, Deed.LOOK, Deed.LOOK, Deed.DRAWER, Deed.DRAWER),
    *(Deed.CARRY, Deed.HAND_OVER, Deed.CASH, Deed.POWER_CUT),
)
_SECOND, _THIRD = 100_000, 200_000
"""From here on the steps of every second day's guests, and of tables, are numbered."""


def plan_of(seed: int, *, days: int, sales: int) -> Plan:
    """The plan of a seed: so many days with about so many sales each.

    Two in three days are troubled; on those, one step in three is a trouble. On every second day
    there are guests, who leave a hold on their card, and people who pay in cash; on every third
    there are tables, whose bills are paid in parts.
    """
    chance = random.Random(f"plan {seed}")  # noqa: S311 - repeatable, and no secret
    # Of their own, so that a seed's other steps are what they were before there were guests.
    guests = random.Random(f"guests {seed}")  # noqa: S311 - the same
    tables = random.Random(f"tables {seed}")  # noqa: S311 - the same
    drawn: list[tuple[float, Deed]] = []
    visits: list[tuple[float, Deed]] = []
    meals: list[tuple[float, Deed]] = []
    for day in range(days):
        opens = day * DAY_S
        many = max(1, round(chance.uniform(0.5, 1.5) * sales))
        drawn += [(opens + chance.uniform(0, _OPEN_S), Deed.SALE) for _ in range(many)]
        if chance.random() < 2 / 3:
            drawn += [
                (opens + chance.uniform(0, _OPEN_S), chance.choice(_TROUBLES))
                for _ in range(many // 2 + 1)
            ]
        drawn.append((opens + _OPEN_S + chance.uniform(0, 3600), Deed.CLOSE))
        if guests.random() < 1 / 2:
            visits += [
                (opens + guests.uniform(0, _OPEN_S), guests.choice(_HOTEL))
                for _ in range(many // 2 + 1)
            ]
        if tables.random() < 1 / 3:
            meals += [
                (opens + tables.uniform(0, _OPEN_S), tables.choice(_RESTAURANT))
                for _ in range(many + 3)
            ]
    steps = [*_numbered(drawn, 0), *_numbered(visits, _SECOND), *_numbered(meals, _THIRD)]
    return Plan(seed, days, tuple(sorted(steps, key=lambda step: step.at_s)))


def _numbered(drawn: list[tuple[float, Deed]], first: int) -> list[Step]:
    drawn.sort(key=lambda one: one[0])
    return [Step(number, at_s, deed) for number, (at_s, deed) in enumerate(drawn, first)]
