"""The start: the amount, typed in minor units on large keys, and one primary key."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp

from ui.presenter.page import Page
from ui.presenter.sayings import Glyph
from ui.presenter.touches import Backspace, Clear, Digit, DoubleZero, Touch
from ui.touch.kit.press import Press
from ui.touch.kit.skin import skin
from ui.touch.screens.frame import MONEY_LOOKS, Frame, load_layout

load_layout(__file__)

KEYPAD: tuple[Touch, ...] = (
    *(Digit(value) for value in (1, 2, 3, 4, 5, 6, 7, 8, 9)),
    DoubleZero(),
    Digit(0),
    Backspace(),
)
QUICK_MAX = 4


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
        self.ids.wipe.touch = Clear()
        self._quick = [
            Press(rank="soft", sizes=[18, 17, 16, 15, 14, 13], test_id=f"quick_{index}")
            for index in range(QUICK_MAX)
        ]
        for press in self._quick:
            press.bind(on_release=self.pressed)
        self._rows = (False, False)
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
        ids.wipe.text = skin.say().say("Clear")
        ids.wipe.opacity = 1 if page.clears else 0
        ids.wipe.enabled = page.clears
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

    def _lay_out(self, *_: object) -> None:
        """Two columns, or one: amount above, keypad in the middle, Charge at the bottom."""
        ids, edge, gap = self.ids, dp(16), dp(10)
        width, height = self.width - 2 * edge, self.height - edge
        charge, ways, quick, last = dp(72), dp(80), dp(50), dp(34) * skin.scale
        quick_room = quick + gap if self._rows[0] else 0
        last_room = last + gap / 2 if self._rows[1] else 0
        if skin.portrait:
            pad = min(height * 0.5, dp(400))
            self.put(ids.charge, 0, 0, width - ways - gap, charge)
            self.put(ids.ways, width - ways, 0, ways, charge)
            self.put(ids.keypad, 0, charge + gap, width, pad)
            low = charge + pad + 2 * gap
            column = width
        else:
            column = width * 0.52
            self.put(ids.charge, 0, 0, column - ways - gap, charge)
            self.put(ids.ways, column - ways, 0, ways, charge)
            self.put(ids.keypad, column + dp(16), 0, width - column - dp(16), height)
            low = charge + gap
        self.put(ids.quick, 0, low, column, quick)
        low += quick_room
        self.put(ids.last_box, 0, low, column, last)
        low += last_room
        self.put(ids.card, 0, low, column, max(dp(90), height - low))
