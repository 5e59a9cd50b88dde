"""Terminal risk management: random selection, velocity, the exception file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hardware_sim.catalogue import load_profile
from terminal.card import Pan
from terminal.emv.converse import converse
from terminal.emv.outcome import Decision
from terminal.emv.risk_dialogue import LoggedSale, manage_risk
from terminal.emv.risk_management import RandomSelection, velocity
from terminal.errors import ConfigError
from tests.terminal.emv.scheme import request
from tests.terminal.emv.taps import OFFLINE, each_combination, offline, reader, tapped


# Target, maximum, threshold; amount, floor limit; the largest random number that is picked.
@pytest.mark.parametrize(
    ("selection", "minor", "floor", "picked"),
    [
        ((10, 50, 1000), 999, 5000, 10),
        ((10, 50, 1000), 1000, 5000, 10),
        ((10, 50, 1000), 3000, 5000, 30),
        ((10, 50, 1000), 4999, 5000, 49),
        ((10, 50, 1000), 5000, 5000, 0),
        ((10, 50, 5000), 4000, 4500, 10),
        ((0, 0, 0), 100, 5000, 0),
        ((99, 99, 0), 100, 5000, 99),
        ((20, 80, 100), 100, 100, 0),
        ((20, 80, 200), 199, 200, 20),
    ],
)
def test_the_share_grows_from_the_threshold_to_the_floor_limit(
    selection: tuple[int, int, int], minor: int, floor: int, picked: int
) -> None:
    chance = RandomSelection(*selection)
    assert [n for n in range(1, 100) if chance.picks(minor, floor, n)] == list(range(1, picked + 1))


@pytest.mark.parametrize("wrong", [(5, 4, 0), (-1, 5, 0), (1, 100, 0), (1, 2, -1)])
def test_impossible_selections(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ConfigError):
        RandomSelection(*wrong)


@pytest.mark.parametrize(
    ("atc", "last", "tvr"),
    [
        (10, 9, 0),
        (12, 9, 0),
        (13, 9, 0x4000),
        (15, 9, 0x4000),
        (16, 9, 0x6000),
        (9, 9, 0x6000),
        (1, 0, 0x08000000),
    ],
)
def test_velocity(atc: int, last: int, tvr: int) -> None:
    assert velocity(atc, last, 3, 6) == tvr


LIMITS = {0x9F14: b"\x03", 0x9F23: b"\x06"}
ASKED = {0x9F36: bytes.fromhex("80CA9F3600"), 0x9F13: bytes.fromhex("80CA9F1300")}


class Recorded:
    """A card that gives these answers, whatever it is asked."""

    technology = "table"

    def __init__(self, answers: tuple[str, ...]) -> None:
        self._answers = iter(answers)
        self.sent: list[bytes] = []

    def exchange(self, command: bytes) -> bytes:
        self.sent.append(command)
        return bytes.fromhex(next(self._answers))


def managed(
    card: dict[int, bytes], answers: tuple[str, ...], **stated: Any
) -> tuple[int, list[bytes]]:
    """The TVR of the whole procedure, and the commands that it sent."""
    dialogue = manage_risk(card, **({"amount_minor": 100, "floor_limit_minor": 1000} | stated))
    recorded = Recorded(answers)
    found = converse(dialogue, recorded, monotonic=lambda: 0.0).result
    assert (found.tsi.hex(), len(found.tvr)) == ("0800", 5)
    assert len(recorded.sent) == len(answers)
    return int.from_bytes(found.tvr), recorded.sent


# The answers to GET DATA for the counter and for the last one online.
@pytest.mark.parametrize(
    ("counter", "last", "tvr"),
    [
        ("9F3602000C9000", "9F130200099000", 0),
        ("9F3602000D9000", "9F130200099000", 0x4000),
        ("9F360200109000", "9F130200099000", 0x6000),
        ("9F360200019000", "9F130200009000", 0x08000000),
        ("9F360201099000", "9F130201089000", 0),
        ("6A88", "9F130200099000", 0x6000),
        ("6A88", "9F130200009000", 0x08006000),
        ("9F3602000C9000", "6A81", 0x6000),
        ("9F3602000C9000", "9F3602000A9000", 0x6000),
        ("9F3601109000", "9F130200099000", 0x6000),
        ("9F3602000C9F3602000C9000", "9F130200099000", 0x6000),
        ("9F36FF9000", "9F130200099000", 0x6000),
        ("9F3602000C6A88", "9F130200099000", 0x6000),
        ("9F360300000C9000", "9F130200099000", 0x6000),
        ("9F36010C9000", "9F130200099000", 0x6000),
    ],
)
def test_a_card_with_limits_is_asked_for_its_counters(counter: str, last: str, tvr: int) -> None:
    assert managed(LIMITS, (counter, last)) == (tvr, [ASKED[0x9F36], ASKED[0x9F13]])


@pytest.mark.parametrize("limits", [{}, {0x9F14: b"\x03"}, {0x9F23: b"\x06"}])
def test_a_card_without_both_limits_is_asked_for_nothing(limits: dict[int, bytes]) -> None:
    assert managed(limits, ()) == (0, [])


PAN = {0x5A: bytes.fromhex("4761739001010010"), 0x5F34: b"\x01"}
ODD = {0x5A: bytes.fromhex("476173900101001F")}


# The card, the log as (account, sequence, amount), the amount; the floor limit is 1000.
@pytest.mark.parametrize(
    ("card", "log", "minor", "tvr"),
    [
        (PAN, [], 999, 0),
        (PAN, [], 1000, 0x8000),
        (PAN, [("4761739001010010", 1, 500)], 499, 0),
        (PAN, [("4761739001010010", 1, 500)], 500, 0x8000),
        (PAN, [("4761739001010010", 2, 500)], 500, 0),
        (PAN, [("4761739001010010", None, 500)], 500, 0x8000),
        (PAN, [("4761739001010011", 1, 500)], 500, 0),
        # The newest counts, and not the sum.
        (PAN, [("4761739001010010", 1, 500), ("4761739001010010", 1, 10)], 500, 0),
        (PAN, [("4761739001010010", 1, 10), ("4761739001010010", 1, 500)], 500, 0x8000),
        (ODD, [("476173900101001", 7, 500)], 500, 0x8000),
        ({**ODD, 0x5F34: b"\x0a"}, [("476173900101001", 7, 500)], 500, 0x8000),
        ({}, [("", None, 500)], 500, 0),
        ({}, [("01", None, 500)], 500, 0),
    ],
)
def test_split_sales_count_together(
    card: dict[int, bytes], log: list[tuple[str, int | None, int]], minor: int, tvr: int
) -> None:
    entries = [LoggedSale(*each) for each in log]
    assert managed(card, (), amount_minor=minor, log=entries) == (tvr, [])


def test_the_whole_procedure_selects_at_random() -> None:
    chance = RandomSelection(50, 50)
    for number, tvr in ((50, 0x1000), (51, 0), (None, 0)):
        assert managed({}, (), selection=chance, random_percent=number) == (tvr, [])
    assert managed({}, (), random_percent=1) == (0, [])


def test_a_logged_sale_does_not_show_its_account() -> None:
    assert "4761" not in repr(LoggedSale("4761739001010010", 1, 500))


@pytest.mark.parametrize(
    ("number", "selection", "floor", "tvr"),
    [
        (1, RandomSelection(50, 50), OFFLINE, 0x1000),
        (51, RandomSelection(50, 50), OFFLINE, 0),
        (None, RandomSelection(50, 50), OFFLINE, 0),
        (1, None, OFFLINE, 0),
        (1, RandomSelection(50, 50), None, 0),
        (1, RandomSelection(50, 50), 100, 0x8000),
    ],
)
def test_a_transaction_is_picked_by_the_number_handed_in(
    number: int | None, selection: RandomSelection | None, floor: int | None, tvr: int
) -> None:
    settings = each_combination(reader(), random_selection=selection, floor_limit_minor=floor)
    outcome = tapped(offline("mastercard-credit"), 1250, settings, random_percent=number).result
    assert int.from_bytes(outcome.chip_data[0x95]) & 0xF000 == tvr


def test_a_random_number_outside_its_range() -> None:
    for wrong in (0, 100):
        with pytest.raises(ValueError, match="1 to 99"):
            request(random_percent=wrong)


def test_a_card_on_the_exception_file() -> None:
    asked: list[tuple[str, int | None]] = []

    def stolen(pan: Pan, sequence: int | None) -> bool:
        asked.append((pan.reveal()[-4:], sequence))
        return True

    for card_id in ("mastercard-credit", "amex", "jcb"):
        settings = replace(reader(floor_limit_minor=OFFLINE), exception_file=stolen)
        outcome = tapped(load_profile(card_id), 1250, settings).result
        assert outcome.chip_data[0x95][0] & 0x10
    assert asked == [("0011", 1), ("1007", 0), ("5841", 0)]


@pytest.mark.parametrize("card_id", ["visa-offline", "discover", "unionpay"])
def test_a_card_on_the_exception_file_that_approves_by_itself_is_declined(card_id: str) -> None:
    """Kernels that decide in one exchange have no action codes to weigh it with."""
    listed = replace(reader(floor_limit_minor=OFFLINE), exception_file=lambda _pan, _number: True)
    outcome = tapped(offline(card_id), 1250, listed).result
    assert (outcome.decision, outcome.reason) == (
        Decision.DECLINED,
        "the card is on the exception file",
    )
    other = replace(listed, exception_file=lambda _pan, _number: False)
    assert tapped(offline(card_id), 1250, other).result.decision is Decision.APPROVED
