"""What Entry Point hands to a kernel, and the outcomes that all kernels share.

Rules of this file: a kernel gets everything here and reaches for nothing else. Chip data for the
host is picked by name, so nothing that identifies the cardholder can ride along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from terminal.card import CardData
from terminal.emv import oda, tags
from terminal.emv.account import card_data
from terminal.emv.application import Application, static_data
from terminal.emv.outcome import (
    Application as UsedApplication,
)
from terminal.emv.outcome import (
    Cvm,
    Decision,
    MessageId,
    Outcome,
    Start,
    UiRequest,
    UiStatus,
)
from terminal.emv.preprocessing import Indicators
from terminal.emv.selection import text
from terminal.emv.settings import Combination, ReaderSettings, TransactionRequest
from terminal.errors import AuthenticationFailed, CardError

AAC, TC, ARQC = 0x00, 0x40, 0x80
"""The three cryptograms, as the two high bits of 9F27 (EMV Book 3, 6.5.5)."""

# Tag and the lengths it may have when it goes to the host.
_FROM_CARD = MappingProxyType(
    {
        tags.CRYPTOGRAM_9F26: range(8, 9),
        tags.CRYPTOGRAM_INFORMATION_9F27: range(1, 2),
        tags.ISSUER_APPLICATION_DATA_9F10: range(33),
        tags.ATC_9F36: range(2, 3),
        tags.AIP_82: range(2, 3),
        tags.DF_NAME_84: range(5, 17),
        tags.PAN_SEQUENCE_5F34: range(1, 2),
        tags.FORM_FACTOR_9F6E: range(33),
    }
)
_FROM_TERMINAL = (
    *(tags.UNPREDICTABLE_NUMBER_9F37, tags.TVR_95, tags.DATE_9A, tags.TRANSACTION_TYPE_9C),
    *(tags.AMOUNT_9F02, tags.AMOUNT_OTHER_9F03, tags.CURRENCY_5F2A, tags.COUNTRY_9F1A),
    *(tags.CAPABILITIES_9F33, tags.CVM_RESULTS_9F34, tags.TERMINAL_TYPE_9F35),
    *(tags.TERMINAL_VERSION_9F09, tags.DEVICE_SERIAL_9F1E, tags.SEQUENCE_COUNTER_9F41),
)


@dataclass(slots=True)
class Activation:
    """One kernel run: the request, the settings, the selected application, the terminal's data."""

    request: TransactionRequest
    settings: ReaderSettings
    combination: Combination
    indicators: Indicators
    application: Application
    terminal: dict[int, bytes] = field(repr=False)

    @property
    def today(self) -> date:
        """The transaction date in the shop."""
        return self.request.at.date()


# First digits of the accounts of a scheme, by RID; Maestro's begin with 5 or 6. UnionPay's are not
# here: domestic cards of many issuers carry its application.
_ISSUED = MappingProxyType(
    {
        bytes.fromhex("A000000003"): "4",
        bytes.fromhex("A000000004"): "256",
        bytes.fromhex("A000000025"): "3",
        bytes.fromhex("A000000065"): "3",
        bytes.fromhex("A000000152"): "36",
    }
)


def account(activation: Activation) -> CardData:
    """The account on the card.

    No open kernel that was looked at (Daniel Hu's, openemv's) checks the check digit; here a wrong
    one is refused unless the settings say otherwise, since no issuer can own such an account.

    Raises:
        CardError: it is missing, malformed, contradicts itself, has a wrong check digit, or
            belongs to another scheme than the application.
    """
    card = card_data(activation.application.objects)
    digits = _ISSUED.get(activation.application.df_name[:5])
    if digits and card.pan.reveal()[0] not in digits:
        # Running a card of one scheme as another's gets around its rules; that is an attack.
        raise CardError("The card's account belongs to another scheme than its application.")
    if activation.settings.luhn_required and not card.pan.luhn_valid:
        raise CardError("The card's account number has a wrong check digit.")
    return card


def device(activation: Activation) -> str:
    """What was tapped, as far as the form factor (9F6E) says: card, phone, watch and so on.

    Visa states a number in the low bits of byte 1, Mastercard two characters behind country and
    unique identifier.
    """
    value = activation.application.objects.get(tags.FORM_FACTOR_9F6E, b"")
    if activation.combination.kernel_id == 4:
        # Kernel 4's 9F6E is the reader's; the card says in its profile whether it is a phone.
        return "phone" if activation.application.aip_has(2, 0x40) else "card"
    if activation.combination.kernel_id == 3 and len(value) == 4:
        return {3: "phone", 4: "watch"}.get(value[0] & 0x1F, "card")
    if activation.combination.kernel_id == 2 and len(value) >= 6 and not value[2] & 0x80:
        return {
            b"01": "phone",
            b"02": "key fob",
            b"03": "watch",
            b"04": "sticker",
            b"05": "wristband",
            b"06": "phone",
            b"07": "phone",
            b"08": "phone",
            b"09": "phone",
        }.get(value[4:6], "card")
    return "card"


def _last4(activation: Activation) -> str:
    """The last four digits of the plastic card behind a phone's number, where it says them."""
    digits = activation.application.objects.get(tags.LAST_4_9F25, b"").hex()
    return digits if len(digits) == 4 and digits.isdecimal() else ""


def used_application(activation: Activation) -> UsedApplication:
    """The application as a receipt names it: preferred name where it is Latin, else the label."""
    objects = activation.application.objects
    preferred = b""
    if objects.get(tags.CODE_TABLE_9F11) == b"\x01":
        preferred = objects.get(tags.PREFERRED_NAME_9F12, b"")
    label = text(preferred) or text(objects.get(tags.LABEL_50, b""))
    return UsedApplication(
        aid=activation.application.df_name,
        label=(label or activation.application.candidate.label or activation.combination.scheme)[
            :16
        ],
        scheme=activation.combination.scheme,
        kernel_id=activation.combination.kernel_id,
    )


def chip_data(activation: Activation) -> dict[int, bytes]:
    """The data objects for the host (DE 55) by tag, as far as they are there.

    Raises:
        CardError: one of the card's has a length that it cannot have.
    """
    data: dict[int, bytes] = {}
    for tag, lengths in _FROM_CARD.items():
        value = activation.application.objects.get(tag)
        if value is None or (tag, activation.combination.kernel_id) == (tags.FORM_FACTOR_9F6E, 4):
            continue
        if len(value) not in lengths:
            raise CardError(f"The card's tag {tag:02X} has {len(value)} bytes.")
        data[tag] = value
    form = data.get(tags.FORM_FACTOR_9F6E, b"")
    if activation.combination.kernel_id == 3 and len(form) == 4:
        # The low half of byte 4 is the reader's to state, and 0 is contactless (C-3, 4.1.1.1).
        data[tags.FORM_FACTOR_9F6E] = form[:3] + bytes((form[3] & 0xF0,))
    for tag in _FROM_TERMINAL:
        if tag in activation.terminal:
            data[tag] = activation.terminal[tag]
    return data


def _languages(activation: Activation) -> tuple[str, ...]:
    value = text(activation.application.objects.get(tags.LANGUAGES_5F2D, b"")).lower()
    return tuple(re.findall(r"[a-z]{2}", value)[:4])


def ending(
    activation: Activation,
    decision: Decision,
    reason: str,
    message: MessageId,
    *,
    card: CardData | None = None,
    cvm: Cvm = Cvm.NOT_APPLICABLE,
    start: Start = Start.NONE,
) -> Outcome:
    """The outcome of a kernel; with ``card`` it carries the account and the chip data.

    Raises:
        CardError: chip data for the host has an impossible length.
    """
    read = {Decision.APPROVED, Decision.DECLINED, Decision.ONLINE_REQUEST}
    status = UiStatus.CARD_READ if decision in read else UiStatus.PROCESSING_ERROR
    return Outcome(
        decision=decision,
        reason=reason,
        ui=UiRequest(message, status, 1300 if start is Start.B else 0, _languages(activation)),
        start=start,
        cvm=cvm,
        application=used_application(activation),
        card=card,
        chip_data=chip_data(activation) if card else {},
        device=device(activation),
        last4=_last4(activation),
    )


def declined(activation: Activation, reason: str, card: CardData | None) -> Outcome:
    """Declined offline: "not authorised"."""
    return ending(activation, Decision.DECLINED, reason, MessageId.NOT_AUTHORISED, card=card)


def online(activation: Activation, reason: str, card: CardData, cvm: Cvm) -> Outcome:
    """The issuer is to be asked."""
    return ending(
        activation,
        Decision.ONLINE_REQUEST,
        reason,
        MessageId.AUTHORISING,
        card=card,
        cvm=cvm,
    )


def approved(activation: Activation, reason: str, card: CardData, cvm: Cvm) -> Outcome:
    """Approved offline, by the card and the terminal."""
    message = MessageId.APPROVED_SIGN if cvm is Cvm.SIGNATURE else MessageId.APPROVED
    return ending(activation, Decision.APPROVED, reason, message, card=card, cvm=cvm)


def see_phone(activation: Activation, reason: str) -> Outcome:
    """The phone wants something of its owner first; then the tap starts again at B."""
    return ending(activation, Decision.TRY_AGAIN, reason, MessageId.SEE_PHONE, start=Start.B)


def refused_options(
    activation: Activation, sw: int, command: str = "GET PROCESSING OPTIONS"
) -> Outcome:
    """The outcome of a GET PROCESSING OPTIONS that the card refused (Book C-3, 5.2.2.2).

    6984 sends to another interface, 6985 to the next application, 6986 to the phone's own
    screen; the published traces show the last with a phone that wants its owner's consent.
    """
    reason = f"{command} was answered with {sw:04X}"
    if sw == 0x6984:
        return ending(activation, Decision.TRY_ANOTHER_INTERFACE, reason, MessageId.INSERT_OR_SWIPE)
    if sw == 0x6985:
        return ending(activation, Decision.SELECT_NEXT, reason, MessageId.CLEAR_DISPLAY)
    if sw == 0x6986:
        return see_phone(activation, reason)
    return ending(activation, Decision.END_APPLICATION, reason, MessageId.TRY_ANOTHER_CARD)


def issuer_key(activation: Activation, card: CardData) -> oda.IssuerKey:
    """The issuer's public key, from the scheme's CA key (EMV Book 2, 5.3 and 6.3).

    Raises:
        AuthenticationFailed: a part is missing, or the certificate does not hold or belongs to
            another issuer.
    """
    issuer = oda.issuer_key(
        activation.application.df_name[:5],
        _certificates(activation, _ISSUER_PARTS),
        activation.settings.ca_keys,
        on=activation.today,
        cache=activation.settings.issuer_cache,
    )
    oda.check_issuer_identifier(issuer, card.pan.reveal())
    return issuer


def signed_static_data(activation: Activation) -> bytes:
    """What the card's certificate and its static signature are over (EMV Book 3, 10.3).

    Raises:
        AuthenticationFailed: a record or the tag list makes it impossible to build.
    """
    signed = static_data(activation.application)
    if signed is None:
        raise AuthenticationFailed("the static data to be authenticated cannot be built")
    return signed


def card_key(activation: Activation, card: CardData) -> oda.RsaPublicKey:
    """The card's public key, through the chain from the scheme's CA key (EMV Book 2, 6).

    Raises:
        AuthenticationFailed: a part is missing or the chain does not hold.
    """
    certificates = _certificates(activation, (*_ISSUER_PARTS, *_CARD_PARTS))
    signed = signed_static_data(activation)
    issuer = issuer_key(activation, card)
    return oda.icc_key(issuer, certificates, signed, pan=card.pan.reveal(), on=activation.today)


_ISSUER_PARTS = (tags.CA_KEY_INDEX_8F, tags.ISSUER_CERTIFICATE_90, tags.ISSUER_EXPONENT_9F32)
_CARD_PARTS = (tags.ICC_CERTIFICATE_9F46, tags.ICC_EXPONENT_9F47)


def _certificates(activation: Activation, needed: tuple[int, ...]) -> oda.Certificates:
    objects = activation.application.objects
    for tag in needed:
        if not objects.get(tag):
            raise AuthenticationFailed(f"the card gave no {tags.TAGS[tag].name}")
    return oda.Certificates(
        ca_index=objects[tags.CA_KEY_INDEX_8F][0],
        issuer=objects[tags.ISSUER_CERTIFICATE_90],
        issuer_remainder=objects.get(tags.ISSUER_REMAINDER_92, b""),
        issuer_exponent=objects[tags.ISSUER_EXPONENT_9F32],
        icc=objects.get(tags.ICC_CERTIFICATE_9F46, b""),
        icc_remainder=objects.get(tags.ICC_REMAINDER_9F48, b""),
        icc_exponent=objects.get(tags.ICC_EXPONENT_9F47, b""),
    )
