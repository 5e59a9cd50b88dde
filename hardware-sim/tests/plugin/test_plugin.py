"""The plugin's fixtures and markers, as a test asks for them."""

from __future__ import annotations

import pytest

from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.handles import CardHandle, ReaderHandle, TillHandle
from terminal.errors import CardLost, ConfigError

PPSE = bytes.fromhex("00A404000E325041592E5359532E444446303100")


def test_without_a_marker_it_is_a_visa_card(sim_card: CardHandle) -> None:
    assert sim_card.name == "visa-credit"
    assert sim_card.exchange(PPSE)[-2:] == b"\x90\x00"
    assert sim_card.commands == ["SELECT"]
    assert sim_card.dialogue == ["      card: SELECT: 9000 ok, 50 bytes"]


@pytest.mark.sim_card("mastercard-credit", seed=7, fault="tear_after=1")
def test_a_marker_names_card_seed_and_fault(sim_card: CardHandle) -> None:
    assert (sim_card.name, sim_card.seed) == ("mastercard-credit", 7)
    sim_card.exchange(PPSE)
    with pytest.raises(CardLost):
        sim_card.exchange(PPSE)
    sim_card.set_fault("")
    sim_card.reset()
    assert sim_card.exchange(PPSE)[-2:] == b"\x90\x00"


def test_a_wrong_fault_is_told(sim_card: CardHandle) -> None:
    with pytest.raises(ConfigError, match="'tear=1' is no fault of a card"):
        sim_card.set_fault("tear=1")


def test_the_reader_is_a_simulated_one_at_first(sim_reader: ReaderHandle) -> None:
    assert sim_reader.door == "sim"
    assert sim_reader.url.startswith("sim:?at=")
    with pytest.raises(AssertionError, match="only a PC/SC reader"):
        assert sim_reader.name


@pytest.mark.sim_door("pn532")
def test_a_marker_names_the_door(sim_reader: ReaderHandle) -> None:
    assert sim_reader.url == f"nfcpy:tty:{sim_reader.path}:pn532"


def test_the_acquirer_misbehaves_only_while_a_test_wants_it(sim_acquirer: AcquirerControl) -> None:
    assert sim_acquirer.behaviour.latency_ms == 0
    sim_acquirer.set(latency_ms=40)


def test_it_has_been_set_right_again(sim_acquirer: AcquirerControl) -> None:
    assert sim_acquirer.behaviour.latency_ms == 0


def test_a_till_tells_what_it_did_not_come_to(
    till: TillHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardware_sim.expectations.SETTLED_S", 0.5)
    till.charge("12.51")
    till.tap("visa-credit")
    with pytest.raises(AssertionError, match="expected the screen 'approved'; found 'declined'"):
        till.expect("approved")
    assert "card: GET PROCESSING OPTIONS: 9000 ok" in till.transcript
    assert till.state == "declined"
