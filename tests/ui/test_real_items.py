"""A shop that sells items, through the window: real till, ledger, reader and bank, as touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offline_queue.bills import Bills
from offline_queue.items import Items
from terminal.catalogue import Catalogue
from terminal.config import TransferConfig
from terminal.money import Currency
from terminal.terms import Tender
from terminal.transaction import State
from tests.ui.conftest import Driver
from tests.ui.shop import Shop, open_shop
from tools.item_scenes import catalogue
from ui.presenter.item_touches import PickLine
from ui.presenter.page import About
from ui.presenter.panel import Place
from ui.presenter.screens import Screen
from ui.presenter.verdict import Verdict
from ui.wiring import assembled, load_settings
from ui.words import LANGUAGES

pytestmark = pytest.mark.window

WIDE, LARGE, UPRIGHT = (800, 480), (1280, 720), (480, 800)
RUNS = [*((language, WIDE) for language in LANGUAGES), ("en", LARGE), ("fa", UPRIGHT)]
EUR = Currency.of("EUR")


def sold(language: str) -> Catalogue:
    """What the shop sells, in this language; the tenth item has no quick key."""
    items = catalogue(language, EUR).items
    return Catalogue(tuple(replace(i, key=0) if n >= 9 else i for n, i in enumerate(items)))


@pytest.fixture
def shop(driver: Driver, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    language, size = getattr(request, "param", ("en", WIDE))
    settings = load_settings(data_dir=tmp_path / "till", reader="sim:", acquirer="sim:")
    config = replace(settings.config, transfer=TransferConfig(iban="DE89370400440532013000"))
    with assembled(replace(settings, config=config)) as parts:
        Items(parts.journal.store).load(sold(language), parts.clock)
        opened = open_shop(
            driver,
            parts,
            language,
            size=size,
            clock=parts.clock.now,
            about=About(transfers=True),
            preferences={"card_language": "off"},
        )
        opened.until(lambda: bool(driver.app.state.basket.stock), "the catalogue is there")
        driver.frames(4)
        try:
            yield opened
        finally:
            driver.close()
            opened.till.stop()


@pytest.mark.parametrize("shop", RUNS, indirect=True, ids=[f"{a}-{b[0]}" for a, b in RUNS])
def test_items_are_touched_paid_and_in_the_books(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    shop.until(lambda: app.state.online)
    first, second, *_ = app.state.basket.stock.catalogue.items
    for key in ("item_0", "item_1", "item_0"):
        driver.tap(key)
    assert app.state.due.minor == 2 * first.price.minor + second.price.minor
    # A line is opened where it stands, and counted on the keypad.
    driver.tap("row_0")
    assert app.shell.place is Place.LINE
    driver.tap("entry_key_2")
    driver.tap("take")
    assert [line.count for line in app.state.basket.lines] == [2, 2]
    driver.tap("charge")
    shop.until(lambda: app.state.armed, "the reader is live")
    shop.bench.tap("visa-credit")
    shop.until(lambda: shop.verdict() is Verdict.APPROVED)
    shop.agrees()
    assert all(text.fits for text in driver.texts())
    driver.tap("done")
    assert app.state.basket.order is None
    [sale] = shop.sales()
    assert sale.amount.minor == 2 * first.price.minor + 2 * second.price.minor
    assert [(p.group, p.rate_bp, p.gross_minor) for p in sale.terms.parts] == [
        (first.group, 1000, 2 * first.price.minor),
        (second.group, 1000, 2 * second.price.minor),
    ]


def test_an_order_that_was_not_paid_goes_on_in_cash(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    shop.until(lambda: app.state.online)
    driver.tap("item_0")
    driver.tap("quick_0")
    for key in ("1", "0", "00"):
        driver.tap(f"key_{key}")
    driver.tap("charge")
    shop.until(lambda: app.state.armed)
    driver.tap("cancel")
    shop.until(lambda: shop.verdict() is Verdict.CANCELLED)
    driver.frames(3)
    assert "Back to the order" in shop.said()
    driver.tap("done")
    assert [line.gross_minor for line in app.state.basket.lines] == [180, 1000]
    # One more of it, and the whole in cash, with its groups and taxes.
    driver.tap("quick_0")
    driver.tap("item_0")
    driver.tap("ways")
    driver.tap("tile_0")
    driver.tap("note_1")
    driver.tap("take")
    shop.until_said("Change: {amount}", amount="€6.40")
    assert app.state.basket.order is None
    cancelled, cash = shop.sales()
    assert (cancelled.state, cash.state) == (State.CANCELLED, State.APPROVED)
    assert [part.gross_minor for part in cash.terms.parts] == [360, 1000]


def test_a_scanner_sells_and_says_what_it_does_not_know(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app

    def scan(code: str) -> None:
        for letter in code:
            driver.window.dispatch("on_key_down", ord(letter), 0, letter, [])
        driver.window.dispatch("on_key_down", 13, 0, None, [])
        driver.frames(4)

    driver.tap("quick_0")
    driver.tap("key_7")
    item = app.state.basket.stock.catalogue.items[12]
    assert item.key == 0
    scan(item.barcode)
    assert [line.item for line in app.state.basket.lines] == [item]
    assert (app.state.typed, app.state.due.minor) == (7, item.price.minor + 7)
    scan("7612345678900")
    assert "7612345678900 is no item. Type its price, or find it" in shop.said()
    assert app.state.typed == 7
    assert app.state.screen is Screen.AMOUNT


def test_an_item_is_found_by_its_letters(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    driver.tap("quick_1")
    assert app.shell.place is Place.ITEMS
    letters = [app.shown().quick.index(key) for key in app.shown().quick if key.label == "L"]
    driver.tap(f"letter_{letters[0]}")
    driver.frames(3)
    assert "Homemade lemonade" in shop.said()
    driver.tap("row_1")
    driver.tap("panel_0")
    assert app.shell.place.value == "till"
    assert [line.item.name for line in app.state.basket.lines] == ["Homemade lemonade"]
    driver.tap("clear")
    assert app.state.basket.order is None
    driver.tap("clear")
    assert len(app.state.basket.lines) == 1


def test_a_table_pays_by_items_by_card_by_transfer_and_in_cash(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    shop.until(lambda: app.state.online)
    # Three of the second, one of the first: 250, 250, 250, 180.
    for key in ("item_1", "item_1", "item_0", "item_1"):
        driver.tap(key)
    _split_by_item(shop, rows=(0, 1))
    driver.tap("panel_2")
    shop.until(lambda: app.state.armed, app.shell.note)
    shop.bench.tap("visa-credit")
    shop.until_said("Still due: {amount}", amount="€4.30")
    shop.agrees()
    driver.tap("other")
    driver.tap("note_3")
    assert [line.touch for line in app.shown().lines] == [PickLine(2), PickLine(3)]
    driver.tap("row_0")
    shop.acquirer.set(transfer_after=1)
    driver.tap("panel_1")
    shop.until(lambda: app.shell.code is not None, "the code is up, or was")
    shop.until_said("Still due: {amount}", amount="€1.80")
    driver.tap("other")
    driver.tap("note_3")
    driver.tap("row_0")
    driver.tap("panel_0")
    assert app.shell.place is Place.CASH
    driver.tap("take")
    shop.until(lambda: shop.verdict() is Verdict.APPROVED and not app.state.may_charge_rest)
    shop.agrees()
    card, transfer, cash = shop.sales()
    tenders = [each.terms.tender for each in (card, transfer, cash)]
    assert tenders == [Tender.CARD, Tender.TRANSFER, Tender.CASH]
    assert [each.amount.minor for each in (card, transfer, cash)] == [500, 250, 180]
    assert {each.terms.bill for each in (card, transfer, cash)} == {"B1"}
    assert not Bills(shop.parts.journal.store).unpaid()
    shop.parts.journal.store.verify()
    # The table is done, and nothing of it is left for the next one.
    driver.tap("done")
    assert (app.state.basket.order, app.state.due.minor) == (None, 0)


def _split_by_item(shop: Shop, rows: tuple[int, ...]) -> None:
    driver = shop.driver
    driver.tap("ways")
    driver.tap("tile_3")
    driver.tap("note_3")
    assert driver.app.shell.place is Place.SHARE
    for row in rows:
        driver.tap(f"row_{row}")


def test_a_discount_is_taken_off_the_whole_order(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    shop.until(lambda: app.state.online)
    driver.tap("item_1")
    driver.tap("ways")
    driver.tap("tile_7")
    driver.tap("note_1")
    driver.tap("take")
    assert app.state.due.minor == 225
    assert "Discount 10 %" in shop.said()
    driver.tap("charge")
    shop.until(lambda: app.state.armed)
    shop.bench.tap("visa-credit")
    shop.until(lambda: shop.verdict() is Verdict.APPROVED)
    shop.agrees()
    [sale] = shop.sales()
    assert [(part.gross_minor, part.tax_minor) for part in sale.terms.parts] == [(225, 20)]
