"""Powers by OpenSSL and by Python are the same numbers."""

from __future__ import annotations

from random import Random

import pytest

from hardware_sim import powers
from hardware_sim.ca import KEY_SETS, scheme_keys
from hardware_sim.powers import power

SEED = 20261126
PRIME = scheme_keys("Visa").card.p


@pytest.mark.parametrize(
    ("number", "exponent", "modulus"),
    [
        (0, 5, 7),
        (1, 0, 3),
        (6, 3, 7),
        (PRIME, PRIME, PRIME),
        (PRIME - 1, PRIME - 2, PRIME),
        (2, 1, PRIME),
        (PRIME**3, PRIME - 1, PRIME),
    ],
)
def test_the_edges_are_those_of_pow(number: int, exponent: int, modulus: int) -> None:
    assert power(number, exponent, modulus) == pow(number, exponent, modulus)


@pytest.mark.parametrize("bits", [8, 255, 512, 1024])
def test_any_numbers_give_what_pow_gives(bits: int) -> None:
    chance = Random(SEED + bits)
    for _ in range(20):
        number, exponent, modulus = (chance.getrandbits(bits) for _ in range(3))
        modulus |= 3
        assert power(number, exponent, modulus) == pow(number, exponent, modulus), SEED


def test_a_signature_is_the_same_without_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [scheme_keys("Visa", key_set).card for key_set in KEY_SETS]
    blocks = [bytes((0x6A,)) + bytes(n & 0xFF for n in range(1, key.size)) for key in keys]
    signed = [key.sign(block) for key, block in zip(keys, blocks, strict=True)]
    monkeypatch.setattr(powers, "_libcrypto", lambda: None)
    assert [key.sign(block) for key, block in zip(keys, blocks, strict=True)] == signed
