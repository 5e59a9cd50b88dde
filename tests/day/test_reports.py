"""X, Z and days: the figures of the ledger, whoever adds them up, in every form and language."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from offline_queue.day_reports import DayReports
from terminal.dayreport import DayReport, Figure
from terminal.drawer import DrawerStanding
from terminal.money import Currency
from terminal.terms import Part, Terms, tax_in
from terminal.transaction import State
from tests.day.conftest import DayShop
from ui.reporting.files import DATEV_COLUMNS, csv_of, datev_rows, plain_ledger, postings
from ui.reporting.page import page_of
from ui.reporting.paper import lines_of
from ui.reporting.sheet import Settled, sheet_of
from ui.reporting.speech import Speech
from ui.words import LANGUAGES

EUR = Currency.of("EUR")
AT = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
PARTS = (Part("food", 1000, 1000, tax_in(1000, 1000)), Part("wine", 2100, 500, tax_in(500, 2100)))


def a_day(shop: DayShop) -> None:
    first = shop.sell("16.00", terms=Terms(tip_minor=100, parts=PARTS))
    shop.sell("20.00", "mastercard-credit")
    shop.sell("12.51")
    shop.refund(first, "5.00")
    shop.void(shop.sell("7.00"))
    shop.cash("3.00")
    shop.forward()
    shop.online = False
    shop.sell("4.00")


@pytest.fixture(scope="module")
def day(lasting_shop: DayShop) -> DayShop:
    """A shop after the day that the tests here only read."""
    a_day(lasting_shop)
    return lasting_shop


def reports(shop: DayShop) -> tuple[DayReport, DayReport]:
    """The same day as a batch and as days: by two ways through the ledger."""
    store, at = shop.parts.journal.store, datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
    (batch,) = DayReports(store).of_batch("X", 1, at, EUR)
    (days,) = DayReports(store).of_days("Year", "2000-01-01", "2099-12-31", at, EUR)
    return batch, days


def test_a_batch_and_its_days_have_the_same_figures(day: DayShop) -> None:
    batch, days = reports(day)
    assert batch.sales == days.sales == Figure(3, 3900)
    assert batch.refunds == days.refunds == Figure(1, 500)
    assert batch.voids == Figure(1, 700)
    assert batch.declined == Figure(1, 1251)
    assert batch.stored == batch.pending == Figure(1, 400)
    assert (batch.tips.minor, batch.cash_minor, batch.net_minor) == (100, 300, 3400)
    names = ("tenders", "schemes", "cashiers", "groups", "taxes", "rounding_minor", "held")
    for name in names:
        assert getattr(batch, name) == getattr(days, name), name
    # The refund took from the food, which was on top of the bill.
    assert [(tax.rate_bp, tax.gross_minor) for tax in batch.taxes] == [(1000, 500), (2100, 500)]


def test_the_sums_are_those_of_the_events_added_up_by_other_code(day: DayShop) -> None:
    batch, _ = reports(day)
    with day.parts.journal.store.read() as connection:
        found = connection.execute(
            "SELECT txn_id, type, payload FROM event ORDER BY seq"
        ).fetchall()
    sums: Counter[str] = Counter()
    kinds: dict[str, dict[str, object]] = {}
    approved: dict[str, int] = {}
    for name, kind, payload in found:
        txn_id, values = str(name), json.loads(str(payload))
        match kind:
            case "SaleIntended":
                kinds[txn_id] = values
            case "HostApproved":
                approved[txn_id] = values["approved_minor"]
            case "TenderConfirmed":
                approved[txn_id] = values_of(kinds[txn_id])
            case "VoidConfirmed" | "Voided":
                approved.pop(txn_id, None)
    for txn_id, minor in approved.items():
        terms = kinds[txn_id]["terms"]
        assert isinstance(terms, dict)
        sums[terms["kind"]] += minor
    assert (sums["sale"], sums["refund"]) == (batch.sales.minor, batch.refunds.minor)


def values_of(intent: dict[str, object]) -> int:
    amount = intent["amount"]
    assert isinstance(amount, dict)
    return int(amount["minor"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_page_and_its_strip(day: DayShop, language: str) -> None:
    batch, days = reports(day)
    for report in (batch, days):
        sheet = sheet_of(report, Speech(language), "Café Ñandú", UTC, Settled("balanced"))
        assert page_of(sheet).startswith(b"%PDF-")
        lines = lines_of(sheet)
        assert not any("\u2066" in f"{line.left}{line.right}" for line in lines)
        told = {line.left for line in lines}
        assert len(told) > 20
        if language != "en":
            assert not told & {"Tips", "Card scheme", "Cash"}


def test_bookings_add_up_to_nothing_and_to_the_report(day: DayShop) -> None:
    batch, _ = reports(day)
    sales = day.closings.sales_of(1)
    sums: Counter[str] = Counter()
    for sale in sales:
        moved = postings(sale)
        assert sum(minor for _, minor in moved) == 0
        for account, minor in moved:
            sums[account.name] += minor
    assert sums["CARDS"] + sums["CASH"] == batch.net_minor
    assert -sums["TAX"] == batch.tax_minor
    assert -sums["TIPS"] == batch.tips.minor
    text = plain_ledger(sales)
    assert text.count("Assets:Card receivables") == 3
    rows = datev_rows(sales)
    assert csv_of(DATEV_COLUMNS, rows).startswith("Umsatz")
    assert {row["Konto"] for row in rows} == {"1000", "1360"}


def test_training_is_in_no_report(shop: DayShop) -> None:
    journal, now = shop.parts.journal, shop.parts.clock.now()
    sale = journal.open_sale(
        txn_id="t", amount=shop.amount("5.00"), at=now, cashier="", training=True
    )
    assert sale.state is State.INTENDED
    _, days = reports(shop)
    assert days.sales == Figure()


def test_a_report_is_one_page_while_it_fits_and_loses_no_table_when_it_does_not(
    day: DayShop,
) -> None:
    batch, _ = reports(day)
    drawer = DrawerStanding(EUR, AT, "Ada", 10_000, 300, counted_minor=10_290, difference_minor=-10)
    cashiers = tuple(replace(batch.cashiers[0], name=f"Cashier {n}") for n in range(20))
    for report, pages in (
        (batch, 1),
        (replace(batch, drawer=drawer), 1),
        (replace(batch, drawer=drawer, cashiers=cashiers), 2),
    ):
        sheet = sheet_of(report, Speech("fr"), "Café Ñandú", UTC, Settled("balanced"))
        assert len(re.findall(rb"/Type /Page\b(?!s)", page_of(sheet))) == pages
    table = next(table for table in sheet.tables if table.across)
    assert table.rows[-1] == ("Écart", "\N{MINUS SIGN}0,10")
