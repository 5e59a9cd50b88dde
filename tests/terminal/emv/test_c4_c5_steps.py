"""The steps of kernels 4 and 5, one by one, and the CVM list."""

from __future__ import annotations

from typing import Any

import pytest

from terminal.emv.kernels import (
    c4,
    c5,
    cvm_list,
)
from terminal.emv.kernels.activation import ARQC
from terminal.emv.kernels.cvm_list import CvmList, CvmRule
from terminal.emv.kernels.generate_ac import Run
from terminal.emv.outcome import Cvm, Decision
from terminal.errors import CardError
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import MASTERCARD_PAN
from tests.terminal.emv.scheme import ScriptedCard, ok, tlv
from tests.terminal.emv.steps import ACCOUNT, account_of, activation, ran

# -- kernel 4 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "reader", "enhanced", "capabilities"),
    [(1250, "c0", "18a00003", "000808"), (7500, "c8", "18a04003", "002008")],
)
def test_the_readers_capabilities_of_kernel_4(
    minor: int, reader: str, enhanced: str, capabilities: str
) -> None:
    data = {0x9F6D: b"\xc8", 0x9F6E: bytes.fromhex("18A04003")}
    at = activation(4, minor=minor, cvm_limit_minor=5000, data=data)
    at.terminal |= data
    c4._state_capabilities(at)
    assert at.terminal[0x9F6D].hex() == reader
    assert at.terminal[0x9F6E].hex() == enhanced
    assert at.terminal[0x9F33].hex() == capabilities


@pytest.mark.parametrize("missing", [0x5A, 0x5F24, 0x8C])
@pytest.mark.parametrize("kernel", [c4, c5])
def test_what_kernels_4_and_5_cannot_do_without(kernel: Any, missing: int) -> None:
    name = 4 if kernel is c4 else 5
    record: dict[int, str | bytes] = {0x5A: MASTERCARD_PAN, 0x5F24: "281231", 0x8C: "9F3704"}
    del record[missing]
    at = activation(name, {0x9F38: "9F5201"}, luhn_required=False)
    at.terminal |= {0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex("18A00003"), 0x9F53: bytes(3)}
    card = ScriptedCard(
        {
            "80A8": ok(tlv({0x77: tlv({0x82: "0080", 0x94: "08010100"})})),
            "00B2010C": ok(tlv({0x70: tlv(record)})),
        }
    )
    with pytest.raises(CardError, match=rf"\({missing:02X}\)"):
        ran(kernel.run(at), card)


# Mobile CVM, signature, no CVM; what 9F71 says; the amount; 9F34 and the outcome's CVM.
@pytest.mark.parametrize(
    ("rules", "mobile", "minor", "results", "cvm", "byte_3"),
    [
        ("41031E03", "010002", 7500, "410302", Cvm.CONFIRMATION_CODE, 0x00),
        ("41031E03", "010003", 7500, "1e0300", Cvm.SIGNATURE, 0x00),
        ("41031E03", "010002FF", 7500, "1e0300", Cvm.SIGNATURE, 0x00),
        ("41001F00", "", 1250, "1f0002", Cvm.NONE, 0x00),
        ("41005F00", "", 1250, "5f0002", Cvm.NONE, 0x00),
        ("1F061F00", "", 1250, "1f0002", Cvm.NONE, 0x00),
        ("42031F00", "", 7500, "3f0001", Cvm.NONE, 0x80),
        ("6A001E03", "", 7500, "1e0300", Cvm.SIGNATURE, 0x40),
        ("44001E03", "", 7500, "1e0300", Cvm.SIGNATURE, 0x00),
        ("40001E03", "", 7500, "1e0300", Cvm.SIGNATURE, 0x00),
        ("00001E03", "", 7500, "000001", Cvm.NONE, 0x80),
        ("2A001E03", "", 7500, "3f0001", Cvm.NONE, 0xC0),
    ],
)
def test_cardholder_verification_of_kernel_4(
    rules: str, mobile: str, minor: int, results: str, cvm: Cvm, byte_3: int
) -> None:
    objects: dict[int, str | bytes] = {0x8E: "0000000000000000" + rules}
    if mobile:
        objects[0x9F71] = mobile
    at = activation(4, objects, aip="1040", minor=minor, cvm_limit_minor=5000)
    at.terminal |= {0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex("18A00003")}
    c4._state_capabilities(at)
    found = c4._verify_cardholder(at)
    assert isinstance(found, cvm_list.Verification)
    assert (found.results.hex(), found.cvm, found.tvr_byte_3) == (results, cvm, byte_3)


@pytest.mark.parametrize(
    ("enhanced", "first", "decision"),
    [
        ("1CA00003", "20", Decision.TRY_ANOTHER_INTERFACE),
        ("18A00003", "20", Decision.DECLINED),
        ("1CA00003", "00", Decision.DECLINED),
        ("1CA00003", "80", Decision.DECLINED),
    ],
)
def test_a_decline_of_kernel_4_may_go_to_the_contacts(
    enhanced: str, first: str, decision: Decision
) -> None:
    at = activation(4, {**ACCOUNT, 0x8C: "9F3704"})
    at.terminal |= {0x9F6E: bytes.fromhex(enhanced), 0x9F33: bytes.fromhex(first + "0808")}
    answer = "800B" + "00" + "0007" + "1122334455667788"
    card = ScriptedCard({"80AE": ok(bytes.fromhex(answer))})
    verified = cvm_list.Verification(bytes(3), Cvm.NONE)
    outcome = ran(c4._finish(Run(at, account_of()), ARQC, verified), card)
    assert outcome.decision is decision


@pytest.mark.parametrize("kernel", [4, 5])
def test_restrictions_stand_in_byte_2(kernel: int) -> None:
    """An expired card in its own country, and no other doubt: byte 2 of the TVR is 40."""
    record = {0x5A: MASTERCARD_PAN, 0x5F24: "251231", 0x8C: "9505", 0x5F28: "0250"}
    at = activation(kernel, {0x9F38: "9F5201"}, luhn_required=False, floor_limit_minor=None)
    at.terminal |= {0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex("18A00003"), 0x9F53: bytes(3)}
    card = ScriptedCard(
        {
            "80A8": ok(tlv({0x77: tlv({0x82: "0080", 0x94: "08010100"})})),
            "00B2010C": ok(tlv({0x70: tlv(record)})),
            "80AE": ok(bytes.fromhex("800B" + "80" + "0007" + "1122334455667788")),
        }
    )
    module = {4: c4, 5: c5}[kernel]
    ran(module.run(at), card)
    assert card.sent[-1][5:10].hex() == "8040000000"


# -- kernel 5 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "minor", "profile", "security"),
    [(True, 7500, "f00000", "88"), (True, 1250, "700000", "88"), (False, 7500, "f00000", "00")],
)
def test_the_profile_of_kernel_5(minor: int, profile: str, security: str, *, keys: bool) -> None:
    settings = scheme.settings(
        scheme.MASTERCARD, 5, keys=keys, cvm_limit_minor=5000, capabilities=b"\0\x28\x88"
    )
    at = activation(5, minor=minor, settings=settings)
    at.terminal[0x9F53] = bytes.fromhex("F00000")
    c5._state_profile(at)
    assert at.terminal[0x9F53].hex() == profile
    assert at.terminal[0x9F52] == b"\x02"
    assert at.terminal[0x9F33].hex() == "0028" + security


@pytest.mark.parametrize(
    ("status", "profile", "minor", "results", "cvm"),
    [
        ("10", "40", 1250, "1e0000", Cvm.SIGNATURE),
        ("10", "B0", 1250, None, None),
        ("2F", "20", 7500, "020000", Cvm.ONLINE_PIN),
        ("30", "10", 7500, "010002", Cvm.CONFIRMATION_CODE),
        ("40", "F0", 1250, None, None),
        ("00", "F0", 1250, "1f0002", Cvm.NONE),
        ("00", "F0", 7500, None, None),
        ("", "F0", 1250, "1f0002", Cvm.NONE),
        (None, "40", 7500, "1e0000", Cvm.SIGNATURE),
        (None, "B0", 7500, None, None),
        (None, "40", 1250, "1f0002", Cvm.NONE),
    ],
)
def test_verification_of_kernel_5(
    status: str | None, profile: str, minor: int, results: str | None, cvm: Cvm | None
) -> None:
    objects: dict[int, str | bytes] = {} if status is None else {0x9F50: status}
    at = activation(5, objects, {0x9F53: profile + "0000"}, minor=minor, cvm_limit_minor=5000)
    found = c5._verification(at)
    assert (found and (found.results.hex(), found.cvm)) == (results and (results, cvm))


# -- the CVM list ------------------------------------------------------------------------------


def test_amounts_and_rules_of_a_cvm_list() -> None:
    value = bytes.fromhex("01020304" + "05060708" + "42031E06")
    found = cvm_list.parse_cvm_list(value)
    rules = (CvmRule(0x42, 0x03), CvmRule(0x1E, 0x06))
    assert found == CvmList(0x01020304, 0x05060708, rules)
    assert [rule.method for rule in rules] == [0x02, 0x1E]
    for wrong in (value[:9], value[:8], value[:-1], b""):
        with pytest.raises(CardError, match="not two amounts and whole rules"):
            cvm_list.parse_cvm_list(wrong)
    assert len(cvm_list.parse_cvm_list(value[:10]).rules) == 1


# Rules of a list, 9F33 byte 2, and what applies: 9F34, the CVM, byte 3 of the TVR.
@pytest.mark.parametrize(
    ("rules", "supported", "found"),
    [
        ("4203", "40", ("420300", Cvm.ONLINE_PIN, 0x04)),
        ("4200", "20", ("3f0001", Cvm.NONE, 0x80)),
        ("42001E00", "20", ("1e0000", Cvm.SIGNATURE, 0x00)),
        ("02001E00", "20", ("3f0001", Cvm.NONE, 0x80)),
        ("40001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("00001F00", "08", ("000001", Cvm.NONE, 0x80)),
        ("0003" + "1F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("41001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("43001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("44001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("45001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("46001F00", "08", ("1f0002", Cvm.NONE, 0x40)),
        ("7F001F00", "08", ("1f0002", Cvm.NONE, 0x40)),
        ("06001F00", "08", ("3f0001", Cvm.NONE, 0xC0)),
    ],
)
def test_the_verification_that_applies(
    rules: str, supported: str, found: tuple[str, Cvm, int]
) -> None:
    at = activation(
        objects={0x8E: bytes(8) + bytes.fromhex(rules)},
        terminal={0x9F33: f"00{supported}08"},
        aip="1000",
    )
    verified = cvm_list.verify_cardholder(at, on_device=False, required=True)
    assert (verified.results.hex(), verified.cvm, verified.tvr_byte_3) == found
