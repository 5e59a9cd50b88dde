from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from terminal.emv import application as app
from terminal.emv.apdu import Response
from terminal.emv.entry_point import Combination
from terminal.emv.selection import Candidate, parse_fci
from terminal.emv.tlv import decode
from terminal.errors import CardError
from tests.conftest import require_vectors
from tests.terminal.emv.replay import load

ANY = Candidate(b"\xa0\x00\x00\x00\x03", "", Combination(b"\xa0\x00\x00\x00\x03", 3, "any"))


def answering(exchanges: list[dict[str, str]]) -> Iterator[tuple[str, Response]]:
    for each in exchanges:
        yield each["command"], Response.decode(bytes.fromhex(each["response"]))


def test_afl_like_devnied() -> None:
    case = load(require_vectors() / "emv" / "tlv_dol" / "afl_decode.json")
    found = [
        {"sfi": each.sfi, "first": each.first, "last": each.last, "oda_records": each.oda_records}
        for each in app.parse_afl(bytes.fromhex(case["afl"]))
    ]
    assert found == case["expected"]


@pytest.mark.parametrize(
    "afl", ["0801", "09010100", "00010100", "F8010100", "08000100", "08020100", "08010102"]
)
def test_impossible_file_locators(afl: str) -> None:
    with pytest.raises(CardError, match="file locator"):
        app.parse_afl(bytes.fromhex(afl))


def test_processing_options_like_openemv() -> None:
    case = load(require_vectors() / "emv" / "selection" / "get_processing_options.json")
    terminal: dict[int, bytes] = {}
    for source in case["data_sources_in_priority_order"].values():
        terminal = {int(tag, 16): bytes.fromhex(value) for tag, value in source.items()} | terminal
    for each in case["cases"]:
        found = app.Application.selected(ANY, parse_fci(bytes.fromhex(each["fci"])))
        dialogue = app.get_processing_options(found, terminal)
        if not each["exchanges"]:
            with pytest.raises(CardError):
                next(dialogue)
            continue
        ((command, response),) = answering(each["exchanges"])
        assert next(dialogue).encode().hex().upper() == command
        with pytest.raises(StopIteration) as end:
            dialogue.send(response)
        answer: Response = end.value.value
        if "aip" in each["expected"]:
            app.take_processing_options(found, answer.data)
            assert found.aip.hex().upper() == each["expected"]["aip"]
            assert found.objects[0x94].hex().upper() == each["expected"]["afl"]
        else:
            assert answer.sw == 0x6985


def test_records_like_openemv() -> None:
    ends = {
        "malformed AFL entry (SFI byte with low bits set): error": "impossible records",
        "invalid record template: error": "not one template 70",
        "malformed TLV inside the record: error": "claims",
        "redundant data element: card error": "state tag 8F twice",
        "record for offline data authentication has no template 70: "
        "reading continues, ODA must fail": None,
    }
    case = load(require_vectors() / "emv" / "selection" / "read_application_data.json")
    assert {each["name"] for each in case["cases"]} == set(ends)
    for each in case["cases"]:
        found = app.Application(ANY)
        reason = ends[each["name"]]

        def read(
            found: app.Application = found,
            afl: str = each["afl"],
            exchanges: list[dict[str, str]] = each["exchanges"],
        ) -> None:
            dialogue = app.read_records(found, app.parse_afl(bytes.fromhex(afl)))
            sent = next(dialogue)
            for command, response in answering(exchanges):
                assert sent.encode().hex().upper() == command
                sent = dialogue.send(response)

        if reason is None:
            with pytest.raises(StopIteration):
                read()
            assert app.static_data(found) is None
        else:
            with pytest.raises(CardError, match=reason):
                read()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "not one template"),
        ("80028000" * 2, "not one template"),
        ("800100", "too short"),
        ("5A0100", "neither format"),
        ("77009000"[:4], "no Application Interchange Profile"),
        ("770482022000" + "00", None),
        ("77038201FF", "does not have two bytes"),
        ("80022000", None),
        ("80042000" + "0801", "four-byte entries"),
    ],
)
def test_answers_to_get_processing_options(answer: str, reason: str | None) -> None:
    found = app.Application(ANY)
    if reason is None:
        app.take_processing_options(found, bytes.fromhex(answer))
        assert (found.aip, found.afl) == (bytes.fromhex("2000"), ())
    else:
        with pytest.raises(CardError, match=reason):
            app.take_processing_options(found, bytes.fromhex(answer))


def records(found: app.Application, afl: str, *answers: str) -> None:
    dialogue = app.read_records(found, app.parse_afl(bytes.fromhex(afl)))
    next(dialogue)
    for answer in answers[:-1]:
        dialogue.send(Response(bytes.fromhex(answer), 0x9000))
    with pytest.raises(StopIteration):
        dialogue.send(Response(bytes.fromhex(answers[-1]), 0x9000))


@pytest.mark.parametrize(
    ("afl", "answers", "tag_list", "signed"),
    [
        ("08010201", ("7003500141", "7003500142"), None, "500141"),
        ("08010202", ("7003500141", "70039F1200"), None, "500141" + "9F1200"),
        ("08010101", ("7003500141",), "82", "500141" + "2000"),
        ("08010101", ("7003500141",), "", "500141"),
        ("08010101", ("7003500141",), "8295", None),
        ("08010101", ("7000",), None, ""),
        ("58010101", ("7003500141",), None, "7003500141"),  # file 11: with its template
        ("58010101", ("0101FF",), None, None),  # no template: authentication is lost
        ("58010100", ("0101FF",), None, ""),  # not signed: not looked at
        ("58010202", ("0101FF", "7003500141"), None, None),
        ("58010101" + "08010101", ("0101FF", "7003500141"), None, None),
    ],
)
def test_static_data_to_be_authenticated(
    afl: str, answers: tuple[str, ...], tag_list: str | None, signed: str | None
) -> None:
    found = app.Application(ANY, aip=bytes.fromhex("2000"))
    if tag_list is not None:
        found.objects.put(0x9F4A, bytes.fromhex(tag_list))
    records(found, afl, *answers)
    assert app.static_data(found) == (None if signed is None else bytes.fromhex(signed))


def test_an_application_hides_what_it_has_read() -> None:
    found = app.Application(ANY, pdol_data=b"secret", static_data=bytes.fromhex("4761739001010010"))
    found.objects.put(0x5A, bytes.fromhex("4761739001010010"))
    shown = repr(found) + str(found) + f"{found}"
    assert "secret" not in shown
    assert "Gas" not in shown  # the first digits, as Python shows bytes
    assert "4761" not in shown


def test_a_missing_record_ends_the_reading() -> None:
    dialogue = app.read_records(app.Application(ANY), app.parse_afl(bytes.fromhex("08010100")))
    next(dialogue)
    with pytest.raises(CardError, match="6A83"):
        dialogue.send(Response(b"", 0x6A83))


def test_objects_refuse_contradictions_and_are_never_shown() -> None:
    objects = app.Objects()
    objects.add(decode(bytes.fromhex("70125A0847617390010100105001415003414243")))
    objects.put(0x5A, bytes.fromhex("4761739001010010"))
    with pytest.raises(CardError, match="5A twice") as raised:
        objects.put(0x5A, bytes.fromhex("4761739001010028"))
    assert "4761" not in str(raised.value) + repr(objects)
    assert objects[0x50] == b"A"  # a label may be stated twice; the first counts
    assert (len(objects), set(objects)) == (2, {0x5A, 0x50})
    with pytest.raises(CardError, match="Application Cryptogram"):
        objects.need(0x9F26)
    with pytest.raises(CardError, match="data object"):
        objects.need(0xDF01)
    for thing in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            thing(objects)
