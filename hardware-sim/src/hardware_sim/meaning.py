"""What a card was asked and what it said, in a person's words and without card data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from drivers.door import Chip
from hardware_sim.issuer import ISSUERS
from terminal.emv.apdu import Command
from terminal.emv.selection import PPSE
from terminal.emv.tlv import decode, first
from terminal.errors import CardError, CardLost, ReaderUnplugged

MEANINGS: Mapping[int, str] = MappingProxyType(
    {
        0x9000: "ok",
        0x6700: "wrong length",
        0x6984: "try another interface",
        0x6985: "not now",
        0x6986: "not allowed, look at the phone",
        0x6A80: "wrong data",
        0x6A81: "blocked",
        0x6A82: "not on this card",
        0x6A83: "no such record",
        0x6A86: "wrong parameters",
        0x6A88: "no such data object",
        0x6D00: "unknown command",
        0x6E00: "unknown class",
    }
)
"""Status words of a contactless card (EMV Book 1, 11; Contactless Book B for 6984 and 6986)."""

SCHEMES: Mapping[bytes, str] = MappingProxyType(
    {issuer.rid: scheme for scheme, issuer in ISSUERS.items()}
)
"""Schemes by the five bytes that their applications begin with."""

_OK = b"\x90\x00"
_MALFORMED = "Malformed command"
_SELECT, _READ_RECORD = 0xA4, 0xB2
_DECIDING = frozenset({0xA8, 0xAE})
_CID_9F27 = 0x9F27
_DECISIONS = {0x00: "the card declines", 0x40: "the card approves", 0x80: "the card asks its bank"}


def name_of(command: bytes) -> str:
    """The command's name, and what identifies it where that is no card data."""
    try:
        return _named(Command.decode(command))
    except ValueError:
        return _MALFORMED


def _named(parsed: Command) -> str:
    if parsed.ins == _READ_RECORD:
        return f"{parsed.name} {parsed.p1} of file {parsed.p2 >> 3}"
    return parsed.name


def told(command: bytes, answer: bytes) -> str:
    """One exchange in a line for a person: what was asked, and what came of it."""
    try:
        parsed = Command.decode(command)
    except ValueError:
        return f"{_MALFORMED}: {status_of(answer)}"
    asked = _named(parsed)
    if parsed.ins == _SELECT:
        chosen = SCHEMES.get(parsed.data[:5], "an application")
        asked += " the list of applications" if parsed.data == PPSE else f" {chosen}"
    if answer[-2:] != _OK:
        return f"{asked}: {status_of(answer)}"
    decided = _decision(answer[:-2]) if parsed.ins in _DECIDING else ""
    return f"{asked}: {decided or f'ok, {len(answer) - 2} bytes'}"


def _decision(data: bytes) -> str:
    """What the cryptogram information data (9F27) say, where an answer has them."""
    try:
        found = first(decode(data), _CID_9F27)
    except CardError:
        return ""
    return _DECISIONS.get(found.value[0] & 0xC0, "") if found is not None and found.value else ""


def status_of(answer: bytes) -> str:
    """The status word and what it means."""
    status = int.from_bytes(answer[-2:], "big")
    return f"{status:04X} {MEANINGS.get(status, '')}".rstrip()


class NotedChip:
    """A chip whose dialogue is written down as it goes.

    Args:
        chip: what answers.
        note: takes a line for a person.
        seen: takes the name of each command.
        heard: takes each command and each answer as they are; they hold card data.
    """

    def __init__(
        self,
        chip: Chip,
        note: Callable[[str], None],
        seen: Callable[[str], None],
        heard: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._chip = chip
        self._note = note
        self._seen = seen
        self._heard = heard

    def reset(self) -> None:
        """A new presentation begins."""
        self._chip.reset()

    def exchange(self, command: bytes) -> bytes:
        """Answers one command, and says so."""
        name = name_of(command)
        self._seen(name)
        self._heard(command)
        try:
            answer = self._chip.exchange(command)
        except (CardLost, ReaderUnplugged) as gone:
            self._note(f"      card: {name}: {gone.message}")
            raise
        self._heard(answer)
        self._note(f"      card: {name}: {status_of(answer)}, {len(answer) - 2} bytes")
        return answer
