"""What customers said with one touch after paying: kept once for each sale.

Rules of this file: an event of the day like any other, append-only and held by the chain of MACs.
"""

from __future__ import annotations

from offline_queue.day_log import add, events_of
from offline_queue.store import Store
from terminal.day_events import FeedbackGiven


def keep(store: Store, feedback: FeedbackGiven) -> bool:
    """Records a customer's answer; False where this sale has one already, which stays.

    Raises:
        StoreError: the ledger cannot be written.
    """
    subject = f"sale:{feedback.txn_id}"
    with store.write() as connection:
        known = [each for each in events_of(connection, subject) if isinstance(each, FeedbackGiven)]
        if not known:
            add(connection, subject, feedback)
        return not known
