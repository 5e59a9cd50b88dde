"""The whole shop in one window: real till, real ledger, simulated cards, a bank that is a process.

Nothing stands in here. Fingers touch the glass, and what the screen says is held against the
ledger's own events and the files of the till.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from terminal.bench import Bench, bench_of
from terminal.transaction import State
from tests.ui.conftest import Driver
from ui.presenter.screens import Screen
from ui.till import Till
from ui.wiring import assembled, load_settings

pytestmark = pytest.mark.window


@pytest.fixture
def shop(driver: Driver, tmp_path: Path) -> Iterator[Driver]:
    """A till on the simulated reader and acquirer, on the glass, with its bench beside it."""
    settings = load_settings(data_dir=tmp_path, reader="sim:", acquirer="sim:", currency="EUR")
    with assembled(settings) as parts:
        reader = parts.open_reader()
        found = (bench_of(reader), getattr(parts.acquirer, "bench", None))
        benches = [bench for bench in found if isinstance(bench, Bench)]
        till = Till(replace(parts, open_reader=lambda: reader))
        till.start()
        try:
            driver.open(till=till, benches=benches, size=(1280, 720))
            driver.until(lambda: "Visa credit" in driver.said())
            driver.until(lambda: "Network off" in driver.said())
            driver.frames(3)
            yield driver
        finally:
            driver.close()
            till.stop()


def charge(shop: Driver, keys: str, card: str) -> None:
    """Types an amount, charges it, and holds a card to the reader."""
    for key in keys:
        shop.tap(f"key_{key}")
    shop.tap("charge")
    shop.until(lambda: "Hold card, phone or watch here" in shop.said())
    shop.tap(f"card_{card}")
    shop.until(lambda: shop.app.state.screen is Screen.RESULT)
    shop.until(lambda: bool(shop.app.state.receipt_note))


def test_approved_and_declined(shop: Driver, tmp_path: Path) -> None:
    assert [text.text for text in shop.texts() if not text.fits] == []
    charge(shop, "1250", "visa-credit")
    assert {"Approved", "€12.50", "Money was taken"} <= shop.said()
    shop.tap("done")
    charge(shop, "1051", "mastercard-credit")
    assert {"Card declined", "€10.51", "No money was taken"} <= shop.said()
    assert len(list((tmp_path / "receipts").iterdir())) == 2


def test_stored_without_network_and_forwarded_with_it(shop: Driver) -> None:
    shop.tap("switch_1_offline")
    shop.until(lambda: bool(shop.find("switch_1_offline").on))
    charge(shop, "420", "visa-credit")
    assert {"Saved offline", "No money taken yet: charged when back online"} <= shop.said()
    shop.until(lambda: "Offline · 1 to send · €4.20" in shop.said())
    shop.tap("switch_1_offline")
    shop.until(lambda: not shop.find("switch_1_offline").on)
    shop.till.forward_now()
    shop.until(lambda: "Money was taken" in shop.said())
    shop.until(lambda: not any("to send" in text for text in shop.said()))
    assert shop.app.state.transaction is not None
    assert shop.app.state.transaction.state is State.APPROVED


def test_cancelled_before_a_card(shop: Driver) -> None:
    for key in ("key_9", "charge"):
        shop.tap(key)
    shop.until(lambda: shop.app.state.armed)
    shop.tap("cancel")
    shop.until(lambda: "Cancelled" in shop.said())
    assert "No money was taken" in shop.said()
