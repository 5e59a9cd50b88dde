"""What the insight says about a day that is known in full."""

from __future__ import annotations

from dataclasses import replace

from offline_queue.bills import Bills
from offline_queue.habits import Usual, usual
from offline_queue.insight import Share, insight_of
from offline_queue.reports import Reports
from terminal.bill import PartWish
from terminal.parting import pay_part
from terminal.tap_times import tap_times
from terminal.terms import Tender
from terminal.transaction import Transaction
from tests.day.conftest import DayShop

FIRST, LAST = "2000-01-01", "2099-12-31"


def test_an_insight_counts_what_happened(shop: DayShop) -> None:
    first = shop.sell("10.00")
    shop.sell("12.51")
    shop.sell("11.00")
    shop.sell("20.00", "mastercard-credit")
    shop.refund(first, "1.00")
    shop.cash("3.00")
    shop.online = False
    shop.sell("4.00", "mastercard-credit")
    shop.online = True
    shop.rules = replace(shop.rules, present_s=0.2)
    shop.forward()
    found = insight_of(shop.parts.journal.store, FIRST, LAST)
    by_scheme = {share.name: (share.part, share.whole) for share in found.approved_by_scheme}
    assert by_scheme == {"Visa": (2, 3), "Mastercard": (2, 2)}
    assert {share.name for share in found.approved_by_device} == {"card"}
    (decline,) = found.declines
    assert (decline.code, decline.count) == ("51", 1)
    assert "too little money" in decline.advice
    # The card that was declined paid a moment later.
    assert found.false_declines == 1
    assert (found.taps.part, found.taps.whole) == (4, 4)
    assert (found.stored.part, found.stored.whole) == (1, 4)
    assert [minor for _, minor in found.stored_by_hour] == [400]
    assert (found.refunded.part, found.refunded.whole) == (1, 5)
    assert found.came_again == Share("came again", 0, 2)
    assert 0 < found.wait_p50_ms <= found.wait_p95_ms < 120_000
    assert found.suggestions == ()
    # The same taps that ``taptill taps`` shows, the refund's too.
    taps = tap_times(Reports(shop.parts.journal.store).transactions(limit=50))
    assert found.in_time == Share("in time", sum(each.in_time for each in taps), 6)
    held = sorted(each.total_ms for each in taps)
    assert (found.held_p50_ms, found.held_p95_ms) == (held[2], held[4])


def test_what_a_card_usually_does_is_known_when_it_comes_again(shop: DayShop) -> None:
    store = shop.parts.journal.store
    bills = Bills(store, shop.parts.clock)

    def habits(sale: Transaction) -> Usual:
        assert sale.card is not None
        return usual(store, sale.card)

    first = shop.sell("12.00")
    assert habits(first) == Usual(visits=1, device="card", language="en")
    # It pays nothing, and the same is paid in cash; then a part, and the rest is.
    shop.sell("12.51")
    shop.cash("12.51")
    assert habits(first).next_tender is Tender.CASH
    other = shop.sell("9.00", "mastercard-credit")
    shop.cash("9.00")
    assert habits(other).next_tender is None
    shop.sell("7.10")
    pay_part(shop.ports(), shop.rules, bills.unpaid()[0].bill.name, PartWish(tender=Tender.CASH))
    assert habits(first) == Usual(2, "card", "en", Tender.CASH)
    # A card that names its language is believed, whatever it read before.
    french = shop.sell("3.00", "visa-french")
    assert habits(french).language == "fr"
    assert french.card is not None
    silent = replace(french.card, language="")
    assert usual(store, silent).language == "fr"
    assert usual(store, replace(silent, fingerprint="nobody")) == Usual()


def test_an_empty_shop_has_nothing_to_say(shop: DayShop) -> None:
    found = insight_of(shop.parts.journal.store, FIRST, LAST)
    assert (found.declines, found.wait_p95_ms, found.refunded.permille) == ((), 0, 0)
    assert (found.in_time.whole, found.held_p50_ms, found.held_p95_ms) == (0, 0, 0)


def test_slow_taps_are_worth_a_look(shop: DayShop) -> None:
    found = insight_of(shop.parts.journal.store, FIRST, LAST)
    for kept, whole, said in ((15, 20, True), (16, 20, False), (0, 19, False)):
        slow = replace(found, in_time=Share("in time", kept, whole))
        assert any("half a second" in each for each in slow.suggestions) is said
