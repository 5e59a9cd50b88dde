"""The table on which a simulated till stands: the till, its cards, switches and books."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from terminal.bench import Bench
from ui.touch.bench.drag import Drag
from ui.touch.bench.feed import BenchFeed, Look
from ui.touch.bench.widgets import CardFace, Dose, Follower, Lines, Toggle, bench_skin
from ui.touch.kit.press import Press
from ui.touch.kit.skin import rgba_of, skin
from ui.touch.kit.surface import Plate
from ui.touch.kit.txt import Txt
from ui.words import mark

_BANNER = mark("Test bench: simulated cards, simulated bank, no real money")
_CARDS = mark("Drag a card to the till, or click it")
_AWAY = mark("Take card away")
_SWITCHES = mark("What may go wrong")
# A bench names its own page; these are the names that there are words for.
_PAGES = (
    mark("What card and reader say"),
    mark("What the bank's books say"),
    mark("What the printer says"),
)

_BEZEL = 8
_EDGE = 16
_BANNER_HEIGHT = 34
_GLOW_S = 0.6
_CARD_WIDTH = 200
_SWITCH_HEIGHT = 32
_AWAY_WIDTH = dp(130)
_PAGE_SHARES = (6, 5, 3)
"""A dialogue takes more room than books, and books more than a printer."""


class BenchTable(FloatLayout):
    """Lays the till out at its own size, and the bench in the room that is left.

    Args:
        till: the till's view.
        benches: what to draw; each offers any of cards, switches and log lines.
    """

    def __init__(self, till: Widget, benches: Sequence[Bench], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._follower = Follower(skin)
        self._benches = tuple(benches)
        self._drawn: tuple[Look, ...] = ()
        self._toggles: dict[tuple[int, str], Toggle] = {}
        self._faces: list[CardFace] = []
        with self.canvas.before:
            Color(*rgba_of(bench_skin.theme, "bg"))
            self._ground = Rectangle()
            Color(0, 0, 0, 0.45)
            self._shadow = SmoothRoundedRectangle(radius=[dp(18)] * 4)
            self._edge_colour = Color(*rgba_of(bench_skin.theme, "hairline"))
            self._bezel = SmoothRoundedRectangle(radius=[dp(16)] * 4)
        self._banner = Plate(skin=bench_skin, fill="stripe", radius=0)
        self._banner_text = Txt(
            skin=bench_skin, sizes=[16, 15], bold=True, shade="on_stripe", align="center"
        )
        self._side = _Side()
        self._side.away.bind(on_release=self._taken_away)
        self._logs = [Lines() for _ in self._benches]
        self._till = till
        self._drag = Drag(self, self._side.scroll, till, reached=self._reached, left=self._left)
        for widget in (self._side, self._banner, self._banner_text, till, *self._logs):
            widget.size_hint = (None, None)
            self.add_widget(widget)
        self.bind(size=self._lay_out, pos=self._lay_out)
        skin.watch(self._speak)
        self._speak()
        self._refresh = Clock.create_trigger(self._draw)
        self.feed = BenchFeed(self._benches, self._refresh)
        self.feed.start()

    def stop(self) -> None:
        """Ends the feed's thread."""
        self.feed.stop()

    def _lay_out(self, *_: object) -> None:
        edge, bezel, banner = dp(_EDGE), dp(_BEZEL), dp(_BANNER_HEIGHT)
        width, height = dp(800), dp(480)
        left, top = edge + bezel, self.height - banner - edge - bezel
        self._ground.size = self.size
        self._banner.pos = (0, self.height - banner)
        self._banner.size = (self.width, banner)
        self._banner_text.pos = self._banner.pos
        self._banner_text.size = self._banner.size
        self._till.pos = (left, top - height)
        self._till.size = (width, height)
        frame = (width + 2 * bezel, height + 2 * bezel)
        self._bezel.pos = (left - bezel, top - height - bezel)
        self._bezel.size = frame
        self._shadow.pos = (left - bezel - dp(2), top - height - bezel - dp(5))
        self._shadow.size = (frame[0] + dp(4), frame[1] + dp(6))
        right = left + width + bezel + edge
        self._side.pos = (right, edge)
        self._side.size = (self.width - right - edge, self.height - banner - 2 * edge)
        low = top - height - bezel - edge
        shares = _PAGE_SHARES[: len(self._logs)]
        share = (frame[0] - edge * (len(shares) - 1)) / max(1, sum(shares))
        place = edge
        for lines, wide in zip(self._logs, shares, strict=True):
            lines.pos = (place, edge)
            lines.size = (share * wide, low - edge)
            place += share * wide + edge

    def _speak(self, *_: object) -> None:
        say = skin.say().say
        self._banner_text.text = say(_BANNER)
        self._side.cards_title.text = say(_CARDS)
        self._side.away.text = say(_AWAY)
        self._side.switches_title.text = say(_SWITCHES)

        for bench, lines in zip(self._benches, self._logs, strict=True):
            lines.title.text = say(bench.title)

    def on_touch_down(self, touch: Any) -> bool:
        """Kivy's: a card may be about to be picked up."""
        self._drag.down(touch, self._faces)
        return bool(super().on_touch_down(touch))

    def on_touch_move(self, touch: Any) -> bool:
        """Kivy's: a card that is carried follows."""
        return self._drag.move(touch) or bool(super().on_touch_move(touch))

    def on_touch_up(self, touch: Any) -> bool:
        """Kivy's: a card that was carried is let go."""
        carried = self._drag.up(touch)
        if carried:
            self._light(on=False)
        return carried or bool(super().on_touch_up(touch))

    def _reached(self, face: CardFace) -> None:
        self._light(on=True)
        self.feed.tap(face.bench, face.card.id)

    def _left(self, face: CardFace) -> None:
        self._light(on=False)
        self.feed.remove(face.bench)

    def _light(self, *, on: bool) -> None:
        """The till's edge lights up while a card is held to it."""
        self._edge_colour.rgba = rgba_of(bench_skin.theme, "light_on" if on else "hairline")

    def _draw(self, *_: object) -> None:
        """Brings the widgets up to the feed's last look; only what changed is touched."""
        looks = self.feed.looks
        if tuple(look.cards for look in looks) != tuple(look.cards for look in self._drawn):
            self._deal(looks)
        if [len(look.switches) for look in looks] != [len(look.switches) for look in self._drawn]:
            self._wire(looks)
        for index, look in enumerate(looks):
            for switch in look.switches:
                toggle = self._toggles[index, switch.id]
                toggle.on = switch.on
                toggle.amount = switch.value
                toggle.switch = switch
            trouble = (self.feed.trouble,) if index == 0 and self.feed.trouble else ()
            self._logs[index].lines = [*look.log, *trouble]
        self._drawn = looks

    def _deal(self, looks: tuple[Look, ...]) -> None:
        grid = self._side.cards
        grid.clear_widgets()
        self._faces = []
        for index, look in enumerate(looks):
            for card in look.cards:
                face = CardFace(card, size_hint_y=None, height=dp(94))
                face.bench = index
                face.bind(on_release=self._tapped)
                self._faces.append(face)
                grid.add_widget(face)
        self._side.offer_cards(offered=bool(self._faces))

    def _tapped(self, face: CardFace) -> None:
        """The card glows for a moment: the tap has been taken, whatever the reader makes of it."""
        if face.carried:
            return
        self.feed.tap(face.bench, face.card.id)
        face.held = True
        Clock.schedule_once(lambda _: setattr(face, "held", False), _GLOW_S)

    def _taken_away(self, _press: Press) -> None:
        for index in range(len(self._benches)):
            self.feed.remove(index)

    def _wire(self, looks: tuple[Look, ...]) -> None:
        grid = self._side.switches
        grid.clear_widgets()
        self._toggles = {}
        for index, look in enumerate(looks):
            for switch in look.switches:
                toggle = Toggle(
                    text=skin.say().say(switch.label),
                    on=switch.on,
                    test_id=f"switch_{index}_{switch.id}",
                )
                toggle.bench = index
                toggle.switch = switch
                toggle.bind(on_release=self._turned)
                toggle.dose.bind(on_release=partial(self._dosed, toggle))
                self._toggles[index, switch.id] = toggle
                grid.add_widget(toggle)
        self._side.fit()

    def _turned(self, toggle: Toggle) -> None:
        self.feed.turn(toggle.bench, toggle.switch)

    def _dosed(self, toggle: Toggle, _dose: Dose) -> None:
        self.feed.step(toggle.bench, toggle.switch)


class _Side(FloatLayout):
    """Cards above, switches below.

    Kivy's smooth shapes are not clipped by a scroll view, so the grounds of the headings and
    of the switches are drawn over what scrolls out of sight.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(size_hint=(None, None), **kwargs)
        self.scroll = ScrollView(
            do_scroll_x=False,
            size_hint=(None, None),
            bar_width=dp(5),
            scroll_type=["bars", "content"],
            bar_color=rgba_of(bench_skin.theme, "border"),
            bar_inactive_color=rgba_of(bench_skin.theme, "border", 0.5),
        )
        self.cards = GridLayout(
            cols=2, spacing=dp(12), padding=(dp(4), dp(4), dp(14), dp(4)), size_hint_y=None
        )
        self.cards.bind(minimum_height=self.cards.setter("height"))
        self.scroll.add_widget(self.cards)
        self._above = Plate(skin=bench_skin, fill="bg", radius=0, size_hint=(None, None))
        self._below = Plate(skin=bench_skin, fill="bg", radius=0, size_hint=(None, None))
        self.cards_title = _heading()
        self.switches_title = _heading()
        self.away = Press(
            skin=bench_skin, rank="link", sizes=[15, 14, 13], size_hint=(None, None), test_id="away"
        )
        self.switches = GridLayout(cols=2, spacing=(dp(8), dp(2)), size_hint=(None, None))
        for widget in (
            self.scroll,
            self._above,
            self._below,
            self.cards_title,
            self.switches_title,
            self.away,
            self.switches,
        ):
            self.add_widget(widget)
        self.bind(pos=self.fit, size=self.fit)

    def offer_cards(self, *, offered: bool) -> None:
        """Without cards, nothing invites to tap one."""
        for widget in (self.cards_title, self.away):
            widget.opacity = 1 if offered else 0
        self.away.enabled = offered

    def fit(self, *_: object) -> None:
        """Gives the switches as many rows as they need, and the cards the rest."""
        self.switches.cols = max(2, int(self.width // dp(_CARD_WIDTH)))
        rows = -(-len(self.switches.children) // self.switches.cols)
        heading, gap = dp(26), dp(8)
        self.switches.size = (self.width, rows * dp(_SWITCH_HEIGHT))
        self.switches.pos = self.pos
        self.switches_title.pos = (self.x, self.y + self.switches.height + dp(2))
        self.cards_title.pos = (self.x, self.top - heading)
        self.switches_title.size = (self.width, heading)
        self.cards_title.size = (self.width - _AWAY_WIDTH, heading)
        self.away.pos = (self.right - _AWAY_WIDTH, self.cards_title.y)
        self.away.size = (_AWAY_WIDTH, heading)
        low = self.switches_title.top + gap
        high = self.cards_title.y - dp(4)
        self.cards.cols = max(2, int(self.width // dp(_CARD_WIDTH)))
        self.scroll.pos = (self.x, low)
        self.scroll.size = (self.width, max(dp(40), high - low))
        self._above.pos = (self.x - dp(6), high)
        self._above.size = (self.width + dp(12), self.top - high + dp(_EDGE))
        self._below.pos = (self.x - dp(6), 0)
        self._below.size = (self.width + dp(12), low)


def _heading() -> Txt:
    return Txt(skin=bench_skin, sizes=[15, 14, 13], bold=True, shade="ink2", size_hint=(None, None))
