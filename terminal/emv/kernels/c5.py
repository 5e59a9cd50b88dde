"""Kernel 5: JCB J/Speedy, EMV mode (EMV Contactless Book C-5).

Rules of this file: the book was not at hand; section numbers are those that a published kernel 5
(a reader's C firmware) gives. The card chooses the cardholder verification and says so in 9F50,
inside its signature. Mag-stripe mode, legacy mode (a card whose PDOL does not ask for 9F52) and
the ECHO command of the torn transaction recovery are not there.
"""

from __future__ import annotations

from terminal.emv import dol, tags
from terminal.emv.apdu import Dialogue
from terminal.emv.application import (
    get_processing_options,
    read_records,
    take_processing_options,
)
from terminal.emv.kernels import generate_ac
from terminal.emv.kernels.activation import (
    AAC,
    ARQC,
    Activation,
    account,
    approved,
    declined,
    ending,
    online,
    refused_options,
)
from terminal.emv.kernels.cvm_list import Verification
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome
from terminal.emv.restrictions import processing_restrictions
from terminal.errors import AuthenticationFailed

_EMV_MODE = 0x80  # AIP byte 2
# Terminal interchange profile (9F53), byte 1.
_CVM_REQUIRED = 0x80
_SIGNATURE = 0x40
_ONLINE_PIN = 0x20
_ON_DEVICE = 0x10

# Cardholder verification status (9F50): bit of 9F53, 9F34, and the outcome's CVM (5.8.3.3).
_STATUS = {
    0x1: (_SIGNATURE, bytes.fromhex("1E0000"), Cvm.SIGNATURE),
    0x2: (_ONLINE_PIN, bytes.fromhex("020000"), Cvm.ONLINE_PIN),
    0x3: (_ON_DEVICE, bytes.fromhex("010002"), Cvm.CONFIRMATION_CODE),
}
_UNKNOWN = Verification(bytes(3), Cvm.NONE)


def run(activation: Activation) -> Dialogue[Outcome]:
    """Runs the kernel on the selected application.

    Raises:
        CardError: the card broke the rules.
        CardLost: the card left, when that is thrown in.
    """
    application = activation.application
    pdol = dol.parse(application.objects.get(tags.PDOL_9F38, b""))
    if not any(entry.tag == tags.COMPATIBILITY_9F52 for entry in pdol):
        return _select_next(activation, "the card has the legacy mode only")  # 5.2.1.9
    _state_profile(activation)
    response = yield from get_processing_options(application, activation.terminal)
    if not response.ok:
        return refused_options(activation, response.sw)
    take_processing_options(application, response.data)
    if not application.aip_has(2, _EMV_MODE):
        return _select_next(activation, "the card offers mag-stripe mode only")
    yield from read_records(application, application.afl)
    for tag in (tags.PAN_5A, tags.EXPIRY_5F24, tags.CDOL1_8C):
        application.objects.need(tag)
    state = generate_ac.Run(activation, account(activation))
    generate_ac.prepare_authentication(state)
    state.tvr |= generate_ac.risk_management(activation, state.card)  # 5.5
    state.tvr |= processing_restrictions(application.objects, activation.terminal) << 24  # 5.6
    requested = generate_ac.decide(state, _UNKNOWN)  # 5.7
    return (yield from _finish(state, requested))


def _select_next(activation: Activation, reason: str) -> Outcome:
    return ending(activation, Decision.SELECT_NEXT, reason, MessageId.CLEAR_DISPLAY)


def _state_profile(activation: Activation) -> None:
    """EMV mode alone in 9F52; in 9F53 whether this amount needs verification (5.2.1.7, 5.5.2).

    The published kernel sets the latter behind GET PROCESSING OPTIONS, where a card that asks
    for it in its PDOL no longer sees it; both of its lists get the same value here.
    """
    generate_ac.announce_authentication(activation)
    terminal = activation.terminal
    profile = bytearray(terminal[tags.INTERCHANGE_PROFILE_9F53])
    profile[0] &= ~_CVM_REQUIRED
    if activation.indicators.cvm_required:
        profile[0] |= _CVM_REQUIRED
    terminal[tags.INTERCHANGE_PROFILE_9F53] = bytes(profile)
    terminal[tags.COMPATIBILITY_9F52] = b"\x02"


def _finish(state: generate_ac.Run, requested: int) -> Dialogue[Outcome]:
    """GENERATE AC, its signature, the verification that the card chose, the outcome (5.8)."""
    activation, card = state.activation, state.card
    response = yield from generate_ac.generate(state, requested)
    if not response.ok:
        # 6984, 6985 and 6986 mean here what they mean to GET PROCESSING OPTIONS (5.8.1.5).
        return refused_options(activation, response.sw, "GENERATE AC")
    try:
        made = generate_ac.take_cryptogram(state, requested, response)
    except AuthenticationFailed as failed:
        return declined(activation, failed.message, card)  # 5.8.2
    if made == AAC:
        return declined(activation, "the card declined offline", card)
    verification = _verification(activation)
    if verification is None:
        return declined(activation, "no cardholder verification that both sides have", card)
    activation.terminal[tags.CVM_RESULTS_9F34] = verification.results
    if made == ARQC:
        return online(activation, "the card asks for online authorisation", card, verification.cvm)
    return approved(activation, "approved offline", card, verification.cvm)


def _verification(activation: Activation) -> Verification | None:
    """The verification that the card chose, where the reader has it (5.8.3); None to decline.

    A card without 9F50 leaves the choice to the reader, and one that asks for none cannot have
    its way over the limit.
    """
    profile = activation.terminal[tags.INTERCHANGE_PROFILE_9F53][0]
    status = activation.application.objects.get(tags.CARDHOLDER_VERIFICATION_9F50)
    required = activation.indicators.cvm_required
    if status is None and required:
        status = b"\x10"
    if not status or status[0] == 0:
        return None if required else Verification(bytes.fromhex("1F0002"), Cvm.NONE)
    known = _STATUS.get(status[0] >> 4)
    if known is None or not profile & known[0]:
        return None
    _, results, cvm = known
    return Verification(results, cvm)
