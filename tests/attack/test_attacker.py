"""A thief with the whole disk opens nothing; the acquirer opens all; each search has a control."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.keystore import FileKeyStore
from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.acquirer_keys import OpeningKeys
from hardware_sim.catalogue import load_profile
from hardware_sim.certificates import opening_key
from terminal.card import Pan
from terminal.tokens import fingerprint_of
from terminal.transaction import State
from tests.attack.attacker import Attacker, guesses, numbers
from tests.sale.conftest import OpenShop

SALES = 3
CARDS = ("visa-credit", "mastercard-credit")


@dataclass(frozen=True, slots=True)
class Theft:
    """A copy of a till's disk, and the acquirer's folder, which is another machine's."""

    image: Path
    acquirer: Path
    profile: str


@pytest.fixture(params=["base87", "base87-dukpt"])
def theft(request: pytest.FixtureRequest, open_shop: OpenShop, tmp_path: Path) -> Theft:
    elsewhere = tmp_path / "elsewhere"
    url = f"sim:?dir={elsewhere}&profile={request.param}&refuse=true"
    shop = None
    for card in CARDS:
        if shop is not None:
            shop.parts.journal.close()
        shop = open_shop(f"sim:{card}", acquirer=url)
        for _ in range(SALES):
            assert shop.sell("7.00").state is State.STORED
    # As the plug leaves it: the log is not in the file yet.
    image = tmp_path / "image"
    shutil.copytree(tmp_path / "till", image)
    (image / "till.toml").write_text('[shop]\nname = "Demo"\n')
    (image / "till.log").write_text("a log of the till\n" * 20)
    return Theft(image, elsewhere, request.param)


def test_the_whole_disk_opens_no_envelope_and_the_acquirer_opens_all(theft: Theft) -> None:
    thief = Attacker(theft.image, without=frozenset({"device.key"}))
    loot = thief.open_envelopes()
    assert loot.envelopes == SALES * len(CARDS)
    assert loot.candidates > 10_000
    assert loot.opened == []
    folder = AcquirerFolder(theft.acquirer)
    keys = OpeningKeys((opening_key(folder),), folder.base_key_file.read_bytes())
    pans = {json.loads(keys.open(sale.envelope, sale.info))["pan"] for sale in thief.sales}
    assert pans == {_number(card) for card in CARDS}


def test_not_even_with_the_device_key(theft: Theft) -> None:
    """HPKE: the till cannot open what it sealed. DUKPT: used keys are gone from the state."""
    loot = Attacker(theft.image).open_with_the_device_key(theft.image / "device.key")
    assert loot.envelopes == SALES * len(CARDS)
    assert loot.candidates == (5 if theft.profile == "base87-dukpt" else 4)
    assert loot.opened == []


def test_the_control_a_planted_key_opens_all(theft: Theft) -> None:
    if theft.profile != "base87":
        pytest.skip("one control is enough: the search for keys is the same")
    key = AcquirerFolder(theft.acquirer).opening_key_file
    raw = opening_key(AcquirerFolder(theft.acquirer)).private_bytes_raw()
    for planted in (key.read_bytes(), b"x" * 7 + raw + b"y", raw.hex().encode()):
        (theft.image / "planted.txt").write_bytes(planted)
        loot = Attacker(theft.image, without=frozenset({"device.key"})).open_envelopes()
        assert len(loot.opened) == SALES * len(CARDS)
        assert b'"pan"' in loot.opened[0]


def test_fingerprints_are_not_brute_forced_without_the_device_key(theft: Theft) -> None:
    if theft.profile != "base87":
        pytest.skip("fingerprints do not depend on the sealer")
    thief = Attacker(theft.image, without=frozenset({"device.key"}))
    assert set(thief.fingerprints().values()) == {_number(card)[-4:] for card in CARDS}
    bank, last4 = _number("visa-credit")[:6], _number("visa-credit")[-4:]
    found, tried = thief.numbers_behind(bank, last4, guesses())
    assert (found, tried) == ({}, 100_000)
    # The control: whoever has the device key finds the number at once.
    keystore = FileKeyStore(theft.image / "device.key")
    prints = thief.fingerprints()
    hits = [
        number for number in numbers(bank, last4) if fingerprint_of(Pan(number), keystore) in prints
    ]
    assert hits == [_number("visa-credit")]


def _number(card: str) -> str:
    account = load_profile(card).account
    assert account is not None
    return account.pan
