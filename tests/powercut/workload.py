"""A shop at work under the shim: ``python -m tests.powercut.workload FOLDER SEED DAYS SALES``.

The till's files are in ``FOLDER/till``, which is what the shim watches. What reaches people and the
acquirer is marked in the shim's recording as it happens, and the acquirer's books are copied after
each message, so that a power cut at any point can be judged against the world at that point.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import apsw

from hardware_sim.world.clock import VirtualClock
from hardware_sim.world.network import Weather, WorldAcquirer
from hardware_sim.world.oracle import asked_minor
from hardware_sim.world.plan import Deed, Plan, plan_of
from hardware_sim.world.power import Power
from hardware_sim.world.shop import World
from terminal.transaction import Transaction

ENDLESS = frozenset({Deed.POWER_CUT, Deed.CLOCK, Deed.HAND_OVER})
"""What this shop leaves out: the harness cuts the power, at points of its own.

What another till has is on another disk, which the shim does not watch.
"""


class SteadyPower(Power):
    """Electricity that never goes."""

    def plan_cut(self, after_writes: int) -> None:
        """See ``Power``."""

    def cut(self) -> None:
        """See ``Power``."""


class RecordedAcquirer(WorldAcquirer):
    """Its books are kept as they were after each message."""

    def __init__(self, folder: Path, clock: VirtualClock, power: Power, messages: int = 0) -> None:
        super().__init__(folder, clock, power)
        self._folder = folder
        self.messages = messages
        self._keep()

    def _keep(self) -> None:
        books = apsw.Connection(str(self._folder / "acquirer.db"))
        try:
            (self._folder / f"books-{self.messages}").write_bytes(books.serialize("main"))
        finally:
            books.close()
        mark(f"host {self.messages} {self.clock.passed_s}")

    def received(self, wire: bytes) -> list[tuple[float, bytes]]:
        """See ``WorldAcquirer``."""
        answers = super().received(wire)
        self.messages += 1
        self._keep()
        return answers


class Marked(set[str]):
    """What somebody wants undone, or taken, and the like, is marked as it is remembered."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def add(self, name: str, /) -> None:
        """See ``set``."""
        super().add(name)
        mark(f"{self._kind} {name}")


class RecordedWorld(World):
    """What is shown is marked before anything else happens."""

    def _show(self, sale: Transaction) -> None:
        super()._show(sale)
        state, approved = sale.state.name, sale.approved_minor
        mark(f"shown {sale.txn_id} {state} {approved} {asked_minor(sale)}")


def fill(folder: Path, seed: int) -> tuple[World, int]:
    """A shop that closes with a full queue; the world as it was left, and its messages so far."""
    till = folder / "till"
    till.mkdir(parents=True)
    # Sales alone: that is what a Taptill of any age could do.
    plan = plan_of(seed, days=1, sales=10)
    sales = tuple(step for step in plan.steps if step.deed is Deed.SALE)
    world = RecordedWorld(Plan(seed, 1, sales), till, SteadyPower(till), acquirer=RecordedAcquirer)
    acquirer = world.acquirer
    assert isinstance(acquirer, RecordedAcquirer)
    after = len(sales) // 2
    world.plan = Plan(seed, 1, sales[:after])
    world.work()
    acquirer.weather = Weather(down=True)
    world.plan = Plan(seed, 1, sales[after:])
    world.work()
    world.stop()
    return world, acquirer.messages


def mark(text: str) -> None:
    """Writes a line into the recording."""
    os.access(f"mark:{text}", os.F_OK)


def quiet_plan(seed: int, days: int, sales: int) -> Plan:
    """A seed's plan without what the harness does itself."""
    plan = plan_of(seed, days=days, sales=sales)
    steps = tuple(step for step in plan.steps if step.deed not in ENDLESS)
    return Plan(plan.seed, plan.days, steps)


def update(folder: Path, messages: int, passed_s: float) -> None:
    """Starts on a ledger that is there, and forwards what waits in it."""
    till = folder / "till"

    def acquirer(beside: Path, clock: VirtualClock, power: Power) -> RecordedAcquirer:
        return RecordedAcquirer(beside, clock, power, messages)

    clock = VirtualClock(passed_s)
    RecordedWorld(Plan(2**30, 0, ()), till, SteadyPower(till), clock=clock, acquirer=acquirer).run()


def main(folder: Path, seed: int, days: int, sales: int) -> None:
    """Lives one world."""
    till = folder / "till"
    plan = quiet_plan(seed, days, sales)
    world = RecordedWorld(plan, till, SteadyPower(till), acquirer=RecordedAcquirer)
    world.cashier.voids, world.cashier.takes = Marked("void"), Marked("take")
    waiter = world.restaurant.waiter
    waiter.bills, waiter.seen = Marked("bill"), Marked("seen")
    world.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
