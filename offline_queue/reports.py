"""What the screen, the command line and the end of the day ask of the ledger.

Rules of this file: reading only, over the till's own store or a read-only one. The pending
total is the sum over every state that is not final, so that nothing can wait unseen. Training
sales are listed and never added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from offline_queue import projection
from offline_queue.events import read_time
from offline_queue.sql import one, rows
from offline_queue.store import Store
from terminal.errors import StoreError
from terminal.ledger import Kind
from terminal.money import Amount, Currency
from terminal.transaction import FINAL, State, Transaction

# States are constants of the code, never input.
# Said by what they are, not by what they are not, so that an index finds them among a million.
_OPEN = "state IN ({})".format(
    ", ".join(f"'{state.value}'" for state in State if state not in FINAL)
)


@dataclass(frozen=True, slots=True)
class Pending:
    """Every sale without a final answer: how many, how much, and since when."""

    count: int
    totals: Mapping[Currency, int]
    oldest_at: datetime | None

    def total(self, currency: Currency) -> Amount:
        """The sum in one currency.

        Raises:
            AmountError: it has more than twelve digits.
        """
        return Amount(self.totals.get(currency, 0), currency)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One sale that waits, and why.

    ``kind`` is the message that is queued for it, None before there is one. ``attempts`` counts
    the sends that may have reached the acquirer. ``next_try`` is None when it is due now, or
    when only a person can move it on. ``held`` says why its message waits for a person, and
    ``bundle`` in which bundle another till was handed it; both are empty where that is not so.
    """

    transaction: Transaction
    kind: Kind | None
    attempts: int
    next_try: datetime | None
    reason: str
    held: str = ""
    bundle: str = ""


@dataclass(frozen=True, slots=True)
class RelayRow:
    """A sale of another till that this one forwards."""

    bundle: str
    terminal_id: str
    txn_id: str
    amount: Amount
    attempts: int
    note: str


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """The sales of a batch that have this currency, scheme and state; sums in minor units."""

    currency: Currency
    scheme: str
    state: State
    count: int
    amount_minor: int
    approved_minor: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of sales, from one end of day to the next. ``closed_at`` is None while open."""

    number: int
    opened_at: datetime
    closed_at: datetime | None


class Reports:
    """Questions to the ledger. Every method raises StoreError where it cannot be read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def pending(self) -> Pending:
        """The sum over all states that are not final."""
        with self._store.read() as connection:
            # Only the names of states are put in.
            found = rows(
                connection,
                "SELECT currency, count(*), sum(amount_minor), min(created_at) FROM txn"  # noqa: S608
                f" WHERE {_OPEN} AND training = 0 GROUP BY currency ORDER BY currency",
            )
        return Pending(
            count=sum(row[1] for row in found),
            totals=MappingProxyType({Currency.of(row[0]): row[2] for row in found}),
            oldest_at=read_time(min(row[3] for row in found)) if found else None,
        )

    def queue(self) -> list[QueueRow]:
        """Every sale that is not final, in the order in which its message will go out."""
        columns = "kind, attempts, not_before, note, held, bundle"
        with self._store.read() as connection:
            found = rows(
                connection,
                f"{projection.SELECT.replace(' FROM txn', f', {columns} FROM txn')}"
                f" LEFT JOIN outbox USING (txn_id) WHERE {_OPEN}"
                " ORDER BY kind IS 'reversal' DESC, item IS NULL, item, sequence",
            )
        return [_queue_row(row[:-6], *row[-6:]) for row in found]

    def holds(self) -> list[Transaction]:
        """The holds that have neither been taken nor released, oldest first."""
        return self._in_state(State.HELD)

    def awaited(self) -> list[Transaction]:
        """The bank transfers that nobody has confirmed, oldest first."""
        return self._in_state(State.AWAITED)

    def _in_state(self, state: State) -> list[Transaction]:
        with self._store.read() as connection:
            found = rows(
                connection,
                f"{projection.SELECT} WHERE state = ? AND training = 0 ORDER BY sequence",
                (state.value,),
            )
        return [projection.transaction_of(row) for row in found]

    def relayed(self) -> list[RelayRow]:
        """What this till forwards for others and has no answer for, oldest first."""
        with self._store.read() as connection:
            found = rows(
                connection,
                "SELECT bundle, other, relay.txn_id, amount_minor, currency, attempts, note"
                " FROM relay JOIN bundle ON bundle.name = relay.bundle"
                " WHERE answered_at = '' ORDER BY item",
            )
        return [
            RelayRow(bundle, other, txn_id, Amount(minor, Currency.of(code)), attempts, note)
            for bundle, other, txn_id, minor, code, attempts, note in found
        ]

    def transactions(self, *, limit: int = 50, batch: int | None = None) -> list[Transaction]:
        """The latest sales, newest first; of one batch, or of all."""
        with self._store.read() as connection:
            found = rows(
                connection,
                f"{projection.SELECT} WHERE :batch IS NULL OR batch = :batch"
                " ORDER BY sequence DESC LIMIT :limit",
                {"batch": batch, "limit": limit},
            )
        return [projection.transaction_of(row) for row in found]

    def totals(self, batch: int) -> list[TotalsRow]:
        """The sales of a batch, added up by currency, scheme and state."""
        with self._store.read() as connection:
            found = rows(
                connection,
                "SELECT currency, scheme, state, count(*), sum(amount_minor), sum(approved_minor)"
                " FROM txn WHERE batch = ? AND training = 0 GROUP BY currency, scheme, state"
                " ORDER BY currency, scheme, state",
                (batch,),
            )
        return [
            TotalsRow(Currency.of(code), scheme or "", State(state), count, amount, approved)
            for code, scheme, state, count, amount, approved in found
        ]

    def batches(self) -> list[Batch]:
        """Every batch, newest first; the first is the open one."""
        with self._store.read() as connection:
            found = rows(
                connection,
                "SELECT number, opened_at, closed_at FROM batch ORDER BY number DESC",
            )
        return [
            Batch(number, read_time(opened), read_time(closed) if closed else None)
            for number, opened, closed in found
        ]

    def open_batch(self) -> int:
        """The number of the batch that sales enter now."""
        with self._store.read() as connection:
            if not one(connection, "SELECT count(*) FROM batch WHERE closed_at IS NULL"):
                raise StoreError("The ledger has no open batch.", remedy="Start the till once.")
            return int(one(connection, "SELECT number FROM batch WHERE closed_at IS NULL"))


def _queue_row(
    row: tuple[object, ...],
    kind: str | None,
    attempts: int | None,
    not_before: str,
    note: str,
    held: str | None,
    bundle: str | None,
) -> QueueRow:
    sale = projection.transaction_of(row)
    waits = not_before and not held and sale.state in {State.STORED, State.UNKNOWN}
    return QueueRow(
        transaction=sale,
        kind=Kind(kind) if kind else None,
        attempts=attempts or 0,
        next_try=read_time(not_before) if waits else None,
        reason=held or note or sale.reason,
        held=held or "",
        bundle=bundle or "",
    )
