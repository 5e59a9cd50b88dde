"""Tells a barcode scanner from a person: both press keys, but no person is that quick.

Rules of this file: time is injected. Digits are passed on at once, since an amount has to show
under the finger; when a burst turns out to be a code, what it typed is taken back first.
"""

from __future__ import annotations

from collections.abc import Callable

from ui.presenter.touches import Backspace, Digit, Enter, Letter, Scanned, Touch

GAP_S = 0.035
"""The longest pause between two characters of a scanner; quick typists need twice as long."""

LEAST = 6
"""Shorter codes are not taken for scans: an EAN has eight characters at least."""


class Wedge:
    """Watches the rhythm of key presses."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last_s = -1.0
        self._code: list[str] = []
        self._digits = 0

    def press(self, touch: Touch) -> tuple[Touch, ...]:
        """What this press means: itself, or at the end of a burst the code that was scanned."""
        at = self._now()
        quick = at - self._last_s <= GAP_S
        self._last_s = at
        if isinstance(touch, Enter):
            code = "".join(self._code)
            scanned = quick and len(code) >= LEAST
            undo = self._undo() if scanned else ()
            self._forget()
            return (*undo, Scanned(code)) if scanned else (touch,)
        if not quick:
            self._forget()
        match touch:
            case Digit(value):
                self._code.append(str(value))
                self._digits += 1
            case Letter(text):
                self._code.append(text)
            case _:
                self._forget()
        return (touch,)

    def _undo(self) -> tuple[Touch, ...]:
        """Takes back the digits that the burst has typed."""
        return (Backspace(),) * self._digits

    def _forget(self) -> None:
        self._code = []
        self._digits = 0
