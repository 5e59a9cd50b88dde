"""TLV data and whole exchanges in plain language, each byte accounted for.

Rules of this file: rows out, no printing. The bytes of the rows, in order, are the bytes that came
in: nothing is left out and nothing said twice. Account data is masked unless the account is a
published test number. What cannot be read is a row of its own that says so and where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from terminal.emv import dol, tags, words
from terminal.emv.apdu import Command
from terminal.emv.names import counted, name_of, scheme_of
from terminal.emv.tlv import DEPTH_MAX, is_constructed, read_length, read_tag
from terminal.errors import CardError

TEST_ACCOUNTS = frozenset(
    {
        *("4761739001010010", "4761340000000050", "4761739001010119", "4111111111111111"),
        *("5413330089600044", "5413339000001513", "5413330056003511", "5413330089020011"),
        *("374245001741007", "1234560012345608", "5411118888888882", "4012888888881881"),
    }
)
"""Published test account numbers, which no person owns and nothing has to hide."""

STATUS_WORDS: Mapping[int, str] = MappingProxyType(
    {
        0x9000: "done",
        0x6283: "the file or application is blocked",
        0x6285: "the file is terminated",
        0x6300: "authentication failed",
        0x6400: "execution error, nothing changed",
        0x6581: "memory failure",
        0x6700: "wrong length",
        0x6881: "the logical channel is not supported",
        0x6982: "the security status is not satisfied",
        0x6983: "the PIN is blocked",
        0x6984: "the data cannot be used: try another interface",
        0x6985: "the conditions of use are not satisfied",
        0x6986: "the command is not allowed: the phone's owner has to act first",
        0x6A80: "wrong data",
        0x6A81: "the function is not supported",
        0x6A82: "file or application not found",
        0x6A83: "record not found",
        0x6A86: "wrong parameters P1, P2",
        0x6A88: "data object not found",
        0x6D00: "the instruction is not supported",
        0x6E00: "the class is not supported",
    }
)
"""What cards answer (ISO/IEC 7816-4; EMV Book 3, 6.3.5)."""

_MASKED = words.ACCOUNT_TAGS
_DIGITS = re.compile(r"[0-9]{8,19}")


@dataclass(frozen=True, slots=True)
class Row:
    """Some bytes and what they are.

    ``offset`` counts from the beginning of what was explained; ``shown`` is hexadecimal, masked
    where it holds an account; ``length`` is how many bytes of the input this row accounts for.
    """

    offset: int
    length: int
    shown: str
    what: str
    says: tuple[str, ...] = ()
    depth: int = 0


@dataclass(slots=True)
class Context:
    """What a dialogue has shown so far, which says what later bytes mean.

    ``lists`` holds the data object lists that the card asked for, by tag.
    """

    lists: dict[int, bytes] = field(default_factory=dict, repr=False)
    kernel: int = 0


def masked(tag: int, value: bytes) -> str:
    """The value of an object in hexadecimal, with stars for digits of a real account."""
    shown = value.hex().upper()
    if tag not in _MASKED or _is_test(tag, value):
        return shown
    if tag in {0x5F20, 0x9F0B, 0x56, 0x9F1F}:
        return "*" * len(shown)
    # A PAN keeps its last four digits, in 5A and before a track's separator; the rest is hidden.
    digits, separator, rest = shown.partition("D")
    digits = digits.rstrip("F") if not separator else digits
    hidden = "*" * max(0, len(digits) - 4) + digits[-4:]
    tail = separator + "*" * len(rest)
    return (hidden + tail).ljust(len(shown), "F")


def _is_test(tag: int, value: bytes) -> bool:
    text = value.decode("ascii", "replace") if tag == 0x56 else value.hex().upper()
    found = _DIGITS.search(text)
    return found is not None and found[0] in TEST_ACCOUNTS


def explain_tlv(data: bytes, *, kernel: int = 0) -> list[Row]:
    """Every object of TLV data, a template before its children.

    What cannot be read is the last row, and says why and at which byte.
    """
    return list(_objects(data, 0, 0, kernel))


def _objects(data: bytes, at: int, depth: int, kernel: int) -> Iterator[Row]:
    offset = 0
    while offset < len(data):
        if data[offset] == 0:
            end = offset
            while end < len(data) and data[end] == 0:
                end += 1
            yield Row(
                at + offset, end - offset, data[offset:end].hex().upper(), "padding", depth=depth
            )
            offset = end
            continue
        try:
            tag, body = read_tag(data, offset)
            length, body = read_length(data, body, tag)
            wrong = f"Tag {tag:02X} claims {length} bytes and has {len(data) - body}."
            readable = body + length <= len(data)
        except CardError as refusal:
            wrong, readable = refusal.message, False
        if not readable:
            rest = data[offset:]
            said = (f"at byte {at + offset}: {wrong}",)
            yield Row(at + offset, len(rest), _hidden(rest), "not readable", said, depth)
            return
        value = data[body : body + length]
        yield from _object(tag, data[offset:body], value, at + offset, depth, kernel)
        offset = body + length


def _hidden(data: bytes) -> str:
    """Bytes that could not be read: they may hold an account, so a run of digits is hidden."""
    shown = data.hex().upper()
    return re.sub(r"[0-9]{12,}", lambda found: "*" * len(found[0]), shown)


def _object(tag: int, head: bytes, value: bytes, at: int, depth: int, kernel: int) -> Iterator[Row]:
    label = f"{tag:02X} {name_of(tag, kernel) or 'unknown object'}"
    if is_constructed(tag) and depth + 1 < DEPTH_MAX:
        size = (counted(len(value), "byte"),)
        yield Row(at, len(head), head.hex().upper(), label, size, depth)
        yield from _objects(value, at + len(head), depth + 1, kernel)
        return
    said: tuple[str, ...] = tuple(words.statements(tag, value, kernel=kernel))
    if tag in _MASKED and not _is_test(tag, value):
        said = ("masked",)
    shown = f"{head.hex().upper()} {masked(tag, value)}".rstrip()
    yield Row(at, len(head) + len(value), shown, label, said, depth)


def explain_command(command: bytes, context: Context) -> list[Row]:
    """A C-APDU: header, lengths, and the data by the list that the card asked for."""
    try:
        parsed = Command.decode(command)
    except ValueError as wrong:
        return [Row(0, len(command), _hidden(command), "malformed command", (str(wrong),))]
    rows = [Row(0, 4, command[:4].hex().upper(), parsed.name, _header(parsed))]
    at = 4
    if len(command) > 5:
        # An Lc of zero is there too, where somebody recorded one.
        rows.append(
            Row(at, 1, f"{len(parsed.data):02X}", "Lc", (counted(len(parsed.data), "byte"),))
        )
        at += 1
        rows += _command_data(parsed, at, context)
        at += len(parsed.data)
    if parsed.le is not None:
        said = "as much as there is" if parsed.le == 0 else counted(parsed.le, "byte")
        rows.append(Row(at, 1, f"{parsed.le:02X}", "Le", (said,)))
    return rows


def _header(command: Command) -> tuple[str, ...]:
    match command.ins:
        case 0xA4:
            first = "first or only" if command.p2 & 0x03 == 0 else "next"
            return (f"by name, {first} occurrence",)
        case 0xB2:
            return (f"record {command.p1} of SFI {command.p2 >> 3}",)
        case 0xAE:
            kinds = {0x00: "an AAC", 0x40: "a TC", 0x80: "an ARQC"}
            asked = kinds.get(command.p1 & 0xC0, "an unknown cryptogram")
            return (f"asks for {asked}", *(("with CDA",) if command.p1 & 0x10 else ()))
        case 0xCA:
            info = tags.TAGS.get(command.p1 << 8 | command.p2)
            return (info.name if info else f"tag {command.p1:02X}{command.p2:02X}",)
        case _:
            return ()


def _command_data(command: Command, at: int, context: Context) -> list[Row]:
    if command.ins == 0xA4:
        said = tuple(words.statements(tags.DF_NAME_84, command.data))
        return [Row(at, len(command.data), command.data.hex().upper(), "name", said)]
    data, rows = command.data, []
    list_tag = {0xA8: tags.PDOL_9F38, 0xAE: tags.CDOL1_8C, 0x88: 0x9F49, 0x2A: 0x9F69}.get(
        command.ins, 0
    )
    if command.ins == 0xA8 and data[:1] == b"\x83" and len(data) >= 2:
        rows.append(Row(at, 2, data[:2].hex().upper(), "83 Command Template"))
        data, at = data[2:], at + 2
    asked = context.lists.get(list_tag)
    pieces = _by_list(asked, data, at, context.kernel) if asked else None
    if pieces is None:
        pieces = [Row(at, len(data), data.hex().upper(), "data")] if data else []
    return rows + pieces


def _by_list(asked: bytes, data: bytes, at: int, kernel: int) -> list[Row] | None:
    try:
        entries = dol.parse(asked)
        pieces = dol.split(entries, data)
    except CardError:
        return None
    rows = []
    for entry, piece in zip(entries, pieces, strict=True):
        name = f"{entry.tag:02X} {name_of(entry.tag, kernel) or 'unknown object'}"
        said = tuple(words.statements(entry.tag, piece, kernel=kernel))
        rows.append(Row(at, len(piece), masked(entry.tag, piece), name, said, 1))
        at += len(piece)
    return rows


def explain_answer(answer: bytes, command: bytes | None, context: Context) -> list[Row]:
    """An R-APDU: its objects and the status word; lists that it holds go into ``context``."""
    if len(answer) < 2:
        return [Row(0, len(answer), answer.hex().upper(), "malformed answer", ("no status word",))]
    data = answer[:-2]
    _remember(data, context)
    reads = command is not None and command[1:2] == b"\xb2" and command[3] >> 3 > 10
    if reads and data[:1] != b"\x70":
        rows = [Row(0, len(data), _hidden(data), "record of the issuer's own format")]
    elif data[:1] == b"\x80" and command is not None:
        rows = _format_1(data, command)
    else:
        rows = explain_tlv(data, kernel=context.kernel)
    sw = int.from_bytes(answer[-2:])
    return [*rows, Row(len(data), 2, f"{sw:04X}", "status word", (status(sw),))]


def status(sw: int) -> str:
    """A status word in words."""
    if sw >> 8 == 0x61:
        return f"{sw & 0xFF} more bytes to fetch"
    if sw >> 8 == 0x6C:
        return f"Le should have been {sw & 0xFF:02X}"
    if sw >> 4 == 0x63C:
        return f"{sw & 0x0F} tries left"
    return STATUS_WORDS.get(sw, "a status word of no common meaning")


# The parts of an answer in format 1 (template 80), by instruction: tag and length.
_FORMAT_1: Mapping[int, Sequence[tuple[int, int]]] = MappingProxyType(
    {
        0xA8: ((tags.AIP_82, 2), (tags.AFL_94, 252)),
        0xAE: ((0x9F27, 1), (0x9F36, 2), (0x9F26, 8), (0x9F10, 32)),
        0x88: ((tags.SIGNED_DYNAMIC_DATA_9F4B, 255),),
    }
)


def _format_1(data: bytes, command: bytes) -> list[Row]:
    """A template 80: its parts have no tags, the command says what they are."""
    try:
        tag, at = read_tag(data, 0)
        length, at = read_length(data, at, tag)
    except CardError:
        return explain_tlv(data)
    layout = _FORMAT_1.get(command[1])
    if layout is None or at + length != len(data):
        return explain_tlv(data)
    rows = [Row(0, at, data[:at].hex().upper(), "80 Response Message Template Format 1")]
    for part, size in layout:
        piece = data[at : at + size]
        if not piece:
            break
        info = tags.TAGS[part]
        said = tuple(words.statements(part, piece))
        rows.append(Row(at, len(piece), piece.hex().upper(), f"{part:02X} {info.name}", said, 1))
        at += len(piece)
    return rows


def _remember(data: bytes, context: Context) -> None:
    for row_tag, value in _primitives(data):
        if row_tag in {tags.PDOL_9F38, tags.CDOL1_8C, 0x8D, 0x9F49, 0x9F69}:
            context.lists[row_tag] = value
        if row_tag == tags.DF_NAME_84:
            context.kernel, _ = scheme_of(value)


def _primitives(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset < len(data):
        if data[offset] == 0:
            offset += 1
            continue
        try:
            tag, body = read_tag(data, offset)
            length, body = read_length(data, body, tag)
        except CardError:
            return
        value = data[body : body + length]
        if is_constructed(tag):
            yield from _primitives(value)
        else:
            yield tag, value
        offset = body + length
