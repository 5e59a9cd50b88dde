"""Each limit on stored sales is met exactly, and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from terminal.errors import ConfigError
from terminal.iso8583.profiles import BASE87
from terminal.ledger import Declined, Exposure
from terminal.money import Amount, Currency
from terminal.risk import Limit, OfflineLimits, Refusal, card_refusal, offline_refusal
from tests.offline_queue.sales import CARD

EUR = Currency.of("EUR")
AT = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
LIMITS = OfflineLimits(
    per_sale_minor=5000, total_minor=12000, count=3, card_count=2, card_total_minor=6000, hours=24
)

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


def said(refusal: Refusal | None) -> str:
    return refusal.text if refusal else ""


def limit_of(refusal: Refusal | None) -> Limit | None:
    return refusal.limit if refusal else None


@pytest.mark.parametrize(("minor", "count", "total", "expected"), TABLE)
def test_a_stored_sale(minor: int, count: int, total: int, expected: str) -> None:
    assert said(offline_refusal(LIMITS, Amount(minor, EUR), Exposure(count, total))) == expected


def test_a_shop_that_stores_nothing() -> None:
    off = OfflineLimits(enabled=False)
    refusal = offline_refusal(off, Amount(1, EUR), Exposure(0, 0))
    assert said(refusal) == "Stored sales are switched off in this shop."
    none = OfflineLimits(per_sale_minor=0, total_minor=0, count=0)
    assert offline_refusal(none, Amount(1, EUR), Exposure(0, 0))


def test_limits_are_named_in_the_currency_of_the_sale() -> None:
    yen = Currency.of("JPY")
    refusal = offline_refusal(LIMITS, Amount(5001, yen), Exposure(0, 0))
    assert said(refusal) == "Offline, one sale may be at most JPY 5000."


OF_THE_CARD: list[tuple[dict[str, Any], int, Limit | None]] = [
    # what the ledger knows, the amount, the limit that is met
    ({"card_count": 1, "card_minor": 4000}, 2000, None),
    ({"card_count": 1, "card_minor": 4000}, 2001, Limit.CARD_TOTAL),
    ({"card_count": 2, "card_minor": 20}, 1, Limit.CARD_COUNT),
    ({"card_declined": True}, 1, Limit.CARD_DECLINED),
    ({"set_back_s": 121}, 1, Limit.CLOCK),
    ({"oldest_at": AT - timedelta(hours=24, seconds=-1)}, 1, None),
    ({"oldest_at": AT - timedelta(hours=24)}, 1, Limit.HOURS),
]


@pytest.mark.parametrize(("known", "minor", "limit"), OF_THE_CARD)
def test_limits_of_the_card_and_the_clock(
    known: dict[str, Any], minor: int, limit: Limit | None
) -> None:
    exposure = Exposure(2, 4000, **known)
    refusal = offline_refusal(LIMITS, Amount(minor, EUR), exposure, card=CARD, at=AT)
    assert limit_of(refusal) is limit


OF_THE_KIND: list[tuple[OfflineLimits, dict[str, str], bool, Limit | None]] = [
    (LIMITS, {}, False, None),
    (LIMITS, {}, True, None),
    (replace(LIMITS, deferred=False), {}, False, Limit.DEFERRED_OFF),
    (replace(LIMITS, deferred=False), {}, True, None),
    (replace(LIMITS, card_approved=False), {}, True, Limit.CARD_APPROVED_OFF),
    (replace(LIMITS, card_approved=False), {}, False, None),
    (LIMITS, {"scheme": "Maestro"}, False, Limit.SCHEME),
    (replace(LIMITS, refused_schemes=()), {"scheme": "Maestro"}, False, None),
    (replace(LIMITS, devices=("card",)), {"device": "phone"}, False, Limit.DEVICE),
]


@pytest.mark.parametrize(("limits", "change", "by_card", "limit"), OF_THE_KIND)
def test_limits_by_kind(
    limits: OfflineLimits,
    change: dict[str, str],
    by_card: bool,  # noqa: FBT001 - a column of the table
    limit: Limit | None,
) -> None:
    card = replace(CARD, **change)  # type: ignore[arg-type]  # the values are all text
    amount, exposure = Amount(100, EUR), Exposure(0, 0)
    refusal = offline_refusal(limits, amount, exposure, card=card, card_approved=by_card, at=AT)
    assert limit_of(refusal) is limit


@pytest.mark.parametrize(
    "name",
    ["per_sale_minor", "total_minor", "count", "card_total_minor", "card_count", "hours"],
)
def test_a_limit_is_not_negative(name: str) -> None:
    with pytest.raises(ConfigError, match="negative"):
        replace(LIMITS, **{name: -1})  # type: ignore[arg-type]  # each of them is a number


def declined(code: str, *, days: float = 0.1, minor: int = 1250, times: int = 1) -> list[Declined]:
    at = AT - timedelta(days=days)
    return [Declined(at, code, Amount(minor, EUR)) for _ in range(times)]


REATTEMPTS: list[tuple[str, list[Declined], Limit | None]] = [
    ("a lost card", declined("41"), Limit.BLOCKED),
    ("a lost card, another amount", declined("41", minor=1), Limit.BLOCKED),
    ("a lost card of long ago", declined("41", days=30), None),
    ("no money, tried often", declined("51", times=14), None),
    ("no money, tried too often", declined("51", times=15), Limit.RETRIES),
    ("no money, other amounts", declined("51", times=40, minor=99), None),
    (
        "no money, different reasons",
        declined("51", times=7) + declined("61", times=8),
        Limit.RETRIES,
    ),
    ("declined once without a reason", declined("05"), None),
    ("declined twice without a reason", declined("05", times=2), Limit.RETRIES),
    ("declined the day before", declined("05", times=2, days=1), None),
    ("a wrong date", declined("54", times=40), None),
    ("our own fault", declined("30", times=40), None),
    ("a code that nobody lists", declined("ZZ", times=40), None),
    ("nothing", [], None),
]


@pytest.mark.parametrize(("story", "declines", "limit"), REATTEMPTS)
def test_a_card_that_was_declined_before(
    story: str, declines: list[Declined], limit: Limit | None
) -> None:
    refusal = card_refusal(
        BASE87.responses, BASE87.delivery.ceilings, Amount(1250, EUR), declines, AT
    )
    assert limit_of(refusal) is limit, story


def test_a_blocked_card_says_what_the_bank_said() -> None:
    refusal = card_refusal(
        BASE87.responses, BASE87.delivery.ceilings, Amount(1, EUR), declined("43"), AT
    )
    text = "This card is not to be tried again: The card was reported stolen."
    assert refusal == Refusal(Limit.BLOCKED, text)
