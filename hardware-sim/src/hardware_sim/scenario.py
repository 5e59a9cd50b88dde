"""Scenarios: what is done to a till, and what it must show, as a small language in TOML.

Rules of this file: a scenario is data, checked whole when it is read; an error names the file,
the line and the column. What a step *does* is in ``play``. The language is described in the
simulator's README; ``VERBS`` below is all of it.

TOML and not YAML: an amount stays text (``12.50`` is no float), ``off`` is no boolean, the card
profiles and the till's own configuration are TOML as well, and Python reads it by itself. What
TOML's reader does not give is places, and ``toml_places`` finds those.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardware_sim.catalogue import card_ids
from hardware_sim.faults import parse_faults
from hardware_sim.toml_places import Path as KeyPath
from hardware_sim.toml_places import Place, places
from terminal.errors import ConfigError

DOORS = ("sim", "pcsc", "pn532")
"""The ways from a card to a till that a scenario can be played on."""

BOOK = Path(__file__).parent / "book"
"""The standard scenario book."""

NOWHERE = Place(0, 0)
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Verb:
    """One kind of step: what its value is, which options go with it, what it is for.

    ``kind`` is ``text``, ``texts`` (one text or a list of them), ``number``, ``table`` or one of
    several words as ``on|off``; empty for a verb without a value, which is written as a text:
    ``"cancel"``.
    """

    kind: str
    meaning: str
    options: Mapping[str, str] = field(default_factory=dict)


VERBS: Mapping[str, Verb] = {
    # What a cashier and a customer do.
    "charge": Verb("text", "asks for a payment of this amount"),
    "cancel": Verb("", "touches Cancel"),
    "done": Verb("", "touches New sale"),
    "do": Verb("text", "does what else the till can, as 'VERB ARGUMENT'"),
    "tap": Verb(
        "texts",
        "holds this card, or these together, to the reader until the till has read it",
        {"fault": "text", "stays": "switch", "seed": "number"},
    ),
    "remove": Verb("", "takes away what lies on the reader"),
    # What the world does.
    "network": Verb("on|off", "brings the way to the acquirer back, or cuts it"),
    "acquirer": Verb("text", "makes the acquirer misbehave, as 'drop_after=1 only=0200'"),
    "acquirer_restarts": Verb(
        "", "breaks the acquirer's connections; it comes back from its books"
    ),
    "acquirer_forgets": Verb("", "ends the acquirer's duplicate window"),
    "forward": Verb("", "sends what waits now, without its back-off"),
    "clock": Verb("text", "moves the till's clock: '+2h', '-1d', '+90s', '+5m'"),
    "pause": Verb("number", "lets so many milliseconds pass"),
    "reader": Verb("plugged|unplugged|killed", "plugs the reader in or out; kills its daemon"),
    "paper": Verb("in|out", "puts paper into the printer, or takes it out"),
    "disk": Verb("free|full", "fills the till's disk, or makes room again"),
    "kill": Verb("", "kills the till's process without warning"),
    "start": Verb("", "starts the till again after a kill"),
    "restart": Verb("", "stops the till as its switch would, and starts it again"),
    "brownout": Verb("", "all processes die at once and come back: till, reader and acquirer"),
    # What must be so. Each waits until it is, or until patience ends.
    "expect": Verb("text", "the till shows this: a prompt, the end of a payment, 'ready'"),
    "says": Verb("texts", "these words stand on the screen"),
    "says_not": Verb("texts", "these words do not stand on the screen"),
    "reason": Verb("texts", "the till's own reason for its last refusal has these words"),
    "money": Verb("yes|no|not yet|not known yet", "what the screen says about the money"),
    "receipt": Verb("texts", "these words stand on the last receipt"),
    "receipts": Verb("number", "so many receipts were printed"),
    "ledger": Verb("texts", "the till's ledger has these payments, oldest first: 'approved 12.50'"),
    "host": Verb("texts", "the acquirer's books have these sales: 'captured 12.50'"),
    "answers": Verb("texts", "the acquirer got these messages: '0200 00'"),
    "waits": Verb("text", "what waits for the acquirer: 'nothing', or '1, 12.50'"),
    "card": Verb("table", "what the ledger kept of the last card: scheme, device, cvm, last4"),
    "apdus": Verb("texts", "the card was sent these commands since the last tap, in this order"),
}
"""The language."""

_OPTION_KINDS: Mapping[str, type] = {"text": str, "number": int, "switch": bool}
_KINDS = {"text": "a text", "texts": "a text or a list of texts", "number": "a whole number"}
_CARD_KEYS = ("scheme", "device", "cvm", "last4")
_KEYS = ("name", "steps", "doors", "till", "each", "authorise_s", "present_s", "why")
_FILE_KEYS = ("group", "why", "scenario", "doors", "till", "authorise_s", "present_s")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its verb, its value, its options, and where it stands."""

    verb: str
    value: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    place: Place = NOWHERE

    def __str__(self) -> str:
        texts = self.value if isinstance(self.value, tuple) else (self.value,)
        shown = [", ".join(map(str, texts))] if self.value is not None else []
        shown += [f"{name}={value}" for name, value in self.options.items()]
        return " ".join([self.verb.replace("_", " "), *shown])


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, ready to be played. ``till`` is a configuration: its tables, by name."""

    name: str
    group: str
    file: Path
    place: Place
    steps: tuple[Step, ...]
    doors: tuple[str, ...] = DOORS
    till: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    authorise_s: float = 15.0
    present_s: float = 60.0

    @property
    def where(self) -> str:
        """File and line, for a person."""
        return f"{self.file.name}:{self.place.line}"


class _File:
    """One file while it is being checked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as cause:
            raise ConfigError(
                f"The scenario file {path} cannot be read ({cause}).", remedy="Check the path."
            ) from cause
        try:
            self.table: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as cause:
            said = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(cause))
            where = f"{path}:{said[2]}:{said[3]}: {said[1]}" if said else f"{path}: {cause}"
            raise ConfigError(f"{where}.", remedy="The file is not TOML.") from cause
        self._places = places(text)

    def place(self, at: KeyPath) -> Place:
        """The place of a path, or of the nearest that has one."""
        while at and at not in self._places:
            at = at[:-1]
        return self._places.get(at, Place(1, 1))

    def wrong(self, at: KeyPath, problem: str, remedy: str = "") -> ConfigError:
        """What to raise about the thing at a path."""
        return ConfigError(f"{self.path}:{self.place(at)}: {problem}", remedy=remedy)


def read_scenarios(path: Path) -> list[Scenario]:
    """The scenarios of a file, or of every ``.toml`` file of a folder, in their order.

    Raises:
        ConfigError: a file cannot be read or something in it is wrong; the message says where.
    """
    if not path.is_dir():
        return _scenarios_of(_File(path))
    files = sorted(path.rglob("*.toml"))
    if not files:
        raise ConfigError(f"The folder {path} holds no scenario.", remedy="Scenarios end in .toml.")
    return [each for file in files for each in _scenarios_of(_File(file))]


def _scenarios_of(file: _File) -> list[Scenario]:
    _refuse_unknown(file, (), file.table, _FILE_KEYS)
    tables = file.table.get("scenario")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise file.wrong(("scenario",), "a file has [[scenario]] tables.")
    group = _text(file, ("group",), file.table.get("group", file.path.stem))
    found: list[Scenario] = []
    names: dict[str, Place] = {}
    for number, table in enumerate(tables):
        at: KeyPath = ("scenario", number)
        _refuse_unknown(file, at, table, _KEYS)
        for row in _rows(file, at, table):
            scenario = _scenario(file, at, table, row, group)
            if scenario.name in names:
                raise file.wrong(
                    (*at, "name"),
                    f"the name {scenario.name!r} is taken, at {names[scenario.name]}.",
                )
            names[scenario.name] = scenario.place
            found.append(scenario)
    return found


def _refuse_unknown(
    file: _File, at: KeyPath, table: Mapping[str, Any], known: Sequence[str]
) -> None:
    for key in table:
        if key not in known:
            raise file.wrong((*at, key), f"{key!r} is no key here.", f"Keys: {', '.join(known)}.")


def _text(file: _File, at: KeyPath, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise file.wrong(at, f"{at[-1]}: expected a text.", "Put it in quotes.")
    return value


def _rows(file: _File, at: KeyPath, table: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of ``each``, which makes one scenario of each; one empty row without it."""
    if "each" not in table:
        return [{}]
    rows = table["each"]
    here: KeyPath = (*at, "each")
    if not isinstance(rows, list) or not rows:
        raise file.wrong(here, "each: expected a list of tables.")
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or row.keys() != rows[0].keys():
            raise file.wrong((*here, number), "each row of 'each' has the same keys.")
        for key, value in row.items():
            if not isinstance(value, str):
                raise file.wrong((*here, number, key), f"{key}: expected a text.", "Use quotes.")
    return rows


def _scenario(
    file: _File, at: KeyPath, table: Mapping[str, Any], row: Mapping[str, str], group: str
) -> Scenario:
    for key in ("name", "steps"):
        if key not in table:
            raise file.wrong(at, f"a scenario needs {key!r}.")
    steps = table["steps"]
    if not isinstance(steps, list) or not steps:
        raise file.wrong((*at, "steps"), "steps: expected a list of steps.")
    merged = {**file.table, **table}
    return Scenario(
        name=_filled(file, (*at, "name"), _text(file, (*at, "name"), table["name"]), row),
        group=group,
        file=file.path,
        place=file.place(at),
        steps=tuple(
            _step(file, (*at, "steps", number), step, row) for number, step in enumerate(steps)
        ),
        doors=_doors(file, at, merged),
        till=_till(file, at, file.table.get("till", {}), table.get("till", {}), row),
        authorise_s=_seconds(file, at, merged, "authorise_s", 15.0),
        present_s=_seconds(file, at, merged, "present_s", 60.0),
    )


def _filled(file: _File, at: KeyPath, text: str, row: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in row:
            raise file.wrong(at, f"{found[0]} is no column of 'each'.")
        return row[found[1]]

    return _PLACEHOLDER.sub(value, text)


def _step(file: _File, at: KeyPath, step: object, row: Mapping[str, str]) -> Step:
    if isinstance(step, str):
        step = {step: None}
    if not isinstance(step, dict) or not step:
        raise file.wrong(at, 'a step is a table like { tap = "visa-credit" }, or a word.')
    name, *options = step
    if name not in VERBS:
        raise file.wrong((*at, name), f"{name!r} is no step.", f"Steps: {', '.join(VERBS)}.")
    verb, here = VERBS[name], (*at, name)
    value = _value(file, here, name, verb.kind, step[name], row)
    checked: dict[str, Any] = {}
    for option in options:
        if option not in verb.options:
            known = ", ".join(verb.options) or "none"
            raise file.wrong(
                (*at, option), f"{option!r} is no option of {name}.", f"Known: {known}."
            )
        kind = _OPTION_KINDS[verb.options[option]]
        if type(step[option]) is not kind:
            raise file.wrong((*at, option), f"{option}: expected a {verb.options[option]}.")
        given = step[option]
        checked[option] = _filled(file, at, given, row) if isinstance(given, str) else given
    if name == "tap":
        _check_tap(file, here, value, checked)
    return Step(name, value, checked, file.place(at))


def _value(
    file: _File, at: KeyPath, name: str, kind: str, value: object, row: Mapping[str, str]
) -> Any:
    if kind == "":
        if value is not None:
            raise file.wrong(at, f"{name} takes no value.", f'Write "{name}".')
        return None
    if kind == "number":
        if type(value) is not int or value < 0:
            raise file.wrong(at, f"{name}: expected {_KINDS[kind]}.")
        return value
    if kind == "table":
        return _card(file, at, value, row)
    texts = value if isinstance(value, list) and kind == "texts" else [value]
    filled = tuple(_filled(file, at, text, row) for text in texts if isinstance(text, str))
    if len(filled) < len(texts):
        words = _KINDS.get(kind, f"one of {kind}")
        raise file.wrong(at, f"{name}: expected {words}.", "Put it in quotes.")
    if kind == "texts":
        return filled
    if kind != "text" and filled[0] not in kind.split("|"):
        raise file.wrong(at, f"{name}: expected one of {kind}, not {filled[0]!r}.")
    return filled[0]


def _card(file: _File, at: KeyPath, value: object, row: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise file.wrong(at, "card: expected a table.")
    _refuse_unknown(file, at, value, _CARD_KEYS)
    return {
        key: _filled(file, (*at, key), _text(file, (*at, key), text), row)
        for key, text in value.items()
    }


def _check_tap(file: _File, at: KeyPath, cards: Sequence[str], options: Mapping[str, Any]) -> None:
    try:
        parse_faults(options.get("fault", ""))
    except ConfigError as wrong:
        raise file.wrong((*at[:-1], "fault"), wrong.message, wrong.remedy) from wrong
    for card in cards:
        if not card.endswith(".toml") and card not in card_ids():
            raise file.wrong(
                at, f"there is no simulated card {card!r}.", f"Cards: {', '.join(card_ids())}."
            )


def _doors(file: _File, at: KeyPath, table: Mapping[str, Any]) -> tuple[str, ...]:
    doors = table.get("doors", list(DOORS))
    if not isinstance(doors, list) or not doors or not set(doors) <= set(DOORS):
        raise file.wrong((*at, "doors"), f"doors: expected some of {', '.join(DOORS)}.")
    return tuple(doors)


def _seconds(file: _File, at: KeyPath, table: Mapping[str, Any], key: str, default: float) -> float:
    value = table.get(key, default)
    if type(value) not in {int, float} or not 0 < value <= 600:
        raise file.wrong((*at, key), f"{key}: expected seconds, up to 600.")
    return float(value)


def _till(
    file: _File, at: KeyPath, base: object, own: object, row: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The till's configuration: the file's, and the scenario's over it, key by key."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        raise file.wrong((*at, "till"), "till: expected tables of the till's configuration.")
    merged: dict[str, dict[str, Any]] = {}
    for section in {**base, **own}:
        here: KeyPath = (*at, "till", section)
        below, above = base.get(section, {}), own.get(section, {})
        if not isinstance(below, dict) or not isinstance(above, dict):
            raise file.wrong(here, f"till.{section}: expected a table.")
        merged[section] = {
            key: _filled(file, (*here, key), value, row) if isinstance(value, str) else value
            for key, value in {**below, **above}.items()
        }
    return merged
