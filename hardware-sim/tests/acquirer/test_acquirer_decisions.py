"""What the simulated acquirer answers, and what is in its books afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from drivers.keystore import HpkeSealer
from hardware_sim.acquirer_amounts import TEST_AMOUNTS, TestAmount
from hardware_sim.acquirer_ledger import CaptureState
from hardware_sim.bench_till import BenchTill, Slip
from terminal.iso8583.messages import (
    advice_of,
    compose_echo,
    is_answer_to,
    repeat_of,
    reversal_of,
)
from terminal.iso8583.profile import Action
from terminal.iso8583.profiles import BASE87

STANS = count(1)
CAPTURED, REVERSED, REFUSED = CaptureState.CAPTURED, CaptureState.REVERSED, CaptureState.REFUSED


def states(till: BenchTill, stan: int) -> list[CaptureState]:
    return [row.state for row in till.control.captures() if row.stan == f"{stan:06d}"]


def note(till: BenchTill, stan: int) -> str:
    return [row.note for row in till.control.ledger() if row.stan == f"{stan:06d}"][-1]


TAMPERED = [
    # What is wrong, the answer, and the rule that the books name.
    ({}, "00", ""),
    ({"minor": 1204}, "00", ""),
    ({"minor": 1}, "00", ""),
    ({"minor": 999_999_999_900}, "00", ""),
    ({"expiry": "2601"}, "54", "expired"),
    ({"sequence": None}, "00", ""),
    ({"pan": "4761739001010011"}, "14", "check digit"),
    ({"pan": "9999999999999995"}, "15", "no simulated issuer"),
    ({"bound_minor": 1251}, "63", "does not open"),
    ({"facts": {"pan_sequence": 2}}, "12", "DE 23"),
    ({"facts": {"reference": "9:other"}}, "63", "does not open"),
    ({"facts": {"reference": "nonsense"}}, "30", "SEQUENCE:TXN_ID"),
    ({"facts": {"envelope": b"\x01"}}, "63", "another key"),
    ({"chip": {0x9F02: bytes.fromhex("000000001251")}}, "12", "9F02"),
    ({"chip": {0x9F02: None}}, "30", "9F02"),
    ({"chip": {0x5F2A: bytes.fromhex("0840")}}, "12", "5F2A"),
    ({"chip": {0x9F26: bytes(8)}}, "82", "9F26"),
    ({"chip": {0x9F26: None}}, "82", "9F26"),
    ({"chip": {0x9F37: b"\xff\xff\xff\xff"}}, "82", "9F26"),
    ({"chip": {0x9F36: b"\x7f\x00"}}, "82", "9F26"),
    ({"chip": {0x9A: b"\x26\x05\x05"}}, "82", "9F26"),
    ({"chip": {0x95: b"\x00\x00\x00\x00\x01"}}, "82", "9F26"),
    ({"chip": {0x9F10: bytes.fromhex("06010A03A00001")}}, "82", "9F26"),
    ({"chip": {0x9F27: b"\x40"}}, "82", "9F27"),
    ({"chip": {0x84: bytes.fromhex("A0000000041010")}}, "82", "84"),
    ({"terminal_id": "TILL0002"}, "89", "terminal"),
    ({"merchant_id": "SHOP00000000002"}, "03", "merchant"),
]


@pytest.mark.parametrize(("changes", "code", "rule"), TAMPERED)
def test_one_wrong_thing_is_refused_by_its_rule(
    shared_till: BenchTill, changes: dict[str, Any], code: str, rule: str
) -> None:
    slip = Slip(stan=next(STANS), **changes)
    answer = shared_till.sell(slip)
    assert (answer.response_code, rule in note(shared_till, slip.stan)) == (code, True)
    booked = states(shared_till, slip.stan)
    # A terminal that is not known is sent away before anything is booked.
    expected = [] if code in {"89", "03"} else [CAPTURED if code == "00" else REFUSED]
    assert booked == expected


def test_an_envelope_for_another_acquirer_stays_shut(shared_till: BenchTill) -> None:
    stranger = HpkeSealer(X25519PrivateKey.generate().public_key())
    slip = Slip(stan=next(STANS))
    assert shared_till.send(slip.message(stranger)).response_code == "63"


@pytest.mark.parametrize("row", TEST_AMOUNTS.values(), ids=lambda row: str(row.ending))
def test_the_last_two_digits_choose_the_answer(shared_till: BenchTill, row: TestAmount) -> None:
    slip = Slip(minor=1200 + int(row.ending), stan=next(STANS))
    online = shared_till.sell(slip)
    assert online.response_code == row.ending
    if row.ending == "10":
        assert (online.action, online.amount_minor) == (Action.PARTIAL, 726)
    else:
        assert online.amount_minor is None
    later = Slip(minor=1200 + int(row.ending), stan=next(STANS))
    advice = advice_of(BASE87, shared_till.message(later))
    assert shared_till.send(advice).response_code == ("00" if row.ending == "10" else row.ending)


def test_an_advice_meets_an_unavailable_issuer_once_and_then_is_captured(till: BenchTill) -> None:
    advice = advice_of(BASE87, till.message(Slip(minor=1291)))
    assert till.send(advice).action is Action.RETRY_SAME
    assert states(till, 1) == []
    repeat = repeat_of(BASE87, advice)
    assert [till.send(repeat).response_code for _ in range(3)] == ["00", "00", "00"]
    assert states(till, 1) == [CAPTURED]


def test_a_copy_gets_the_first_answer_and_is_captured_once(till: BenchTill) -> None:
    for first, stan in (("0200", 1), ("0220", 2), ("0200 declined", 3)):
        slip = Slip(stan=stan, minor=1251 if "declined" in first else 1250)
        wire = till.message(slip)
        if first == "0220":
            wire = advice_of(BASE87, wire)
        answers = {
            till.host.exchange(copy, is_answer=is_answer_to(BASE87, copy), timeout_s=10)
            for copy in (wire, wire, repeat_of(BASE87, wire) if first == "0220" else wire)
        }
        assert len(answers) == 1, first
        assert states(till, stan) == [REFUSED if "declined" in first else CAPTURED]


def test_another_message_under_the_same_numbers_is_refused_as_a_duplicate(till: BenchTill) -> None:
    assert till.sell(Slip()).response_code == "00"
    others = {
        "sealed again": till.message(Slip()),
        "another amount": till.message(Slip(minor=9900)),
        "as an advice": advice_of(BASE87, till.message(Slip())),
    }
    for name, wire in others.items():
        assert till.send(wire).response_code == "94", name
    assert states(till, 1) == [CAPTURED]
    assert [row.amount_minor for row in till.control.captures()] == [1250]


def test_a_reversal_undoes_a_sale_once_however_often_it_is_sent(till: BenchTill) -> None:
    wire = till.message(Slip())
    till.send(wire)
    reversal = reversal_of(BASE87, wire)
    copies = (reversal, reversal, repeat_of(BASE87, reversal))
    assert [till.send(copy).response_code for copy in copies] == ["00", "00", "00"]
    assert states(till, 1) == [REVERSED]


def test_a_sale_that_arrives_after_its_reversal_is_never_captured(till: BenchTill) -> None:
    wire = till.message(Slip())
    reversal = till.send(reversal_of(BASE87, wire))
    assert (reversal.response_code, reversal.action) == ("25", Action.APPROVED)
    assert till.send(wire).response_code == "12"
    assert states(till, 1) == [REFUSED]


def test_a_reversal_touches_no_sale_but_its_own(till: BenchTill) -> None:
    wires = [till.message(Slip(stan=stan)) for stan in (1, 2)]
    for wire in wires:
        till.send(wire)
    till.send(reversal_of(BASE87, wires[0]))
    assert [row.state for row in till.control.captures()] == [REVERSED, CAPTURED]


def test_a_card_that_approved_by_itself_is_captured_by_advice_alone(till: BenchTill) -> None:
    slips = [Slip(stan=stan, chip={0x9F27: b"\x40"}) for stan in (1, 2)]
    advice = advice_of(BASE87, till.message(slips[0]))
    assert till.send(advice).response_code == "00"
    assert till.send(till.message(slips[1])).response_code == "82"
    assert [states(till, stan) for stan in (1, 2)] == [[CAPTURED], [REFUSED]]


def test_an_echo_is_answered(till: BenchTill) -> None:
    at = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
    echo = compose_echo(BASE87, stan=7, at=at, terminal_id="TILL0001")
    assert till.send(echo).response_code == "00"
    assert till.control.captures() == []


def test_forgetting_answers_makes_a_copy_a_second_sale(till: BenchTill) -> None:
    wire = till.message(Slip())
    till.send(wire)
    till.control.forget_answers()
    assert till.send(wire).response_code == "00"
    assert states(till, 1) == [CAPTURED, CAPTURED]
    assert till.send(reversal_of(BASE87, wire)).response_code == "00"
    assert states(till, 1) == [REVERSED, REVERSED]
