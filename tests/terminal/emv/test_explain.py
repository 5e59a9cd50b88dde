"""Every byte accounted for, nothing of a real account shown, and bad data told where it is."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from terminal.emv import explain, words
from terminal.emv.explain import Context, Row
from terminal.emv.names import name_of
from terminal.emv.tlv import encode

REAL = bytes.fromhex("5413330000000000")


def accounted(rows: list[Row], data: bytes) -> None:
    at = 0
    for row in rows:
        assert row.offset == at, row
        at += row.length
    assert at == len(data)


@given(st.binary(max_size=120))
@example(bytes.fromhex("80A800000000"))
@settings(max_examples=300, deadline=None)
def test_every_byte_of_any_data_is_accounted_for(data: bytes) -> None:
    accounted(explain.explain_tlv(data), data)
    accounted(explain.explain_answer(data, None, Context()), data)
    accounted(explain.explain_command(data, Context()), data)


@given(st.binary(min_size=5, max_size=60), st.sampled_from([0xA4, 0xA8, 0xAE, 0xB2, 0xCA, 0x88]))
@settings(max_examples=200, deadline=None)
def test_every_byte_of_an_exchange_is_accounted_for(data: bytes, ins: int) -> None:
    command = bytes((0x80, ins, 1, 0x0C, len(data))) + data + b"\0"
    context = Context(lists={0x9F38: bytes.fromhex("9F02069F3704"), 0x8C: bytes.fromhex("9505")})
    accounted(explain.explain_command(command, context), command)
    accounted(explain.explain_answer(b"\x80" + data, command, context), b"\x80" + data)


@pytest.mark.parametrize(
    ("tag", "value", "shown"),
    [
        (0x5A, REAL, "5A08 ************0000"),
        (0x57, REAL + bytes.fromhex("D2512201123456"), "570F ************0000D*************"),
        (0x56, b"B5413330000000000^A/B^2512201", "561D " + "*" * 58),
        (0x5F20, b"DOE/JANE", "5F2008 " + "*" * 16),
        (0x5A, bytes.fromhex("4761739001010010"), "5A08 4761739001010010"),
        (0x9F27, b"\x80", "9F2701 80"),
    ],
)
def test_accounts_are_masked_unless_they_are_published_test_numbers(
    tag: int, value: bytes, shown: str
) -> None:
    (row,) = explain.explain_tlv(encode(tag, value))
    assert row.shown == shown


def test_a_filled_list_is_told_by_its_objects() -> None:
    context = Context()
    fci = bytes.fromhex("6F148407A0000000031010A5099F38069F02065F2A029000")
    explain.explain_answer(fci, None, context)
    rows = explain.explain_command(bytes.fromhex("80A800000A8308000000001250097800"), context)
    assert [row.what for row in rows] == [
        "GET PROCESSING OPTIONS",
        "Lc",
        "83 Command Template",
        "9F02 Amount, Authorised",
        "5F2A Transaction Currency Code",
        "Le",
    ]
    assert [row.says for row in rows[3:5]] == [("1250 minor units",), ("EUR",)]


GENERATE_AC = "80AE400002000000"


# The command, the answer, and what each of its rows is about.
@pytest.mark.parametrize(
    ("command", "answer", "what"),
    [
        (
            "80A80000028300",
            "8006200010010100",
            ["80 Response Message Template Format 1", "82 AIP", "94 Application File Locator"],
        ),
        (
            GENERATE_AC,
            "800B" + "40" + "0007" + "1122334455667788",
            [
                *("80 Response Message Template Format 1", "9F27 Cryptogram Information Data"),
                *("9F36 Application Transaction Counter", "9F26 Application Cryptogram"),
            ],
        ),
        (GENERATE_AC, "800B40", ["not readable"]),
        (GENERATE_AC, "80", ["not readable"]),
        ("00B2015C00", "414243", ["record of the issuer's own format"]),
        ("00B2011400", "9F360200079F", ["9F36", "not readable"]),
    ],
)
def test_an_answer_is_told_by_its_command(command: str, answer: str, what: list[str]) -> None:
    data = bytes.fromhex(answer + "9000")
    rows = explain.explain_answer(data, bytes.fromhex(command), Context())
    accounted(rows, data)
    assert rows[-1].what == "status word"
    assert len(rows) == len(what) + 1
    for row, about in zip(rows, what, strict=False):
        assert row.what.startswith(about[:2]), (row, about)


def test_bad_data_is_told_where_it_is() -> None:
    *_, last = explain.explain_tlv(bytes.fromhex("9F360200017705"))
    assert last.what == "not readable"
    assert last.says == ("at byte 5: Tag 77 claims 5 bytes and has 0.",)


@pytest.mark.parametrize(
    ("tag", "value", "says"),
    [
        (0x82, "1981", ["Cardholder verification is supported", "CDA supported"]),
        (0x9F6C, "2080", ["Consumer device CVM performed"]),
        (0x9F07, "FF00", ["Valid at ATMs"]),
        (0x9B, "E800", ["Terminal risk management was performed"]),
        (0x9F27, "4B", ["TC: approved offline", "Advice required", "Issuer authentication failed"]),
        (0x94, "10020401", ["SFI 2 records 2-4 (first 1: offline data authentication)"]),
        (0x8E, "000003E800000000" + "42035E06", ["X = 1000, Y = 0 (minor units)"]),
        (0x9F2A, "03", ["Visa"]),
        (0x87, "81", ["priority 1", "needs the cardholder's confirmation"]),
        (0x9F4A, "82", ["the AIP (82) is signed too"]),
        (0x5F25, "491231", ["2049-12-31"]),
        (0x9F21, "235959", ["23:59:59"]),
        (0x9F35, "22", ["merchant, attended, offline with online capability"]),
        (0x9C, "20", ["refund"]),
        (0x9F02, "00000000125A", ["malformed"]),
        (0x9F34, "4203", ["malformed"]),
        (0x5F2A, "0998", ["currency 0998"]),
        (0x5F25, "4912FF", ["malformed: no date"]),
        (0x5F25, "4912", ["malformed: no date"]),
        (0x9F4A, "8295", ["tags 8295; EMV allows 82 alone"]),
        (0x95, "00", ["malformed: 1 byte"]),
        (0x9F6E, "24707000", ["watch"]),
        (0x9F71, "010302", ["Mobile CVM performed", "Terminal required CVM", "Mobile CVM succ"]),
        (
            0x9F34,
            "420302",
            ["Enciphered PIN verified online", "If terminal supports", "Successful"],
        ),
    ],
)
def test_values_in_words(tag: int, value: str, says: list[str]) -> None:
    found = words.statements(tag, bytes.fromhex(value))
    for each in says:
        assert any(statement.startswith(each) for statement in found), found


@pytest.mark.parametrize(
    ("tag", "kernel", "name"),
    [
        (0x9F66, 3, "Terminal Transaction Qualifiers"),
        (0x9F66, 2, "PUNATC (Track 2)"),
        (0x9F66, 0, "Terminal Transaction Qualifiers, or PUNATC (Track 2)"),
        (0x9F6E, 4, "Enhanced Contactless Reader Capabilities"),
        (0x9F71, 6, "Card Processing Requirements"),
        (0x9F37, 4, "Unpredictable Number"),
        (0x9F7F7F, 4, ""),
    ],
)
def test_an_object_is_called_what_its_kernel_calls_it(tag: int, kernel: int, name: str) -> None:
    assert name_of(tag, kernel) == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("A0000000031010", ["Visa"]),
        ("A0000003591010028001", ["girocard"]),
        ("A0000009999999", []),
        (b"2PAY.SYS.DDF01".hex(), ['"2PAY.SYS.DDF01"']),
    ],
)
def test_a_name_says_whose_application_it_is(name: str, says: list[str]) -> None:
    for tag in (0x84, 0x4F, 0x9F06):
        assert words.statements(tag, bytes.fromhex(name)) == says


def test_form_factors_differ_by_scheme() -> None:
    assert words.form_factor(bytes.fromhex("24707000"), 3) == ["watch"]
    data = bytes.fromhex("0056") + bytes.fromhex("0001") + b"03"
    assert words.form_factor(data, 2)[-1] == "watch"
    assert words.form_factor(b"\x01", 2) == ["malformed: 1 byte"]
    # The unique identifier's first bit says that the device type is not there.
    unknown = bytes.fromhex("0056800103")
    assert words.form_factor(unknown, 2) == ["country 0056", "unique identifier 8001"]


@pytest.mark.parametrize(
    ("sw", "means"),
    [
        (0x9000, "done"),
        (0x6110, "16 more bytes to fetch"),
        (0x6C20, "Le should have been 20"),
        (0x63C2, "2 tries left"),
        (0x6FFF, "a status word of no common meaning"),
    ],
)
def test_status_words(sw: int, means: str) -> None:
    assert explain.status(sw) == means
