"""The table on which a simulated till stands: the till, its cards, switches and books."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from terminal.bench import Bench
from ui.touch.bench.feed import BenchFeed, Look
from ui.touch.bench.widgets import CardFace, Follower, Lines, Toggle, bench_skin
from ui.touch.kit.press import Press
from ui.touch.kit.skin import rgba_of, skin
from ui.touch.kit.surface import Plate
from ui.touch.kit.txt import Txt
from ui.words import mark

_BANNER = mark("Test bench: simulated cards, simulated bank, no real money")
_CARDS = mark("Click a card to hold it to the reader")
_AWAY = mark("Take card away")
_SWITCHES = mark("What may go wrong")
_TALK = mark("What card and reader say")
_BOOKS = mark("What the bank's books say")

_BEZEL = 8
_EDGE = 16
_BANNER_HEIGHT = 34
_GLOW_S = 0.6
_CARD_WIDTH = 200
_AWAY_WIDTH = dp(130)


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
            Color(*rgba_of(bench_skin.theme, "hairline"))
            self._bezel = SmoothRoundedRectangle(radius=[dp(16)] * 4)
        self._banner = Plate(skin=bench_skin, fill="stripe", radius=0)
        self._banner_text = Txt(
            skin=bench_skin, sizes=[16, 15], bold=True, shade="on_stripe", align="center"
        )
        self._side = _Side()
        self._side.away.bind(on_release=self._taken_away)
        self._logs = [Lines() for _ in self._benches]
        self._till = till
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
        share = (frame[0] - edge * (len(self._logs) - 1)) / max(1, len(self._logs))
        for index, lines in enumerate(self._logs):
            lines.pos = (edge + index * (share + edge), edge)
            lines.size = (share, low - edge)

    def _speak(self, *_: object) -> None:
        say = skin.say().say
        self._banner_text.text = say(_BANNER)
        self._side.cards_title.text = say(_CARDS)
        self._side.away.text = say(_AWAY)
        self._side.switches_title.text = say(_SWITCHES)
        self._title_logs()

    def _title_logs(self) -> None:
        for index, lines in enumerate(self._logs):
            books = index < len(self._drawn) and not self._drawn[index].cards
            lines.title.text = skin.say().say(_BOOKS if books else _TALK)

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
                toggle.switch = switch
            trouble = (self.feed.trouble,) if index == 0 and self.feed.trouble else ()
            self._logs[index].lines = [*look.log, *trouble]
        self._drawn = looks
        self._title_logs()

    def _deal(self, looks: tuple[Look, ...]) -> None:
        grid = self._side.cards
        grid.clear_widgets()
        self._faces = []
        for index, look in enumerate(looks):
            for card in look.cards:
                face = CardFace(card, size_hint_y=None, height=dp(94))
                face.bench = index
                face.bind(on_press=self._tapped)
                self._faces.append(face)
                grid.add_widget(face)
        self._side.offer_cards(offered=bool(self._faces))

    def _tapped(self, face: CardFace) -> None:
        """The card glows for a moment: the tap has been taken, whatever the reader makes of it."""
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
                self._toggles[index, switch.id] = toggle
                grid.add_widget(toggle)
        self._side.fit()

    def _turned(self, toggle: Toggle) -> None:
        self.feed.turn(toggle.bench, toggle.switch)


class _Side(FloatLayout):
    """Cards above, switches below.

    Kivy's smooth shapes are not clipped by a scroll view, so the grounds of the headings and
    of the switches are drawn over what scrolls out of sight.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(size_hint=(None, None), **kwargs)
        self._scroll = ScrollView(
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
        self._scroll.add_widget(self.cards)
        self._above = Plate(skin=bench_skin, fill="bg", radius=0, size_hint=(None, None))
        self._below = Plate(skin=bench_skin, fill="bg", radius=0, size_hint=(None, None))
        self.cards_title = _heading()
        self.switches_title = _heading()
        self.away = Press(
            skin=bench_skin, rank="link", sizes=[15, 14, 13], size_hint=(None, None), test_id="away"
        )
        self.switches = GridLayout(cols=2, spacing=(dp(8), dp(2)), size_hint=(None, None))
        for widget in (
            self._scroll,
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
        self.switches.size = (self.width, rows * dp(37))
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
        self._scroll.pos = (self.x, low)
        self._scroll.size = (self.width, max(dp(40), high - low))
        self._above.pos = (self.x - dp(6), high)
        self._above.size = (self.width + dp(12), self.top - high + dp(_EDGE))
        self._below.pos = (self.x - dp(6), 0)
        self._below.size = (self.width + dp(12), low)


def _heading() -> Txt:
    return Txt(skin=bench_skin, sizes=[15, 14, 13], bold=True, shade="ink2", size_hint=(None, None))
