"""The lock of the face: the keypad for a PIN of the staff, and what a right one leads to.

Rules of this file: pure. A PIN is asked for one deed, and whoever gave it answers for that one
deed alone.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.roles import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from ui import questions as q
from ui.presenter import touches as t
from ui.presenter.panel import Place
from ui.presenter.shell import Shell
from ui.presenter.touches import Touch, Wish


def locked(shell: Shell) -> Shell:
    """Nobody is signed in any more, where that is possible now."""
    if not shell.staff or shell.busy:
        return shell
    if shell.till.pending_count and not shell.training:
        # Whoever took what waits answers for it until the bank has it.
        return replace(shell, note="money waits", remedy="")
    return replace(shell.at(Place.LOCK), person=None, intent=None, needs=None)


def on_lock(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    """A touch while a PIN is asked for."""
    match touch:
        case t.Digit(value) if len(shell.pin) < PIN_DIGITS_MAX and not shell.checking:
            return replace(shell, pin=f"{shell.pin}{value}", note="", remedy=""), ()
        case t.Backspace():
            return replace(shell, pin=shell.pin[:-1]), ()
        case t.Clear() | t.Scanned():
            return replace(shell, pin=""), ()
        case t.Enter() | t.Charge() if len(shell.pin) >= PIN_DIGITS_MIN and not shell.checking:
            return replace(shell, pin="", checking=True), (t.AskWish(q.PinGiven(shell.pin)),)
        case t.Back() | t.Cancel() if shell.trail and not shell.checking:
            return replace(shell.back(), intent=None, needs=None, pin=""), ()
        case _:
            return shell, ()
