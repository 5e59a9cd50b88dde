"""The till's face as one widget: top bar, the screen of the moment, the training stripe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.presenter.page import Page
from ui.presenter.state import Screen
from ui.presenter.touches import Touch
from ui.touch.kit.skin import rgba_of, skin
from ui.touch.kit.surface import Chip, Plate, Row
from ui.touch.kit.txt import Txt
from ui.touch.screens.amount import AmountScreen
from ui.touch.screens.closed import ClosedScreen
from ui.touch.screens.frame import Frame
from ui.touch.screens.present import PresentScreen
from ui.touch.screens.result import ResultScreen
from ui.words import mark

SIMULATED = mark("Simulated, no real money")


class TopBar(Row):
    """The shop's name and the standing notices."""

    def __init__(self, shop: str, **kwargs: Any) -> None:
        super().__init__(
            size_hint_y=None,
            height=dp(50),
            padding=(dp(20), dp(10), dp(16), dp(10)),
            spacing=dp(8),
            **kwargs,
        )
        self._name = Txt(text=shop, sizes=[18, 16, 15], bold=True)
        self.add_widget(self._name)
        self._chips: list[Chip] = []

    def show(self, page: Page) -> None:
        """The page's chips, reusing those that are there."""
        while len(self._chips) < len(page.chips):
            chip = Chip()
            self._chips.append(chip)
            self.add_widget(chip)
        while len(self._chips) > len(page.chips):
            self.remove_widget(self._chips.pop())
        for chip, wanted in zip(self._chips, page.chips, strict=True):
            chip.text = wanted.text
            chip.tone = wanted.tone.value
            chip.glyph = wanted.glyph


class TillView(BoxLayout):
    """Shows pages. Every screen is built once, here, and swapped in when its page comes."""

    tone = StringProperty("neutral")
    simulated = BooleanProperty(False)

    def __init__(
        self, shop: str, send: Callable[[Touch], None], *, simulated: bool, **kwargs: Any
    ) -> None:
        super().__init__(orientation="vertical", **kwargs)
        with self.canvas.before:
            self._ground = Color(1, 1, 1, 1)
            self._area = Rectangle()
        self.simulated = simulated
        if simulated:
            self.add_widget(_stripe())
        self.bar = TopBar(shop)
        self.add_widget(self.bar)
        self.screens: dict[Screen, Frame] = {
            Screen.AMOUNT: AmountScreen(),
            Screen.PRESENT: PresentScreen(),
            Screen.RESULT: ResultScreen(),
            Screen.CLOSED: ClosedScreen(),
        }
        self.screens[Screen.PROCESSING] = self.screens[Screen.PRESENT]
        for screen in self.screens.values():
            screen.send = send
        self.current: Frame | None = None
        self.bind(pos=self._paint, size=self._paint, tone=self._paint)
        skin.watch(self._paint)
        self._paint()

    def show(self, page: Page) -> None:
        """Brings up the page's screen and fills it."""
        wanted = self.screens[page.screen]
        if wanted is not self.current:
            if self.current is not None:
                self.remove_widget(self.current)
                self.current.leave()
            self.add_widget(wanted)
            wanted.enter()
            self.current = wanted
        tinted = page.screen in (Screen.RESULT, Screen.CLOSED)
        self.tone = page.tone.value if tinted else ""
        self.bar.show(page)
        wanted.show(page)

    def _paint(self, *_: object) -> None:
        token = f"{self.tone}_tint" if self.tone else "bg"
        self._ground.rgba = rgba_of(skin.theme, token)
        self._area.pos = self.pos
        self._area.size = self.size


def _stripe() -> Plate:
    """The violet band that no simulated or training till can be without."""
    stripe = Plate(fill="stripe", radius=0, size_hint_y=None, height=dp(22))
    label = Txt(sizes=[14, 13], bold=True, shade="on_stripe", align="center")
    stripe.add_widget(label)

    def place(*_: object) -> None:
        label.pos = stripe.pos
        label.size = stripe.size

    def speak(*_: object) -> None:
        label.text = skin.say().say(SIMULATED)

    stripe.bind(pos=place, size=place)
    stripe.speak = speak
    skin.bind(words=speak)
    speak()
    return stripe
