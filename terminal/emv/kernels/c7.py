"""Kernel 7: UnionPay quickPass, qPBOC or qUICS (EMV Contactless Book C-7).

Rules of this file: the book was not at hand. The flow, the qualifiers and the choice of the fast
DDA version by the card's application version are those of a published kernel 7 (a reader's C
firmware), which is derived from its kernel 3 as the scheme's protocol is from Visa's. Electronic
cash is only what the card makes of it: an offline approval.
"""

from __future__ import annotations

from terminal.card import CardData
from terminal.emv import tags
from terminal.emv.apdu import Dialogue
from terminal.emv.kernels import at_once, fast_dda
from terminal.emv.kernels.activation import Activation
from terminal.emv.outcome import Outcome
from terminal.errors import AuthenticationFailed

_VERSION_01_FROM = 0x0030  # 9F08
_RELATED_LENGTHS = range(8, 17)  # 9F69


def _verify(activation: Activation, card: CardData) -> None:
    """Fast DDA in the version that the card's application has: 01 from 0030 on, 00 before.

    Raises:
        AuthenticationFailed: the versions contradict each other, a part is missing, or the chain
            or the signature does not hold.
    """
    objects = activation.application.objects
    related = objects.get(tags.CARD_AUTHENTICATION_DATA_9F69)
    if related is not None and len(related) not in _RELATED_LENGTHS:
        raise AuthenticationFailed("the card authentication related data has a wrong length")
    stated = related[0] if related else 0
    version = int.from_bytes(objects.get(tags.CARD_VERSION_9F08, b"\x00\x20"))
    if stated != (1 if version >= _VERSION_01_FROM else 0):
        raise AuthenticationFailed("the card's fast DDA does not belong to its version")
    fast_dda.verify(activation, card, version=stated)


_SCHEME = at_once.AtOnce(
    wishes=fast_dda.wishes,
    confirms_device=fast_dda.confirms_device,
    authenticate=_verify,
    proof="fast DDA",
)


def run(activation: Activation) -> Dialogue[Outcome]:
    """Runs the kernel on the selected application.

    Raises:
        CardError: the card broke the rules.
        CardLost: the card left, when that is thrown in.
    """
    return (yield from at_once.run(activation, _SCHEME))
