"""Relay resistance and torn transactions of kernel 2, with the simulator's card."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hardware_sim.catalogue import load_profile
from hardware_sim.issuer import arqc_fault, issuer_of
from hardware_sim.profile import Profile
from terminal.emv.converse import converse
from terminal.emv.entry_point import transact
from terminal.emv.outcome import Decision, MessageId, Outcome, Start
from terminal.emv.relay import RelayResistance, RelayTimes
from terminal.errors import ConfigError
from tests.terminal.emv.scheme import UNPREDICTABLE, request
from tests.terminal.emv.taps import Between, changed, each_combination, reader, tapped

RRP = bytes.fromhex("1981")
MORE = (bytes.fromhex("11111111"), bytes.fromhex("22222222"))


class Slow:
    """A clock that a card may stop: ``delays`` are the seconds of its next exchanges."""

    def __init__(self, chip: Between, delays: list[float]) -> None:
        self._chip, self._delays, self.now = chip, delays, 0.0
        self.technology = chip.technology

    def exchange(self, command: bytes) -> bytes:
        if command[1] == 0xEA and self._delays:
            self.now += self._delays.pop(0)
        return self._chip.exchange(command)

    def __call__(self) -> float:
        return self.now


def relayed(
    delays: list[float], times: str = "000000C80012", **changes: Any
) -> tuple[Outcome, Between]:
    profile = changed("mastercard-credit", application={"aip": RRP, "relay": bytes.fromhex(times)})
    chip = Between(profile, **changes)
    slow = Slow(chip, delays)
    asked = request(1250, relay_entropy=MORE)
    outcome = converse(transact(asked, reader()), slow, monotonic=slow).result
    return outcome, chip


# Delays in seconds of each exchange; byte 5 of the TVR; how many exchanges there were.
@pytest.mark.parametrize(
    ("delays", "times", "byte_5", "count"),
    [
        ([0.004], "000000C80012", 0x02, 1),
        ([0.026], "000000C80012", 0x02, 1),
        ([0.030, 0.004], "000000C80012", 0x02, 2),
        ([0.030, 0.030, 0.004], "000000C80012", 0x02, 3),
        ([0.030, 0.030, 0.030], "000000C80012", 0x06, 3),
        ([0.040, 0.040, 0.040], "000000C80012", 0x0E, 3),
        ([0.004], "000000C80001", 0x0A, 1),
        ([0.004], "000000C80000", 0x02, 1),
    ],
)
def test_the_time_decides(delays: list[float], times: str, byte_5: int, count: int) -> None:
    outcome, chip = relayed(delays, times)
    assert outcome.decision is Decision.ONLINE_REQUEST, outcome.reason
    assert outcome.chip_data[0x95][4] == byte_5
    exchanged = [command for command in chip.sent if command[1] == 0xEA]
    assert [command[5:9] for command in exchanged] == [UNPREDICTABLE, *MORE][:count]
    # The last number is the one that the cryptogram is over, and the host gets it.
    assert outcome.chip_data[0x9F37] == [UNPREDICTABLE, *MORE][count - 1]


def test_an_answer_that_comes_too_soon() -> None:
    outcome, _ = relayed([0.004], "006400C80012")
    assert outcome.decision is Decision.END_APPLICATION
    assert "faster than it says" in outcome.reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("6985", "answered with 6985"), ("80009000", "malformed"), ("77009000", "malformed")],
)
def test_answers_that_are_none(answer: str, reason: str) -> None:
    outcome, _ = relayed(
        [0.004],
        hear=lambda command, own: bytes.fromhex(answer) if command[1] == 0xEA else own,
    )
    assert reason in outcome.reason


def test_a_changed_entropy_is_found_in_the_signature() -> None:
    def hear(command: bytes, own: bytes) -> bytes:
        return own[:2] + bytes(4) + own[6:] if command[1] == 0xEA else own

    outcome, _ = relayed([0.004], hear=hear)
    assert "another relay resistance exchange" in outcome.reason


def test_a_reader_without_the_protocol_says_so() -> None:
    profile = changed("mastercard-credit", application={"aip": RRP})
    plain = each_combination(reader(), relay_resistance=None)
    outcome = tapped(profile, 1250, plain).result
    assert outcome.chip_data[0x95][4] == 0x01


@pytest.mark.parametrize(
    "wrong",
    [
        {"minimum_grace": -1},
        {"expected_response": 70000},
        {"mismatch_percent": 101},
        {"accuracy_threshold": -1},
    ],
)
def test_impossible_limits(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        RelayResistance(**wrong)


def test_no_time_is_below_zero() -> None:
    assert RelayResistance().processing_time(0.0, RelayTimes(0, 200, 18)) == 0


# -- torn ------------------------------------------------------------------------------------

RECOVERS = bytes.fromhex("9F37049F0206")


def torn_card(**application: Any) -> Profile:
    base = load_profile("mastercard-credit").application
    assert base is not None
    record = {**base.record, 0x9F51: RECOVERS}
    return changed("mastercard-credit", application={"record": record, **application})


def tear(profile: Profile, settings: Any = None) -> tuple[Between, Outcome]:
    """The card answers GENERATE AC, and leaves before anybody hears it."""
    commands = len(whole(profile))
    chip = Between(profile, cut=commands)
    return chip, tapped(chip, 1250, settings or reader()).result


def whole(profile: Profile) -> list[bytes]:
    chip = Between(profile)
    tapped(chip, 1250, reader())
    return chip.sent


def test_a_torn_cryptogram_is_recovered_and_not_made_anew() -> None:
    chip, torn = tear(torn_card(aip=RRP))
    assert (torn.decision, torn.start) == (Decision.TRY_AGAIN, Start.B)
    assert torn.ui is not None
    assert torn.ui.message is MessageId.PRESENT_AGAIN
    assert torn.torn is not None
    assert "5413" not in repr(torn)
    sent = len(chip.sent)
    # The second tap has another number, and the same cryptogram comes back with the first one's.
    again = tapped(
        chip, 1250, reader(), torn=(torn.torn,), unpredictable_number=bytes.fromhex("0BADCAFE")
    ).result
    names = [command[1] for command in chip.sent[sent:]]
    assert names.count(0xD0) == 1
    assert 0xAE not in names
    assert again.decision is Decision.ONLINE_REQUEST, again.reason
    assert again.chip_data[0x9F37] == UNPREDICTABLE
    assert again.card is not None
    pan = again.card.pan.reveal()
    keys = issuer_of(pan)
    assert keys is not None
    assert arqc_fault(keys, pan, again.card.sequence or 0, again.chip_data) is None


@pytest.mark.parametrize("why", ["late", "early", "other card", "no record", "card refuses"])
def test_without_a_recovery_the_transaction_is_made_anew(why: str) -> None:
    chip, torn = tear(torn_card())
    assert torn.torn is not None
    record = torn.torn
    if why == "late":
        record = replace(record, at=record.at - timedelta(seconds=301))
    elif why == "early":
        record = replace(record, at=record.at + timedelta(seconds=1))
    elif why == "other card":
        record = replace(record, card=bytes(32))
    elif why == "card refuses":
        record = replace(
            record, terminal={**record.terminal, 0x9F02: bytes.fromhex("000000000001")}
        )
    records = () if why == "no record" else (record,)
    sent = len(chip.sent)
    again = tapped(chip, 1250, reader(), torn=records).result
    names = [command[1] for command in chip.sent[sent:]]
    assert (0xD0 in names) is (why == "card refuses")
    assert 0xAE in names
    assert again.decision is Decision.ONLINE_REQUEST


def test_a_card_or_reader_without_recovery_just_asks_again() -> None:
    plain = load_profile("mastercard-credit")
    _, outcome = tear(plain)
    assert (outcome.decision, outcome.torn) == (Decision.TRY_AGAIN, None)
    never = each_combination(reader(), torn_lifetime_s=0)
    _, outcome = tear(torn_card(), never)
    assert (outcome.decision, outcome.torn) == (Decision.TRY_AGAIN, None)
