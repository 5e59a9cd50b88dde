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

from terminal.bill import BillStanding
from terminal.money import Amount, Currency
from terminal.terms import A_SALE, Terms
from terminal.transaction import (
    AuthorisationSent,
    CardSummary,
    Completed,
    Event,
    State,
    StoredOffline,
    TenderConfirmed,
    Transaction,
    TransactionKind,
    Voided,
    VoidSent,
)


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
    """A message in the outbox. ``attempts`` counts the sends that may have reached the host.

    ``fence`` is the number of the claim under which it is held, 0 for none. ``silences`` counts
    how often it had no answer while the host answered others.
    """

    item_id: int
    txn_id: str
    key: str
    kind: Kind
    message: bytes = field(repr=False)
    attempts: int = 0
    fence: int = 0
    silences: int = 0


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the shop stands to lose now: stored sales that the acquirer has not answered for.

    Of ``count`` sales with ``total_minor``, ``approved_count`` with ``approved_minor`` were
    approved by the card itself (TC), the others deferred (ARQC), and ``card_count`` with
    ``card_minor`` are of the card in hand. ``card_declined``: a stored sale of that card was
    declined by the host lately. ``oldest_at`` is since when the oldest waits to be sent.
    ``set_back_s`` is how far the clock was set back, 0 where it can be believed.
    """

    count: int
    total_minor: int
    card_count: int = 0
    card_minor: int = 0
    card_declined: bool = False
    approved_count: int = 0
    approved_minor: int = 0
    oldest_at: datetime | None = None
    set_back_s: int = 0


@dataclass(frozen=True, slots=True)
class Declined:
    """An earlier sale of a card that the host declined."""

    at: datetime
    response_code: str
    amount: Amount


Recorded = AuthorisationSent | StoredOffline | Completed
"""The events that give a transaction its numbers."""

Compose = Callable[[Numbers], tuple[Recorded, Outgoing]]
"""Makes the event and the message of a sale from its numbers. Pure: it runs inside SQL."""

_UNDONE = frozenset({State.DECLINED, State.CANCELLED, State.INTERRUPTED, State.REVERSED})


@dataclass(frozen=True, slots=True)
class Standing:
    """A transaction, and what has to be known to give it back or to void it.

    ``refunds`` are all refunds of it, whatever their end; ``open_batch`` is the batch that would
    be entered now; ``attempts`` counts the sends of its message, None when none is queued.
    """

    transaction: Transaction
    refunds: tuple[Transaction, ...]
    open_batch: int
    attempts: int | None

    @property
    def refunded_minor(self) -> int:
        """What was given back, or may have been: a refund in doubt counts until it is undone."""
        return sum(
            refund.amount.minor
            for refund in self.refunds
            if refund.state not in _UNDONE and refund.state is not State.VOIDED
        )

    @property
    def refundable_minor(self) -> int:
        """What is left to give back."""
        sale = self.transaction
        taken = sale.state is State.APPROVED and sale.kind is not TransactionKind.REFUND
        return sale.approved_minor - self.refunded_minor if taken else 0


Judge = Callable[[Standing], Terms]
"""Makes the terms of a refund, or raises a ``TerminalError``. Pure: it runs inside SQL."""

JudgePart = Callable[[BillStanding], tuple[Amount, Terms]]
"""Makes the amount (with its tip) and terms of a bill's next payment, or raises.

Pure: it runs inside SQL.
"""

Undo = Callable[[Standing], tuple[VoidSent | Voided, Outgoing | None]]
"""Makes the event that voids, and its message, or raises. Pure: it runs inside SQL."""


class Journal(Protocol):
    """The append-only record of sales. Every method is one SQL transaction, synced to disk."""

    def open_sale(
        self,
        *,
        txn_id: str,
        amount: Amount,
        at: datetime,
        cashier: str,
        training: bool,
        terms: Terms = A_SALE,
    ) -> Transaction:
        """Records the intent, before a card is read.

        Raises:
            StoreFull: the reserve on the disk is gone; no card may be read.
            StoreError: the ledger cannot be written.
        """

    def open_refund(
        self,
        *,
        txn_id: str,
        original: str,
        amount: Amount,
        at: datetime,
        cashier: str,
        judge: Judge,
    ) -> Transaction:
        """Records the intent of a refund, if ``judge`` allows it as everything stands now.

        Raises:
            TerminalError: what ``judge`` raised; nothing was recorded.
            StoreFull: the reserve on the disk is gone; no card may be read.
            StoreError: there is no such sale, or the ledger cannot be written.
        """

    def open_part(
        self,
        *,
        txn_id: str,
        bill: str,
        lines: tuple[int, ...],
        at: datetime,
        cashier: str,
        judge: JudgePart,
    ) -> Transaction:
        """Records the intent of a payment of a bill, if ``judge`` allows it as everything stands.

        Raises:
            TerminalError: what ``judge`` raised; nothing was recorded.
            StoreFull: the reserve on the disk is gone; no card may be read.
            StoreError: there is no such bill, or the ledger cannot be written.
        """

    def book(self, txn_id: str, confirm: Callable[[int], TenderConfirmed]) -> Transaction:
        """Takes a payment that is no card's into the open batch, whose number it is given.

        Raises:
            StoreError: nothing was recorded.
        """

    def undo(self, txn_id: str, undo: Undo) -> Transaction:
        """Voids, if ``undo`` allows it as everything stands now.

        Raises:
            TerminalError: what ``undo`` raised; nothing was recorded.
            StoreError: nothing was recorded.
        """

    def standing(self, txn_id: str) -> Standing:
        """A transaction with its refunds.

        Raises:
            StoreError: there is none.
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

    def exposure(self, currency: Currency, card: CardSummary | None = None) -> Exposure:
        """The stored and set-aside sales in this currency that have no final answer."""

    def declines(self, card: CardSummary, since: datetime) -> list[Declined]:
        """What the host declined of this card, or of the account behind it, newest first."""

    def transaction(self, txn_id: str) -> Transaction:
        """The sale with this id.

        Raises:
            StoreError: there is none.
        """
