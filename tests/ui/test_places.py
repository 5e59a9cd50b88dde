"""The places around the sale in the real window: they are drawn, fit, and lead on and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from terminal.bill import Bill, BillStanding
from terminal.catalogue import Catalogue, Item
from terminal.drawer import DrawerStanding
from terminal.money import Amount
from terminal.roles import Authorised, Role
from terminal.settlement import report
from terminal.transaction import State, Transaction
from tests.ui.conftest import Driver
from tests.ui.stand_ins import CARD, EUR, NOW, sale
from ui.counter_questions import CatalogueShown, CatalogueWanted
from ui.events import (
    CardRead,
    Finished,
    NetworkChanged,
    PendingChanged,
    Presenting,
    ReaderChanged,
    StaffChanged,
)
from ui.presenter import touches as t
from ui.presenter.item_touches import (
    AddItem,
    OpenLine,
    Percent,
    PickLine,
    ShowKeypad,
    TakeOff,
)
from ui.presenter.page import About
from ui.presenter.panel import Place
from ui.questions import (
    UNSETTLED,
    CopyWanted,
    DayShown,
    Done,
    Found,
    HistoryShown,
    HistoryWanted,
    QueueShown,
    SaleShown,
    SignedIn,
    Unanswered,
    Waiting,
)
from ui.touch.kit.skin import skin
from ui.words import LANGUAGES

pytestmark = pytest.mark.window

LARGE = 99_999_999
"""An amount as large as a shop's day, which every place has to hold."""

FINGER_DP = 46
"""Nine millimetres on a panel of 7 inches and 800 x 480: 5.2 pixels a millimetre."""

ABOUT = About(now=NOW + timedelta(hours=3), contact="+34 600 000 000", transfers=True)


def sales() -> list[Transaction]:
    made = [sale(state, Amount(LARGE, EUR), f"t{n}") for n, state in enumerate(State)]
    return [replace(each, card=each.card or CARD, cashier="Ana") for each in made]


DAY = DayShown(
    report("X", 7, NOW, EUR, sales()),
    bills=(BillStanding(Bill("B1", Amount(LARGE, EUR)), NOW),),
    awaited=(sale(State.AWAITED, Amount(LARGE, EUR)),),
    drawer=DrawerStanding(EUR, NOW, "Ana", LARGE, LARGE, LARGE, LARGE, LARGE, -LARGE),
)


def queue_shown() -> QueueShown:
    waiting = [each for each in sales() if not each.final]
    shown = tuple(Waiting(s, "advice", 3, NOW + timedelta(hours=4), "no line") for s in waiting)
    return QueueShown(shown, Amount(LARGE * 4, EUR), NOW, Amount(LARGE * 5, EUR))


def history_shown(count: int = 40) -> HistoryShown:
    rows = tuple(
        Found(
            f"t{n}",
            n,
            NOW.isoformat(),
            LARGE,
            "EUR",
            State.APPROVED.value,
            "Visa",
            "•••• 1234",
            n % 2,
        )
        for n in range(count)
    )
    return HistoryShown("", rows)


RECEIPT = "Corner Coffee\nTOTAL EUR 12.50\nAPPROVED Visa •••• 1234\nRRN 000000000001"


def tour(driver: Driver) -> Iterator[str]:
    """Opens every place with all that it can show, and yields its name."""

    def go(*touches: t.Touch) -> None:
        for touch in touches:
            driver.app.touch(touch)
        driver.frames(3)

    yield from _books(driver, go)
    yield from _sold(driver, go)
    yield from _rest(driver, go)


Walk = Callable[..., None]


def _books(driver: Driver, go: Walk) -> Iterator[str]:
    driver.tell(
        NetworkChanged(online=False),
        PendingChanged(12, Amount(LARGE, EUR), NOW, Amount(LARGE, EUR)),
        ReaderChanged(ok=True, text="ACS ACR1252 Dual Reader PICC 0"),
    )
    yield "banner"
    go(t.Go("menu"))
    yield "menu"
    go(t.Go("queue"))
    driver.tell(queue_shown())
    yield "queue"
    go(t.Back(), t.Go("history"))
    driver.tell(history_shown())
    yield "history"
    go(t.Digit(1), t.Digit(2))
    driver.tell(HistoryShown("12", ()))
    yield "nothing found"
    for each in sales():
        go(t.OpenSale(each.txn_id))
        driver.tell(SaleShown(each, RECEIPT))
        yield f"sale {each.state.value}"
        go(t.Back())
    go(t.OpenSale("t3"))
    driver.tell(SaleShown(sales()[3], RECEIPT), Done(CopyWanted("t3"), "x"))
    yield "copied"
    go(t.ShowReceipt())
    yield "receipt"
    go(t.Back(), t.Back(), t.Back(), t.Go("day"))
    driver.tell(DAY)
    for step in range(2):
        yield f"day {step}"
        go(t.NextStep())
    driver.tell(replace(DAY, closed=True))
    yield "day closed"
    for settlement in ("balanced", "differs", UNSETTLED):
        driver.tell(replace(DAY, closed=True, settlement=settlement))
        yield f"day {settlement}"
    go(t.Back())


def _sold(driver: Driver, go: Walk) -> Iterator[str]:
    """A shop whose items have the longest names and the dearest prices that there are."""
    go(t.Back(), t.Back())
    names = ("Wholegrain sourdough", "Chocolate", "Schwarzwälder Kirschtorte im Glas mit Sahne")
    items = [
        Item(f"{name} {n}"[:60], Amount(LARGE // 9, EUR), f"Group {n % 7}", 0, f"4006381{n}", n)
        for n in range(1, 41)
        for name in (names[n % 3],)
    ]
    driver.tell(CatalogueShown(Catalogue(tuple(items))))
    go()
    yield "quick keys"
    go(*(AddItem(items[each]) for each in (0, 1, 2, 2)), t.Digit(9), TakeOff(None, 1000))
    yield "an order"
    go(t.Scanned("761234567890012345", 9), ShowKeypad(on=True))
    yield "an unknown code"
    go(OpenLine(2))
    yield "a line"
    go(t.Go("discount"), Percent(50))
    yield "a discount"
    go(t.Cancel(), t.Back(), t.Go("items"))
    yield "items"
    go(t.Letter("w"))
    yield "items found"
    go(t.Back(), t.Go("ways"), t.Go("split"))
    yield "split by item"
    go(t.Go("share"), PickLine(0), PickLine(1), PickLine(2))
    yield "share"
    go(*[t.Back()] * 3, t.Clear(), t.Clear())
    yield "an order taken back"
    driver.tell(CatalogueShown(Catalogue()))


def _rest(driver: Driver, go: Walk) -> Iterator[str]:
    go(*[t.Digit(9)] * 8, t.Go("ways"))
    yield "ways"
    go(t.Go("split"), *[t.Digit(9)] * 8)
    yield "split"
    go(t.Back(), t.Back(), t.Clear(), t.Go("reader"))
    driver.tell(Presenting(Amount(1, EUR), 9.0), CardRead(0.3, 0.004))
    driver.tell(Finished(sale(State.APPROVED), None))
    go(t.Done(), t.Go("menu"), t.Go("reader"))
    yield "reader"
    go(t.Back(), t.Go("settings"))
    yield "settings"
    go(t.Back(), t.Go("help"))
    yield "help"
    go(t.Go("tour"))
    for step in range(4):
        yield f"tour {step}"
        go(t.NextStep())
    go(t.Back(), t.Go("safety"))
    yield "safety"
    go(t.Back())
    driver.tell(StaffChanged(anybody=True))
    go(*[t.Digit(1)] * 5)
    yield "lock"
    driver.tell(Unanswered(CopyWanted("x"), "wait", "900"))
    yield "lock refused"
    who = Authorised("Ana", Role.SUPERVISOR)
    driver.tell(SignedIn(who), PendingChanged(2, Amount(2500, EUR), NOW, Amount(47500, EUR)))
    go(t.Go("menu"), t.Lock())
    yield "locked not before the money is through"


SHAPES = [((800, 480), "normal"), ((480, 800), "normal"), ((800, 480), "large")]


@pytest.mark.parametrize(("size", "text"), SHAPES, ids=["wide", "upright", "large"])
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_every_place_fits(driver: Driver, language: str, size: tuple[int, int], text: str) -> None:
    driver.open(language, size=size, preferences={"text": text}, about=ABOUT)
    for name in tour(driver):
        tight = {f"{each.text!r} in {each.size}" for each in driver.texts() if not each.fits}
        assert not tight, f"{name}: {sorted(tight)}"


def touchable(driver: Driver) -> list[Any]:
    """Everything on the window that a finger can use."""
    from ui.touch.kit.banner import Banner  # noqa: PLC0415 - needs the window
    from ui.touch.kit.item_key import ItemPress  # noqa: PLC0415 - as above
    from ui.touch.kit.listing import LineRow  # noqa: PLC0415 - as above
    from ui.touch.kit.press import Press  # noqa: PLC0415 - as above
    from ui.touch.kit.signs import Chip  # noqa: PLC0415 - as above
    from ui.touch.kit.tiles import TileKey  # noqa: PLC0415 - as above

    kinds = (Press, Chip, TileKey, LineRow, Banner, ItemPress)
    walked = [each for child in driver.window.children for each in child.walk()]
    return [
        each
        for each in walked
        if isinstance(each, kinds)
        and each.opacity
        and (getattr(each, "touch", None) or getattr(getattr(each, "line", None), "touch", None))
    ]


@pytest.mark.parametrize("size", [(800, 480), (480, 800)], ids=["wide", "upright"])
def test_every_target_is_as_large_as_a_fingertip(driver: Driver, size: tuple[int, int]) -> None:
    driver.open("fr", size=size, about=ABOUT)
    seen = 0
    for name in tour(driver):
        for each in touchable(driver):
            seen += 1
            what = f"{name}: {getattr(each, 'test_id', '')} is {each.size}"
            assert each.width >= FINGER_DP, what
            assert each.height >= FINGER_DP, what
    assert seen > 200


def test_a_larger_panel_shows_the_same_till_larger(driver: Driver) -> None:
    driver.open(size=(800, 480))
    small = tuple(driver.find("charge").size)
    driver.open(size=(1280, 720))
    large = tuple(driver.find("charge").size)
    assert large[1] == pytest.approx(small[1] * 1.5)
    driver.open(size=(720, 1280))
    assert driver.find("charge").y < driver.find("key_1").y
    driver.open(size=(800, 480))
    assert tuple(driver.find("charge").size) == small


def test_ten_thousand_sales_are_a_list_of_a_few_rows(driver: Driver) -> None:
    driver.open(about=ABOUT)
    driver.tap("menu")
    driver.tap("tile_1")
    assert driver.till.asked == [CatalogueWanted(), HistoryWanted("")]
    driver.tell(history_shown(10_000))
    listing = driver.app.view.places[Place.HISTORY].ids.listing
    assert listing.count == 10_000
    assert 3 < len(_line_rows(listing)) < 30
    # Wherever the list is scrolled to, the rows fill it without a gap and are in their order.
    for scrolled in (1.0, 0.5, 0.0):
        listing.scroll_y = scrolled
        driver.frames(4)
        shown = sorted(_line_rows(listing), key=lambda row: row.index)
        numbers = [row.index for row in shown]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert {row.line.title for row in shown} == {listing.line(n).title for n in numbers}
        for upper, lower in pairwise(shown):
            assert upper.y == pytest.approx(lower.top)
        top, bottom = shown[0], shown[-1]
        assert top.to_window(0, top.top)[1] >= listing.to_window(0, listing.top)[1] - 1
        assert bottom.to_window(0, bottom.y)[1] <= listing.to_window(0, listing.y)[1] + 1
    assert shown[-1].index == 9_999
    # A short list after a long one has rows of their own sizes again.
    driver.tell(history_shown(3))
    assert len(_line_rows(listing)) == 3
    driver.tell(history_shown(10_000))
    listing.scroll_y = 1.0
    driver.frames(4)
    driver.tap("row_1")
    assert driver.app.shell.place is Place.SALE


def _line_rows(listing: Any) -> list[Any]:
    return [each for each in listing.walk() if type(each).__name__ == "LineRow"]


def test_the_queue_is_reached_by_the_banner_and_sent_by_hand(driver: Driver) -> None:
    driver.open(about=ABOUT)
    driver.tell(
        NetworkChanged(online=False), PendingChanged(2, Amount(2500, EUR), NOW, Amount(47500, EUR))
    )
    assert "Offline · 2 to send · €25.00 · oldest 3 h · €475.00 left" in driver.said()
    driver.tap("banner")
    driver.tell(queue_shown())
    driver.tap("panel_0")
    assert driver.till.sent_now == 1
    driver.tap("back")
    assert driver.app.shell.place is Place.TILL


def test_a_pin_is_typed_on_the_glass_and_on_a_numeric_pad(driver: Driver) -> None:
    driver.open()
    driver.tell(StaffChanged(anybody=True))
    for key in ("pin_key_4", "pin_key_7"):
        driver.tap(key)
    for code in (257, 49):
        driver.window.dispatch("on_key_down", code, 0, None, [])
    driver.frames(2)
    assert driver.app.shell.pin == "4711"
    assert not any("4711" in text for text in driver.said())
    driver.tap("unlock")
    assert [type(question).__name__ for question in driver.till.asked][1:] == ["PinGiven"]


def test_a_scanner_types_faster_than_a_hand_and_leaves_no_digits(driver: Driver) -> None:
    driver.open()
    driver.app.touch(t.Digit(7))
    for letter in "4006381333931":
        driver.window.dispatch("on_key_down", ord(letter), 0, letter, [])
    driver.window.dispatch("on_key_down", 13, 0, None, [])
    assert driver.app.shell.place is Place.SALE
    assert driver.app.state.typed == 7
    assert driver.till.charged == []


def test_looks_change_from_the_settings(driver: Driver) -> None:
    driver.open()
    driver.tap("menu")
    driver.tap("tile_4")
    before = driver.picture()
    driver.tap("row_1")
    assert driver.app.shell.preferences.theme == "dark"
    assert driver.picture() != before
    driver.tap("row_2")
    assert skin.scale == 1.3
