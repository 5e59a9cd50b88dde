"""Days of the Persian calendar, against days that have been."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ui.jalali import is_leap, persian
from ui.words import Words


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # Nowruz of years with and without a leap day before them.
        ("1925-03-21", (1304, 1, 1)),
        ("2019-03-21", (1398, 1, 1)),
        ("2020-03-20", (1399, 1, 1)),
        ("2021-03-20", (1399, 12, 30)),
        ("2021-03-21", (1400, 1, 1)),
        ("2024-03-20", (1403, 1, 1)),
        ("2025-03-20", (1403, 12, 30)),
        ("2025-03-21", (1404, 1, 1)),
        # 22 Bahman 1357, which everybody in Iran knows.
        ("1979-02-11", (1357, 11, 22)),
        ("2000-01-01", (1378, 10, 11)),
    ],
)
def test_known_days(day: str, expected: tuple[int, int, int]) -> None:
    assert persian(date.fromisoformat(day)) == expected


def test_every_day_follows_the_one_before_it() -> None:
    day = date(2015, 3, 21)
    year, month, number = persian(day)
    for _ in range(366 * 40):
        day += timedelta(days=1)
        was = (year, month, number)
        year, month, number = persian(day)
        length = 31 if was[1] <= 6 else 30 if was[1] <= 11 or is_leap(was[0]) else 29
        if was[2] < length:
            assert (year, month, number) == (was[0], was[1], was[2] + 1)
        elif was[1] < 12:
            assert (year, month, number) == (was[0], was[1] + 1, 1)
        else:
            assert (year, month, number) == (was[0] + 1, 1, 1)


def test_a_day_before_the_table_is_refused() -> None:
    with pytest.raises(AssertionError, match="before the calendar"):
        persian(date(1864, 3, 19))


def test_persian_screens_count_days_as_their_readers_do() -> None:
    at = datetime(2026, 11, 26, 12, tzinfo=UTC)
    words = Words("fa")
    assert words.plain(words.date(at)) == "۱۴۰۵/۰۹/۰۵"  # noqa: RUF001 - Persian digits are meant
    assert Words("fr").plain(Words("fr").date(at)) == "26/11/2026"
