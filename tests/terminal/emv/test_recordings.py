"""Recorded dialogues: how their files are read, what they say, and what a bad one is told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from terminal.emv import summary, witness
from terminal.emv.collect import collect
from terminal.emv.converse import converse
from terminal.emv.oda import CaKeys
from terminal.emv.recovered import kind_of, parts
from terminal.emv.tlv import decode, encode, encode_all
from terminal.emv.transcript import parse_transcript
from terminal.emv.witness import Step
from terminal.errors import CardError, ConfigError
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import VISA, ScriptedCard, ok


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "has no list of exchanges"),
        ('{"exchanges": []}', "has no list of exchanges"),
        ('{"exchanges": [{"command": "00A40400"}]}', "exchange 1 lacks a command or a response"),
        ('{"exchanges": [{"command": "00A4", "response": "9000"}]}', "exchange 1: expected"),
        ('{"exchanges": [{"command": "zz", "response": "9000"}]}', "exchange 1: expected"),
        ('{"exchanges": [{"command": null, "response": 7}]}', "exchange 1: expected"),
        ("< 9000", "line 1: expected > and <"),
        ("> 00A40400\n> 00A40400", "line 2: expected > and <"),
        ("# nothing\n", "ends without an answer"),
        ("> 00A40400", "ends without an answer"),
    ],
)
def test_what_is_no_recording(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        parse_transcript(text, "folder/tap.apdu")
    assert "folder/tap.apdu" in refused.value.message


def test_lines_and_json_say_the_same() -> None:
    lines = "> 00 A4 04 00 # select\n\n< 9000\n> *\n< -\n"
    table = '{"exchanges": [{"command": "00A40400", "response": "9000"},'
    table += ' {"command": null, "response": null}],'
    table += ' "terminal": {"unknown_command_answer": "6D00"}}'
    read, stated = parse_transcript(lines, "a/tap.apdu"), parse_transcript(table, "a/tap.json")
    assert read.exchanges == stated.exchanges
    assert (read.name, stated.name) == ("tap.apdu", "tap.json")
    assert (read.otherwise, stated.otherwise) == (None, b"\x6d\x00")


# What the card answers to GET PROCESSING OPTIONS; how many records are then asked for.
@pytest.mark.parametrize(
    ("select", "options", "records"),
    [
        (None, ok(bytes.fromhex("770A82020000940410010301")), 3),
        (None, ok(bytes.fromhex("8006000010010300")), 3),
        (None, ok(bytes.fromhex("770482020000")), 0),
        (None, ok(bytes.fromhex("7705820200")), 0),
        (None, ok(bytes.fromhex("770982020000940310010301")), 0),
        (None, bytes.fromhex("6985"), 0),
        # Forty at most, whatever the file locator says.
        (None, ok(bytes.fromhex("770A820200009404100120" + "00")), 32),
        (None, ok(bytes.fromhex("770E820200009408100120001801" + "2000")), 40),
        (bytes.fromhex("6A82"), b"", 0),
        (ok(bytes.fromhex("6F057703")), b"", 0),
    ],
)
def test_every_application_is_read_as_far_as_it_lets(
    select: bytes | None, options: bytes, records: int
) -> None:
    card = scheme.card(VISA, {"80A8": options, "00B2": ok(b"\x70\x00")}, pdol="9F66049F0206")
    if select is not None:
        card.answers = {**card.answers, scheme.select(VISA): select}
    values = {0x9F66: bytes.fromhex("22004000"), 0x9F02: bytes(6)}
    assert converse(collect(values), card, monotonic=lambda: 0.0).result == 1
    asked = [each for each in card.sent if each[1] == 0xA8]
    if select is not None:
        assert not asked
        return
    assert asked == [bytes.fromhex("80A800000C830A2200400000000000000000")]
    assert sum(each[1] == 0xB2 for each in card.sent) == records


@pytest.mark.parametrize("answer", [bytes.fromhex("6A82"), ok(bytes.fromhex("6F057703"))])
def test_a_card_without_a_directory_has_nothing_to_read(answer: bytes) -> None:
    card = ScriptedCard({scheme.SELECT_PPSE: answer})
    assert converse(collect({}), card, monotonic=lambda: 0.0).result == 0


def step(command: str, answer: str) -> Step:
    return Step(bytes.fromhex(command) if command else None, bytes.fromhex(answer))


SELECT = "00A4040007A000000003101000"
FCI = "6F098407A00000000310109000"


def test_what_cannot_be_read_is_left_out() -> None:
    steps = [
        step("80CA9F1700", "9F1701039000"),
        step(SELECT, FCI),
        # GET PROCESSING OPTIONS: refused, then with a file locator of three bytes.
        step("80A8000002830000", "6985"),
        step("80A8000002830000", "77098202000094031001019000"),
        # A record of its own format, one that is missing, and two whose numbers are not known.
        step("00B2011400", "70039F17039000"),
        step("00B2015C00", "6A83"),
        step("", "70045F3401019000"),
        # GENERATE AC that was refused, and COMPUTE CRYPTOGRAPHIC CHECKSUM.
        step("80AE400000", "6985"),
        step("0020008008", "9000"),
        step("008800000401020304", "6985"),
        step("802A8E800400000001", "77059F6002ABCD9000"),
        step("80CA9F3600", "9F36020007" + "9000"),
    ]
    (seen,) = witness.read_dialogue(steps)
    assert seen.df_name == VISA
    assert seen.afl == ()
    assert seen.cryptograms == []
    assert seen.authentications == []
    assert seen.first(0x9F36) == b"\x00\x07"


def test_records_of_unknown_numbers_are_those_of_the_file_locator() -> None:
    steps = [
        step(SELECT, FCI),
        step("", "770A820200009404100102009000"),
        step("", "70045F3401019000"),
        step("", "70045F3401029000"),
        step("", "70045F3401039000"),
    ]
    (seen,) = witness.read_dialogue(steps)
    assert seen.inferred_options
    assert sorted(seen.records) == [(2, 1), (2, 2)]
    assert seen.objects[0x5F34] == [b"\x01", b"\x02", b"\x03"]


def test_options_in_format_1() -> None:
    options = step("80A8000002830000", "8006198010010300" + "9000")
    (seen,) = witness.read_dialogue([step(SELECT, FCI), options])
    assert (seen.aip.hex(), seen.afl_value.hex()) == ("1980", "10010300")
    assert [(each.sfi, each.first, each.last) for each in seen.afl] == [(2, 1, 3)]


def test_static_data_is_what_the_recording_has() -> None:
    steps = [
        step(SELECT, FCI),
        step("80A8000002830000", "770E8202123494081001030360010101" + "9000"),
        step("00B2011400", "70045F3401019000"),
        step("00B2031400", "70045F3401039000"),
        step("00B2016400", "70045F3401049000"),
        step("00B2040C00", "70049F4A01829000"),
    ]
    (seen,) = witness.read_dialogue(steps)
    assert seen.static_data().hex() == "5f340101" + "5f340103" + "70045f340104" + "1234"


def test_what_the_recording_terminal_sent() -> None:
    lists = step(SELECT, "6F118407A0000000031010A5069F38039F02069000")
    sent = step("80A8000008830600000000123400", "770482020000" + "9000")
    (seen,) = witness.read_dialogue([lists, sent])
    assert witness.terminal_values(seen) == {0x9F02: bytes.fromhex("000000001234")}
    short = step("80A8000004830200000000", "770482020000" + "9000")
    (seen,) = witness.read_dialogue([lists, short])
    assert witness.terminal_values(seen) == {}


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ({0x57: bytes.fromhex("4761739001010010D22120")}, [("4761739001010010", "2212", 0x57)]),
        ({0x57: bytes.fromhex("FFFF")}, []),
        ({0x5A: bytes.fromhex("476173900101001F")}, [("476173900101001", "", 0x5A)]),
        ({0x56: b"B4761739001010010^A/B^2212201"}, [("4761739001010010", "2212", 0x56)]),
        ({0x56: b"C4761"}, []),
    ],
)
def test_accounts_of_a_recording(
    objects: dict[int, Any], found: list[tuple[str, str, int]]
) -> None:
    seen = {tag: [value] for tag, value in objects.items()}
    accounts = witness.accounts(seen)
    assert [(each.pan, each.expiry, each.tag) for each in accounts] == found


def recorded(static: bytes, **changed: bytes) -> list[witness.Seen]:
    """A dialogue of a card of the made-up scheme, with a static signature beside its own key."""
    held = scheme.certificates(static)
    code = scheme.key("issuer", 1152).sign(bytes.fromhex("0301DAC0"), static)
    held |= {0x93: code} | {int(tag[1:], 16): value for tag, value in changed.items()}
    record = encode(0x70, scheme.tlv({0x5A: bytes.fromhex(scheme.PAN)} | held))
    return witness.read_dialogue(
        [
            step(SELECT, FCI),
            step("80A8000002830000", "770A82022000940410010100" + "9000"),
            Step(bytes.fromhex("00B2011400"), record + b"\x90\x00"),
        ]
    )


@pytest.mark.parametrize(
    ("changed", "rows"),
    [
        ({}, ["holds", "holds", "holds"]),
        ({"x93": bytes(144)}, ["holds", "does not hold", "holds"]),
        ({"x9F46": bytes(144)}, ["holds", "holds", "does not hold"]),
        ({"x90": bytes(176)}, ["does not hold"]),
        ({"x5A": bytes.fromhex("5413330000000000")}, ["holds", "holds", "does not hold"]),
    ],
)
def test_how_far_the_chain_of_a_recording_holds(changed: dict[str, bytes], rows: list[str]) -> None:
    (seen,) = recorded(b"", **changed)
    found = summary.authentication(seen, scheme.ca_keys(VISA), date(2026, 3, 14))
    assert [holds for _, holds, _ in found] == rows
    assert not summary.authentication(witness.Seen(VISA), CaKeys(), date(2026, 3, 14))


def test_what_a_card_does_not_have_has_no_row() -> None:
    (seen,) = recorded(b"")
    rows = ["Issuer certificate (90)", "Static signature (93)", "Card certificate (9F46)"]
    for tag, row in ((0x93, 1), (0x9F46, 1)):
        del seen.objects[tag], rows[row]
        found = summary.authentication(seen, scheme.ca_keys(VISA), date(2026, 3, 14))
        assert [what for what, _, _ in found] == rows


def test_a_cryptogram_in_no_template_is_still_one() -> None:
    answers = ("77049F270180", "800B400007" + "11" * 8, "9F270140", "")
    steps = [step(SELECT, FCI)]
    steps += [step("80AE800002BEEF00", f"{answer}9000") for answer in answers]
    (seen,) = witness.read_dialogue(steps)
    assert [(each.template, each.sent.hex()) for each in seen.cryptograms] == [
        (0x77, "beef"),
        (0x80, "beef"),
        (0x9F27, "beef"),
        (0, "beef"),
    ]
    assert seen.objects[0x9F36] == [b"\x00\x07"]


# T=0: 61xx with GET RESPONSE, 6Cxx with the repeated command, in one step each.
@pytest.mark.parametrize(
    ("exchanges", "steps"),
    [
        ([("00A40400", "6110"), ("00C0000010", "6F009000")], [("00A40400", "6F009000", (0, 1))]),
        ([("00A40400", "6110"), ("000C000000", "6F009000")], [("00A40400", "6F009000", (0, 1))]),
        (
            [("00B2010C00", "6C04"), ("00B2010C04", "70009000")],
            [("00B2010C04", "70009000", (0, 1))],
        ),
        (
            [("00B2010C00", "6C04"), ("00B2020C04", "70009000")],
            [("00B2010C00", "6C04", (0,)), ("00B2020C04", "70009000", (1,))],
        ),
        (
            [("00A40400", "6110"), ("80A80000", "9000")],
            [("00A40400", "6110", (0,)), ("80A80000", "9000", (1,))],
        ),
        ([("00A40400", "6110")], [("00A40400", "6110", (0,))]),
        (
            [("00B2010C00", "6C04"), ("00B2010C04", "6104"), ("00C0000004", "70009000")],
            [("00B2010C04", "70009000", (0, 1, 2))],
        ),
    ],
)
def test_frames_of_contact_cards_are_joined(
    exchanges: list[tuple[str, str]], steps: list[tuple[str, str, tuple[int, ...]]]
) -> None:
    recorded = [(bytes.fromhex(one), bytes.fromhex(two)) for one, two in exchanges]
    assert witness.joined(recorded) == [
        Step(bytes.fromhex(command), bytes.fromhex(answer), at) for command, answer, at in steps
    ]
    assert witness.joined([(None, None)]) == [Step(None, None, (0,))]


@pytest.mark.parametrize("answer", ["80021234", "77059F4B021234"])
def test_internal_authenticate(answer: str) -> None:
    asked = step("008800000401020304", f"{answer}9000")
    (seen,) = witness.read_dialogue([step(SELECT, FCI), asked])
    assert seen.authentications == [(bytes.fromhex("01020304"), bytes.fromhex("1234"))]


HASH = bytes(20)


# A message by its second byte, and the parts behind header and format.
@pytest.mark.parametrize(
    ("message", "kind", "found"),
    [
        (
            "0301 DAC0 BBBB",
            "signed static data",
            ["hash algorithm 01", "data authentication code dac0", "padding bbbb"],
        ),
        (
            "0501 03 02AABB BB",
            "signed dynamic data",
            [
                *("hash algorithm 01", "dynamic data length 03", "dynamic number length 02"),
                *("dynamic number aabb", "padding bb"),
            ],
        ),
        (
            "9501 04 02AABBCC",
            "signed dynamic data of a phone",
            [
                *("hash algorithm 01", "dynamic data length 04", "dynamic number length 02"),
                *("dynamic number aabb", "other dynamic data cc"),
            ],
        ),
        (
            "0501 20 02AABB 80 1122334455667788 A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3 BB",
            "signed dynamic data",
            [
                *("hash algorithm 01", "dynamic data length 20", "dynamic number length 02"),
                *("dynamic number aabb", "cryptogram information 80"),
                "cryptogram 1122334455667788",
                "transaction data hash a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3",
                "padding bb",
            ],
        ),
        (
            "0501 00 BB",
            "signed dynamic data",
            [
                *("hash algorithm 01", "dynamic data length 00", "dynamic number length "),
                *("dynamic number ", "padding bb"),
            ],
        ),
        (
            "02 476173FF 1249 000042 01 01 02 01 AABB BBBB",
            "issuer certificate",
            [
                *("issuer identifier 476173ff", "expiry 1249", "serial number 000042"),
                *("hash algorithm 01", "public key algorithm 01", "public key length 02"),
                *("exponent length 01", "public key aabb", "padding bbbb"),
            ],
        ),
    ],
)
def test_a_recovered_message_is_told_whole(message: str, kind: str, found: list[str]) -> None:
    whole = b"\x6a" + bytes.fromhex(message) + HASH + b"\xbc"
    told = parts(whole)
    assert kind_of(whole) == kind
    assert b"".join(each.value for each in told) == whole
    assert [f"{each.name} {each.value.hex()}" for each in told[2:-2]] == found


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"", "no format that is known"),
        (b"\x6a\x07" + bytes(40), "no format that is known"),
        (b"\x6a\x02" + bytes(20), "too short for its format"),
        (b"\x6a\x05\x01\xff" + bytes(40), "longer than its message"),
    ],
)
def test_a_message_that_was_not_recovered(message: bytes, said: str) -> None:
    with pytest.raises(CardError, match=said):
        parts(message)
    assert kind_of(message[:1]) == "unknown"


def test_objects_are_written_as_they_were_read() -> None:
    data = bytes.fromhex("6F0F8407A0000000031010A504500241429F3600")
    assert encode_all(decode(data)) == data
