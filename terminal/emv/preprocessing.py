"""Pre-processing: limits against the amount, before a card is asked (Contactless Book B, 3.1).

Rules of this file: one combination at a time, numbers in, a value out. Comparisons are those of
Book B as two independent implementations (libpay and Daniel Hu's kernels) make them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from terminal.emv import tags
from terminal.emv.settings import Combination, ReaderSettings, TransactionRequest
from terminal.money import Amount

_OFFLINE_ONLY = 0x08  # TTQ byte 1
_ONLINE_CRYPTOGRAM_REQUIRED = 0x80  # TTQ byte 2
_CVM_REQUIRED = 0x40  # TTQ byte 2


@dataclass(frozen=True, slots=True)
class Indicators:
    """What pre-processing found for one combination (Book A, table 5-3).

    ``ttq`` is 9F66 with the bits of byte 2 set for this amount, zeros where the combination has
    none; ``allowed`` is false when this combination may not run for this amount.
    """

    allowed: bool
    status_check: bool
    zero_amount: bool
    limit_exceeded: bool
    floor_limit_exceeded: bool
    cvm_required: bool
    ttq: bytes

    @property
    def online_cryptogram_required(self) -> bool:
        """Whether the card is told to go online (TTQ byte 2, bit 8)."""
        return bool(self.ttq[1] & _ONLINE_CRYPTOGRAM_REQUIRED)

    @property
    def online_capable(self) -> bool:
        """Whether this reader can go online at all (TTQ byte 1, bit 4 is "offline only")."""
        return not self.ttq[0] & _OFFLINE_ONLY


def _limit(combination: Combination) -> int | None:
    """The amount that no card may reach; a C-2 kernel picks one of two once it knows the card."""
    if combination.kernel_id != 2:
        return combination.contactless_limit_minor
    limits = (combination.contactless_limit_minor, combination.on_device_limit_minor)
    return None if None in limits else max(each or 0 for each in limits)


def pre_process(combination: Combination, amount: Amount) -> Indicators:
    """The indicators of one combination for this amount (Book B, 3.1.1)."""
    minor, limit = amount.minor, _limit(combination)
    floor, cvm = combination.floor_limit_minor, combination.cvm_limit_minor
    static = combination.ttq or bytes(4)
    zero = minor == 0
    status_check = combination.status_check and minor == 10**amount.currency.exponent
    limit_exceeded = limit is not None and minor >= limit
    cvm_required = cvm is not None and minor >= cvm
    floor_exceeded = floor is not None and minor > floor
    zero_refused = zero and (bool(static[0] & _OFFLINE_ONLY) or not combination.zero_amount_allowed)
    byte_2 = static[1] & ~(_ONLINE_CRYPTOGRAM_REQUIRED | _CVM_REQUIRED) & 0xFF
    if floor_exceeded or zero or status_check:
        byte_2 |= _ONLINE_CRYPTOGRAM_REQUIRED
    if cvm_required:
        byte_2 |= _CVM_REQUIRED
    dynamic = static[:1] + bytes((byte_2,)) + static[2:]
    return Indicators(
        allowed=not limit_exceeded and not zero_refused,
        status_check=status_check,
        zero_amount=zero,
        limit_exceeded=limit_exceeded,
        floor_limit_exceeded=floor_exceeded,
        cvm_required=cvm_required,
        ttq=static if combination.ttq is None else dynamic,
    )


def _digits(number: int, count: int) -> bytes:
    return bytes.fromhex(f"{number:0{count}d}")


def terminal_objects(
    request: TransactionRequest, settings: ReaderSettings, combination: Combination, ttq: bytes
) -> dict[int, bytes]:
    """The terminal's data objects for one kernel run, by tag.

    What the combination states stands before what the settings state, and both before the
    values made here; the request's own values are last and cannot be overridden.
    """
    kernel = combination.kernel_id
    objects = {
        tags.KERNEL_ID_9F2A: kernel.to_bytes(3 if kernel > 0xFF else 1, "big"),
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
