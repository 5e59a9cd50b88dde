"""Why the till itself refused a sale, in the words of the shop: the table from limits to sentences.

Rules of this file: a sale keeps the name of the limit it met (``terminal.risk.Limit``); the plain
English beside it is for logs and the command line, never for a screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from terminal.aftersale import OTHER_CARD
from terminal.risk import Limit
from terminal.transaction import Transaction
from ui.words import Words, mark

REASONS: Mapping[Limit, str] = MappingProxyType(
    {
        Limit.SWITCHED_OFF: mark("This shop stores no sales while the bank is away"),
        Limit.DEFERRED_OFF: mark("While the bank is away, the card itself has to approve"),
        Limit.CARD_APPROVED_OFF: mark("This shop takes no sale that the card alone approves"),
        Limit.SCHEME: mark("While the bank is away, cards of this kind are not taken"),
        Limit.DEVICE: mark("While the bank is away, this kind of device is not taken"),
        Limit.CLOCK: mark("The till's clock was set back. The bank has to confirm the time"),
        Limit.PER_SALE: mark("The amount is too high for a sale while the bank is away"),
        Limit.COUNT: mark("As many sales wait already as may wait"),
        Limit.TOTAL: mark("The sum that may wait would be exceeded"),
        Limit.CARD_COUNT: mark("As many sales of this card wait already as may wait"),
        Limit.CARD_TOTAL: mark("The sum that may wait for this card would be exceeded"),
        Limit.HOURS: mark("Stored sales have waited too long. They must be sent first"),
        Limit.CARD_DECLINED: mark("A stored sale of this card was declined later"),
        Limit.BLOCKED: mark("The bank has said that this card is never to be tried again"),
        Limit.RETRIES: mark("Declined too often: each further try would cost the shop a fee"),
    }
)
"""Each limit in one sentence, for the cashier."""

OF_TILL = frozenset(
    {
        *(Limit.SWITCHED_OFF, Limit.CLOCK, Limit.PER_SALE, Limit.COUNT, Limit.TOTAL),
        Limit.HOURS,
    }
)
"""Limits that another card meets just the same."""

NOTES: Mapping[str, str] = MappingProxyType(
    {OTHER_CARD: mark("This is not the card that paid. Hold the same card or its phone")}
)
"""What the till says about a card while it waits for another."""

_ANOTHER_WAY = mark("Another card does not help now. Take cash, or wait for the bank")


def limit_of(sale: Transaction | None) -> Limit | None:
    """The limit that this sale met; None where it met none that this till knows."""
    if sale is None or sale.refusal not in Limit.__members__:
        return None
    return Limit[sale.refusal]


def reason_of(sale: Transaction, words: Words) -> str:
    """Why the sale ended without the bank."""
    limit = limit_of(sale)
    return words.say(REASONS[limit]) if limit is not None else words.reference(sale.reason)


def advice_of(sale: Transaction | None, usual: str) -> str:
    """What to do next: another card helps against a limit of the card, not of the till."""
    return _ANOTHER_WAY if limit_of(sale) in OF_TILL else usual


if set(REASONS) != set(Limit):
    raise AssertionError("each limit needs a sentence")
