"""The till's face as one widget: top bar, banner, the screen of the moment, the stripe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from ui.presenter.entries import PLACES
from ui.presenter.ordering import PLACES as OF_ORDER
from ui.presenter.page import Chip as ChipOfPage
from ui.presenter.page import Page
from ui.presenter.panel import Panel, Place
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.screens import Screen
from ui.presenter.touches import Back, Go, Touch
from ui.touch.kit.banner import Banner
from ui.touch.kit.press import Press
from ui.touch.kit.signs import Chip
from ui.touch.kit.skin import rgba_of, skin
from ui.touch.kit.surface import Plate, Row
from ui.touch.kit.txt import Txt
from ui.touch.screens.amount import AmountScreen
from ui.touch.screens.closed import ClosedScreen
from ui.touch.screens.entry import EntryScreen
from ui.touch.screens.items import ItemsScreen
from ui.touch.screens.lock import LockScreen
from ui.touch.screens.menu import MenuScreen
from ui.touch.screens.panel import PanelScreen, SearchScreen
from ui.touch.screens.present import PresentScreen
from ui.touch.screens.receipt import ReceiptScreen
from ui.touch.screens.result import ResultScreen
from ui.touch.screens.sale import SaleScreen
from ui.touch.screens.tip import TipScreen
from ui.touch.screens.tour import TourScreen
from ui.words import mark

SIMULATED = mark("Simulated, no real money")
TRAINING = mark("Training: no real money moves")
_CHIPS_SHARE = 0.72
"""How much of the bar the notices may take before the quiet ones lose their words."""


class TopBar(Row):
    """Menu or way back, the shop's name or the place's, and the standing notices."""

    def __init__(self, shop: str, send: Callable[[Touch], None], **kwargs: Any) -> None:
        super().__init__(
            size_hint_y=None,
            height=dp(56),
            padding=(dp(8), dp(4), dp(16), dp(4)),
            spacing=dp(8),
            **kwargs,
        )
        self._shop = shop
        self._send = send
        self.key = Press(rank="bare", size_hint_x=None, width=dp(52), test_id="menu")
        self.key.bind(on_release=self._pressed)
        self._name = Txt(
            text=shop,
            sizes=[19, 18, 17, 16, 15, 14, 13],
            bold=True,
            max_lines=2,
            rather_small=True,
            test_id="name",
        )
        self.add_widget(self.key)
        self.add_widget(self._name)
        self._chips: list[Chip] = []
        self._wanted: tuple[ChipOfPage, ...] = ()
        self.bind(width=lambda *_: self._fit())

    def _pressed(self, widget: Any) -> None:
        if widget.touch is not None:
            self._send(widget.touch)

    def show(self, page: Page | Panel) -> None:
        """The page's chips, reusing those that are there; and where the corner key leads."""
        if isinstance(page, Panel):
            self._name.text = page.title
            self._lead(Glyph.BACK, Back() if page.goes_back else None)
        else:
            open_menu = page.screen in (Screen.AMOUNT, Screen.CLOSED)
            self._name.text = self._shop
            self._lead(Glyph.MENU, Go("menu") if open_menu else None)
        while len(self._chips) < len(page.chips):
            chip = Chip(test_id=f"chip_{len(self._chips)}")
            chip.bind(on_release=self._pressed)
            self._chips.append(chip)
            self.add_widget(chip)
        while len(self._chips) > len(page.chips):
            self.remove_widget(self._chips.pop())
        self._wanted = page.chips
        self._fit()

    def _lead(self, glyph: Glyph, touch: Touch | None) -> None:
        rtl = skin.say().rtl
        self.key.glyph = Glyph.MORE if glyph is Glyph.BACK and rtl else glyph
        self.key.touch = touch
        self.key.test_id = "back" if glyph is Glyph.BACK else "menu"
        self.key.opacity = 0 if touch is None else 1
        self.key.width = dp(12) if touch is None else dp(52)

    def _fit(self) -> None:
        """Where there is little room, what is well keeps its sign and loses its words."""
        narrow = self.width < dp(620) * skin.scale
        room = max(dp(40), self.width * _CHIPS_SHARE - dp(60))
        for chip, wanted in zip(self._chips, self._wanted, strict=True):
            chip.text = wanted.short if narrow else wanted.text
            chip.tone = wanted.tone.value
            chip.glyph = wanted.glyph
            chip.touch = wanted.touch
            chip.widest = room if wanted.tone is not Tone.OK else 0


class TillView(BoxLayout):
    """Shows pages and panels. Every screen is built once, here, and swapped in when it comes."""

    tone = StringProperty("neutral")
    simulated = BooleanProperty(False)
    training = BooleanProperty(False)

    def __init__(
        self, shop: str, send: Callable[[Touch], None], *, simulated: bool, **kwargs: Any
    ) -> None:
        super().__init__(orientation="vertical", **kwargs)
        with self.canvas.before:
            self._ground = Color(1, 1, 1, 1)
            self._area = Rectangle()
        self.stripe = _Stripe()
        self.bar = TopBar(shop, send)
        self.banner = Banner()
        self.banner.bind(on_release=lambda each: send(each.touch) if each.touch else None)
        for widget in (self.stripe, self.bar, self.banner):
            self.add_widget(widget)
        self.screens: dict[Screen, Any] = {
            Screen.AMOUNT: AmountScreen(),
            Screen.TIP: TipScreen(),
            Screen.PRESENT: PresentScreen(),
            Screen.RESULT: ResultScreen(),
            Screen.CLOSED: ClosedScreen(),
        }
        self.screens[Screen.PROCESSING] = self.screens[Screen.PRESENT]
        listed = PanelScreen()
        self.places: dict[Place, Any] = {
            Place.LOCK: LockScreen(),
            Place.MENU: MenuScreen(),
            Place.HISTORY: SearchScreen(),
            Place.ITEMS: ItemsScreen(),
            Place.SALE: SaleScreen(),
            Place.RECEIPT: ReceiptScreen(),
            Place.TOUR: TourScreen(),
        }
        self.places[Place.TRANSFER] = self.places[Place.RECEIPT]
        self.places[Place.WAYS] = self.places[Place.MENU]
        self.places.update(dict.fromkeys(PLACES | OF_ORDER, EntryScreen()))
        for place in (
            *(Place.QUEUE, Place.DAY, Place.READER),
            *(Place.SETTINGS, Place.HELP, Place.SAFETY, Place.HOLDS, Place.BILLS),
            Place.SHARE,
        ):
            self.places[place] = listed
        for screen in (*self.screens.values(), *self.places.values()):
            screen.send = send
        self.current: Any = None
        self.fbind("simulated", self._mark)
        self.fbind("training", self._mark)
        self.simulated = simulated
        self.bind(pos=self._paint, size=self._paint, tone=self._paint)
        self.bind(size=self._stand)
        skin.watch(self._paint)
        self._paint()
        self._mark()

    def show(self, page: Page | Panel) -> None:
        """Brings up the screen of the page and fills it."""
        panel = isinstance(page, Panel)
        wanted = self.places[page.place] if isinstance(page, Panel) else self.screens[page.screen]
        if wanted is not self.current:
            if self.current is not None:
                self.remove_widget(self.current)
                self.current.leave()
            self.add_widget(wanted)
            wanted.enter()
            self.current = wanted
        tinted = isinstance(page, Page) and page.screen in (Screen.RESULT, Screen.CLOSED)
        self.tone = page.tone.value if tinted else ""
        self.bar.show(page)
        self.banner.show(None if panel else getattr(page, "banner", None))
        wanted.show(page)

    def _mark(self, *_: object) -> None:
        """The stripe is there while no real money can move."""
        text = TRAINING if self.training else SIMULATED if self.simulated else ""
        self.stripe.say(text)

    def _stand(self, *_: object) -> None:
        skin.portrait = self.height > self.width

    def _paint(self, *_: object) -> None:
        token = f"{self.tone}_tint" if self.tone else "bg"
        self._ground.rgba = rgba_of(skin.theme, token)
        self._area.pos = self.pos
        self._area.size = self.size


class _Stripe(Plate):
    """The violet band that no simulated or training till can be without."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fill="stripe", radius=0, size_hint_y=None, height=0, **kwargs)
        self._message = ""
        self._label = Txt(sizes=[14, 13], bold=True, shade="on_stripe", align="center")
        self.add_widget(self._label)
        self.bind(pos=self._place, size=self._place)
        skin.watch(self._speak)

    def say(self, message: str) -> None:
        """Shows this message of the catalogue; an empty one takes the stripe away."""
        self._message = message
        self._speak()

    def _place(self, *_: object) -> None:
        self._label.pos, self._label.size = self.pos, self.size

    def _speak(self, *_: object) -> None:
        self.height = dp(22) * skin.scale if self._message else 0
        self._label.text = skin.say().say(self._message) if self._message else ""
