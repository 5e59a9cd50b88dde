"""Whole taps through nfcpy's real drivers: what the kernel sends, the simulated issuer accepts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from drivers.nfcpy import open_reader
from hardware_sim.ca import ca_public_keys
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.faults import Faults, FaultyChip
from hardware_sim.iso_dep import Activation, CardTime, Pace
from hardware_sim.issuer import arqc_fault, issuer_of
from hardware_sim.nfc_udp import CardOnUdp
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.pn532_chip import AirFaults
from hardware_sim.radio import RadioField
from hardware_sim.tags import IsoDepTag
from terminal.emv.converse import converse
from terminal.emv.entry_point import transact
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Decision, Outcome, Start
from terminal.emv.settings import TransactionRequest, default_settings
from terminal.money import Amount, Currency
from terminal.ports import ForeignTag, Presented, Reader, SeveralCards, Unreadable
from tests.drivers.nfcpy.taps import tap, wait

EUR = Currency.of("EUR")
World = Pn532OnPty | CardOnUdp

# A slow card thinks for longer than its frame waiting time (19 ms), so it has to ask for more.
RADIOS = {
    "type A, frames of 256 bytes": (False, Activation(), Pace()),
    "type A, frames of 16 bytes": (False, Activation(fsci=0), Pace(chunk=13)),
    "type A, slow": (False, Activation(fsci=5, fwi=6), Pace(thinking_ms=50)),
    "type B, frames of 256 bytes": (True, Activation(), Pace()),
    "type B, frames of 32 bytes, slow": (True, Activation(fsci=2, fwi=6), Pace(thinking_ms=50)),
}


@pytest.fixture(params=[Pn532OnPty, CardOnUdp], ids=["pn532", "udp"])
def any_world(request: pytest.FixtureRequest) -> Iterator[World]:
    with request.param() as world:
        yield world


def pay(reader: Reader) -> Outcome:
    """One tap for 12.50, as the till's thread runs it."""
    card = tap(reader)
    request = TransactionRequest(
        amount=Amount(1250, EUR),
        at=datetime(2026, 11, 23, 12, 30, tzinfo=UTC),
        unpredictable_number=bytes.fromhex("AABBCCDD"),
    )
    settings = default_settings(250, EUR, ca_keys=CaKeys(ca_public_keys()))
    outcome = converse(transact(request, settings), card, monotonic=time.monotonic).result
    reader.release()
    return outcome


def accepted(outcome: Outcome, card_id: str) -> bool:
    """Whether the tap asks for an authorisation that the card's issuer grants."""
    if outcome.decision is not Decision.ONLINE_REQUEST:
        return False
    account = load_profile(card_id).account
    assert account is not None
    assert outcome.card is not None
    assert (outcome.card.pan.reveal(), outcome.card.expiry_yymm) == (account.pan, account.expiry)
    keys = issuer_of(account.pan)
    assert keys is not None
    fault = arqc_fault(keys, account.pan, outcome.card.sequence or 0, outcome.chip_data)
    assert fault is None
    return True


@pytest.mark.parametrize("card_id", ["visa-credit", "mastercard-credit"])
@pytest.mark.parametrize("radio", RADIOS)
def test_a_tap_ends_in_a_cryptogram_that_the_issuer_accepts(
    any_world: World, card_id: str, radio: str
) -> None:
    type_b, activation, pace = RADIOS[radio]
    card = EmvCard(load_profile(card_id), seed=7)
    any_world.present_tags(IsoDepTag(card, type_b=type_b, activation=activation, pace=pace))
    with closing(open_reader(any_world.url)) as reader:
        for _ in range(2):
            outcome = pay(reader)
            assert accepted(outcome, card_id), outcome.reason


@pytest.mark.parametrize("card_id", ["visa-credit", "mastercard-credit"])
@pytest.mark.parametrize("seed", range(6))
def test_on_a_bad_air_a_tap_is_whole_or_to_be_repeated(
    world: Pn532OnPty, reader: Reader, card_id: str, seed: int
) -> None:
    world.present(EmvCard(load_profile(card_id), seed=seed), ats=Activation(fsci=4, fwi=4))
    for attempt in range(5):
        # The noise begins with the dialogue; activation has its own tests.
        with closing(NoiseAfterActivation(world, reader, seed * 5 + attempt)) as noisy:
            outcome = pay(noisy)
        whole = accepted(outcome, card_id)
        assert whole or (outcome.decision, outcome.start) == (Decision.TRY_AGAIN, Start.B)
    outcome = pay(reader)
    assert accepted(outcome, card_id), outcome.reason


class NoiseAfterActivation:
    """The reader, in an air that is bad from the moment a card is in hand to its release."""

    def __init__(self, world: Pn532OnPty, reader: Reader, seed: int) -> None:
        self.world = world
        self.reader = reader
        self.seed = seed
        self.name = reader.name
        self.wait_for_removal = reader.wait_for_removal
        self.close = self.release

    def wait_for_card(self, *, timeout_s: float, cancelled: object) -> Presented | None:
        presented = wait(self.reader, timeout_s)
        self.world.use_air(AirFaults(self.seed, lost_rate=0.1, damaged_rate=0.1))
        return presented

    def release(self) -> None:
        self.world.use_air(AirFaults())
        self.reader.release()


# PPSE, SELECT, GPO and with Visa the cryptogram; with Mastercard records and GENERATE AC follow.
MIDDLES = [("visa-credit", at) for at in (1, 2, 3)] + [
    ("mastercard-credit", at) for at in (1, 2, 3, 4, 5)
]


@pytest.mark.parametrize(("card_id", "at"), MIDDLES)
def test_a_card_taken_away_in_the_middle_is_to_be_presented_again(
    any_world: World, card_id: str, at: int
) -> None:
    card = EmvCard(load_profile(card_id), seed=7)
    with closing(open_reader(any_world.url)) as reader:
        torn = FaultyChip(card, lambda: Faults(tear_after=at - 1), sleep=time.sleep)
        any_world.present(torn)
        outcome = pay(reader)
        assert (outcome.decision, outcome.start) == (Decision.TRY_AGAIN, Start.B)
        any_world.present(card)
        outcome = pay(reader)
        assert accepted(outcome, card_id), outcome.reason


@pytest.mark.parametrize("delay_ms", [20, 400])
def test_a_slow_card_pays(any_world: World, delay_ms: int) -> None:
    card_time = CardTime()
    profile = load_profile("visa-credit")
    card = EmvCard(profile, seed=7)
    slow = FaultyChip(card, lambda: Faults(delay_ms=delay_ms), sleep=card_time.spend)
    any_world.present_profile(profile, slow, card_time)
    with closing(open_reader(any_world.url)) as reader:
        assert accepted(pay(reader), "visa-credit")


def expected(card_id: str) -> type | str:
    profile = load_profile(card_id)
    kinds = {"several": SeveralCards, "tag": ForeignTag, "unreadable": Unreadable}
    return kinds.get(profile.card.presents, profile.radio.technology)


@pytest.mark.parametrize("card_id", card_ids())
def test_every_card_of_the_catalogue_is_what_it_says(any_world: World, card_id: str) -> None:
    profile = load_profile(card_id)
    radio: RadioField = any_world
    radio.present_profile(profile, EmvCard(profile, seed=7))
    with closing(open_reader(any_world.url)) as reader:
        presented = wait(reader)
        assert presented is not None
        wanted = expected(card_id)
        if isinstance(wanted, str):
            assert getattr(presented, "technology", None) == wanted
            assert not isinstance(presented, ForeignTag)
        else:
            assert isinstance(presented, wanted)
        if isinstance(presented, ForeignTag):
            assert presented.technology == profile.radio.technology
