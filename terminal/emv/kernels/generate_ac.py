"""What the kernels with a GENERATE AC of their own share: 2, 4 and 5.

Rules of this file: steps of EMV Book 3, 10 and of Book 2, 6.6, without a scheme's own rules. The
terminal verification results are a number while they grow and become tag 95 in ``decide``.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.card import CardData
from terminal.emv import dol, oda, tags
from terminal.emv.apdu import Command, Dialogue, Response
from terminal.emv.kernels.activation import (
    AAC,
    ARQC,
    TC,
    Activation,
    card_key,
    issuer_key,
    signed_static_data,
)
from terminal.emv.kernels.cvm_list import Verification
from terminal.emv.risk_management import (
    EXCEPTION_FILE,
    FLOOR_LIMIT_EXCEEDED,
    SELECTED_AT_RANDOM,
)
from terminal.emv.settings import TYPES_OFFLINE_ONLY, TYPES_ONLINE_ONLY
from terminal.emv.tlv import decode, split
from terminal.errors import AuthenticationFailed, CardError

_SDA_BY_CARD = 0x40  # AIP byte 1
_CDA_BY_CARD = 0x01  # AIP byte 1
_SDA_BY_TERMINAL = 0x80  # 9F33 byte 3
_CDA_BY_TERMINAL = 0x08  # 9F33 byte 3
_CDA_REQUESTED = 0x10  # GENERATE AC, P1
_ALLOWED = {AAC: {AAC}, ARQC: {AAC, ARQC}, TC: {AAC, ARQC, TC}}

# Terminal verification results (95) as a number of five bytes (EMV Book 3, Annex C5).
ODA_NOT_PERFORMED = 0x80_00_00_00_00
SDA_FAILED = 0x40_00_00_00_00
ICC_DATA_MISSING = 0x20_00_00_00_00
CDA_FAILED = 0x04_00_00_00_00
SDA_SELECTED = 0x02_00_00_00_00

_ISSUER_PARTS = (tags.CA_KEY_INDEX_8F, tags.ISSUER_CERTIFICATE_90, tags.ISSUER_EXPONENT_9F32)
_CARD_PARTS = (tags.ICC_CERTIFICATE_9F46, tags.ICC_EXPONENT_9F47)


@dataclass(slots=True)
class Run:
    """What changes while a kernel runs: the TVR as a number, and the key once CDA is possible."""

    activation: Activation
    card: CardData
    tvr: int = 0
    key: oda.RsaPublicKey | None = None
    cdol_data: bytes = b""


def announce_authentication(activation: Activation) -> None:
    """Takes CDA out of 9F33 where no CA key of the card's scheme is loaded.

    A terminal without keys that claimed CDA would turn each card into a failed authentication.
    """
    rid = activation.application.df_name[:5]
    if not any(key.rid == rid for key in activation.settings.ca_keys.keys):
        first, second, security = activation.terminal[tags.CAPABILITIES_9F33]
        without = security & ~(_CDA_BY_TERMINAL | _SDA_BY_TERMINAL)
        activation.terminal[tags.CAPABILITIES_9F33] = bytes((first, second, without))


def prepare_authentication(run: Run, *, needs_tag_list: bool = False) -> None:
    """Opens the certificate chain before the cryptogram, so that its failure is in the TVR.

    CDA where both sides have it; SDA otherwise, which nothing protects against a copied card and
    which the terminal's capabilities therefore leave out unless the settings say so (Book 3,
    10.3). ``needs_tag_list`` makes 9F4A mandatory, as kernel 2 does.

    Raises:
        CardError: the certificates' parts have lengths that they cannot have.
    """
    activation = run.activation
    security = activation.terminal[tags.CAPABILITIES_9F33][2]
    if activation.application.aip_has(1, _CDA_BY_CARD) and security & _CDA_BY_TERMINAL:
        wanted = (tags.STATIC_DATA_TAGS_9F4A,) if needs_tag_list else ()
        if _lacks(activation, (*_ISSUER_PARTS, *_CARD_PARTS, *wanted)):
            run.tvr |= ICC_DATA_MISSING | CDA_FAILED
            return
        try:
            run.key = card_key(activation, run.card)
        except AuthenticationFailed:
            run.tvr |= CDA_FAILED
    elif activation.application.aip_has(1, _SDA_BY_CARD) and security & _SDA_BY_TERMINAL:
        _authenticate_static_data(run)
    else:
        run.tvr |= ODA_NOT_PERFORMED


def _lacks(activation: Activation, wanted: tuple[int, ...]) -> bool:
    return not all(activation.application.objects.get(tag) for tag in wanted)


def _authenticate_static_data(run: Run) -> None:
    """SDA (EMV Book 2, 5.4): the same bytes for ever, which a copy of the card has too."""
    activation = run.activation
    run.tvr |= SDA_SELECTED
    if _lacks(activation, (*_ISSUER_PARTS, tags.SIGNED_STATIC_DATA_93)):
        run.tvr |= ICC_DATA_MISSING | SDA_FAILED
        return
    try:
        key = issuer_key(activation, run.card)
        signed = signed_static_data(activation)
        oda.verify_static(key, activation.application.objects[tags.SIGNED_STATIC_DATA_93], signed)
    except AuthenticationFailed:
        run.tvr |= SDA_FAILED


def risk_management(activation: Activation, card: CardData) -> int:
    """Exception file, floor limit and random selection, in the order of Book 3, 10.6."""
    settings, request = activation.settings, activation.request
    selection = activation.combination.random_selection
    tvr = 0
    if settings.exception_file is not None and settings.exception_file(card.pan, card.sequence):
        tvr |= EXCEPTION_FILE
    if activation.indicators.floor_limit_exceeded or activation.indicators.status_check:
        return tvr | FLOOR_LIMIT_EXCEEDED
    floor = activation.combination.floor_limit_minor
    if selection is None or floor is None or request.random_percent is None:
        return tvr
    picked = selection.picks(request.amount.minor, floor, request.random_percent)
    return tvr | (SELECTED_AT_RANDOM if picked else 0)


def decide(run: Run, verification: Verification) -> int:
    """Writes TVR and CVM results down and analyses them; the cryptogram to ask for.

    Stricter than Book 3, 10.7: an offline approval needs a card whose signature can be verified.
    SDA is none, since a copy of the card has it too.
    """
    run.tvr |= verification.tvr_byte_3 << 16
    if verification.icc_data_missing:
        run.tvr |= ICC_DATA_MISSING
    run.activation.terminal[tags.CVM_RESULTS_9F34] = verification.results
    run.activation.terminal[tags.TVR_95] = run.tvr.to_bytes(5, "big")
    requested = action_analysis(run.activation)
    if requested == TC and run.key is None and not run.activation.combination.offline_without_cda:
        # Nothing would prove an offline approval, whatever the action codes say.
        kind = run.activation.terminal[tags.TERMINAL_TYPE_9F35][0]
        requested = AAC if kind in TYPES_OFFLINE_ONLY else ARQC
    return requested


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


def generate(run: Run, requested: int) -> Dialogue[Response]:
    """Sends GENERATE AC with the CDOL1 filled in (Book 3, 6.5.5); the raw answer.

    Raises:
        CardError: the CDOL1 is missing or cannot be filled.
    """
    objects = run.activation.application.objects
    entries = dol.parse(objects.need(tags.CDOL1_8C))
    run.cdol_data = dol.fill(entries, run.activation.terminal)
    combined = run.key is not None and requested != AAC
    p1 = requested | (_CDA_REQUESTED if combined else 0)
    return (yield Command(0x80, 0xAE, p1, 0x00, run.cdol_data))


def take_cryptogram(run: Run, requested: int, response: Response, *, relay: bytes = b"") -> int:
    """Takes the answer to GENERATE AC in and verifies its signature; the cryptogram made.

    ``relay`` is what a relay resistance exchange adds to the signed data (Book C-2).

    Raises:
        CardError: the answer is malformed, or its cryptogram is better than the one asked for.
        AuthenticationFailed: the signature that was asked for is missing or does not hold.
    """
    activation, objects = run.activation, run.activation.application.objects
    answer = _read_answer(activation, response)
    made = objects.need(tags.CRYPTOGRAM_INFORMATION_9F27)[0] & 0xC0
    if made not in _ALLOWED[requested]:
        raise CardError("The card made another cryptogram than it was asked for.")
    if run.key is not None and AAC not in {requested, made}:
        _verify_combined(run, answer, relay)
    objects.need(tags.CRYPTOGRAM_9F26)
    return made


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
        signed = without_signature(value)
    else:
        raise CardError("The answer to GENERATE AC is neither format 1 nor 2.")
    objects.need(tags.ATC_9F36)
    if len(objects.need(tags.CRYPTOGRAM_INFORMATION_9F27)) != 1:
        raise CardError("The cryptogram information data (9F27) is not one byte.")
    return signed


def without_signature(value: bytes) -> bytes:
    """The objects in ``value`` as sent, without 9F4B: what CDA hashes (Book 2, 6.6.2).

    Raises:
        CardError: the objects cannot be read.
    """
    return b"".join(raw for tag, raw in split(value) if tag != tags.SIGNED_DYNAMIC_DATA_9F4B)


def _verify_combined(run: Run, answer: bytes, relay: bytes) -> None:
    """CDA over PDOL data, CDOL1 data and the answer; takes the cryptogram out of the signature.

    Raises:
        AuthenticationFailed: the signature is missing, does not hold, or states another type.
        CardError: the card also gave a cryptogram in the clear, and another one.
    """
    application, terminal = run.activation.application, run.activation.terminal
    signature = application.objects.get(tags.SIGNED_DYNAMIC_DATA_9F4B)
    if signature is None or run.key is None:
        raise AuthenticationFailed("the card did not sign its cryptogram")
    combined = oda.verify_combined(
        run.key,
        signature,
        unpredictable_number=terminal[tags.UNPREDICTABLE_NUMBER_9F37],
        transaction_data=application.pdol_data + run.cdol_data + answer,
    )
    information = application.objects[tags.CRYPTOGRAM_INFORMATION_9F27][0]
    if combined.cryptogram_information != information:
        raise AuthenticationFailed("the card signed another kind of cryptogram")
    if relay and combined.further[: len(relay)] != relay:
        raise AuthenticationFailed("the card signed another relay resistance exchange")
    application.objects.put(tags.CRYPTOGRAM_9F26, combined.cryptogram)
