"""What the ledger knows for the limits on stored sales and on tries of a card.

Rules of this file: everything is counted from the sales themselves, so nothing is forgotten at a
restart and only an answer of the host lowers a count. Training sales count for nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import apsw

from offline_queue.clockwork import set_back_s
from offline_queue.events import read_time, write_time
from offline_queue.sql import rows
from terminal.ledger import Declined, Exposure
from terminal.money import Amount, Currency
from terminal.transaction import CardSummary, State

DECLINED_FOR = timedelta(days=30)
"""How long a card whose stored sale was declined is taken online alone."""

# The card itself, or another that stands for the same account; by the key before as well, while
# the key of fingerprints rotates.
_SAME_CARD = (
    "(fingerprint IN (:fingerprint, :before)"
    " OR (par_fingerprint IN (:account, :account_before) AND par_fingerprint <> ''))"
)
_BY_CARD = "fingerprint IN (:fingerprint, :before)"
_BY_ACCOUNT = "par_fingerprint IN (:account, :account_before) AND par_fingerprint <> ''"
_WAITING = f"('{State.STORED.value}', '{State.SET_ASIDE.value}')"
# The parts are constants of the code, never input.
_EXPOSURE = (
    "SELECT count(*), coalesce(sum(amount_minor), 0),"  # noqa: S608
    f" count(*) FILTER (WHERE {_SAME_CARD}),"
    f" coalesce(sum(amount_minor) FILTER (WHERE {_SAME_CARD}), 0),"
    " count(*) FILTER (WHERE card_approved),"
    " coalesce(sum(amount_minor) FILTER (WHERE card_approved), 0),"
    f" min(created_at) FILTER (WHERE state = '{State.STORED.value}')"
    f" FROM txn WHERE state IN {_WAITING} AND currency = :currency AND training = 0"
)
# The same. Two searches by index: one with OR would read every sale that has no account.
_DECLINES = " UNION ".join(
    "SELECT changed_at, response_code, amount_minor, currency, txn_id, state FROM txn"  # noqa: S608
    f" WHERE {same} AND state IN ('{State.DECLINED.value}', '{State.DECLINED_AFTER_FORWARD.value}')"
    " AND response_code <> '' AND changed_at >= :since AND training = 0"
    for same in (_BY_CARD, _BY_ACCOUNT)
)


def exposure(
    connection: apsw.Connection, now: datetime, currency: Currency, card: CardSummary | None
) -> Exposure:
    """What waits in this currency, and of it what is of this card."""
    values = {**named(card), "currency": currency.code}
    count, total, of_card, of_card_minor, approved, approved_minor, oldest = rows(
        connection, _EXPOSURE, values
    )[0]
    later = State.DECLINED_AFTER_FORWARD.value
    return Exposure(
        count=count,
        total_minor=total,
        card_count=of_card,
        card_minor=of_card_minor,
        card_declined=card is not None
        and any(row[5] == later for row in _declines(connection, card, now - DECLINED_FOR)),
        approved_count=approved,
        approved_minor=approved_minor,
        oldest_at=read_time(oldest) if oldest else None,
        set_back_s=set_back_s(connection, now),
    )


def declines(connection: apsw.Connection, card: CardSummary, since: datetime) -> list[Declined]:
    """What the host declined of this card or account since then, newest first."""
    return [
        Declined(read_time(at), code, Amount(minor, Currency.of(currency)))
        for at, code, minor, currency, *_ in _declines(connection, card, since)
    ]


def _declines(
    connection: apsw.Connection, card: CardSummary, since: datetime
) -> list[tuple[str, str, int, str, str, str]]:
    values = {**named(card), "since": write_time(since)}
    found: list[tuple[str, str, int, str, str, str]] = rows(
        connection, f"{_DECLINES} ORDER BY changed_at DESC", values
    )
    return found


def same_card() -> tuple[str, str]:
    """Two conditions on ``txn``, each found by an index, for the values of ``named``."""
    return _BY_CARD, _BY_ACCOUNT


def named(card: CardSummary | None) -> dict[str, str]:
    """A card's fingerprints, by the names that the conditions have for them."""
    return {
        "fingerprint": card.fingerprint if card else "",
        "account": card.par_fingerprint if card else "",
        "before": card.previous_fingerprint if card else "",
        "account_before": card.previous_par_fingerprint if card else "",
    }
