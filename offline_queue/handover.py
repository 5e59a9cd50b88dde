"""Handing what waits to another till, which forwards it once, and taking its answers back.

Rules of this file: what is handed over stays in this ledger, with its amount, in the pending
total, until its answer is back; it is marked in the same SQL transaction in which the file is
written, so it is either in the file or still this till's to send. A file is for one till, which
takes it once. Every message keeps its bytes and numbers, so that even two tills that send it
are one sale to the acquirer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import apsw

from offline_queue import audit
from offline_queue.bundle import ANSWERS, SALES, Bundle, Parcel, new_code, seal
from offline_queue.events import write_time
from offline_queue.journal import SqlJournal
from offline_queue.relay import Judge
from offline_queue.sql import rows
from terminal.delivery import Done
from terminal.errors import StoreError
from terminal.ledger import Kind, OutboxItem
from terminal.ports import Clock, Entropy
from terminal.transaction import Transaction

Write = Callable[[bytes], None]
"""Puts the bytes into a file and syncs it; raises StoreError where it cannot."""


_TAKE_IN = """
    INSERT INTO relay
        (bundle, txn_id, key, kind, message, amount_minor, currency, since, attempts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
        bundle = excluded.bundle, attempts = max(attempts, excluded.attempts), not_before = '',
        held = '', note = '', silences = 0, claimed_by = '', leased_until = '', fence = fence + 1
"""
"""What was taken back and is handed over once more is forwarded on, and an answer it has stays."""


@dataclass(frozen=True, slots=True)
class Till:
    """Who hands over, or is handed to: DE 41, and the key id of its acquirer."""

    terminal_id: str
    acquirer: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What was written: the bundle's name, the code that opens it, how many messages."""

    name: str
    code: str
    messages: int


class Handover:
    """Bundles out of and into one ledger.

    Args:
        journal: the ledger, open for writing.
        me: this till.
        clock: dates the bundles.
        entropy: names, codes and nonces.
    """

    def __init__(self, journal: SqlJournal, me: Till, clock: Clock, entropy: Entropy) -> None:
        self._journal = journal
        self._store = journal.store
        self._me = me
        self._clock = clock
        self._entropy = entropy

    def give(self, receiver: str, write: Write, *, who: str = "") -> HandedOver:
        """Everything that waits, as a file for the till ``receiver``.

        Raises:
            StoreError: nothing waits, or the file cannot be written; nothing was changed.
        """
        if receiver == self._me.terminal_id:
            raise StoreError("A till cannot hand its sales over to itself.")
        with self._store.write() as connection:
            found = rows(
                connection,
                "SELECT item, txn_id, key, kind, message, attempts, amount_minor, currency,"
                " changed_at FROM outbox JOIN txn USING (txn_id)"
                " WHERE kind <> 'sale' AND bundle = '' ORDER BY kind = 'reversal' DESC, item",
            )
            if not found:
                raise StoreError("Nothing waits that could be handed over.")
            name = self._entropy.random_bytes(8).hex()
            parcels = tuple(Parcel(*row[1:]) for row in found)
            held = f"Handed over to till {receiver}, bundle {name}."
            for item, *_ in found:
                connection.execute(
                    "UPDATE outbox SET bundle = ?, held = ?, note = ? WHERE item = ?",
                    (name, held, held, item),
                )
            self._note(connection, name, "out", receiver, len(parcels), who)
            return self._written(SALES, name, receiver, parcels, write)

    def take(self, bundle: Bundle, *, who: str = "") -> int:
        """Takes another till's messages in, once; how many.

        Raises:
            StoreError: they are not for this till or its acquirer, or are here already.
        """
        self._require_mine(bundle, SALES)
        if bundle.acquirer != self._me.acquirer:
            raise StoreError(
                f"The sales are sealed for the acquirer with the key {bundle.acquirer}, and this"
                f" till's has the key {self._me.acquirer}.",
                remedy="Hand them to a till of the same acquirer.",
            )
        with self._store.write() as connection:
            if rows(connection, "SELECT 1 FROM bundle WHERE name = ?", (bundle.name,)):
                raise StoreError(
                    f"The bundle {bundle.name} of till {bundle.sender} was taken in before.",
                    remedy="Nothing is to be done: it is forwarded once.",
                )
            self._note(connection, bundle.name, "in", bundle.sender, len(bundle.parcels), who)
            for parcel in bundle.parcels:
                values = (
                    *(bundle.name, parcel.txn_id, parcel.key, parcel.kind, parcel.content),
                    *(parcel.amount_minor, parcel.currency, parcel.since, parcel.attempts),
                )
                # What was here about the sale before, as its void comes after the sale, is over.
                connection.execute(
                    "DELETE FROM relay WHERE key = ? AND kind <> ?", (parcel.key, parcel.kind)
                )
                connection.execute(_TAKE_IN, values)
        return len(bundle.parcels)

    def answer(self, name: str, write: Write) -> HandedOver:
        """The answers that this till has had for a bundle, as a file for the till it came from.

        It may be written again, with more answers in it.

        Raises:
            StoreError: the bundle is not known here, has no answer yet, or cannot be written.
        """
        with self._store.read() as connection:
            other = rows(
                connection, "SELECT other FROM bundle WHERE name = ? AND handed = 'in'", (name,)
            )
            found = rows(
                connection,
                "SELECT txn_id, key, kind, answer, attempts, amount_minor, currency, since"
                " FROM relay WHERE bundle = ? AND answered_at <> '' ORDER BY item",
                (name,),
            )
        if not other:
            raise StoreError(f"This till has taken in no bundle {name!r}.")
        if not found:
            raise StoreError(
                f"The bundle {name} has no answer yet.", remedy="Forward it first: taptill sync."
            )
        ((sender,),) = other
        return self._written(ANSWERS, name, sender, tuple(Parcel(*row) for row in found), write)

    def learn(self, bundle: Bundle, judge: Judge) -> list[Transaction]:
        """Takes in the answers to what was handed over; the sales that have their end now.

        Each answer is judged as if this till had received it. One that is here already changes
        nothing.

        Raises:
            StoreError: the file is not for this till.
        """
        self._require_mine(bundle, ANSWERS)
        moved = []
        for parcel in bundle.parcels:
            item = self._handed_over(bundle.name, parcel)
            if item is None:
                continue
            sale = self._journal.transaction(item.txn_id)
            verdict = judge(item, sale, parcel.content, self._clock.now())
            if isinstance(verdict, Done):
                moved.append(self._journal.commit(item.txn_id, verdict.event, done=item))
        return moved

    def _handed_over(self, name: str, parcel: Parcel) -> OutboxItem | None:
        with self._store.read() as connection:
            found = rows(
                connection,
                "SELECT item, txn_id, key, kind, message, fence FROM outbox"
                " WHERE key = ? AND bundle = ?",
                (parcel.key, name),
            )
        if not found:
            return None
        item_id, txn_id, key, kind, message, fence = found[0]
        return OutboxItem(item_id, txn_id, key, Kind(kind), message, parcel.attempts, fence)

    def _require_mine(self, bundle: Bundle, kind: str) -> None:
        if bundle.kind != kind:
            raise AssertionError(f"a bundle of {bundle.kind} was given for one of {kind}")
        if bundle.receiver != self._me.terminal_id:
            raise StoreError(
                f"The file is for till {bundle.receiver}, and this is {self._me.terminal_id}.",
                remedy="Take it to that till.",
            )

    def _written(
        self, kind: str, name: str, receiver: str, parcels: tuple[Parcel, ...], write: Write
    ) -> HandedOver:
        at = write_time(self._clock.now())
        me = self._me
        bundle = Bundle(kind, name, me.terminal_id, receiver, me.acquirer, at, parcels)
        code = new_code(self._entropy.random_bytes)
        write(seal(bundle, code, self._entropy.random_bytes))
        return HandedOver(name, code, len(parcels))

    def _note(
        self,
        connection: apsw.Connection,
        name: str,
        handed: str,
        other: str,
        messages: int,
        who: str,
    ) -> None:
        at = self._clock.now()
        values = (name, handed, other, messages, write_time(at))
        connection.execute(
            "INSERT INTO bundle (name, handed, other, messages, at) VALUES (?, ?, ?, ?, ?)", values
        )
        detail: dict[str, str | int] = {"bundle": name, "till": other, "messages": messages}
        audit.note(connection, at, who or "till", f"queue handed {handed}", detail)
