"""The part of a shop that has tables: what its days are made of, and what must be true of them.

Rules of this file: as in ``shop``, on whose thread it runs. What another till forwards is brought
there as a file, and its answers back the same way.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from hardware_sim.world.cashier import Cashier
from hardware_sim.world.neighbour import NAME, Neighbour, desk_of
from hardware_sim.world.network import WorldAcquirer
from hardware_sim.world.plan import Deed
from hardware_sim.world.process import TillProcess
from hardware_sim.world.tables import check_bills, check_drawer, check_transfers
from hardware_sim.world.waiter import Waiter
from offline_queue.bundle import unseal
from offline_queue.drawer import Drawer
from offline_queue.requeue import requeue
from terminal.errors import StoreError
from terminal.transaction import Transaction
from ui.wiring import acquirer_id, wire_of


class Restaurant:
    """Tables, transfers, the drawer, and the till next door.

    Args:
        cashier: whose till and cards are used.
        neighbour: the till next door.
        show: what a sale has become is seen by somebody.
    """

    def __init__(
        self, cashier: Cashier, neighbour: Neighbour, show: Callable[[Transaction], None]
    ) -> None:
        self._cashier = cashier
        self._neighbour = neighbour
        self._show = show
        self.waiter = Waiter(cashier)

    def deeds(
        self, till: TillProcess, chance: random.Random
    ) -> Mapping[Deed, Callable[[], object]]:
        """What can happen here, each to be called when it does."""
        waiter = self.waiter
        return {
            Deed.BILL: lambda: waiter.open_bill(till, chance),
            Deed.PART: lambda: self._pay_part(till, chance),
            Deed.DROP: lambda: waiter.drop_bill(till, chance),
            Deed.TRANSFER: lambda: waiter.ask_transfer(till, chance),
            Deed.LOOK: lambda: waiter.look_for_transfer(till, chance),
            Deed.DRAWER: lambda: self._mind_drawer(till, chance),
            Deed.HAND_OVER: lambda: self._hand_over(till),
        }

    def bring_back(self, till: TillProcess) -> None:
        """The till next door sends what it can, and its answers are brought back.

        What was handed over in vain is taken back.
        """
        for content, code in self._neighbour.forward():
            judge = wire_of(till.parts).judge
            assert judge is not None
            moved = desk_of(till.parts).learn(unseal(content, code, "the answers"), judge)
            self._cashier.power.require()
            for sale in moved:
                self._show(sale)
        for txn_id, bundle in till.handed_over().items():
            # The power went before anybody had read the code of the file, or the till next door
            # has put it aside.
            if bundle not in self._neighbour.bundles or self._neighbour.stuck(txn_id):
                requeue(
                    till.parts.journal,
                    self._cashier.clock,
                    txn_id,
                    acquirer=acquirer_id(till.parts.acquirer),
                    take_back=True,
                    who="Eva",
                )

    def check(
        self, till: TillProcess, sales: Mapping[str, Transaction], acquirer: WorldAcquirer
    ) -> None:
        """Bills, transfers and the drawer are what their payments add up to.

        Raises:
            Untrue: they are not.
        """
        check_bills(till.bills(), self.waiter.bills, sales)
        check_transfers(sales, acquirer.arrived(), self.waiter.seen)
        currency = till.parts.settings.config.till.currency
        now = Drawer(till.parts.journal.store, currency).standing()
        expected_minor = None if now is None else now.expected_minor
        check_drawer(till.drawer(), expected_minor, sales.values())

    def _pay_part(self, till: TillProcess, chance: random.Random) -> None:
        self.waiter.pay_part(till, chance)
        self._cashier.power.require()
        check_bills(till.bills(), self.waiter.bills, till.sales())

    def _mind_drawer(self, till: TillProcess, chance: random.Random) -> None:
        now = self.waiter.mind_drawer(till, chance)
        if now is not None:
            check_drawer(till.drawer(), now.expected_minor, till.sales().values())

    def _hand_over(self, till: TillProcess) -> None:
        written: list[bytes] = []
        try:
            done = desk_of(till.parts).give(NAME, written.append, who="Eva")
        except StoreError as refused:
            if "Nothing waits" not in refused.message:
                raise
        else:
            # From here on the code is on the screen.
            self._cashier.power.require()
            self._neighbour.take(written[0], done.code)
        self.bring_back(till)
