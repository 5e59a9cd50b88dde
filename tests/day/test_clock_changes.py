"""Days of 23 and 25 hours: every sale is in the day and hour that the shop's clock showed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from offline_queue.day_reports import DayReports
from offline_queue.history import History
from terminal.money import Amount, Currency
from terminal.sale import local_terms
from terminal.terms import Tender, Terms
from terminal.transaction import TenderConfirmed
from tests.offline_queue.sales import START, Till

EUR = Currency.of("EUR")
EVERY = timedelta(minutes=30)

# Zone, first and last day, the day that is not of 24 hours, its half hours, its odd hours.
CHANGES = {
    "Madrid in spring": ("Europe/Madrid", "2026-03-28", "2026-03-29", 46, {"02": 0}),
    "Madrid in autumn": ("Europe/Madrid", "2026-10-24", "2026-10-25", 50, {"02": 4}),
    # The clock goes back by half an hour, from 02:00 to 01:30.
    "Lord Howe": ("Australia/Lord_Howe", "2026-04-04", "2026-04-05", 49, {"01": 3}),
    # At midnight: the day begins at 01:00.
    "Beirut in spring": ("Asia/Beirut", "2026-03-28", "2026-03-29", 46, {"00": 0}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_sale_is_in_the_day_and_hour_that_the_clock_showed(name: str, tmp_path: Path) -> None:
    zone_name, before, odd, half_hours, hours = CHANGES[name]
    zone = ZoneInfo(zone_name)
    till = Till(tmp_path / "ledger.db")
    at = datetime.fromisoformat(before).replace(tzinfo=zone).astimezone(UTC)
    sold: Counter[str] = Counter()
    times: list[datetime] = []
    while (local := at.astimezone(zone)).date().isoformat() <= odd:
        till.clock.moment = at
        txn_id = f"s{len(times)}"
        terms = local_terms(zone, Terms(tender=Tender.CASH), at)
        till.journal.open_sale(
            txn_id=txn_id,
            amount=Amount(100 + len(times), EUR),
            at=at,
            cashier="",
            training=False,
            terms=terms,
        )
        till.journal.book(txn_id, partial(TenderConfirmed, at))
        sold[f"{local:%Y-%m-%d}"] += 100 + len(times)
        times.append(at)
        at += EVERY
    reports = DayReports(till.store)
    for day in (before, odd):
        (report,) = reports.of_days("Day", day, day, START, EUR)
        assert report.sales.minor == sold[day]
        by_hour = {line.name: line.sold.count for line in report.spans}
        counted = Counter(f"{t.astimezone(zone):%H}" for t in times if _day(t, zone) == day)
        assert by_hour == dict(counted)
    assert sum(by_hour.values()) == half_hours
    assert {hour: by_hour.get(hour, 0) for hour in hours} == hours
    (both,) = reports.of_days("Period", before, odd, START, EUR)
    assert both.sales.minor == sum(sold.values())
    assert [line.name for line in both.spans] == [before, odd]
    (batch,) = reports.of_batch("X", 1, START, EUR)
    assert (batch.sales, batch.first_day, batch.last_day) == (both.sales, before, odd)
    # Whoever searches for a time means that of the wall, summer or winter.
    offset = times[-1].astimezone(zone).utcoffset()
    assert offset is not None
    minutes = int(offset.total_seconds() // 60)
    found = History(till.store, EUR).find("12:30", utc_offset_minutes=minutes)
    assert len(found) == 2
    till.store.verify()
    till.journal.close()


def _day(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).date().isoformat()
