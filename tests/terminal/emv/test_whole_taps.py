"""Whole taps with the simulator's cards: every scheme, at home and on the way to the issuer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hardware_sim.ca import ca_public_keys
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.issuer import arqc_fault, issuer_of
from hardware_sim.profile import Profile
from terminal.emv.converse import Conversation, converse
from terminal.emv.entry_point import ReaderSettings, default_settings, transact
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Cvm, Decision, Outcome
from terminal.money import Currency
from tests.terminal.emv.replay import Clock
from tests.terminal.emv.scheme import request

EUR = Currency.of("EUR")
OFFLINE = 5000


def reader(**changes: Any) -> ReaderSettings:
    stated: dict[str, Any] = {"floor_limit_minor": 0, "ca_keys": CaKeys(ca_public_keys())}
    return default_settings(978, EUR, **(stated | changes))


def changed(card_id: str, **sections: dict[str, Any]) -> Profile:
    """A card of the catalogue with other values: ``behaviour={"cvm": "device"}``."""
    profile = load_profile(card_id)
    return replace(
        profile,
        **{name: replace(getattr(profile, name), **values) for name, values in sections.items()},
    )


def offline(card_id: str, **record: bytes) -> Profile:
    """The card as one that approves by itself when it may, and whose issuer minds nothing."""
    profile = load_profile(card_id)
    assert profile.application is not None
    lenient = {**profile.application.record, 0x9F0D: bytes(5), 0x9F0F: bytes(5)}
    lenient |= {int(name[1:], 16): value for name, value in record.items()}
    return changed(
        card_id,
        behaviour={"decision": "offline", "cvm": "none"},
        application={"record": lenient},
    )


def tapped(
    profile: Profile, minor: int, settings: ReaderSettings, **asked: Any
) -> Conversation[Outcome]:
    chip = EmvCard(profile, seed=3)
    return converse(transact(request(minor, **asked), settings), chip, monotonic=Clock())


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

    class Between(EmvCard):
        def exchange(self, command: bytes) -> bytes:
            return super().exchange(command.replace(bytes.fromhex("C0FFEE01"), b"\0\0\0\1"))

    chip = Between(profile, seed=3)
    outcome = converse(transact(request(1250), settings), chip, monotonic=Clock()).result
    assert outcome.decision in {Decision.DECLINED, Decision.END_APPLICATION}, outcome.reason


@pytest.mark.parametrize("card_id", OWN_CVM)
def test_the_card_has_its_device_verify_its_holder(card_id: str) -> None:
    outcome = tapped(changed(card_id, behaviour={"cvm": "device"}), 7500, reader()).result
    assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, Cvm.CONFIRMATION_CODE)
