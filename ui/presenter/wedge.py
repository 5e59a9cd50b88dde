"""Tells a barcode scanner from a person: both press keys, but no person is that quick.

Rules of this file: time is injected. Digits are passed on at once, since an amount has to show
under the finger; when a burst turns out to be a code, it says what was typed before it.
"""

from __future__ import annotations

from collections.abc import Callable

from ui.presenter.touches import Digit, Enter, Letter, Scanned, Touch

GAP_S = 0.035
"""The longest pause between two characters of a scanner; quick typists need twice as long."""

LEAST = 6
"""Shorter codes are not taken for scans: an EAN has eight characters at least."""


class Wedge:
    """Watches the rhythm of key presses. ``typed`` is what the keypad has collected so far."""

    def __init__(self, now: Callable[[], float], typed: Callable[[], int] = lambda: 0) -> None:
        self._now = now
        self._typed = typed
        self._before = 0
        self._last_s = -1.0
        self._code: list[str] = []

    def press(self, touch: Touch) -> tuple[Touch, ...]:
        """What this press means: itself, or at the end of a burst the code that was scanned."""
        at = self._now()
        quick = at - self._last_s <= GAP_S
        self._last_s = at
        if isinstance(touch, Enter):
            code = "".join(self._code)
            scanned = quick and len(code) >= LEAST
            self._code = []
            return (Scanned(code, self._before),) if scanned else (touch,)
        if not quick:
            self._code = []
        if not self._code:
            self._before = self._typed()
        match touch:
            case Digit(value):
                self._code.append(str(value))
            case Letter(text):
                self._code.append(text)
            case _:
                self._code = []
        return (touch,)
