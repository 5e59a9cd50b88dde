"""Sales, clocks and messages that the tests of the memory are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from offline_queue.closings import Closings
from offline_queue.journal import SqlJournal
from offline_queue.plan import Later, NotSent
from offline_queue.store import Store
from terminal.ledger import Kind, Numbers, OutboxItem, Outgoing
from terminal.money import Amount, Currency
from terminal.transaction import (
    AuthorisationSent,
    CardSummary,
    StoredOffline,
    Transaction,
)

EUR = Currency.of("EUR")
JPY = Currency.of("JPY")
START = datetime(2026, 11, 23, 16, 20, 0, 1, tzinfo=UTC)
CARD = CardSummary(
    token="tok_mzxw6ytboi",
    masked_pan="\u2022\u2022\u2022\u2022 0010",
    scheme="Visa",
    aid="A0000000031010",
    label="VISA CREDIT",
    fingerprint="00112233445566778899aabbccddeeff",
    fingerprint_epoch=1,
)


@dataclass
class HandClock:
    """A clock that moves when told."""

    moment: datetime = START
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.moment += timedelta(seconds=seconds)


@dataclass
class CountingEntropy:
    """Bytes that are never the same twice, and the same in each run."""

    counter: int = 0

    def random_bytes(self, count: int) -> bytes:
        self.counter += 1
        return self.counter.to_bytes(count, "big")


@dataclass
class Till:
    """A journal on a file, with what the tests ask of it in one line."""

    path: Path
    clock: HandClock = field(default_factory=HandClock)
    entropy: CountingEntropy = field(default_factory=CountingEntropy)
    count: int = 0
    prefix: str = "txn-"
    journal: SqlJournal = field(init=False)

    def __post_init__(self) -> None:
        store = Store.open(self.path, at=self.clock.now())
        self.journal = SqlJournal(store, self.clock, self.entropy)

    def freeze(self) -> int:
        """Ends the batch."""
        return Closings(self.store, self.clock).freeze(by="Ada")

    @classmethod
    def of(cls, path: Path, journal: SqlJournal, prefix: str) -> Till:
        """A till around a journal that is open already."""
        till = cls.__new__(cls)
        till.path, till.journal, till.prefix = path, journal, prefix
        till.clock, till.entropy, till.count = HandClock(), CountingEntropy(), 0
        return till

    @property
    def store(self) -> Store:
        return self.journal.store

    def intend(self, minor: int = 1250, currency: Currency = EUR) -> Transaction:
        self.count += 1
        return self.journal.open_sale(
            txn_id=f"{self.prefix}{self.count}",
            amount=Amount(minor, currency),
            at=self.clock.now(),
            cashier="Ada",
            training=False,
        )

    def ask(self, minor: int = 1250) -> tuple[Transaction, OutboxItem]:
        """A sale whose 0200 is about to leave."""
        return self.journal.enqueue(self.intend(minor).txn_id, self.sent)

    def store_sale(
        self, minor: int = 1250, currency: Currency = EUR
    ) -> tuple[Transaction, OutboxItem]:
        """A sale that waits for the network."""
        return self.journal.enqueue(self.intend(minor, currency).txn_id, self.stored)

    def put_off(self, item: OutboxItem, wait_s: float, note: str = "later") -> None:
        """The host wants this claimed message later."""
        assert self.journal.settle([(item, Later(wait_s, note))]) == [None]

    def give_back(self, item: OutboxItem, note: str = "no route") -> None:
        """Nothing of this claimed message has left."""
        assert self.journal.settle([(item, NotSent(note))]) == [None]

    def sent(self, numbers: Numbers) -> tuple[AuthorisationSent, Outgoing]:
        event = AuthorisationSent(self.clock.now(), CARD, numbers.stan, numbers.rrn, numbers.batch)
        return event, Outgoing(Kind.SALE, message(b"0200", numbers))

    def stored(self, numbers: Numbers) -> tuple[StoredOffline, Outgoing]:
        event = StoredOffline(
            self.clock.now(), CARD, numbers.stan, numbers.rrn, numbers.batch, "no network"
        )
        return event, Outgoing(Kind.ADVICE, message(b"0220", numbers))

    def reopen(self) -> None:
        self.journal.close()
        self.__post_init__()


def message(mti: bytes, numbers: Numbers) -> bytes:
    """Bytes that a search of the disk cannot mistake, in the place of a real message."""
    return mti + f" stan={numbers.stan:06d} SEALED-ENVELOPE-{numbers.key}".encode()


def reversal_of(request: bytes) -> bytes:
    return b"0420" + request[4:]


def repeat_of(request: bytes) -> bytes:
    return request[:3] + b"1" + request[4:]


# Run in another process with the path of a ledger: says what refused to open it.
OPEN_AND_TELL = """
import sys
from pathlib import Path
from offline_queue.store import Store
from terminal.errors import StoreError
from tests.offline_queue.sales import START
try:
    Store.open(Path(sys.argv[1]), at=START)
except StoreError as error:
    print(type(error).__name__, "|", error.message, "|", error.remedy)
"""
