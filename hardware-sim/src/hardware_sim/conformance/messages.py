"""ISO 8583 messages of other implementations (``iso8583/*``).

Rules of this file: a message goes through the product's strict codec and has to be written again
byte for byte. Where a source breaks the content classes of ISO 8583:1987, the strict layout must
refuse the field first; then the message is read with that field's class loosened, and the remark
says so. A negative is never loosened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    Mismatch,
    OutOfScope,
    refused,
    require,
    same,
    same_account,
    unhex,
    upper,
)
from hardware_sim.conformance.known_layouts import LAYOUTS, as_stated
from terminal.emv import tlv
from terminal.errors import HostGarbled
from terminal.iso8583.chip_data import decode_chip_data, encode_chip_data
from terminal.iso8583.codec import Message, decode, encode
from terminal.iso8583.framing import Deframer, Framing, frame
from terminal.iso8583.profile import Content, Field, Layout

C = Content

# ISO 8583:1987, table of data elements; what is not here is free text (ans).
CONTENT_1987: Mapping[int, Content] = MappingProxyType(
    {
        **dict.fromkeys([*range(2, 7), *range(8, 12), *range(18, 28), 32, 33, 53, 70], C.N),
        **dict.fromkeys(range(66, 90), C.N),
        90: C.N,
        7: C.MMDDHHMMSS,
        12: C.HHMMSS,
        **dict.fromkeys([13, 15, 16, 17], C.MMDD),
        14: C.YYMM,
        **dict.fromkeys([28, 29, 30, 31, 97], C.XN),
        **dict.fromkeys([35, 36], C.Z),
        **dict.fromkeys([37, 38, 40, 95], C.ANP),
        **dict.fromkeys([49, 50, 51], C.AN),
        **dict.fromkeys([39, *range(91, 95)], C.AN),
        **dict.fromkeys([52, 55, 64, 96, 128], C.B),
    }
)
"""The class of content of each field by the standard."""

_ACCOUNT = frozenset({"2", "35", "45", "102", "103"})
_NOT_A_FIELD = frozenset({"h", "t", "p", "1", "65"})
_REFUSED_FIELD = re.compile(r"DE (\d+) .*is not [A-Z]+")
_DIGITS_ONLY = frozenset({C.MMDDHHMMSS, C.HHMMSS, C.MMDD, C.YYMM})
_LOOSENED_MAX = 8
_CUTS = 12


def layout(
    name: str,
    spec: Mapping[str, Mapping[str, Json]],
    loosened: Mapping[int, Content] = MappingProxyType({}),
    *,
    secondary_always: bool = False,
) -> Layout:
    """The product's layout of a pyiso8583 specification.

    ``loosened`` replaces the standard's classes of content.
    """
    content = {**CONTENT_1987, **loosened}
    fields: dict[int, Field] = {}
    for key, form in spec.items():
        if key in _NOT_A_FIELD:
            continue
        number = int(key)
        kind = content.get(number, C.ANS)
        binary = form["data_enc"] == "b" and kind in {C.ANS, C.AN, C.ANP}
        if binary or form.get("notation") in {"x+n", "z"}:
            kind = C.B
        fields[number] = Field(
            form.get("desc") or "unnamed",
            kind,
            form["max_len"],
            form["len_type"],
            form["data_enc"],
            form["len_enc"],
            nibbles=form.get("len_count") == "nibbles",
            padded_right="right_pad" in form,
        )
    return Layout(
        name,
        fields,
        mti_encoding=spec["t"]["data_enc"],
        bitmap_encoding=spec["p"]["data_enc"],
        secondary_always=secondary_always,
    )


def _is_profiles(document: Document) -> bool:
    content = document.content
    if not isinstance(content, dict) or not content:
        return False
    return all(isinstance(each, dict) and {"t", "p"} <= each.keys() for each in content.values())


def _profiles(document: Document, library: Library) -> dict[str, Json]:
    """The field tables at hand; those beside the messages come first."""
    found: dict[str, Json] = dict(LAYOUTS)
    files = [each for each in library.documents if _is_profiles(each)]
    for each in sorted(files, key=lambda file: file.path.parent == document.path.parent):
        found |= each.content
    return found


def _unframed(case: Json) -> bytes:
    data = unhex(case["hex"])
    if case.get("framing", "none") == "none":
        return data
    framing = Framing(case["framing"])
    (message,) = Deframer(framing).feed(data)
    same("the frame", upper(frame(framing, message)), upper(data))
    return message


def _read(name: str, spec: Json, wire: bytes) -> tuple[Layout, Message, dict[int, str]]:
    """The message, the layout that reads it, and what had to be loosened for it.

    Raises:
        HostGarbled: no layout with the standard's fields reads it.
    """
    loosened: dict[int, Content] = {}
    said: dict[int, str] = {}
    always = False
    for _ in range(_LOOSENED_MAX):
        form = layout(name, spec, loosened, secondary_always=always)
        try:
            return form, decode(form, wire), said
        except HostGarbled as fault:
            field = _REFUSED_FIELD.search(fault.message)
            if "second bitmap is empty" in fault.message and not always:
                always = True
                continue
            if field is None or ((number := int(field[1])) in loosened and said[number] == "ANS"):
                raise
            before = form.fields[number].content
            after = C.N if before in _DIGITS_ONLY else C.ANS
            if form.fields[number].encoding == "b" and after is C.ANS:
                after = C.B
            loosened[number] = after
            said[number] = after.name
    raise HostGarbled("The message breaks the standard in too many fields.")


def _good(case: Json, profiles: Mapping[str, Json]) -> str:
    name = case["profile"]
    wire = _unframed(case)
    form, message, loosened = _read(name, profiles[name], wire)
    stated = case["fields"]
    spec = profiles[name]
    found = {"mti": message.mti, **dict(as_stated(spec, *each) for each in message.fields.items())}
    for number, one in form.fields.items():
        value = stated.get(str(number), "")
        bytewise = one.content is C.B and one.encoding == "b" and not one.nibbles
        if bytewise and len(value) == one.length:
            # Some sources state bytes as the text that they happen to be.
            found[str(number)] = unhex(found.get(str(number))).decode("ascii", "replace")
    # What its source does not assert is what pyiso8583 read: another witness, and as binding.
    for key in stated:
        if key in _ACCOUNT:
            same_account(f"DE {key}", found.get(key), stated[key])
        else:
            same(f"DE {key}", found.get(key), stated[key])
    if "asserted" not in case and case.get("checked") != "not checked":
        same("the fields", sorted(found), sorted({"mti", *stated}))
    if case.get("mti"):
        same("the message type", message.mti, case["mti"])
    same("the bytes written again", upper(encode(form, message)), upper(wire))
    step = max(1, len(wire) // _CUTS)
    for length in range(0, len(wire), step):
        refused(f"a message cut at {length}", partial(decode, form, wire[:length]), by=HostGarbled)
    refused("a message with a byte more", partial(decode, form, wire + b"0"), by=HostGarbled)
    if not loosened:
        return ""
    named = ", ".join(f"DE {number}" for number in loosened)
    return f"refused by ISO 8583:1987 for {named}; read with any content there"


def _bad(case: Json, profiles: Mapping[str, Json]) -> str:
    name = case["profile"]

    def read() -> Message:
        return decode(layout(name, profiles[name]), _unframed(case))

    return f"refused: {refused('the message', read, by=(HostGarbled, ValueError))}"


def _document(case: Json, profiles: Mapping[str, Json]) -> str:
    """A message without bytes: written and read in every layout that has room for it."""
    fields = {int(key): value for key, value in case["fields"].items() if key != "mti"}
    chip = case.get("emv")
    if chip:
        objects = {int(tag, 16): unhex(value) for tag, value in chip.items()}
        wire = b"".join(tlv.encode(tag, value) for tag, value in sorted(objects.items()))
        same("DE 55 as read", decode_chip_data(wire), objects)
        ours = {tag: value for tag, value in objects.items() if not tlv.is_constructed(tag)}
        same("DE 55 as written", decode_chip_data(encode_chip_data(ours)), ours)
    done = []
    for name, spec in profiles.items():
        form = layout(name, spec)
        values = _padded(form, fields)
        if values is None:
            continue
        message = Message(case["fields"].get("mti") or case["mti"], values)
        again = decode(form, encode(form, message))
        same("the message read again", (again.mti, dict(again.fields)), (message.mti, values))
        done.append(name)
    require(done, "no layout has room for it")
    if case.get("mti"):
        same("the message type", case["fields"].get("mti", case["mti"]), case["mti"])
    return f"in {len(done)} layouts"


def _padded(form: Layout, fields: Mapping[int, str]) -> dict[int, str] | None:
    """The values as this layout can hold them; None where it has no such field or class."""
    values: dict[int, str] = {}
    for number, value in fields.items():
        one = form.fields.get(number)
        if one is None or not one.admits(value):
            return None
        size = len(value) if one.nibbles or one.encoding != "b" else len(value) // 2
        if size > one.length or (not one.prefix_bytes and size != one.length):
            return None
        if one.encoding == "b" and len(value) % 2:
            return None
        values[number] = value
    return values


def _vector(case: Json, profiles: Mapping[str, Json]) -> str:
    if case["hex"] is None:
        return _document(case, profiles)
    if case["profile"] not in profiles:
        raise OutOfScope(f"layout {case['profile']} is described by its source alone")
    if case.get("expect", "ok") == "error":
        return _bad(case, profiles)
    try:
        return _good(case, profiles)
    except HostGarbled as fault:
        raise Mismatch(f"refused: {fault.message}") from fault


def _is_messages(document: Document) -> bool:
    first = document.content["vectors"][0]
    return isinstance(first, dict) and {"hex", "profile", "fields"} <= first.keys()


def _cases(document: Document, library: Library) -> Iterator[Case]:
    profiles = _profiles(document, library)
    for number, case in enumerate(document.content["vectors"], 1):
        bad = case.get("expect") == "error"
        proves = f"refused: {case.get('note', '')}" if bad else "read, and written byte for byte"
        name = f"{case.get('id', number)} ({case['profile'] or 'fields only'})"
        yield Case(name, proves, partial(_vector, case, profiles))


def _no_cases(_: Document, __: Library) -> Iterator[Case]:
    yield from ()


FORMATS = (
    Format("iso8583", "ISO 8583 messages", _is_messages, _cases),
    Format("support", "Tables that other files need", _is_profiles, _no_cases),
)
"""The formats of this file."""
