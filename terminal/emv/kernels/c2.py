"""Kernel 2: Mastercard and Maestro, EMV mode (EMV Contactless Book C-2).

Rules of this file: one generator, ``run``, and the decisions it makes as small functions. Step
numbers (S910.71, GAC.22) are those that Daniel Hu's open kernel 2 gives; where that kernel and
this one differ, the comment says so. Mag-stripe mode is refused unless the settings ask for it: it
is the downgrade that attacks want.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from terminal.emv import dol, tags
from terminal.emv.apdu import Command, Dialogue, Response
from terminal.emv.application import (
    AflEntry,
    get_processing_options,
    read_records,
    take_processing_options,
)
from terminal.emv.kernels import data_exchange, generate_ac, mag_stripe
from terminal.emv.kernels.activation import (
    AAC,
    ARQC,
    TC,
    Activation,
    account,
    approved,
    declined,
    device,
    ending,
    online,
    refused_options,
    see_phone,
)
from terminal.emv.kernels.cvm_list import verify_cardholder
from terminal.emv.kernels.relay_resistance import exchange_relay_resistance_data
from terminal.emv.outcome import (
    Cvm,
    Decision,
    MessageId,
    Outcome,
    Start,
    TornTransaction,
    card_digest,
)
from terminal.emv.restrictions import processing_restrictions
from terminal.errors import CardError, CardLost

_ON_DEVICE_BY_CARD = 0x02  # AIP byte 1
_EMV_MODE = 0x80  # AIP byte 2
_RELAY_RESISTANCE_BY_CARD = 0x01  # AIP byte 2
_CONTACTS_BY_TERMINAL = 0x20  # 9F33 byte 1
_MAG_STRIPE_RECORD = AflEntry(1, 1, 1, 0)
_INTERACTION_DF4B = 0xDF4B
_INTERACTION_MASK = 0x00030F
_FLOOR_LIMIT_EXCEEDED = 0x80_00
_RELAY_RESISTANCE_NOT_PERFORMED = 0x01


@dataclass(slots=True)
class _Asked:
    """What GENERATE AC asks for, and what a relay resistance exchange adds to the signature."""

    requested: int
    cvm: Cvm
    relay: bytes


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
    emv_mode = application.aip_has(2, _EMV_MODE)
    if not emv_mode and not activation.combination.mag_stripe_mode:
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
    if not emv_mode:
        return (yield from mag_stripe.run(activation))
    relay, relay_tvr = yield from _resist_relay(activation)
    yield from read_records(application, _emv_records(application.afl))
    for tag in (tags.PAN_5A, tags.EXPIRY_5F24, tags.CDOL1_8C):
        application.objects.need(tag)
    state = generate_ac.Run(activation, account(activation), tvr=relay_tvr)
    data = yield from data_exchange.read_data(activation)
    outcome = yield from _authorise(state, relay)
    return (yield from data_exchange.finish(activation, outcome, data))


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


def _resist_relay(activation: Activation) -> Dialogue[tuple[bytes, int]]:
    """The relay resistance protocol where both sides have it, right behind the options (S3R1)."""
    limits = activation.combination.relay_resistance
    if limits is None or not activation.application.aip_has(2, _RELAY_RESISTANCE_BY_CARD):
        stated = activation.combination.relay_resistance_in_tvr
        return b"", _RELAY_RESISTANCE_NOT_PERFORMED if stated else 0
    return (yield from exchange_relay_resistance_data(activation, limits))


def _authorise(state: generate_ac.Run, relay: bytes) -> Dialogue[Outcome]:
    """Restrictions, authentication data, verification, action analysis, cryptogram, outcome."""
    activation = state.activation
    over_cvm_limit = (
        activation.combination.cvm_limit_minor is not None
        and activation.request.amount.minor > activation.combination.cvm_limit_minor
    )
    _set_capabilities(activation, over_cvm_limit=over_cvm_limit)
    generate_ac.prepare_authentication(state, needs_tag_list=True)
    objects = activation.application.objects
    state.tvr |= processing_restrictions(objects, activation.terminal) << 24
    verification = verify_cardholder(
        activation, on_device=_on_device(activation), required=over_cvm_limit
    )
    state.tvr |= generate_ac.risk_management(activation, state.card)
    requested = generate_ac.decide(state, verification)
    if _distrusts_device(state, verification.cvm):
        requested = AAC
    asked = _Asked(requested, verification.cvm, relay)
    torn = _torn_before(state)
    if torn is not None:
        recovered = yield from _recover(state, torn)
        if recovered is not None:
            return recovered
    return (yield from _generate(state, asked))


def _set_capabilities(activation: Activation, *, over_cvm_limit: bool) -> None:
    """9F33 for this transaction: byte 2 follows the CVM limit (C-2, DF8118 and DF8119)."""
    combination = activation.combination
    first, _, security = activation.settings.capabilities
    byte_2 = combination.cvm_capability if over_cvm_limit else combination.no_cvm_capability
    activation.terminal[tags.CAPABILITIES_9F33] = bytes((first, byte_2, security))
    generate_ac.announce_authentication(activation)


def _distrusts_device(state: generate_ac.Run, cvm: Cvm) -> bool:
    """Whether a device's word on its holder has to be refused for want of a signature.

    Without CDA anybody in between can claim that the device verified its holder, so GAC.22 asks
    for an AAC. This kernel does so when CDA failed, or when the amount relies on the claim; it
    lets small amounts of a terminal without CA keys go online, where that kernel declines.
    """
    if state.key is not None or not _on_device(state.activation):
        return False
    return bool(state.tvr & generate_ac.CDA_FAILED) or cvm is Cvm.CONFIRMATION_CODE


def _generate(state: generate_ac.Run, asked: _Asked) -> Dialogue[Outcome]:
    """GENERATE AC; when the card leaves in the middle of it, the transaction is torn (S9)."""
    try:
        response = yield from generate_ac.generate(state, asked.requested)
    except CardLost:
        if not _recovers(state.activation):
            raise
        return _torn(state, asked)
    return _take(state, asked, response)


def _take(state: generate_ac.Run, asked: _Asked, response: Response) -> Outcome:
    """The answer checked, and the outcome (S910)."""
    if not response.ok:
        raise CardError(f"GENERATE AC was answered with {response.sw:04X}.")
    made = generate_ac.take_cryptogram(state, asked.requested, response, relay=asked.relay)
    return _outcome(state, made, asked.cvm)


def _recovers(activation: Activation) -> bool:
    """Whether torn transactions are recovered: the reader keeps them, the card has a DRDOL."""
    return bool(
        activation.combination.torn_lifetime_s
        and activation.application.objects.get(tags.DRDOL_9F51)
    )


def _torn(state: generate_ac.Run, asked: _Asked) -> Outcome:
    """The outcome with the record that the next tap needs (S9.15 to S9.18)."""
    activation, terminal = state.activation, dict(state.activation.terminal)
    record = TornTransaction(
        card=card_digest(state.card, terminal[tags.UNPREDICTABLE_NUMBER_9F37]),
        at=activation.request.at,
        requested=asked.requested,
        cvm=asked.cvm,
        pdol_data=activation.application.pdol_data,
        cdol_data=state.cdol_data,
        relay=asked.relay,
        terminal=terminal,
    )
    reason = "the card left while it made its cryptogram"
    again = ending(activation, Decision.TRY_AGAIN, reason, MessageId.PRESENT_AGAIN, start=Start.B)
    return replace(again, torn=record)


def _torn_before(state: generate_ac.Run) -> TornTransaction | None:
    activation = state.activation
    if not _recovers(activation):
        return None
    lifetime_s, at = activation.combination.torn_lifetime_s, activation.request.at
    return next(
        (each for each in activation.request.torn if each.belongs_to(state.card, at, lifetime_s)),
        None,
    )


def _recover(state: generate_ac.Run, torn: TornTransaction) -> Dialogue[Outcome | None]:
    """RECOVER AC: the cryptogram of the torn transaction, so that it is not paid twice (S10).

    None when the card has none to give; then the transaction is made anew. What the host gets is
    the data of then, because the cryptogram is over those.
    """
    activation = state.activation
    entries = dol.parse(activation.application.objects[tags.DRDOL_9F51])
    response = yield Command(0x80, 0xD0, 0x00, 0x00, dol.fill(entries, torn.terminal))
    if not response.ok:
        return None
    activation.terminal.update(torn.terminal)
    activation.application.pdol_data = torn.pdol_data
    state.cdol_data = torn.cdol_data
    return _take(state, _Asked(torn.requested, torn.cvm, torn.relay), response)


def _outcome(state: generate_ac.Run, made: int, cvm: Cvm) -> Outcome:
    """The outcome by cryptogram; a phone's wish for a second tap comes first (S910.71 to 75)."""
    activation, card = state.activation, state.card
    wish = activation.application.objects.get(_INTERACTION_DF4B, b"")
    if int.from_bytes(wish[:3]) & _INTERACTION_MASK:
        return see_phone(activation, "the phone wants its owner's attention")
    if made == ARQC:
        return online(activation, "the card asks for online authorisation", card, cvm)
    if made == TC:
        reason = "approved offline with CDA" if state.key else "approved offline without CDA"
        return approved(activation, reason, card, cvm)
    reason = "the card declined offline"
    contacts = activation.terminal[tags.CAPABILITIES_9F33][0] & _CONTACTS_BY_TERMINAL
    if contacts and device(activation) == "card":
        return ending(activation, Decision.TRY_ANOTHER_INTERFACE, reason, MessageId.INSERT_CARD)
    return declined(activation, reason, card)
