"""``replay:`` readers: a recorded dialogue presented as a card.

Rules of this file: a transcript answers what was recorded and invents nothing but a status word.
The two formats are those of ``terminal.emv.transcript``.

``replay:tap.json`` wants the recorded commands byte for byte and in their order.
``replay:tap.json?lenient=1`` also takes commands out of order, and does not look at the data
that a terminal fills in by itself (processing options, cryptograms).
"""

from __future__ import annotations

import operator
import re
from pathlib import Path
from urllib.parse import parse_qsl

from drivers.registry import FoundReader
from hardware_sim.field import Field, Presence, SimulatedReader
from terminal.emv.apdu import Command
from terminal.emv.transcript import Transcript, parse_transcript
from terminal.errors import CardLost, ConfigError, ReaderAddressWrong
from terminal.ports import Reader

_OPTIONS = {
    "lenient": "1 to take commands out of order and with other terminal data",
    "times": "how often the card is presented; without it, always",
}
# GET PROCESSING OPTIONS, GENERATE AC, COMPUTE CRYPTOGRAPHIC CHECKSUM, INTERNAL AUTHENTICATE and
# EXCHANGE RELAY RESISTANCE DATA hold the terminal's random number.
_TERMINAL_FILLS_IN = frozenset({0xA8, 0xAE, 0x2A, 0x88, 0xEA})
_NOT_THERE = {0xA4: 0x6A82, 0xB2: 0x6A83, 0xCA: 0x6A88}
_UNKNOWN = 0x6D00


class TranscriptChip:
    """A card that answers from a transcript. Each presentation begins it again."""

    def __init__(self, transcript: Transcript, *, lenient: bool = False) -> None:
        self._transcript = transcript
        self._lenient = lenient
        self._at = 0

    def reset(self) -> None:
        """Begins again."""
        self._at = 0

    def exchange(self, command: bytes) -> bytes:
        """The recorded answer.

        Raises:
            CardLost: it was lost here, or the transcript is exact and has no such command here.
        """
        found = self._find(command)
        if found is None:
            return self._otherwise(command)
        self._at = found + 1
        answer = self._transcript.exchanges[found].response
        if answer is None:
            raise CardLost(f"The card of {self._transcript.name} was lost here.")
        return answer

    def _find(self, command: bytes) -> int | None:
        exchanges = self._transcript.exchanges
        due = exchanges[self._at] if self._at < len(exchanges) else None
        if not self._lenient:
            return self._at if due and (due.command is None or due.command == command) else None
        order: list[int] = [*range(self._at, len(exchanges)), *range(self._at)]
        for same in (operator.eq, _is_alike):
            for index in order:
                recorded = exchanges[index].command
                if recorded is not None and same(recorded, command):
                    return index
        # What was recorded for "any command" only stands in for its turn.
        return self._at if due and due.command is None else None

    def _otherwise(self, command: bytes) -> bytes:
        if self._transcript.otherwise is not None:
            return self._transcript.otherwise
        try:
            parsed = Command.decode(command)
        except ValueError:
            return (0x6700).to_bytes(2, "big")
        if self._lenient:
            return _NOT_THERE.get(parsed.ins, _UNKNOWN).to_bytes(2, "big")
        raise CardLost(
            f"{self._transcript.name} has no such {parsed.name} as exchange {self._at + 1}.",
            remedy="Add ?lenient=1 to the address to replay it with other terminal data.",
        )


def _is_alike(recorded: bytes, command: bytes) -> bool:
    try:
        one, other = Command.decode(recorded), Command.decode(command)
    except ValueError:
        return False
    heads = ((each.cla, each.ins, each.p1, each.p2) for each in (one, other))
    return next(heads) == next(heads) and (one.data == other.data or one.ins in _TERMINAL_FILLS_IN)


def read_transcript(path: Path) -> Transcript:
    """Reads a transcript; the ending of the name tells the format.

    Raises:
        ReaderAddressWrong: the file cannot be read or is no transcript; the message says where.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ReaderAddressWrong(
            f"The transcript {path} cannot be read: {cause}.", remedy="Check the path."
        ) from cause
    if path.suffix not in {".json", ".apdu"}:
        raise ReaderAddressWrong(f"The transcript {path} ends neither in .json nor in .apdu.")
    if path.suffix == ".json" and not text.lstrip().startswith(("{", "[")):
        raise ReaderAddressWrong(f"The transcript {path} is no JSON.")
    try:
        return parse_transcript(text, str(path))
    except ConfigError as wrong:
        raise ReaderAddressWrong(wrong.message, remedy=wrong.remedy) from wrong


def open_reader(url: str) -> Reader:
    """Opens ``replay:FILE`` or ``replay:FILE?OPTIONS``.

    Raises:
        ReaderAddressWrong: no such file or option, or the file is no transcript.
    """
    name, _, query = url.removeprefix("replay:").partition("?")
    options = {"lenient": "0", "times": ""}
    for option, value in parse_qsl(query, keep_blank_values=True):
        if option not in options or not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
            listed = "; ".join(f"{each}: {meaning}" for each, meaning in _OPTIONS.items())
            raise ReaderAddressWrong(
                f"The reader address {url!r}: {option}={value!r} is no option of replay:.",
                remedy=f"Options: {listed}.",
            )
        options[option] = value
    if not name:
        raise ReaderAddressWrong(
            "The reader address 'replay:' names no file.", remedy="Write replay:tap.json."
        )
    transcript = read_transcript(Path(name))
    chip = TranscriptChip(transcript, lenient=options["lenient"] != "0")
    left = int(options["times"]) if options["times"] else None

    def supply() -> Presence | None:
        nonlocal left
        if left == 0:
            return None
        left = None if left is None else left - 1
        return Presence(chip, title=Path(name).name, leaves_on_release=True)

    return SimulatedReader(Field(), f"Replay of {Path(name).name}", supply=supply)


def discover() -> list[FoundReader]:
    """Nothing: a transcript has to be named."""
    return []
