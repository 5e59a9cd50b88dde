"""The end of a sale: one word, the amount, and whether money was taken."""

from __future__ import annotations

from typing import Any

from kivy.animation import Animation
from kivy.metrics import dp

from ui.presenter.page import Page
from ui.presenter.sayings import Glyph
from ui.presenter.touches import Done, Feel
from ui.touch.kit.press import Press
from ui.touch.kit.skin import skin
from ui.touch.screens.frame import MONEY_LOOKS, Frame, load_layout

load_layout(__file__)

_SIZES = [22, 20, 18, 16, 15, 14]
_FACES = (Glyph.FROWN, Glyph.STRAIGHT, Glyph.SMILE)


class ResultScreen(Frame):
    """The mark, the answer and the way on. Only an approval leaves by itself."""

    leaving = True
    """Off for pictures, which must not depend on how long they took."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._return: Animation | None = None
        self._number = -1
        self._other = Press(test_id="other", sizes=_SIZES, lines=2)
        self._first = Press(test_id="again", sizes=_SIZES, lines=2)
        self._done = Press(test_id="done", sizes=_SIZES, lines=2)
        self._faces = [
            Press(glyph=glyph, rank="soft", test_id=f"face_{face}")
            for face, glyph in enumerate(_FACES)
        ]
        for face, press in enumerate(self._faces):
            press.touch = Feel(face)
        for press in (self._other, self._first, self._done, *self._faces):
            press.bind(on_release=self.pressed)

    def show(self, page: Page) -> None:
        """The result, its line about the money, and one or two keys."""
        ids = self.ids
        ids.stage.tone = page.tone.value
        ids.stage.glyph = page.glyph
        ids.title.text = page.title
        ids.title.shade = page.tone.value
        ids.amount.text = page.amount
        ids.lines.text = "\n".join(page.lines)
        ids.detail.text = "\n".join(part for part in (page.detail, page.help) if part)
        if not ids.detail.text:
            ids.detail.height = 0
        ids.money.text = page.money
        if page.money_taken is not None:
            tone, glyph = MONEY_LOOKS[page.money_taken]
            ids.money.tone = tone.value
            ids.money.glyph = glyph
        ids.caption.text = page.caption
        ids.wait_row.height = dp(24) * skin.scale if page.caption else 0
        counts = bool(page.wait_s) and not page.returns
        ids.countdown.start(page.wait_s if counts else 0, page.wait_number)
        ids.paid.percent = -1 if page.paid is None else page.paid
        ids.paid.height = 0 if page.paid is None else dp(18)
        before = (self._other, self._first)[3 - len(page.keys) :] if len(page.keys) > 1 else ()
        self.dress_row([*before, self._done], page.keys, ids.key_row)
        self._ask(page)
        self._leave_later(page)

    def _ask(self, page: Page) -> None:
        """Three faces, where the shop asks how it went; they never keep the next sale waiting."""
        row = self.ids.face_row
        shown = bool(row.children)
        if page.faces is not shown:
            row.clear_widgets()
            for press in self._faces if page.faces else []:
                row.add_widget(press)
            row.height = dp(56) if page.faces else 0

    def _leave_later(self, page: Page) -> None:
        """Fills the primary key while the time runs, and presses it at the end."""
        if page.wait_number == self._number:
            return
        self._stay()
        self._number = page.wait_number
        if page.returns and self.leaving:
            self._return = Animation(filled=1, duration=page.wait_s, step=1 / 15)
            self._return.bind(on_complete=lambda *_: self.send(Done()))
            self._return.start(self._done)

    def leave(self) -> None:
        """Forgets the countdown."""
        super().leave()
        self.ids.countdown.start(0, -1)
        self._stay()

    def _stay(self) -> None:
        if self._return is not None:
            self._return.cancel(self._done)
            self._return = None
        self._number = -1
        self._done.filled = 0
