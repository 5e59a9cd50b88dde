"""How often is given back in this shop: what a refund is compared with.

Rules of this file: reading only, and counts only: no name of a customer, no card number. A card
is its keyed fingerprint.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from offline_queue.events import write_time
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.refunds import NORM_DAYS, Norms
from terminal.transaction import Transaction

_COUNTS = """
    SELECT
        count(*) FILTER (WHERE txn_kind = 'refund'),
        count(*) FILTER (WHERE txn_kind <> 'refund'),
        count(*) FILTER (WHERE txn_kind = 'refund' AND fingerprint = :card),
        count(*) FILTER (WHERE txn_kind <> 'refund' AND fingerprint = :card),
        count(*) FILTER (WHERE txn_kind = 'refund' AND cashier = :cashier),
        count(*) FILTER (WHERE txn_kind <> 'refund' AND cashier = :cashier)
    FROM txn WHERE day >= :day AND created_at >= :since AND state = 'approved' AND training = 0
"""


def norms_of(store: Store, sale: Transaction, cashier: str, at: datetime) -> Norms:
    """The shop's norm, the card's and the cashier's, of the last ``NORM_DAYS`` days.

    Raises:
        StoreError: the ledger cannot be read.
    """
    since = at - timedelta(days=NORM_DAYS)
    values = {
        "card": sale.card.fingerprint if sale.card else "",
        "cashier": cashier,
        "since": write_time(since),
        # The index goes by the shop's day, which is within a day of UTC's.
        "day": (since - timedelta(days=1)).date().isoformat(),
    }
    with store.read() as connection:
        (row,) = rows(connection, _COUNTS, values)
    return Norms(*row)
