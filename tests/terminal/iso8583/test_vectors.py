"""Messages of other implementations, read and written again byte for byte."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import iso8583
import pytest

from hardware_sim.conformance.messages import layout
from terminal.errors import HostGarbled
from terminal.iso8583.codec import Message, decode, encode
from terminal.iso8583.framing import Deframer, Framing, frame
from terminal.iso8583.profile import Content, Layout
from tests.conftest import VECTORS, require_vectors

C = Content

# Where a source breaks ISO 8583:1987, and how. Each is first shown to be refused as it stands.
DEVIATIONS: dict[str, tuple[dict[int, Content], str]] = {
    "moov-iso_reversal_message_error_date": ({13: C.N}, "DE 13 is 9099, which is no date"),
    "moov-iso_reversal_message_response": ({55: C.ANS}, "DE 55 is text with a blank in it"),
    "moov-iso_reversal_repeat_message": ({55: C.ANS}, "DE 55 is text with a blank in it"),
    "moov-iso_reversal_repeat_message_response": ({55: C.ANS}, "DE 55 is text with a blank"),
    "socketqueue-sv_200_purchase": ({12: C.N}, "SmartVista's DE 12 is YYMMDDhhmmss"),
    "socketqueue-sv_200_purchase_header": ({12: C.N}, "SmartVista's DE 12 is YYMMDDhhmmss"),
    "erl8583-ascii-fields_11_12_13_14": ({13: C.N}, "DE 13 is 2012, which is no date"),
    "erl8583-ascii-fields_15_to_20": (dict.fromkeys([15, 16, 17], C.N), "there is no month 00"),
    "erl8583-ascii-fields_34_35": ({35: C.ANS}, "DE 35 has the sentinels of a magnetic stripe"),
    "erl8583-ascii-fields_49_50_51": (
        dict.fromkeys([49, 50, 51], C.ANP),
        "a currency is three letters or digits, not one and blanks",
    ),
    "erl8583-ascii-field_39": ({39: C.ANP}, "DE 39 is padded with a blank"),
}

# A session of pytest collects before it can skip, so the tables are empty without the files.
_FOLDER = VECTORS / "iso8583"
PROFILES: dict[str, Any] = {}
KNOWN: list[dict[str, Any]] = []
DOCUMENTS: list[dict[str, Any]] = []
if _FOLDER.is_dir():
    PROFILES = json.loads((_FOLDER / "profiles.json").read_text())
    for entry in json.loads((_FOLDER / "vectors.json").read_text())["vectors"]:
        if entry["hex"] is None:
            DOCUMENTS.append(entry)
        elif entry["profile"] in PROFILES:
            KNOWN.append(entry)

GOOD = [vector for vector in KNOWN if vector["expect"] == "ok"]
BAD = [vector for vector in KNOWN if vector["expect"] == "error"]


def by_id(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(vector, id=vector["id"]) for vector in vectors]


def layout_of(vector: dict[str, Any], *, strict: bool = False) -> Layout:
    deviations, _ = ({}, "") if strict else DEVIATIONS.get(vector["id"], ({}, ""))
    name = vector["profile"]
    # npm's iso_8583 always writes sixteen bytes of bitmap.
    return layout(name, PROFILES[name], deviations, secondary_always=name == "npm-iso_8583")


def wire_of(vector: dict[str, Any]) -> bytes:
    data = bytes.fromhex(vector["hex"])
    if vector["framing"] == "none":
        return data
    framing = Framing(vector["framing"])
    (message,) = Deframer(framing).feed(data)
    assert frame(framing, message) == data
    return message


def test_the_vectors_are_all_here() -> None:
    require_vectors()
    counts = Counter(vector["profile"] for vector in GOOD)
    assert counts == {
        "ascii-binbitmap": 23,
        "ascii-hexbitmap": 71,
        "bcd": 46,
        "ebcdic-cp037": 23,
        "jmeter-demo": 4,
        "npm-iso_8583": 23,
        "smartvista": 5,
    }
    assert len(BAD) == 8
    assert len(DOCUMENTS) == 8
    assert {vector["id"] for vector in GOOD} >= DEVIATIONS.keys()


@pytest.mark.parametrize("vector", by_id(GOOD))
def test_a_foreign_message_reads_as_its_source_says(vector: dict[str, Any]) -> None:
    message = decode(layout_of(vector), wire_of(vector))
    read = {"mti": message.mti, **{str(n): value for n, value in message.fields.items()}}
    asserted = vector.get("asserted") or vector["fields"].keys()
    assert {key: read.get(key) for key in asserted} == {
        key: vector["fields"][key] for key in asserted
    }
    if "asserted" not in vector:
        assert read.keys() == vector["fields"].keys()


@pytest.mark.parametrize("vector", by_id(GOOD))
def test_a_foreign_message_is_written_byte_for_byte(vector: dict[str, Any]) -> None:
    form, wire = layout_of(vector), wire_of(vector)
    assert encode(form, decode(form, wire)) == wire


@pytest.mark.parametrize("vector", by_id(GOOD))
def test_plain_pyiso8583_reads_the_same(vector: dict[str, Any]) -> None:
    form, wire = layout_of(vector), wire_of(vector)
    values, _ = iso8583.decode(wire, PROFILES[vector["profile"]])
    message = decode(form, wire)
    assert {"t": message.mti, **{str(n): v for n, v in message.fields.items()}} == {
        key: value for key, value in values.items() if key not in {"p", "1"}
    }


@pytest.mark.parametrize("vector", by_id(BAD))
def test_a_malformed_message_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(HostGarbled):
        decode(layout_of(vector), wire_of(vector))


@pytest.mark.parametrize("vector", by_id([v for v in GOOD if v["id"] in DEVIATIONS]))
def test_a_deviation_is_refused_without_its_exception(vector: dict[str, Any]) -> None:
    deviations, _ = DEVIATIONS[vector["id"]]
    with pytest.raises(HostGarbled) as refused:
        decode(layout_of(vector, strict=True), wire_of(vector))
    assert any(f"DE {number} " in str(refused.value) for number in deviations)


@pytest.mark.parametrize("vector", by_id(GOOD))
def test_every_truncation_is_refused(vector: dict[str, Any]) -> None:
    form, wire = layout_of(vector), wire_of(vector)
    for length in range(len(wire)):
        with pytest.raises(HostGarbled):
            decode(form, wire[:length])
    with pytest.raises(HostGarbled):
        decode(form, wire + b"0")


@pytest.mark.parametrize("vector", by_id(DOCUMENTS))
@pytest.mark.parametrize("profile", ["ascii-binbitmap", "ascii-hexbitmap", "ebcdic-cp037"])
def test_a_field_document_makes_the_round_trip(vector: dict[str, Any], profile: str) -> None:
    form = layout(profile, PROFILES[profile])
    fields = {int(key): value for key, value in vector["fields"].items() if key != "mti"}
    wire = encode(form, Message(vector["mti"], fields))
    again = decode(form, wire)
    assert (again.mti, dict(again.fields)) == (vector["mti"], fields)
