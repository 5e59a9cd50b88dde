"""What a reader is set up with: combinations of AID and kernel, limits, keys; and one request.

Rules of this file: values only, checked on construction. Amounts are minor units of the
request's currency. Entry Point and the kernels read these values and change none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from terminal.emv.oda import CaKeys, IssuerKeyCache
from terminal.emv.outcome import TornTransaction
from terminal.emv.relay import RelayResistance
from terminal.emv.risk_management import ExceptionFile, RandomSelection
from terminal.errors import ConfigError
from terminal.money import Amount, Currency

TYPES_ONLINE_ONLY = frozenset({0x11, 0x14, 0x21, 0x24, 0x34})
TYPES_OFFLINE_ONLY = frozenset({0x13, 0x16, 0x23, 0x26, 0x36})
_TYPES = frozenset(high << 4 | low for high in (1, 2, 3) for low in (1, 2, 3, 4, 5, 6))

KERNEL_NAMES = MappingProxyType(
    {2: "Mastercard", 3: "Visa", 4: "American Express", 5: "JCB", 6: "Discover", 7: "UnionPay"}
)

SCHEMES_BY_RID = MappingProxyType(
    {
        bytes.fromhex("A000000003"): "Visa",
        bytes.fromhex("A000000004"): "Mastercard",
        bytes.fromhex("A000000025"): "American Express",
        bytes.fromhex("A000000065"): "JCB",
        bytes.fromhex("A000000152"): "Discover",
        bytes.fromhex("A000000333"): "UnionPay",
    }
)
"""Whose applications begin with these five bytes (ISO/IEC 7816-5 registrations)."""


@dataclass(frozen=True, slots=True)
class TransactionRequest:
    """One tap to run.

    Args:
        amount: the amount authorised (9F02) and its currency (5F2A).
        at: the shop's local time, aware (9A, 9F21).
        unpredictable_number: four fresh unpredictable bytes (9F37).
        transaction_type: 9C as a number: 0x00 for a purchase.
        other_minor: the amount, other (9F03), in minor units.
        sequence: the transaction sequence counter (9F41), up to eight digits, or None.
        relay_entropy: further unpredictable numbers, for further attempts of the relay
            resistance protocol (two in C-2).
        torn: transactions that were torn, for their recovery.
        random_percent: a random number, 1 to 99, for random selection; None for no selection.
        restarted: whether the phone has been asked before in this transaction, so that it is not
            asked for ever.

    Raises:
        ValueError: a time without zone, or a number outside its field.
    """

    amount: Amount
    at: datetime
    unpredictable_number: bytes
    transaction_type: int = 0x00
    other_minor: int = 0
    sequence: int | None = None
    relay_entropy: tuple[bytes, ...] = ()
    torn: tuple[TornTransaction, ...] = ()
    random_percent: int | None = None
    restarted: bool = False

    def __post_init__(self) -> None:
        if self.random_percent is not None and not 1 <= self.random_percent <= 99:
            raise ValueError("the random number for the selection is outside 1 to 99")
        if self.at.utcoffset() is None:
            raise ValueError("the time of the request has no zone")
        if any(len(each) != 4 for each in (self.unpredictable_number, *self.relay_entropy)):
            raise ValueError("the unpredictable number has four bytes")
        if not 0 <= self.transaction_type <= 0x99 or self.transaction_type & 0x0F > 9:
            raise ValueError("the transaction type is two decimal digits")
        if not 0 <= self.other_minor <= 999_999_999_999:
            raise ValueError("the other amount has more than twelve digits or is negative")
        if self.sequence is not None and not 0 <= self.sequence <= 99_999_999:
            raise ValueError("the sequence counter has more than eight digits or is negative")


@dataclass(frozen=True, slots=True)
class ActionCodes:
    """Terminal action codes, five bytes each (EMV Book 3, 10.7): what a TVR bit leads to."""

    denial: bytes = bytes(5)
    online: bytes = bytes.fromhex("F45084800C")
    default: bytes = bytes.fromhex("F45084800C")

    def __post_init__(self) -> None:
        if any(len(code) != 5 for code in (self.denial, self.online, self.default)):
            raise ConfigError("A terminal action code has five bytes.")


@dataclass(frozen=True, slots=True)
class DynamicLimits:
    """Limits for the cards of one program, which take the place of the combination's own (C-3).

    ``program_id`` is the beginning of the application program identifier (9F5A) of those cards;
    an empty one stands for every card that states any.
    """

    program_id: bytes
    contactless_limit_minor: int | None = None
    cvm_limit_minor: int | None = None
    floor_limit_minor: int | None = 0
    zero_amount_allowed: bool = True
    status_check: bool = False

    def __post_init__(self) -> None:
        if len(self.program_id) > 16:
            raise ConfigError("An application program identifier has at most 16 bytes.")


@dataclass(frozen=True, slots=True)
class Combination:
    """One AID with the kernel that runs it, and how (EMV Contactless Book B, 3.1.1).

    Args:
        aid: the reader's AID, 5 to 16 bytes; a card's longer name that begins with it matches.
        kernel_id: 2 to 7, or three bytes as a number for a domestic kernel.
        scheme: the scheme's name for a receipt.
        ttq: the static terminal transaction qualifiers (9F66), four bytes; None for a kernel
            that has none.
        contactless_limit_minor: at this amount and above no contactless payment; None for none.
        on_device_limit_minor: the same for a card that verifies its holder itself (C-2).
        cvm_limit_minor: from this amount cardholder verification is required (C-3), and
            above it in C-2; None for never.
        floor_limit_minor: above this amount an online cryptogram is asked for; None for never.
        zero_amount_allowed: whether an amount of zero may be tapped.
        status_check: whether one unit of the currency asks for an online status check.
        extended_selection: whether the card's extended selection (9F29) goes into SELECT.
        action_codes: denial, online, default (C-2).
        cvm_capability: byte 2 of 9F33 when verification is required (C-2, DF8118).
        no_cvm_capability: byte 2 of 9F33 when it is not (C-2, DF8119).
        relay_resistance_in_tvr: whether the TVR says that no relay resistance protocol was
            performed, as C-2 kernels do since the protocol exists.
        relay_resistance: the limits of that protocol; None for a reader that does not run it.
        mag_stripe_mode: whether kernel 2 may take a card that has nothing better.
        reads_balance: whether the balance of a card that tells it is read (kernel 2).
        data_to_read: further objects to ask the card for, by tag (GET DATA, kernel 2).
        data_to_write: objects to write to the card behind the payment (PUT DATA, kernel 2).
        torn_lifetime_s: how long a torn transaction can be recovered (C-2, DF811C); 0 for never.
        dynamic_limits: limits by the card's program; the longest match counts (C-3).
        random_selection: which transactions below the floor limit go online by chance.
        offline_without_cda: whether a card may approve offline without a signature over its
            cryptogram, as the action codes alone would let it (kernels with GENERATE AC).
        signed_device_cvm_only: whether a card's word that its device verified the holder counts
            only under a signature that was verified, also when the issuer is asked.
        data: data objects that stand before the terminal's own for this combination.
    """

    aid: bytes
    kernel_id: int
    scheme: str
    ttq: bytes | None = bytes.fromhex("22004000")
    contactless_limit_minor: int | None = None
    on_device_limit_minor: int | None = None
    cvm_limit_minor: int | None = None
    floor_limit_minor: int | None = 0
    zero_amount_allowed: bool = True
    status_check: bool = False
    extended_selection: bool = False
    action_codes: ActionCodes = ActionCodes()
    cvm_capability: int = 0x20
    no_cvm_capability: int = 0x08
    relay_resistance_in_tvr: bool = True
    relay_resistance: RelayResistance | None = None
    torn_lifetime_s: int = 0
    mag_stripe_mode: bool = False
    reads_balance: bool = False
    data_to_read: tuple[int, ...] = ()
    data_to_write: Mapping[int, bytes] = field(default_factory=dict)
    dynamic_limits: tuple[DynamicLimits, ...] = ()
    random_selection: RandomSelection | None = None
    offline_without_cda: bool = False
    signed_device_cvm_only: bool = False
    data: Mapping[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = f"The combination of AID {self.aid.hex().upper()} and kernel {self.kernel_id}"
        if not 5 <= len(self.aid) <= 16:
            raise ConfigError(f"{name} has an AID outside 5 to 16 bytes.")
        if self.ttq is not None and len(self.ttq) != 4:
            raise ConfigError(f"{name} has a TTQ that is not four bytes.")
        limits = (
            self.contactless_limit_minor,
            self.on_device_limit_minor,
            self.cvm_limit_minor,
            self.floor_limit_minor,
        )
        if any(limit is not None and limit < 0 for limit in limits):
            raise ConfigError(f"{name} has a negative limit.")


def limited_to(combination: Combination, program_id: bytes | None) -> Combination:
    """The combination with the limits of a card's program, where it states one (9F5A)."""
    if program_id is None:
        return combination
    fitting = [
        each for each in combination.dynamic_limits if program_id.startswith(each.program_id)
    ]
    if not fitting:
        return combination
    limits = max(fitting, key=lambda each: len(each.program_id))
    return replace(
        combination,
        contactless_limit_minor=limits.contactless_limit_minor,
        cvm_limit_minor=limits.cvm_limit_minor,
        floor_limit_minor=limits.floor_limit_minor,
        zero_amount_allowed=limits.zero_amount_allowed,
        status_check=limits.status_check,
    )


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """Everything of the terminal that a card dialogue depends on.

    Args:
        country_number: ISO 3166-1 number of the terminal's country (9F1A).
        combinations: in the reader's order of preference.
        terminal_type: 9F35 as a number; 0x22 is attended, offline with online capability.
        capabilities: 9F33, three bytes.
        additional_capabilities: 9F40, five bytes.
        ca_keys: the CA keys trusted, and revoked certificates.
        issuer_cache: owned by the thread that runs the dialogues, or None.
        luhn_required: whether an account number with a wrong check digit is refused.
        exception_file: says whether an account is on the list of stolen cards; None for no list.
        data: other terminal data objects by tag (9F15, 9F16, 9F1C, 9F1E, 9F4E).
    """

    country_number: int
    combinations: tuple[Combination, ...]
    terminal_type: int = 0x22
    capabilities: bytes = bytes.fromhex("002808")
    additional_capabilities: bytes = bytes.fromhex("6000F0A001")
    ca_keys: CaKeys = field(default_factory=CaKeys)
    issuer_cache: IssuerKeyCache | None = None
    luhn_required: bool = True
    exception_file: ExceptionFile | None = None
    data: Mapping[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.country_number <= 999:
            raise ConfigError(f"Country number {self.country_number} is outside 1 to 999.")
        if self.terminal_type not in _TYPES:
            raise ConfigError(f"Terminal type {self.terminal_type:02X} does not exist.")
        if len(self.capabilities) != 3 or len(self.additional_capabilities) != 5:
            raise ConfigError("Terminal capabilities have 3 bytes, additional ones 5.")
        if not self.combinations:
            raise ConfigError("The reader has no combination of AID and kernel.")


# AID, kernel, scheme. The AIDs are those of ISO/IEC 7816-5 registrations that open lists agree on.
_SCHEMES = (
    ("A0000000031010", 3, "Visa"),
    ("A0000000032010", 3, "Visa Electron"),
    ("A0000000041010", 2, "Mastercard"),
    ("A0000000043060", 2, "Maestro"),
    ("A000000025", 4, "American Express"),
    ("A0000000651010", 5, "JCB"),
    ("A0000001523010", 6, "Discover"),
    ("A0000001524010", 6, "Discover"),
    ("A000000333010101", 7, "UnionPay"),
    ("A000000333010102", 7, "UnionPay"),
    ("A000000333010103", 7, "UnionPay"),
)

# Kernel 2: terminal risk management data (signature, no CVM and verification on the device are
# supported contactless) and the mobile support indicator (phones are supported).
# Kernel 4: EMV mode; partial online, phones, verification on the phone, signature, kernel 2.7.
# Kernel 5: signature and verification on the device.
_DATA = {
    2: {0x9F1D: bytes.fromhex("2C00000000000000"), 0x9F7E: b"\x01"},
    4: {0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex("18A00003")},
    5: {0x9F53: bytes.fromhex("500000")},
}

# Terminal transaction qualifiers (9F66): EMV mode, signature, verification on the device; kernel
# 7 also says in byte 4 that it has fast DDA version 01.
_TTQ = {3: "22004000", 6: "22004000", 7: "22004080"}

# Terminal action codes as a published Expresspay configuration has them (denial: a service that is
# not allowed); the others go online for whatever is in doubt.
_ACTION_CODES = {
    4: ActionCodes(
        denial=bytes.fromhex("0010000000"),
        online=bytes.fromhex("DE00FC9800"),
        default=bytes.fromhex("DC50840000"),
    ),
}


def default_settings(
    country_number: int,
    currency: Currency,
    *,
    cvm_limit_minor: int | None = None,
    contactless_limit_minor: int | None = None,
    floor_limit_minor: int = 0,
    ca_keys: CaKeys = CaKeys(),  # noqa: B008 - a frozen value, the same for all.
    data: Mapping[int, bytes] | None = None,
) -> ReaderSettings:
    """Settings for an attended till that goes online, has no PIN entry and prints signatures.

    The floor limit is 0 unless said otherwise, so each amount above zero asks the card for an
    online cryptogram. The limit for cardholder verification is 50 units of the currency.

    Raises:
        ConfigError: a value is outside its range.
    """
    cvm_limit = 50 * 10**currency.exponent if cvm_limit_minor is None else cvm_limit_minor
    return ReaderSettings(
        country_number=country_number,
        combinations=tuple(
            Combination(
                aid=bytes.fromhex(aid),
                kernel_id=kernel_id,
                scheme=scheme,
                contactless_limit_minor=contactless_limit_minor,
                on_device_limit_minor=contactless_limit_minor,
                cvm_limit_minor=cvm_limit,
                floor_limit_minor=floor_limit_minor,
                ttq=bytes.fromhex(_TTQ[kernel_id]) if kernel_id in _TTQ else None,
                action_codes=_ACTION_CODES.get(kernel_id, ActionCodes()),
                relay_resistance=RelayResistance() if kernel_id == 2 else None,
                torn_lifetime_s=300 if kernel_id == 2 else 0,
                data=_DATA.get(kernel_id, {}),
            )
            for aid, kernel_id, scheme in _SCHEMES
        ),
        ca_keys=ca_keys,
        issuer_cache=IssuerKeyCache(),
        data=data or {},
    )
