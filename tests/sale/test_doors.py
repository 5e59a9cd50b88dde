"""A tap becomes a recorded, authorised sale, through every door."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hardware_sim.acquirer_ledger import CaptureState
from offline_queue.reports import Reports
from terminal.emv.outcome import MessageId
from terminal.progress import CardRead, Prompted
from terminal.receipt import Receipt, columns, layout
from terminal.transaction import MoneyTaken, State, Transaction
from tests.sale.conftest import OpenShop, Shop

CARDS = {
    "visa-credit": ("A0000000031010", "0010"),
    "mastercard-credit": ("A0000000041010", ""),
}


def _receipt(shop: Shop, sale: Transaction) -> str:
    till = shop.parts.settings.config.till
    receipt = Receipt(
        shop=shop.parts.settings.shop,
        transaction=sale,
        terminal_id=till.terminal_id,
        merchant_id=till.merchant_id,
        printed_at=shop.parts.clock.now(),
        simulated=True,
    )
    path = shop.parts.printer.print(receipt.number, layout(receipt, shop.parts.rules.zone))
    printed = Path(path).read_text(encoding="utf-8")
    assert printed == columns(layout(receipt, shop.parts.rules.zone), 42)
    return printed


@pytest.mark.parametrize("card", CARDS)
def test_an_online_sale(door: Callable[[str], str], open_shop: OpenShop, card: str) -> None:
    shop = open_shop(door(card))
    sale = shop.sell("12.50")

    assert (sale.state, sale.money_taken) == (State.APPROVED, MoneyTaken.YES)
    assert shop.parts.journal.transaction(sale.txn_id) == sale
    assert any(isinstance(progress, CardRead) for progress in shop.seen)
    [capture] = shop.acquirer.captures()
    assert (capture.state, capture.amount_minor, capture.rrn, capture.approval_code) == (
        CaptureState.CAPTURED,
        1250,
        sale.rrn,
        sale.approval_code,
    )
    aid, last4 = CARDS[card]
    assert sale.card is not None
    assert sale.card.aid == aid
    printed = _receipt(shop, sale)
    for shown in (f"\u2022\u2022\u2022\u2022 {last4}", aid, sale.approval_code, sale.rrn):
        assert shown in printed
    assert "APPROVED" in printed


@pytest.mark.parametrize("card", CARDS)
def test_a_sale_while_the_acquirer_is_away_is_captured_once(
    door: Callable[[str], str], open_shop: OpenShop, card: str
) -> None:
    shop = open_shop(door(card))
    shop.acquirer.network_off()
    sale = shop.sell("12.50")

    assert (sale.state, sale.money_taken) == (State.STORED, MoneyTaken.NOT_YET)
    assert shop.acquirer.captures() == []
    pending = Reports(shop.parts.journal.store).pending()
    assert (pending.count, pending.total(sale.amount.currency)) == (1, sale.amount)
    assert "STORED OFFLINE" in _receipt(shop, sale)

    shop.acquirer.network_on()
    [moved] = shop.forward()
    assert (moved.txn_id, moved.state) == (sale.txn_id, State.APPROVED)
    assert shop.forward() == []
    [capture] = shop.acquirer.captures()
    assert (capture.state, capture.rrn) == (CaptureState.CAPTURED, sale.rrn)
    assert Reports(shop.parts.journal.store).pending().count == 0


def test_an_answer_that_is_lost_leaves_an_unknown_sale_that_is_reversed(
    door: Callable[[str], str], open_shop: OpenShop, tmp_path: Path
) -> None:
    config = tmp_path / "till.toml"
    config.write_text("[timing]\nauthorise_s = 2\n")
    shop = open_shop(door("visa-credit"), config=str(config))
    shop.acquirer.set(drop_after=1)
    sale = shop.sell("12.50")

    assert (sale.state, sale.money_taken) == (State.UNKNOWN, MoneyTaken.NOT_KNOWN)
    assert [c.state for c in shop.acquirer.captures()] == [CaptureState.CAPTURED]
    [moved] = shop.forward()
    assert (moved.state, moved.money_taken) == (State.REVERSED, MoneyTaken.NO)
    assert [c.state for c in shop.acquirer.captures()] == [CaptureState.REVERSED]


@pytest.mark.parametrize(
    ("amount", "code"), [("100.51", "51"), ("100.05", "05"), ("100.54", "54"), ("100.91", "91")]
)
def test_a_decline_says_that_no_money_was_taken(
    open_shop: OpenShop, amount: str, code: str
) -> None:
    shop = open_shop("sim:visa-phone")
    sale = shop.sell(amount)
    assert (sale.state, sale.response_code, sale.money_taken) == (
        State.DECLINED,
        code,
        MoneyTaken.NO,
    )
    assert sale.reason
    assert not shop.acquirer.captures(CaptureState.CAPTURED)


def test_a_partial_approval_leaves_the_rest_due(open_shop: OpenShop) -> None:
    shop = open_shop("sim:visa-phone")
    sale = shop.sell("100.10")
    assert (sale.state, sale.approved_minor, sale.still_due_minor) == (State.APPROVED, 6006, 4004)
    [capture] = shop.acquirer.captures(CaptureState.CAPTURED)
    assert capture.amount_minor == 6006
    assert "STILL DUE" in _receipt(shop, sale)


@pytest.mark.parametrize(
    ("minutes", "sales", "reason"),
    [("per_sale = '10.00'", 1, "at most EUR 10.00"), ("count = 1", 2, "1 is the limit")],
)
def test_offline_limits_refuse_with_their_name(
    open_shop: OpenShop, tmp_path: Path, minutes: str, sales: int, reason: str
) -> None:
    config = tmp_path / "till.toml"
    config.write_text(f"[offline]\n{minutes}\n")
    shop = open_shop("sim:visa-credit", config=str(config))
    shop.acquirer.network_off()
    made = [shop.sell("12.50") for _ in range(sales)]
    assert made[-1].state is State.DECLINED
    assert made[-1].money_taken is MoneyTaken.NO
    assert reason in made[-1].reason


def test_a_phone_asks_its_owner_first(open_shop: OpenShop) -> None:
    shop = open_shop("sim:visa-phone")
    sale = shop.sell("12.50")
    assert sale.state is State.APPROVED
    assert Prompted in [type(progress) for progress in shop.seen]
    prompts = [p.message for p in shop.seen if isinstance(p, Prompted)]
    assert prompts == [MessageId.SEE_PHONE]
