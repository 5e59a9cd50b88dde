"""Orders of a catalogue, and the catalogue in the ledger: replaced whole, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.items import Items
from terminal.catalogue import Catalogue, Item, Line, read_catalogue
from terminal.errors import AmountError
from terminal.money import Amount, Currency
from terminal.order import Order, picked
from terminal.terms import tax_in
from tests.offline_queue.sales import Till

EUR, JPY = Currency.of("EUR"), Currency.of("JPY")
TEA = Item("Tea", Amount(180, EUR), "drinks", 1000, "5900000000017", 1)
WINE = Item("Wine", Amount(450, EUR), "drinks", 2100, "5900000000024", 2)
SOUP = Item("3xHot Soup", Amount(595, EUR), "kitchen", 1000)
LIST = Catalogue((TEA, WINE, SOUP))

ITEMS = st.builds(
    Item,
    name=st.just("x"),
    price=st.integers(0, 100_000).map(lambda minor: Amount(minor, EUR)),
    group=st.sampled_from("ab"),
    rate_bp=st.sampled_from([0, 550, 1000, 2100, 10_000]),
)
ORDERS = st.builds(
    Order,
    currency=st.just(EUR),
    lines=st.lists(
        st.builds(Line, ITEMS, st.integers(1, 20), st.integers(-2000, 10_000)), max_size=6
    ).map(tuple),
    discount_bp=st.integers(-10_000, 10_000),
    off_minor=st.integers(0, 5000),
)


@given(ORDERS, st.integers(0, 500))
def test_the_total_is_the_sum_of_its_parts_and_a_payment_fits_it(order: Order, tip: int) -> None:
    assert sum(part.gross_minor for part in order.parts) == order.total.minor
    assert all(part.tax_minor == tax_in(part.gross_minor, part.rate_bp) for part in order.parts)
    assert order.terms(tip).fits(order.total.minor + tip)
    if order.total.minor:
        assert order.bill("B1").total == order.total
    plain = sum(line.gross_minor for line in order.lines)
    exact = plain * (10_000 - order.discount_bp) - 10_000 * order.off_minor
    assert abs(max(exact, 0) - 10_000 * order.total.minor) <= 5_000


@pytest.mark.parametrize(
    ("order", "total", "reduced", "tax"),
    [
        (Order(EUR).add(TEA).add(WINE).add(TEA, 2), 990, 0, 49 + 78),
        (Order(EUR).add(TEA, 3).discount(0, 1000), 486, 54, 44),
        # 10 % of 9.90 is 0.99, shared over 5.40 and 4.50.
        (Order(EUR, (Line(TEA, 3), Line(WINE)), 1000), 891, 99, 44 + 70),
        (Order(EUR, (Line(WINE),), -500), 472, -22, 82),
        (Order(EUR, (Line(WINE),), 0, 500), 0, 450, 0),
        (Order(EUR).add_amount(Amount(250, EUR), "Repair").count(0, 2), 500, 0, 0),
        (Order(EUR).add(TEA).add(WINE).count(0, 0), 450, 0, 78),
    ],
)
def test_an_order(order: Order, total: int, reduced: int, tax: int) -> None:
    assert (order.total.minor, order.reduced_minor, order.tax_minor) == (total, reduced, tax)


def test_items_are_picked_by_name_and_barcode() -> None:
    order = picked(LIST, EUR, ["2xtea", "5900000000024", "2x5900000000017", "3xHot Soup"])
    assert [line.text for line in order.lines] == ["4 x Tea", "Wine", "3xHot Soup"]
    for wanted in ("Beer", "0xTea", "x", ""):
        with pytest.raises(AmountError, match="no item of the catalogue"):
            picked(LIST, EUR, [wanted])


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda: Order(JPY).add(TEA), "not priced in JPY"),
        (lambda: Order(EUR).count(0, 1), "no such line"),
        (lambda: Order(EUR).add(TEA).count(0, -1), "1 to 9999"),
        (lambda: Order(EUR).add(TEA).discount(0, 10_001), "100 % off"),
        (lambda: Order(EUR, (), 10_001), "100 %"),
        (lambda: Order(EUR, (), 0, -1), "no negative amount"),
        (lambda: Order(EUR, (Line(TEA),) * 501), "at most 500 lines"),
        (lambda: Order(EUR).add(Item("Ship", Amount(10**12 - 1, EUR)), 2).total, "twelve digits"),
    ],
)
def test_what_no_order_can_be(wrong: object, why: str) -> None:
    assert callable(wrong)
    with pytest.raises(AmountError, match=why):
        wrong()


def test_the_ledger_keeps_the_list_whole(till: Till) -> None:
    items = Items(till.store)
    assert items.loaded() is None
    items.load(LIST, till.clock, by="Eva")
    assert items.catalogue() == LIST
    assert items.by_barcode(" 5900000000024\n") == WINE
    assert items.by_barcode("") is None
    twice = Catalogue((TEA, TEA))
    with pytest.raises(AssertionError, match="UNIQUE"):
        items.load(twice, till.clock)
    till.reopen()
    assert not till.store.findings
    items = Items(till.store)
    assert items.catalogue() == LIST
    loaded = items.loaded()
    assert loaded is not None
    assert (loaded.items, loaded.by) == (3, "Eva")
    items.load(Catalogue((WINE,)), till.clock)
    assert items.catalogue().quick == (WINE,)
    till.store.verify()


def test_a_list_of_ten_thousand_items_is_read_and_found_again(till: Till) -> None:
    lines = (f"Item {n},{n % 90}.{n % 100:02d},g{n % 7},21,{10**9 + n}" for n in range(10_000))
    found = read_catalogue("\n".join(("name,price,group,tax,barcode", *lines)), EUR)
    items = Items(till.store)
    items.load(found, till.clock)
    assert items.by_barcode(str(10**9 + 9_999)) == found.items[-1]
    till.reopen()
    assert len(Items(till.store).catalogue().items) == 10_000
