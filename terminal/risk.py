"""Limits on sales that the acquirer has not seen: values in, a named decision out.

Rules of this file: the merchant carries the risk of a stored sale, so the defaults are small,
each refusal says which limit it met, and nothing here remembers anything. What is counted comes
from the ledger (``Exposure``), so it survives restarts, and only the host's answers lower it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from terminal.errors import ConfigError
from terminal.iso8583.profile import Category, Ceiling, Profile, Response
from terminal.ledger import Declined, Exposure, Journal
from terminal.money import Amount
from terminal.transaction import CardSummary


class Limit(Enum):
    """The rule that refuses a sale; a face says it in its own language by this name."""

    SWITCHED_OFF = "stored sales are switched off"
    DEFERRED_OFF = "the card did not approve by itself"
    CARD_APPROVED_OFF = "the card approved by itself"
    SCHEME = "scheme"
    DEVICE = "kind of card"
    CLOCK = "clock set back"
    PER_SALE = "amount of a sale"
    COUNT = "number of sales"
    TOTAL = "sum of sales"
    CARD_COUNT = "number of sales of a card"
    CARD_TOTAL = "sum of sales of a card"
    HOURS = "hours since the last upload"
    CARD_DECLINED = "declined after an earlier stored sale"
    BLOCKED = "never again"
    RETRIES = "tried too often"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a sale may not be: the rule, and a sentence in plain English."""

    limit: Limit
    text: str


@dataclass(frozen=True, slots=True)
class OfflineLimits:
    """What may be stored while the acquirer is away, in minor units of the till's currency.

    ``card_count`` and ``card_total_minor`` are for one card, or one account where the card
    names it (PAR). ``hours`` is from the oldest stored sale that the host has not answered.
    ``deferred`` allows sales whose card asked for the issuer (ARQC), ``card_approved`` those
    that the card itself approved (TC). ``refused_schemes`` are those whose cards are always
    authorised online; ``devices`` the kinds that are taken, as the kernel names them.
    """

    enabled: bool = True
    per_sale_minor: int = 50_00
    total_minor: int = 500_00
    count: int = 50
    card_total_minor: int = 100_00
    card_count: int = 3
    hours: int = 24
    deferred: bool = True
    card_approved: bool = True
    refused_schemes: tuple[str, ...] = ("Maestro",)
    devices: tuple[str, ...] = field(default=("card", "phone", "watch"))

    def __post_init__(self) -> None:
        numbers = (
            *(self.per_sale_minor, self.total_minor, self.count),
            *(self.card_total_minor, self.card_count, self.hours),
        )
        if min(numbers) < 0:
            raise ConfigError("An offline limit is negative.", remedy="Use 0 to store nothing.")


def offline_refusal(
    limits: OfflineLimits,
    amount: Amount,
    exposure: Exposure,
    *,
    card: CardSummary | None = None,
    card_approved: bool = False,
    at: datetime | None = None,
) -> Refusal | None:
    """Why this sale may not be stored, or None when it may.

    ``exposure`` counts what waits in the sale's currency, and of it this card's; ``at`` is the
    time of the sale.
    """
    return (
        _of_the_kind(limits, card, card_approved=card_approved)
        or _of_the_clock(limits, exposure, at)
        or _of_the_till(limits, amount, exposure)
        or _of_the_card(limits, amount, exposure)
    )


def _of_the_kind(
    limits: OfflineLimits, card: CardSummary | None, *, card_approved: bool
) -> Refusal | None:
    if not limits.enabled:
        return Refusal(Limit.SWITCHED_OFF, "Stored sales are switched off in this shop.")
    if card_approved and not limits.card_approved:
        text = "This shop takes no sale that only the card has approved."
        return Refusal(Limit.CARD_APPROVED_OFF, text)
    if not card_approved and not limits.deferred:
        text = "Offline, this shop takes only sales that the card itself approves."
        return Refusal(Limit.DEFERRED_OFF, text)
    if card is None:
        return None
    if card.scheme in limits.refused_schemes:
        return Refusal(Limit.SCHEME, f"{card.scheme} cards are not taken offline.")
    if card.device not in limits.devices:
        return Refusal(Limit.DEVICE, f"Offline, a {card.device} is not taken.")
    return None


def _of_the_clock(limits: OfflineLimits, exposure: Exposure, at: datetime | None) -> Refusal | None:
    if exposure.set_back_s:
        minutes = -(-exposure.set_back_s // 60)
        text = f"The till's clock was set back by {minutes} minutes; the acquirer must confirm it."
        return Refusal(Limit.CLOCK, text)
    if at is None or exposure.oldest_at is None:
        return None
    if at - exposure.oldest_at >= timedelta(hours=limits.hours):
        text = f"Stored sales have waited for {limits.hours} hours; they must be sent first."
        return Refusal(Limit.HOURS, text)
    return None


def _of_the_till(limits: OfflineLimits, amount: Amount, exposure: Exposure) -> Refusal | None:
    if amount.minor > limits.per_sale_minor:
        most = Amount(limits.per_sale_minor, amount.currency)
        return Refusal(Limit.PER_SALE, f"Offline, one sale may be at most {most}.")
    if exposure.count >= limits.count:
        text = f"{exposure.count} sales wait already; {limits.count} is the limit."
        return Refusal(Limit.COUNT, text)
    if exposure.total_minor + amount.minor > limits.total_minor:
        left = _room(limits.total_minor, exposure.total_minor, amount)
        return Refusal(Limit.TOTAL, f"Offline limit reached: {left} of room is left.")
    return None


def _of_the_card(limits: OfflineLimits, amount: Amount, exposure: Exposure) -> Refusal | None:
    if exposure.card_declined:
        text = "This card was declined after an earlier stored sale."
        return Refusal(Limit.CARD_DECLINED, text)
    if exposure.card_count >= limits.card_count:
        text = f"{exposure.card_count} sales of this card wait already."
        return Refusal(Limit.CARD_COUNT, text)
    if exposure.card_minor + amount.minor > limits.card_total_minor:
        left = _room(limits.card_total_minor, exposure.card_minor, amount)
        return Refusal(Limit.CARD_TOTAL, f"Offline, this card has {left} of room left.")
    return None


def _room(limit_minor: int, used_minor: int, amount: Amount) -> str:
    room = Amount(max(0, limit_minor - used_minor), amount.currency)
    return f"{amount.currency.code} {room.decimal}"


def not_again(
    journal: Journal, profile: Profile, amount: Amount, card: CardSummary, at: datetime
) -> Refusal | None:
    """Whether what the ledger knows of a card forbids another try, before anything is sent."""
    ceilings = profile.delivery.ceilings
    longest = max((ceiling.days for ceiling in ceilings.values()), default=0)
    declines = journal.declines(card, at - timedelta(days=longest))
    return card_refusal(profile.responses, ceilings, amount, declines, at)


def card_refusal(
    responses: Mapping[str, Response],
    ceilings: Mapping[Category, Ceiling],
    amount: Amount,
    declines: Iterable[Declined],
    at: datetime,
) -> Refusal | None:
    """Why this card may not be sent to the host again, by the schemes' rules on reattempts.

    ``declines`` are the earlier declines of the same card or account, in any order.
    """
    tries: dict[Category, int] = {}
    for declined in declines:
        response = responses.get(declined.response_code)
        ceiling = ceilings.get(response.category) if response else None
        if response is None or ceiling is None:
            continue
        recent = at - declined.at < timedelta(days=ceiling.days)
        if recent and (not ceiling.same_amount or declined.amount == amount):
            count = tries[response.category] = tries.get(response.category, 0) + 1
            if count >= ceiling.tries:
                return _reattempt(response, count)
    return None


def _reattempt(response: Response, count: int) -> Refusal:
    if response.category is Category.NEVER:
        text = f"This card is not to be tried again: {response.text}"
        return Refusal(Limit.BLOCKED, text)
    text = f"This payment was declined {count} times already: {response.text}"
    return Refusal(Limit.RETRIES, text)
