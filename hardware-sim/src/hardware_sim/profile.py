"""Card profiles: one simulated card in one TOML file.

Rules of this file: a profile is data, checked key by key when it is read; an error names the
file, the section and the key. ``extends = "visa-credit"`` takes everything from another profile,
and what the file says itself comes on top, key by key.

The sections are the classes below and their keys are the fields: ``[card]`` is ``Face``,
``[radio]`` is ``Radio``, ``[account]`` is ``Account``, ``[application]`` is ``Application`` and
``[behaviour]`` is ``Behaviour``. A field without a default must be given. Bytes are written in
hexadecimal; a table of data objects has tags as keys: ``"9F07" = "FF80"``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from hardware_sim.ber import read_dol
from hardware_sim.ca import KEY_SETS
from hardware_sim.issuer import TERMINAL_INPUT, VERSIONS
from terminal.errors import ConfigError

_PRESENTS = "card|tag|several|unreadable"
_FLOWS = "gpo|generate-ac"
_SCHEMES = "|".join(VERSIONS)
_DECISIONS = "online|offline|decline"
_DEVICES = "card|phone|watch|fob|tag"
_STATUSES = "good|blocked|lost|stolen|closed"
_KEY_SETS = "|".join(KEY_SETS)
_SIGNS = "dynamic|static|no"
ERRORS = (
    "wrong-ca",
    "unknown-ca",
    "revoked-issuer",
    "expired-issuer",
    "bad-signature",
    "bad-cryptogram",
    "pan-differs",
    "no-expiry",
    "no-track2",
    "lost-record",
    "empty-record",
    "broken-record",
    "refuses-sale",
)
"""What may be wrong with a card on purpose: see ``personalisation`` and ``card``."""
_CVMS = "none|signature|online-pin|device"
_ERROR = f"({'|'.join(ERRORS)})"
_ERRORS = f"({_ERROR}( {_ERROR})*)?"


def _like(pattern: str, hint: str, default: str | None = None, *, shown: bool = True) -> Any:
    metadata = {"pattern": pattern, "hint": hint}
    return field(default=MISSING if default is None else default, repr=shown, metadata=metadata)


def _between(least: int, most: int, default: int) -> Any:
    return field(default=default, metadata={"least": least, "most": most})


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What a person sees. ``presents`` says what a reader makes of it; ``order`` sorts the bench.

    A card with ``bench = false`` is not among the pictures there, and is tapped by its name.
    ``reason`` belongs to an unreadable card. ``answer_ms`` is how long it takes over an answer
    when nothing else is asked for.
    """

    title: str
    subtitle: str
    colour: str = _like(r"#[0-9A-F]{6}", "a colour like #1A1F71")
    scheme: str = ""
    presents: str = _like(_PRESENTS, f"one of {_PRESENTS}", "card")
    device: str = _like(_DEVICES, f"one of {_DEVICES}", "card")
    bench: bool = True
    reason: str = ""
    order: int = _between(0, 999, 500)
    answer_ms: int = _between(0, 60_000, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Radio:
    """How it answers on the air (ISO/IEC 14443-3 and -4). ``technology`` is for a person."""

    technology: str = "ISO 14443-4 A"
    type: str = _like("A|B|F", "one of A|B|F", "A")
    uid: bytes = bytes.fromhex("08A1B2C3")
    atqa: bytes = bytes.fromhex("0400")
    sak: bytes = bytes.fromhex("20")
    ats: bytes = bytes.fromhex("0578807002")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The test card number and what is printed beside it. ``expiry`` is YYMM.

    ``status`` is what the issuer thinks of it; with a ``balance`` (minor units, 0 or more) it is a
    prepaid card, and each till that it is shown at may spend that much.
    """

    pan: str = _like("[0-9]{12,19}", "12 to 19 digits", shown=False)
    expiry: str = _like("[0-9]{2}(0[1-9]|1[0-2])", "a year and a month like 3112")
    sequence: int = _between(0, 99, 1)
    service_code: str = _like("[0-9]{3}", "3 digits", "201")
    discretionary: str = _like("[0-9]{0,13}", "up to 13 digits", "0000000000", shown=False)
    status: str = _like(_STATUSES, f"one of {_STATUSES}", "good")
    balance: int = _between(-1, 10**12, -1)

    @property
    def track2(self) -> bytes:
        """Track 2 equivalent data, tag 57, padded to whole bytes."""
        text = f"{self.pan}D{self.expiry}{self.service_code}{self.discretionary}"
        return bytes.fromhex(text + "F" * (len(text) % 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The payment application. ``flow`` says which command brings the cryptogram.

    ``fci`` goes into the answer to SELECT, ``gpo`` into the answer to GET PROCESSING OPTIONS of
    the ``gpo`` flow, ``record`` into the record that the card's certificate covers, ``entry``
    into the directory of a contactless card (PPSE), unless it is not ``listed`` there.

    ``signs`` is how the card proves that it is genuine: ``dynamic`` (fast DDA or CDA, by its flow),
    ``static`` (SDA) or ``no``; ``key_set`` is how long the keys are. ``errors`` are names from
    ``ERRORS`` with spaces between them: what is wrong with this card on purpose.
    """

    aid: bytes
    label: str
    keys: str = _like(_SCHEMES, f"one of {_SCHEMES}")
    flow: str = _like(_FLOWS, f"one of {_FLOWS}")
    cvn: int
    aip: bytes
    pdol: bytes = b""
    cdol1: bytes = b""
    priority: int = _between(1, 15, 1)
    signs: str = _like(_SIGNS, f"one of {_SIGNS}", "dynamic")
    key_set: str = _like(_KEY_SETS, f"one of {_KEY_SETS}", "standard")
    listed: bool = True
    errors: str = _like(_ERRORS, f"names of {', '.join(ERRORS)}", "")
    relay: bytes = bytes.fromhex("000000C80012")
    fci: Mapping[int, bytes] = field(default_factory=dict)
    gpo: Mapping[int, bytes] = field(default_factory=dict)
    record: Mapping[int, bytes] = field(default_factory=dict)
    entry: Mapping[int, bytes] = field(default_factory=dict)

    def has_error(self, name: str) -> bool:
        """Whether this is wrong with the card on purpose."""
        return name in self.errors.split()

    def spoiled_record(self, record: bytes) -> bytes:
        """The record as this card gives it: whole, empty, or cut off near its end."""
        if self.has_error("empty-record"):
            return record[:1] + b"\x00"
        return record[:-3] if self.has_error("broken-record") else record


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What the card decides. A ``locked`` one refuses until its owner has unlocked it."""

    decision: str = _like(_DECISIONS, f"one of {_DECISIONS}", "online")
    cvm: str = _like(_CVMS, f"one of {_CVMS}", "signature")
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One simulated card. ``account`` and ``application`` come together or not at all.

    ``also`` are further applications on the same chip: each is the account and application of
    another profile, as a co-badged card has them.
    """

    id: str
    card: Face
    radio: Radio = Radio()
    account: Account | None = None
    application: Application | None = None
    behaviour: Behaviour = Behaviour()
    also: tuple[Profile, ...] = ()


T = TypeVar("T")


def read_profile(path: Path, find: Callable[[str], Path]) -> Profile:
    """Reads one profile and those that it extends.

    Args:
        path: the TOML file; its name without ``.toml`` is the card's id.
        find: gives the file of a profile that ``extends`` names.

    Raises:
        ConfigError: a file cannot be read, or a key is unknown, missing or wrong.
    """
    table = _merged(path, find, ())
    also = table.pop("also", [])
    known = {"also", "card", "radio", "account", "application", "behaviour"}
    _refuse_unknown(path, "the file", table, known)
    if ("account" in table) != ("application" in table):
        raise ConfigError(f"{path.name}: [account] and [application] come together.")
    paying = "account" in table
    profile = Profile(
        id=path.stem,
        card=_section(path, "card", table, Face),
        radio=_section(path, "radio", table, Radio),
        account=_section(path, "account", table, Account) if paying else None,
        application=_section(path, "application", table, Application) if paying else None,
        behaviour=_section(path, "behaviour", table, Behaviour),
        also=_others(path, also, find),
    )
    _check_payment(path, profile)
    return profile


def _others(path: Path, names: object, find: Callable[[str], Path]) -> tuple[Profile, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{path.name}: also: expected a list of names of profiles.")
    others = tuple(read_profile(find(name), find) for name in names)
    if any(other.application is None or other.also for other in others):
        raise ConfigError(f"{path.name}: also: each has to be a card with one application.")
    return others


@lru_cache(maxsize=256)
def _parsed(text: str) -> dict[str, Any]:
    """A file's tables; nobody changes them, since a card is merged into new ones."""
    return tomllib.loads(text)


def _merged(path: Path, find: Callable[[str], Path], seen: tuple[Path, ...]) -> dict[str, Any]:
    if path in seen:
        raise ConfigError(f"{path.name}: extends: the profiles extend each other in a circle.")
    try:
        table = dict(_parsed(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise ConfigError(f"{path.name}: the card profile cannot be read: {cause}.") from cause
    base = table.pop("extends", None)
    if base is None:
        return table
    if not isinstance(base, str):
        raise ConfigError(f"{path.name}: extends: expected the name of a profile.")
    return _over(_merged(find(base), find, (*seen, path)), table)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        # mypy does not see through ``both``.
        result[key] = _over(under, value) if both else value  # type: ignore[arg-type]
    return result


def _refuse_unknown(path: Path, where: str, table: Mapping[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(
                f"{path.name}: {where} has an unknown key {key!r}.",
                remedy=f"Known here: {', '.join(sorted(known))}.",
            )


# Asked for five times for each card, and there are many.
_hints: Callable[[type], dict[str, Any]] = cache(get_type_hints)


def _section(path: Path, name: str, table: Mapping[str, Any], kind: type[T]) -> T:
    given = table.get(name, {})
    if not isinstance(given, dict):
        raise ConfigError(f"{path.name}: {name}: expected a section [{name}].")
    hints = _hints(kind)
    # Every section is a dataclass, which a type variable cannot say.
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    _refuse_unknown(path, f"[{name}]", given, set(known))
    values = {}
    for key, item in known.items():
        where = f"{path.name}: [{name}] {key}"
        if key in given:
            values[key] = _value(where, given[key], hints[key], item.metadata)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f"{where}: is missing.")
    return kind(**values)


def _value(where: str, value: object, hint: object, metadata: Mapping[str, Any]) -> object:
    if hint is bytes:
        return _hex(where, value)
    if hint not in {str, int, bool}:
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: expected a table of tags, like {{ 9F07 = 'FF80' }}.")
        return {
            int.from_bytes(_hex(f"{where}.{tag}", tag), "big"): _hex(f"{where}.{tag}", item)
            for tag, item in value.items()
        }
    # A bool is an int to Python, and a card number written as a number would lose its zeros.
    if type(value) is not hint:
        names = {str: "text in quotes", int: "a whole number", bool: "true or false"}
        raise ConfigError(f"{where}: expected {names[hint]}.")
    if isinstance(value, str) and "pattern" in metadata:
        if not re.fullmatch(metadata["pattern"], value, re.ASCII):
            raise ConfigError(f"{where}: expected {metadata['hint']}.")
    elif isinstance(value, int) and "least" in metadata:
        least, most = metadata["least"], metadata["most"]
        if not least <= value <= most:
            raise ConfigError(f"{where}: expected {least} to {most}.")
    return value


def _hex(where: str, value: object) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(r"([0-9A-F]{2})*", value):
        raise ConfigError(f"{where}: expected pairs of hexadecimal digits 0-9, A-F in quotes.")
    return bytes.fromhex(value)


def _check_payment(path: Path, profile: Profile) -> None:
    application, account = profile.application, profile.account
    if application is None or account is None:
        return
    where = f"{path.name}: [application]"
    if not 5 <= len(application.aid) <= 16:
        raise ConfigError(f"{where} aid: expected 5 to 16 bytes.")
    if len(application.aip) != 2:
        raise ConfigError(f"{where} aip: expected 2 bytes.")
    if application.flow == "gpo" and not application.pdol:
        raise ConfigError(f"{where} pdol: the gpo flow needs one.")
    if application.flow == "generate-ac" and not application.cdol1:
        raise ConfigError(f"{where} cdol1: the generate-ac flow needs one.")
    if application.cvn not in VERSIONS[application.keys]:
        known = ", ".join(map(str, VERSIONS[application.keys]))
        raise ConfigError(f"{where} cvn: the issuer knows {known}.")
    for name, dol in (("pdol", application.pdol), ("cdol1", application.cdol1)):
        try:
            asked = {tag for tag, _ in read_dol(dol)}
        except ValueError as cause:
            raise ConfigError(f"{where} {name}: {cause}.") from cause
        decides = (name == "pdol") == (application.flow == "gpo")
        needed = TERMINAL_INPUT | ({0x9F66} if name == "pdol" else set())
        missing = needed - asked if decides else frozenset()
        if missing:
            tags = ", ".join(f"{tag:X}" for tag in sorted(missing))
            raise ConfigError(f"{where} {name}: the cryptogram needs {tags} too.")
    digits = [int(figure) for figure in reversed(account.pan)]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    if (sum(digits[0::2]) + sum(doubled)) % 10:
        raise ConfigError(f"{path.name}: [account] pan: the check digit is wrong.")
