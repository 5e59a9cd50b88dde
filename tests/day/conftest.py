"""A shop with everything a day brings: a real ledger, real TLS to a real acquirer process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hardware_sim.acquirer import SimulatedAcquirer
from hardware_sim.acquirer_control import AcquirerControl
from offline_queue.closings import Closings
from offline_queue.sync import SaleMoved
from terminal.aftersale import complete, refund, void
from terminal.checkout import Ports, Rules, pay
from terminal.closing import Settlement, settle_batch
from terminal.money import Amount
from terminal.ports import Host, Reader
from terminal.progress import Progress
from terminal.refunds import Norms, VoidWish, Wish
from terminal.tenders import take_cash
from terminal.terms import A_SALE, Tender, Terms, TransactionKind
from terminal.transaction import Transaction
from tests.offline_queue.sales import Till
from ui.wiring import Parts, assembled, forwarder, load_settings

NOBODY = Norms()


@dataclass
class DayShop:
    """One open till. Cards are named as the simulator's catalogue names them."""

    parts: Parts
    stack: ExitStack
    rules: Rules
    seen: list[Progress] = field(default_factory=list)
    online: bool = True
    _readers: dict[str, Reader] = field(default_factory=dict)
    _link: Host | None = None

    @property
    def acquirer(self) -> AcquirerControl:
        assert isinstance(self.parts.acquirer, SimulatedAcquirer)
        return AcquirerControl(self.parts.acquirer.folder)

    def amount(self, text: str) -> Amount:
        return Amount.parse(text, self.parts.settings.config.till.currency)

    def ports(self, card: str = "visa-credit") -> Ports:
        from drivers.registry import open_reader  # noqa: PLC0415 - one reader for each card

        if card not in self._readers:
            self._readers[card] = open_reader(f"sim:{card}")
            self.stack.callback(self._readers[card].close)
        if self._link is None:
            self._link = self.parts.acquirer.link()
            self.stack.callback(self._link.close)
        return Ports(
            reader=self._readers[card],
            host=self._link,
            journal=self.parts.journal,
            sealer=self.parts.acquirer.sealer,
            keystore=self.parts.keystore,
            clock=self.parts.clock,
            entropy=self.parts.entropy,
            show=self.seen.append,
            cancelled=lambda: False,
            host_online=lambda: self.online,
        )

    def sell(
        self, text: str = "12.00", card: str = "visa-credit", terms: Terms = A_SALE
    ) -> Transaction:
        return pay(self.ports(card), self.rules, self.amount(text), cashier="Ada", terms=terms)

    def hold(self, text: str) -> Transaction:
        return self.sell(text, terms=Terms(kind=TransactionKind.HOLD))

    def cash(self, text: str, tendered: str = "100.00") -> Transaction:
        given = self.amount(tendered)
        return take_cash(self.ports(), self.rules, self.amount(text), given, cashier="Ada")

    def wish(self, text: str, **changes: object) -> Wish:
        wish = Wish(self.amount(text), self.parts.clock.now(), "Ada", Tender.CARD)
        return replace(wish, **changes)  # type: ignore[arg-type]  # each test names its fields

    def refund(
        self, sale: Transaction, text: str, card: str = "visa-credit", **changes: object
    ) -> Transaction:
        wish = self.wish(text, **changes)
        return refund(self.ports(card), self.rules, sale.txn_id, wish, NOBODY)

    def void(self, sale: Transaction) -> Transaction:
        wish = VoidWish(self.parts.clock.now(), "the wrong amount", "Ada", "Eva")
        return void(self.ports(), self.rules, sale.txn_id, wish)

    def complete(self, held: Transaction, text: str, tip: str = "0") -> Transaction:
        amount, tip_minor = self.amount(text), self.amount(tip).minor
        return complete(
            self.ports(), self.rules, held.txn_id, amount, tip_minor=tip_minor, by="Ada"
        )

    def forward(self) -> list[Transaction]:
        """One round of the real forwarder."""
        moved: list[Transaction] = []

        def heard(news: object) -> None:
            if isinstance(news, SaleMoved):
                moved.append(news.transaction)

        line = forwarder(self.parts, heard)
        try:
            line.run_once()
        finally:
            line.close()
        return moved

    @property
    def closings(self) -> Closings:
        return Closings(self.parts.journal.store, self.parts.clock)

    def freeze(self, *, carry: bool = False) -> int:
        return self.closings.freeze(by="Eva", carry=carry)

    def settle(self, batch: int) -> Settlement:
        link = self.parts.acquirer.link()
        try:
            return settle_batch(self.closings, link, self.parts.clock, self.rules, batch)
        finally:
            link.close()

    def now(self, sale: Transaction) -> Transaction:
        return self.parts.journal.transaction(sale.txn_id)

    def books(self) -> list[tuple[str, int, str]]:
        """What the acquirer has: kind, amount and state of each capture."""
        return [(c.kind, c.amount_minor, c.state.value) for c in self.acquirer.captures()]


@contextmanager
def opened(folder: Path, **settings: str) -> Iterator[DayShop]:
    """A till in ``folder``, whose ledger is proven when it closes."""
    with ExitStack() as stack:
        loaded = load_settings(
            data_dir=folder, reader="sim:visa-credit", acquirer=settings.get("acquirer")
        )
        parts = stack.enter_context(assembled(loaded))
        shop = DayShop(parts, stack, replace(parts.rules, present_s=0.2))
        yield shop
        parts.journal.store.verify()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[DayShop]:
    with opened(tmp_path / "till") as one:
        yield one


@pytest.fixture(scope="module")
def lasting_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DayShop]:
    """One shop for all tests of a file that only read what it has."""
    with opened(tmp_path_factory.mktemp("lasting") / "till") as one:
        yield one


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    """A ledger alone, without an acquirer."""
    one = Till(tmp_path / "ledger.db")
    yield one
    one.journal.close()
