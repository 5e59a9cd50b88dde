"""Refunds, voids, holds and cash, each against the acquirer's own books."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from offline_queue.closings import Closings
from terminal.errors import AmountError, RefundRefused, StoreError, SupervisorNeeded
from terminal.money import Amount, Currency
from terminal.progress import Prompted
from terminal.refunds import RefundPolicy
from terminal.terms import Part, Tender, Terms, tax_in
from terminal.transaction import State
from tests.day.conftest import DayShop

SALE = ("sale", 1200, "captured")


def test_a_refund_by_the_same_card_in_parts_up_to_the_sale_and_no_cent_more(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    first = shop.refund(sale, "5.00")
    second = shop.refund(sale, "7.00")
    assert [r.state for r in (first, second)] == [State.APPROVED] * 2
    assert first.rrn == second.rrn == sale.rrn
    assert first.terms.original == sale.txn_id
    assert shop.books() == [SALE, ("refund", 500, "captured"), ("refund", 700, "captured")]
    with pytest.raises(
        RefundRefused, match=r"EUR 0\.00 can still be given back, and not EUR 0\.01"
    ):
        shop.refund(sale, "0.01")


def test_a_card_that_refuses_is_given_its_money_back_all_the_same(
    shop: DayShop, tmp_path: Path
) -> None:
    """Cards are made to refuse what is no purchase; the bank decides on what comes back."""
    for card in ("visa-credit", "mastercard-credit"):
        refusing = tmp_path / f"refusing-{card}.toml"
        refusing.write_text(f'extends = "{card}"\n[behaviour]\ndecision = "decline"\n')
        assert shop.sell("3.00", card=str(refusing)).state is State.DECLINED
        sale = shop.sell("12.00", card=card)
        assert shop.refund(sale, "5.00", card=str(refusing)).state is State.APPROVED


def test_a_refund_without_the_card_goes_by_the_numbers_of_the_sale(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    given = shop.refund(sale, "12.00", with_card=False)
    assert (given.state, given.card) == (State.APPROVED, sale.card)
    assert shop.books() == [SALE, ("refund", 1200, "captured")]


def test_a_refund_waits_for_the_card_that_paid(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    given = shop.refund(sale, "12.00", card="mastercard-credit")
    assert given.state is State.CANCELLED
    prompts = [p.note for p in shop.seen if isinstance(p, Prompted)]
    assert "not the card that paid" in prompts[0]
    assert shop.parts.journal.standing(sale.txn_id).refundable_minor == 1200


def test_a_refund_is_never_stored(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    shop.online = False
    for with_card in (True, False):
        given = shop.refund(sale, "1.00", with_card=with_card)
        assert given.state is State.DECLINED
        assert "never stored" in given.reason
    assert shop.parts.journal.standing(sale.txn_id).refundable_minor == 1200


def test_a_refund_in_doubt_counts_until_it_is_undone(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    shop.acquirer.set(drop_after="1")
    shop.rules = replace(shop.rules, authorise_s=0.5)
    given = shop.refund(sale, "12.00")
    assert given.state is State.UNKNOWN
    with pytest.raises(RefundRefused):
        shop.refund(sale, "0.01")
    assert [moved.state for moved in shop.forward()] == [State.REVERSED]
    shop.rules = shop.parts.rules
    assert shop.refund(sale, "12.00").state is State.APPROVED
    assert shop.books()[1:] == [("refund", 1200, "reversed"), ("refund", 1200, "captured")]


BAD: dict[str, tuple[dict[str, object], str]] = {
    "another currency": ({"amount": Amount(100, Currency.of("USD"))}, "paid in EUR, not in USD"),
    "nothing": ({"amount": Amount(0, Currency.of("EUR"))}, "zero"),
    "above the sale": ({"amount": Amount(1201, Currency.of("EUR"))}, "EUR 12.00 can still"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_refund_that_cannot_be_is_named_and_nothing_is_recorded(shop: DayShop, name: str) -> None:
    changes, message = BAD[name]
    sale = shop.sell("12.00")
    with pytest.raises(RefundRefused, match=message):
        shop.refund(sale, "1.00", "visa-credit", **changes)
    assert shop.parts.journal.standing(sale.txn_id).refunds == ()


def test_a_refund_of_nothing_known_after_the_window_or_of_a_refund(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    with pytest.raises(StoreError, match="no sale 'sale_nobody'"):
        shop.refund(replace(sale, txn_id="sale_nobody"), "1.00")
    late = shop.parts.clock.now() + timedelta(days=31)
    with pytest.raises(RefundRefused, match="too old to refund: more than 30 days"):
        shop.refund(sale, "1.00", at=late)
    given = shop.refund(sale, "1.00")
    with pytest.raises(RefundRefused, match="is a refund itself"):
        shop.refund(given, "1.00")
    shop.rules = replace(shop.rules, refunds=RefundPolicy(enabled=False))
    with pytest.raises(RefundRefused, match="switched off"):
        shop.refund(sale, "1.00")


def test_above_the_limit_a_supervisor_has_to_allow_it(shop: DayShop) -> None:
    sale = shop.sell("80.00")
    with pytest.raises(SupervisorNeeded) as held:
        shop.refund(sale, "60.00")
    assert held.value.reasons == ("It is above the limit of EUR 50.00.",)
    given = shop.refund(sale, "60.00", approved_by="Eva")
    assert (given.state, given.terms.approved_by) == (State.APPROVED, "Eva")


def test_a_void_undoes_the_sale_at_the_host(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    assert shop.void(sale).state is State.VOIDING
    assert [moved.state for moved in shop.forward()] == [State.VOIDED]
    assert shop.books() == [("sale", 1200, "reversed")]
    with pytest.raises(RefundRefused, match="is voided"):
        shop.refund(sale, "1.00")


def test_a_void_is_refused_after_the_batch_and_after_a_refund(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    shop.refund(sale, "1.00")
    with pytest.raises(RefundRefused, match="refunded already"):
        shop.void(sale)
    other = shop.sell("13.00")
    Closings(shop.parts.journal.store, shop.parts.clock).freeze(by="Ada")
    with pytest.raises(RefundRefused, match="in batch 1, which is closed"):
        shop.void(other)


def test_a_stored_sale_can_be_taken_back_before_it_is_sent(shop: DayShop) -> None:
    shop.online = False
    sale = shop.sell("12.00")
    assert sale.state is State.STORED
    assert shop.void(sale).state is State.VOIDED
    assert shop.forward() == []
    assert shop.books() == []


def test_a_hold_is_taken_once_up_to_what_it_holds(shop: DayShop) -> None:
    held = shop.hold("100.00")
    assert (held.state, held.held_minor) == (State.HELD, 10_000)
    with pytest.raises(RefundRefused, match=r"at most EUR 100\.00"):
        shop.complete(held, "100.01")
    assert shop.complete(held, "88.00", tip="8.00").state is State.STORED
    (taken,) = shop.forward()
    assert (taken.state, taken.approved_minor) == (State.APPROVED, 8800)
    assert (taken.rrn, taken.terms.tip_minor) == (held.rrn, 800)
    assert shop.books() == [("hold", 10_000, "taken"), ("sale", 8800, "captured")]
    with pytest.raises(RefundRefused, match="no open hold"):
        shop.complete(held, "1.00")
    assert shop.refund(taken, "8.00").state is State.APPROVED


def test_a_hold_is_released_by_a_void(shop: DayShop) -> None:
    held = shop.hold("100.00")
    shop.void(held)
    assert [moved.state for moved in shop.forward()] == [State.VOIDED]
    assert shop.books() == [("hold", 10_000, "reversed")]


def test_a_hold_that_is_being_taken_is_voided_once_the_bank_has_heard_of_it(
    shop: DayShop,
) -> None:
    held = shop.hold("100.00")
    taken = shop.complete(held, "88.00")
    with pytest.raises(RefundRefused, match="the bank has to hear of it first"):
        shop.void(taken)
    assert [moved.state for moved in shop.forward()] == [State.APPROVED]
    shop.void(taken)
    assert [moved.state for moved in shop.forward()] == [State.VOIDED]
    assert shop.books() == [("hold", 10_000, "taken"), ("sale", 8800, "reversed")]


def test_cash_is_rounded_and_gives_change(shop: DayShop) -> None:
    shop.rules = replace(shop.rules, cash_coin_minor=5)
    sale = shop.cash("12.53", "20.00")
    assert (sale.state, sale.approved_minor, sale.rounding_minor) == (State.APPROVED, 1253, 2)
    assert (sale.tendered_minor, sale.cash_minor) == (2000, 1255)
    assert shop.void(sale).state is State.VOIDED
    with pytest.raises(AmountError, match="is not enough"):
        shop.cash("12.53", "12.50")
    assert shop.books() == []


def test_cash_goes_back_in_cash_and_never_to_a_card(shop: DayShop) -> None:
    sale = shop.cash("12.00")
    with pytest.raises(RefundRefused, match="not paid by card"):
        shop.refund(sale, "1.00")
    given = shop.refund(sale, "12.00", tender=Tender.CASH)
    assert (given.state, given.cash_minor) == (State.APPROVED, -1200)


def test_a_card_sale_goes_back_in_cash_only_when_a_supervisor_allows_it(shop: DayShop) -> None:
    sale = shop.sell("12.00")
    with pytest.raises(SupervisorNeeded, match="paid by card, and the money would go back by cash"):
        shop.refund(sale, "1.00", tender=Tender.CASH)


def test_refunds_give_tax_and_tip_back_to_the_cent(shop: DayShop) -> None:
    parts = (Part("food", 1000, 701, tax_in(701, 1000)), Part("wine", 2100, 299, tax_in(299, 2100)))
    sale = shop.sell("11.50", terms=Terms(tip_minor=150, parts=parts))
    given = [shop.refund(sale, text) for text in ("0.01", "7.33", "3.02", "1.14")]
    assert sum(refund.terms.tip_minor for refund in given) == 150
    for group in ("food", "wine"):
        back = [part for refund in given for part in refund.terms.parts if part.group == group]
        (paid,) = (part for part in parts if part.group == group)
        assert sum(part.gross_minor for part in back) == paid.gross_minor
        assert sum(part.tax_minor for part in back) == paid.tax_minor
