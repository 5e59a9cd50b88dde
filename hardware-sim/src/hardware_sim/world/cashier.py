"""The cashier of a world: sells, holds, gives back, voids; and remembers which card paid what.

Rules of this file: it calls what a till's face calls, with ports into the world, and takes a
refusal for an answer. What it was shown, it tells.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from hardware_sim.world.clock import VirtualClock
from hardware_sim.world.people import (
    Presentation,
    TownReader,
    Wallets,
    any_card,
    presentations,
)
from hardware_sim.world.power import Power
from hardware_sim.world.process import TillProcess
from offline_queue.closings import Closings
from terminal.aftersale import complete, refund, void
from terminal.checkout import Ports, pay
from terminal.closing import settle_batch
from terminal.errors import (
    AmountError,
    HostError,
    ReaderUnplugged,
    RefundRefused,
    StoreError,
    SupervisorNeeded,
    TerminalError,
)
from terminal.money import Amount
from terminal.progress import Progress
from terminal.refunds import Norms, VoidWish, Wish
from terminal.tenders import take_cash
from terminal.terms import Tender, Terms, TransactionKind
from terminal.transaction import State, Transaction

_ENDINGS = (0, 0, 0, 0, 0, 0, 25, 50, 99, 51, 10, 91, 58)
_REFUSED = (AmountError, ReaderUnplugged, RefundRefused, SupervisorNeeded)


def some_amount(till: TillProcess, chance: random.Random) -> Amount:
    """What something costs; some endings are troubles that the acquirer makes of an amount."""
    minor = chance.randrange(1, 80) * 100 + chance.choice(_ENDINGS)
    return Amount(minor, till.parts.settings.config.till.currency)


@dataclass(slots=True)
class Cashier:
    """One person at one till after the other.

    ``paid`` is which card paid each approved sale, ``cash`` the sales that were paid in cash,
    ``held`` the holds that were approved, ``awaited`` the transfers that were asked for;
    ``settled`` is how each batch ended. ``voids`` and ``takes`` are the transactions that were to
    be voided or taken, whatever came of it.
    """

    clock: VirtualClock
    power: Power
    wallets: Wallets
    on_screen: Callable[[Progress], None]
    show: Callable[[Transaction], None]
    paid: dict[str, str] = field(default_factory=dict)
    cash: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    awaited: list[str] = field(default_factory=list)
    voids: set[str] = field(default_factory=set)
    takes: set[str] = field(default_factory=set)
    returned: str = ""
    settled: dict[int, str] = field(default_factory=dict)

    def sell(self, till: TillProcess, chance: random.Random) -> None:
        """Somebody wants to pay."""
        amount = some_amount(till, chance)
        ports = self.ports(till, presentations(chance), chance)
        self.ends(till, lambda: pay(ports, till.parts.rules, amount))

    def hold(self, till: TillProcess, chance: random.Random) -> None:
        """A guest checks in: an amount is set aside on the card."""
        amount = some_amount(till, chance)
        ports = self.ports(till, presentations(chance), chance)
        terms = Terms(kind=TransactionKind.HOLD)
        self.ends(till, lambda: pay(ports, till.parts.rules, amount, terms=terms))

    def take(self, till: TillProcess, chance: random.Random) -> None:
        """The guest leaves: all that is held is taken, or less, or too much is tried."""
        if not self.held:
            return
        txn_id = chance.choice(self.held[-4:])
        held = till.parts.journal.transaction(txn_id)
        minor = max(1, round(held.amount.minor * chance.choice([0.4, 0.9, 1.0, 1.0, 1.2])))
        tip_minor = minor // 10 if chance.random() < 0.3 else 0
        amount = Amount(minor, held.amount.currency)
        self.takes.add(txn_id)
        ports = self.ports(till, [], chance)
        self.ends(
            till, lambda: complete(ports, till.parts.rules, txn_id, amount, tip_minor=tip_minor)
        )

    def pay_cash(self, till: TillProcess, chance: random.Random) -> None:
        """Somebody pays in cash, or brings back what was paid so."""
        ports = self.ports(till, [], chance)
        if self.cash and chance.random() < 0.3:
            original = chance.choice(self.cash[-4:])
            paid = till.parts.journal.transaction(original).amount
            wish = Wish(
                amount=Amount(max(1, paid.minor // chance.choice([1, 2])), paid.currency),
                at=self.clock.now(),
                cashier="Ada",
                tender=Tender.CASH,
                with_card=False,
                approved_by="Eva",
            )
            self.ends(till, lambda: refund(ports, till.parts.rules, original, wish, Norms()))
            return
        amount = some_amount(till, chance)
        handed = Amount(amount.minor + chance.choice([-100, 0, 5, 1000]) + 5, amount.currency)
        self.ends(till, lambda: take_cash(ports, till.parts.rules, amount, handed))

    def refund(self, till: TillProcess, chance: random.Random) -> None:
        """Somebody brings something back: a part of it, all of it, or more than there was."""
        if not self.paid:
            return
        # Whoever brings back one half may come again with the other.
        again = self.returned and chance.random() < 0.5
        original = self.returned if again else chance.choice(sorted(self.paid))
        self.returned = original
        with_card = chance.random() < 0.7
        card = self.paid[original] if chance.random() < 0.9 else any_card(chance)
        amount = till.parts.journal.transaction(original).amount
        minor = max(1, round(amount.minor * chance.choice([0.3, 0.5, 1.0, 1.0, 1.1])))
        wish = Wish(
            amount=Amount(minor, amount.currency),
            at=self.clock.now(),
            cashier="Ada",
            tender=Tender.CARD,
            with_card=with_card,
            approved_by="Eva" if chance.random() < 0.7 else "",
        )
        taps = [Presentation(chance.uniform(0.5, 4.0), card) for _ in range(3)]
        ports = self.ports(till, taps, chance)
        self.ends(till, lambda: refund(ports, till.parts.rules, original, wish, Norms()))

    def void(self, till: TillProcess, chance: random.Random) -> None:
        """The last thing, or an earlier one, is to be undone."""
        lately = [*list(self.paid)[-4:], *self.held[-2:], *self.cash[-1:]]
        if not lately:
            return
        txn_id = chance.choice(lately)
        self.voids.add(txn_id)
        wish = VoidWish(self.clock.now(), "the wrong amount", "Ada", "Eva")
        ports = self.ports(till, [], chance)
        self.ends(till, lambda: void(ports, till.parts.rules, txn_id, wish))

    def close_day(self, till: TillProcess, *, carry: bool = False) -> None:
        """The day is closed and settled; a batch that an earlier day left open comes first.

        With ``carry`` what has no answer yet goes into the next day's batch.
        """
        closings = Closings(till.parts.journal.store, till.parts.clock)
        try:
            if not closings.unsettled():
                closings.freeze(by="Ada", carry=carry)
        except StoreError as waits:
            # Sales have no answer yet, and the batch goes on tomorrow.
            if "no answer" not in waits.message:
                raise
        for batch in closings.unsettled():
            try:
                settled = settle_batch(
                    closings, till.link, till.parts.clock, till.parts.rules, batch
                )
            except HostError:
                return
            self.power.require()
            self.settled[batch] = settled.outcome

    def ends(self, till: TillProcess, operation: Callable[[], Transaction]) -> None:
        """Shows how something ended; a till that could not record it recovers."""
        try:
            ended = operation()
        except _REFUSED:
            return
        except StoreError as lost:
            if "no sale" in lost.message:
                # A power cut before it was shown has taken it; the cashier is mistaken.
                return
            till.recover()
            return
        except TerminalError:
            till.recover()
            return
        if ended.kind is TransactionKind.SALE and ended.state is State.APPROVED:
            if ended.terms.tender is Tender.CASH:
                self.cash.append(ended.txn_id)
            elif ended.terms.tender is Tender.CARD:
                self.paid[ended.txn_id] = self.wallets.last
        if ended.state is State.HELD:
            self.held.append(ended.txn_id)
        if ended.state is State.AWAITED and ended.txn_id not in self.awaited:
            self.awaited.append(ended.txn_id)
        self.show(ended)

    def ports(self, till: TillProcess, shown: list[Presentation], chance: random.Random) -> Ports:
        """What an operation of the till works with, with these cards before its reader."""
        patience_s = chance.choice([5.0, 20.0]) if chance.random() < 0.05 else 1e9
        given_up_s = self.clock.monotonic() + patience_s
        parts, line = till.parts, till.line
        return Ports(
            reader=TownReader(shown, self.wallets, self.clock, self.power),
            host=till.link,
            journal=parts.journal,
            sealer=parts.acquirer.sealer,
            keystore=parts.keystore,
            clock=self.clock,
            entropy=parts.entropy,
            show=self.on_screen,
            cancelled=lambda: self.clock.monotonic() > given_up_s,
            host_online=lambda: line.online is not False,
            line_seen=line.observe,
        )
