"""The audit log: who did what and when, append-only, in the same file as the sales.

Rules of this file: an entry is never changed and never holds card data or a PIN. What is done
in the same SQL transaction as its entry (``note``) cannot happen without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import apsw

from offline_queue.events import read_time, write_time
from offline_queue.sql import rows
from offline_queue.store import Store

NOTHING: Mapping[str, str | int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log. ``who`` is a name of the staff, or ``till`` for the till itself."""

    number: int
    at: datetime
    who: str
    what: str
    detail: Mapping[str, str | int]


def note(
    connection: apsw.Connection,
    at: datetime,
    who: str,
    what: str,
    detail: Mapping[str, str | int] = NOTHING,
) -> None:
    """Adds an entry in the caller's SQL transaction."""
    text = json.dumps(dict(detail), ensure_ascii=False, sort_keys=True)
    connection.execute(
        "INSERT INTO audit (at, who, what, detail) VALUES (?, ?, ?, ?)",
        (write_time(at), who, what, text),
    )


class Audit:
    """The log of one ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(
        self, at: datetime, who: str, what: str, detail: Mapping[str, str | int] = NOTHING
    ) -> None:
        """Adds an entry, synced to disk.

        Raises:
            StoreError: nothing was recorded.
        """
        with self._store.write() as connection:
            note(connection, at, who, what, detail)

    def entries(self, *, limit: int = 100) -> list[AuditEntry]:
        """The latest entries, newest first.

        Raises:
            StoreError: the ledger cannot be read.
        """
        with self._store.read() as connection:
            found = rows(
                connection,
                "SELECT entry, at, who, what, detail FROM audit ORDER BY entry DESC LIMIT ?",
                (limit,),
            )
        return [
            AuditEntry(number, read_time(at), who, what, MappingProxyType(json.loads(detail)))
            for number, at, who, what, detail in found
        ]
