"""Data objects in plain language: bits, lists, dates and amounts, for people and tests.

Rules of this file: one function from tag and value to statements, from the tables of ``bits``. It
never shows account data: a PAN, a track or a name is for the caller to mask. A value with a wrong
length is said to have one and never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from terminal.emv import bits, dol, tags
from terminal.emv.application import parse_afl
from terminal.emv.kernels.cvm_list import parse_cvm_list
from terminal.emv.names import counted, name_of, scheme_of
from terminal.emv.outcome import MessageId
from terminal.emv.selection import text
from terminal.emv.tlv import tag_bytes
from terminal.errors import CardError, TerminalError
from terminal.money import Currency

ACCOUNT_TAGS = frozenset({0x56, 0x57, 0x5A, 0x5F20, 0x9F0B, 0x9F1F, 0x9F20, 0x9F5E, 0x9F6B, 0x99})
"""Tags whose value is account data or a name."""

MESSAGES: Mapping[MessageId, str] = MappingProxyType(
    {
        MessageId.APPROVED: "Approved",
        MessageId.NOT_AUTHORISED: "Not authorised",
        MessageId.ENTER_PIN: "Enter PIN",
        MessageId.PROCESSING_ERROR: "Processing error",
        MessageId.REMOVE_CARD: "Remove card",
        MessageId.WELCOME: "Welcome",
        MessageId.PRESENT_CARD: "Present card",
        MessageId.PROCESSING: "Processing",
        MessageId.CARD_READ_OK: "Card read OK, remove card",
        MessageId.INSERT_OR_SWIPE: "Insert or swipe card",
        MessageId.ONE_CARD_ONLY: "Present one card only",
        MessageId.APPROVED_SIGN: "Approved, sign",
        MessageId.AUTHORISING: "Authorising, wait",
        MessageId.TRY_ANOTHER_CARD: "Insert, swipe or try another card",
        MessageId.INSERT_CARD: "Insert card",
        MessageId.CLEAR_DISPLAY: "Clear display",
        MessageId.SEE_PHONE: "See phone for instructions",
        MessageId.PRESENT_AGAIN: "Present card again",
    }
)
"""The message identifiers of Book A in words."""


def statements(tag: int, value: bytes, *, kernel: int = 0) -> list[str]:
    """What a value says, one statement a line; empty where nothing is known of the tag.

    ``kernel`` decides where two schemes use one tag for different things (9F6E).
    """
    special = _SPECIAL.get(tag)
    try:
        if tag in _LISTS:
            return _dol(value, kernel)
        if special is not None:
            return special(value)
        if tag == tags.FORM_FACTOR_9F6E:
            return form_factor(value, kernel)
    except (CardError, ValueError, IndexError) as wrong:
        return [f"malformed: {wrong}"]
    if tag in bits.BITS:
        return _bits(tag, value)
    return _by_format(tag, value)


def _bits(tag: int, value: bytes) -> list[str]:
    needed = max(bit.byte for bit in bits.BITS[tag])
    if len(value) < min(needed, 2) and tag != 0x9F27:
        return [f"malformed: {counted(len(value), 'byte')}"]
    return [
        bit.meaning
        for bit in bits.BITS[tag]
        if bit.byte <= len(value) and value[bit.byte - 1] & bit.mask
    ]


def _by_format(tag: int, value: bytes) -> list[str]:
    """A value of an unlisted tag, by the format of the dictionary."""
    info = tags.TAGS.get(tag)
    if info is None or not value or tag in ACCOUNT_TAGS:
        return []
    if info.format in {"an", "ans"}:
        shown = text(value)
        return [f'"{shown}"'] if shown else []
    return []


def _cvm_code(code: int) -> str:
    return bits.CVM_METHODS.get(code & 0x3F, f"Unknown CVM {code & 0x3F:02X}")


def _cvm_list(value: bytes) -> list[str]:
    found = parse_cvm_list(value)
    said = [f"X = {found.amount_x}, Y = {found.amount_y} (minor units)"]
    for number, rule in enumerate(found.rules, 1):
        condition = bits.CVM_CONDITIONS.get(rule.condition, f"Condition {rule.condition:02X}")
        then = "apply the next rule if it fails" if rule.code & 0x40 else "fail if it fails"
        said.append(f"{number}. {_cvm_code(rule.code)}; {condition}; {then}")
    return said


def _cvm_results(value: bytes) -> list[str]:
    method, condition, result = value
    return [
        _cvm_code(method),
        bits.CVM_CONDITIONS.get(condition, f"Condition {condition:02X}"),
        bits.CVM_OUTCOMES.get(result, f"Result {result:02X}"),
    ]


def _afl(value: bytes) -> list[str]:
    said = []
    for entry in parse_afl(value):
        several = f"records {entry.first}-{entry.last}"
        which = several if entry.last > entry.first else f"record {entry.first}"
        signed = ""
        if entry.oda_records:
            part = (
                ""
                if entry.oda_records > entry.last - entry.first
                else f"first {entry.oda_records}: "
            )
            signed = f" ({part}offline data authentication)"
        said.append(f"SFI {entry.sfi} {which}{signed}")
    return said


def _dol(value: bytes, kernel: int) -> list[str]:
    said = []
    for entry in dol.parse(value):
        name = name_of(entry.tag, kernel) or "unknown"
        size = counted(entry.length, "byte")
        said.append(f"{tag_bytes(entry.tag).hex().upper()} {name}, {size}")
    return said


def _cryptogram_information(value: bytes) -> list[str]:
    (byte,) = value
    said = [bits.CRYPTOGRAMS.get(byte & 0xC0, "a cryptogram that does not exist")]
    said += _bits(0x9F27, value)
    if byte & 0x07:
        said.append(bits.CRYPTOGRAM_REASONS.get(byte & 0x07, f"reason {byte & 0x07}"))
    return said


def _mobile_cvm(value: bytes) -> list[str]:
    found = (bits.MOBILE_CVM.get((number, byte)) for number, byte in enumerate(value, 1))
    return [said for said in found if said]


def _application_name(value: bytes) -> list[str]:
    """A directory's name is text; another one belongs to a scheme."""
    _, scheme = scheme_of(value)
    directory = value.endswith(b"SYS.DDF01")
    return [f'"{value.decode("ascii", "replace")}"'] if directory else [scheme] if scheme else []


def _date(value: bytes) -> list[str]:
    digits = value.hex()
    if len(value) != 3 or not digits.isdecimal():
        return ["malformed: no date"]
    century = "19" if digits >= "50" else "20"
    return [f"{century}{digits[:2]}-{digits[2:4]}-{digits[4:]}"]


def _time(value: bytes) -> list[str]:
    digits = value.hex()
    return [f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"]


def _amount(value: bytes) -> list[str]:
    return [f"{int(value.hex())} minor units"]


def _currency(value: bytes) -> list[str]:
    try:
        return [Currency.of_number(int(value.hex())).code]
    except TerminalError:
        return [f"currency {value.hex()}"]


def _kernel_id(value: bytes) -> list[str]:
    from_settings = {2: "Mastercard", 3: "Visa", 4: "American Express", 5: "JCB"}
    from_settings |= {6: "Discover", 7: "UnionPay", 8: "kernel 8"}
    return [from_settings.get(int.from_bytes(value), f"kernel {value.hex().upper()}")]


def _tag_list(value: bytes) -> list[str]:
    if value == b"\x82":
        return ["the AIP (82) is signed too"]
    return [f"tags {value.hex().upper()}; EMV allows 82 alone"]


def _priority(value: bytes) -> list[str]:
    rank = value[0] & 0x0F
    said = [f"priority {rank}" if rank else "no priority"]
    return said + (["needs the cardholder's confirmation"] if value[0] & 0x80 else [])


def _counter(value: bytes) -> list[str]:
    return [str(int.from_bytes(value))]


def form_factor(value: bytes, kernel: int) -> list[str]:
    """What was tapped, by 9F6E: Visa's four bytes, or Mastercard's third party data."""
    if kernel != 2 and len(value) == 4:
        kind = value[0] & 0x1F
        said = [bits.VISA_FORM_FACTORS.get(kind, f"form factor {kind}")]
        return said + ([] if value[0] >> 5 else ["version 0"])
    if len(value) < 5:
        return [f"malformed: {counted(len(value), 'byte')}"]
    said = [f"country {value[:2].hex()}", f"unique identifier {value[2:4].hex().upper()}"]
    if not value[2] & 0x80 and len(value) >= 6:
        code = text(value[4:6])
        said.append(bits.MASTERCARD_FORM_FACTORS.get(code, f"device type {code!r}"))
    return said


# Scheme: names and lengths of the parts of 9F10, in order; None is "all that is left".
_ISSUER_DATA: Mapping[str, tuple[tuple[str, int | None], ...]] = MappingProxyType(
    {
        "visa": (
            ("length", 1),
            ("derivation_key_index", 1),
            ("cryptogram_version", 1),
            ("cvr", 4),
            ("issuer_discretionary_data_length", 1),
            ("issuer_discretionary_data", None),
        ),
        "mastercard": (
            ("derivation_key_index", 1),
            ("cryptogram_version", 1),
            ("cvr", 6),
            ("dac_or_icc_dynamic_number", 2),
            ("plaintext_or_encrypted_counters", None),
        ),
        "jcb": (
            ("length", 1),
            ("derivation_key_index", 1),
            ("cryptogram_version", 1),
            ("cvr", 5),
            ("issuer_discretionary_data", None),
        ),
        "amex": (
            ("length", 1),
            ("derivation_key_index", 1),
            ("cryptogram_version", 1),
            ("cvr", 4),
            ("issuer_discretionary_data", None),
        ),
        "discover": (
            ("length", 1),
            ("derivation_key_index", 1),
            ("cryptogram_version", 1),
            ("cvr", 6),
            ("issuer_discretionary_data", None),
        ),
        "unionpay": (
            ("length", 1),
            ("derivation_key_index", 1),
            ("cryptogram_version", 1),
            ("cvr", 4),
            ("algorithm", 1),
            ("issuer_discretionary_data_length", 1),
            ("issuer_discretionary_data", None),
        ),
    }
)
_SCHEME_NAMES = {
    "american express": "amex",
    "expresspay": "amex",
    "maestro": "mastercard",
    "cup": "unionpay",
    "interac": "visa",
}


def issuer_application_data(value: bytes, scheme: str) -> dict[str, bytes]:
    """The parts of 9F10 by name, for a scheme as a person writes it; Visa's where it is unknown."""
    name = scheme.lower()
    layout = _ISSUER_DATA.get(_SCHEME_NAMES.get(name, name), _ISSUER_DATA["visa"])
    found: dict[str, bytes] = {}
    offset = 0
    for part, length in layout:
        end = len(value) if length is None else offset + length
        piece = value[offset:end]
        offset = end
        if piece:
            found[part] = piece
    return found


_LISTS = frozenset({tags.PDOL_9F38, tags.CDOL1_8C, 0x8D, 0x97, 0x9F49, 0x9F4F, 0x9F51})
_SPECIAL: Mapping[int, Callable[[bytes], list[str]]] = MappingProxyType(
    {
        tags.CVM_LIST_8E: _cvm_list,
        tags.CVM_RESULTS_9F34: _cvm_results,
        tags.AFL_94: _afl,
        **dict.fromkeys((0x4F, tags.DF_NAME_84, 0x9F06), _application_name),
        tags.CRYPTOGRAM_INFORMATION_9F27: _cryptogram_information,
        0x9F71: _mobile_cvm,
        tags.DATE_9A: _date,
        tags.EXPIRY_5F24: _date,
        tags.EFFECTIVE_5F25: _date,
        tags.TIME_9F21: _time,
        tags.AMOUNT_9F02: _amount,
        tags.AMOUNT_OTHER_9F03: _amount,
        tags.CURRENCY_5F2A: _currency,
        tags.APPLICATION_CURRENCY_9F42: _currency,
        tags.KERNEL_ID_9F2A: _kernel_id,
        tags.STATIC_DATA_TAGS_9F4A: _tag_list,
        tags.PRIORITY_87: _priority,
        tags.ATC_9F36: _counter,
        0x9F17: lambda value: [f"{int.from_bytes(value)} tries left"],
        tags.TERMINAL_TYPE_9F35: lambda value: [
            bits.TERMINAL_TYPES.get(value[0], f"type {value[0]:02X}")
        ],
        tags.TRANSACTION_TYPE_9C: lambda value: [
            bits.TRANSACTION_TYPES.get(value[0], f"type {value[0]:02X}")
        ],
    }
)
