from __future__ import annotations

import pytest

from terminal.emv.entry_point import Combination
from terminal.emv.preprocessing import pre_process
from terminal.money import Amount, Currency
from tests.terminal.emv.scheme import MASTERCARD, VISA

EUR = Currency.of("EUR")
ZERO = Amount(0, EUR)


# Limits (contactless, CVM, floor), amount, and: allowed, CVM required, floor exceeded, TTQ.
@pytest.mark.parametrize(
    ("limits", "minor", "found"),
    [
        ((None, None, None), 999, (True, False, False, "22004000")),
        ((None, None, 0), 1, (True, False, True, "22804000")),
        ((None, None, 1000), 1000, (True, False, False, "22004000")),
        ((None, None, 1000), 1001, (True, False, True, "22804000")),
        ((None, 1000, None), 999, (True, False, False, "22004000")),
        ((None, 1000, None), 1000, (True, True, False, "22404000")),
        ((1000, None, None), 999, (True, False, False, "22004000")),
        ((1000, None, None), 1000, (False, False, False, "22004000")),
        ((None, None, 1000), 0, (True, False, False, "22804000")),  # zero goes online
        ((None, 1, 0), 5, (True, True, True, "22C04000")),
    ],
)
def test_limits(
    limits: tuple[int | None, int | None, int | None],
    minor: int,
    found: tuple[bool, bool, bool, str],
) -> None:
    contactless, cvm, floor = limits
    combination = Combination(
        VISA,
        3,
        "Visa",
        contactless_limit_minor=contactless,
        cvm_limit_minor=cvm,
        floor_limit_minor=floor,
    )
    indicators = pre_process(combination, Amount(minor, EUR))
    assert (
        indicators.allowed,
        indicators.cvm_required,
        indicators.floor_limit_exceeded,
        indicators.ttq.hex().upper(),
    ) == found
    assert indicators.online_cryptogram_required is (found[3][2] in "8C")


def test_zero_needs_permission_and_an_online_reader() -> None:
    assert not pre_process(Combination(VISA, 3, "Visa", zero_amount_allowed=False), ZERO).allowed
    offline = Combination(VISA, 3, "Visa", ttq=bytes.fromhex("2A004000"))
    assert not pre_process(offline, ZERO).allowed
    assert not pre_process(offline, Amount(1, EUR)).online_capable


def test_static_bits_of_the_ttq_are_cleared_first() -> None:
    combination = Combination(VISA, 3, "Visa", ttq=bytes.fromhex("22FF4001"), floor_limit_minor=9)
    assert pre_process(combination, Amount(1, EUR)).ttq.hex().upper() == "223F4001"


@pytest.mark.parametrize(
    ("contactless", "on_device", "minor", "allowed"),
    [(100, 500, 499, True), (100, 500, 500, False), (100, None, 900, True), (None, 500, 900, True)],
)
def test_kernel_2_has_a_second_limit(
    contactless: int | None, on_device: int | None, minor: int, *, allowed: bool
) -> None:
    combination = Combination(
        MASTERCARD,
        2,
        "Mastercard",
        contactless_limit_minor=contactless,
        on_device_limit_minor=on_device,
    )
    assert pre_process(combination, Amount(minor, EUR)).allowed is allowed
