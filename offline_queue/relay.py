"""Messages of other tills that this one forwards, and what the acquirer answered.

Rules of this file: they are forwarded like the till's own, by the same claims and with the same
fences, and are never among its sales: numbers, batch and totals are those of the till that made
them. A message is erased when it has its answer; the answer is kept for its till.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import apsw

from offline_queue.events import read_time, write_time
from offline_queue.outbox import Outbox, Table, give_back, has_claim, hold, put_off
from offline_queue.plan import Hold, Later, NotSent, Record, Step
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.delivery import Done, Verdict
from terminal.errors import StoreError
from terminal.ledger import Kind, OutboxItem
from terminal.money import Amount, Currency
from terminal.ports import Clock
from terminal.transaction import SetAside, State, Transaction

Judge = Callable[[OutboxItem, Transaction, bytes, datetime], Verdict]

_STATES = {Kind.ADVICE: State.STORED, Kind.REVERSAL: State.UNKNOWN}


class Relay(Outbox):
    """The messages of other tills in this till's ledger.

    Args:
        store: the ledger, open for writing.
        clock: for times in the ledger.
    """

    table = Table(
        name="relay",
        rows="relay",
        forwardable="held = '' AND answered_at = ''",
    )

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store)
        self._clock = clock
        self._answers: dict[int, bytes] = {}

    def reader(self, judge: Judge) -> Callable[[OutboxItem, bytes, datetime], Verdict]:
        """Reads answers as ``judge`` does for the till's own, and keeps those that are final."""

        def read(item: OutboxItem, answer: bytes, at: datetime) -> Verdict:
            verdict = judge(item, self._sale(item), answer, at)
            if isinstance(verdict, Done):
                self._answers[item.item_id] = answer
            return verdict

        return read

    def settle(self, results: Sequence[tuple[OutboxItem, Step]]) -> list[Transaction | None]:
        """Records what became of claimed messages; none of them is a sale of this till.

        Raises:
            StoreError: nothing was recorded.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            for item, step in results:
                if has_claim(connection, item, self.table.name):
                    self._settle(connection, item, step, now)
        return [None for _ in results]

    def _settle(
        self, connection: apsw.Connection, item: OutboxItem, step: Step, now: datetime
    ) -> None:
        name = self.table.name
        match step:
            case Record(event=SetAside(reason=reason)):
                hold(connection, item, reason, name)
            case Record():
                connection.execute(
                    "UPDATE relay SET answer = ?, answered_at = ?, message = x'',"
                    " claimed_by = '', leased_until = '' WHERE item = ?",
                    (self._answers.pop(item.item_id), write_time(now), item.item_id),
                )
            case Later(wait_s=wait_s, note=note):
                put_off(connection, item, now + timedelta(seconds=wait_s), note, name)
            case NotSent(note=note):
                give_back(connection, item, note, name)
            case Hold(why=why):
                hold(connection, item, why, name)

    def _sale(self, item: OutboxItem) -> Transaction:
        """As much of the sale as an answer is judged by."""
        with self._store.read() as connection:
            found = rows(
                connection,
                "SELECT amount_minor, currency, since FROM relay WHERE item = ?",
                (item.item_id,),
            )
        if not found:
            raise StoreError("The ledger has lost a sale that it forwards for another till.")
        minor, currency, since = found[0]
        at = read_time(since)
        amount = Amount(minor, Currency.of(currency))
        return Transaction(item.txn_id, 0, _STATES[item.kind], amount, at, at)
