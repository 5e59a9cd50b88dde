"""Kernel 2: Mastercard and Maestro, EMV mode (EMV Contactless Book C-2).

Rules of this file: one generator, ``run``, and the decisions it makes as small functions. Step
numbers (S910.71, GAC.22) are those that Daniel Hu's open kernel 2 gives; where that kernel and
this one differ, the comment says so. Mag-stripe mode is refused: it is the downgrade that
attacks want.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.card import CardData
from terminal.emv import dol, oda, tags
from terminal.emv.apdu import Command, Dialogue, Response
from terminal.emv.application import (
    AflEntry,
    get_processing_options,
    read_records,
    take_processing_options,
)
from terminal.emv.kernels.activation import (
    AAC,
    ARQC,
    TC,
    Activation,
    account,
    approved,
    card_key,
    declined,
    device,
    ending,
    online,
    refused_options,
    see_phone,
)
from terminal.emv.kernels.cvm_list import Verification, verify_cardholder
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome
from terminal.emv.restrictions import processing_restrictions
from terminal.emv.settings import TYPES_OFFLINE_ONLY, TYPES_ONLINE_ONLY
from terminal.emv.tlv import decode, split
from terminal.errors import AuthenticationFailed, CardError

_CDA_BY_CARD = 0x01  # AIP byte 1
_ON_DEVICE_BY_CARD = 0x02  # AIP byte 1
_EMV_MODE = 0x80  # AIP byte 2
_CONTACTS_BY_TERMINAL = 0x20  # 9F33 byte 1
_CDA_BY_TERMINAL = 0x08  # 9F33 byte 3
_CDA_REQUESTED = 0x10  # GENERATE AC, P1
_MAG_STRIPE_RECORD = AflEntry(1, 1, 1, 0)
_ALLOWED = {AAC: {AAC}, ARQC: {AAC, ARQC}, TC: {AAC, ARQC, TC}}
_INTERACTION_DF4B = 0xDF4B
_INTERACTION_MASK = 0x00030F

# Terminal verification results (95), as (byte, bit).
_ODA_NOT_PERFORMED = 0x80_00_00_00_00
_ICC_DATA_MISSING = 0x20_00_00_00_00
_CDA_FAILED = 0x04_00_00_00_00
_FLOOR_LIMIT_EXCEEDED = 0x80_00
_RELAY_RESISTANCE_NOT_PERFORMED = 0x01


@dataclass(slots=True)
class _Run:
    """What changes while the kernel runs: the TVR as a number, and whether CDA is asked for."""

    activation: Activation
    card: CardData
    tvr: int = 0
    key: oda.RsaPublicKey | None = None


def run(activation: Activation) -> Dialogue[Outcome]:
    """Runs the kernel on the selected application.

    Raises:
        CardError: the card broke the rules.
        CardLost: the card left, when that is thrown in.
    """
    application = activation.application
    response = yield from get_processing_options(application, activation.terminal)
    if not response.ok:
        return refused_options(activation, response.sw)
    take_processing_options(application, response.data)
    if not application.aip_has(2, _EMV_MODE):
        return ending(
            activation,
            Decision.TRY_ANOTHER_INTERFACE,
            "the card offers mag-stripe mode only",
            MessageId.INSERT_OR_SWIPE,
        )
    if _over_limit(activation):
        return ending(
            activation,
            Decision.SELECT_NEXT,
            "the amount is over the contactless limit",
            MessageId.INSERT_OR_SWIPE,
        )
    yield from read_records(application, _emv_records(application.afl))
    for tag in (tags.PAN_5A, tags.EXPIRY_5F24, tags.CDOL1_8C):
        application.objects.need(tag)
    state = _Run(activation, account(activation))
    return (yield from _authorise(state))


def _emv_records(afl: tuple[AflEntry, ...]) -> tuple[AflEntry, ...]:
    """The records of EMV mode: a first entry 08010100 is the mag-stripe record and not read."""
    return afl[1:] if afl[:1] == (_MAG_STRIPE_RECORD,) else afl


def _on_device(activation: Activation) -> bool:
    return activation.application.aip_has(1, _ON_DEVICE_BY_CARD)


def _over_limit(activation: Activation) -> bool:
    combination = activation.combination
    limit = (
        combination.on_device_limit_minor
        if _on_device(activation)
        else combination.contactless_limit_minor
    )
    return limit is not None and activation.request.amount.minor > limit


def _authorise(state: _Run) -> Dialogue[Outcome]:
    """Restrictions, authentication data, verification, action analysis, cryptogram, outcome."""
    activation = state.activation
    objects, terminal = activation.application.objects, activation.terminal
    over_cvm_limit = (
        activation.combination.cvm_limit_minor is not None
        and activation.request.amount.minor > activation.combination.cvm_limit_minor
    )
    _set_capabilities(activation, over_cvm_limit=over_cvm_limit)
    if activation.combination.relay_resistance_in_tvr:
        state.tvr |= _RELAY_RESISTANCE_NOT_PERFORMED
    _prepare_authentication(state)
    state.tvr |= processing_restrictions(objects, terminal) << 24
    verification = verify_cardholder(
        activation, on_device=_on_device(activation), required=over_cvm_limit
    )
    state.tvr |= verification.tvr_byte_3 << 16
    if verification.icc_data_missing:
        state.tvr |= _ICC_DATA_MISSING
    if activation.indicators.floor_limit_exceeded:
        state.tvr |= _FLOOR_LIMIT_EXCEEDED
    terminal[tags.CVM_RESULTS_9F34] = verification.results
    terminal[tags.TVR_95] = state.tvr.to_bytes(5, "big")
    requested = action_analysis(activation)
    if _distrusts_device(state, verification):
        requested = AAC
    return (yield from _generate(state, requested, verification))


def _set_capabilities(activation: Activation, *, over_cvm_limit: bool) -> None:
    """9F33 for this transaction: byte 2 follows the CVM limit (C-2, DF8118 and DF8119).

    CDA is announced only where a CA key of the card's scheme is loaded. A terminal without keys
    that claimed CDA would turn each card into a failed authentication.
    """
    combination, settings = activation.combination, activation.settings
    rid = activation.application.df_name[:5]
    trusted = any(key.rid == rid for key in settings.ca_keys.keys)
    first, _, security = settings.capabilities
    activation.terminal[tags.CAPABILITIES_9F33] = bytes(
        (
            first,
            combination.cvm_capability if over_cvm_limit else combination.no_cvm_capability,
            security if trusted else security & ~_CDA_BY_TERMINAL,
        )
    )


def _prepare_authentication(state: _Run) -> None:
    """Opens the certificate chain before the cryptogram, so that its failure is in the TVR."""
    activation = state.activation
    by_terminal = activation.terminal[tags.CAPABILITIES_9F33][2] & _CDA_BY_TERMINAL
    if not (activation.application.aip_has(1, _CDA_BY_CARD) and by_terminal):
        state.tvr |= _ODA_NOT_PERFORMED
        return
    missing = [
        tag
        for tag in (
            *(tags.CA_KEY_INDEX_8F, tags.ISSUER_CERTIFICATE_90, tags.ISSUER_EXPONENT_9F32),
            *(tags.ICC_CERTIFICATE_9F46, tags.ICC_EXPONENT_9F47, tags.STATIC_DATA_TAGS_9F4A),
        )
        if not activation.application.objects.get(tag)
    ]
    if missing:
        state.tvr |= _ICC_DATA_MISSING | _CDA_FAILED
        return
    try:
        state.key = card_key(activation, state.card)
    except AuthenticationFailed:
        state.tvr |= _CDA_FAILED


def action_analysis(activation: Activation) -> int:
    """Terminal action analysis: the cryptogram to ask for, 0x00, 0x40 or 0x80 (Book 3, 10.7).

    Issuer action codes that the card lacks are all zeros for denial and all ones otherwise.
    """
    objects, codes = activation.application.objects, activation.combination.action_codes
    kind = activation.terminal[tags.TERMINAL_TYPE_9F35][0]

    def hit(own: bytes, tag: int, absent: bytes) -> bool:
        issuer = objects.get(tag, absent).ljust(5, b"\x00")[:5]
        tvr = activation.terminal[tags.TVR_95]
        return any(bit & (a | b) for bit, a, b in zip(tvr, own, issuer, strict=True))

    ones = bytes.fromhex("FFFFFFFFFC")
    if hit(codes.denial, tags.IAC_DENIAL_9F0E, bytes(5)):
        return AAC
    if kind in TYPES_ONLINE_ONLY:
        return ARQC
    if kind in TYPES_OFFLINE_ONLY:
        return AAC if hit(codes.default, tags.IAC_DEFAULT_9F0D, ones) else TC
    return ARQC if hit(codes.online, tags.IAC_ONLINE_9F0F, ones) else TC


def _distrusts_device(state: _Run, verification: Verification) -> bool:
    """Whether a device's word on its holder has to be refused for want of a signature.

    Without CDA anybody in between can claim that the device verified its holder, so GAC.22 asks
    for an AAC. This kernel does so when CDA failed, or when the amount relies on the claim; it
    lets small amounts of a terminal without CA keys go online, where that kernel declines.
    """
    if state.key is not None or not _on_device(state.activation):
        return False
    return bool(state.tvr & _CDA_FAILED) or verification.cvm is Cvm.CONFIRMATION_CODE


def _generate(state: _Run, requested: int, verification: Verification) -> Dialogue[Outcome]:
    """GENERATE AC, its answer checked, and the outcome (C-2, S910)."""
    activation, objects = state.activation, state.activation.application.objects
    combined = state.key is not None and requested != AAC
    cdol = dol.fill(dol.parse(objects[tags.CDOL1_8C]), activation.terminal)
    response = yield Command(
        0x80, 0xAE, requested | (_CDA_REQUESTED if combined else 0), 0x00, cdol
    )
    if not response.ok:
        raise CardError(f"GENERATE AC was answered with {response.sw:04X}.")
    answer = _read_answer(activation, response)
    made = objects.need(tags.CRYPTOGRAM_INFORMATION_9F27)[0] & 0xC0
    if made not in _ALLOWED[requested]:
        raise CardError("The card made another cryptogram than it was asked for.")
    if combined and made != AAC:
        _verify_combined(state, cdol, answer)
    objects.need(tags.CRYPTOGRAM_9F26)
    return _outcome(state, made, verification)


def _read_answer(activation: Activation, response: Response) -> bytes:
    """Takes the answer to GENERATE AC in; returns its objects as sent, without 9F4B.

    Raises:
        CardError: neither format 1 (80) nor format 2 (77), or a mandatory object is missing.
    """
    objects, outer = activation.application.objects, decode(response.data)
    if len(outer) != 1:
        raise CardError("The answer to GENERATE AC is not one template.")
    (template,) = outer
    value, signed = template.value, b""
    if template.tag == tags.RESPONSE_FORMAT_1_80:
        if not 11 <= len(value) <= 43:
            raise CardError("The answer to GENERATE AC has an impossible length.")
        objects.put(tags.CRYPTOGRAM_INFORMATION_9F27, value[:1])
        objects.put(tags.ATC_9F36, value[1:3])
        objects.put(tags.CRYPTOGRAM_9F26, value[3:11])
        objects.put(tags.ISSUER_APPLICATION_DATA_9F10, value[11:])
    elif template.tag == tags.RESPONSE_FORMAT_2_77:
        objects.add(template.children)
        parts = split(value)
        signed = b"".join(raw for tag, raw in parts if tag != tags.SIGNED_DYNAMIC_DATA_9F4B)
    else:
        raise CardError("The answer to GENERATE AC is neither format 1 nor 2.")
    objects.need(tags.ATC_9F36)
    if len(objects.need(tags.CRYPTOGRAM_INFORMATION_9F27)) != 1:
        raise CardError("The cryptogram information data (9F27) is not one byte.")
    return signed


def _verify_combined(state: _Run, cdol: bytes, answer: bytes) -> None:
    """CDA over PDOL data, CDOL1 data and the answer; takes the cryptogram out of the signature.

    Raises:
        AuthenticationFailed: the signature is missing, does not hold, or states another type.
        CardError: the card also gave a cryptogram in the clear, and another one.
    """
    application, terminal = state.activation.application, state.activation.terminal
    signature = application.objects.get(tags.SIGNED_DYNAMIC_DATA_9F4B)
    if signature is None or state.key is None:
        raise AuthenticationFailed("the card did not sign its cryptogram")
    combined = oda.verify_combined(
        state.key,
        signature,
        unpredictable_number=terminal[tags.UNPREDICTABLE_NUMBER_9F37],
        transaction_data=application.pdol_data + cdol + answer,
    )
    information = application.objects[tags.CRYPTOGRAM_INFORMATION_9F27][0]
    if combined.cryptogram_information != information:
        raise AuthenticationFailed("the card signed another kind of cryptogram")
    application.objects.put(tags.CRYPTOGRAM_9F26, combined.cryptogram)


def _outcome(state: _Run, made: int, verification: Verification) -> Outcome:
    """The outcome by cryptogram; a phone's wish for a second tap comes first (S910.71 to 75)."""
    activation, card = state.activation, state.card
    wish = activation.application.objects.get(_INTERACTION_DF4B, b"")
    if int.from_bytes(wish[:3]) & _INTERACTION_MASK:
        return see_phone(activation, "the phone wants its owner's attention")
    if made == ARQC:
        return online(activation, "the card asks for online authorisation", card, verification.cvm)
    if made == TC:
        reason = "approved offline with CDA" if state.key else "approved offline without CDA"
        return approved(activation, reason, card, verification.cvm)
    reason = "the card declined offline"
    contacts = activation.terminal[tags.CAPABILITIES_9F33][0] & _CONTACTS_BY_TERMINAL
    if contacts and device(activation) == "card":
        return ending(activation, Decision.TRY_ANOTHER_INTERFACE, reason, MessageId.INSERT_CARD)
    return declined(activation, reason, card)
