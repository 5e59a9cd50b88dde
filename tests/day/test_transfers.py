"""Bank transfers: only what the acquirer or a person has seen arrive is paid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offline_queue.day_reports import DayReports
from offline_queue.reports import Reports
from terminal.dayreport import Figure
from terminal.errors import ConfigError, HostError
from terminal.money import Currency
from terminal.tenders import ask_transfer, give_up_transfer
from terminal.transaction import State, Transaction
from terminal.transfers import ask_host_about, await_transfer
from tests.day.conftest import DayShop, opened
from tests.offline_queue.sales import START

EUR = Currency.of("EUR")


def asked(shop: DayShop, text: str) -> Transaction:
    return ask_transfer(shop.ports(), shop.rules, shop.amount(text), cashier="Ada")


def test_a_transfer_is_paid_once_the_acquirer_has_seen_it(shop: DayShop) -> None:
    sale = asked(shop, "12.00")
    (report,) = DayReports(shop.parts.journal.store).of_batch("X", 1, START, EUR)
    assert (report.sales, report.awaited) == (Figure(), Figure(1, 1200))
    assert Reports(shop.parts.journal.store).pending().count == 1
    first = ask_host_about(shop.ports(), shop.rules, sale)
    assert (first.arrived, first.note) == (False, "It has not arrived yet.")
    second = ask_host_about(shop.ports(), shop.rules, sale)
    assert (second.arrived, second.sale.approved_minor) == (True, 1200)
    # Asked about once more, it stays what it is.
    assert ask_host_about(shop.ports(), shop.rules, second.sale).sale == second.sale
    (report,) = DayReports(shop.parts.journal.store).of_batch("X", 1, START, EUR)
    assert (report.sales, report.awaited) == (Figure(1, 1200), Figure())
    # Only cards are settled with the acquirer.
    assert shop.settle(shop.freeze()).outcome == "balanced"


@pytest.mark.parametrize(
    ("text", "state", "note"),
    [
        ("12.00", State.APPROVED, ""),
        ("12.51", State.AWAITED, "It has not arrived yet."),
        ("12.10", State.AWAITED, "EUR 7.26 has arrived instead of EUR 12.10: ask the customer."),
    ],
)
def test_the_wait_ends_when_it_has_arrived_or_patience_is_over(
    shop: DayShop, text: str, state: State, note: str
) -> None:
    pauses: list[float] = []
    sale = asked(shop, text)
    told = await_transfer(
        shop.ports(), shop.rules, sale.txn_id, patience_s=0.4, pause=pauses.append
    )
    assert (told.sale.state, told.note) == (state, note)
    assert pauses
    assert max(pauses) <= 0.4


def test_no_answer_confirms_nothing_and_a_cancelled_wait_leaves_it_awaited(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "till") as shop:
        sale = asked(shop, "12.00")
        for how in ("drop_after", "garble", "close"):
            shop.acquirer.set(**{how: 1})
            with pytest.raises(HostError):
                ask_host_about(shop.ports(), replace(shop.rules, authorise_s=0.2), sale)
            assert shop.now(sale).state is State.AWAITED
        ports = replace(shop.ports(), cancelled=lambda: True)
        shop.acquirer.set(refuse=True)
        told = await_transfer(ports, shop.rules, sale.txn_id, patience_s=9, pause=lambda _: None)
        assert told.sale.state is State.AWAITED
        shop.acquirer.set(refuse=False)
    with opened(tmp_path / "till") as shop:
        # A restart neither loses nor confirms it.
        assert shop.now(sale).state is State.AWAITED
        assert ask_host_about(shop.ports(), shop.rules, sale).arrived


def test_what_was_given_up_is_never_paid_and_some_acquirers_cannot_be_asked(
    shop: DayShop,
) -> None:
    sale = asked(shop, "12.00")
    deaf = {k: v for k, v in shop.rules.profile.messages.items() if k not in {"0600", "0610"}}
    rules = replace(shop.rules, profile=replace(shop.rules.profile, messages=deaf))
    with pytest.raises(ConfigError, match="cannot be asked about transfers"):
        ask_host_about(shop.ports(), rules, sale)
    gone = give_up_transfer(shop.ports(), sale.txn_id, by="Eva")
    assert gone.state is State.CANCELLED
    assert ask_host_about(shop.ports(), shop.rules, gone).sale == gone
