"""The start: the amount, typed in minor units on large keys, and one primary key."""

from __future__ import annotations

from typing import Any

from ui.presenter.page import Page
from ui.presenter.touches import Backspace, Clear, Digit, DoubleZero, Touch
from ui.touch.kit.skin import skin
from ui.touch.kit.surface import Press
from ui.touch.screens.frame import MONEY_LOOKS, Frame, load_layout

load_layout(__file__)

_KEYS: tuple[Touch, ...] = (
    *(Digit(value) for value in (1, 2, 3, 4, 5, 6, 7, 8, 9)),
    DoubleZero(),
    Digit(0),
    Backspace(),
)


def _face_of(touch: Touch) -> tuple[str, str]:
    """What a key of the keypad shows, and the name that tests find it by."""
    match touch:
        case Digit(value):
            return str(value), f"key_{value}"
        case DoubleZero():
            return "00", "key_00"
        case _:
            return "", "key_back"


class AmountScreen(Frame):
    """Amount, last sale and Charge on one side, the keypad on the other."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for touch in _KEYS:
            text, name = _face_of(touch)
            press = Press(
                text=text,
                sign="" if text else "backspace",
                rank="key",
                sizes=[28],
                test_id=name,
            )
            press.touch = touch
            press.bind(on_release=self.pressed)
            self.ids.keypad.add_widget(press)
        self.ids.wipe.touch = Clear()

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
        ids.last_box.opacity = 1 if page.lines else 0
        ids.last.text = page.lines[0] if page.lines else ""
        if page.money_taken is not None:
            tone, glyph = MONEY_LOOKS[page.money_taken]
            ids.last_mark.tone = tone.value
            ids.last_mark.glyph = glyph
