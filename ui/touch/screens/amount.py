"""The start: the amount, typed in minor units on large keys, and one primary key."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp
from kivy.uix.widget import Widget

from ui.presenter.counter_page import KEYS_MAX
from ui.presenter.page import Page
from ui.presenter.sayings import Glyph
from ui.presenter.touches import Backspace, Digit, DoubleZero, Touch
from ui.touch.kit.item_key import ItemPress
from ui.touch.kit.listing import Listing
from ui.touch.kit.press import Press
from ui.touch.kit.skin import skin
from ui.touch.kit.surface import Grid
from ui.touch.screens.frame import MONEY_LOOKS, Frame, load_layout

load_layout(__file__)

KEYPAD: tuple[Touch, ...] = (
    *(Digit(value) for value in (1, 2, 3, 4, 5, 6, 7, 8, 9)),
    DoubleZero(),
    Digit(0),
    Backspace(),
)
QUICK_MAX = 4
_SHELF_COLUMNS = 3
_HINT_DP = 26
_TITLE_SIZES = [18, 16]
_SUM_SIZES = [36, 32, 28, 24, 20, 18, 16]


def _face_of(touch: Touch) -> tuple[str, str]:
    """What a key of the keypad shows, and the name that tests find it by."""
    match touch:
        case Digit(value):
            return str(value), f"key_{value}"
        case DoubleZero():
            return "00", "key_00"
        case _:
            return "", "key_back"


def keypad_keys(frame: Frame, prefix: str = "") -> list[Press]:
    """The twelve keys of a keypad, whose touches go to this screen."""
    keys = []
    for touch in KEYPAD:
        text, name = _face_of(touch)
        press = Press(
            text=text,
            glyph=None if text else Glyph.BACKSPACE,
            rank="key",
            sizes=[30, 28],
            test_id=f"{prefix}{name}",
        )
        press.touch = touch
        press.bind(on_press=frame.pressed)
        keys.append(press)
    return keys


class AmountScreen(Frame):
    """Amount, usual amounts and Charge on one side, the keypad on the other; or all in a column."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for press in keypad_keys(self):
            self.ids.keypad.add_widget(press)
        # Whatever is not on the screen now is kept here: Kivy's ids hold nothing.
        self._keypad = self.ids.keypad.__self__
        self._shelf: Grid | None = None
        self._listing: Listing | None = None
        self._quick = [
            Press(rank="soft", sizes=[18, 17, 16, 15, 14, 13], test_id=f"quick_{index}")
            for index in range(QUICK_MAX)
        ]
        for press in self._quick:
            press.bind(on_release=self.pressed)
        self._rows = (False, False)
        self._stocked = 0
        self._items: list[ItemPress] = []
        self._blanks: list[Widget] = []
        self.bind(pos=self._lay_out, size=self._lay_out)
        skin.watch(self._lay_out)

    def show(self, page: Page) -> None:
        """The amount so far, the last sale, and whether Charge may be pressed."""
        ids = self.ids
        typed = page.keys[0].enabled
        ids.title.text = page.title
        ids.amount.text = page.amount
        ids.amount.shade = "ink" if typed or not page.caption else "ink2"
        ids.hint.text = page.caption
        ids.hint.shade = "warn" if page.alert else "ink2"
        self.dress(ids.wipe, page.wipe)
        self._order(page)
        self._sell(page)
        self.dress(ids.charge, page.keys[0])
        self.dress(ids.ways, page.keys[1])
        ids.last_box.opacity = 1 if page.lines else 0
        ids.last.text = page.lines[0] if page.lines else ""
        if page.money_taken is not None:
            tone, glyph = MONEY_LOOKS[page.money_taken]
            ids.last_mark.tone = tone.value
            ids.last_mark.glyph = glyph
        self._offer(page)
        rows = (bool(page.quick), bool(page.lines))
        if rows != self._rows:
            self._rows = rows
            self._lay_out()

    def _offer(self, page: Page) -> None:
        """The usual amounts, as many as there are."""
        if len(self.ids.quick.children) != len(page.quick):
            self.ids.quick.clear_widgets()
            for press in self._quick[: len(page.quick)]:
                self.ids.quick.add_widget(press)
        for press, key in zip(self._quick, page.quick, strict=False):
            self.dress(press, key)

    def _order(self, page: Page) -> None:
        """What was taken, line by line; the sum then stands in the first row of the card."""
        ids, taken = self.ids, bool(page.order)
        if taken and self._listing is None:
            self._listing = Listing(send=self.send, pad=14)
        listing = self._listing
        if listing is not None and taken is not (listing.parent is not None):
            if taken:
                ids.card.add_widget(listing)
            else:
                ids.card.remove_widget(listing)
        ids.amount.size_hint_y = None if taken else 1
        ids.amount.opacity = 0 if taken else 1
        ids.title.bold = taken
        ids.title.shade = "ink" if taken else "ink2"
        ids.title.sizes = _SUM_SIZES if taken else _TITLE_SIZES
        # A trouble has a second line: what to do about it.
        room = dp(_HINT_DP) * skin.scale * (1.7 if page.alert else 1)
        ids.hint.height = room if page.caption or not taken else 0
        if taken and listing is not None:
            ids.title.text, ids.amount.text, ids.amount.height = page.amount, "", 0
            listing.fill(page.order, page.order_key)

    def _sell(self, page: Page) -> None:
        """The quick keys of a shop that has some, in the place of the keypad; or the keypad."""
        if page.shelf and self._shelf is None:
            self._shelf = Grid(cols=_SHELF_COLUMNS, spacing=dp(8), size_hint=(None, None))
            self._items = [ItemPress(test_id=f"item_{index}") for index in range(KEYS_MAX)]
            self._blanks = [Widget() for _ in range(KEYS_MAX)]
            for press in self._items:
                press.bind(on_release=self.pressed)
        shelf = self._shelf
        if shelf is None:
            return
        self._stock(shelf, page)
        wanted, other = (shelf, self._keypad) if page.shelf else (self._keypad, shelf)
        if wanted.parent is None:
            self.remove_widget(other)
            self.add_widget(wanted)
            self._lay_out()

    def _stock(self, shelf: Grid, page: Page) -> None:
        """The keys of the page; blanks keep each of them at its size and in its place."""
        count = len(page.shelf)
        if count and count != self._stocked:
            self._stocked = count
            shelf.clear_widgets()
            for widget in (*self._items[:count], *self._blanks[count:]):
                shelf.add_widget(widget)
        for press, key in zip(self._items, page.shelf, strict=False):
            press.show(key)

    @property
    def _board(self) -> Widget:
        """What somebody types or touches items on."""
        shelf = self._shelf
        return shelf if shelf is not None and shelf.parent is not None else self._keypad

    def _lay_out(self, *_: object) -> None:
        """Two columns, or one: amount above, keypad in the middle, Charge at the bottom."""
        ids, edge, gap = self.ids, dp(16), dp(10)
        self.pad(ids.card, 20, 6, 8, 12)
        width, height = self.width - 2 * edge, self.height - edge
        charge, ways, quick, last = dp(72), dp(80), dp(50), dp(34) * skin.scale
        quick_room = quick + gap if self._rows[0] else 0
        last_room = last + gap / 2 if self._rows[1] else 0
        if skin.portrait:
            pad = min(height * 0.5, dp(400))
            self.put(ids.charge, 0, 0, width - ways - gap, charge)
            self.put(ids.ways, width - ways, 0, ways, charge)
            self.put(self._board, 0, charge + gap, width, pad)
            low = charge + pad + 2 * gap
            column = width
        else:
            column = width * 0.52
            self.put(ids.charge, 0, 0, column - ways - gap, charge)
            self.put(ids.ways, column - ways, 0, ways, charge)
            self.put(self._board, column + dp(16), 0, width - column - dp(16), height)
            low = charge + gap
        self.put(ids.quick, 0, low, column, quick)
        low += quick_room
        self.put(ids.last_box, 0, low, column, last)
        low += last_room
        self.put(ids.card, 0, low, column, max(dp(90), height - low))
