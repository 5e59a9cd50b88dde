"""What a known card usually does here, for a face to offer it first.

Rules of this file: reading only, by the keyed fingerprints; nothing of it leaves the till. The
card's own word on its language (tag 5F2D) comes before what it read last time, and nothing is
guessed from one visit.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from offline_queue.limits import named, same_card
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.terms import Tender
from terminal.transaction import CardSummary

MOST = 200
"""So many of its last payments are looked at."""

SOON_S = 600
"""What is paid within this time for the same thing is the same customer's."""

_OWN = " UNION ".join(
    "SELECT sequence, state, device, language, bill, amount_minor, approved_minor, created_at"  # noqa: S608 - constants
    f" FROM txn WHERE {same} AND training = 0 AND txn_kind = 'sale'"
    for same in same_card()
)
_LATEST = f"WITH own AS (SELECT * FROM ({_OWN}) ORDER BY sequence DESC LIMIT {MOST})"  # noqa: S608 - constants
_VISITS = f"""
    {_LATEST}
    SELECT device, language, count(*) FROM own WHERE state = 'approved' GROUP BY 1, 2
"""  # noqa: S608 - constants
# The next payments by number are those beside it in the shop, so few are looked at.
_NEXT = f"""
    {_LATEST}
    SELECT n.tender, count(*) FROM own JOIN txn AS n
        ON n.sequence BETWEEN own.sequence + 1 AND own.sequence + 5
        AND n.state = 'approved' AND n.txn_kind = 'sale'
        AND (own.state = 'declined' AND n.amount_minor = own.amount_minor
            OR n.bill <> '' AND n.bill IN (own.bill, 'R' || own.sequence))
        AND (julianday(n.created_at) - julianday(own.created_at)) * 86400 <= {SOON_S}
    WHERE own.state = 'declined' OR own.state = 'approved' AND own.approved_minor < own.amount_minor
    GROUP BY n.tender ORDER BY count(*) DESC, n.tender
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Usual:
    """What a card usually does here.

    ``visits`` counts its approved payments; ``device`` is what they were mostly made with, empty
    for a card that is new. ``language`` is the card's own word, else that of its other visits.
    ``next_tender`` is how its holder mostly went on where it paid nothing or a part; None where
    that is not known.
    """

    visits: int = 0
    device: str = ""
    language: str = ""
    next_tender: Tender | None = None


def usual(store: Store, card: CardSummary) -> Usual:
    """What this card, or another of the same account, usually does here.

    Raises:
        StoreError: the ledger cannot be read.
    """
    with store.read() as connection:
        return _usual(connection, card)


def _usual(connection: apsw.Connection, card: CardSummary) -> Usual:
    values = named(card)
    devices: dict[str, int] = {}
    languages: dict[str, int] = {}
    for device, language, count in rows(connection, _VISITS, values):
        devices[device] = devices.get(device, 0) + count
        if language:
            languages[language] = languages.get(language, 0) + count
    after = rows(connection, _NEXT, values)
    return Usual(
        visits=sum(devices.values()),
        device=_most(devices),
        language=card.language or _most(languages),
        next_tender=Tender(after[0][0]) if after else None,
    )


def _most(counts: dict[str, int]) -> str:
    return max(sorted(counts), key=lambda name: counts[name], default="")
