"""Many worlds, on all cores: what they add up to, and what the broken ones look like.

Rules of this file: a world that fails is made short in the process that found it, and comes back
as text. Nothing here decides what a failure is; see ``oracle``.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from hardware_sim.world.outcome import Outcome
from hardware_sim.world.plan import Plan, plan_of
from hardware_sim.world.shop import live
from hardware_sim.world.shrink import shrunk


@dataclass(frozen=True, slots=True)
class Failure:
    """A world in which something was not true.

    ``finding`` is what, of the whole plan; ``steps`` are the steps that are enough for a failure,
    ``short_finding`` what is found with those.
    """

    seed: int
    finding: str
    steps: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    short_finding: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """How big each world is, and which steps are kept of it (all, where none are named)."""

    days: int = 30
    sales: int = 20
    keep: tuple[int, ...] = ()
    shrink_tries: int = 300


def planned(seed: int, scale: Scale) -> Plan:
    """The plan of a seed, or what is kept of it."""
    plan = plan_of(seed, days=scale.days, sales=scale.sales)
    if not scale.keep:
        return plan
    wanted = set(scale.keep)
    return replace(plan, steps=tuple(step for step in plan.steps if step.number in wanted))


def _tried(plan: Plan) -> Outcome | str:
    try:
        return live(plan)
    except Exception as cause:  # noqa: BLE001 - whatever ends a world is what is looked for
        where = traceback.extract_tb(cause.__traceback__)[-1]
        return f"{type(cause).__name__}: {cause} ({where.name}, line {where.lineno})"


def one(seed: int, scale: Scale) -> Outcome | Failure:
    """One world; a failure is made short."""
    plan = planned(seed, scale)
    result = _tried(plan)
    if isinstance(result, Outcome):
        return result
    if not scale.shrink_tries:
        return Failure(seed, result)
    short = shrunk(plan, lambda p: isinstance(_tried(p), str), tries=scale.shrink_tries)
    again = _tried(short)
    return Failure(
        seed=seed,
        finding=result,
        steps=tuple(f"{s.number} at {s.at_s:.0f} s: {s.deed.value}" for s in short.steps),
        numbers=tuple(step.number for step in short.steps),
        short_finding=again if isinstance(again, str) else "",
    )


def many(seeds: Sequence[int], scale: Scale, *, jobs: int) -> Iterator[Outcome | Failure]:
    """Each seed's world, as they come."""
    if jobs == 1:
        for seed in seeds:
            yield one(seed, scale)
        return
    # A fresh interpreter for each worker: SQLite must not be carried over a fork.
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(partial(one, scale=scale), seeds, chunksize=1)


@dataclass(slots=True)
class Counter:
    """What the worlds add up to so far."""

    seeds: int = 0
    days: int = 0
    sales: int = 0
    charged_minor: int = 0
    power_cuts: int = 0
    failures: int = 0

    def add(self, result: Outcome | Failure) -> None:
        """Counts one world. A broken one counts for nothing but itself."""
        self.seeds += 1
        if isinstance(result, Failure):
            self.failures += 1
            return
        self.days += result.days
        self.sales += result.sales
        self.charged_minor += result.charged_minor
        self.power_cuts += result.power_cuts

    def line(self) -> str:
        """One line for a person."""
        charged = f"{self.charged_minor // 100:,}.{self.charged_minor % 100:02d}"
        verdict = "0 cents off" if not self.failures else f"{self.failures} WORLDS FAILED"
        return (
            f"{self.seeds:,} worlds, {self.days:,} simulated days ({self.days / 365:,.1f} years),"
            f" {self.sales:,} sales, {charged} charged, {self.power_cuts:,} power cuts: {verdict}"
        )


def counted(results: Iterable[Outcome | Failure]) -> tuple[Counter, list[Failure]]:
    """Adds up all worlds."""
    counter, failures = Counter(), []
    for result in results:
        counter.add(result)
        if isinstance(result, Failure):
            failures.append(result)
    return counter, failures
