"""Whether the till's clock can be believed: the latest time seen, and the host's.

Rules of this file: the latest time is raised with each sale's intent, so that a clock that was
set back is noticed, also across a restart. Only the host's own time clears it: what a person or
a network time server has set may be wrong again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import apsw

from offline_queue.events import read_time, write_time
from offline_queue.sql import rows

TOLERANCE = timedelta(minutes=2)
"""How far a clock may go back, or be from the host's, before it is not believed."""

_LATEST = "latest time"


def note_time(connection: apsw.Connection, now: datetime) -> None:
    """Raises the latest time that was seen."""
    connection.execute(
        "INSERT INTO mark (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > value",
        (_LATEST, write_time(now)),
    )


def set_back_s(connection: apsw.Connection, now: datetime) -> int:
    """How many seconds the clock stands behind the latest time, 0 within the tolerance."""
    found = rows(connection, "SELECT value FROM mark WHERE name = ?", (_LATEST,))
    behind = read_time(found[0][0]) - now if found else timedelta()
    return int(behind.total_seconds()) if behind > TOLERANCE else 0


def believe(connection: apsw.Connection, now: datetime, host_time: datetime) -> bool:
    """Takes in the host's time; whether the clock agrees with it, and is believed from now on."""
    if abs(host_time - now) > TOLERANCE:
        return False
    connection.execute(
        "UPDATE mark SET value = ? WHERE name = ? AND value > ?",
        (write_time(now), _LATEST, write_time(now + TOLERANCE)),
    )
    return True
