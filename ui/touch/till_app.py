"""The touchscreen till: drains the till's events into the shell and shows its pages."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.metrics import Metrics, dp
from kivy.uix.floatlayout import FloatLayout

from terminal.bench import Bench
from ui.counter_questions import CatalogueWanted
from ui.events import TillEvent
from ui.ports import TillPort
from ui.presenter.course import step
from ui.presenter.cues import cue, lights
from ui.presenter.page import Page
from ui.presenter.pages import page
from ui.presenter.panel import Panel, Place
from ui.presenter.places import panel
from ui.presenter.preferences import Preferences
from ui.presenter.shell import Shell
from ui.presenter.spoken import spoken
from ui.presenter.state import ViewState
from ui.presenter.touches import (
    AskWish,
    CancelWish,
    ChargeWish,
    Go,
    Overdue,
    PractiseWish,
    SendWish,
    Touch,
    TrainWish,
    Wish,
)
from ui.touch.bench.table import BenchTable
from ui.touch.keys import Keyboard
from ui.touch.kit.skin import skin
from ui.touch.kit.warm_up import warm_up
from ui.touch.outfit import Outfit
from ui.touch.theme import OF_TILL
from ui.touch.till_view import TillView
from ui.touch.window import TABLE_MIN, density
from ui.words import LANGUAGES, Words

SCALES = {"normal": 1.0, "large": 1.3}
GRACE_S = 3.0
"""How much longer than it said a wait may take before the face says that something is wrong."""
AGES_S = 20.0
"""How often what the screen says about ages is made anew."""


class TillApp(App):
    """One till in one window.

    Args:
        till: the till; started and stopped by the caller.
        benches: simulated devices to draw beside the till; empty for a real one.
        outfit: the shop, looks, time and sounds.
    """

    def __init__(
        self, till: TillPort, benches: Sequence[Bench], outfit: Outfit, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.till = till
        self._real = till
        self.title = f"Taptill — {outfit.shop}"
        self.shell = Shell(
            ViewState(outfit.currency),
            preferences=outfit.preferences,
            coin_minor=outfit.about.coin_minor,
        )
        self._outfit = outfit
        self._signals = outfit.signals
        self._benches = tuple(benches)
        self._simulated = outfit.simulated or bool(benches)
        self._words = {language: Words(language) for language in LANGUAGES}
        self._watched = -1
        self.view: TillView | None = None
        self.table: BenchTable | None = None
        self.keyboard = Keyboard(self.touch, lambda: self.state.typed)
        self._drain = Clock.create_trigger(self._drained)
        self._dress(self.shell.preferences)

    @property
    def state(self) -> ViewState:
        """The state of the sale."""
        return self.shell.till

    def load_config(self) -> None:
        """There is no configuration file of Kivy's: all settings are made in code."""

    def build(self) -> FloatLayout:
        """The till alone, or on the bench's table."""
        from kivy.core.window import Window  # noqa: PLC0415 - importing it opens the window

        root = FloatLayout()
        on_a_table = bool(self._benches) and fits_a_bench()
        if not on_a_table:
            Metrics.density = density(*Window.size)
        warm_up()
        if self._signals is not None:
            self._signals.load()
        self.view = TillView(self._outfit.shop, self.touch, simulated=self._simulated)
        if on_a_table:
            self.table = BenchTable(self.view, self._benches)
            root.add_widget(self.table)
        else:
            root.add_widget(self.view)
        return root

    def on_start(self) -> None:
        """Begins to listen; what the till has said already is in the queue."""
        from kivy.core.window import Window  # noqa: PLC0415 - importing it opens the window

        Window.bind(on_key_down=self.keyboard.down)
        self.till.wake = self._drain
        Clock.schedule_interval(self._age, AGES_S)
        if self._outfit.first_run:
            self._step(Go(Place.TOUR.value))
        self.till.ask(CatalogueWanted())
        self.render()
        self._drain()

    def on_stop(self) -> None:
        """Stops listening."""
        from kivy.core.window import Window  # noqa: PLC0415 - as above

        Window.unbind(on_key_down=self.keyboard.down)
        Clock.unschedule(self._age)
        Clock.unschedule(self._overdue)
        self.till.wake = _nothing
        if self.table is not None:
            self.table.stop()
        if self._signals is not None:
            self._signals.close()

    # -- what happens --------------------------------------------------------------------------

    def touch(self, touch: Touch) -> None:
        """Folds a touch in, shows it, and passes the wishes on. Nothing here blocks."""
        self._step(touch)
        self.render()

    def _drained(self, *_: object) -> None:
        """Folds all events that have come, in their order, and shows the last state."""
        changed = False
        while True:
            try:
                event = self.till.events.get_nowait()
            except queue.Empty:
                break
            self._step(event)
            changed = True
        if changed:
            self.render()

    def _step(self, happening: TillEvent | Touch) -> None:
        before = self.shell
        self.shell, wishes = step(before, happening)
        if self.shell.preferences is not before.preferences:
            self._dress(self.shell.preferences)
            if self._outfit.keeping is not None:
                self._outfit.keeping.keep(self.shell.preferences)
        self._signal(before.till, self.shell.till)
        for wish in wishes:
            self._pass_on(wish)

    def _pass_on(self, wish: Wish) -> None:
        person = self.shell.person
        by = person.name if person is not None else ""
        match wish:
            case ChargeWish(amount, terms):
                self.till.charge(amount, by, terms)
            case CancelWish():
                self.till.cancel()
            case SendWish():
                self.till.forward_now()
            case AskWish(question):
                self.till.ask(question, by)
            case TrainWish(on):
                self._train(on=on)
            case PractiseWish(card):
                if self._outfit.training is not None:
                    self._outfit.training.tap(card)

    def _train(self, *, on: bool) -> None:
        """Another till behind the same face; what the real one says meanwhile waits."""
        self.till.wake = _nothing
        training = self._outfit.training
        self.till = training if on and training is not None else self._real
        self.till.wake = self._drain
        if on and training is not None:
            training.begin()
        self._drain()

    def _signal(self, before: ViewState, after: ViewState) -> None:
        if self._signals is None or before is after:
            return
        self._signals.lights(lights(after))
        heard = cue(before, after)
        if heard is not None and self.shell.preferences.sound == "on":
            self._signals.cue(heard)
        if self.shell.preferences.speech == "on":
            words = self._customer() or skin.say()
            text = spoken(before, after, words)
            if text:
                self._signals.say(text, words.language)

    def _dress(self, preferences: Preferences) -> None:
        """The looks of these preferences; what has not changed is not touched."""
        skin.motion = preferences.motion == "on"
        skin.scale = SCALES[preferences.text]
        skin.theme = OF_TILL[preferences.theme]
        skin.words = self._words[preferences.language]

    # -- what is shown ---------------------------------------------------------------------------

    def _customer(self) -> Words | None:
        """The card's own language, where the till speaks it and the shop wants it to."""
        wanted = self.state.card_language
        if self.shell.preferences.card_language != "on" or wanted == skin.say().language:
            return None
        return self._words.get(wanted)

    def shown(self) -> Page | Panel:
        """The page of now."""
        clock, person = self._outfit.clock, self.shell.person
        about = replace(
            self._outfit.about,
            now=clock() if clock is not None else self._outfit.about.now,
            cashier=person.name if person is not None else "",
            training=self.shell.training,
        )
        if self.shell.place is not Place.TILL:
            return panel(self.shell, skin.say(), about)
        sale = page(self.state, skin.say(), self._customer(), about)
        asks = self.shell.preferences.feedback == "on" and self.shell.felt is None
        return replace(sale, faces=True) if asks and sale.returns else sale

    def render(self) -> None:
        """Shows the state."""
        if self.view is None:
            return
        shown = self.shown()
        self.view.training = self.shell.training
        self.view.show(shown)
        self._watch(shown)

    def _watch(self, shown: Page | Panel) -> None:
        """Sets the watchdog on a wait that has begun, once."""
        if not isinstance(shown, Page) or shown.returns or shown.wait_number == self._watched:
            return
        Clock.unschedule(self._overdue)
        self._watched = shown.wait_number
        if shown.wait_s > 0:
            Clock.schedule_once(self._overdue, shown.wait_s + GRACE_S)

    def _overdue(self, *_: object) -> None:
        self.touch(Overdue(self._watched))

    def _age(self, *_: object) -> None:
        """Ages grow while nothing else happens."""
        if self.state.pending_count or self.shell.place is Place.QUEUE:
            self.render()


def fits_a_bench() -> bool:
    """Whether the window has room for the till and a bench beside it."""
    from kivy.core.window import Window  # noqa: PLC0415 - importing it opens the window

    width, height = Window.size
    return bool(width >= dp(TABLE_MIN[0]) and height >= dp(TABLE_MIN[1]))


def _nothing() -> None:
    """The till's hook when nobody listens any more."""
