"""Pre-processing: limits against the amount, before a card is asked (Contactless Book B, 3.1).

Rules of this file: one combination at a time, numbers in, a value out. Comparisons are those of
Book B as two independent implementations (libpay and Daniel Hu's kernels) make them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from terminal.emv import tags
from terminal.emv.settings import Combination, ReaderSettings, TransactionRequest

_OFFLINE_ONLY = 0x08  # TTQ byte 1
_ONLINE_CRYPTOGRAM_REQUIRED = 0x80  # TTQ byte 2
_CVM_REQUIRED = 0x40  # TTQ byte 2


@dataclass(frozen=True, slots=True)
class Indicators:
    """What pre-processing found for one combination (Book A, table 5-3).

    ``ttq`` is 9F66 with the bits of byte 2 set for this amount; ``allowed`` is false when this
    combination may not run for this amount.
    """

    allowed: bool
    cvm_required: bool
    floor_limit_exceeded: bool
    ttq: bytes

    @property
    def online_cryptogram_required(self) -> bool:
        """Whether the card is told to go online (TTQ byte 2, bit 8)."""
        return bool(self.ttq[1] & _ONLINE_CRYPTOGRAM_REQUIRED)

    @property
    def online_capable(self) -> bool:
        """Whether this reader can go online at all (TTQ byte 1, bit 4 is "offline only")."""
        return not self.ttq[0] & _OFFLINE_ONLY


def pre_process(combination: Combination, amount_minor: int) -> Indicators:
    """The indicators of one combination for this amount (Book B, 3.1.1)."""
    limits = (combination.contactless_limit_minor, combination.on_device_limit_minor)
    # A C-2 card that verifies its holder has a limit of its own; the kernel picks the right one.
    limit = None if None in limits else max(limits, key=lambda each: each or 0)
    if combination.kernel_id != 2:
        limit = combination.contactless_limit_minor
    floor, cvm = combination.floor_limit_minor, combination.cvm_limit_minor
    zero = amount_minor == 0
    offline_only = bool(combination.ttq[0] & _OFFLINE_ONLY)
    allowed = (limit is None or amount_minor < limit) and not (
        zero and (offline_only or not combination.zero_amount_allowed)
    )
    cvm_required = cvm is not None and amount_minor >= cvm
    floor_exceeded = floor is not None and amount_minor > floor
    byte_2 = combination.ttq[1] & ~(_ONLINE_CRYPTOGRAM_REQUIRED | _CVM_REQUIRED) & 0xFF
    if floor_exceeded or zero:
        byte_2 |= _ONLINE_CRYPTOGRAM_REQUIRED
    if cvm_required:
        byte_2 |= _CVM_REQUIRED
    ttq = combination.ttq[:1] + bytes((byte_2,)) + combination.ttq[2:]
    return Indicators(allowed, cvm_required, floor_exceeded, ttq)


def _digits(number: int, count: int) -> bytes:
    return bytes.fromhex(f"{number:0{count}d}")


def terminal_objects(
    request: TransactionRequest, settings: ReaderSettings, combination: Combination, ttq: bytes
) -> dict[int, bytes]:
    """The terminal's data objects for one kernel run, by tag.

    What the combination states stands before what the settings state, and both before the
    values made here; the request's own values are last and cannot be overridden.
    """
    objects = {
        tags.TERMINAL_VERSION_9F09: bytes.fromhex("0002"),
        tags.COUNTRY_9F1A: _digits(settings.country_number, 4),
        tags.CAPABILITIES_9F33: settings.capabilities,
        tags.TERMINAL_TYPE_9F35: bytes((settings.terminal_type,)),
        tags.ENTRY_MODE_9F39: b"\x07",
        tags.ADDITIONAL_CAPABILITIES_9F40: settings.additional_capabilities,
        **_known(settings.data),
        **_known(combination.data),
        tags.TVR_95: bytes(5),
        tags.DATE_9A: bytes.fromhex(f"{request.at:%y%m%d}"),
        tags.TRANSACTION_TYPE_9C: bytes((request.transaction_type,)),
        tags.CURRENCY_5F2A: _digits(request.amount.currency.number, 4),
        tags.CURRENCY_EXPONENT_5F36: _digits(request.amount.currency.exponent, 2),
        tags.AMOUNT_9F02: _digits(request.amount.minor, 12),
        tags.AMOUNT_OTHER_9F03: _digits(request.other_minor, 12),
        tags.TIME_9F21: bytes.fromhex(f"{request.at:%H%M%S}"),
        tags.UNPREDICTABLE_NUMBER_9F37: request.unpredictable_number,
        tags.TTQ_9F66: ttq,
    }
    if request.sequence is not None:
        objects[tags.SEQUENCE_COUNTER_9F41] = _digits(request.sequence, 8)
    return objects


def _known(data: Mapping[int, bytes]) -> dict[int, bytes]:
    return {tag: value for tag, value in data.items() if tag in tags.DOL_WHITELIST}
