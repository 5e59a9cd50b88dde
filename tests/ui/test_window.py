"""The real app in a real window, touched and fed as in a shop."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from terminal.emv.outcome import MessageId
from terminal.money import Amount, Currency
from terminal.transaction import State
from tests.ui.conftest import KIVY_HOME, Driver
from tests.ui.stand_ins import AMOUNT, EUR, PlayedTill, StandInBench, StandInBooks, part_paid, sale
from ui.events import (
    Authorising,
    CardRead,
    Finished,
    NetworkChanged,
    OutOfService,
    PendingChanged,
    Presenting,
    Prompted,
    ReaderChanged,
    ReceiptDone,
    Refused,
    TillEvent,
)
from ui.presenter import telling
from ui.presenter.screens import Screen
from ui.presenter.touches import Charge, Choose, Digit
from ui.touch.kit.skin import skin
from ui.touch.theme import OF_TILL
from ui.words import LANGUAGES, Words

pytestmark = pytest.mark.window

SIZE_WITH_BENCH = (1280, 720)


def test_an_amount_is_typed_and_charged_once(driver: Driver) -> None:
    driver.open()
    for key in ("key_1", "key_2", "key_5", "key_9", "key_back", "key_0"):
        driver.tap(key)
    assert "€12.50" in driver.said()
    assert "Charge €12.50" in driver.said()
    driver.tap("charge")
    assert driver.till.charged == [AMOUNT]
    assert driver.app.state.screen is Screen.PRESENT
    assert "One moment…" in driver.said()


def test_charge_of_nothing_does_nothing(driver: Driver) -> None:
    driver.open()
    driver.tap("charge")
    driver.tap("key_00")
    driver.tap("charge")
    assert driver.till.charged == []
    assert driver.app.state.screen is Screen.AMOUNT


def test_clear_takes_the_digits_back(driver: Driver) -> None:
    driver.open()
    driver.tap("key_7")
    driver.tap("clear")
    assert "€0.00" in driver.said()
    assert driver.app.state.typed == 0


def test_a_sale_from_the_first_light_to_the_next_sale(driver: Driver) -> None:
    driver.open()
    driver.tell(Presenting(AMOUNT, 30.0))
    assert {"Hold card, phone or watch here", "€12.50", "Cancel"} <= driver.said()
    assert driver.find("lights").shown == 1
    driver.tell(CardRead())
    assert driver.find("lights").shown == 4
    assert "Cancel" not in driver.said()
    driver.tell(Authorising(15.0))
    assert "Asking the bank…" in driver.said()
    driver.tell(Finished(sale(State.APPROVED), None), ReceiptDone("t1", ok=True, note="paper"))
    assert {"Approved", "€12.50", "Visa •••• 1234", "Money was taken"} <= driver.said()
    driver.tap("done")
    assert "€12.50 · Visa •••• 1234 · Approved" in driver.said()
    assert driver.app.state.screen is Screen.AMOUNT


def test_cancel_answers_at_once_and_asks_once(driver: Driver) -> None:
    driver.open()
    driver.tell(Presenting(AMOUNT, 30.0))
    driver.tap("cancel")
    assert "Cancelling…" in driver.said()
    driver.tap("cancel")
    assert driver.till.cancels == 1
    driver.tell(Finished(sale(State.CANCELLED), None))
    assert {"Cancelled", "No money was taken"} <= driver.said()


def test_a_declined_amount_can_be_charged_again(driver: Driver) -> None:
    driver.open()
    driver.tell(Finished(sale(State.DECLINED), None))
    driver.tap("again")
    assert driver.till.charged == [AMOUNT]
    assert driver.app.state.screen is Screen.PRESENT


def test_an_unknown_sale_offers_no_second_charge(driver: Driver) -> None:
    driver.open()
    driver.tell(Finished(sale(State.UNKNOWN), None))
    assert "Not known yet whether money was taken" in driver.said()
    assert not driver.has("again")
    driver.app.touch(Charge())
    assert driver.till.charged == []


def test_an_approval_leaves_by_itself(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "APPROVED_STAYS_S", 0.05)
    driver.open()
    driver.tell(Finished(sale(State.APPROVED), None))
    driver.until(lambda: driver.app.state.screen is Screen.AMOUNT)


def test_a_numeric_pad_does_it_all(driver: Driver) -> None:
    driver.open()
    for code in (49, 258, 53, 256, 8, 48):
        driver.window.dispatch("on_key_down", code, 0, None, [])
    assert driver.app.state.typed == 1250
    driver.window.dispatch("on_key_down", 13, 0, None, [])
    assert driver.till.charged == [AMOUNT]
    driver.window.dispatch("on_key_down", 27, 0, None, [])
    assert driver.till.cancels == 1
    for state in (State.APPROVED, State.DECLINED, State.UNKNOWN):
        driver.tell(Finished(sale(state), None))
        driver.window.dispatch("on_key_down", 271, 0, None, [])
        assert driver.app.state.screen is Screen.AMOUNT
    assert driver.till.charged == [AMOUNT]


def test_nothing_moves_on_a_screen_that_nobody_sees(driver: Driver) -> None:
    driver.open()
    skin.motion = True
    stage = driver.app.view.screens[Screen.PRESENT].ids.stage
    driver.tell(Presenting(AMOUNT, 30.0))
    before = stage.phase
    driver.until(lambda: stage.phase != before)
    driver.tell(Finished(sale(State.CANCELLED), None))
    still = stage.phase
    for _ in range(20):
        driver.frames(1)
        assert stage.phase == still


def test_events_of_another_thread_arrive_in_their_order(driver: Driver) -> None:
    driver.open()
    totals = [Amount(minor, EUR) for minor in range(300)]

    def till_thread() -> None:
        for count, total in enumerate(totals):
            driver.till.tell(PendingChanged(count, total))

    thread = threading.Thread(target=till_thread)
    thread.start()
    driver.until(lambda: driver.app.state.pending_count == 299)
    thread.join()
    assert driver.app.state.pending_total == totals[-1]


def test_what_the_till_said_before_the_window_opened_is_shown(driver: Driver) -> None:
    till = PlayedTill()
    till.tell(ReaderChanged(ok=False, text="gone"), PendingChanged(2, AMOUNT))
    driver.open(till=till)
    assert {"No reader", "2 to send · €12.50"} <= driver.said()


STORY: tuple[tuple[TillEvent, ...], ...] = (
    (),
    (Presenting(Amount(99_999_999, EUR), 30.0),),
    *((Prompted(message, "MIFARE Classic"),) for message in MessageId),
    (CardRead(),),
    (Authorising(9.0),),
    (NetworkChanged(online=False), PendingChanged(12, Amount(9_999_999, EUR))),
    *(
        (Finished(sale(state, Amount(99_999_999, EUR)), None), ReceiptDone("t1", True, "x"))
        for state in State
    ),
    (Finished(part_paid(Amount(99_999_999, EUR)), None),),
    (Refused("The reader ACS ACR1252 Dual Reader PICC is gone.", "Plug it in again, and wait."),),
    (ReaderChanged(ok=False, text="gone"),),
    (OutOfService("The ledger cannot be written: the disk is full.", "Free some space, restart."),),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_fits_its_box(driver: Driver, language: str) -> None:
    driver.open(language)
    for events in STORY:
        driver.tell(*events)
        for text in driver.texts():
            assert text.fits, f"{driver.app.state.screen}: {text.text!r} in {text.size}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_largest_amount_fits(driver: Driver, language: str) -> None:
    for currency in ("EUR", "IRR", "JPY"):
        driver.open(language, currency=currency)
        for _ in range(12):
            driver.app.touch(Digit(9))
        driver.frames(2)
        assert all(text.fits for text in driver.texts())
        driver.tell(Presenting(driver.app.state.typed_amount, 30.0))
        assert all(text.fits for text in driver.texts())


def test_a_text_that_does_not_fit_is_found(driver: Driver) -> None:
    driver.open(shop="A shop with a name that is far too long for any bar on any till " * 3)
    assert not all(text.fits for text in driver.texts())


def test_screens_are_drawn_and_differ(driver: Driver) -> None:
    driver.open()
    pictures = {}
    screens: dict[str, TillEvent] = {
        "present": Presenting(AMOUNT, 30.0),
        "approved": Finished(sale(State.APPROVED), None),
        "declined": Finished(sale(State.DECLINED), None),
        "stored": Finished(sale(State.STORED), None),
        "closed": OutOfService("x"),
    }
    for name, event in screens.items():
        driver.tell(event)
        width, height, pixels = driver.picture()
        assert len(pixels) == width * height * 3
        colours = {pixels[at : at + 3] for at in range(0, len(pixels), 3)}
        assert len(colours) > 50, f"{name} looks blank"
        pictures[name] = pixels
    assert len(set(pictures.values())) == len(pictures)


def test_the_same_screen_is_drawn_the_same_way_twice(driver: Driver) -> None:
    driver.open("fa", currency="IRR")
    first = driver.picture()
    driver.open("en")
    driver.open("fa", currency="IRR")
    assert driver.picture() == first


def test_persian_mirrors_the_layout_and_not_the_keypad(driver: Driver) -> None:
    driver.open("en")
    assert driver.find("charge").x < driver.find("key_1").x
    driver.open("fa")
    assert driver.find("charge").x > driver.find("key_1").x
    assert driver.find("key_1").x < driver.find("key_2").x < driver.find("key_3").x


def test_language_and_theme_change_while_the_till_runs(driver: Driver) -> None:
    driver.open("en")
    light = driver.picture()
    for language in ("es", "fr", "bg", "fa", "en"):
        driver.app.touch(Choose("language"))
        driver.frames(3)
        words = Words(language)
        mirrored = driver.find("charge").x > driver.find("key_1").x
        assert mirrored is words.rtl
        assert words.say("Reader ready") in driver.said()
    assert driver.picture() == light
    pictures = {light}
    for _ in OF_TILL:
        driver.app.touch(Choose("theme"))
        driver.frames(3)
        pictures.add(driver.picture())
    assert len(pictures) == len(OF_TILL)
    assert driver.picture() == light


def test_a_card_on_the_bench_is_tapped_with_the_mouse(driver: Driver) -> None:
    bench = StandInBench()
    driver.open(benches=[bench], size=SIZE_WITH_BENCH)
    driver.until(lambda: any(text.text == "Visa credit" for text in driver.texts()))
    driver.frames(3)
    driver.tap("card_visa")
    driver.until(lambda: ("tap", "visa") in bench.done)
    driver.until(lambda: "tap visa" in driver.said())


def test_a_card_is_dragged_to_the_till_and_away_again(driver: Driver) -> None:
    bench = StandInBench()
    driver.open(benches=[bench], size=SIZE_WITH_BENCH)
    driver.until(lambda: any(text.text == "Visa credit" for text in driver.texts()))
    driver.frames(3)
    face = driver.find("card_visa")
    x, y = face.to_window(*face.center)
    finger = driver.press("card_visa")
    for place in ((x - 20, y), (x - 60, y), (400, y)):
        driver.slide(finger, *place)
        driver.frames(1)
    driver.until(lambda: bench.done == [("tap", "visa")])
    driver.slide(finger, x - 20, y)
    driver.until(lambda: bench.done == [("tap", "visa"), ("remove",)])
    driver.slide(finger, 300, y)
    driver.until(lambda: len(bench.done) == 3)
    driver.lift(finger)
    driver.frames(3)
    assert bench.done == [("tap", "visa"), ("remove",), ("tap", "visa")]
    assert sum(text.text == "Visa credit" for text in driver.texts()) == 1


def test_a_card_that_is_pulled_and_put_back_is_not_tapped(driver: Driver) -> None:
    bench = StandInBench()
    driver.open(benches=[bench], size=SIZE_WITH_BENCH)
    driver.until(lambda: any(text.text == "Visa credit" for text in driver.texts()))
    driver.frames(3)
    face = driver.find("card_visa")
    x, y = face.to_window(*face.center)
    finger = driver.press("card_visa")
    for place in ((x - 20, y), (x - 60, y), (x, y)):
        driver.slide(finger, *place)
        driver.frames(1)
    driver.lift(finger)
    driver.frames(3)
    driver.tap("card_mc")
    driver.until(lambda: bool(bench.done))
    assert bench.done == [("tap", "mc")]


def test_how_much_goes_wrong_is_chosen(driver: Driver) -> None:
    bench = StandInBench()
    driver.open(benches=[bench], size=SIZE_WITH_BENCH)
    driver.until(lambda: "100 ms" in driver.said())
    driver.frames(3)
    driver.tap("switch_0_slow_dose")
    driver.until(lambda: "101 ms" in driver.said())
    assert bench.done == [("step", "slow")]


def test_a_card_is_taken_away(driver: Driver) -> None:
    bench = StandInBench()
    driver.open(benches=[bench], size=SIZE_WITH_BENCH)
    driver.until(lambda: "Take card away" in driver.said())
    driver.frames(3)
    driver.tap("away")
    driver.until(lambda: bench.done == [("remove",)])


def test_a_bench_without_cards_invites_nobody_to_tap(driver: Driver) -> None:
    driver.open(benches=[StandInBooks()], size=SIZE_WITH_BENCH)
    driver.until(lambda: "What the bank's books say" in driver.said())
    driver.frames(3)
    assert "Cut the network" in driver.said()
    assert "Drag a card to the till, or click it" not in driver.said()


def test_a_switch_shows_what_the_bench_says(driver: Driver) -> None:
    bench = StandInBench()
    driver.open(benches=[bench], size=SIZE_WITH_BENCH)
    driver.until(lambda: "Slow card" in driver.said())
    driver.frames(3)
    driver.tap("switch_0_slow")
    driver.until(lambda: bool(driver.find("switch_0_slow").on))
    assert bench.done == [("set", "slow", "True")]
    bench.on = set()
    driver.until(lambda: not driver.find("switch_0_slow").on)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_simulated_till_says_so(driver: Driver, language: str) -> None:
    driver.open(language, benches=[StandInBench()], size=SIZE_WITH_BENCH)
    driver.until(lambda: "Visa credit" in driver.said())
    driver.frames(3)
    say = Words(language).say
    assert say("Simulated, no real money") in driver.said()
    banner = say("Test bench: simulated cards, simulated bank, no real money")
    assert banner in driver.said()
    assert all(text.fits for text in driver.texts())


def test_a_whole_sale_on_the_bench(driver: Driver) -> None:
    till = PlayedTill()
    driver.open(till=till, benches=[till.bench], size=SIZE_WITH_BENCH)
    driver.until(lambda: "Visa credit" in driver.said())
    driver.frames(3)
    for key in ("key_1", "key_2", "key_5", "key_0", "charge", "card_mc"):
        driver.tap(key)
    driver.until(lambda: "Approved" in driver.said())
    assert till.charged == [Amount(1250, Currency.of("EUR"))]


def test_kivy_leaves_the_process_as_it_was(driver: Driver) -> None:
    streams = (sys.stdout, sys.stderr, logging.root.manager, list(logging.root.handlers))
    arguments = list(sys.argv)
    driver.open()
    now = (sys.stdout, sys.stderr, logging.root.manager, list(logging.root.handlers))
    assert now == streams
    assert sys.argv == arguments
    assert not any("kivy" in type(each).__module__ for each in logging.root.handlers)
    assert os.environ["KIVY_HOME"] == KIVY_HOME
    assert not list(Path(KIVY_HOME).iterdir())


def test_a_window_too_small_for_a_bench_shows_the_till_alone(driver: Driver) -> None:
    driver.open(benches=[StandInBench()])
    driver.frames(5)
    assert "Simulated, no real money" in driver.said()
    assert driver.app.table is None
    assert driver.find("charge")
