"""The result of one tap, as the reader reports it (EMV Contactless Book A, 6.2).

Rules of this file: declined, try again, use another card and see phone are values here, never
exceptions. Message identifiers and status codes are those of Book A as two independent
implementations (libpay and Denom) list them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum

from terminal.card import CardData
from terminal.emv import tags


class Decision(Enum):
    """What the terminal is to do next."""

    APPROVED = "approved"
    DECLINED = "declined"
    ONLINE_REQUEST = "online request"
    TRY_AGAIN = "try again"
    TRY_ANOTHER_INTERFACE = "try another interface"
    SELECT_NEXT = "select next"
    END_APPLICATION = "end application"


class Start(Enum):
    """Where Entry Point starts when the outcome says to start again (Book A, 6.2.1)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    NONE = "N/A"


class Cvm(Enum):
    """Which cardholder verification the outcome asks for."""

    NONE = "no CVM"
    SIGNATURE = "signature"
    ONLINE_PIN = "online PIN"
    CONFIRMATION_CODE = "confirmation code verified on the device"
    NOT_APPLICABLE = "N/A"


class MessageId(IntEnum):
    """What the reader says to the cardholder."""

    APPROVED = 0x03
    NOT_AUTHORISED = 0x07
    ENTER_PIN = 0x09
    PROCESSING_ERROR = 0x0F
    REMOVE_CARD = 0x10
    WELCOME = 0x14
    PRESENT_CARD = 0x15
    PROCESSING = 0x16
    CARD_READ_OK = 0x17
    INSERT_OR_SWIPE = 0x18
    ONE_CARD_ONLY = 0x19
    APPROVED_SIGN = 0x1A
    AUTHORISING = 0x1B
    TRY_ANOTHER_CARD = 0x1C
    INSERT_CARD = 0x1D
    CLEAR_DISPLAY = 0x1E
    SEE_PHONE = 0x20
    PRESENT_AGAIN = 0x21


class UiStatus(IntEnum):
    """The reader's status beside the message."""

    NOT_READY = 0x00
    IDLE = 0x01
    READY_TO_READ = 0x02
    PROCESSING = 0x03
    CARD_READ = 0x04
    PROCESSING_ERROR = 0x05
    NOT_APPLICABLE = 0xFF


@dataclass(frozen=True, slots=True)
class UiRequest:
    """One user interface request: what to say, which status, and for how long."""

    message: MessageId
    status: UiStatus
    hold_time_ms: int = 0
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Application:
    """The application on the card that was used, as a receipt names it."""

    aid: bytes
    label: str
    scheme: str
    kernel_id: int


@dataclass(frozen=True, slots=True)
class TornTransaction:
    """What is needed to recover a cryptogram that the card made and nobody heard (Book C-2).

    A kernel hands it out with its outcome and gets it back with the next request; it holds no
    account number: the card is known again by a digest.

    ``terminal`` holds the terminal's data objects of that moment; ``relay`` what its relay
    resistance exchange adds to the signed data.
    """

    card: bytes = field(repr=False)
    at: datetime
    requested: int
    cvm: Cvm
    pdol_data: bytes = field(repr=False)
    cdol_data: bytes = field(repr=False)
    relay: bytes = field(repr=False)
    terminal: Mapping[int, bytes] = field(repr=False)

    def belongs_to(self, card: CardData, at: datetime, lifetime_s: int) -> bool:
        """Whether this is the card that was torn, not longer ago than ``lifetime_s``."""
        age_s = (at - self.at).total_seconds()
        number = self.terminal[tags.UNPREDICTABLE_NUMBER_9F37]
        same = hmac.compare_digest(self.card, card_digest(card, number))
        return same and 0 <= age_s <= lifetime_s


def card_digest(card: CardData, unpredictable_number: bytes) -> bytes:
    """Names an account with its sequence number for the life of one torn record.

    An account number has too few digits for a digest to hide it from a search; the record stays
    in memory, and what this keeps out of it is the number in the clear.
    """
    text = f"{card.pan.reveal()}/{card.sequence}"
    return hashlib.sha256(unpredictable_number + text.encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one tap ended.

    ``chip_data`` holds the data objects that go to the host in DE 55, by tag number; the tags
    57, 5A, 5F20 and other cardholder data are refused on construction. ``card`` is in the
    clear and must be sealed at once. ``reason`` names the rule that decided, for the journal.
    ``last4`` are the last four digits of the plastic card behind a phone's own number, where it
    says them (9F25). ``torn`` goes into the next request of the same transaction, so that a
    cryptogram that the card made and nobody heard is recovered and not made twice. ``data`` is
    what the settings wanted of the card beyond the payment, ``balance_minor`` its balance.
    """

    decision: Decision
    reason: str
    ui: UiRequest | None = None
    start: Start = Start.NONE
    cvm: Cvm = Cvm.NOT_APPLICABLE
    application: Application | None = None
    card: CardData | None = None
    chip_data: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    device: str = "card"
    last4: str = ""
    torn: TornTransaction | None = None
    data: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    balance_minor: int | None = None

    def __post_init__(self) -> None:
        leaked = FORBIDDEN_IN_DE55.intersection(self.chip_data)
        if leaked:
            raise AssertionError(f"cardholder data among the chip data: {sorted(leaked)}")
        goes_on = self.decision in {Decision.APPROVED, Decision.ONLINE_REQUEST}
        if goes_on and (self.card is None or self.application is None):
            raise AssertionError("an outcome that goes on needs card data and an application")


FORBIDDEN_IN_DE55 = frozenset(
    {0x57, 0x5A, 0x56, 0x5F20, 0x9F0B, 0x9F1F, 0x9F20, 0x9F6B, 0x9F60, 0x9F61, 0x99, 0x5F24}
)
"""Tags that hold a card number, a track, a name, an expiry or a PIN block."""
