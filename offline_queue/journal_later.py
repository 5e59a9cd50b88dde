"""The half of the journal that is about earlier transactions, and about tenders without a card.

Rules of this file: as in ``offline_queue.journal``: one SQL transaction each. What is allowed is
judged inside it, with everything as it stands there.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime

import apsw

from offline_queue import bill_rows, written
from offline_queue.clockwork import note_time
from offline_queue.outbox import item_of
from offline_queue.store import Store
from terminal.day_events import PartTaken
from terminal.ledger import Judge, JudgePart, OutboxItem, Outgoing, Standing, Undo
from terminal.money import Amount
from terminal.ports import Clock
from terminal.transaction import Event, SaleIntended, TenderConfirmed, Transaction


class LaterJournal:
    """Refunds, voids, bills and cash, for the journal that is made of it."""

    store: Store
    _clock: Clock
    _reserve_bytes: int

    @abstractmethod
    def _commit(
        self,
        connection: apsw.Connection,
        txn_id: str,
        event: Event,
        done: OutboxItem | None,
        queue: Outgoing | None,
        now: datetime,
    ) -> Transaction:
        """Records an event, and what it does to the outbox."""

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
        """See ``terminal.ledger.Journal``."""
        written.require_room(self.store, self._reserve_bytes)
        with self.store.write() as connection:
            note_time(connection, at)
            standing = written.standing(connection, original)
            terms, training = judge(standing), standing.transaction.training
            return written.open_intent(
                connection,
                lambda number: SaleIntended(at, txn_id, number, amount, cashier, training, terms),
            )

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
        """See ``terminal.ledger.Journal``."""
        written.require_room(self.store, self._reserve_bytes)
        with self.store.write() as connection:
            note_time(connection, at)
            amount, terms = judge(bill_rows.standing(connection, bill))
            sale = written.open_intent(
                connection,
                lambda number: SaleIntended(at, txn_id, number, amount, cashier, terms=terms),
            )
            if lines:
                bill_rows.note(connection, PartTaken(at, bill, txn_id, lines))
            return sale

    def book(self, txn_id: str, confirm: Callable[[int], TenderConfirmed]) -> Transaction:
        """See ``terminal.ledger.Journal``."""
        with self.store.write() as connection:
            event = confirm(written.open_batch(connection))
            return self._commit(connection, txn_id, event, None, None, event.at)

    def undo(self, txn_id: str, undo: Undo) -> Transaction:
        """See ``terminal.ledger.Journal``."""
        with self.store.write() as connection:
            standing = written.standing(connection, txn_id)
            event, outgoing = undo(standing)
            done = None if standing.attempts is None else item_of(connection, txn_id)
            return self._commit(connection, txn_id, event, done, outgoing, self._clock.now())

    def standing(self, txn_id: str) -> Standing:
        """See ``terminal.ledger.Journal``."""
        with self.store.read() as connection:
            return written.standing(connection, txn_id)
