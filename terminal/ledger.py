"""What checkout needs of the memory: the journal of sales and its outbox, as a protocol.

Rules of this file: a sale, its event, its outgoing message and the numbers that identify it are
committed together or not at all, and nothing but ``Journal.enqueue`` mints a number. The
forwarder is handed finished ``OutboxItem`` values, so its types give it no way to mint one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from terminal.money import Amount, Currency
from terminal.transaction import AuthorisationSent, Event, StoredOffline, Transaction


class Kind(Enum):
    """What an outgoing message is. Reversals go out before anything else."""

    REVERSAL = "reversal"
    SALE = "sale"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one sale, minted inside the SQL transaction that records it.

    ``stan`` is DE 11 (1 to 999999, unique in its batch), ``rrn`` DE 37 (12 characters),
    ``batch`` the number of the open batch, ``key`` the idempotency key of the sale.
    """

    stan: int
    rrn: str
    batch: int
    key: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A finished message on its way into the outbox: complete bytes, first copy."""

    kind: Kind
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A message in the outbox. ``attempts`` counts the sends that may have reached the host."""

    item_id: int
    txn_id: str
    key: str
    kind: Kind
    message: bytes = field(repr=False)
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the shop stands to lose now: sales the acquirer has not answered for."""

    count: int
    total_minor: int


Compose = Callable[[Numbers], tuple[AuthorisationSent | StoredOffline, Outgoing]]
"""Makes the event and the message of a sale from its numbers. Pure: it runs inside SQL."""


class Journal(Protocol):
    """The append-only record of sales. Every method is one SQL transaction, synced to disk."""

    def open_sale(
        self, *, txn_id: str, amount: Amount, at: datetime, cashier: str, training: bool
    ) -> Transaction:
        """Records the intent, before a card is read.

        Raises:
            StoreFull: the reserve on the disk is gone; no card may be read.
            StoreError: the ledger cannot be written.
        """

    def enqueue(self, txn_id: str, compose: Compose) -> tuple[Transaction, OutboxItem]:
        """Mints the numbers, records the sale and queues its message, before a byte leaves.

        Raises:
            StoreError: nothing was recorded, and nothing may be sent.
        """

    def commit(
        self,
        txn_id: str,
        event: Event,
        *,
        done: OutboxItem | None = None,
        queue: Outgoing | None = None,
    ) -> Transaction:
        """Records an event, and what it does to the outbox, in one SQL transaction.

        ``done`` leaves the outbox and its message is erased with it; ``queue`` enters the
        outbox under the same key.

        Raises:
            StoreError: nothing was recorded.
        """

    def exposure(self, currency: Currency) -> Exposure:
        """The stored and set-aside sales in this currency that have no final answer."""

    def transaction(self, txn_id: str) -> Transaction:
        """The sale with this id.

        Raises:
            StoreError: there is none.
        """
