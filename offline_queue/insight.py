"""Where payments hurt: what a merchant can do something about, from the ledger alone.

Rules of this file: reading only, over transactions of some days; no card data but the keyed
fingerprint, which is counted and never shown. Every figure has its base beside it, so that three
sales are not taken for a trend, and every advice is one plain sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apsw

from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.tap_times import BUDGET_MS

SOON_MINUTES = 10
"""A card that is declined and then approved within this time was probably declined wrongly."""

ADVICE = {
    "51": "Offer another card, or to part the sum: the account has too little money.",
    "05": "The bank gives no reason. Offer another card; the customer may call the bank.",
    "54": "The card has expired. Ask for the new one.",
    "61": "The card's limit is reached. Offer another card, or to part the sum.",
    "65": "Too many payments, or too much, without a PIN. Offer a phone, or another card.",
    "91": "The bank did not answer. Try again in a minute.",
    "96": "The acquirer had a fault. Try again in a minute.",
    "82": "The card's security data was wrong. Ask for another card.",
    "43": "The bank wants this card stopped. Ask for another one.",
    "41": "The bank wants this card stopped. Ask for another one.",
}
"""What a cashier can do about a response code."""

_BASE = "FROM txn WHERE day BETWEEN :first AND :last AND training = 0"
_CARD = f"{_BASE} AND tender = 'card' AND txn_kind <> 'refund'"
_ENDED = "state IN ('approved', 'declined', 'declined after forward', 'voided', 'voiding')"
_GOOD = "state IN ('approved', 'voided', 'voiding')"


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, under a name."""

    name: str
    part: int
    whole: int

    @property
    def permille(self) -> int:
        """The part in thousandths of the whole, 0 of nothing."""
        return 1000 * self.part // self.whole if self.whole else 0


@dataclass(frozen=True, slots=True)
class Decline:
    """A reason for which payments were declined, and what to do about it."""

    code: str
    reason: str
    count: int
    advice: str


@dataclass(frozen=True, slots=True)
class Insight:
    """What the days say. Times are in milliseconds; a share's base is beside it.

    ``faces`` counts what customers touched after paying: bad, middling, good. ``in_time`` counts
    the taps that kept the rule of 500 ms (``terminal.tap_times``), and ``held`` is how long a card
    had to be held in the middle and at the slow end.
    """

    approved_by_scheme: tuple[Share, ...]
    approved_by_device: tuple[Share, ...]
    declines: tuple[Decline, ...]
    false_declines: int
    taps: Share
    wait_p50_ms: int
    wait_p95_ms: int
    stored: Share
    stored_by_hour: tuple[tuple[int, int], ...]
    tipped: Share
    refunded: Share
    came_again: Share
    faces: tuple[int, int, int] = (0, 0, 0)
    in_time: Share = Share("in time", 0, 0)
    held_p50_ms: int = 0
    held_p95_ms: int = 0

    @property
    def suggestions(self) -> tuple[str, ...]:
        """One to three things to do, the most costly first."""
        found = []
        if self.declines and self.declines[0].count >= 3:
            first = self.declines[0]
            found.append(f"{first.count} payments: {first.reason} {first.advice}")
        if self.taps.whole >= 20 and self.taps.part * 10 > self.taps.whole * 12:
            found.append(
                "Customers tap more than once: show where to hold the card, or move the reader."
            )
        if self.in_time.whole >= 20 and self.in_time.permille < 800:
            found.append(
                "One tap in five takes longer than half a second: see which command with"
                " 'taptill taps', and try another reader."
            )
        if self.false_declines >= 3:
            found.append(
                f"{self.false_declines} cards were declined and paid minutes later: ask for a"
                " second try before another card."
            )
        if self.wait_p95_ms > 20_000:
            found.append("One payment in twenty takes longer than 20 seconds: look at the line.")
        return tuple(found[:3])


def insight_of(store: Store, first_day: str, last_day: str) -> Insight:
    """What the days from ``first_day`` to ``last_day`` say.

    Raises:
        StoreError: the ledger cannot be read.
    """
    days = {"first": first_day, "last": last_day}
    with store.read() as connection:
        return Insight(
            approved_by_scheme=_shares(connection, "coalesce(scheme, '')", days),
            approved_by_device=_shares(connection, "coalesce(device, '')", days),
            declines=_declines(connection, days),
            false_declines=_false_declines(connection, days),
            taps=_taps(connection, days),
            wait_p50_ms=_wait(connection, days, 50),
            wait_p95_ms=_wait(connection, days, 95),
            stored=_counted(connection, "stored", f"stored_offline = 1 AND {_GOOD}", _GOOD, days),
            stored_by_hour=tuple(
                (int(hour), int(minor))
                for hour, minor in rows(
                    connection,
                    f"SELECT hour, sum(amount_minor) {_CARD} AND stored_offline = 1"
                    " GROUP BY hour ORDER BY hour",
                    days,
                )
            ),
            tipped=_counted(connection, "tipped", f"tip_minor > 0 AND {_GOOD}", _GOOD, days),
            refunded=_refunded(connection, days),
            came_again=_came_again(connection, days),
            faces=_faces(connection, days),
            in_time=_in_time(connection, days),
            held_p50_ms=_held(connection, days, 50),
            held_p95_ms=_held(connection, days, 95),
        )


def _shares(connection: apsw.Connection, column: str, days: dict[str, str]) -> tuple[Share, ...]:
    # ``column`` is one of the two above; the rest are constants.
    found = rows(
        connection,
        f"SELECT {column}, count(*) FILTER (WHERE {_GOOD}), count(*)"
        f" {_CARD} AND {_ENDED} AND token IS NOT NULL GROUP BY 1 ORDER BY 3 DESC",
        days,
    )
    return tuple(Share(*row) for row in found)


def _counted(
    connection: apsw.Connection, name: str, part: str, whole: str, days: dict[str, str]
) -> Share:
    (row,) = rows(
        connection,
        f"SELECT count(*) FILTER (WHERE {part}), count(*) FILTER (WHERE {whole}) {_CARD}",
        days,
    )
    return Share(name, *row)


def _declines(connection: apsw.Connection, days: dict[str, str]) -> tuple[Decline, ...]:
    found = rows(
        connection,
        f"SELECT response_code, max(reason), count(*) {_CARD}"
        " AND state IN ('declined', 'declined after forward')"
        " GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 8",
        days,
    )
    return tuple(
        Decline(code, reason or "The card said no.", count, _advice(code))
        for code, reason, count in found
    )


def _advice(code: str) -> str:
    return ADVICE.get(code, "Offer another card or another way to pay.")


def _false_declines(connection: apsw.Connection, days: dict[str, str]) -> int:
    (row,) = rows(
        connection,
        "SELECT count(*) FROM txn AS d WHERE d.day BETWEEN :first AND :last AND d.training = 0"
        " AND d.state = 'declined' AND d.fingerprint IS NOT NULL AND EXISTS (SELECT 1 FROM txn AS a"
        " WHERE a.fingerprint = d.fingerprint AND a.state = 'approved' AND a.txn_kind <> 'refund'"
        " AND julianday(a.created_at) BETWEEN julianday(d.created_at)"
        " AND julianday(d.created_at) + :soon)",
        {**days, "soon": SOON_MINUTES / 1440},
    )
    return int(row[0])


def _taps(connection: apsw.Connection, days: dict[str, str]) -> Share:
    (row,) = rows(
        connection,
        f"SELECT coalesce(sum(taps), 0), count(*) {_CARD} AND {_GOOD} AND taps > 0",
        days,
    )
    return Share("taps for each payment", *row)


def _wait(connection: apsw.Connection, days: dict[str, str], percent: int) -> int:
    """From "hold your card" to the bank's yes, in milliseconds."""
    online = f"{_CARD} AND state = 'approved' AND stored_offline = 0 AND held_minor = 0"
    (counted,) = rows(connection, f"SELECT count(*) {online}", days)
    if not counted[0]:
        return 0
    place: dict[str, Any] = {**days, "place": (int(counted[0]) - 1) * percent // 100}
    (row,) = rows(
        connection,
        "SELECT CAST(round((julianday(changed_at) - julianday(created_at)) * 86400000) AS INTEGER)"
        " AS wait"
        f" {online} ORDER BY wait LIMIT 1 OFFSET :place",
        place,
    )
    return int(row[0])


# A started millisecond counts: a rule is not kept by rounding.
_HELD = "card_ms + (terminal_us + 999) / 1000"
_TIMED = f"{_BASE} AND coalesce(command_times, '') <> ''"


def _in_time(connection: apsw.Connection, days: dict[str, str]) -> Share:
    (row,) = rows(
        connection,
        f"SELECT count(*) FILTER (WHERE {_HELD} <= :budget), count(*) {_TIMED}",
        {**days, "budget": BUDGET_MS},
    )
    return Share("in time", *row)


def _held(connection: apsw.Connection, days: dict[str, str], percent: int) -> int:
    """How long a card was held to the reader, in milliseconds; 0 where no tap was timed."""
    (counted,) = rows(connection, f"SELECT count(*) {_TIMED}", days)
    if not counted[0]:
        return 0
    place = {**days, "place": (int(counted[0]) - 1) * percent // 100}
    (row,) = rows(
        connection, f"SELECT {_HELD} AS held {_TIMED} ORDER BY held LIMIT 1 OFFSET :place", place
    )
    return int(row[0])


def _refunded(connection: apsw.Connection, days: dict[str, str]) -> Share:
    (row,) = rows(
        connection,
        "SELECT count(*) FILTER (WHERE txn_kind = 'refund'),"
        f" count(*) FILTER (WHERE txn_kind <> 'refund') {_BASE} AND state = 'approved'",
        days,
    )
    return Share("refunded", *row)


def _came_again(connection: apsw.Connection, days: dict[str, str]) -> Share:
    (row,) = rows(
        connection,
        "SELECT count(*) FILTER (WHERE visits > 1), count(*) FROM (SELECT count(DISTINCT day)"  # noqa: S608 - constants
        f" AS visits {_CARD} AND {_GOOD} AND fingerprint IS NOT NULL GROUP BY fingerprint)",
        days,
    )
    return Share("came again", *row)


def _faces(connection: apsw.Connection, days: dict[str, str]) -> tuple[int, int, int]:
    (row,) = rows(
        connection,
        "SELECT count(*) FILTER (WHERE score = 1), count(*) FILTER (WHERE score = 2),"  # noqa: S608 - constants
        " count(*) FILTER (WHERE score = 3) FROM (SELECT json_extract(payload, '$.score') AS score"
        f" {_BASE.replace('FROM txn', 'FROM txn JOIN day_event')}"
        " AND subject = 'sale:' || txn_id AND type = 'FeedbackGiven')",
        days,
    )
    return (int(row[0]), int(row[1]), int(row[2]))
