"""A customer's face after paying: asked for on the screen, kept in the books, counted."""

from __future__ import annotations

from offline_queue.insight import insight_of
from tests.ui.till.conftest import OpenTill
from ui.questions import Done, FeedbackGiven


def test_a_face_is_kept_once_for_a_sale_and_counted(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    wheres = []
    for face, again in ((2, 0), (0, 0), (2, 1)):
        watcher.charge("12.50")
        sale = watcher.finished()
        for touched in (face, again):
            watcher.till.ask(FeedbackGiven(sale.txn_id, touched))
            wheres.append(watcher.until(Done).where)
    assert wheres == ["kept", "known"] * 3
    store = watcher.parts.journal.store
    store.verify()
    day = sale.terms.day
    assert insight_of(store, day, day).faces == (1, 0, 2)
    assert insight_of(store, "2001-01-01", "2001-01-01").faces == (0, 0, 0)
