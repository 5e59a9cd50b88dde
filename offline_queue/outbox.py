"""What waits for the acquirer, and who may send it now.

Rules of this file: claim, send, acknowledge, and never delete then do. An attempt is counted
on the disk before its bytes leave, so that a copy sent after a crash goes out as a repeat.
Reversals outrank everything; a message that has to wait holds up no other. Each claim has a
fence, a number that only grows, so that a forwarder whose lease ran out can record nothing about
what another has taken over. The 0200 of a sale in hand belongs to the till's thread and cannot
be claimed. Which state a sale is in decides
whether its message may go, so one that is set aside stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import apsw

from offline_queue.events import read_time, write_time
from offline_queue.sql import one, rows
from offline_queue.store import Store
from terminal.errors import StoreError
from terminal.ledger import Kind, OutboxItem
from terminal.money import Currency
from terminal.transaction import State

LONGEST_WAIT_S = 900.0
"""Nothing may be put off, or leased, for longer than this."""

_FORWARDABLE = (
    f"(held = '' AND ((kind = '{Kind.REVERSAL.value}'"
    f" AND state IN ('{State.UNKNOWN.value}', '{State.VOIDING.value}'))"
    f" OR (kind = '{Kind.ADVICE.value}' AND state = '{State.STORED.value}')))"
)
# A time further ahead than anything may be put off was written before the clock was set back,
# as happens to a board without a battery: it counts as past.
_DUE = "(not_before <= :due OR not_before > :horizon)"
_FREE = "(leased_until <= :now OR leased_until > :horizon)"


@dataclass(frozen=True, slots=True)
class Table:
    """Where messages wait: a table's name, the rows to choose from, and which may be sent.

    All three are constants of the code, never input.
    """

    name: str
    rows: str
    forwardable: str

    @property
    def next(self) -> str:
        """The next messages. In the order of the rows, where SQLite can stop at the limit."""
        return (
            "SELECT item, txn_id, key, kind, message, attempts, fence"  # noqa: S608 - as above
            f" FROM {self.rows} WHERE kind = :kind AND {self.forwardable} AND {_DUE} AND {_FREE}"
            " ORDER BY item LIMIT :limit"
        )

    @property
    def next_due(self) -> str:
        """When the next message may go out."""
        return (
            "SELECT min(CASE WHEN not_before > :horizon THEN ''"  # noqa: S608 - as above
            " ELSE max(not_before, leased_until) END)"
            f" FROM {self.rows} WHERE {self.forwardable}"
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages wait for the forwarder, and the sums of their sales in minor units."""

    count: int
    minor: Mapping[Currency, int]


class Outbox:
    """The messages of the ledger that a forwarder may send."""

    table = Table("outbox", "outbox JOIN txn USING (txn_id)", _FORWARDABLE)

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(
        self, now: datetime, *, owner: str, lease_s: float, due: datetime | None = None
    ) -> OutboxItem | None:
        """The next message to send: as ``claim_several``, for one.

        Raises:
            StoreError: nothing was claimed, and nothing may be sent.
        """
        found = self.claim_several(now, owner=owner, lease_s=lease_s, due=due, limit=1)
        return found[0] if found else None

    def claim_several(
        self,
        now: datetime,
        *,
        owner: str,
        lease_s: float,
        limit: int,
        due: datetime | None = None,
    ) -> list[OutboxItem]:
        """The next messages to send, counted as sent, and nobody else's until the lease ends.

        Reversals come first. An item's ``attempts`` include the send that follows: from 2 on it
        must go out as a repeat. Its ``fence`` is new with each claim: whoever has lost a claim
        can record nothing about it any more. ``due`` (``now`` where not given) is the time up to
        which messages count as due.

        Raises:
            StoreError: nothing was claimed, and nothing may be sent.
        """
        until = write_time(now + _wait(lease_s))
        times = {
            "now": write_time(now),
            "due": write_time(due or now),
            "horizon": write_time(now + _wait(LONGEST_WAIT_S)),
        }
        claimed: list[OutboxItem] = []
        with self._store.write() as connection:
            for kind in (Kind.REVERSAL, Kind.ADVICE):
                room = limit - len(claimed)
                wanted = {**times, "kind": kind.value, "limit": room}
                for row in rows(connection, self.table.next, wanted) if room else []:
                    item_id, txn_id, key, _, message, attempts, fence = row
                    claimed.append(
                        OutboxItem(item_id, txn_id, key, kind, message, attempts + 1, fence + 1)
                    )
            for item in claimed:
                connection.execute(
                    # The name is a constant of the code.
                    f"UPDATE {self.table.name} SET attempts = attempts + 1, fence = fence + 1,"  # noqa: S608 - our name
                    " claimed_by = ?, leased_until = ? WHERE item = ?",
                    (owner, until, item.item_id),
                )
        return claimed

    def count_silences(self, items: Sequence[OutboxItem]) -> list[OutboxItem]:
        """Notes that these had no answer while the host answers others; who had it how often.

        The items that come back are those given, with ``silences`` as it is now.

        Raises:
            StoreError: nothing was recorded.
        """
        counted = []
        with self._store.write() as connection:
            for item in items:
                found = rows(
                    connection,
                    # The name is a constant of the code.
                    f"UPDATE {self.table.name} SET silences = silences + 1"  # noqa: S608 - our name
                    " WHERE item = ? AND fence = ?"
                    " RETURNING silences",
                    (item.item_id, item.fence),
                )
                counted += [replace(item, silences=silences) for (silences,) in found]
        return counted

    def waiting(self) -> Waiting:
        """What a forwarder has before it, due or not.

        Raises:
            StoreError: the ledger cannot be read.
        """
        with self._store.read() as connection:
            # Only constants of the code are put in.
            found = rows(
                connection,
                "SELECT currency, count(*), sum(amount_minor)"  # noqa: S608
                f" FROM {self.table.rows} WHERE {self.table.forwardable} GROUP BY currency",
            )
        sums = {Currency.of(code): minor for code, _, minor in found}
        return Waiting(sum(count for _, count, _ in found), MappingProxyType(sums))

    def make_due(self) -> int:
        """Lets everything that was put off go out now; how many messages that are.

        Raises:
            StoreError: nothing was recorded.
        """
        with self._store.write() as connection:
            # The name is a constant of the code.
            connection.execute(
                f"UPDATE {self.table.name} SET not_before = '' WHERE not_before <> ''"  # noqa: S608
            )
            return connection.changes()

    def seconds_to_next(self, now: datetime) -> float | None:
        """How long until a message may go out: 0 when one may now, None when none waits.

        Raises:
            StoreError: the ledger cannot be read.
        """
        with self._store.read() as connection:
            horizon = write_time(now + _wait(LONGEST_WAIT_S))
            earliest = one(connection, self.table.next_due, {"horizon": horizon})
        if earliest is None:
            return None
        if earliest == "":
            return 0.0
        return max(0.0, (read_time(earliest) - now).total_seconds())

    def count(self) -> int:
        """How many messages are in the outbox, whoever they belong to.

        Raises:
            StoreError: the ledger cannot be read.
        """
        with self._store.read() as connection:
            # The name is a constant of the code.
            return int(one(connection, f"SELECT count(*) FROM {self.table.name}"))  # noqa: S608


def item_of(connection: apsw.Connection, txn_id: str) -> OutboxItem:
    """The message that is queued for a sale.

    Raises:
        StoreError: there is none.
    """
    found = rows(
        connection,
        "SELECT item, key, kind, message, attempts FROM outbox WHERE txn_id = ?",
        (txn_id,),
    )
    if not found:
        raise StoreError(f"The ledger has lost the message of sale {txn_id!r}.")
    item_id, key, kind, message, attempts = found[0]
    return OutboxItem(item_id, txn_id, key, Kind(kind), message, attempts)


def require_acquirer(connection: apsw.Connection, acquirer: str) -> None:
    """Refuses an acquirer that knows nothing of what waits.

    It would answer a reversal with "never heard of it", and the sale would be called reversed
    while the other acquirer keeps the money. What is set aside is never sent, and may stay.

    Raises:
        StoreError: messages wait for another one.
    """
    found = rows(
        connection,
        "SELECT acquirer, count(*) FROM outbox JOIN txn USING (txn_id)"
        " WHERE acquirer NOT IN ('', ?) AND state <> ? GROUP BY acquirer",
        (acquirer, State.SET_ASIDE.value),
    )
    for other, count in found:
        raise StoreError(
            f"{count} of the ledger's sales wait for the acquirer with the sealing key {other},"
            f" and the one that is configured has the key {acquirer}.",
            remedy="Name that acquirer and key once more and forward them with taptill sync; or"
            " use another --data folder for the new one.",
        )


def has_claim(connection: apsw.Connection, item: OutboxItem, table: str = "outbox") -> bool:
    """Whether nobody has claimed the message anew, or ended it, since ``item`` was handed out."""
    # Here and below the name of the table is a constant of the code.
    found = rows(connection, f"SELECT fence FROM {table} WHERE item = ?", (item.item_id,))  # noqa: S608
    return found == [(item.fence,)]


def put_off(
    connection: apsw.Connection,
    item: OutboxItem,
    not_before: datetime,
    note: str,
    table: str = "outbox",
) -> bool:
    """Ends a claim inside a transaction; False where the claim was lost to another forwarder."""
    values = (write_time(not_before), note)
    return _released(connection, item, table, "not_before = ?, note = ?", values)


def give_back(
    connection: apsw.Connection, item: OutboxItem, note: str, table: str = "outbox"
) -> bool:
    """Ends a claim, and counts the message as not sent; False where the claim was lost."""
    return _released(connection, item, table, "attempts = attempts - 1, note = ?", (note,))


def hold(connection: apsw.Connection, item: OutboxItem, why: str, table: str = "outbox") -> bool:
    """Lets a message wait for a person; False where the claim was lost."""
    return _released(connection, item, table, "held = ?, note = ?", (why, why))


def _released(
    connection: apsw.Connection, item: OutboxItem, table: str, change: str, values: tuple[str, ...]
) -> bool:
    connection.execute(
        # Constants again.
        f"UPDATE {table} SET {change}, claimed_by = '', leased_until = ''"  # noqa: S608 - our name
        " WHERE item = ? AND fence = ?",
        (*values, item.item_id, item.fence),
    )
    return bool(connection.changes())


def _wait(seconds: float) -> timedelta:
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise AssertionError(f"a wait of {seconds} s is longer than the outbox allows")
    return timedelta(seconds=seconds)
