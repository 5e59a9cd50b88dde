"""BER-TLV, data object lists and file locators (``tlv_dol/*``).

Rules of this file: what EMV forbids and a source allows (an indefinite length) has to be refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Json,
    Library,
    OutOfScope,
    kinds,
    objects,
    refused,
    same,
    unhex,
    upper,
)
from terminal.emv import dol, tags
from terminal.emv.application import parse_afl
from terminal.emv.tlv import Tlv, decode, encode, is_constructed, parse_tag, tag_bytes
from terminal.errors import CardError


def nested(found: Iterable[Tlv]) -> dict[str, Json]:
    """Data objects as a map; a template is a map in itself."""
    return {
        upper(tag_bytes(each.tag)): (
            nested(each.children) if each.constructed else upper(each.value)
        )
        for each in found
    }


def _flat(found: Iterable[Tlv]) -> dict[str, Json]:
    merged: dict[str, Json] = {}
    for each in found:
        merged |= _flat(each.children) if each.constructed else nested([each])
    return merged


def _has_indefinite_length(data: bytes) -> bool:
    try:
        decode(data)
    except CardError as refusal:
        return "indefinite" in refusal.message
    return False


def _decoded(case: Json) -> str:
    options = case.get("options") or {}
    data = unhex(case["data"])
    if "expected_error" in case:
        return f"refused: {refused('the data', lambda: decode(data), by=CardError)}"
    if options.get("simple") and 0x80 in data:
        raise OutOfScope("a length of one byte above 7F is no BER length")
    if _has_indefinite_length(data):
        return "refused: an indefinite length, which the source reads as zero and EMV forbids"
    found = decode(data)
    same("the objects", _flat(found) if options.get("flatten") else nested(found), case["output"])
    return ""


def encoded(content: Json) -> bytes:
    """A map of tags to values, written.

    Raises:
        ValueError: a tag is malformed, or a value is not what its tag needs.
    """
    wire = b""
    for text, value in content.items():
        tag = parse_tag(text)
        if is_constructed(tag) and isinstance(value, dict):
            wire += encode(tag, encoded(value))
        else:
            wire += encode(tag, unhex(value))
    return wire


def _simply_encoded(content: Json) -> str:
    """A map with lengths of one byte up to FF, as a source's own option writes it."""
    wire = ""
    for tag, value in content.items():
        body = _simply_encoded(value) if isinstance(value, dict) else value
        wire += f"{tag}{len(body) // 2:02X}{body}"
    return wire


def _encoded(case: Json) -> str:
    options = case.get("options") or {}
    if "expected_error" in case:
        return f"refused: {refused('the map', lambda: encoded(case['tlv']), by=ValueError)}"
    wire = encoded(case["tlv"])
    if options.get("simple") and upper(wire) != case["output"] == _simply_encoded(case["tlv"]):
        raise OutOfScope("a length of one byte above 7F is no BER length")
    same("the bytes", upper(wire), case["output"])
    return ""


def _ber_cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["cases"], 1):
        operation = case["operation"]
        check = {"decode": _decoded, "encode": _encoded}[operation]
        what = case.get("data") if operation == "decode" else ""
        yield Case(
            f"{number}: {operation} {what or ''}".rstrip()[:60],
            "refused" if "expected_error" in case else "the same objects and bytes",
            partial(check, case),
        )


def _dol(case: Json) -> str:
    wire = unhex(case["dol"])
    if "expected_error" in case:
        before = b"".join(unhex(tag) + bytes((n,)) for tag, n in case.get("expected_entries", []))
        same("the entries before the error", upper(wire[: len(before)]), upper(before))
        dol.parse(before)
        return f"refused: {refused('the list', lambda: dol.parse(wire), by=CardError)}"
    entries = dol.parse(wire)
    if "expected_entries" in case:
        stated = [[upper(tag_bytes(each.tag)), each.length] for each in entries]
        same("the entries", stated, case["expected_entries"])
    if "expected_data_length" in case:
        same(
            "the length asked for",
            sum(each.length for each in entries),
            case["expected_data_length"],
        )
    if "expected_data" not in case:
        return ""
    values: dict[int, bytes] = {}
    for source in case.get("sources_in_priority_order", []):
        values = objects(source) | values
    return filled(entries, values, unhex(case["expected_data"]))


def filled(entries: tuple[dol.DolEntry, ...], values: dict[int, bytes], expected: bytes) -> str:
    """Requires the filled list, where a tag that no card may ask for is zeros instead.

    Raises:
        Mismatch: the bytes differ.
    """
    pieces = dol.split(entries, expected)
    withheld = [each.tag for each in entries if each.tag in values.keys() - tags.DOL_WHITELIST]
    wanted = b"".join(
        bytes(each.length) if each.tag in withheld else piece
        for each, piece in zip(entries, pieces, strict=True)
    )
    same("the filled list", upper(dol.fill(entries, values)), upper(wanted))
    named = ", ".join(f"{tag:02X}" for tag in withheld)
    return f"zeros for {named}: no card may ask for it" if withheld else ""


def _dol_cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["cases"], 1):
        yield Case(
            f"{number}: {case.get('name') or case.get('operation', 'dol')} {case['dol']}"[:60],
            "what a card may ask for, in its lengths",
            partial(_dol, case),
        )


def _filled(case: Json) -> str:
    entries, data = dol.parse(unhex(case["dol"])), unhex(case["data"])
    pieces = dol.split(entries, data)
    found = {
        upper(tag_bytes(each.tag)): upper(piece)
        for each, piece in zip(entries, pieces, strict=True)
    }
    same("the values", found, case["expected"])
    return filled(entries, objects(case["expected"]), data)


def _filled_cases(document: Document, _: Library) -> Iterator[Case]:
    for number, case in enumerate(document.content["cases"], 1):
        yield Case(
            f"{number}: {case['dol']}"[:60],
            "a filled list, taken apart and filled again",
            partial(_filled, case),
        )


def _afl(case: Json) -> str:
    wire = unhex(case["afl"])
    if "expected_error" in case or case.get("expected") in ("error", "invalid"):
        return f"refused: {refused('the locator', lambda: parse_afl(wire), by=CardError)}"
    found = [
        {"sfi": each.sfi, "first": each.first, "last": each.last, "oda_records": each.oda_records}
        for each in parse_afl(wire)
    ]
    same("the entries", found, case["expected"])
    return ""


def _afl_cases(document: Document, _: Library) -> Iterator[Case]:
    content = document.content
    for case in content.get("cases") or [content]:
        yield Case(case.get("name") or case["afl"], "the records to be read", partial(_afl, case))


FORMATS = (
    Format("ber_tlv", "BER-TLV", kinds("ber_tlv"), _ber_cases),
    Format("dol", "Data object lists", kinds("dol"), _dol_cases),
    Format("filled_dol", "Filled data object lists", kinds("filled_dol"), _filled_cases),
    Format("afl", "File locators", kinds("afl"), _afl_cases),
)
"""The formats of this file."""
