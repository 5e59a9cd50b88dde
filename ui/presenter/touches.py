"""What a cashier can do to the face, and what the face then asks of the till.

Rules of this file: values only. A touch is folded into the view state; a wish is what the till
must be asked to do because of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.money import Amount


@dataclass(frozen=True, slots=True)
class Digit:
    """A key of the keypad, 0 to 9."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 9:
            raise AssertionError("a keypad has the digits 0 to 9")


@dataclass(frozen=True, slots=True)
class DoubleZero:
    """The 00 key."""


@dataclass(frozen=True, slots=True)
class Backspace:
    """Takes the last digit back."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Takes all digits back."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Starts the sale: of the amount typed, or once more of the one that found no end."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stops waiting for a card."""


@dataclass(frozen=True, slots=True)
class Done:
    """Leaves a result for the next sale."""


Touch = Digit | DoubleZero | Backspace | Clear | Charge | Cancel | Done


@dataclass(frozen=True, slots=True)
class ChargeWish:
    """The till is to charge this amount."""

    amount: Amount


@dataclass(frozen=True, slots=True)
class CancelWish:
    """The till is to stop waiting for a card."""


Wish = ChargeWish | CancelWish
