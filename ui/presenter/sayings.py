"""What is said at each prompt and each end, and how it looks: the tables behind the pages.

Rules of this file: data only, total over every message, verdict and state. Sentences are short
enough for a customer who looks for a second, and none of them names the cause of a decline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from terminal.emv.outcome import MessageId
from terminal.transaction import MoneyTaken, State
from ui.presenter.verdict import Verdict
from ui.words import mark


class Tone(Enum):
    """How a thing feels; a theme gives it colours."""

    NEUTRAL = "neutral"
    READY = "ready"
    OK = "ok"
    BAD = "bad"
    WARN = "warn"
    PENDING = "pending"


class Glyph(Enum):
    """The drawn sign beside a word, so that nothing is told by colour alone."""

    CHECK = "check"
    CROSS = "cross"
    CLOCK = "clock"
    QUESTION = "question"
    RETURN = "return"
    RECEIPT = "receipt"
    EXCLAMATION = "exclamation"
    CLOUD_OFF = "cloud off"
    WAVES = "waves"
    HOLD = "hold"
    CARDS = "cards"
    PHONE = "phone"
    SPINNER = "spinner"
    CLOSED = "closed"
    BACK = "back"
    BACKSPACE = "backspace"
    BARS = "bars"
    BULB = "bulb"
    CASH = "cash"
    GRADUATE = "graduate"
    KEYPAD = "keypad"
    LIST = "list"
    LOCK = "lock"
    MENU = "menu"
    MINUS = "minus"
    MORE = "more"
    PERCENT = "percent"
    PERSON = "person"
    PLUS = "plus"
    PRINTER = "printer"
    QR = "qr"
    SEARCH = "search"
    SEND = "send"
    SHIELD = "shield"
    SLIDERS = "sliders"
    SMILE = "smile"
    TILES = "tiles"
    STRAIGHT = "straight face"
    FROWN = "frown"


MONEY_LINES: Mapping[MoneyTaken, str] = MappingProxyType(
    {
        MoneyTaken.YES: mark("Money was taken"),
        MoneyTaken.NO: mark("No money was taken"),
        MoneyTaken.NOT_YET: mark("No money taken yet: charged when back online"),
        MoneyTaken.NOT_KNOWN: mark("Not known yet whether money was taken"),
    }
)


GIVEN_BACK = mark("Refunded")
HELD = mark("Held")
IN_CASH = mark("Paid in cash")
BY_TRANSFER = mark("Paid by transfer")
TRANSFER_DUE = mark("Not paid yet: the money has not arrived")
HELD_LINE = mark("Held on the card. No money is taken yet")
REFUND_LINES: Mapping[MoneyTaken, str] = MappingProxyType(
    {
        MoneyTaken.YES: mark("The money goes back to the card"),
        MoneyTaken.NO: mark("No money was given back"),
        MoneyTaken.NOT_YET: mark("The money goes back when the bank is there"),
        MoneyTaken.NOT_KNOWN: mark("Not known yet whether money went back"),
    }
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the customer reads while the reader waits; ``lights`` of the four are on."""

    title: str
    hint: str
    tone: Tone
    glyph: Glyph
    lights: int


_HOLD = mark("Hold card, phone or watch here")
_UNTIL_FULL = mark("Keep it there until all four lights are on")
_OTHER_CARD = mark("Try another card")
_OTHER_HINT = mark("This one cannot be used here")

PROMPTS: Mapping[MessageId, Prompt] = MappingProxyType(
    {
        MessageId.WELCOME: Prompt(mark("One moment…"), "", Tone.NEUTRAL, Glyph.WAVES, 0),
        MessageId.CLEAR_DISPLAY: Prompt(mark("One moment…"), "", Tone.NEUTRAL, Glyph.WAVES, 0),
        MessageId.PRESENT_CARD: Prompt(_HOLD, _UNTIL_FULL, Tone.READY, Glyph.WAVES, 1),
        MessageId.PROCESSING: Prompt(
            mark("Keep holding…"), _UNTIL_FULL, Tone.READY, Glyph.WAVES, 2
        ),
        MessageId.PRESENT_AGAIN: Prompt(
            mark("Hold it here again"), _UNTIL_FULL, Tone.WARN, Glyph.HOLD, 1
        ),
        MessageId.PROCESSING_ERROR: Prompt(
            mark("Hold it here again"), _UNTIL_FULL, Tone.WARN, Glyph.HOLD, 1
        ),
        MessageId.ONE_CARD_ONLY: Prompt(
            mark("One card only, please"),
            mark("Take it out of the wallet and hold it alone"),
            Tone.WARN,
            Glyph.CARDS,
            1,
        ),
        MessageId.SEE_PHONE: Prompt(
            mark("See your phone, then hold again"),
            mark("Confirm on the phone or watch first"),
            Tone.WARN,
            Glyph.PHONE,
            1,
        ),
        MessageId.TRY_ANOTHER_CARD: Prompt(
            _OTHER_CARD, _OTHER_HINT, Tone.WARN, Glyph.EXCLAMATION, 1
        ),
        MessageId.NOT_AUTHORISED: Prompt(_OTHER_CARD, _OTHER_HINT, Tone.WARN, Glyph.EXCLAMATION, 1),
        MessageId.INSERT_CARD: Prompt(
            _OTHER_CARD, mark("This card needs a chip reader"), Tone.WARN, Glyph.EXCLAMATION, 1
        ),
        MessageId.INSERT_OR_SWIPE: Prompt(
            _OTHER_CARD, mark("This card needs a chip reader"), Tone.WARN, Glyph.EXCLAMATION, 1
        ),
        MessageId.ENTER_PIN: Prompt(
            _OTHER_CARD, mark("This card asks for a PIN"), Tone.WARN, Glyph.EXCLAMATION, 1
        ),
        MessageId.REMOVE_CARD: Prompt(
            mark("Please take the card away"), "", Tone.WARN, Glyph.EXCLAMATION, 4
        ),
        MessageId.CARD_READ_OK: Prompt(
            mark("Card read. You can take it away"), "", Tone.READY, Glyph.SPINNER, 4
        ),
        MessageId.APPROVED: Prompt(
            mark("Card read. You can take it away"), "", Tone.READY, Glyph.SPINNER, 4
        ),
        MessageId.APPROVED_SIGN: Prompt(
            mark("Card read. You can take it away"), "", Tone.READY, Glyph.SPINNER, 4
        ),
        MessageId.AUTHORISING: Prompt(
            mark("Asking the bank…"),
            mark("You can take your card away"),
            Tone.READY,
            Glyph.SPINNER,
            4,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Result:
    """How an end is told: one word, and what to do next."""

    title: str
    advice: str
    tone: Tone
    glyph: Glyph


RESULTS: Mapping[Verdict, Result] = MappingProxyType(
    {
        Verdict.APPROVED: Result(mark("Approved"), "", Tone.OK, Glyph.CHECK),
        Verdict.PARTLY_APPROVED: Result(
            mark("Partly paid"), mark("Still due: {amount}"), Tone.WARN, Glyph.EXCLAMATION
        ),
        Verdict.DECLINED: Result(
            mark("Card declined"),
            mark("Try another card or another way to pay"),
            Tone.BAD,
            Glyph.CROSS,
        ),
        Verdict.STORED: Result(
            mark("Saved offline"),
            mark("The sale is safe on this till and is sent by itself"),
            Tone.WARN,
            Glyph.CLOCK,
        ),
        Verdict.UNKNOWN: Result(
            mark("We don't know yet"),
            mark("Do not take another card. The till is checking with the bank"),
            Tone.PENDING,
            Glyph.QUESTION,
        ),
        Verdict.REVERSED: Result(
            mark("Undone"),
            mark("The bank has confirmed it. You can charge again"),
            Tone.NEUTRAL,
            Glyph.RETURN,
        ),
        Verdict.CANCELLED: Result(mark("Cancelled"), "", Tone.NEUTRAL, Glyph.CROSS),
        Verdict.REFUSED: Result(mark("Sale not possible now"), "", Tone.WARN, Glyph.EXCLAMATION),
    }
)

LAST_WORDS: Mapping[State, str] = MappingProxyType(
    {
        State.INTENDED: mark("Cancelled"),
        State.AUTHORISING: mark("We don't know yet"),
        State.STORED: mark("Saved offline"),
        State.APPROVED: mark("Approved"),
        State.DECLINED: mark("Card declined"),
        State.DECLINED_AFTER_FORWARD: mark("Declined by the bank later"),
        State.UNKNOWN: mark("We don't know yet"),
        State.REVERSED: mark("Undone"),
        State.SET_ASIDE: mark("Being checked"),
        State.CANCELLED: mark("Cancelled"),
        State.INTERRUPTED: mark("Cancelled"),
        State.HELD: HELD,
        State.AWAITED: mark("Not arrived yet"),
        State.VOIDING: mark("We don't know yet"),
        State.VOIDED: mark("Undone"),
    }
)

STATE_LOOKS: Mapping[State, tuple[Tone, Glyph]] = MappingProxyType(
    {
        State.INTENDED: (Tone.NEUTRAL, Glyph.CROSS),
        State.AUTHORISING: (Tone.PENDING, Glyph.QUESTION),
        State.STORED: (Tone.WARN, Glyph.CLOCK),
        State.APPROVED: (Tone.OK, Glyph.CHECK),
        State.DECLINED: (Tone.BAD, Glyph.CROSS),
        State.DECLINED_AFTER_FORWARD: (Tone.BAD, Glyph.EXCLAMATION),
        State.UNKNOWN: (Tone.PENDING, Glyph.QUESTION),
        State.REVERSED: (Tone.NEUTRAL, Glyph.RETURN),
        State.SET_ASIDE: (Tone.WARN, Glyph.EXCLAMATION),
        State.CANCELLED: (Tone.NEUTRAL, Glyph.CROSS),
        State.INTERRUPTED: (Tone.NEUTRAL, Glyph.CROSS),
        State.HELD: (Tone.OK, Glyph.CLOCK),
        State.AWAITED: (Tone.PENDING, Glyph.QUESTION),
        State.VOIDING: (Tone.PENDING, Glyph.RETURN),
        State.VOIDED: (Tone.NEUTRAL, Glyph.RETURN),
    }
)
"""How each state of a sale looks in a list."""
