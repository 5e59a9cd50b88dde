"""What a cashier can do to the face, and what the face then asks of the till.

Rules of this file: values only. A touch is folded into the view state; a wish is what the till
must be asked to do because of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.money import Amount
from terminal.terms import A_SALE, Terms
from ui.presenter.item_touches import ItemTouch, OrderTouch
from ui.questions import Question


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


@dataclass(frozen=True, slots=True)
class Preset:
    """A key that stands for a whole amount."""

    amount: Amount


@dataclass(frozen=True, slots=True)
class Overdue:
    """Nobody touched anything: the time of this wait is over, and the till has not said a word."""

    wait_number: int


@dataclass(frozen=True, slots=True)
class AskTip:
    """Asks the customer for a tip before the card."""


@dataclass(frozen=True, slots=True)
class Tip:
    """The customer has chosen a tip, in percent; 0 is none."""

    percent: int


@dataclass(frozen=True, slots=True)
class TipOther:
    """The customer wants to type the tip."""


@dataclass(frozen=True, slots=True)
class AddTip:
    """The typed tip is right."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Sets the typed amount aside on a card, to be taken later."""


SaleTouch = (
    Digit
    | DoubleZero
    | Backspace
    | Clear
    | Charge
    | Cancel
    | Done
    | Preset
    | Overdue
    | AskTip
    | Tip
    | TipOther
    | AddTip
    | Hold
)

# -- beyond the sale -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Go:
    """Opens a place of the till, by the value of its ``Place``."""

    place: str


@dataclass(frozen=True, slots=True)
class Back:
    """One step back."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Confirms what was typed."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, a point or a dash from a keyboard or a scanner."""

    text: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """A barcode or QR code, read by a scanner that types like a keyboard.

    ``typed`` is what the keypad had collected before the scanner typed into it.
    """

    code: str
    typed: int = 0


@dataclass(frozen=True, slots=True)
class Choose:
    """The next choice of a preference."""

    name: str


@dataclass(frozen=True, slots=True)
class OpenSale:
    """Opens a sale of a list."""

    txn_id: str


@dataclass(frozen=True, slots=True)
class SendNow:
    """Sends what waits without delay."""


@dataclass(frozen=True, slots=True)
class OpenBill:
    """Goes on with a bill of which something is due."""

    name: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Something about a bank transfer by QR code.

    ``ask`` shows a code for the amount that is to be paid, which is a part of a bill where one is
    being split, ``wait`` asks the bank until the money is there,
    ``seen`` says that it is, and ``drop`` that it is not going to come.
    """

    deed: str
    txn_id: str = ""


@dataclass(frozen=True, slots=True)
class PayPart:
    """Pays the typed part of a bill in cash."""


@dataclass(frozen=True, slots=True)
class PrintCopy:
    """Prints a copy of the receipt of the sale on show."""

    txn_id: str


@dataclass(frozen=True, slots=True)
class Undo:
    """What is to be done to the sale on show: ``refund`` or ``void``; ``keep`` for neither.

    ``part`` is a refund of another amount, and ``take`` takes what a hold has set aside: both
    ask for the amount first.
    """

    how: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Yes, undo it."""


@dataclass(frozen=True, slots=True)
class ShowReceipt:
    """Shows the receipt of the sale on show as a code that a phone can take along."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next step of the end of day, or of the tour."""


@dataclass(frozen=True, slots=True)
class CarryOver:
    """Closes the day and leaves what has no answer yet to the next one."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Nobody is signed in any more."""


@dataclass(frozen=True, slots=True)
class Train:
    """Turns training on or off."""


@dataclass(frozen=True, slots=True)
class Practise:
    """A card of the training is held: ``card``, ``phone`` or ``two``."""

    card: str


@dataclass(frozen=True, slots=True)
class Feel:
    """A face was touched: 2 smiles, 1 is straight, 0 frowns."""

    face: int


OfficeTouch = (
    Go
    | Back
    | Enter
    | Letter
    | Scanned
    | Choose
    | OpenSale
    | OpenBill
    | PayPart
    | Transfer
    | SendNow
    | PrintCopy
    | Undo
    | Confirm
    | ShowReceipt
    | NextStep
    | CarryOver
    | Lock
    | Train
    | Practise
    | Feel
    | OrderTouch
)
Touch = SaleTouch | OfficeTouch | ItemTouch


@dataclass(frozen=True, slots=True)
class ChargeWish:
    """The till is to charge this amount, on these terms."""

    amount: Amount
    terms: Terms = A_SALE


@dataclass(frozen=True, slots=True)
class CancelWish:
    """The till is to stop waiting for a card."""


@dataclass(frozen=True, slots=True)
class AskWish:
    """The books are to be asked."""

    question: Question


@dataclass(frozen=True, slots=True)
class SendWish:
    """What waits is to be sent now."""


@dataclass(frozen=True, slots=True)
class TrainWish:
    """The face is to play with the training till, or to come back from it."""

    on: bool


@dataclass(frozen=True, slots=True)
class PractiseWish:
    """A card of the training is held."""

    card: str


Wish = ChargeWish | CancelWish | AskWish | SendWish | TrainWish | PractiseWish
