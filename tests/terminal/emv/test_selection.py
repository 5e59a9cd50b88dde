from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.emv.entry_point import Combination, default_settings
from terminal.emv.selection import _kernel_id, candidates, directory, parse_fci, text
from terminal.emv.tlv import encode
from terminal.errors import CardError
from terminal.money import Currency
from tests.conftest import require_vectors
from tests.terminal.emv.replay import load

VISA = Combination(bytes.fromhex("A0000000031010"), 3, "Visa")
MASTERCARD = Combination(bytes.fromhex("A0000000041010"), 2, "Mastercard")


def ppse(*entries: bytes) -> bytes:
    listed = b"".join(encode(0x61, entry) for entry in entries)
    name = encode(0x84, b"2PAY.SYS.DDF01")
    return encode(0x6F, name + encode(0xA5, encode(0xBF0C, listed)))


def entry(aid: str, *, priority: str = "", kernel: str | None = None, label: str = "") -> bytes:
    parts = encode(0x4F, bytes.fromhex(aid))
    if label:
        parts += encode(0x50, label.encode())
    if priority:
        parts += encode(0x87, bytes.fromhex(priority))
    if kernel is not None:
        parts += encode(0x9F2A, bytes.fromhex(kernel))
    return parts


@pytest.mark.parametrize(
    "name",
    ["ppse_cb_visa_kernel_id_outside_entry", "ppse_interac", "ppse_two_applications_priority"],
)
def test_published_directories(name: str) -> None:
    case = load(require_vectors() / "emv" / "selection" / f"{name}.json")
    wire = bytes.fromhex(case["ppse_response"])
    found = directory(wire.removesuffix(b"\x90\x00"))
    every = [Combination(each.adf_name, each.kernel_id, "any") for each in found]
    order = [each.adf_name.hex().upper() for each in candidates(found, every)]
    assert order == case["expected_order"]
    if "expected_labels" in case:
        assert [each.label for each in found] == case["expected_labels"]


@pytest.mark.parametrize(
    ("aid", "kernel", "means"),
    [
        ("A0000000031010", None, 3),
        ("A0000000041010", None, 2),
        ("A00000002501", None, 4),
        ("A0000000651010", None, 5),
        ("A0000001523010", None, 6),
        ("A000000333010101", None, 7),
        ("A0000000421010", None, 0),  # a RID without a kernel of its own: the reader chooses
        ("A0000000421010", "", 0),
        ("A0000000031010", "", 3),
        ("A0000000031010", "02", 2),
        ("A0000000031010", "0800000000000000", 8),
        ("A0000000031010", "810978", 0x810978),  # domestic
        ("A0000000031010", "810940", 0x810940),
        ("A0000000031010", "BF0840FF", 0xBF0840),
        ("A0000000031010", "800000", 0),
        ("A0000000031010", "80", None),
        ("A0000000031010", "8109", None),  # domestic, too short: the entry is skipped
    ],
)
def test_kernel_identifier(aid: str, kernel: str | None, means: int | None) -> None:
    found = directory(ppse(entry(aid, kernel=kernel)))
    assert [each.kernel_id for each in found] == ([] if means is None else [means])


def test_priority_then_card_order_then_reader_order() -> None:
    names = [f"A00000000310{number}" for number in range(10, 15)]
    ranks = ["00", "02", "", "F1", "02"]
    found = directory(
        ppse(*(entry(aid, priority=rank) for aid, rank in zip(names, ranks, strict=True)))
    )
    wide = Combination(bytes.fromhex("A000000003"), 3, "first")
    second = Combination(bytes.fromhex("A00000000310"), 3, "second")
    chosen = candidates(found, (wide, second))
    order = [names[at] for at in (3, 1, 4, 0, 2)]
    assert [each.adf_name.hex().upper() for each in chosen] == [
        name for name in order for _ in range(2)
    ]
    assert [each.combination.scheme for each in chosen[:2]] == ["first", "second"]


def test_partial_names_match_and_other_kernels_do_not() -> None:
    found = directory(
        ppse(
            entry("A000000003101001"),
            entry("A00000000310"),
            entry("A0000000031010", kernel="04"),
            entry("A0000000041010", kernel="00"),
        )
    )
    chosen = candidates(found, (VISA, MASTERCARD))
    assert [each.adf_name.hex().upper() for each in chosen] == [
        "A000000003101001",
        "A0000000041010",
    ]


@pytest.mark.parametrize(
    "broken",
    [encode(0x50, b"no name"), encode(0x4F, b"\xa0\x00\x00\x00"), encode(0x4F, bytes(17))],
)
def test_an_entry_without_a_usable_name_is_left_out(broken: bytes) -> None:
    assert len(directory(ppse(broken, entry("A0000000031010", priority="")))) == 1


@pytest.mark.parametrize("length", [5, 16])
def test_the_shortest_and_the_longest_name(length: int) -> None:
    name = VISA.aid[:5] + bytes(length - 5)
    assert [each.adf_name for each in directory(ppse(encode(0x4F, name)))] == [name]
    fci = encode(0x6F, encode(0x84, name) + encode(0xA5, b""))
    assert parse_fci(fci).df_name == name


@pytest.mark.parametrize(
    ("fci", "reason"),
    [
        ("70020000", "no template 6F"),
        ("6F00" + "6F00", r"no usable name \(84\)"),
        ("6F02A500", r"no usable name \(84\)"),
        ("6F068404A0000000", r"no usable name \(84\)"),
        ("6F098407A0000000031010", "no template A5"),
        ("", "no template 6F"),
    ],
)
def test_answers_to_select_that_are_none(fci: str, reason: str) -> None:
    with pytest.raises(CardError, match=reason):
        parse_fci(bytes.fromhex(fci))


def test_text_of_a_card_is_made_printable() -> None:
    assert text(b" VISA\x00\x1b[31m\xff ") == "VISA[31m"


def test_default_settings_know_the_big_schemes() -> None:
    settings = default_settings(250, Currency.of("EUR"))
    kernels = {each.scheme: each.kernel_id for each in settings.combinations}
    assert kernels == {
        "Visa": 3,
        "Visa Electron": 3,
        "Mastercard": 2,
        "Maestro": 2,
        "American Express": 4,
        "JCB": 5,
        "Discover": 6,
        "UnionPay": 7,
    }
    assert {each.cvm_limit_minor for each in settings.combinations} == {5000}
    data = {each.kernel_id: dict(each.data) for each in settings.combinations}
    assert data[2] == {0x9F1D: bytes.fromhex("2C00000000000000"), 0x9F7E: b"\x01"}
    assert data[3] == {}
    yen = default_settings(392, Currency.of("JPY"), cvm_limit_minor=10000, floor_limit_minor=5)
    assert {(each.cvm_limit_minor, each.floor_limit_minor) for each in yen.combinations} == {
        (10000, 5)
    }


@pytest.mark.parametrize(("wanted", "more"), [(True, "CAFE"), (False, "")])
def test_the_final_select_may_carry_the_extended_selection(more: str, *, wanted: bool) -> None:
    combination = replace(VISA, extended_selection=wanted)
    extended = entry("A0000000031010") + encode(0x9F29, bytes.fromhex("CAFE"))
    (candidate,) = candidates(directory(ppse(extended)), [combination])
    assert candidate.selected_by == VISA.aid + bytes.fromhex(more)
    (plain,) = candidates(directory(ppse(entry("A0000000031010"))), [combination])
    assert plain.selected_by == VISA.aid


@pytest.mark.parametrize("length", [4, 5, 16, 17])
def test_a_name_in_an_answer_to_select_has_five_to_sixteen_bytes(length: int) -> None:
    data = encode(0x6F, encode(0x84, bytes(length)) + encode(0xA5, b""))
    if 5 <= length <= 16:
        assert parse_fci(data).df_name == bytes(length)
        return
    with pytest.raises(CardError, match="no usable name"):
        parse_fci(data)


@pytest.mark.parametrize(
    ("stated", "kernel"),
    [
        (b"\x03", 3),
        (b"\x01", 1),
        (b"\x83", None),
        (b"\x81\x02", None),
        (bytes.fromhex("8102C0"), 0x8102C0),
        (bytes.fromhex("8002C0"), 0),
        (bytes.fromhex("C002C0"), 0),
        (bytes.fromhex("8100C0"), 0x8100C0),
        (b"", 3),
        (None, 3),
    ],
)
def test_the_kernel_that_a_card_asks_for(stated: bytes | None, kernel: int | None) -> None:
    assert _kernel_id(stated, VISA.aid) == kernel


def test_text_ends_at_the_tilde() -> None:
    assert text(b" A\x1f\x7f~\x80 ") == "A~"
