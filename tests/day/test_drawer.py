"""The cash drawer: what should be there is what every cent of cash has made of its float."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from offline_queue.day_reports import DayReports
from offline_queue.drawer import Drawer
from terminal.drawer import CashMove, DrawerStanding
from terminal.errors import AmountError, StoreError, SupervisorNeeded
from terminal.money import Amount, Currency
from terminal.terms import Tender
from tests.day.conftest import opened
from tests.offline_queue.sales import START, Till
from ui.reporting.sheet import sheet_of
from ui.reporting.speech import Speech

EUR, JPY = Currency.of("EUR"), Currency.of("JPY")
LIMIT = 5000


def eur(minor: int) -> Amount:
    return Amount(minor, EUR)


def held(drawer: Drawer) -> DrawerStanding:
    standing = drawer.standing()
    assert standing is not None
    return standing


def test_a_drawer_over_a_day_with_its_reports(tmp_path: Path) -> None:
    with opened(tmp_path / "till") as shop:
        shop.rules = replace(shop.rules, cash_coin_minor=5)
        clock, drawer = shop.parts.clock, Drawer(shop.parts.journal.store, EUR)
        assert drawer.standing() is None
        shop.cash("3.00")
        # What was sold before the float is in it already.
        begun = drawer.begin(eur(10_000), clock, by="Ada")
        assert (begun.expected_minor, begun.taken_minor) == (10_000, 0)
        sale = shop.cash("12.53", "20.00")
        shop.sell("5.00")
        assert held(drawer).expected_minor == 11_255
        shop.refund(sale, "2.53", tender=Tender.CASH)
        shop.void(shop.cash("7.00"))
        drawer.move(CashMove(2000, "coins from the bank", "Ada"), clock, limit_minor=LIMIT)
        now = drawer.move(CashMove(-1500, "milk", "Ada"), clock, limit_minor=LIMIT)
        assert (now.put_in_minor, now.taken_out_minor, now.counted_minor) == (2000, 1500, None)
        with pytest.raises(SupervisorNeeded, match=r"EUR 50\.01 is taken out"):
            drawer.move(CashMove(-5001, "bank", "Ada"), clock, limit_minor=LIMIT)
        drawer.move(CashMove(-5001, "bank", "Ada", "Eva"), clock, limit_minor=LIMIT)
        counted = drawer.count(eur(6500), clock, by="Ben")
        assert counted.expected_minor == 11_255 - 253 + 2000 - 1500 - 5001
        assert counted.difference_minor == 6500 - counted.expected_minor == -1
    with opened(tmp_path / "till") as shop:
        drawer = Drawer(shop.parts.journal.store, EUR)
        assert drawer.standing() == counted
        shop.cash("1.00")
        after = held(drawer)
        # The difference is that of the count, whatever is sold after it.
        assert (after.expected_minor, after.difference_minor) == (counted.expected_minor + 100, -1)
        batch = shop.freeze()
        (z,) = DayReports(shop.parts.journal.store).of_batch("Z", batch, START, EUR)
        assert z.drawer == after
        sheet = sheet_of(z, Speech("en"), "Shop", UTC)
        (table,) = (table for table in sheet.tables if table.title == "Cash drawer")
        assert ("Should be there", "66.01") in table.rows
        assert table.rows[-2:] == (("Counted", "65.00"), ("Difference", "\N{MINUS SIGN}0.01"))


@pytest.mark.parametrize(
    ("move", "why"),
    [
        (CashMove(0, "why"), "an amount and a reason"),
        (CashMove(100, " "), "an amount and a reason"),
        (CashMove(-1001, "all of it"), r"should hold EUR 10\.00, and EUR 10\.01"),
    ],
)
def test_cash_that_cannot_move_is_named_and_changes_nothing(
    till: Till, move: CashMove, why: str
) -> None:
    drawer = Drawer(till.store, EUR)
    with pytest.raises(StoreError, match="no float yet"):
        drawer.move(CashMove(100, "coins"), till.clock, limit_minor=LIMIT)
    with pytest.raises(StoreError, match="no float yet"):
        drawer.count(eur(1), till.clock, by="")
    with pytest.raises(AmountError, match="do not add up"):
        drawer.begin(Amount(1, JPY), till.clock, by="")
    before = drawer.begin(eur(1000), till.clock, by="Ada")
    with pytest.raises(AmountError, match=why):
        drawer.move(move, till.clock, limit_minor=LIMIT)
    with pytest.raises(AmountError, match="do not add up"):
        drawer.count(Amount(1, JPY), till.clock, by="")
    assert drawer.standing() == before


def test_a_new_float_begins_anew_and_each_currency_has_its_drawer(till: Till) -> None:
    euros, yen = Drawer(till.store, EUR), Drawer(till.store, JPY)
    euros.begin(eur(1000), till.clock, by="Ada")
    euros.move(CashMove(500, "coins"), till.clock, limit_minor=LIMIT)
    yen.begin(Amount(70, JPY), till.clock, by="Ada")
    again = euros.begin(eur(200), till.clock, by="Ben")
    assert (again.expected_minor, again.opened_by) == (200, "Ben")
    assert held(yen).expected_minor == 70
