"""Taptill's own till on simulated cards: a whole shop in one test."""

import pytest


def test_a_sale_is_approved_and_captured(till, sim_acquirer):
    till.charge("12.50")
    till.tap("visa-credit")
    till.expect("approved")
    assert "APPROVED" in till.receipt
    assert [sale.state for sale in till.sales()] == ["approved"]
    assert [capture.amount_minor for capture in till.captures()] == [1250]


@pytest.mark.sim_door("pn532")
def test_a_card_that_moves_is_asked_for_again(till):
    till.charge("12.50")
    till.tap("mastercard-credit", fault="tear_after=3")
    till.expect("present again")
    till.tap("mastercard-credit")
    till.expect("approved")


def test_a_host_that_loses_its_answer(till, sim_acquirer):
    sim_acquirer.set(drop_after=1, only="0200")
    till.charge("12.50")
    till.tap("visa-credit")
    till.expect("unknown")
    till.expect("reversed")


@pytest.mark.sim_till(config='[offline]\nper_sale = "10.00"\n')
def test_offline_limits(till, sim_acquirer):
    sim_acquirer.network_off()
    till.charge("10.01")
    till.tap("visa-credit")
    till.expect("declined")
    assert "10.00" in till.reason
