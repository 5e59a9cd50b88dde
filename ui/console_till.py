"""A face of lines: folds a till's events and prints each page that is news.

Rules of this file: nothing is decided here. What the page says is what is printed.
"""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable, Sequence

from terminal.bench import Bench, BenchCard
from terminal.money import Amount, Currency
from terminal.terms import A_SALE, Terms
from ui.events import TillEvent
from ui.ports import TillPort
from ui.presenter.page import Page
from ui.presenter.pages import page
from ui.presenter.sayings import Tone
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.touches import CancelWish, Touch
from ui.words import Words

_LIT, _DARK = "\u25cf", "\u25cb"
_SIGNS = {
    Tone.OK: "\u2713",
    Tone.BAD: "\u2717",
    Tone.WARN: "!",
    Tone.PENDING: "?",
    Tone.NEUTRAL: "-",
    Tone.READY: ">",
}

Write = Callable[[str], None]


def write_line(line: str) -> None:
    """Prints a line at once; letters that the terminal does not have become question marks."""
    encoding = sys.stdout.encoding or "utf-8"
    shown = line.encode(encoding, "replace").decode(encoding)
    print(shown, flush=True)  # noqa: T201 - a console till prints


class ConsoleTill:
    """Folds a till's events and prints each page that is news.

    Args:
        till: a started till.
        benches: simulated devices, if any.
        currency: of the amounts that are typed.
        words: the language.
        write: takes one line.
    """

    def __init__(
        self,
        till: TillPort,
        benches: Sequence[Bench],
        *,
        currency: Currency,
        words: Words,
        write: Write = write_line,
    ) -> None:
        self.till = till
        self.benches = tuple(benches)
        self.words = words
        self.state = ViewState(currency)
        self._write = write
        self._told: tuple[str, ...] = ()
        self._notices: tuple[str, ...] = ()

    def tell(self, text: str) -> None:
        """Prints text of the presenter's."""
        self._write(self.words.plain(text))

    def touch(self, touch: Touch) -> None:
        """Folds a touch in and passes its wish on."""
        wish = self.state.wish(touch)
        self.state = self.state.after(touch)
        if isinstance(wish, CancelWish):
            self.till.cancel()

    def charge(self, amount: Amount, terms: Terms = A_SALE) -> None:
        """Asks for a sale of this amount."""
        self.till.charge(amount, terms=terms)

    def next_event(self, timeout_s: float) -> TillEvent | None:
        """Waits for one event, folds it in and prints what is new; None when none came."""
        try:
            event = self.till.events.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        self.state = self.state.after(event)
        self._print_news()
        return event

    def wait(self, reached: Callable[[TillEvent], bool], timeout_s: float) -> bool:
        """Handles events until one of them makes ``reached`` true; False when time is up."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            event = self.next_event(left)
            if event is not None and reached(event):
                return True
        return False

    def forget(self) -> None:
        """A new sale prints its pages even where they are those of the sale before."""
        self._told = ()

    def drain(self) -> None:
        """Handles what has come already."""
        while self.next_event(0.0) is not None:
            pass

    def _print_news(self) -> None:
        """Prints a new page, or of the same page only the lines that are new."""
        shown = page(self.state, self.words)
        lines = tuple(_lines(shown))
        if shown.screen is Screen.AMOUNT:
            told, self._notices = self._notices, lines
        else:
            told, self._told = self._told, lines
        same = shown.screen is Screen.AMOUNT or lines[:1] == told[:1]
        for line in lines:
            if not same or line not in told:
                self.tell(line)

    def cards(self) -> list[tuple[Bench, BenchCard]]:
        """Every card of every bench, in the order of their numbers."""
        return [(bench, card) for bench in self.benches for card in bench.cards()]


def _lines(shown: Page) -> list[str]:
    """A page in a few lines; the start has only its notices."""
    match shown.screen:
        case Screen.AMOUNT | Screen.TIP:
            return ["  ".join(f"[{chip.text}]" for chip in shown.chips)]
        case Screen.PRESENT | Screen.PROCESSING:
            lights = _LIT * shown.lights + _DARK * (4 - shown.lights)
            told = " · ".join(part for part in (shown.title, shown.detail) if part)
            return [f"  {lights}  {shown.amount}  {told}"]
        case Screen.RESULT:
            head = "  ".join(part for part in (shown.title, shown.amount) if part)
            first = f"  {_SIGNS[shown.tone]} {head}"
            rest = (*shown.lines, shown.money, *shown.detail.split(" · "))
            return [first, *(f"    {line}" for line in rest if line)]
        case Screen.CLOSED:
            rest = (shown.caption, *shown.lines, shown.detail, shown.money)
            return [f"  {_SIGNS[shown.tone]} {shown.title}", *(f"    {x}" for x in rest if x)]
