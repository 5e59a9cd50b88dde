"""What a sale shows while it runs: values from checkout to whichever face is watching."""

from __future__ import annotations

from dataclasses import dataclass

from terminal.emv.outcome import MessageId
from terminal.money import Amount


@dataclass(frozen=True, slots=True)
class Presenting:
    """The intent is durable and the reader is live; nobody has tapped yet."""

    amount: Amount
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Prompted:
    """The reader asks for something: one card only, present again, see phone, not a card."""

    message: MessageId
    note: str = ""


@dataclass(frozen=True, slots=True)
class CardRead:
    """The card may be taken away. This is the first cue, and not yet an approval.

    ``card_time_s`` is what the card took to answer, ``terminal_time_s`` what the till added,
    ``languages`` what its holder prefers (5F2D: ISO 639-1, best first).
    """

    card_time_s: float = 0.0
    terminal_time_s: float = 0.0
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Authorising:
    """The recorded sale is on its way to the acquirer; ``timeout_s`` is the longest wait."""

    timeout_s: float


Progress = Presenting | Prompted | CardRead | Authorising
