"""Terminal risk management with the card's counters (EMV Book 3, 10.6).

Rules of this file: the random number and the log of earlier sales are handed in. Contactless
kernels set the floor limit bit by themselves and never ask for counters (``docs/kernels.md``); this
is the whole procedure, for cards and readers that want it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from terminal.emv import tags
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.risk_management import (
    FLOOR_LIMIT_EXCEEDED,
    SELECTED_AT_RANDOM,
    RandomSelection,
    velocity,
)
from terminal.emv.tlv import decode
from terminal.errors import CardError

LAST_ONLINE_ATC_9F13 = 0x9F13
LOWER_LIMIT_9F14 = 0x9F14
UPPER_LIMIT_9F23 = 0x9F23

_RISK_MANAGEMENT_DONE = bytes.fromhex("0800")


@dataclass(frozen=True, slots=True)
class LoggedSale:
    """An earlier sale that still counts against the floor limit (split sales, 10.6.1)."""

    pan: str = field(repr=False)
    sequence: int | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class RiskResults:
    """What risk management adds to the TVR (5 bytes) and the TSI (2 bytes)."""

    tvr: bytes
    tsi: bytes = _RISK_MANAGEMENT_DONE


def manage_risk(
    card: Mapping[int, bytes],
    *,
    amount_minor: int,
    floor_limit_minor: int,
    selection: RandomSelection | None = None,
    random_percent: int | None = None,
    log: Sequence[LoggedSale] = (),
) -> Dialogue[RiskResults]:
    """Runs terminal risk management; asks the card for its counters where it has limits.

    Args:
        card: the card's data objects by tag.
        amount_minor: the amount authorised, in minor units of the floor limit's currency.
        floor_limit_minor: from here on the transaction goes online (9F1B).
        selection: the acquirer's percentages for random selection, or None.
        random_percent: 1 to 99, drawn for this sale; None never selects.
        log: earlier sales; the newest of this card is added to the amount.
    """
    tvr = 0
    if amount_minor + _earlier(card, log) >= floor_limit_minor:
        tvr |= FLOOR_LIMIT_EXCEEDED
    elif selection is not None and random_percent is not None:
        picked = selection.picks(amount_minor, floor_limit_minor, random_percent)
        tvr |= SELECTED_AT_RANDOM if picked else 0
    if LOWER_LIMIT_9F14 in card and UPPER_LIMIT_9F23 in card:
        counter = yield from _counter(tags.ATC_9F36)
        last_online = yield from _counter(LAST_ONLINE_ATC_9F13)
        lower = int.from_bytes(card[LOWER_LIMIT_9F14])
        tvr |= velocity(counter, last_online, lower, int.from_bytes(card[UPPER_LIMIT_9F23]))
    return RiskResults(tvr.to_bytes(5, "big"))


def _earlier(card: Mapping[int, bytes], log: Sequence[LoggedSale]) -> int:
    """The newest logged amount of this card (10.6.1): one sale, and not their sum."""
    pan = card.get(tags.PAN_5A, b"").hex().upper().rstrip("F")
    stated = card.get(tags.PAN_SEQUENCE_5F34)
    sequence = int(stated.hex()) if stated and stated.hex().isdecimal() else None
    for sale in reversed(log):
        if pan and sale.pan == pan and (sequence is None or sale.sequence in {None, sequence}):
            return sale.amount_minor
    return 0


def _counter(tag: int) -> Dialogue[int | None]:
    """One counter by GET DATA (6.5.7); None when the card does not give it."""
    response = yield Command(0x80, 0xCA, tag >> 8, tag & 0xFF)
    if not response.ok:
        return None
    try:
        found = decode(response.data)
    except CardError:
        return None
    if len(found) != 1 or found[0].tag != tag or len(found[0].value) != 2:
        return None
    return int.from_bytes(found[0].value)
