"""The Persian calendar: from the day that a clock tells to the day that a Persian reader expects.

Rules of this file: pure. A year begins at the spring equinox as seen from Tehran, which is observed
and not reckoned; the leap years here follow the usual cycle of 33 years, and a test holds them
against the first days of years that have been.
"""

from __future__ import annotations

from datetime import date

_LEAPS = frozenset({1, 5, 9, 13, 17, 22, 26, 30})
"""The leap years of a cycle, by their place in it."""
_FIRST_YEAR = 1243
_FIRST_DAY = date(1864, 3, 20)
"""The first day of a year that begins a cycle (1243 = 37 x 33 + 22)."""


def is_leap(year: int) -> bool:
    """Whether a Persian year has 366 days."""
    return year % 33 in _LEAPS


def persian(day: date) -> tuple[int, int, int]:
    """Year, month and day of the Persian calendar.

    Raises:
        AssertionError: it is before 1864, and no till was.
    """
    left = (day - _FIRST_DAY).days
    if left < 0:
        raise AssertionError(f"{day} is before the calendar's table")
    year = _FIRST_YEAR
    while left >= (length := 366 if is_leap(year) else 365):
        left -= length
        year += 1
    # Six months of 31 days, five of 30, and the last has what is left.
    if left < 186:
        return year, left // 31 + 1, left % 31 + 1
    left -= 186
    return year, left // 30 + 7, left % 30 + 1
