"""The ledger as other programs read it: plain SQLite, no code of ours."""

from __future__ import annotations

from pathlib import Path

import apsw

from tests.day.conftest import DayShop

DOC = Path(__file__).parents[2] / "docs" / "ledger-views.md"


def test_a_stranger_reads_the_day(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    shop.refund(sale, "5.00")
    shop.cash("3.00")
    path = shop.parts.journal.store.path
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = connection.execute(
            "SELECT kind, tender, booked, booked_minor FROM v_transactions ORDER BY number"
        ).fetchall()
        assert rows == [
            ("sale", "card", 12.0, 1200),
            ("refund", "card", 5.0, 500),
            ("sale", "cash", 3.0, 300),
        ]
        assert connection.execute("SELECT sum(count) FROM v_days").fetchone() == (3,)
        assert connection.execute("SELECT sum(count) FROM v_hours").fetchone() == (3,)
        found = connection.execute("SELECT refunded_minor, sale_number FROM v_refunds").fetchall()
        assert found == [(500, 1)]
        assert connection.execute("SELECT count(*) FROM v_waiting").fetchone() == (0,)
        views = {
            str(name)
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")
        }
        text = DOC.read_text(encoding="utf-8")
        assert {view for view in views if f"`{view}`" in text} == views
        for view in views:
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({view})")}
            assert not columns & {"token", "fingerprint", "par_fingerprint", "message"}
    finally:
        connection.close()
