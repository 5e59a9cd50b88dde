"""The terminal of a recorded dialogue: as its file states it, or one that fits what it sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime

from hardware_sim.conformance import kernel_settings
from hardware_sim.conformance.capk import trusted
from hardware_sim.conformance.case import Json, unhex, upper
from terminal.emv import tags, witness
from terminal.emv.entry_point import KERNELS
from terminal.emv.oda import CaKeys
from terminal.emv.settings import Combination, ReaderSettings, TransactionRequest
from terminal.emv.witness import Seen
from terminal.errors import TerminalError
from terminal.money import Amount, Currency

_DEFAULT_KERNELS = {
    "A000000003": 3,
    "A000000004": 2,
    "A000000025": 4,
    "A000000065": 5,
    "A000000152": 6,
    "A000000324": 6,
    "A000000333": 7,
}


def stated_terminal(content: Json) -> tuple[TransactionRequest, ReaderSettings]:
    """Request and settings from the terminal that a dialogue states."""
    terminal = content["terminal"]
    moment = terminal.get("9A", "000101") + terminal.get("9F21", "000000")
    request = TransactionRequest(
        Amount(int(terminal["9F02"]), Currency.of_number(int(terminal["5F2A"]))),
        datetime.strptime(moment, "%y%m%d%H%M%S").replace(tzinfo=UTC),
        unhex(terminal.get("9F37", "00000000")),
        int(terminal.get("9C", "00"), 16),
        int(terminal.get("9F03") or 0),
    )
    configuration = terminal["configuration"]
    general = dict(configuration.get("terminal", {}))
    combinations, values = [], dict(general)
    for name, kernel in configuration.items():
        if not name.startswith("kernel_"):
            continue
        transaction = kernel["transaction_config"]
        own = {**kernel.get("config", {}), **kernel.get("application_config", {})}
        own |= {**transaction.get("config", {}), **kernel.get("override", {})}
        values |= {tag: value for tag, value in own.items() if value}
        made = kernel_settings.combination(kernel["kernelId"], transaction, own, kernel)
        combinations.append(made)
    return request, ReaderSettings(
        country_number=int(values["9F1A"]),
        combinations=tuple(combinations),
        terminal_type=int(values["9F35"], 16),
        capabilities=unhex(
            values.get("9F33") or values["DF8117"] + values["DF8119"] + values["DF811F"]
        ),
        additional_capabilities=unhex(values["9F40"]),
        ca_keys=(trusted(content.get("ca_public_keys")) or [CaKeys()])[0],
        luhn_required=False,
        data=_data_objects(values),
    )


def _data_objects(values: Json) -> dict[int, bytes]:
    """The terminal's own data objects, by tag; those that settings have a name for left out."""
    named = {0x9F1A, 0x9F33, 0x9F35, 0x9F40, 0x9F66, 0x9C, 0x9A, 0x5F2A, 0x5F36, 0x9F09}
    found = {int(tag, 16): unhex(value) for tag, value in values.items() if value}
    return {tag: value for tag, value in found.items() if tag not in named}


def fitting_terminal(
    content: Json, seen: Sequence[Seen]
) -> tuple[TransactionRequest, ReaderSettings]:
    """A terminal that sends what the recording one sent, as far as it can be seen."""
    values: dict[int, bytes] = {}
    for each in seen:
        values = witness.terminal_values(each) | values
    day = values.get(tags.DATE_9A, bytes.fromhex("160101")).hex()
    try:
        at = datetime.strptime(day, "%y%m%d").replace(tzinfo=UTC)
    except ValueError:
        at = datetime(2016, 1, 1, tzinfo=UTC)
    try:
        currency = Currency.of_number(_number(values.get(tags.CURRENCY_5F2A)) or 978)
    except TerminalError:
        currency = Currency.of("EUR")
    number = values.get(tags.UNPREDICTABLE_NUMBER_9F37, b"")
    request = TransactionRequest(
        Amount(_number(values.get(tags.AMOUNT_9F02)) or 1, currency),
        at,
        number if len(number) == 4 else bytes.fromhex("01020304"),
    )
    names = dict.fromkeys(each.selected for each in seen)
    combinations = tuple(
        _guessed_combination(name, kernel, values)
        for name in names
        if 5 <= len(name) <= 16 and (kernel := _kernel_of(name, seen)) in KERNELS
    )
    if any(each.checksums for each in seen):
        # The recording terminal took the card in mag-stripe mode, so this one does too.
        combinations = tuple(replace(each, mag_stripe_mode=True) for each in combinations)
    if not combinations:
        combinations = (Combination(bytes.fromhex("A0000000031010"), 3, "Visa"),)
    stores = trusted(content.get("ca_public_keys"))
    kind = values.get(tags.TERMINAL_TYPE_9F35, b"\x22")[0]
    return request, ReaderSettings(
        country_number=_number(values.get(tags.COUNTRY_9F1A)) % 1000 or 250,
        combinations=combinations,
        terminal_type=kind if kind >> 4 in {1, 2, 3} and 1 <= kind & 0x0F <= 6 else 0x22,
        ca_keys=stores[0] if stores else CaKeys(),
        luhn_required=False,
        data={tag: value for tag, value in values.items() if tag in tags.DOL_WHITELIST},
    )


def _number(digits: bytes | None) -> int:
    """A number in BCD; 0 where the recording has none, or something else in its place."""
    text = (digits or b"").hex()
    return int(text) if text.isdecimal() else 0


def _kernel_of(name: bytes, seen: Sequence[Seen]) -> int:
    """The kernel of an application: by its RID, else by what its PDOL asks for."""
    known = _DEFAULT_KERNELS.get(upper(name[:5]))
    if known:
        return known
    lists = [each.first(tags.PDOL_9F38) for each in seen if name in {each.df_name, each.selected}]
    asks = any(each and b"\x9f\x66" in each for each in lists)
    beside = any(upper(each.selected[:5]) in _DEFAULT_KERNELS for each in seen)
    return 3 if asks or beside else 0


def _guessed_combination(name: bytes, kernel: int, values: dict[int, bytes]) -> Combination:
    stated = {
        "aid": name,
        "kernel_id": kernel,
        "scheme": f"kernel {kernel}",
        "floor_limit_minor": None,
        "cvm_limit_minor": 5000,
        # The recording terminals are older than the protocol.
        "relay_resistance_in_tvr": False,
    }
    if tags.TTQ_9F66 in values:
        stated["ttq"] = values[tags.TTQ_9F66]
    known = {each.name for each in fields(Combination)}
    return Combination(**{key: value for key, value in stated.items() if key in known})  # type: ignore[arg-type]  # one name, one type
