"""What the kernels share whose cards answer GET PROCESSING OPTIONS with a cryptogram: 3, 6, 7.

Rules of this file: the steps of Book C-3 in its order; section numbers are those that Daniel Hu's
open kernel 3 gives, and where that kernel and this one differ, the comment says so. What differs
from scheme to scheme is in ``AtOnce``, and each kernel's own file fills it. What a card says of
its own cardholder verification counts only where it is confirmed: unsigned qualifiers are a known
attack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from terminal.card import CardData
from terminal.emv import tags
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
    declined,
    ending,
    online,
    refused_options,
)
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome
from terminal.emv.restrictions import is_expired, is_not_yet_effective
from terminal.errors import AuthenticationFailed, CardError

# Terminal transaction qualifiers (9F66), byte 1 and byte 3.
_CONTACT_CHIP = 0x10
_ONLINE_PIN = 0x04
_SIGNATURE = 0x02
_ON_DEVICE = 0x40


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the card wants of the reader, whatever bits its scheme says it in."""

    online_pin: bool = False
    signature: bool = False
    on_device: bool = False
    online_if_unauthenticated: bool = False
    switch_if_unauthenticated: bool = False
    online_if_expired: bool = False
    or_signature: bool = False
    or_nothing: bool = False


@dataclass(frozen=True, slots=True)
class AtOnce:
    """One scheme's part.

    Args:
        wishes: reads the card's qualifiers; None when it states none. May raise ``CardError``.
        confirms_device: whether the card's word that its device verified the holder is
            confirmed, for a cryptogram of this kind.
        authenticate: offline data authentication; raises ``AuthenticationFailed``.
        proof: the name of that authentication.
    """

    wishes: Callable[[Activation], Wishes | None]
    confirms_device: Callable[[Activation, CardData, int], bool]
    authenticate: Callable[[Activation, CardData], None]
    proof: str


def run(activation: Activation, scheme: AtOnce) -> Dialogue[Outcome]:
    """Runs a kernel of this kind on the selected application.

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
    step = _Step(activation, scheme, card, scheme.wishes(activation))
    return _online_requested(step) if kind == ARQC else _offline_approved(step)


@dataclass(frozen=True, slots=True)
class _Step:
    """The card is read: what the decisions that follow are made of."""

    activation: Activation
    scheme: AtOnce
    card: CardData
    wishes: Wishes | None

    @property
    def online_capable(self) -> bool:
        return self.activation.indicators.online_capable


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


def _online_requested(step: _Step) -> Outcome:
    cvm = _cardholder_verification(step, ARQC)
    if cvm is None:
        return _not_verified(step)
    return online(step.activation, "the card asks for online authorisation", step.card, cvm)


def _not_verified(step: _Step) -> Outcome:
    reason = "no cardholder verification that both sides have"
    return declined(step.activation, reason, step.card)


def _offline_approved(step: _Step) -> Outcome:
    """What the reader makes of a transaction certificate (C-3, 5.4.3.2 to 5.7)."""
    activation, wishes = step.activation, step.wishes
    cvm = _cardholder_verification(step, TC)
    if is_not_yet_effective(activation.application.objects, activation.terminal[tags.DATE_9A]):
        return declined(activation, "the application is not yet effective", step.card)
    stolen = activation.settings.exception_file
    if stolen is not None and stolen(step.card.pan, step.card.sequence):
        return declined(activation, "the card is on the exception file", step.card)
    go_online = ""
    if activation.indicators.online_cryptogram_required:
        go_online = "the card approved offline, and an online cryptogram was required"
    elif cvm is Cvm.ONLINE_PIN:
        go_online = "the card asks for an online PIN"
    if _expired(activation):
        # C-3 names the qualifier alone; a reader that cannot go online has to decline (5.5.1.1).
        if not (wishes and wishes.online_if_expired and step.online_capable):
            return declined(activation, "the application has expired", step.card)
        go_online = go_online or "the application has expired"
    if cvm is None:
        return _not_verified(step)
    if go_online:
        return online(activation, go_online, step.card, cvm)
    try:
        step.scheme.authenticate(activation, step.card)
    except AuthenticationFailed as failed:
        return _unauthenticated(step, cvm, failed.message)
    return approved(activation, f"approved offline with {step.scheme.proof}", step.card, cvm)


def _expired(activation: Activation) -> bool:
    """Whether the application has expired; one without a date has (C-3, 5.5.1.1)."""
    objects = activation.application.objects
    return tags.EXPIRY_5F24 not in objects or is_expired(objects, activation.terminal[tags.DATE_9A])


def _unauthenticated(step: _Step, cvm: Cvm, reason: str) -> Outcome:
    """What the card wants done when its authentication fails (C-3, 5.6.1.2)."""
    activation, wishes = step.activation, step.wishes
    if wishes and wishes.online_if_unauthenticated and step.online_capable:
        return online(activation, reason, step.card, cvm)
    chip = activation.indicators.ttq[0] & _CONTACT_CHIP
    if wishes and wishes.switch_if_unauthenticated and chip:
        return ending(activation, Decision.TRY_ANOTHER_INTERFACE, reason, MessageId.INSERT_CARD)
    return declined(activation, reason, step.card)


def _cardholder_verification(step: _Step, kind: int) -> Cvm | None:
    """The verification both sides agree on; None when one is required and there is none.

    A card may ask for verification below the reader's limit; then a reader that cannot do it
    goes on without (C-3, 5.7.1.1 to 5.7.1.3).
    """
    activation, wishes = step.activation, step.wishes
    required, ttq = activation.indicators.cvm_required, activation.indicators.ttq
    if wishes is None:
        return _without_qualifiers(activation) if required else Cvm.NONE
    if wishes.online_pin and ttq[0] & _ONLINE_PIN:
        return Cvm.ONLINE_PIN
    if wishes.on_device and ttq[2] & _ON_DEVICE:
        confirmed = step.scheme.confirms_device(activation, step.card, kind)
        return Cvm.CONFIRMATION_CODE if confirmed else None
    if (wishes.signature or (wishes.online_pin and wishes.or_signature)) and ttq[0] & _SIGNATURE:
        return Cvm.SIGNATURE
    return Cvm.NONE if not required or wishes.or_nothing else None


def _without_qualifiers(activation: Activation) -> Cvm | None:
    """The reader's own choice when the card states no qualifiers (C-3, 5.7.1.1)."""
    ttq = activation.indicators.ttq
    if ttq[0] & _SIGNATURE:
        return Cvm.SIGNATURE
    return Cvm.ONLINE_PIN if ttq[0] & _ONLINE_PIN and ttq[2] & _ON_DEVICE else None
