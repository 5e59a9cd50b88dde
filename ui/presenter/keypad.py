"""A keypad: what each of its keys does to the number that has been typed."""

from __future__ import annotations

from ui.presenter.touches import Backspace, Clear, Digit, DoubleZero, Preset

Keyed = Digit | DoubleZero | Backspace | Clear | Preset
"""What a keypad does to a number."""


def keyed(typed: int, key: Keyed, unit: int) -> int:
    """The number on a keypad after one more key; ``unit`` is one step of it in minor units."""
    match key:
        case Digit(value):
            return typed * 10 + value
        case DoubleZero():
            return typed * 100
        case Backspace():
            return typed // 10
        case Clear():
            return 0
        case Preset(amount):
            return amount.minor // unit
