"""Each limit on stored sales is met exactly, and named."""

from __future__ import annotations

import pytest

from terminal.errors import ConfigError
from terminal.ledger import Exposure
from terminal.money import Amount, Currency
from terminal.risk import OfflineLimits, offline_refusal

EUR = Currency.of("EUR")
LIMITS = OfflineLimits(per_sale_minor=5000, total_minor=12000, count=3)

TABLE = [
    # amount, sales that wait, their sum, what is said
    (5000, 0, 0, ""),
    (5001, 0, 0, "Offline, one sale may be at most EUR 50.00."),
    (1000, 2, 8000, ""),
    (1000, 3, 3000, "3 sales wait already; 3 is the limit."),
    (1000, 4, 3000, "4 sales wait already; 3 is the limit."),
    (4000, 2, 8000, ""),
    (4001, 2, 8000, "Offline limit reached: EUR 40.00 of room is left."),
    (1, 1, 12000, "Offline limit reached: EUR 0.00 of room is left."),
    (1, 1, 99999, "Offline limit reached: EUR 0.00 of room is left."),
    (5001, 9, 99999, "Offline, one sale may be at most EUR 50.00."),
]


@pytest.mark.parametrize(("minor", "count", "total", "said"), TABLE)
def test_a_stored_sale(minor: int, count: int, total: int, said: str) -> None:
    assert offline_refusal(LIMITS, Amount(minor, EUR), Exposure(count, total)) == said


def test_a_shop_that_stores_nothing() -> None:
    off = OfflineLimits(enabled=False)
    refusal = offline_refusal(off, Amount(1, EUR), Exposure(0, 0))
    assert refusal == "Stored sales are switched off in this shop."
    none = OfflineLimits(per_sale_minor=0, total_minor=0, count=0)
    assert offline_refusal(none, Amount(1, EUR), Exposure(0, 0))


def test_limits_are_named_in_the_currency_of_the_sale() -> None:
    yen = Currency.of("JPY")
    refusal = offline_refusal(LIMITS, Amount(5001, yen), Exposure(0, 0))
    assert refusal == "Offline, one sale may be at most JPY 5000."


@pytest.mark.parametrize("limits", [(-1, 1, 1), (1, -1, 1), (1, 1, -1)])
def test_a_limit_is_not_negative(limits: tuple[int, int, int]) -> None:
    per_sale_minor, total_minor, count = limits
    with pytest.raises(ConfigError, match="negative"):
        OfflineLimits(per_sale_minor=per_sale_minor, total_minor=total_minor, count=count)
