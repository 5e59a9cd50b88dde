"""Kernel 4: American Express Expresspay, EMV mode (EMV Contactless Book C-4).

Rules of this file: the book was not at hand. The order of the steps and the cardholder
verification are those of a published kernel 4 (a reader's C firmware); the bits of the reader
capabilities (9F6D, 9F6E) those that emv-utils gives from C-4 v2.10, 4.3.3 and 4.3.4. "Full online"
is a legacy and the second GENERATE AC with it; mag-stripe mode is refused.
"""

from __future__ import annotations

from terminal.emv import tags
from terminal.emv.apdu import Dialogue
from terminal.emv.application import (
    get_processing_options,
    read_records,
    take_processing_options,
)
from terminal.emv.kernels import generate_ac
from terminal.emv.kernels.activation import (
    ARQC,
    TC,
    Activation,
    account,
    approved,
    declined,
    ending,
    online,
    refused_options,
    see_phone,
)
from terminal.emv.kernels.cvm_list import (
    APPLY_NEXT,
    CARDHOLDER_VERIFICATION,
    FAIL,
    IF_SUPPORTED,
    METHODS,
    NO_CVM,
    NOT_PERFORMED,
    OFFLINE_PINS,
    ONLINE_PIN,
    ONLINE_PIN_ENTERED,
    UNRECOGNISED,
    UNSUCCESSFUL,
    CvmList,
    CvmRule,
    Verification,
    is_satisfied,
    parse_cvm_list,
)
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome
from terminal.emv.restrictions import processing_restrictions
from terminal.errors import AuthenticationFailed, CardError

_EMV_MODE = 0x80  # AIP byte 2
_MOBILE = 0x40  # AIP byte 2
_CONTACTS = 0x20  # 9F33 byte 1
_READER_CVM_REQUIRED = 0x08  # 9F6D
_CVM_REQUIRED = 0x40  # 9F6E byte 3
_TRY_ANOTHER_INTERFACE = 0x04  # 9F6E byte 1
_MOBILE_CVM_BY_READER = 0x80  # 9F6E byte 2

_MOBILE_CVM = 0x01  # the code that Book 3 has for a plaintext PIN verified by the card
# Mobile CVM results (9F71): what was performed, and how it ended.
_PERFORMED = 0x01
_FAILED, _SUCCESSFUL, _BLOCKED = 0x01, 0x02, 0x03


def run(activation: Activation) -> Dialogue[Outcome]:
    """Runs the kernel on the selected application.

    Raises:
        CardError: the card broke the rules.
        CardLost: the card left, when that is thrown in.
    """
    application = activation.application
    _state_capabilities(activation)
    response = yield from get_processing_options(application, activation.terminal)
    if not response.ok:
        return refused_options(activation, response.sw)
    take_processing_options(application, response.data)
    if not application.aip_has(2, _EMV_MODE):
        reason = "the card offers mag-stripe mode only"
        return ending(activation, Decision.TRY_ANOTHER_INTERFACE, reason, MessageId.INSERT_OR_SWIPE)
    yield from read_records(application, application.afl)
    for tag in (tags.PAN_5A, tags.EXPIRY_5F24, tags.CDOL1_8C):
        application.objects.need(tag)
    state = generate_ac.Run(activation, account(activation))
    generate_ac.prepare_authentication(state)
    state.tvr |= processing_restrictions(application.objects, activation.terminal) << 24
    verification = _verify_cardholder(activation)
    if isinstance(verification, Outcome):
        return verification
    state.tvr |= generate_ac.risk_management(activation, state.card)
    requested = generate_ac.decide(state, verification)
    return (yield from _finish(state, requested, verification))


def _state_capabilities(activation: Activation) -> None:
    """Tells the card whether this amount needs cardholder verification: 9F6D and 9F6E."""
    generate_ac.announce_authentication(activation)
    terminal, required = activation.terminal, activation.indicators.cvm_required
    reader = terminal[tags.READER_CAPABILITIES_9F6D][0] & ~_READER_CVM_REQUIRED
    enhanced = bytearray(terminal[tags.ENHANCED_CAPABILITIES_9F6E])
    enhanced[2] &= ~_CVM_REQUIRED
    if required:
        reader |= _READER_CVM_REQUIRED
        enhanced[2] |= _CVM_REQUIRED
    terminal[tags.READER_CAPABILITIES_9F6D] = bytes((reader,))
    terminal[tags.ENHANCED_CAPABILITIES_9F6E] = bytes(enhanced)
    first, _, security = terminal[tags.CAPABILITIES_9F33]
    combination = activation.combination
    byte_2 = combination.cvm_capability if required else combination.no_cvm_capability
    terminal[tags.CAPABILITIES_9F33] = bytes((first, byte_2, security))


def _mobile_cvm(activation: Activation) -> tuple[int, int] | None:
    """What the phone did and how it ended (9F71), or None when it does not say."""
    value = activation.application.objects.get(tags.MOBILE_CVM_RESULTS_9F71, b"")
    return (value[0], value[2]) if len(value) == 3 else None


def _verify_cardholder(activation: Activation) -> Verification | Outcome:
    """Cardholder verification; an outcome when the phone has to ask its owner first.

    Below the limit a rule "no CVM required" is taken wherever it stands in the list.
    """
    required = activation.indicators.cvm_required
    has_list = activation.application.aip_has(1, CARDHOLDER_VERIFICATION)
    phone = activation.application.aip_has(2, _MOBILE)
    if not required and phone and _mobile_cvm(activation) == (_PERFORMED, _FAILED):
        return see_phone(activation, "the phone could not verify its owner")
    if not has_list:
        return _unable(activation, 0) if required else _nothing()
    value = activation.application.objects.get(tags.CVM_LIST_8E, b"")
    if len(value) in {0, 8}:
        # A list without a rule is as good as no list (EMV Book 3, 10.5).
        return Verification(bytes.fromhex("3F0000"), Cvm.NONE, icc_data_missing=True)
    listed = parse_cvm_list(value)
    if not required:
        supported = activation.terminal[tags.CAPABILITIES_9F33][1]
        for rule in listed.rules:
            if rule.method == NO_CVM and is_satisfied(activation, listed, rule, supported):
                return Verification(bytes((rule.code, rule.condition, 0x02)), Cvm.NONE)
    return _apply(activation, listed)


def _nothing() -> Verification:
    return Verification(bytes.fromhex("3F0000"), Cvm.NONE)


def _unable(
    activation: Activation, tvr: int, results: bytes = NOT_PERFORMED
) -> Verification | Outcome:
    """Verification failed: to the contact reader where there is one, else into the TVR."""
    if activation.terminal[tags.CAPABILITIES_9F33][0] & _CONTACTS:
        reason = "no cardholder verification that both sides have"
        return ending(activation, Decision.TRY_ANOTHER_INTERFACE, reason, MessageId.INSERT_CARD)
    return Verification(results, Cvm.NONE, tvr | UNSUCCESSFUL)


def _apply(activation: Activation, listed: CvmList) -> Verification | Outcome:
    """The first rule whose condition holds and whose method both sides have (Book 3, 10.5)."""
    supported = activation.terminal[tags.CAPABILITIES_9F33][1]
    tvr, results = 0, NOT_PERFORMED
    for rule in listed.rules:
        if not _holds(activation, listed, rule, supported):
            continue
        known = METHODS.get(rule.method)
        if known is not None and supported & known[0]:
            _, result, cvm = known
            entered = ONLINE_PIN_ENTERED if rule.method == ONLINE_PIN else 0
            done = bytes((rule.code, rule.condition, result))
            return Verification(done, cvm, tvr | entered)
        if rule.method == _MOBILE_CVM and _reader_has_mobile_cvm(activation):
            ended = _mobile_cvm(activation)
            if ended == (_PERFORMED, _SUCCESSFUL):
                done = bytes((rule.code, rule.condition, 0x02))
                return Verification(done, Cvm.CONFIRMATION_CODE, tvr)
            if ended is not None and ended[1] != _BLOCKED and not activation.request.restarted:
                return see_phone(activation, "the phone has not verified its owner yet")
        elif known is None and rule.method != FAIL and rule.method not in OFFLINE_PINS:
            tvr |= UNRECOGNISED
        if not rule.code & APPLY_NEXT:
            if rule.method == FAIL:
                results = bytes((rule.code, rule.condition, 0x01))
            break
    return _unable(activation, tvr, results)


def _holds(activation: Activation, listed: CvmList, rule: CvmRule, supported: int) -> bool:
    """Whether a rule's condition holds; "if supported" asks 9F6E about the phone's own CVM."""
    if (rule.method, rule.condition) == (_MOBILE_CVM, IF_SUPPORTED):
        return _reader_has_mobile_cvm(activation)
    return is_satisfied(activation, listed, rule, supported)


def _reader_has_mobile_cvm(activation: Activation) -> bool:
    return bool(activation.terminal[tags.ENHANCED_CAPABILITIES_9F6E][1] & _MOBILE_CVM_BY_READER)


def _finish(
    state: generate_ac.Run, requested: int, verification: Verification
) -> Dialogue[Outcome]:
    """GENERATE AC and the outcome by cryptogram; a signature that fails is a decline."""
    activation, card = state.activation, state.card
    response = yield from generate_ac.generate(state, requested)
    if not response.ok:
        phone = activation.application.aip_has(2, _MOBILE)
        if response.sw == 0x6984 and phone and not activation.request.restarted:
            return see_phone(activation, "the phone wants its owner's attention")
        raise CardError(f"GENERATE AC was answered with {response.sw:04X}.")
    try:
        made = generate_ac.take_cryptogram(state, requested, response)
    except AuthenticationFailed as failed:
        return declined(activation, failed.message, card)
    if made == ARQC:
        return online(activation, "the card asks for online authorisation", card, verification.cvm)
    if made == TC:
        return approved(activation, "approved offline", card, verification.cvm)
    reason = "the card declined offline"
    elsewhere = activation.terminal[tags.ENHANCED_CAPABILITIES_9F6E][0] & _TRY_ANOTHER_INTERFACE
    if elsewhere and activation.terminal[tags.CAPABILITIES_9F33][0] & _CONTACTS:
        return ending(activation, Decision.TRY_ANOTHER_INTERFACE, reason, MessageId.INSERT_CARD)
    return declined(activation, reason, card)
