"""The CVM list against a kernel 2 reader: which verification applies, and how 9F34 says it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from terminal.emv.kernels.cvm_list import CvmList, CvmRule, is_satisfied, parse_cvm_list
from terminal.emv.outcome import Cvm, Decision
from terminal.errors import CardError
from tests.conftest import require_vectors
from tests.terminal.emv.cards import Objects, mastercard, mastercard_reader
from tests.terminal.emv.replay import load
from tests.terminal.emv.scheme import request, tap

if TYPE_CHECKING:
    from terminal.emv.kernels.activation import Activation


# 8E, static 9F33 byte 2 with and without the CVM limit, amount, and 9F34 with the outcome's CVM.
@pytest.mark.parametrize(
    ("aip", "cvm_list", "capability", "minor", "results", "cvm"),
    [
        ("1980", "42031E031F03", 0x60, 6000, "420300", Cvm.ONLINE_PIN),
        ("1980", "42031E031F03", 0x20, 6000, "1e0300", Cvm.SIGNATURE),
        ("1980", "42031E031F03", 0x20, 1250, "1f0302", Cvm.NONE),
        ("1980", "42001E001F00", 0x20, 6000, "1e0000", Cvm.SIGNATURE),
        ("1980", "02001E00", 0x20, 6000, "3f0001", Cvm.NONE),  # no "apply next"
        ("1980", "0000", 0x20, 6000, "000001", Cvm.NONE),  # fail CVM
        ("1980", "1F06", 0x08, 6000, "3f0001", Cvm.NONE),  # under X = 0
        ("1980", "1F07", 0x08, 6000, "1f0702", Cvm.NONE),
        ("1980", "1F08", 0x08, 6000, "3f0001", Cvm.NONE),
        ("1980", "1F09", 0x08, 6000, "1f0902", Cvm.NONE),
        ("1980", "1F0A", 0x08, 6000, "3f0001", Cvm.NONE),  # a condition that is not known
        ("1980", "1F02", 0x08, 6000, "1f0202", Cvm.NONE),
        ("1980", "1F01", 0x08, 6000, "3f0001", Cvm.NONE),
        ("1980", "1F04", 0x08, 6000, "3f0001", Cvm.NONE),
        ("1980", "1F05", 0x08, 6000, "3f0001", Cvm.NONE),
        ("0980", "1F00", 0x08, 6000, "3f0000", Cvm.NONE),  # the card verifies nobody
        ("1B80", "1F00", 0x08, 6000, "010002", Cvm.CONFIRMATION_CODE),
        ("1B80", "1F00", 0x08, 1250, "3f0002", Cvm.NONE),
    ],
)
def test_cardholder_verification(
    aip: str, cvm_list: str, capability: int, minor: int, results: str, cvm: Cvm
) -> None:
    subject = mastercard(aip=aip, records={0x8E: "0000000000000000" + cvm_list})
    outcome = tap(subject, request(minor), mastercard_reader(cvm_capability=capability))
    assert outcome.decision is Decision.ONLINE_REQUEST, outcome.reason
    assert (outcome.chip_data[0x9F34].hex(), outcome.cvm) == (results, cvm)


@pytest.mark.parametrize(("condition", "kind"), [("04", 0x01), ("05", 0x09), ("02", 0x00)])
def test_conditions_on_the_kind_of_transaction(condition: str, kind: int) -> None:
    records: Objects = {0x8E: "0000000000000000" + "1F" + condition}
    for number in (0x00, 0x01, 0x09):
        outcome = tap(
            mastercard(records=records), request(transaction_type=number), mastercard_reader()
        )
        stated = "1f" + condition + "02" if number == kind else "3f0001"
        assert outcome.chip_data[0x9F34].hex() == stated


@pytest.mark.parametrize(
    ("condition", "minor", "holds"),
    [
        ("06", 999, True),  # under X
        ("06", 1000, False),
        ("07", 1000, False),  # over X
        ("07", 1001, True),
        ("08", 1999, True),  # under Y
        ("08", 2000, False),
        ("09", 2000, False),  # over Y
        ("09", 2001, True),
    ],
)
def test_amounts_at_their_limits(condition: str, minor: int, *, holds: bool) -> None:
    records: Objects = {0x8E: f"{1000:08X}{2000:08X}1F{condition}"}
    outcome = tap(mastercard(records=records), request(minor), mastercard_reader())
    stated = f"1f{condition}02" if holds else "3f0001"
    assert outcome.chip_data[0x9F34].hex() == stated


def test_amount_conditions_need_the_application_currency() -> None:
    records: Objects = {0x8E: "0000000000000000" + "1F07", 0x9F42: "0840"}
    outcome = tap(mastercard(records=records), request(), mastercard_reader())
    assert outcome.chip_data[0x9F34].hex() == "3f0001"


def test_cvm_lists_like_openemv() -> None:
    for case in load(require_vectors() / "emv" / "decode" / "cvm_list_openemv.json")["cases"]:
        value = bytes.fromhex(case["cvm_list_8E"])
        if "expected_rules" not in case:
            with pytest.raises(CardError):
                parse_cvm_list(value)
            continue
        found = parse_cvm_list(value)
        rules = [[f"{rule.code:02X}", f"{rule.condition:02X}"] for rule in found.rules]
        assert rules == case["expected_rules"]
        assert (found.amount_x, found.amount_y) == (case["amount_x"], case["amount_y"])


@pytest.mark.parametrize("kind", [0x11, 0x13, 0x14, 0x16, 0x21, 0x22, 0x24, 0x25, 0x34, 0x36])
def test_who_attends_the_terminal_decides_about_cash(kind: int) -> None:
    """Conditions 1 and 4: unattended and attended cash (Book 4, Annex A1: 4 to 6 is unattended)."""
    unattended = kind & 0x0F in {4, 5, 6}
    for number in (0x00, 0x01, 0x09, 0x17):
        subject = cast(
            "Activation",
            SimpleNamespace(
                request=request(transaction_type=number), terminal={0x9F35: bytes((kind,))}
            ),
        )
        cash = number in {0x01, 0x17}
        for condition, holds in ((1, cash and unattended), (4, cash and not unattended)):
            rule = CvmRule(0x1F, condition)
            assert is_satisfied(subject, CvmList(0, 0, ()), rule, 0x08) is holds


def test_a_method_that_is_not_known_is_not_supported() -> None:
    subject = cast(
        "Activation", SimpleNamespace(request=request(), terminal={0x9F35: bytes((0x22,))})
    )
    listed = CvmList(0, 0, ())
    assert not is_satisfied(subject, listed, CvmRule(0x3E, 3), 0xFF)
    assert is_satisfied(subject, listed, CvmRule(0x1F, 3), 0x08)
    assert not is_satisfied(subject, listed, CvmRule(0x1F, 3), 0x77)
