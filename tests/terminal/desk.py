"""A till without threads or devices: a real ledger between scripted readers and hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from drivers.clock import SystemEntropy
from drivers.door import Chip
from drivers.keystore import HpkeSealer
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.faults import Faults, FaultyChip
from offline_queue.journal import SqlJournal
from offline_queue.reports import Reports
from terminal.checkout import Ports, Rules, pay
from terminal.errors import (
    TerminalError,
)
from terminal.ledger import Kind
from terminal.line import Signal
from terminal.money import Amount, Currency
from terminal.ports import ForeignTag, KeyStore, Presented, SeveralCards, Unreadable
from terminal.progress import Progress
from terminal.risk import OfflineLimits
from terminal.transaction import (
    Transaction,
)
from tests.terminal.iso8583.sales import answer

EUR = Currency.of("EUR")
BEGIN = datetime(2026, 4, 1, 8, 30, 15, 987654, tzinfo=UTC)


class Clock:
    """Time that passes only where a test says so."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return self.passed_s


class _InHand:
    """A chip as a reader hands it out."""

    technology = "ISO 14443-4 A"

    def __init__(self, chip: Chip) -> None:
        chip.reset()
        self._chip = chip

    def exchange(self, command: bytes) -> bytes:
        return self._chip.exchange(command)


Put = Chip | SeveralCards | ForeignTag | Unreadable | TerminalError | None


@dataclass
class Reader:
    """Presents one thing after the other; a failure among them is raised; then nobody taps."""

    clock: Clock
    things: list[Put]
    removals: list[float] = field(default_factory=list)
    released: int = 0
    name: str = "Reader under test"

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        if not self.things:
            self.clock.passed_s += timeout_s
            return None
        match self.things.pop(0):
            case TerminalError() as failure:
                raise failure
            case None | SeveralCards() | ForeignTag() | Unreadable() as presented:
                return presented
            case chip:
                return _InHand(chip)

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        self.removals.append(timeout_s)
        return True

    def release(self) -> None:
        self.released += 1

    def close(self) -> None:
        """Nothing to give back."""


Says = Callable[[bytes], bytes]


@dataclass
class Host:
    """Answers as the test says, and keeps what it was asked."""

    says: Says = answer
    asked: list[bytes] = field(default_factory=list)

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        assert timeout_s == 15.0
        self.asked.append(request)
        said = self.says(request)
        assert is_answer(said)
        return said

    def close(self) -> None:
        """Nothing to end."""


def code(code: str, **options: int) -> Says:
    return lambda request: answer(request, code, **options)


def fails(failure: Exception) -> Says:
    def says(request: bytes) -> bytes:
        raise failure

    return says


@dataclass
class Desk:
    """A till at which one payment after the other can be made."""

    journal: SqlJournal
    keystore: KeyStore
    clock: Clock
    rules: Rules
    host: Host = field(default_factory=Host)
    online: bool = True
    cancelled: Callable[[], bool] = lambda: False
    seen: list[Progress] = field(default_factory=list)
    line: list[Signal] = field(default_factory=list)
    reader: Reader = field(init=False)

    def pay(self, *things: Put, minor: int = 1250) -> Transaction:
        self.reader = Reader(self.clock, list(things))
        self.seen.clear()
        ports = Ports(
            reader=self.reader,
            host=self.host,
            journal=self.journal,
            sealer=HpkeSealer(X25519PrivateKey.generate().public_key()),
            keystore=self.keystore,
            clock=self.clock,
            entropy=SystemEntropy(),
            show=self.seen.append,
            cancelled=self.cancelled,
            host_online=lambda: self.online,
            line_seen=self.line.append,
        )
        sale = pay(ports, self.rules, Amount(minor, EUR), cashier="Ada")
        assert self.journal.transaction(sale.txn_id) == sale
        assert sale.cashier == "Ada"
        return sale

    def limit(self, **limits: int) -> None:
        values = OfflineLimits(
            per_sale_minor=limits.get("per_sale", 5000), count=limits.get("count", 50)
        )
        self.rules = replace(self.rules, offline=values)

    def last(self) -> Transaction:
        return Reports(self.journal.store).transactions(limit=1)[0]

    def events(self, sale: Transaction) -> list[type[object]]:
        return [type(event) for event in self.journal.events(sale.txn_id)]

    def queued(self) -> list[Kind | None]:
        return [row.kind for row in Reports(self.journal.store).queue()]


def card(name: str = "visa-credit") -> EmvCard:
    return EmvCard(load_profile(name))


def flawed(name: str = "visa-credit", **faults: int) -> FaultyChip:
    return FaultyChip(card(name), lambda: Faults(**faults), sleep=lambda _: None)
