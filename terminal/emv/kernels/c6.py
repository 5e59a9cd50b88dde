"""Kernel 6: Discover and Diners Club D-PAS, EMV mode (EMV Contactless Book C-6).

Rules of this file: the book was not at hand. The card answers GET PROCESSING OPTIONS with its
cryptogram, records follow, and an offline approval is signed in the manner of CDA, as Level 2
Kernel Ltd. describes the kernel in public; the bits of the card processing requirements (9F71)
are those of a published D-PAS header. Mag-stripe and ZIP modes have no cryptogram that could be
checked, and are not there.
"""

from __future__ import annotations

from terminal.card import CardData
from terminal.emv import oda, tags
from terminal.emv.apdu import Dialogue
from terminal.emv.kernels import at_once
from terminal.emv.kernels.activation import ARQC, Activation, card_key
from terminal.emv.kernels.generate_ac import without_signature
from terminal.emv.outcome import Outcome
from terminal.errors import AuthenticationFailed, CardError

# Card processing requirements (9F71), byte 1.
_ONLINE_PIN_REQUIRED = 0x80
_SIGNATURE_REQUIRED = 0x40
_VERIFIED_ON_DEVICE = 0x10
# Byte 2.
_ONLINE_IF_CDA_FAILS = 0x40
_SWITCH_IF_CDA_FAILS = 0x20
_ONLINE_IF_EXPIRED = 0x08
_FALL_BACK_TO_SIGNATURE = 0x02
_FALL_BACK_TO_NOTHING = 0x01

_CDA_BY_CARD = 0x01  # AIP byte 1


def _requirements(activation: Activation) -> bytes | None:
    value = activation.application.objects.get(tags.CARD_REQUIREMENTS_9F71)
    if value is not None and len(value) != 2:
        raise CardError("The card processing requirements (9F71) do not have two bytes.")
    return value


def _wishes(activation: Activation) -> at_once.Wishes | None:
    value = _requirements(activation)
    if value is None:
        return None
    return at_once.Wishes(
        online_pin=bool(value[0] & _ONLINE_PIN_REQUIRED),
        signature=bool(value[0] & _SIGNATURE_REQUIRED),
        on_device=bool(value[0] & _VERIFIED_ON_DEVICE),
        online_if_unauthenticated=bool(value[1] & _ONLINE_IF_CDA_FAILS),
        switch_if_unauthenticated=bool(value[1] & _SWITCH_IF_CDA_FAILS),
        online_if_expired=bool(value[1] & _ONLINE_IF_EXPIRED),
        or_signature=bool(value[1] & _FALL_BACK_TO_SIGNATURE),
        or_nothing=bool(value[1] & _FALL_BACK_TO_NOTHING),
    )


def _confirms_device(activation: Activation, card: CardData, kind: int) -> bool:
    """The requirements are inside the signed answer; with an ARQC the issuer decides."""
    if kind == ARQC and tags.SIGNED_DYNAMIC_DATA_9F4B not in activation.application.objects:
        return not activation.combination.signed_device_cvm_only
    try:
        _verify(activation, card)
    except AuthenticationFailed:
        return False
    return True


def _verify(activation: Activation, card: CardData) -> None:
    """CDA over the PDOL data and the answer to GET PROCESSING OPTIONS without 9F4B.

    Raises:
        AuthenticationFailed: a part is missing, or the chain or the signature does not hold, or
            the card signed another cryptogram than it stated.
    """
    application, terminal = activation.application, activation.terminal
    objects = application.objects
    signature = objects.get(tags.SIGNED_DYNAMIC_DATA_9F4B)
    if not application.aip_has(1, _CDA_BY_CARD):
        raise AuthenticationFailed("the card does not support CDA")
    if signature is None:
        raise AuthenticationFailed("the card gave no signature")
    combined = oda.verify_combined(
        card_key(activation, card),
        signature,
        unpredictable_number=terminal[tags.UNPREDICTABLE_NUMBER_9F37],
        transaction_data=application.pdol_data + without_signature(application.options),
    )
    stated = (objects[tags.CRYPTOGRAM_INFORMATION_9F27][0], objects[tags.CRYPTOGRAM_9F26])
    if (combined.cryptogram_information, combined.cryptogram) != stated:
        raise AuthenticationFailed("the card signed another cryptogram")


_SCHEME = at_once.AtOnce(
    wishes=_wishes,
    confirms_device=_confirms_device,
    authenticate=_verify,
    proof="CDA",
)


def run(activation: Activation) -> Dialogue[Outcome]:
    """Runs the kernel on the selected application.

    Raises:
        CardError: the card broke the rules.
        CardLost: the card left, when that is thrown in.
    """
    return (yield from at_once.run(activation, _SCHEME))
