"""Out of service: what is wrong, what to do, and how the last sale stands."""

from __future__ import annotations

from ui.presenter.page import Page
from ui.touch.screens.frame import MONEY_LOOKS, Frame, load_layout

load_layout(__file__)


class ClosedScreen(Frame):
    """No keys: only a person who has helped, and a restart, lead on from here."""

    def show(self, page: Page) -> None:
        """The failure and its remedy."""
        ids = self.ids
        ids.stage.tone = page.tone.value
        ids.stage.glyph = page.glyph
        ids.title.text = page.title
        ids.title.shade = page.tone.value
        ids.caption.text = page.caption
        ids.lines.text = "\n".join(page.lines)
        ids.detail.text = "\n".join(part for part in (page.detail, page.help) if part)
        ids.money.text = page.money
        if page.money_taken is not None:
            tone, glyph = MONEY_LOOKS[page.money_taken]
            ids.money.tone = tone.value
            ids.money.glyph = glyph
