"""Kernel 3: Visa qVSDC (EMV Contactless Book C-3).

Rules of this file: one generator, ``run``, and the decisions it makes as small functions. The
book is followed as Daniel Hu's kernel 3 and proxmark3 read it. What a card says of its own
cardholder verification counts only where C-3 lets it: unsigned qualifiers are a known attack.
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
    card = account(activation)
    if kind == ARQC:
        return _online_requested(activation, card)
    return _offline_approved(activation, card)


def _cryptogram(activation: Activation) -> int:
    """Which cryptogram the card made: 9F27, or bits 6 and 5 of byte 5 of 9F10 where it is absent.

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
        return declined(activation, "no cardholder verification that both sides have", card)
    return online(activation, "the card asks for online authorisation", card, cvm)


def _offline_approved(activation: Activation, card: CardData) -> Outcome:
    objects, today = activation.application.objects, activation.terminal[tags.DATE_9A]
    if activation.indicators.online_cryptogram_required:
        return declined(activation, "the card approved offline against the request", card)
    cvm = _cardholder_verification(activation, TC)
    if cvm is None:
        return declined(activation, "no cardholder verification that both sides have", card)
    if is_not_yet_effective(objects, today):
        return declined(activation, "the application is not yet effective", card)
    if is_expired(objects, today):
        if _qualifier(activation, _ONLINE_IF_EXPIRED) and activation.indicators.online_capable:
            return online(activation, "the application has expired", card, cvm)
        return declined(activation, "the application has expired", card)
    try:
        _verify_fast_dda(activation, card)
    except AuthenticationFailed as failed:
        return _oda_failed(activation, card, cvm, failed.message)
    return approved(activation, "approved offline with fast DDA", card, cvm)


def _oda_failed(activation: Activation, card: CardData, cvm: Cvm, reason: str) -> Outcome:
    """What the card wants done when its authentication fails (C-3, CTQ byte 1, bits 6 and 5)."""
    if _qualifier(activation, _ONLINE_IF_ODA_FAILS) and activation.indicators.online_capable:
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
    """The verification both sides agree on (C-3, 5.7); None when there is none."""
    if not activation.indicators.cvm_required:
        return Cvm.NONE
    ttq, card = activation.indicators.ttq, _qualifiers(activation)
    signature = Cvm.SIGNATURE if ttq[0] & _SIGNATURE else None
    if card is None:
        return signature
    if card[0] & _ONLINE_PIN_REQUIRED and ttq[0] & _ONLINE_PIN:
        return Cvm.ONLINE_PIN
    if card[1] & _VERIFIED_ON_DEVICE and ttq[2] & _ON_DEVICE:
        return _confirmed_on_device(activation, card, kind)
    if card[0] & _SIGNATURE_REQUIRED:
        return signature
    return None


def _confirmed_on_device(activation: Activation, qualifiers: bytes, kind: int) -> Cvm | None:
    """Bytes 6 and 7 of 9F69 must repeat the qualifiers; without 9F69 only an ARQC will do."""
    related = activation.application.objects.get(tags.CARD_AUTHENTICATION_DATA_9F69)
    confirmed = kind == ARQC if related is None else related[5:7] == qualifiers
    return Cvm.CONFIRMATION_CODE if confirmed else None


def _verify_fast_dda(activation: Activation, card: CardData) -> None:
    """Fast DDA, version 01: the card signs 9F37 || 9F02 || 5F2A || 9F69 (C-3, Annex C).

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
