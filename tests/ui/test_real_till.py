"""A day in a shop through the window: real checkout, ledger and queue, simulated reader and bank.

Every flow ends with a look at the ledger: the screen and the books must say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_queue.staff import Staff
from terminal.money import Currency
from terminal.roles import Role
from terminal.transaction import MoneyTaken, State
from tests.ui.conftest import Driver
from tests.ui.shop import Shop, open_shop
from ui.presenter import touches as t
from ui.presenter.panel import Place
from ui.presenter.screens import Screen
from ui.presenter.verdict import Verdict
from ui.wiring import assembled, load_settings
from ui.words import LANGUAGES

pytestmark = pytest.mark.window

WIDE, LARGE, UPRIGHT = (800, 480), (1280, 720), (480, 800)
RUNS = [*((language, WIDE) for language in LANGUAGES), ("fa", LARGE), ("fr", UPRIGHT)]


@pytest.fixture
def shop(driver: Driver, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    language, size = getattr(request, "param", ("en", WIDE))
    settings = load_settings(data_dir=tmp_path / "till", reader="sim:", acquirer="sim:")
    with assembled(settings) as parts:
        # The simulated cards prefer English; here everything speaks the shop's language.
        own = {"card_language": "off"}
        opened = open_shop(
            driver, parts, language, size=size, clock=parts.clock.now, preferences=own
        )
        try:
            yield opened
        finally:
            driver.close()
            opened.till.stop()


def _name(run: object) -> str:
    return "-".join(str(part) for part in run) if isinstance(run, tuple) else str(run)


@pytest.mark.parametrize("shop", RUNS, indirect=True, ids=[_name(run) for run in RUNS])
def test_a_day(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    shop.until(lambda: app.state.online, "the line is seen")
    # Approved: one touch after the digits, and the customer sees that money was taken.
    shop.sell("1250")
    assert {shop.say("Approved"), shop.say("Money was taken")} <= shop.said()
    shop.agrees()
    driver.tap("done")
    # Declined: no money, the bank's code for the cashier, a number for the phone.
    shop.sell("1051", "mastercard-credit")
    assert {shop.say("Card declined"), shop.say("No money was taken")} <= shop.said()
    assert any("51" in text for text in shop.said())
    shop.agrees()
    driver.tap("done")
    # Paid in part; the next card is asked for the rest.
    shop.sell("1010")
    assert shop.verdict() is Verdict.PARTLY_APPROVED
    shop.agrees()
    driver.tap("again")
    shop.until(lambda: app.state.armed)
    assert app.state.amount.minor == 404
    driver.tap("cancel")
    shop.until(lambda: shop.verdict() is Verdict.CANCELLED)
    driver.tap("done")
    # The phone wants its owner first.
    shop.charge("700")
    shop.bench.tap("visa-phone")
    shop.until_said("See your phone, then hold again")
    shop.bench.tap("visa-phone")
    shop.until(lambda: shop.verdict() is Verdict.APPROVED)
    shop.agrees()
    driver.tap("done")
    # Without a line the sale is kept, told as such, and sent from the queue by hand.
    shop.acquirer.network_off()
    shop.sell("300")
    assert shop.verdict() is Verdict.STORED
    assert shop.say("No money taken yet: charged when back online") in shop.said()
    driver.tap("done")
    shop.until(lambda: not app.state.online and app.state.pending_count == 1)
    driver.frames(2)
    driver.tap("banner")
    shop.until(lambda: app.shell.queue is not None and len(app.shell.queue.waiting) == 1)
    shop.acquirer.network_on()
    driver.frames(3)
    driver.tap("panel_0")
    shop.until(lambda: app.state.pending_count == 0, "the queue is empty")
    driver.tap("back")
    _a_lost_answer(shop)
    _the_books(shop)
    assert [sale.state for sale in shop.sales()] == [
        *(State.APPROVED, State.DECLINED, State.APPROVED, State.CANCELLED),
        *(State.APPROVED, State.APPROVED, State.REVERSED),
    ]
    shop.parts.journal.store.verify()


def _a_lost_answer(shop: Shop) -> None:
    """Nothing came back from the bank: not known, and undone as soon as it can be asked."""
    driver = shop.driver
    shop.acquirer.set(drop_after=1)
    shop.sell("4200")
    assert shop.verdict() in (Verdict.UNKNOWN, Verdict.REVERSED)
    shop.until(lambda: shop.verdict() is Verdict.REVERSED, "the bank confirmed the reversal")
    assert shop.say("No money was taken") in shop.said()
    shop.agrees()
    driver.tap("done")


def _the_books(shop: Shop) -> None:
    """The history finds a sale, its detail shows it, and the day is closed."""
    driver, app = shop.driver, shop.driver.app
    driver.tap("menu")
    driver.tap("tile_1")
    shop.until(lambda: app.shell.history is not None and len(app.shell.history.found) == 7)
    for key in ("find_key_1", "find_key_2", "find_key_5", "find_key_0"):
        driver.tap(key)
    shop.until(lambda: app.shell.history.query == "1250" and len(app.shell.history.found) == 1)
    driver.frames(4)
    driver.tap("row_0")
    shop.until(lambda: app.shell.sale is not None)
    driver.frames(3)
    assert shop.say("Money was taken") in shop.said()
    # Taking it back comes first on the screen; the copy is the third key.
    driver.tap("sale_2")
    shop.until(lambda: app.shell.note == "printed", "a copy is out")
    driver.app.touch(t.ShowReceipt())
    driver.frames(3)
    assert driver.app.view.current.ids.code.module_px >= 2
    for _ in range(3):
        app.touch(t.Back())
    app.touch(t.Go("day"))
    shop.until(lambda: app.shell.day is not None)
    app.touch(t.NextStep())
    app.touch(t.NextStep())
    shop.until(lambda: app.shell.day.closed, app.shell.note)
    assert app.shell.day.report.pending_count == 0
    # The bank was asked, and has the same to the cent.
    assert app.shell.day.settlement == "balanced"
    assert [entry.mti for entry in shop.acquirer.ledger()].count("0500") == 1
    driver.frames(3)
    assert shop.say("The day is closed, and the bank has the same sums") in shop.said()
    app.touch(t.NextStep())
    shop.until(lambda: app.shell.exported, app.shell.note)
    assert Path(app.shell.exported, "figures.csv").is_file()
    driver.frames(3)
    shop.home()


def test_a_sale_is_refunded_to_its_card_and_another_one_voided(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    shop.until(lambda: app.state.online)
    for keys in ("1250", "900"):
        shop.sell(keys)
        driver.tap("done")
    first, second = shop.sales()
    app.touch(t.Go("history"))
    app.touch(t.OpenSale(first.txn_id))
    shop.until(lambda: app.shell.sale is not None)
    assert app.shell.sale.refundable == first.amount
    # Money goes back only after a second touch.
    app.touch(t.Undo("refund"))
    app.touch(t.Undo("keep"))
    app.touch(t.Confirm())
    assert len(shop.sales()) == 2
    app.touch(t.Undo("refund"))
    driver.frames(3)
    assert shop.say("Give {amount} back", amount="€12.50") in shop.said()
    app.touch(t.Confirm())
    shop.until(lambda: app.state.armed, "the card is asked for")
    shop.bench.tap("visa-credit")
    shop.until_said("Refunded")
    assert shop.say("The money goes back to the card") in shop.said()
    shop.agrees()
    shop.home()
    app.touch(t.Go("history"))
    app.touch(t.OpenSale(second.txn_id))
    shop.until(lambda: app.shell.sale is not None and app.shell.sale.voidable)
    app.touch(t.Undo("void"))
    app.touch(t.Confirm())
    shop.until(lambda: shop.parts.journal.transaction(second.txn_id).state is State.VOIDED)
    shop.home()
    app.touch(t.Go("history"))
    app.touch(t.OpenSale(first.txn_id))
    shop.until(lambda: app.shell.sale is not None)
    assert app.shell.sale.refundable is None
    assert not app.shell.sale.voidable


def test_a_card_that_is_taken_away_early_is_asked_for_again(shop: Shop) -> None:
    shop.bench.set_switch("early", True)
    shop.charge("1250")
    shop.bench.tap("visa-credit")
    shop.until_said("Hold it here again")
    shop.bench.set_switch("early", False)
    # The same card once more, as soon as it is out of the way.
    shop.until(lambda: "taken away" in shop.bench.log()[-1])
    shop.bench.tap("visa-credit")
    shop.until(lambda: shop.verdict() is Verdict.APPROVED)
    shop.agrees()


def test_the_rest_of_a_sale_is_paid_in_cash_and_says_the_change(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    shop.until(lambda: app.state.online)
    shop.sell("1010")
    shop.until(lambda: app.state.bill is not None, "the bill of the rest")
    shop.until_said("Still due: {amount}", amount="€4.04")
    # A card that is declined leaves the rest due; 4.04 is no amount that is refused, so cancel.
    driver.tap("again")
    shop.until(lambda: app.state.armed)
    driver.tap("cancel")
    shop.until(lambda: shop.verdict() is Verdict.CANCELLED)
    shop.until(lambda: app.state.may_charge_rest, "it is still due")
    driver.frames(3)
    driver.tap("other")
    for key in ("1", "0", "00"):
        driver.tap(f"entry_key_{key}")
    assert shop.say("Change") in shop.said()
    driver.tap("take")
    shop.until(lambda: shop.verdict() is Verdict.APPROVED)
    driver.frames(3)
    assert shop.say("Change: {amount}", amount="€5.96") in shop.said()
    assert not app.state.may_charge_rest
    shop.agrees()
    first, cancelled, cash = shop.sales()
    assert (first.approved_minor, cancelled.state, cash.cash_minor) == (606, State.CANCELLED, 404)
    assert cash.terms.bill == "R1"


def test_a_bill_is_split_between_a_card_and_cash(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    shop.until(lambda: app.state.online)
    for key in ("2", "0", "00"):
        driver.tap(f"key_{key}")
    driver.tap("ways")
    driver.tap("tile_3")
    driver.frames(2)
    driver.tap("note_0")
    driver.tap("take")
    shop.until(lambda: app.state.armed, "the first part is asked of a card")
    shop.bench.tap("visa-credit")
    shop.until_said("Still due: {amount}", amount="€10.00")
    shop.agrees()
    # The next one pays in cash, with a note of twenty.
    driver.tap("other")
    driver.frames(3)
    for key in ("1", "0", "00"):
        driver.tap(f"entry_key_{key}")
    driver.tap("other")
    driver.frames(3)
    driver.tap("note_1")
    driver.tap("take")
    shop.until_said("Change: {amount}", amount="€10.00")
    assert not app.state.may_charge_rest
    shop.agrees()
    card, cash = shop.sales()
    assert (card.amount.minor, cash.cash_minor) == (1000, 1000)
    assert card.terms.bill == cash.terms.bill != ""


def test_a_tip_is_chosen_by_the_customer_and_comes_with_the_sale(shop: Shop) -> None:
    driver, app = shop.driver, shop.driver.app
    app.touch(t.Choose("tips"))
    for key in ("2", "0", "00"):
        driver.tap(f"key_{key}")
    driver.tap("charge")
    driver.frames(3)
    assert app.state.screen is Screen.TIP
    driver.tap("offer_1")
    shop.until(lambda: app.state.armed)
    assert shop.say("With a tip of {amount}", amount="€2.00") in shop.said()
    shop.bench.tap("visa-credit")
    shop.until(lambda: shop.verdict() is Verdict.APPROVED)
    [sale] = shop.sales()
    assert (sale.amount.minor, sale.terms.tip_minor) == (2200, 200)


def test_cancel_is_answered_within_a_frame_and_ends_the_wait(shop: Shop) -> None:
    shop.charge("500")
    shop.driver.app.touch(t.Cancel())
    # Said in the same moment, before the till has heard of it.
    assert shop.driver.app.state.cancelling
    shop.until(lambda: shop.verdict() is Verdict.CANCELLED)
    assert shop.driver.app.state.money_taken is MoneyTaken.NO
    shop.agrees()


def test_two_cards_and_a_sticker_ask_for_one_card(shop: Shop) -> None:
    cards = {card.id for card in shop.bench.cards()}
    several = next(card for card in sorted(cards) if "two" in card or "several" in card)
    shop.charge("500")
    shop.bench.tap(several)
    shop.until_said("One card only, please")
    shop.until(lambda: shop.driver.app.state.armed)
    shop.driver.tap("cancel")
    shop.until(lambda: shop.driver.app.state.screen is Screen.RESULT)


def test_a_reader_that_is_pulled_out_says_so_and_takes_no_money(shop: Shop) -> None:
    shop.charge("500")
    shop.bench.set_switch("unplugged", True)
    shop.until(lambda: shop.verdict() is Verdict.REFUSED)
    assert shop.say("No money was taken") in shop.said()
    shop.bench.set_switch("unplugged", False)
    shop.driver.tap("done")
    shop.home()


def test_the_lock_knows_the_people_of_the_ledger(driver: Driver, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "till", reader="sim:", acquirer="sim:")
    with assembled(settings) as parts:
        staff = Staff(parts.journal.store, parts.keystore, parts.clock, parts.entropy)
        staff.add("Mia", Role.MERCHANT, "2580", by="test")
        staff.add("Ana", Role.CASHIER, "4711", by="test")
        shop = open_shop(driver, parts, "en")
        try:
            shop.until(lambda: driver.app.shell.place is Place.LOCK, "the till is locked")
            driver.frames(3)
            for key in "4712":
                driver.tap(f"pin_key_{key}")
            driver.tap("unlock")
            shop.until_said("This PIN is wrong")
            for key in "4711":
                driver.tap(f"pin_key_{key}")
            driver.tap("unlock")
            shop.until(lambda: driver.app.shell.place is Place.TILL, "Ana is in")
            shop.sell("900")
            assert shop.sales()[-1].cashier == "Ana"
            # The customer must not turn away from an unpaid sale.
            driver.tap("done")
            shop.sell("1051")
            driver.tap("done")
            assert driver.app.shell.place is Place.LOCK
            for key in "2580":
                driver.tap(f"pin_key_{key}")
            driver.tap("unlock")
            shop.until(lambda: driver.app.shell.place is Place.TILL, "a merchant led on")
            assert driver.app.state.screen is Screen.AMOUNT
            assert driver.app.shell.person.name == "Ana"
        finally:
            driver.close()
            shop.till.stop()


def test_the_card_speaks_to_its_holder(shop: Shop) -> None:
    shop.until(lambda: shop.driver.app.state.online)
    shop.sell("1250")
    app = shop.driver.app
    assert app.state.card_language in ("", *LANGUAGES, "de", "it")
    assert app.shown().keys[-1].label == "New sale"
    assert app.state.currency == Currency.of("EUR")
