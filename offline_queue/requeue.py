"""A person sends a message round again that has been waiting for one.

Rules of this file: the message keeps its bytes, and goes out as a repeat if it may ever have
left; only the waiting starts anew. What another till was handed is not taken back by the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from offline_queue import audit
from offline_queue.journal import SqlJournal
from offline_queue.outbox import require_acquirer
from offline_queue.sql import rows
from terminal.errors import StoreError
from terminal.ports import Clock
from terminal.transaction import Requeued, State, Transaction


@dataclass(frozen=True, slots=True)
class _Waiting:
    txn_id: str
    state: str
    held: str
    bundle: str


def requeue(
    journal: SqlJournal,
    clock: Clock,
    number: str,
    *,
    acquirer: str,
    take_back: bool = False,
    who: str = "",
) -> Transaction:
    """Lets sale ``number`` (its sequence, or its reference) go out again; the sale as it is now.

    Raises:
        StoreError: there is no such sale, nothing of it waits, it waits for another acquirer, or
            it was handed to another till and is not to be taken back.
    """
    with journal.store.read() as connection:
        found = rows(
            connection,
            "SELECT txn_id, state, held, bundle FROM outbox JOIN txn USING (txn_id)"
            " WHERE txn_id = ? OR CAST(sequence AS TEXT) = ?",
            (number, number),
        )
        if found:
            require_acquirer(connection, acquirer)
            _require_own(connection, found[0][0], acquirer)
    if not found:
        raise StoreError(
            f"Nothing of sale {number!r} waits for the acquirer.",
            remedy="taptill queue lists what waits, with the number of each sale.",
        )
    waiting = _Waiting(*found[0])
    if waiting.bundle and not take_back:
        raise StoreError(
            f"{waiting.held} That till forwards it.",
            remedy="If it never will, say --take-back: the acquirer takes both for one sale, as"
            " long as it remembers the first.",
        )
    now = clock.now()
    if waiting.state == State.SET_ASIDE.value:
        journal.commit(waiting.txn_id, Requeued(now))
    with journal.store.write() as connection:
        # One send at most is kept of the count: it makes the next one a repeat, and a prompt one.
        connection.execute(
            "UPDATE outbox SET attempts = min(attempts, 1), silences = 0, not_before = '',"
            " held = '', bundle = '', note = '', claimed_by = '', leased_until = '',"
            " fence = fence + 1 WHERE txn_id = ?",
            (waiting.txn_id,),
        )
        if waiting.bundle:
            # The other till may have sent it.
            connection.execute("UPDATE outbox SET attempts = 1 WHERE txn_id = ?", (waiting.txn_id,))
        detail: dict[str, str | int] = {"sale": waiting.txn_id, "from": waiting.bundle}
        audit.note(connection, now, who or "till", "queue retry", detail)
    return journal.transaction(waiting.txn_id)


def _require_own(connection: apsw.Connection, txn_id: str, acquirer: str) -> None:
    found = rows(connection, "SELECT acquirer FROM outbox WHERE txn_id = ?", (txn_id,))
    if found and found[0][0] not in {"", acquirer}:
        raise StoreError(
            f"The sale is sealed for the acquirer with the key {found[0][0]}, and the one that is"
            f" configured has the key {acquirer}.",
            remedy="Name that acquirer and key once more, and try again.",
        )
