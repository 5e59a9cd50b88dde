"""One world, from its plan to the verdict.

Rules of this file: one thread. The till's two threads take turns where a real machine's could:
while one waits for the acquirer, the other may go on. A power cut throws the till away as it
stands, and the next one is put together by the same code as a real one.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from hardware_sim.leaks import find_in_folder
from hardware_sim.world.cashier import Cashier
from hardware_sim.world.clock import SeededEntropy, VirtualClock
from hardware_sim.world.neighbour import Neighbour
from hardware_sim.world.network import WorldAcquirer, mood_of, weather_of
from hardware_sim.world.oracle import (
    Shown,
    Untrue,
    Wishes,
    asked_minor,
    check_clock,
    check_limits,
    check_once,
    check_settled,
    judge,
)
from hardware_sim.world.outcome import Outcome
from hardware_sim.world.people import Wallets
from hardware_sim.world.plan import DAY_S, Deed, Plan, Step
from hardware_sim.world.power import Power, PowerCut, supplied
from hardware_sim.world.process import CONFIG, TillProcess
from hardware_sim.world.restaurant import Restaurant
from offline_queue.epochs import rotate_fingerprints
from offline_queue.sync import News, SaleMoved
from terminal.config import parse_config
from terminal.errors import KeyStoreError, PrinterError, StoreError
from terminal.progress import Progress
from terminal.transaction import Transaction
from ui.wiring import Settings, assembled

_LOOK_EVERY_S = 60.0
_STARTS = 60
_BELIEVED_S = 120.0
_PATIENCE = 500
"""How many rounds a good host on a good network needs at the very most, to take everything."""


class World:
    """A shop, its town, its acquirer.

    Args:
        plan: what happens.
        folder: the till's own; an acquirer's books are beside it. Both may be there already.
        power: the till's electricity.
        clock: the world's time.
        acquirer: what makes the acquirer of this world.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        power: Power,
        *,
        clock: VirtualClock | None = None,
        acquirer: Callable[[Path, VirtualClock, Power], WorldAcquirer] = WorldAcquirer,
    ) -> None:
        self.plan = plan
        self._folder = folder
        self._power = power
        self.clock = clock or VirtualClock()
        self.acquirer = acquirer(folder.parent, self.clock, power)
        self._wallets = Wallets(plan.seed, self.clock)
        self.cashier = Cashier(self.clock, power, self._wallets, self._on_screen, self._show)
        next_door = Neighbour(folder.parent / "next-door", self.clock, self.acquirer, plan.seed)
        self.restaurant = Restaurant(self.cashier, next_door, self._show)
        self._settings = Settings(parse_config(CONFIG, "a world"), folder, folder)
        self._chance = random.Random(plan.seed)  # noqa: S311 - repeatable, and no secret
        self._boots = 0
        self._nested = False
        self._looked_at_s = -DAY_S
        self._stored: set[str] = set()
        self._latest: datetime | None = None
        self.shown: dict[str, Shown] = {}
        self._open = ExitStack()
        self._till = self._start()

    # -- the till's process ----------------------------------------------------------------------

    def _start(self) -> TillProcess:
        """A new till; where it names a reason not to start, somebody tries again."""
        reason = "the power goes each time"
        for _ in range(_STARTS):
            self._boots += 1
            self._open = ExitStack()
            try:
                parts = self._open.enter_context(
                    assembled(
                        self._settings,
                        clock=self.clock,
                        entropy=SeededEntropy(f"{self.plan.seed}/{self._boots}"),
                        acquirer=self.acquirer,
                    )
                )
                self._power.require()
                return TillProcess(parts, self._heard)
            except PowerCut:
                self._dark()
            except (StoreError, KeyStoreError, PrinterError) as refused:
                self._open.close()
                reason = refused.message
        raise Untrue(f"the till does not start: {reason}")

    def _dark(self) -> None:
        """The power is off: what the process held is gone, the disk is what the cut left."""
        self._nested = False
        self.acquirer.meanwhile = _nothing
        self._open.close()
        self._power.restore(self._chance)
        self.clock.advance(self._chance.uniform(1.0, 600.0))

    def _stop(self) -> None:
        self._till.line.close()
        self._open.close()

    # -- time ------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Lets everything happen, and judges it.

        Raises:
            Untrue: something that must be true is not.
        """
        self.work()
        self._come_to_rest()
        self._guarded(self._close_day)
        return self._verdict()

    def work(self) -> None:
        """Lets everything happen that is planned.

        Raises:
            Untrue: as ``run``.
        """
        for step in self.plan.steps:
            self._chance = self.acquirer.chance = self.plan.chance(step)
            self._guarded(partial(self._pass_time, step.at_s))
            self._guarded(partial(self._perform, step))
            self._check_limits()

    def stop(self) -> None:
        """Ends the till and the acquirer as they are, with whatever waits."""
        self._stop()
        self.acquirer.end()

    def _guarded(self, happens: Callable[[], object]) -> None:
        try:
            happens()
            self._power.require()
        except PowerCut:
            self._dark()
            self._till = self._start()
        except StoreError:
            # The ledger has failed and said so: the till closes, and is started again.
            self._stop()
            self._till = self._start()

    def _pass_time(self, at_s: float) -> None:
        """The forwarder works on while nobody is in the shop."""
        failures = 0
        while True:
            wait_s = self._till.outbox.seconds_to_next(self.clock.now())
            if wait_s is None:
                break
            wait_s = max(wait_s, 0.0 if not failures else min(300.0, 2.0**failures))
            if self.clock.passed_s + wait_s > at_s:
                break
            self.clock.advance(wait_s)
            failures = 0 if self._forward() else failures + 1
        self.clock.advance_to(at_s)
        if self.clock.passed_s - self._looked_at_s > _LOOK_EVERY_S:
            self._till.line.probe()
            self._looked_at_s = self.clock.passed_s

    def _forward(self) -> bool:
        """One round of the forwarder; whether the line held."""
        line = self._till.line
        self._looked_at_s = self.clock.passed_s
        if not self._till.reaches_host():
            return False
        with self._meanwhile(self._sell, likely=0.1):
            return line.run_once().online

    @contextmanager
    def _meanwhile(self, other: Callable[[], object], *, likely: float) -> Iterator[None]:
        """While one of the till's threads waits for the acquirer, the other may go on."""

        def maybe() -> None:
            if self._chance.random() < 0.01:
                self._power.cut()
                self._power.require()
            if not self._nested and self._chance.random() < likely:
                self._nested = True
                try:
                    other()
                finally:
                    self._nested = False

        before = self.acquirer.meanwhile
        if self._nested:
            yield
            return
        self.acquirer.meanwhile = maybe
        try:
            yield
        finally:
            self.acquirer.meanwhile = before

    # -- what happens ----------------------------------------------------------------------------

    def _perform(self, step: Step) -> None:
        deeds: dict[Deed, Callable[[], object]] = {
            Deed.SALE: self._sell,
            Deed.REFUND: self._refund,
            Deed.VOID: lambda: self.cashier.void(self._till, self._chance),
            Deed.WEATHER: self._change_weather,
            Deed.MOOD: lambda: self.acquirer.misbehave(mood_of(self._chance)),
            Deed.HOST_RESTART: lambda: self.acquirer.restart(forgets=self._chance.random() < 0.5),
            Deed.POWER_CUT: self._plan_cut,
            Deed.CLOCK: self._set_clock,
            Deed.RESTART: self._restart,
            Deed.FORWARD: self._forward_all,
            Deed.ROTATE: self._rotate,
            Deed.NEW_NAMES: self._rename,
            Deed.HOLD: self._hold,
            Deed.TAKE: lambda: self.cashier.take(self._till, self._chance),
            Deed.CASH: lambda: self.cashier.pay_cash(self._till, self._chance),
            Deed.CLOSE: self._close_day,
            Deed.CARRY: partial(self._close_day, carry=True),
        }
        tables = self.restaurant.deeds(self._till, self._chance)
        if step.deed not in tables:
            deeds[step.deed]()
            return
        with self._meanwhile(self._forward, likely=0.1):
            tables[step.deed]()

    def _refund(self) -> None:
        with self._meanwhile(self._forward, likely=0.1):
            self.cashier.refund(self._till, self._chance)

    def _change_weather(self) -> None:
        self.acquirer.weather = weather_of(self._chance)

    def _plan_cut(self) -> None:
        self._power.plan_cut(int(self._chance.expovariate(1 / 12)) + 1)

    def _set_clock(self) -> None:
        wrong_s = self._chance.choice([0.0, 0.0, 0.0, 200.0, -90.0, -300.0, DAY_S, -DAY_S])
        self.clock.wrong_by_s = wrong_s
        if abs(wrong_s) <= _BELIEVED_S:
            # From now on the host may say that the clock is right after all.
            self._latest = None

    def _restart(self) -> None:
        self._stop()
        self._till = self._start()

    def _rotate(self) -> None:
        self._till.parts.journal.store.rotate_keys(self.clock.now())

    def _rename(self) -> None:
        """Cards get names under a new key, which the till learns when it starts."""
        with suppress(KeyStoreError):
            # Refused where the last time was not long ago.
            rotate_fingerprints(self._till.parts.journal.store, self.clock.now(), by="Eva")
        self._restart()

    def _hold(self) -> None:
        with self._meanwhile(self._forward, likely=0.1):
            self.cashier.hold(self._till, self._chance)

    def _forward_all(self) -> None:
        self._till.outbox.make_due()
        self._forward()

    def _close_day(self, *, carry: bool = False) -> None:
        """The Z: what waits goes out, the batch is frozen, and the acquirer is asked for totals."""
        self._forward()
        self.cashier.close_day(self._till, carry=carry)
        self._till.parts.journal.housekeeping()

    def _sell(self) -> None:
        with self._meanwhile(self._forward, likely=0.1):
            self.cashier.sell(self._till, self._chance)
        if self._chance.random() < 0.5:
            self._till.parts.journal.housekeeping()

    def _on_screen(self, progress: Progress) -> None:
        del progress
        self._power.require()
        self._check_limits()
        # The intent is on the disk by now, and the till has seen this time.
        self._latest = max(self._latest or self.clock.now(), self.clock.now())

    def _show(self, sale: Transaction) -> None:
        """Somebody reads on a screen what has become of a sale, if the screen is still lit."""
        self._power.require()
        seen = self.shown.setdefault(sale.txn_id, Shown(asked_minor(sale)))
        seen.said.append((sale.state, sale.approved_minor))

    def _heard(self, news: News) -> None:
        self._power.require()
        if isinstance(news, SaleMoved):
            self._show(news.transaction)

    # -- the verdict -----------------------------------------------------------------------------

    def _check_limits(self) -> None:
        stored = self._till.at_risk()
        new = [sale for txn_id, sale in stored.items() if txn_id not in self._stored]
        self._stored = set(stored)
        check_limits(self._till.parts.rules.offline, stored.values(), new)
        if new:
            check_clock(self.clock.now(), self._latest)

    def _come_to_rest(self) -> None:
        """A good host, a good network and a right clock, until nothing waits to be sent."""
        self.clock.wrong_by_s = 0.0
        self.acquirer.behave()
        for _ in range(_PATIENCE):
            wait_s = self._till.outbox.seconds_to_next(self.clock.now())
            if wait_s is None and not self._till.handed_over():
                return
            self.clock.advance((wait_s or 0.0) + 1.0)
            self._guarded(self._settle_down)
        check_once(self.acquirer.captures())
        raise Untrue("the forwarder does not come to an end with a good host")

    def _settle_down(self) -> None:
        self._forward()
        self.restaurant.bring_back(self._till)

    def _verdict(self) -> Outcome:
        self._guarded(self._till.parts.journal.housekeeping)
        journal = self._till.parts.journal
        journal.store.verify()
        sales = self._till.sales()
        self.restaurant.check(self._till, sales, self.acquirer)
        captures = self.acquirer.captures()
        self._stop()
        self.acquirer.end()
        check_settled(self.cashier.settled)
        wishes = Wishes(self.cashier.voids, self.cashier.takes)
        charged_minor = judge(self.shown, sales, captures, wishes)
        leaks = find_in_folder(self._folder.parent, self._wallets.numbers())
        if leaks:
            raise Untrue(f"card data is on the disk: {leaks[0]}")
        ends = Counter(sale.state.value for sale in sales.values())
        return Outcome(
            seed=self.plan.seed,
            days=self.plan.days,
            sales=len(sales),
            charged_minor=charged_minor,
            power_cuts=self._power.cuts,
            ends=dict(ends),
        )


def _nothing() -> None:
    pass


def live(plan: Plan) -> Outcome:
    """Runs a world from its plan, in a folder of its own that goes with it.

    Raises:
        Untrue: something that must be true of every world is not.
    """
    # Memory, where there is such a disk: a world makes many thousand syncs that mean nothing.
    memory = Path("/dev/shm")  # noqa: S108 - only to choose the disk; the folder is its own
    root = tempfile.mkdtemp(prefix="taptill-world-", dir=memory if memory.is_dir() else None)
    try:
        folder = Path(root) / "till"
        folder.mkdir()
        with supplied(folder) as power:
            return World(plan, folder, power).run()
    finally:
        shutil.rmtree(root, ignore_errors=True)
