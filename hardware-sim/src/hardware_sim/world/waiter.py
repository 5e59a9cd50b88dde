"""The waiter of a world: bills in parts, bank transfers, and the cash drawer.

Rules of this file: as in ``cashier``, whose memory it shares. What is wished for may be wrong (too
much, twice, of a bill that is paid): the till has to refuse it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hardware_sim.world.cashier import Cashier, some_amount
from hardware_sim.world.people import presentations
from hardware_sim.world.process import TillProcess
from offline_queue.bills import Bills, NewBill
from offline_queue.drawer import Drawer
from terminal.bill import BillStanding, PartWish, equal_parts
from terminal.drawer import CashMove, DrawerStanding
from terminal.errors import AmountError, HostError, StoreError, SupervisorNeeded
from terminal.money import Amount
from terminal.parting import pay_part
from terminal.tenders import ask_transfer, confirm_transfer, give_up_transfer
from terminal.terms import Part, Tender, tax_in
from terminal.transaction import State
from terminal.transfers import ask_host_about

_RATES_BP = (0, 600, 2100)
_GROUPS = ("Food", "Drinks")
_PAY_OUT_LIMIT_MINOR = 5_000


@dataclass(slots=True)
class Waiter:
    """Whoever serves the tables: with the cashier's till, and the cashier's cards.

    ``bills`` are the names of bills that were opened; ``seen`` are the transfers that a person
    says have come.
    """

    cashier: Cashier
    bills: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def open_bill(self, till: TillProcess, chance: random.Random) -> None:
        """A table has eaten."""
        currency = till.parts.settings.config.till.currency
        lines = [f"dish {number}" for number in range(chance.randint(1, 4))]
        parts = []
        for _ in lines:
            gross, rate = chance.randrange(100, 2500), chance.choice(_RATES_BP)
            parts.append(Part(chance.choice(_GROUPS), rate, gross, tax_in(gross, rate)))
        total = Amount(sum(part.gross_minor for part in parts), currency)
        new = NewBill(total, tuple(parts), tuple(lines), "the table in the corner")
        opened = self._bills(till).open(new, cashier="Ada")
        self.cashier.power.require()
        self.bills.add(opened.bill.name)

    def pay_part(self, till: TillProcess, chance: random.Random) -> None:
        """Somebody of a table pays, for a share, an amount, some lines, or all that is due."""
        standing = self._some_bill(till, chance)
        if standing is None:
            return
        wish = _wish(standing, chance)
        shown = presentations(chance) if wish.tender is Tender.CARD else []
        ports = self.cashier.ports(till, shown, chance)
        name = standing.bill.name
        self.cashier.ends(till, lambda: pay_part(ports, till.parts.rules, name, wish))

    def drop_bill(self, till: TillProcess, chance: random.Random) -> None:
        """A table has left, or is forgiven the rest."""
        standing = self._some_bill(till, chance)
        if standing is None:
            return
        try:
            self._bills(till).drop(standing.bill.name, by="Eva", reason="they have left")
        except StoreError as refused:
            # Paid meanwhile, or in doubt; anything else is the ledger's own failure.
            if "is not open" not in refused.message and "not known yet" not in refused.message:
                raise
        self.cashier.power.require()

    def ask_transfer(self, till: TillProcess, chance: random.Random) -> None:
        """Somebody wants to pay with their banking app."""
        amount = some_amount(till, chance)
        ports = self.cashier.ports(till, [], chance)
        self.cashier.ends(till, lambda: ask_transfer(ports, till.parts.rules, amount))

    def look_for_transfer(self, till: TillProcess, chance: random.Random) -> None:
        """An awaited transfer is asked about, seen on the account, or given up."""
        if not self.cashier.awaited:
            return
        txn_id = chance.choice(self.cashier.awaited[-4:])
        try:
            sale = till.parts.journal.transaction(txn_id)
        except StoreError as lost:
            if "no sale" in lost.message:
                return
            raise
        if sale.state is not State.AWAITED:
            return
        ports = self.cashier.ports(till, [], chance)
        match chance.randrange(6):
            case 0:
                self.seen.add(txn_id)
                self.cashier.ends(till, lambda: confirm_transfer(ports, txn_id, by="Ada"))
            case 1:
                self.cashier.ends(till, lambda: give_up_transfer(ports, txn_id, by="Ada"))
            case _:
                try:
                    arrival = ask_host_about(ports, till.parts.rules, sale)
                except HostError:
                    return
                self.cashier.ends(till, lambda: arrival.sale)

    def mind_drawer(self, till: TillProcess, chance: random.Random) -> DrawerStanding | None:
        """The drawer gets its float, cash is put in or taken out, or it is counted."""
        currency = till.parts.settings.config.till.currency
        drawer, clock = Drawer(till.parts.journal.store, currency), self.cashier.clock
        amount = Amount(chance.randrange(1, 200) * 100, currency)
        try:
            match chance.randrange(5):
                case 0:
                    now = drawer.begin(amount, clock, by="Ada")
                case 1:
                    now = drawer.count(amount, clock, by="Ada")
                case _:
                    allowed = "Eva" if chance.random() < 0.7 else ""
                    minor = amount.minor * chance.choice([1, -1])
                    move = CashMove(minor, "change", by="Ada", approved_by=allowed)
                    now = drawer.move(move, clock, limit_minor=_PAY_OUT_LIMIT_MINOR)
        except (AmountError, SupervisorNeeded):
            return None
        except StoreError as refused:
            if "no float yet" not in refused.message:
                raise
            return None
        self.cashier.power.require()
        return now

    def _bills(self, till: TillProcess) -> Bills:
        return Bills(till.parts.journal.store, self.cashier.clock)

    def _some_bill(self, till: TillProcess, chance: random.Random) -> BillStanding | None:
        """One on which something is due, or one of the last that were opened, paid or not."""
        unpaid = [standing.bill.name for standing in self._bills(till).unpaid()]
        names = [*unpaid[-6:], *sorted(self.bills)[-2:]]
        if not names:
            return None
        try:
            return self._bills(till).standing(chance.choice(names))
        except StoreError as lost:
            if "There is no bill" not in lost.message:
                raise
            return None


def _wish(standing: BillStanding, chance: random.Random) -> PartWish:
    due, currency = standing.due, standing.bill.total.currency
    tender = chance.choice([Tender.CARD, Tender.CARD, Tender.CARD, Tender.CASH, Tender.TRANSFER])
    tip_minor = chance.choice([0, 0, 50, 200])
    tendered = Amount(chance.randrange(3000), currency) if chance.random() < 0.3 else None
    match chance.randrange(5):
        case 0:
            amount = None
        case 1 if due.minor >= 2:
            amount = equal_parts(due, min(due.minor, chance.randint(2, 4)))[0]
        case 2:
            amount = Amount(chance.randrange(1, 3000), currency)
        case 3 if standing.bill.parts:
            many = chance.randint(1, len(standing.bill.parts))
            lines = tuple(sorted(chance.sample(range(len(standing.bill.parts)), many)))
            return PartWish(None, tender, tip_minor, lines, tendered)
        case _:
            amount = due
    return PartWish(amount, tender, tip_minor, (), tendered)
