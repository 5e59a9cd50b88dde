"""The dialects that this till speaks, as data.

``base87`` follows ISO 8583:1987 with ASCII data, a binary bitmap, LLVAR and LLLVAR lengths in
ASCII digits and a two-byte length in front of each message. It has no field for a clear card
number or track: the card travels sealed, in DE 62. ``base87-dukpt`` is the same for an acquirer
that opens it with DUKPT: the key serial number is in DE 53. ``base87-mac`` is ``base87`` for an
acquirer that puts a MAC on each answer: a key for it goes out in DE 120, and the MAC comes back in
DE 128.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from terminal.errors import ConfigError
from terminal.iso8583.framing import Framing
from terminal.iso8583.profile import (
    Action,
    Category,
    Ceiling,
    Content,
    Delivery,
    Field,
    Layout,
    MessageFormat,
    Profile,
    Response,
)

LLVAR = 2
LLLVAR = 3

# Names, classes and lengths follow ISO 8583:1987; what DE 48, 60, 62 and 63 mean is private use.
_BASE87_FIELDS = {
    3: Field("processing code", Content.N, 6),
    4: Field("amount", Content.N, 12),
    7: Field("transmission date and time", Content.MMDDHHMMSS, 10),
    11: Field("system trace audit number", Content.N, 6),
    12: Field("local time", Content.HHMMSS, 6),
    13: Field("local date", Content.MMDD, 4),
    15: Field("settlement date", Content.MMDD, 4),
    22: Field("entry mode", Content.N, 3),
    23: Field("PAN sequence number", Content.N, 3),
    25: Field("condition code", Content.N, 2),
    32: Field("acquirer", Content.N, 11, LLVAR),
    33: Field("forwarder", Content.N, 11, LLVAR),
    37: Field("retrieval reference number", Content.ANP, 12),
    38: Field("approval code", Content.ANP, 6),
    39: Field("response code", Content.AN, 2),
    41: Field("terminal id", Content.ANS, 8),
    42: Field("merchant id", Content.ANS, 15),
    48: Field("offline reason", Content.ANS, 999, LLLVAR),
    49: Field("currency", Content.N, 3),
    50: Field("settlement currency", Content.N, 3),
    55: Field("chip data", Content.B, 255, LLLVAR, encoding="b"),
    60: Field("batch number", Content.N, 6, LLLVAR),
    62: Field("sealed card envelope", Content.B, 999, LLLVAR, encoding="b"),
    63: Field("sale reference", Content.ANS, 64, LLLVAR),
    70: Field("network management code", Content.N, 3),
    74: Field("credits, number", Content.N, 10),
    75: Field("credits, reversal number", Content.N, 10),
    76: Field("debits, number", Content.N, 10),
    77: Field("debits, reversal number", Content.N, 10),
    86: Field("credits, amount", Content.N, 16),
    87: Field("credits, reversal amount", Content.N, 16),
    88: Field("debits, amount", Content.N, 16),
    89: Field("debits, reversal amount", Content.N, 16),
    90: Field("original data elements", Content.N, 42),
    97: Field("net settlement amount", Content.XN, 17),
}

_SALE = MessageFormat(
    required=frozenset({3, 4, 7, 11, 12, 13, 22, 25, 37, 41, 42, 49, 55, 60, 62, 63}),
    optional=frozenset({23, 32, 33}),
)
_ADVICE = MessageFormat(required=_SALE.required, optional=_SALE.optional | {48})
# What is about an earlier sale needs no card: it goes by the numbers of the original.
_REFUND = MessageFormat(
    required=(_SALE.required - {55, 62}) | {90}, optional=_SALE.optional | {55, 62}
)
_COMPLETION = MessageFormat(required=(_SALE.required - {55, 62}) | {38}, optional=_SALE.optional)
_UPLOAD = MessageFormat(
    required=frozenset({3, 4, 7, 11, 12, 13, 37, 41, 42, 49, 60, 63, 90}), optional=frozenset({38})
)
_UPLOAD_ANSWER = MessageFormat(
    required=frozenset({7, 11, 39, 41}), optional=frozenset({3, 4, 37, 42, 49, 60, 63})
)
_TOTALS = frozenset({74, 75, 76, 77, 86, 87, 88, 89, 97})
_RECONCILIATION = MessageFormat(frozenset({3, 7, 11, 41, 42, 50, 60}) | _TOTALS)
_RECONCILIATION_ANSWER = MessageFormat(
    frozenset({7, 11, 39, 41, 50, 60}), frozenset({3, 15, 42, 48}) | _TOTALS
)
_REVERSAL = MessageFormat(
    required=frozenset({3, 4, 7, 11, 12, 13, 22, 25, 37, 39, 41, 42, 49, 60, 63, 90}),
    optional=frozenset({32, 33}),
)
_SALE_ANSWER = MessageFormat(
    required=frozenset({3, 4, 7, 11, 37, 39, 41, 49}),
    optional=frozenset({12, 13, 15, 32, 33, 38, 42, 55, 60, 63}),
)
_REVERSAL_ANSWER = MessageFormat(
    required=frozenset({3, 4, 7, 11, 37, 39, 41, 49}),
    optional=frozenset({12, 13, 15, 32, 33, 42, 60, 63, 90}),
)

_BASE87_MESSAGES = {
    "0100": _SALE,
    "0110": _SALE_ANSWER,
    "0200": _SALE,
    "0200/20": _REFUND,
    "0210": _SALE_ANSWER,
    "0220": _ADVICE,
    "0220/38": _COMPLETION,
    "0221/38": _COMPLETION,
    "0221": _ADVICE,
    "0230": _SALE_ANSWER,
    "0420": _REVERSAL,
    "0421": _REVERSAL,
    "0430": _REVERSAL_ANSWER,
    "0320": _UPLOAD,
    "0321": _UPLOAD,
    "0330": _UPLOAD_ANSWER,
    "0500": _RECONCILIATION,
    "0501": _RECONCILIATION,
    "0510": _RECONCILIATION_ANSWER,
    # Has this transfer arrived? See terminal.iso8583.transfers.
    "0600": MessageFormat(frozenset({3, 4, 7, 11, 12, 13, 41, 42, 49, 63})),
    "0610": MessageFormat(frozenset({3, 4, 7, 11, 39, 41, 49, 63}), frozenset({12, 13, 42})),
    "0800": MessageFormat(frozenset({7, 11, 41, 70})),
    "0810": MessageFormat(frozenset({7, 11, 39, 41, 70})),
}


_CATEGORIES = {
    Category.NEVER: ("04", "07", "15", "41", "43", "46", "57", "R0", "R1", "R3"),
    Category.LATER: ("51", "59", "61", "62", "65", "75", "78", "86", "93"),
    Category.NEW_DATA: ("14", "1A", "54", "55", "82", "N7"),
    Category.ONCE: ("01", "02", "05"),
}
# Visa: a payment that was declined for now may be tried 15 times in 30 days, one that was
# declined for good never. What is not the card's fault has no ceiling.
_CEILINGS = {
    Category.NEVER: Ceiling(tries=1, days=30, same_amount=False),
    Category.LATER: Ceiling(tries=15, days=30, same_amount=True),
    Category.ONCE: Ceiling(tries=2, days=1, same_amount=True),
}


def _table(rows: Mapping[Action, Mapping[str, str]]) -> Mapping[str, Response]:
    categories = {code: category for category, codes in _CATEGORIES.items() for code in codes}
    return MappingProxyType(
        {
            code: Response(action, text, categories.get(code, Category.NONE))
            for action, row in rows.items()
            for code, text in row.items()
        }
    )


_TROUBLE = {
    Action.RETRY_SAME: {
        "06": "The host has a fault.",
        "90": "The host is closing its day.",
        "91": "The card's bank cannot be reached.",
        "92": "The card's bank cannot be found by the network.",
        "96": "The host has a fault.",
    },
    # Whoever sends these may still book the sale, so online they leave its fate unknown.
    Action.RETRY_REPEAT: {
        "09": "The host is still working on it.",
        "19": "The host asks for the message once more.",
        "22": "The host suspects a fault.",
        "68": "The card's bank answered too late.",
    },
    Action.DUPLICATE: {"94": "The host has had this message before."},
}

# Meanings follow ISO 8583:1987 and the card schemes' published response codes; which codes
# forbid another try follows Visa's decline categories. Acquirers differ, hence data.
_SALE_RESPONSES = _table(
    {
        Action.APPROVED: {
            "00": "Approved.",
            "08": "Approved.",
            "11": "Approved.",
            "16": "Approved.",
            "85": "Approved.",
        },
        Action.PARTIAL: {"10": "Approved for a part of the amount."},
        Action.DECLINED: {
            "01": "The card's bank asks to be called.",
            "02": "The card's bank asks to be called.",
            "05": "The card's bank declined.",
            "14": "The card number is not valid.",
            "1A": "The card's bank asks for the card to be inserted.",
            "51": "There is not enough money on the account.",
            "54": "The card has expired.",
            "55": "The PIN is wrong.",
            "59": "The card's bank suspects fraud.",
            "61": "The card's limit is reached.",
            "62": "The card is restricted.",
            "65": "The card's limit is reached; try inserting the card.",
            "75": "The PIN was wrong too often.",
            "78": "The card is not active.",
            "82": "The card's security data is wrong.",
            "86": "The PIN cannot be checked.",
            "93": "The card's bank does not allow this sale.",
            "N7": "The card's security code is wrong.",
        },
        Action.DECLINED_BLOCK: {
            "04": "The card's bank declined for good.",
            "07": "The card's bank declined for good.",
            "15": "No bank knows this card.",
            "41": "The card was reported lost.",
            "43": "The card was reported stolen.",
            "46": "The account is closed.",
            "57": "The card's bank does not allow this kind of sale.",
            "R0": "The cardholder stopped this payment.",
            "R1": "The cardholder stopped all payments to this shop.",
            "R3": "The cardholder stopped all payments.",
        },
        **_TROUBLE,
        Action.QUARANTINE: {
            "03": "The host does not know this merchant.",
            "12": "The host does not allow this kind of message.",
            "13": "The host refuses the amount.",
            "30": "The host cannot read the message.",
            "40": "The host does not support this kind of message.",
            "58": "The host does not allow this kind of sale at this terminal.",
            "63": "The host refuses the message's security data.",
            "89": "The host does not know this terminal.",
            "95": "The host's totals differ from the till's.",
        },
    }
)

# A reversal cannot be declined for the customer's reasons. What is neither booked nor a passing
# fault needs a person, so every code that is not here is QUARANTINE.
_REVERSAL_RESPONSES = _table(
    {
        Action.APPROVED: {
            "00": "Reversed.",
            "08": "Reversed.",
            "11": "Reversed.",
            "16": "Reversed.",
            "25": "The host never booked the sale; there is nothing to reverse.",
            "85": "Reversed.",
        },
        **_TROUBLE,
    }
)

BASE87 = Profile(
    name="base87",
    layout=Layout("base87", _BASE87_FIELDS),
    framing=Framing.LEN2,
    messages=MappingProxyType(_BASE87_MESSAGES),
    responses=_SALE_RESPONSES,
    reversal_responses=_REVERSAL_RESPONSES,
    echoed=frozenset({3, 11, 32, 33, 37, 41, 42, 49, 50, 60, 63, 70, 90}),
    envelope_field=62,
    reference_field=63,
    batch_field=60,
    reason_field=48,
    # The host writes its own time into DE 7 of an echo (0810).
    delivery=Delivery(ceilings=MappingProxyType(_CEILINGS), host_time_field=7),
)

# DE 53 is n 16 in the standard's first edition, too short for the 12 bytes of an AES DUKPT key
# serial number; as in its later editions it is binary here, of variable length.
_SERIAL = Field("key serial number", Content.B, 48, LLVAR, encoding="b")

BASE87_DUKPT = replace(
    BASE87,
    name="base87-dukpt",
    layout=Layout("base87-dukpt", {**_BASE87_FIELDS, 53: _SERIAL}),
    messages=MappingProxyType(
        {
            mti: replace(
                form,
                required=form.required | {53} if 62 in form.required else form.required,
                optional=form.optional | {53} if 62 in form.optional else form.optional,
            )
            for mti, form in _BASE87_MESSAGES.items()
        }
    ),
    serial_field=53,
)

# DE 120 is for private use in the standard, DE 128 is the MAC of a message (64 bits).
_WITH_MAC = {
    **_BASE87_FIELDS,
    120: Field("key of the till's for MACs", Content.B, 40, LLLVAR, encoding="b"),
    128: Field("message authentication code", Content.B, 8, encoding="b"),
}
_ECHO = {"0800", "0810"}

BASE87_MAC = replace(
    BASE87,
    name="base87-mac",
    layout=Layout("base87-mac", _WITH_MAC),
    messages=MappingProxyType(
        {
            mti: form
            if mti in _ECHO
            # The third digit of a request is even, of its answer odd (ISO 8583:1987).
            else replace(form, optional=form.optional | {120 if mti[2] in "024" else 128})
            for mti, form in _BASE87_MESSAGES.items()
        }
    ),
    key_field=120,
    mac_field=128,
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (BASE87, BASE87_DUKPT, BASE87_MAC)}
)


def profile_named(name: str) -> Profile:
    """The profile with this name.

    Raises:
        ConfigError: there is none; the message lists those that exist.
    """
    try:
        return PROFILES[name]
    except KeyError:
        known = ", ".join(sorted(PROFILES))
        raise ConfigError(
            f"There is no ISO 8583 profile {name!r}.", remedy=f"Profiles that exist: {known}."
        ) from None
