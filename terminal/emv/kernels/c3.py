"""Kernel 3: Visa qVSDC (EMV Contactless Book C-3).

Rules of this file: one generator, ``run``, and the decisions it makes as small functions. Section
numbers are those that Daniel Hu's open kernel 3 gives; where that kernel and this one differ, the
comment says so. What a card says of its own cardholder verification counts only where C-3 lets
it: unsigned qualifiers are a known attack.
"""

from __future__ import annotations

from terminal.card import CardData
from terminal.emv import oda, tags
from terminal.emv.apdu import Dialogue
from terminal.emv.application import (
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
    ending,
    online,
    refused_options,
)
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome
from terminal.emv.restrictions import is_expired, is_not_yet_effective
from terminal.errors import AuthenticationFailed, CardError

# Card transaction qualifiers (9F6C), byte 1.
_ONLINE_PIN_REQUIRED = 0x80
_SIGNATURE_REQUIRED = 0x40
_ONLINE_IF_ODA_FAILS = 0x20
_SWITCH_IF_ODA_FAILS = 0x10
_ONLINE_IF_EXPIRED = 0x08
# Byte 2.
_VERIFIED_ON_DEVICE = 0x80

# Terminal transaction qualifiers (9F66), byte 1 and byte 3.
_CONTACT_CHIP = 0x10
_ONLINE_PIN = 0x04
_SIGNATURE = 0x02
_ON_DEVICE = 0x40

_FAST_DDA_FORMATS = frozenset({0x05, 0x95})
_DDA_SUPPORTED = 0x20


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
    kind = _cryptogram(activation)
    if kind == AAC:
        return declined(activation, "the card declined offline", _account_if_any(activation))
    yield from read_records(application, application.afl)
    application.objects.need(tags.TRACK_2_57)
    card = account(activation)
    if kind == ARQC:
        return _online_requested(activation, card)
    return _offline_approved(activation, card)


def _cryptogram(activation: Activation) -> int:
    """Which cryptogram the card made: 9F27, or bits 6 and 5 of byte 5 of 9F10 (C-3, 5.4.3.1).

    Raises:
        CardError: the cryptogram, its counter, the issuer's data or the type is missing.
    """
    objects = activation.application.objects
    objects.need(tags.CRYPTOGRAM_9F26)
    objects.need(tags.ATC_9F36)
    issuer_data = objects.need(tags.ISSUER_APPLICATION_DATA_9F10)
    information = objects.get(tags.CRYPTOGRAM_INFORMATION_9F27)
    if information is None:
        if len(issuer_data) < 5:
            raise CardError("The card does not say which cryptogram it made.")
        information = bytes(((issuer_data[4] & 0x30) << 2,))
        objects.put(tags.CRYPTOGRAM_INFORMATION_9F27, information)
    if len(information) != 1 or information[0] & 0xC0 == 0xC0:
        raise CardError("The card made a cryptogram of a kind that does not exist.")
    return information[0] & 0xC0


def _account_if_any(activation: Activation) -> CardData | None:
    try:
        return account(activation)
    except CardError:
        # A card that declines need not say who it is, and nothing will be charged.
        return None


def _online_requested(activation: Activation, card: CardData) -> Outcome:
    cvm = _cardholder_verification(activation, ARQC)
    if cvm is None:
        return _not_verified(activation, card)
    return online(activation, "the card asks for online authorisation", card, cvm)


def _not_verified(activation: Activation, card: CardData) -> Outcome:
    return declined(activation, "no cardholder verification that both sides have", card)


def _offline_approved(activation: Activation, card: CardData) -> Outcome:
    """What the reader makes of a transaction certificate (C-3, 5.4.3.2 to 5.7)."""
    cvm = _cardholder_verification(activation, TC)
    if is_not_yet_effective(activation.application.objects, activation.terminal[tags.DATE_9A]):
        return declined(activation, "the application is not yet effective", card)
    go_online = ""
    if activation.indicators.online_cryptogram_required:
        go_online = "the card approved offline, and an online cryptogram was required"
    elif cvm is Cvm.ONLINE_PIN:
        go_online = "the card asks for an online PIN"
    if _expired(activation):
        # C-3 names the qualifier alone; a reader that cannot go online has to decline (5.5.1.1).
        if not _qualifier(activation, _ONLINE_IF_EXPIRED) or not _online_capable(activation):
            return declined(activation, "the application has expired", card)
        go_online = go_online or "the application has expired"
    if cvm is None:
        return _not_verified(activation, card)
    if go_online:
        return online(activation, go_online, card, cvm)
    try:
        _verify_fast_dda(activation, card)
    except AuthenticationFailed as failed:
        return _oda_failed(activation, card, cvm, failed.message)
    return approved(activation, "approved offline with fast DDA", card, cvm)


def _online_capable(activation: Activation) -> bool:
    return activation.indicators.online_capable


def _expired(activation: Activation) -> bool:
    """Whether the application has expired; one without a date has (C-3, 5.5.1.1)."""
    objects = activation.application.objects
    return tags.EXPIRY_5F24 not in objects or is_expired(objects, activation.terminal[tags.DATE_9A])


def _oda_failed(activation: Activation, card: CardData, cvm: Cvm, reason: str) -> Outcome:
    """What the card wants done when its authentication fails (C-3, 5.6.1.2)."""
    if _qualifier(activation, _ONLINE_IF_ODA_FAILS) and _online_capable(activation):
        return online(activation, reason, card, cvm)
    chip = activation.indicators.ttq[0] & _CONTACT_CHIP
    if _qualifier(activation, _SWITCH_IF_ODA_FAILS) and chip:
        return ending(activation, Decision.TRY_ANOTHER_INTERFACE, reason, MessageId.INSERT_CARD)
    return declined(activation, reason, card)


def _qualifiers(activation: Activation) -> bytes | None:
    value = activation.application.objects.get(tags.CTQ_9F6C)
    if value is not None and len(value) != 2:
        raise CardError("The card transaction qualifiers (9F6C) do not have two bytes.")
    return value


def _qualifier(activation: Activation, mask: int) -> bool:
    value = _qualifiers(activation)
    return value is not None and bool(value[0] & mask)


def _cardholder_verification(activation: Activation, kind: int) -> Cvm | None:
    """The verification both sides agree on; None when one is required and there is none.

    A card may ask for verification below the reader's limit; then a reader that cannot do it
    goes on without (C-3, 5.7.1.1 to 5.7.1.3).
    """
    required, card = activation.indicators.cvm_required, _qualifiers(activation)
    otherwise = None if required else Cvm.NONE
    if card is None:
        return _without_qualifiers(activation) if required else Cvm.NONE
    ttq = activation.indicators.ttq
    if card[0] & _ONLINE_PIN_REQUIRED and ttq[0] & _ONLINE_PIN:
        return Cvm.ONLINE_PIN
    if card[1] & _VERIFIED_ON_DEVICE and ttq[2] & _ON_DEVICE:
        return _confirmed_on_device(activation, card, kind)
    if card[0] & _SIGNATURE_REQUIRED and ttq[0] & _SIGNATURE:
        return Cvm.SIGNATURE
    return otherwise


def _without_qualifiers(activation: Activation) -> Cvm | None:
    """The reader's own choice when the card states no qualifiers (C-3, 5.7.1.1)."""
    ttq = activation.indicators.ttq
    if ttq[0] & _SIGNATURE:
        return Cvm.SIGNATURE
    return Cvm.ONLINE_PIN if ttq[0] & _ONLINE_PIN and ttq[2] & _ON_DEVICE else None


def _confirmed_on_device(activation: Activation, qualifiers: bytes, kind: int) -> Cvm | None:
    """Bytes 6 and 7 of 9F69 must repeat the qualifiers; without 9F69 only an ARQC will do."""
    related = activation.application.objects.get(tags.CARD_AUTHENTICATION_DATA_9F69)
    confirmed = kind == ARQC if related is None else related[5:7] == qualifiers
    return Cvm.CONFIRMATION_CODE if confirmed else None


def _verify_fast_dda(activation: Activation, card: CardData) -> None:
    """Fast DDA, version 01: the card signs 9F37 || 9F02 || 5F2A || 9F69.

    Raises:
        AuthenticationFailed: a part is missing, or the chain or the signature does not hold.
    """
    application, terminal = activation.application, activation.terminal
    signature = application.objects.get(tags.SIGNED_DYNAMIC_DATA_9F4B)
    related = application.objects.get(tags.CARD_AUTHENTICATION_DATA_9F69)
    if not application.aip_has(1, _DDA_SUPPORTED):
        raise AuthenticationFailed("the card does not support fast DDA")
    if signature is None:
        raise AuthenticationFailed("the card gave no signature")
    if not related or related[0] != 0x01:
        raise AuthenticationFailed("the card's fast DDA is not of version 01")
    oda.verify_dynamic(
        card_key(activation, card),
        signature,
        terminal[tags.UNPREDICTABLE_NUMBER_9F37]
        + terminal[tags.AMOUNT_9F02]
        + terminal[tags.CURRENCY_5F2A]
        + related,
        formats=_FAST_DDA_FORMATS,
    )
