"""Terminal risk management (EMV Book 3, 10.6): floor limit, random selection, velocity.

Rules of this file: the random number and the log of earlier sales are handed in. Contactless
kernels set the floor limit bit by themselves and never ask for counters (their books leave velocity
checking out); this is the whole procedure, for cards and readers that want it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from terminal.emv import tags
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.tlv import decode
from terminal.errors import CardError, ConfigError

LAST_ONLINE_ATC_9F13 = 0x9F13
LOWER_LIMIT_9F14 = 0x9F14
UPPER_LIMIT_9F23 = 0x9F23

# Terminal verification results, as one number of five bytes.
_NEW_CARD = 0x08_00_00_00
_FLOOR_LIMIT_EXCEEDED = 0x80_00
_LOWER_LIMIT_EXCEEDED = 0x40_00
_UPPER_LIMIT_EXCEEDED = 0x20_00
_SELECTED_RANDOMLY = 0x10_00
_RISK_MANAGEMENT_DONE = bytes.fromhex("0800")


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """What the acquirer sets (EMV Book 3, 10.6.1 and 10.6.2); percentages are 0 to 99.

    Raises:
        ConfigError: a percentage is outside its range, or the maximum below the target.
    """

    floor_limit_minor: int
    target_percent: int = 0
    maximum_percent: int = 0
    threshold_minor: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.target_percent <= self.maximum_percent <= 99:
            raise ConfigError("Random selection needs 0 <= target <= maximum <= 99 per cent.")


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
    settings: RiskSettings,
    log: Sequence[LoggedSale] = (),
    random_percent: int = 100,
) -> Dialogue[RiskResults]:
    """Runs terminal risk management; asks the card for its counters where it has limits.

    Args:
        card: the card's data objects by tag.
        amount_minor: the amount authorised, in minor units of the floor limit's currency.
        settings: the acquirer's.
        log: earlier sales; the newest of this card is added to the amount.
        random_percent: 1 to 99, drawn for this sale; 100 never selects.
    """
    tvr = 0
    if amount_minor + _earlier(card, log) >= settings.floor_limit_minor:
        tvr |= _FLOOR_LIMIT_EXCEEDED
    elif _is_selected(amount_minor, settings, random_percent):
        tvr |= _SELECTED_RANDOMLY
    if LOWER_LIMIT_9F14 in card and UPPER_LIMIT_9F23 in card:
        tvr |= yield from _velocity(card[LOWER_LIMIT_9F14], card[UPPER_LIMIT_9F23])
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


def _is_selected(amount_minor: int, settings: RiskSettings, random_percent: int) -> bool:
    """Biased random selection between threshold and floor limit (10.6.2)."""
    if amount_minor < settings.threshold_minor:
        return random_percent <= settings.target_percent
    span = settings.floor_limit_minor - settings.threshold_minor
    rise = (settings.maximum_percent - settings.target_percent) * (
        amount_minor - settings.threshold_minor
    )
    return random_percent * span <= settings.target_percent * span + rise


def _velocity(lower: bytes, upper: bytes) -> Dialogue[int]:
    """Sales since the card was last online, against the card's two limits (10.6.3)."""
    counter = yield from _counter(tags.ATC_9F36)
    last_online = yield from _counter(LAST_ONLINE_ATC_9F13)
    tvr = _NEW_CARD if last_online == 0 else 0
    if counter is None or last_online is None or counter <= last_online:
        # Without both counters, or with impossible ones, both limits count as exceeded.
        return tvr | _LOWER_LIMIT_EXCEEDED | _UPPER_LIMIT_EXCEEDED
    since = counter - last_online
    if since > int.from_bytes(lower):
        tvr |= _LOWER_LIMIT_EXCEEDED
    if since > int.from_bytes(upper):
        tvr |= _UPPER_LIMIT_EXCEEDED
    return tvr


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
