"""A whole shop behind the window: the real till, checkout, ledger and queue, on simulated metal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hardware_sim.acquirer import SimulatedAcquirer
from hardware_sim.acquirer_control import AcquirerControl
from offline_queue.reports import Reports
from terminal.bench import Bench
from terminal.transaction import Transaction
from tests.ui.conftest import Driver
from ui.presenter.panel import Place
from ui.presenter.screens import Screen
from ui.presenter.touches import Back, Cancel, Done
from ui.presenter.verdict import Verdict, verdict_of
from ui.till import Till
from ui.wiring import Parts
from ui.words import Words

PATIENCE_S = 60.0


@dataclass
class Shop:
    """Drives a window over a real till, and compares what it shows with the ledger."""

    driver: Driver
    parts: Parts
    till: Till
    bench: Bench
    language: str

    @property
    def acquirer(self) -> AcquirerControl:
        assert isinstance(self.parts.acquirer, SimulatedAcquirer)
        return AcquirerControl(self.parts.acquirer.folder)

    def say(self, message: str, **values: object) -> str:
        words = Words(self.language)
        return words.plain(words.say(message, **values)).translate(_WESTERN)

    def verdict(self) -> Verdict | None:
        """How the sale on the screen ended."""
        verdict: Verdict | None = self.driver.app.state.verdict
        return verdict

    def until(self, reached: Callable[[], bool], what: object = "") -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            state = self.driver.app.shell
            assert time.monotonic() < deadline, (what, state.place, state.till.verdict, state.till)
            self.driver.frames(1)
            time.sleep(0.005)

    def until_said(self, message: str, **values: object) -> None:
        text = self.say(message, **values)
        self.until(lambda: any(text in said for said in self.said()), text)

    def said(self) -> set[str]:
        plain = Words(self.language).plain
        return {plain(each.text).translate(_WESTERN) for each in self.driver.texts()}

    def charge(self, keys: str) -> None:
        """Types the amount and charges it: one touch after the digits."""
        for key in keys:
            self.driver.tap(f"key_{key}")
        self.driver.tap("charge")
        self.until(lambda: self.driver.app.state.armed, "the reader is live")

    def sell(self, keys: str, card: str = "visa-credit") -> None:
        self.charge(keys)
        self.bench.tap(card)
        self.until(lambda: self.driver.app.state.screen is Screen.RESULT, card)

    def agrees(self) -> None:
        """What the screen says of a sale is what the ledger says, as soon as it has been told."""
        state = self.driver.app.state
        shown = state.transaction
        if state.screen is not Screen.RESULT or shown is None:
            return

        def same() -> bool:
            now: Transaction = self.parts.journal.transaction(shown.txn_id)
            known = self.driver.app.state
            if known.transaction is None or known.transaction.txn_id != shown.txn_id:
                return True
            return known.verdict is verdict_of(now) and known.money_taken is now.money_taken

        self.until(same, "screen and ledger")

    def sales(self) -> list[Transaction]:
        """Every sale of the ledger, oldest first; the ledger is proven whole."""
        return list(reversed(Reports(self.parts.journal.store).transactions(limit=10_000)))

    def home(self) -> None:
        """Leads back to the amount from anywhere by keys alone, or there was a dead end."""
        app = self.driver.app
        deadline = time.monotonic() + PATIENCE_S
        while app.shell.place is not Place.TILL or app.state.screen is not Screen.AMOUNT:
            assert time.monotonic() < deadline, ("a dead end", app.shell.place, app.state)
            if app.shell.place is not Place.TILL:
                app.touch(Back())
            elif app.state.screen in (Screen.TIP, Screen.PRESENT):
                app.touch(Cancel())
            elif app.state.screen is Screen.RESULT:
                app.touch(Done())
            self.driver.frames(1)
            time.sleep(0.01)


_WESTERN = {0x06F0 + value: str(value) for value in range(10)}


def open_shop(
    driver: Driver, parts: Parts, language: str, *, authorise_s: float = 5.0, **look: Any
) -> Shop:
    """A running till behind a window. The caller stops the till."""
    reader = parts.open_reader()
    bench = getattr(reader, "bench", None)
    assert isinstance(bench, Bench)
    rules = replace(parts.rules, authorise_s=authorise_s)
    own = replace(parts, open_reader=lambda: reader, rules=rules)
    till = Till(own)
    driver.open(language, till=till, **look)
    shop = Shop(driver, own, till, bench, language)
    till.start()
    shop.until(lambda: driver.app.state.reader_text != "", "the reader is found")
    return shop
