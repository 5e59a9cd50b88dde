"""What one tap of a payment leaves for its next: a torn cryptogram, a phone that was asked.

Rules of this file: it lives in memory for as long as one payment waits for a card, and holds no
card data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from terminal.emv.converse import Conversation
from terminal.emv.outcome import MessageId, Outcome, TornTransaction
from terminal.emv.settings import TransactionRequest

RANDOM_BYTES = 10
"""How many unpredictable bytes ``asked`` takes beside the unpredictable number."""

_TORN_MAX = 2
"""How many torn transactions are kept: a wallet with two cards that is pulled away twice."""


@dataclass(slots=True)
class Attempt:
    """The taps of one payment, one after the other."""

    torn: tuple[TornTransaction, ...] = ()
    phone_asked: bool = False

    def asked(self, request: TransactionRequest, random: bytes) -> TransactionRequest:
        """The request with what the taps before left, and with chance for the kernels."""
        return replace(
            request,
            relay_entropy=(random[:4], random[4:8]),
            random_percent=1 + int.from_bytes(random[8:10]) % 99,
            torn=self.torn,
            restarted=self.phone_asked,
        )

    def note(self, outcome: Outcome) -> None:
        """Keeps what the next tap needs of this one."""
        if outcome.torn is not None:
            self.torn = (*self.torn, outcome.torn)[-_TORN_MAX:]
        if outcome.ui is not None and outcome.ui.message is MessageId.SEE_PHONE:
            self.phone_asked = True


def command_times(conversation: Conversation[Outcome]) -> str:
    """Each command with the card's milliseconds: ``SELECT 13, SELECT 54, READ RECORD 11``."""
    return ", ".join(
        f"{each.name} {round(each.card_time_s * 1000)}" for each in conversation.exchanges
    )
