"""The touchscreen till: drains the till's events into the presenter and shows its pages."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.floatlayout import FloatLayout

from terminal.bench import Bench
from terminal.money import Currency
from ui.ports import TillPort
from ui.presenter.page import page
from ui.presenter.state import Screen, ViewState
from ui.presenter.touches import (
    Backspace,
    Cancel,
    CancelWish,
    Charge,
    ChargeWish,
    Digit,
    Done,
    Touch,
)
from ui.touch.bench.table import BenchTable
from ui.touch.kit.skin import skin
from ui.touch.kit.warm_up import warm_up
from ui.touch.theme import LIGHT, Theme
from ui.touch.till_view import TillView
from ui.touch.window import TABLE_MIN
from ui.words import Words


class TillApp(App):
    """One till in one window.

    Args:
        till: the till; started and stopped by the caller.
        benches: simulated devices to draw beside the till; empty for a real one.
        shop: the shop's name.
        currency: the currency of the keypad.
        words: the language.
        simulated: whether each screen says that no real money moves.
        theme: the till's colours.
    """

    def __init__(
        self,
        till: TillPort,
        benches: Sequence[Bench],
        *,
        shop: str,
        currency: Currency,
        words: Words,
        simulated: bool = False,
        theme: Theme = LIGHT,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.till = till
        self.title = f"Taptill — {shop}"
        self.state = ViewState(currency)
        skin.theme = theme
        skin.words = words
        self._shop = shop
        self._benches = tuple(benches)
        self._simulated = simulated or bool(benches)
        self.view: TillView | None = None
        self.table: BenchTable | None = None
        self._drain = Clock.create_trigger(self._drained)

    def load_config(self) -> None:
        """There is no configuration file of Kivy's: all settings are made in code."""

    def build(self) -> FloatLayout:
        """The till alone, or on the bench's table."""
        root = FloatLayout()
        warm_up()
        self.view = TillView(self._shop, self.touch, simulated=self._simulated)
        if self._benches and fits_a_bench():
            self.table = BenchTable(self.view, self._benches)
            root.add_widget(self.table)
        else:
            root.add_widget(self.view)
        return root

    def on_start(self) -> None:
        """Begins to listen; what the till has said already is in the queue."""
        from kivy.core.window import Window  # noqa: PLC0415 - importing it opens the window

        Window.bind(on_key_down=self._key)
        self.till.wake = self._drain
        self.render()
        self._drain()

    def on_stop(self) -> None:
        """Stops listening."""
        from kivy.core.window import Window  # noqa: PLC0415 - as above

        Window.unbind(on_key_down=self._key)
        self.till.wake = _nothing
        if self.table is not None:
            self.table.stop()

    def touch(self, touch: Touch) -> None:
        """Folds a touch in, shows it, and passes the wish on. Nothing here blocks."""
        wish = self.state.wish(touch)
        self.state = self.state.after(touch)
        self.render()
        match wish:
            case ChargeWish(amount):
                self.till.charge(amount)
            case CancelWish():
                self.till.cancel()
            case None:
                pass

    def _drained(self, *_: object) -> None:
        """Folds all events that have come, in their order, and shows the last state."""
        changed = False
        while True:
            try:
                event = self.till.events.get_nowait()
            except queue.Empty:
                break
            self.state = self.state.after(event)
            changed = True
        if changed:
            self.render()

    def render(self) -> None:
        """Shows the state."""
        if self.view is not None:
            self.view.show(page(self.state, skin.say()))

    def _key(self, _window: Any, code: int, *_: object) -> bool:
        """A USB numeric pad drives the till as the screen does."""
        touch = _TOUCH_OF_KEY.get(code)
        if touch is None:
            return False
        if code in _ENTER and self.state.screen is Screen.RESULT:
            # Enter is the primary key, and that is never a second charge.
            touch = Done()
        self.touch(touch)
        return True


def fits_a_bench() -> bool:
    """Whether the window has room for the till and a bench beside it."""
    from kivy.core.window import Window  # noqa: PLC0415 - importing it opens the window

    width, height = Window.size
    return bool(width >= dp(TABLE_MIN[0]) and height >= dp(TABLE_MIN[1]))


def _nothing() -> None:
    """The till's hook when nobody listens any more."""


_ENTER = (13, 271)
_TOUCH_OF_KEY: dict[int, Touch] = {
    **{48 + value: Digit(value) for value in range(10)},
    **{256 + value: Digit(value) for value in range(10)},
    **dict.fromkeys(_ENTER, Charge()),
    8: Backspace(),
    27: Cancel(),
}
"""Kivy's key codes: digits, numeric pad, enter, backspace, escape."""
