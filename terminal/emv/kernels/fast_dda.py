"""Card transaction qualifiers (9F6C) and fast DDA, as kernels 3 and 7 have them.

Rules of this file: the qualifiers travel in the clear, so a claim in them counts when 9F69, which
the card signs, repeats it. Bits are those of Book C-3, Annex A, and Book C-7, Annex A, as emv-utils
cites both for the one table.
"""

from __future__ import annotations

from terminal.card import CardData
from terminal.emv import oda, tags
from terminal.emv.kernels.activation import ARQC, Activation, card_key
from terminal.emv.kernels.at_once import Wishes
from terminal.errors import AuthenticationFailed, CardError

# Byte 1.
_ONLINE_PIN_REQUIRED = 0x80
_SIGNATURE_REQUIRED = 0x40
_ONLINE_IF_ODA_FAILS = 0x20
_SWITCH_IF_ODA_FAILS = 0x10
_ONLINE_IF_EXPIRED = 0x08
# Byte 2.
_VERIFIED_ON_DEVICE = 0x80

_FORMATS = frozenset({0x05, 0x95})
_DDA_BY_CARD = 0x20  # AIP byte 1


def qualifiers(activation: Activation) -> bytes | None:
    """The card transaction qualifiers as stated, or None.

    Raises:
        CardError: they do not have two bytes.
    """
    value = activation.application.objects.get(tags.CTQ_9F6C)
    if value is not None and len(value) != 2:
        raise CardError("The card transaction qualifiers (9F6C) do not have two bytes.")
    return value


def wishes(activation: Activation) -> Wishes | None:
    """What the card wants, as its qualifiers say.

    Raises:
        CardError: they do not have two bytes.
    """
    value = qualifiers(activation)
    if value is None:
        return None
    return Wishes(
        online_pin=bool(value[0] & _ONLINE_PIN_REQUIRED),
        signature=bool(value[0] & _SIGNATURE_REQUIRED),
        on_device=bool(value[1] & _VERIFIED_ON_DEVICE),
        online_if_unauthenticated=bool(value[0] & _ONLINE_IF_ODA_FAILS),
        switch_if_unauthenticated=bool(value[0] & _SWITCH_IF_ODA_FAILS),
        online_if_expired=bool(value[0] & _ONLINE_IF_EXPIRED),
    )


def confirms_device(activation: Activation, card: CardData, kind: int) -> bool:
    """Whether the claim that the device verified its holder may be believed.

    Bytes 6 and 7 of 9F69 must repeat the qualifiers; without 9F69 only an ARQC will do, since
    the issuer then decides (C-3, 5.7.1.2). Beyond C-3: a signature that comes with an ARQC is
    verified as far as the CA key is there, and one that does not hold confirms nothing.
    """
    objects = activation.application.objects
    related = objects.get(tags.CARD_AUTHENTICATION_DATA_9F69)
    if related is None:
        return kind == ARQC and not activation.combination.signed_device_cvm_only
    if related[5:7] != qualifiers(activation):
        return False
    if kind == ARQC and (
        activation.combination.signed_device_cvm_only or tags.SIGNED_DYNAMIC_DATA_9F4B in objects
    ):
        return _holds_where_known(activation, card)
    return True


def _holds_where_known(activation: Activation, card: CardData) -> bool:
    strict = activation.combination.signed_device_cvm_only
    index = activation.application.objects.get(tags.CA_KEY_INDEX_8F, b"")
    rid = activation.application.df_name[:5]
    if not strict and (not index or activation.settings.ca_keys.find(rid, index[0]) is None):
        return True
    try:
        verify(activation, card)
    except AuthenticationFailed:
        return False
    return True


def verify(activation: Activation, card: CardData, *, version: int = 0x01) -> None:
    """Fast DDA. Version 01: the card signs 9F37 || 9F02 || 5F2A || 9F69; version 00: 9F37 alone.

    Raises:
        AuthenticationFailed: a part is missing, or the chain or the signature does not hold.
    """
    application, terminal = activation.application, activation.terminal
    signature = application.objects.get(tags.SIGNED_DYNAMIC_DATA_9F4B)
    related = application.objects.get(tags.CARD_AUTHENTICATION_DATA_9F69, b"")
    if not application.aip_has(1, _DDA_BY_CARD):
        raise AuthenticationFailed("the card does not support fast DDA")
    if signature is None:
        raise AuthenticationFailed("the card gave no signature")
    signed = terminal[tags.UNPREDICTABLE_NUMBER_9F37]
    if version == 0x01:
        if not related or related[0] != version:
            raise AuthenticationFailed("the card's fast DDA is not of version 01")
        signed += terminal[tags.AMOUNT_9F02] + terminal[tags.CURRENCY_5F2A] + related
    oda.verify_dynamic(card_key(activation, card), signature, signed, formats=_FORMATS)
