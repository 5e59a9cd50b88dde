"""Whole taps with the simulator's cards: every scheme, at home and on the way to the issuer."""

from __future__ import annotations

import pytest

from hardware_sim.ca import ca_public_keys
from hardware_sim.catalogue import load_profile
from hardware_sim.issuer import arqc_fault, issuer_of
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Cvm, Decision
from tests.terminal.emv.scheme import UNPREDICTABLE
from tests.terminal.emv.taps import OFFLINE, Between, changed, offline, reader, tapped

SCHEMES = {
    "visa-credit": ("Visa", 3),
    "mastercard-credit": ("Mastercard", 2),
    "amex": ("American Express", 4),
    "jcb": ("JCB", 5),
    "discover": ("Discover", 6),
    "unionpay": ("UnionPay", 7),
}
OWN_CVM = {"visa-credit", "jcb", "discover", "unionpay"}


@pytest.mark.parametrize("card_id", SCHEMES)
@pytest.mark.parametrize("minor", [1250, 7500])
def test_the_issuer_accepts_what_each_scheme_sends(card_id: str, minor: int) -> None:
    outcome = tapped(load_profile(card_id), minor, reader()).result
    assert outcome.decision is Decision.ONLINE_REQUEST, outcome.reason
    assert outcome.application is not None
    assert (outcome.application.scheme, outcome.application.kernel_id) == SCHEMES[card_id]
    assert outcome.cvm is (Cvm.SIGNATURE if minor >= 5000 else Cvm.NONE)
    assert outcome.card is not None
    pan = outcome.card.pan.reveal()
    keys = issuer_of(pan)
    assert keys is not None
    fault = arqc_fault(keys, pan, outcome.card.sequence or 0, outcome.chip_data)
    assert fault is None


# Offline below the floor limit, with the signature that each scheme has.
@pytest.mark.parametrize("card_id", SCHEMES)
@pytest.mark.parametrize("keys", [True, False])
def test_offline_needs_a_signature_that_holds(card_id: str, *, keys: bool) -> None:
    settings = reader(floor_limit_minor=OFFLINE, ca_keys=CaKeys(ca_public_keys() if keys else ()))
    profile = offline(card_id)
    outcome = tapped(profile, 1250, settings).result
    if keys:
        assert outcome.decision is Decision.APPROVED, outcome.reason
        assert "offline" in outcome.reason
    else:
        assert outcome.decision in {Decision.ONLINE_REQUEST, Decision.DECLINED}


@pytest.mark.parametrize("card_id", SCHEMES)
def test_a_signature_of_another_transaction_is_refused(card_id: str) -> None:
    """The card signs for one unpredictable number while the reader has another."""
    settings = reader(floor_limit_minor=OFFLINE)
    profile = offline(card_id)

    other = bytes.fromhex("00000001")
    chip = Between(profile, say=lambda command: command.replace(UNPREDICTABLE, other))
    outcome = tapped(chip, 1250, settings).result
    assert outcome.decision in {Decision.DECLINED, Decision.END_APPLICATION}, outcome.reason


@pytest.mark.parametrize("card_id", sorted(OWN_CVM))
def test_the_card_has_its_device_verify_its_holder(card_id: str) -> None:
    outcome = tapped(changed(card_id, behaviour={"cvm": "device"}), 7500, reader()).result
    assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, Cvm.CONFIRMATION_CODE)
