"""A monkey at the real till: touches, keys, cards and faults at random, and never a dead end.

A failure names its seed; ``TAPTILL_MONKEY=10000`` lets it play all night, and ``TAPTILL_SEED``
repeats one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offline_queue.items import Items
from terminal.config import TransferConfig
from terminal.money import Currency
from tests.ui.conftest import Driver
from tests.ui.shop import Shop, open_shop
from tests.ui.test_places import touchable
from tools.item_scenes import catalogue
from ui.presenter.page import About, Page
from ui.presenter.panel import Place
from ui.presenter.screens import Screen
from ui.presenter.touches import Scanned, Train
from ui.wiring import assembled, load_settings

pytestmark = pytest.mark.window

ACTIONS = int(os.environ.get("TAPTILL_MONKEY", "500"))
SEED = int(os.environ.get("TAPTILL_SEED", "7"))
SOLD = catalogue("en", Currency.of("EUR"))
_KEYS = (*range(48, 58), 13, 271, 8, 27, 127, 276, 282, 319, 46, 43, 99)


class Monkey:
    """One seeded source of everything that can happen at a till."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.chance = random.Random(seed)
        self.done: list[str] = []
        self.cards = sorted(card.id for card in shop.bench.cards())
        self.switches = sorted(switch.id for switch in shop.bench.switches())

    def act(self) -> None:
        """One action, and a few frames to see it."""
        deeds: list[tuple[int, Callable[[], str]]] = [
            (60, self._touch),
            (14, self._key),
            (16, self._card),
            (3, self._switch),
            (3, self._line),
            (2, self._scan),
            (1, self._miss),
        ]
        [deed] = self.chance.choices([d for _, d in deeds], [w for w, _ in deeds])
        self.done.append(deed())
        self.shop.driver.frames(self.chance.randint(1, 3))

    def _touch(self) -> str:
        here = touchable(self.shop.driver)
        if not here:
            return "nothing to touch"
        target = self.chance.choice(here)
        touch = getattr(target, "touch", None) or target.line.touch
        if isinstance(touch, Train):
            # Training is another till; this monkey is after the real one.
            return "left training alone"
        target.dispatch("on_press")
        target.dispatch("on_release")
        return f"touched {touch}"

    def _key(self) -> str:
        code = self.chance.choice(_KEYS)
        text = chr(code) if 32 < code < 127 else None
        self.shop.driver.window.dispatch("on_key_down", code, 0, text, [])
        return f"key {code}"

    def _card(self) -> str:
        card = self.chance.choice(self.cards)
        self.shop.bench.tap(card)
        return f"card {card}"

    def _switch(self) -> str:
        switch, on = self.chance.choice(self.switches), self.chance.random() < 0.4
        self.shop.bench.set_switch(switch, on)
        return f"switch {switch} {on}"

    def _line(self) -> str:
        deed = self.chance.choice(("off", "on", "lose", "late"))
        match deed:
            case "off":
                self.shop.acquirer.network_off()
            case "on":
                self.shop.acquirer.network_on()
            case "lose":
                self.shop.acquirer.set(drop_after=1)
            case _:
                self.shop.acquirer.set(latency_ms=self.chance.choice((0, 150)))
        return f"line {deed}"

    def _scan(self) -> str:
        sold = [item.barcode for item in SOLD.items]
        code = self.chance.choice([f"TAPTILL1-{self.chance.randint(1, 99):06d}", *sold, "99999999"])
        self.shop.driver.app.touch(Scanned(code, self.shop.driver.app.state.typed))
        return f"scanned {code}"

    def _miss(self) -> str:
        app = self.shop.driver.app
        app.view.dispatch("on_touch_down", _Finger(self.chance.random(), self.chance.random()))
        return "missed"


class _Finger:
    """A touch that ends nowhere."""

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = 800 * x, 480 * y
        self.pos = (self.x, self.y)
        self.is_mouse_scrolling = False
        self.ud: dict[str, Any] = {}
        self.profile = ["pos"]

    def __contains__(self, name: object) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def check(shop: Shop) -> None:
    """Somebody can always do something, or the till is at work and says for how long."""
    app = shop.driver.app
    shown = app.shown()
    state = app.state
    parts = state.parts
    assert not parts or sum(part.gross_minor for part in parts) == state.due.minor
    if app.shell.place is Place.TILL:
        assert isinstance(shown, Page)
        assert state.screen is not Screen.CLOSED, (state.message, state.remedy)
        waits = state.screen in (Screen.PRESENT, Screen.PROCESSING)
        assert waits or any(key.enabled for key in shown.keys) or shown.screen is Screen.AMOUNT
        if state.screen is Screen.RESULT:
            assert shown.money, "no word about the money"
    shop.agrees()


def test_a_monkey_finds_no_way_out_of_order(driver: Driver, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "till", reader="sim:", acquirer="sim:")
    config = replace(settings.config, transfer=TransferConfig(iban="DE89370400440532013000"))
    with assembled(replace(settings, config=config)) as parts:
        Items(parts.journal.store).load(SOLD, parts.clock)
        shop = open_shop(driver, parts, "en", clock=parts.clock.now, about=About(transfers=True))
        monkey = Monkey(shop, SEED)
        try:
            # On a slow machine a sale takes more actions, so there it plays for longer.
            for number in range(4 * ACTIONS):
                if number >= ACTIONS and len(shop.sales()) > ACTIONS // 100:
                    break
                monkey.act()
                check(shop)
                if number % 50 == 49:
                    shop.home()
            _settle(shop)
        except BaseException as broken:
            last = "\n".join(monkey.done[-30:])
            broken.add_note(f"seed {SEED}, action {len(monkey.done)} of {ACTIONS}:\n{last}")
            raise
        finally:
            driver.close()
            shop.till.stop()
        sales = shop.sales()
        assert len(sales) > ACTIONS // 100
        assert all(sale.final for sale in sales), [s.state for s in sales if not s.final]
        parts.journal.store.verify()


def _settle(shop: Shop) -> None:
    """Everything mended, nothing left waiting: what was promised has to come true."""
    for switch in shop.bench.switches():
        shop.bench.set_switch(switch.id, False)
    shop.acquirer.network_on()
    shop.acquirer.set(latency_ms=0, drop_after=0)
    shop.home()
    shop.till.forward_now()
    shop.until(lambda: not any(not sale.final for sale in shop.sales()), "nothing waits")
