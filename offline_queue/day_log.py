"""The events of the day that are no transaction's: written and read by subject.

Rules of this file: append-only like ``event``, and held by the same chain of MACs.
"""

from __future__ import annotations

from typing import get_args

import apsw

from offline_queue.events import StoredEvent, decode_as, encode
from offline_queue.sql import rows
from terminal.day_events import DayEvent

DAY_EVENT_TYPES: dict[str, type[DayEvent]] = {kind.__name__: kind for kind in get_args(DayEvent)}
"""Every event of the day by the name under which it is stored."""


def add(connection: apsw.Connection, subject: str, event: DayEvent) -> None:
    """Adds an event, in the caller's SQL transaction."""
    stored = encode(event)
    connection.execute(
        "INSERT INTO day_event (subject, type, at, payload) VALUES (?, ?, ?, ?)",
        (subject, stored.type, stored.at, stored.payload),
    )


def events_since(connection: apsw.Connection, subject: str, kind: str) -> list[DayEvent]:
    """The events about a subject from the last of this kind on, oldest first; none without one.

    Raises:
        StoreError: one is unreadable.
    """
    found = rows(
        connection,
        "SELECT type, at, payload FROM day_event WHERE subject = :subject AND seq >="
        " (SELECT max(seq) FROM day_event WHERE subject = :subject AND type = :kind) ORDER BY seq",
        {"subject": subject, "kind": kind},
    )
    return [decode_as(DAY_EVENT_TYPES, StoredEvent(*row)) for row in found]


def events_of(connection: apsw.Connection, subject: str) -> list[DayEvent]:
    """The events about a subject, oldest first.

    Raises:
        StoreError: one is unreadable.
    """
    found = rows(
        connection,
        "SELECT type, at, payload FROM day_event WHERE subject = ? ORDER BY seq",
        (subject,),
    )
    return [decode_as(DAY_EVENT_TYPES, StoredEvent(*row)) for row in found]
