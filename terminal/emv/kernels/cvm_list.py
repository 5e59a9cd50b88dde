"""The CVM list (8E): which cardholder verification applies (EMV Book 3, 10.5; Book C-2, CVM).

Rules of this file: only what a contactless reader can do counts as supported: online PIN,
signature, none, and verification on the customer's own device.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from terminal.emv import tags
from terminal.emv.kernels.activation import Activation
from terminal.emv.outcome import Cvm
from terminal.errors import CardError

UNSUCCESSFUL = 0x80
UNRECOGNISED = 0x40
ONLINE_PIN_ENTERED = 0x04

CARDHOLDER_VERIFICATION = 0x10
"""AIP byte 1: the card has a CVM list."""
APPLY_NEXT = 0x40
"""Byte 1 of a rule: when it fails, the next is tried."""
IF_SUPPORTED = 0x03
"""The condition "if the terminal supports the method"."""
FAIL, ONLINE_PIN, SIGNATURE, NO_CVM = 0x00, 0x02, 0x1E, 0x1F
NOT_PERFORMED = bytes.fromhex("3F0001")
"""9F34: no CVM performed, always, failed (CVM.25)."""
OFFLINE_PINS = frozenset({0x01, 0x03, 0x04, 0x05})

METHODS = MappingProxyType(
    {
        ONLINE_PIN: (0x40, 0x00, Cvm.ONLINE_PIN),
        SIGNATURE: (0x20, 0x00, Cvm.SIGNATURE),
        NO_CVM: (0x08, 0x02, Cvm.NONE),
    }
)
"""CVM code: the bit of 9F33 byte 2 that supports it, byte 3 of the results, the outcome's CVM."""


@dataclass(frozen=True, slots=True)
class CvmRule:
    """One rule: the method with its "apply next" bit, and the condition."""

    code: int
    condition: int

    @property
    def method(self) -> int:
        """The method without the bit that says what to do when it fails."""
        return self.code & 0x3F


@dataclass(frozen=True, slots=True)
class CvmList:
    """Amounts X and Y in minor units of the application currency, and the rules in order."""

    amount_x: int
    amount_y: int
    rules: tuple[CvmRule, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """What CVM processing came to: 9F34 (3 bytes), the outcome's CVM, and bits for the TVR."""

    results: bytes
    cvm: Cvm
    tvr_byte_3: int = 0
    icc_data_missing: bool = False


def parse_cvm_list(value: bytes) -> CvmList:
    """Reads tag 8E.

    Raises:
        CardError: shorter than two amounts and a rule, or half a rule at the end.
    """
    if len(value) < 10 or len(value) % 2:
        raise CardError("The CVM list (8E) is not two amounts and whole rules.")
    return CvmList(
        int.from_bytes(value[:4]),
        int.from_bytes(value[4:8]),
        tuple(CvmRule(*value[at : at + 2]) for at in range(8, len(value), 2)),
    )


def verify_cardholder(activation: Activation, *, on_device: bool, required: bool) -> Verification:
    """The verification that applies; ``required`` says that the amount is over the CVM limit.

    Raises:
        CardError: the CVM list is malformed.
    """
    if on_device:
        # The device verifies its holder for every amount; below the limit nobody asks (C-2).
        if required:
            return Verification(bytes.fromhex("010002"), Cvm.CONFIRMATION_CODE)
        return Verification(bytes.fromhex("3F0002"), Cvm.NONE)
    none = bytes.fromhex("3F0000")
    if not activation.application.aip_has(1, CARDHOLDER_VERIFICATION):
        return Verification(none, Cvm.NONE)
    value = activation.application.objects.get(tags.CVM_LIST_8E, b"")
    if len(value) in {0, 8}:
        # A list without a rule is as good as no list (EMV Book 3, 10.5).
        return Verification(none, Cvm.NONE, icc_data_missing=True)
    return _apply(activation, parse_cvm_list(value))


def _apply(activation: Activation, listed: CvmList) -> Verification:
    supported = activation.terminal[tags.CAPABILITIES_9F33][1]
    tvr = 0
    results = NOT_PERFORMED
    for rule in listed.rules:
        if not is_satisfied(activation, listed, rule, supported):
            continue
        known = METHODS.get(rule.method)
        if known is not None and supported & known[0]:
            _, outcome, cvm = known
            entered = ONLINE_PIN_ENTERED if rule.method == ONLINE_PIN else 0
            results = bytes((rule.code, rule.condition, outcome))
            return Verification(results, cvm, tvr | entered)
        if known is None and rule.method != FAIL and rule.method not in OFFLINE_PINS:
            tvr |= UNRECOGNISED
        if not rule.code & APPLY_NEXT:
            if rule.method == FAIL:
                results = bytes((rule.code, rule.condition, 0x01))
            break
    return Verification(results, Cvm.NONE, tvr | UNSUCCESSFUL)


def is_satisfied(activation: Activation, listed: CvmList, rule: CvmRule, supported: int) -> bool:
    """Whether the condition of a rule holds (EMV Book 3, Annex C3)."""
    request, condition = activation.request, rule.condition
    cash = request.transaction_type in {0x01, 0x17}
    cashback = request.transaction_type == 0x09
    unattended = activation.terminal[tags.TERMINAL_TYPE_9F35][0] & 0x0F >= 4
    if condition == IF_SUPPORTED:
        known = METHODS.get(rule.method)
        return known is not None and bool(supported & known[0])
    plain = {
        0x00: True,
        0x01: cash and unattended,
        0x02: not cash and not cashback,
        0x04: cash and not unattended,
        0x05: cashback,
    }
    if condition in plain:
        return plain[condition]
    currency = activation.application.objects.get(tags.APPLICATION_CURRENCY_9F42)
    if currency != activation.terminal[tags.CURRENCY_5F2A]:
        return False
    amount = request.amount.minor
    return {
        0x06: amount < listed.amount_x,
        0x07: amount > listed.amount_x,
        0x08: amount < listed.amount_y,
        0x09: amount > listed.amount_y,
    }.get(condition, False)
