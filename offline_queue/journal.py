"""The journal of sales: ``terminal.ledger.Journal`` on SQLite.

Rules of this file: every public method is one SQL transaction; a sale's number, event, row and
message are in the same one; numbers are minted here and nowhere else. What a crash leaves half
done is given a named state by ``recover`` before the next sale begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from offline_queue import limits, projection, summary, written
from offline_queue.clockwork import believe, note_time
from offline_queue.events import StoredEvent, decode, write_time
from offline_queue.journal_later import LaterJournal
from offline_queue.macs import UNKEYED
from offline_queue.numbers import ensure_batch, mint
from offline_queue.outbox import (
    give_back,
    has_claim,
    hold,
    item_of,
    put_off,
    require_acquirer,
)
from offline_queue.plan import Hold, Later, NotSent, Record, Step
from offline_queue.sql import one, rows
from offline_queue.store import RESERVE_BYTES, Store
from terminal.errors import ClaimLost, TerminalError
from terminal.ledger import Compose, Declined, Exposure, Kind, OutboxItem, Outgoing
from terminal.money import Amount, Currency
from terminal.ports import Clock, Entropy, KeyStore, RollbackCounter
from terminal.terms import A_SALE, Terms
from terminal.transaction import (
    CardSummary,
    Event,
    FateUnknown,
    Interrupted,
    SaleIntended,
    State,
    Transaction,
)

ReversalOf = Callable[[bytes], bytes]
"""Makes the reversal of a sale from the bytes of its request. Pure.

It raises ``TerminalError`` or ``AssertionError`` for bytes that it cannot read.
"""


class _Unreadable(Exception):
    """A request of which no reversal can be made."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What ``recover`` found: sales that never left, sales now being reversed, and trouble.

    ``unreadable`` names the sales whose message gave no reversal; they stay as they were, in
    the pending total.
    """

    interrupted: tuple[Transaction, ...] = ()
    reversing: tuple[Transaction, ...] = ()
    unreadable: tuple[str, ...] = ()


class SqlJournal(LaterJournal):
    """The append-only record of sales in the till's ledger file.

    Args:
        store: the ledger, open for writing.
        clock: dates the RRN of a sale, and its place in the outbox.
        entropy: the source of idempotency keys.
        reserve_bytes: what must be free on the disk before a sale is opened.
        acquirer: whom the messages are for; its key id.

    Raises:
        StoreError: messages wait for another acquirer, or the ledger cannot be written.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        entropy: Entropy,
        *,
        reserve_bytes: int = RESERVE_BYTES,
        acquirer: str = "",
    ) -> None:
        self.store = store
        self._clock = clock
        self._entropy = entropy
        self._reserve_bytes = reserve_bytes
        self._acquirer = acquirer
        self._begun: tuple[Transaction, int, int] | None = None
        if store.findings:
            # A sealed ledger is read and exported; each try to write to it says so.
            return
        with store.write() as connection:
            require_acquirer(connection, acquirer)
            ensure_batch(connection, clock.now())

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
        """See ``terminal.ledger.Journal``."""
        written.require_room(self.store, self._reserve_bytes)
        with self.store.write() as connection:
            note_time(connection, at)
            sale = written.open_intent(
                connection,
                lambda number: SaleIntended(at, txn_id, number, amount, cashier, training, terms),
            )
            self._begun = (sale, self.store.commits + 1, _others_commits(connection))
        return sale

    def enqueue(self, txn_id: str, compose: Compose) -> tuple[Transaction, OutboxItem]:
        """See ``terminal.ledger.Journal``."""
        now = self._clock.now()
        with self.store.write() as connection:
            before = self._as_begun(connection, txn_id)
            numbers = mint(connection, now, self._entropy)
            event, outgoing = compose(numbers)
            if (event.stan, event.batch) != (numbers.stan, numbers.batch):
                raise AssertionError("the event does not carry the numbers it was given")
            sale = before.after(event)
            # A refund, and a hold that is taken, go by the number of what they are about.
            if event.rrn != numbers.rrn and not (before.rrn or before.terms.original):
                raise AssertionError("the event does not carry the RRN it was given")
            written.moved(connection, before, event, sale, key=numbers.key)
            item = self._queue(connection, txn_id, numbers.key, outgoing, now)
            projection.check_outbox(connection, sale)
            return sale, item

    def commit(
        self,
        txn_id: str,
        event: Event,
        *,
        done: OutboxItem | None = None,
        queue: Outgoing | None = None,
    ) -> Transaction:
        """See ``terminal.ledger.Journal``."""
        with self.store.write() as connection:
            if done is not None and done.fence and not has_claim(connection, done):
                raise ClaimLost("Another forwarder has taken this message over.")
            return self._commit(connection, txn_id, event, done, queue, self._clock.now())

    def settle(self, results: Sequence[tuple[OutboxItem, Step]]) -> list[Transaction | None]:
        """Records what became of claimed messages, all in one SQL transaction.

        Gives the sales that moved on, None for the others: put off, given back, held, or taken
        over by another forwarder, whose result counts.

        Raises:
            StoreError: nothing was recorded.
        """
        now = self._clock.now()
        with self.store.write() as connection:
            counts = summary.Counts()
            settled = [self._settle(connection, item, step, now, counts) for item, step in results]
            summary.write(connection, counts)
            return settled

    def exposure(self, currency: Currency, card: CardSummary | None = None) -> Exposure:
        """See ``terminal.ledger.Journal``."""
        with self.store.read() as connection:
            return limits.exposure(connection, self._clock.now(), currency, card)

    def declines(self, card: CardSummary, since: datetime) -> list[Declined]:
        """See ``terminal.ledger.Journal``."""
        with self.store.read() as connection:
            return limits.declines(connection, card, since)

    def saw_host_time(self, host_time: datetime) -> bool:
        """Takes in the time that the host has told; whether the till's clock agrees with it."""
        with self.store.write() as connection:
            return believe(connection, self._clock.now(), host_time)

    def transaction(self, txn_id: str) -> Transaction:
        """See ``terminal.ledger.Journal``."""
        with self.store.read() as connection:
            return projection.load(connection, txn_id)

    def events(self, txn_id: str) -> list[Event]:
        """What has happened to a sale, oldest first.

        Raises:
            StoreError: an event is unreadable.
        """
        with self.store.read() as connection:
            found = rows(
                connection,
                "SELECT type, at, payload FROM event WHERE txn_id = ? ORDER BY seq",
                (txn_id,),
            )
            return [decode(StoredEvent(*row)) for row in found]

    def recover(self, reversal_of: ReversalOf) -> Recovered:
        """Gives every sale that a crash cut off a named state; each in one SQL transaction.

        A sale whose card was not recorded is INTERRUPTED. One whose request may have left is
        UNKNOWN, and its reversal is queued. Stored sales stay as they are. Claims on messages
        end, since whoever made them is gone.

        Raises:
            StoreError: the ledger cannot be written.
        """
        if self.store.findings:
            return Recovered()
        with self.store.write() as connection:
            connection.execute("UPDATE outbox SET claimed_by = '', leased_until = ''")
        with self.store.read() as connection:
            cut_off = rows(
                connection,
                "SELECT txn_id, state FROM txn WHERE state IN (?, ?) ORDER BY sequence",
                (State.INTENDED.value, State.AUTHORISING.value),
            )
        interrupted: list[Transaction] = []
        reversing: list[Transaction] = []
        unreadable: list[str] = []
        for txn_id, state in cut_off:
            if state == State.INTENDED.value:
                reason = "the till stopped before the card was recorded"
                interrupted.append(self.commit(txn_id, Interrupted(self._clock.now(), reason)))
                continue
            try:
                reversing.append(self._reverse(txn_id, reversal_of))
            except _Unreadable:
                # One request that cannot be read must not keep the shop from opening; the
                # sale stays AUTHORISING, which is in the pending total and on the screen.
                unreadable.append(txn_id)
        return Recovered(tuple(interrupted), tuple(reversing), tuple(unreadable))

    def housekeeping(self) -> bool:
        """At idle: erased messages leave the log too, and the next part of the file is verified.

        False when the log is in use: try again later.
        """
        self.store.check_some()
        return self.store.truncate_log()

    def close(self) -> None:
        """Closes the ledger. Harmless when called twice."""
        self.store.close()

    def _as_begun(self, connection: apsw.Connection, txn_id: str) -> Transaction:
        """The sale with this id: the last one that was opened need not be read again.

        Unless anybody, in this process or another, has committed something since.
        """
        if self._begun is not None:
            sale, commits, version = self._begun
            unchanged = (commits, version) == (self.store.commits, _others_commits(connection))
            if unchanged and sale.txn_id == txn_id:
                return sale
        return projection.load(connection, txn_id)

    def _settle(
        self,
        connection: apsw.Connection,
        item: OutboxItem,
        step: Step,
        now: datetime,
        counts: summary.Counts,
    ) -> Transaction | None:
        if not has_claim(connection, item):
            return None
        match step:
            case Record(event=event, erase=erase):
                done = item if erase else None
                sale = self._commit(connection, item.txn_id, event, done, None, now, counts)
                if not erase:
                    put_off(connection, item, now, sale.reason)
                return sale
            case Later(wait_s=wait_s, note=note):
                put_off(connection, item, now + timedelta(seconds=wait_s), note)
            case NotSent(note=note):
                give_back(connection, item, note)
            case Hold(why=why):
                hold(connection, item, why)
        return None

    def _reverse(self, txn_id: str, reversal_of: ReversalOf) -> Transaction:
        now = self._clock.now()
        event = FateUnknown(now, "the till stopped while the acquirer was asked")
        with self.store.write() as connection:
            request = item_of(connection, txn_id)
            try:
                reversal = Outgoing(Kind.REVERSAL, reversal_of(request.message))
            except (TerminalError, AssertionError) as cause:
                # What comes from the disk may be anything, also where we once wrote it.
                raise _Unreadable from cause
            return self._commit(connection, txn_id, event, request, reversal, now)

    def _commit(
        self,
        connection: apsw.Connection,
        txn_id: str,
        event: Event,
        done: OutboxItem | None,
        queue: Outgoing | None,
        now: datetime,
        counts: summary.Counts | None = None,
    ) -> Transaction:
        before = projection.load(connection, txn_id)
        sale = before.after(event)
        written.moved(connection, before, event, sale, counts=counts)
        if done is not None:
            connection.execute(
                "DELETE FROM outbox WHERE item = ? AND txn_id = ?", (done.item_id, txn_id)
            )
            if connection.changes() != 1:
                raise AssertionError("the message is not in the outbox")
        if queue is not None:
            key = one(connection, "SELECT idempotency_key FROM txn WHERE txn_id = ?", (txn_id,))
            self._queue(connection, txn_id, key, queue, now)
        projection.check_outbox(connection, sale)
        return sale

    def _queue(
        self,
        connection: apsw.Connection,
        txn_id: str,
        key: str,
        outgoing: Outgoing,
        now: datetime,
    ) -> OutboxItem:
        kind, message = outgoing.kind, outgoing.message
        connection.execute(
            # Of its event, which no MAC leaves out: SQLite's own note of the last number
            # (sqlite_sequence) is in no MAC, and whoever changes it must change nothing.
            "INSERT INTO outbox (item, txn_id, key, kind, message, created, acquirer)"
            " VALUES ((SELECT max(seq) FROM event), ?, ?, ?, ?, ?, ?)",
            (txn_id, key, kind.value, message, write_time(now), self._acquirer),
        )
        return OutboxItem(connection.last_insert_rowid(), txn_id, key, kind, message)


def _others_commits(connection: apsw.Connection) -> int:
    """A number that changes when another connection commits, and not when this one does."""
    return int(one(connection, "PRAGMA data_version"))


def open_journal(  # noqa: PLR0913 - everything that one till brings to its ledger
    path: Path,
    clock: Clock,
    entropy: Entropy,
    reversal_of: ReversalOf,
    *,
    reserve_bytes: int = RESERVE_BYTES,
    acquirer: str = "",
    keystore: KeyStore = UNKEYED,
    counter: RollbackCounter | None = None,
) -> tuple[SqlJournal, Recovered]:
    """Opens the till's ledger for writing and recovers what a crash has cut off.

    Raises:
        StoreError: as ``Store.open``, which says what the arguments mean, and ``SqlJournal``.
    """
    store = Store.open(path, at=clock.now(), keystore=keystore, counter=counter)
    try:
        journal = SqlJournal(store, clock, entropy, reserve_bytes=reserve_bytes, acquirer=acquirer)
        return journal, journal.recover(reversal_of)
    except BaseException:
        store.close()
        raise
