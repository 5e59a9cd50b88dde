"""What waits for the acquirer, and who may send it now.

Rules of this file: claim, send, acknowledge, and never delete then do. An attempt is counted
on the disk before its bytes leave, so that a copy sent after a crash goes out as a repeat.
Reversals outrank everything; a message that has to wait holds up no other. The 0200 of a sale
in hand belongs to the till's thread and cannot be claimed. Which state a sale is in decides
whether its message may go, so one that is set aside stays where it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import apsw

from offline_queue.events import read_time, write_time
from offline_queue.sql import one, rows
from offline_queue.store import Store
from terminal.errors import StoreError
from terminal.ledger import Kind, OutboxItem
from terminal.transaction import State

LONGEST_WAIT_S = 900.0
"""Nothing may be put off, or leased, for longer than this."""

_FORWARDABLE = (
    f"((kind = '{Kind.REVERSAL.value}' AND state = '{State.UNKNOWN.value}')"
    f" OR (kind = '{Kind.ADVICE.value}' AND state = '{State.STORED.value}'))"
)
# A time further ahead than anything may be put off was written before the clock was set back,
# as happens to a board without a battery: it counts as past.
_DUE = "(not_before <= :due OR not_before > :horizon)"
_FREE = "(leased_until <= :now OR leased_until > :horizon)"

# The parts are constants of this file, never input.
_NEXT = (
    "SELECT item, txn_id, key, kind, message, attempts FROM outbox JOIN txn USING (txn_id)"  # noqa: S608
    f" WHERE {_FORWARDABLE} AND {_DUE} AND {_FREE}"
    f" ORDER BY kind = '{Kind.REVERSAL.value}' DESC, item LIMIT 1"
)
# The same constants.
_NEXT_DUE = (
    "SELECT min(CASE WHEN not_before > :horizon THEN '' ELSE max(not_before, leased_until) END)"  # noqa: S608
    f" FROM outbox JOIN txn USING (txn_id) WHERE {_FORWARDABLE}"
)


class Outbox:
    """The messages of the ledger that a forwarder may send."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(
        self, now: datetime, *, owner: str, lease_s: float, due: datetime | None = None
    ) -> OutboxItem | None:
        """The next message to send, counted as sent, and nobody else's until the lease ends.

        Its ``attempts`` include the send that follows: from 2 on it must go out as a repeat.
        ``due`` (``now`` where not given) is the time up to which messages count as due.

        Raises:
            StoreError: nothing was claimed, and nothing may be sent.
        """
        until = now + _wait(lease_s)
        times = {
            "now": write_time(now),
            "due": write_time(due or now),
            "horizon": write_time(now + _wait(LONGEST_WAIT_S)),
        }
        with self._store.write() as connection:
            found = rows(connection, _NEXT, times)
            if not found:
                return None
            item_id, txn_id, key, kind, message, attempts = found[0]
            connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, claimed_by = ?, leased_until = ?"
                " WHERE item = ?",
                (owner, write_time(until), item_id),
            )
        return OutboxItem(item_id, txn_id, key, Kind(kind), message, attempts + 1)

    def retry_later(self, item: OutboxItem, not_before: datetime, note: str) -> None:
        """Ends the claim; the message goes out again from ``not_before`` on.

        Raises:
            StoreError: nothing was recorded; the lease ends by itself.
        """
        with self._store.write() as connection:
            connection.execute(
                "UPDATE outbox SET not_before = ?, note = ?, claimed_by = '', leased_until = ''"
                " WHERE item = ?",
                (write_time(not_before), note, item.item_id),
            )

    def give_back(self, item: OutboxItem, note: str) -> None:
        """Ends the claim of a message of which nothing left, so that it counts as not sent.

        Raises:
            StoreError: nothing was recorded; the lease ends by itself.
        """
        with self._store.write() as connection:
            connection.execute(
                "UPDATE outbox SET attempts = attempts - 1, note = ?, claimed_by = '',"
                " leased_until = '' WHERE item = ? AND attempts = ?",
                (note, item.item_id, item.attempts),
            )

    def make_due(self) -> int:
        """Lets everything that was put off go out now; how many messages that are.

        Raises:
            StoreError: nothing was recorded.
        """
        with self._store.write() as connection:
            connection.execute("UPDATE outbox SET not_before = '' WHERE not_before <> ''")
            return connection.changes()

    def seconds_to_next(self, now: datetime) -> float | None:
        """How long until a message may go out: 0 when one may now, None when none waits.

        Raises:
            StoreError: the ledger cannot be read.
        """
        with self._store.read() as connection:
            horizon = write_time(now + _wait(LONGEST_WAIT_S))
            earliest = one(connection, _NEXT_DUE, {"horizon": horizon})
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
            return int(one(connection, "SELECT count(*) FROM outbox"))


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


def _wait(seconds: float) -> timedelta:
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise AssertionError(f"a wait of {seconds} s is longer than the outbox allows")
    return timedelta(seconds=seconds)
