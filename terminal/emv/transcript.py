"""Recorded card dialogues as text: JSON, and lines of commands and answers.

Rules of this file: text in, values out; a wrong file is told where it is wrong and nothing of what
is in it, since a dialogue may hold an account. JSON: an object whose ``exchanges`` is a list of
objects with ``command`` and ``response`` in hexadecimal; a ``null`` command stands for any, a
``null`` response for a lost card. Lines: ``>`` begins a command and ``<`` its answer, with ``*``
for any command and ``-`` for a lost card; ``#`` begins a comment.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from terminal.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded command and its answer; None for any command, and for a lost card."""

    command: bytes | None = field(repr=False)
    response: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A recorded dialogue.

    ``otherwise`` is the recorded answer to what the card did not know; ``stated`` is the whole
    object of a JSON file, with whatever else its maker says in it.
    """

    name: str
    exchanges: tuple[Exchange, ...]
    otherwise: bytes | None = field(default=None, repr=False)
    stated: dict[str, Any] = field(default_factory=dict, repr=False)


def parse_transcript(text: str, where: str) -> Transcript:
    """Reads a dialogue from the text of a file; ``where`` names it in messages.

    Raises:
        ConfigError: it is no dialogue; the message says where.
    """
    if text.lstrip().startswith(("{", "[")):
        return _from_json(where, text)
    return Transcript(where.rpartition("/")[2], _from_lines(where, text))


def _from_json(path: str, text: str) -> Transcript:
    try:
        table = json.loads(text)
    except ValueError as cause:
        raise ConfigError(f"The transcript {path} is no JSON: {cause}.") from cause
    recorded = table.get("exchanges") if isinstance(table, dict) else None
    if not isinstance(recorded, list) or not recorded:
        raise ConfigError(f"The transcript {path} has no list of exchanges.")
    exchanges = []
    for number, each in enumerate(recorded, 1):
        if not isinstance(each, dict) or not {"command", "response"} <= each.keys():
            raise ConfigError(f"{path}: exchange {number} lacks a command or a response.")
        where = f"{path}: exchange {number}"
        exchanges.append(_exchange(where, each["command"], each["response"]))
    terminal = table.get("terminal")
    otherwise = terminal.get("unknown_command_answer") if isinstance(terminal, dict) else None
    answer = _bytes(f"{path}: unknown_command_answer", otherwise, least=2)
    return Transcript(path.rpartition("/")[2], tuple(exchanges), answer, table)


def _from_lines(path: str, text: str) -> tuple[Exchange, ...]:
    exchanges = []
    command: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        where, value = f"{path}: line {number}", content[1:].strip()
        if content[0] == ">" and command is None:
            command = value
        elif content[0] == "<" and command is not None:
            any_command, lost = command == "*", value == "-"
            exchanges.append(
                _exchange(where, None if any_command else command, None if lost else value)
            )
            command = None
        else:
            raise ConfigError(f"{where}: expected > and < by turns.")
    if command is not None or not exchanges:
        raise ConfigError(f"{path}: the transcript ends without an answer.")
    return tuple(exchanges)


def _exchange(where: str, command: object, response: object) -> Exchange:
    return Exchange(_bytes(where, command, least=4), _bytes(where, response, least=2))


def _bytes(where: str, value: object, *, least: int) -> bytes | None:
    if value is None:
        return None
    text = re.sub(r"\s", "", value) if isinstance(value, str) else ""
    if not re.fullmatch(rf"([0-9A-Fa-f]{{2}}){{{least},}}", text):
        # The value stays out of the message: a recorded dialogue holds a card number.
        raise ConfigError(f"{where}: expected at least {least} bytes in hexadecimal.")
    return bytes.fromhex(text)
