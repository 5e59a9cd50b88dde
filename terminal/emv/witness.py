"""Reads a card dialogue that somebody else had: what was selected, read, signed and decided.

Rules of this file: bytes in, findings out; it judges a recording and never a payment. A recording
may be of a reader that asked for things no kernel asks for, may come from a contact reader (61xx,
6Cxx), and may have been cut or masked by its publisher, so what cannot be read is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from terminal.emv import dol, tags
from terminal.emv.application import AflEntry, parse_afl
from terminal.emv.tlv import Tlv, decode, find_all, split, walk
from terminal.errors import CardError

PSE = b"1PAY.SYS.DDF01"
PPSE = b"2PAY.SYS.DDF01"

_SELECT, _READ_RECORD, _OPTIONS, _GENERATE_AC = 0xA4, 0xB2, 0xA8, 0xAE
_GET_DATA, _CHECKSUM, _AUTHENTICATE, _GET_RESPONSE = 0xCA, 0x2A, 0x88, 0xC0


@dataclass(frozen=True, slots=True)
class Step:
    """One command with its answer, the frames of T=0 already joined.

    ``command`` is None where the recording takes any, ``answer`` where the card was lost.
    """

    command: bytes | None = field(repr=False)
    answer: bytes | None = field(repr=False)
    positions: tuple[int, ...] = ()

    @property
    def ins(self) -> int | None:
        """The instruction byte, or None."""
        return self.command[1] if self.command and len(self.command) > 1 else None

    @property
    def data(self) -> bytes:
        """The answer without its status word."""
        return self.answer[:-2] if self.answer else b""

    @property
    def sw(self) -> int | None:
        """The status word, or None for a lost card."""
        return int.from_bytes(self.answer[-2:]) if self.answer and len(self.answer) > 1 else None

    @property
    def body(self) -> bytes:
        """The command's data."""
        if self.command is None or len(self.command) < 6:
            return b""
        return self.command[5 : 5 + self.command[4]]


@dataclass(frozen=True, slots=True)
class Cryptogram:
    """One GENERATE AC: the data sent, the answer's objects as sent, and whether CDA was asked."""

    requested: int
    sent: bytes = field(repr=False)
    answer: bytes = field(repr=False)
    template: int = 0


@dataclass(slots=True)
class Seen:
    """What a recording says of one application (or directory), from its SELECT to the next."""

    selected: bytes
    df_name: bytes = b""
    objects: dict[int, list[bytes]] = field(default_factory=dict, repr=False)
    aip: bytes = b""
    afl: tuple[AflEntry, ...] = ()
    afl_value: bytes = b""
    pdol_data: bytes | None = field(default=None, repr=False)
    records: dict[tuple[int, int], bytes] = field(default_factory=dict, repr=False)
    records_read: int = 0
    cryptograms: list[Cryptogram] = field(default_factory=list, repr=False)
    authentications: list[tuple[bytes, bytes]] = field(default_factory=list, repr=False)
    checksums: list[tuple[bytes, dict[int, bytes]]] = field(default_factory=list, repr=False)
    entries: list[dict[int, bytes]] = field(default_factory=list, repr=False)
    inferred_options: bool = False

    def first(self, *numbers: int) -> bytes | None:
        """The first value of the first of these tags that was seen."""
        for number in numbers:
            if self.objects.get(number):
                return self.objects[number][0]
        return None

    def take(self, found: Sequence[Tlv]) -> None:
        """Takes objects in, at any depth."""
        for each in walk(found):
            if not each.constructed:
                self.objects.setdefault(each.tag, []).append(each.value)

    def static_data(self) -> bytes:
        """The static data to be authenticated, from the records that the recording has."""
        signed = b""
        for entry in self.afl:
            for number in range(entry.first, entry.first + entry.oda_records):
                record = self.records.get((entry.sfi, number))
                if record is None:
                    continue
                if entry.sfi > 10:
                    signed += record
                else:
                    outer = decode(record)
                    signed += outer[0].value if outer else b""
        if self.first(tags.STATIC_DATA_TAGS_9F4A) == b"\x82":
            signed += self.aip
        return signed


def joined(exchanges: Sequence[tuple[bytes | None, bytes | None]]) -> list[Step]:
    """The exchanges as steps: T=0's 61xx with GET RESPONSE, and 6Cxx with the repeat, in one."""
    steps: list[Step] = []
    at = 0
    while at < len(exchanges):
        command, answer = exchanges[at]
        positions = [at]
        while answer is not None and len(answer) == 2 and at + 1 < len(exchanges):
            following, next_answer = exchanges[at + 1]
            more = answer[0] == 0x61
            again = answer[0] == 0x6C and _same_but_le(command, following)
            if not (more and _is_get_response(following)) and not again:
                break
            at += 1
            positions.append(at)
            command = following if again else command
            answer = next_answer
        steps.append(Step(command, answer, tuple(positions)))
        at += 1
    return steps


def _is_get_response(command: bytes | None) -> bool:
    # Some loggers write the bare T=0 header 00 0C 00 00 for it.
    return command is not None and len(command) == 5 and command[1] in {_GET_RESPONSE, 0x0C}


def _same_but_le(one: bytes | None, other: bytes | None) -> bool:
    return one is not None and other is not None and one[:-1] == other[:-1]


def read_dialogue(steps: Sequence[Step]) -> list[Seen]:
    """What each SELECT began, in order; what comes before the first is left out."""
    seen: list[Seen] = []
    for step in steps:
        if step.ins == _SELECT:
            seen.append(_selected(step))
        elif seen:
            _take(seen[-1], step)
    return seen


def _objects(data: bytes) -> list[Tlv]:
    try:
        return decode(data)
    except CardError:
        return []


def _selected(step: Step) -> Seen:
    found = Seen(step.body)
    objects = _objects(step.data)
    found.take(objects)
    found.df_name = found.first(tags.DF_NAME_84) or b""
    found.entries += _entries(objects)
    return found


def _entries(objects: Sequence[Tlv]) -> list[dict[int, bytes]]:
    return [
        {child.tag: child.value for child in template.children}
        for template in find_all(objects, tags.APPLICATION_TEMPLATE_61)
    ]


def _take(seen: Seen, step: Step) -> None:
    """One step behind a SELECT."""
    ins = step.ins
    objects = _objects(step.data)
    outer = objects[0].tag if len(objects) == 1 else 0
    if ins is None:
        ins = _guess(seen, outer)
    if ins == _OPTIONS:
        _take_options(seen, step, objects, outer)
    elif ins == _READ_RECORD:
        _take_record(seen, step, objects, outer)
    elif ins == _GENERATE_AC and step.command and step.sw == 0x9000:
        _take_cryptogram(seen, step, objects, outer)
    elif ins == _AUTHENTICATE:
        seen.take(objects)
        signature = objects[0].value if outer == tags.RESPONSE_FORMAT_1_80 else None
        signature = signature or seen.first(tags.SIGNED_DYNAMIC_DATA_9F4B)
        if signature and step.command and step.command[0] == 0x00:
            seen.authentications.append((step.body, signature))
    elif ins == _CHECKSUM:
        seen.take(objects)
        found = {each.tag: each.value for each in walk(objects) if not each.constructed}
        seen.checksums.append((step.body, found))
    elif ins == _GET_DATA or outer in {tags.RECORD_70, tags.RESPONSE_FORMAT_2_77}:
        seen.take(objects)


def _guess(seen: Seen, outer: int) -> int | None:
    """What a command that the recording does not have must have been, by its answer."""
    if outer in {tags.RESPONSE_FORMAT_2_77, tags.RESPONSE_FORMAT_1_80} and not seen.aip:
        return _OPTIONS
    return _READ_RECORD if outer == tags.RECORD_70 else None


def _take_options(seen: Seen, step: Step, objects: list[Tlv], outer: int) -> None:
    if step.sw != 0x9000 and not outer:
        return
    seen.inferred_options = step.command is None
    if step.body[:1] == bytes((tags.COMMAND_TEMPLATE_83,)):
        seen.pdol_data = step.body[2:]
    if outer == tags.RESPONSE_FORMAT_1_80:
        value = objects[0].value
        seen.aip, seen.afl_value = value[:2], value[2:]
    else:
        seen.take(objects)
        seen.aip = seen.first(tags.AIP_82) or b""
        seen.afl_value = seen.first(tags.AFL_94) or b""
    try:
        seen.afl = parse_afl(seen.afl_value)
    except CardError:
        seen.afl = ()


def _take_record(seen: Seen, step: Step, objects: list[Tlv], outer: int) -> None:
    seen.records_read += step.command is not None
    seen.entries += _entries(objects)
    if outer in {tags.RECORD_70, tags.RESPONSE_FORMAT_2_77}:
        seen.take(objects)
    if step.sw != 0x9000:
        return
    if step.command is not None:
        seen.records[step.command[3] >> 3, step.command[2]] = step.data
        return
    # A record of an unknown number: the next one that the file locator names.
    for entry in seen.afl:
        for number in range(entry.first, entry.last + 1):
            if (entry.sfi, number) not in seen.records:
                seen.records[entry.sfi, number] = step.data
                return


def _take_cryptogram(seen: Seen, step: Step, objects: list[Tlv], outer: int) -> None:
    assert step.command is not None
    seen.take(objects)
    parts = b""
    if outer == tags.RESPONSE_FORMAT_2_77:
        pieces = split(objects[0].value)
        parts = b"".join(raw for tag, raw in pieces if tag != tags.SIGNED_DYNAMIC_DATA_9F4B)
    elif outer == tags.RESPONSE_FORMAT_1_80:
        value = objects[0].value
        for tag, piece in (
            (tags.CRYPTOGRAM_INFORMATION_9F27, value[:1]),
            (tags.ATC_9F36, value[1:3]),
            (tags.CRYPTOGRAM_9F26, value[3:11]),
            (tags.ISSUER_APPLICATION_DATA_9F10, value[11:]),
        ):
            seen.objects.setdefault(tag, []).append(piece)
    seen.cryptograms.append(Cryptogram(step.command[2], step.body, parts, outer))


@dataclass(frozen=True, slots=True)
class Account:
    """An account as a recording has it, digits not checked: a publisher may have masked them."""

    pan: str = field(repr=False)
    expiry: str = field(repr=False)
    tag: int


_TRACK = re.compile(r"(?P<pan>[0-9A-CE-F]+)D(?P<expiry>[0-9A-F]{4})")
_TRACK_1 = re.compile(rb"B([0-9A-Z ]{8,19})(?:\?.)?\^[^^]*\^([0-9]{4})")


def accounts(objects: dict[int, list[bytes]]) -> list[Account]:
    """Every account that tags 57, 9F6B, 5A and 56 name, with its expiry (YYMM, or YYMMDD)."""
    found: list[Account] = []
    dates = [value.hex() for value in objects.get(tags.EXPIRY_5F24, [])]
    for tag in (tags.TRACK_2_57, 0x9F6B):
        for value in objects.get(tag, []):
            match = _TRACK.match(value.hex().upper())
            if match:
                found.append(Account(match["pan"], match["expiry"], tag))
    for value in objects.get(tags.PAN_5A, []):
        digits = value.hex().upper().rstrip("F")
        found += [Account(digits, date, tags.PAN_5A) for date in dates or [""]]
    for value in objects.get(0x56, []):
        track = _TRACK_1.match(value)
        if track:
            found.append(Account(track[1].decode(), track[2].decode(), 0x56))
    return found


def terminal_values(seen: Seen) -> dict[int, bytes]:
    """What the recording terminal sent in its filled lists, by tag; the first value counts."""
    values: dict[int, bytes] = {}
    sent = [(tags.PDOL_9F38, seen.pdol_data)]
    sent += [(tags.CDOL1_8C, each.sent) for each in seen.cryptograms[:1]]
    for list_tag, data in sent:
        asked = seen.first(list_tag)
        if asked is None or not data:
            continue
        try:
            entries = dol.parse(asked)
            pieces = dol.split(entries, data)
        except CardError:
            continue
        for entry, piece in zip(entries, pieces, strict=True):
            values.setdefault(entry.tag, piece)
    return values
