"""No tap takes a command more than the standard needs: each one costs a customer's patience.

The smallest dialogue is: PPSE, SELECT, GET PROCESSING OPTIONS, one READ RECORD for each record that
the card's locator names, and GENERATE AC where the kernel has one; the relay resistance exchange
where both sides have it. The count is taken from what the card answered, not from the kernel.
"""

from __future__ import annotations

import pytest

from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.profile import Profile
from terminal.emv.outcome import Decision
from tests.terminal.emv.naive import objects_of
from tests.terminal.emv.taps import Between, changed, offline, reader, tapped

PAYING = tuple(
    card_id
    for card_id in card_ids()
    if load_profile(card_id).application is not None and not load_profile(card_id).behaviour.locked
)


def fewest(profile: Profile, options: bytes) -> int:
    assert profile.application is not None
    count = 3
    if options[-2:] != b"\x90\x00":
        return count
    stated = objects_of(options)
    locator = stated.get(0x94, b"")
    declined = stated.get(0x9F27, b"\x80")[0] & 0xC0 == 0
    if not declined:
        count += sum(
            locator[at + 2] - locator[at + 1] + 1
            for at in range(0, len(locator), 4)
            # The mag-stripe record of Mastercard's cards is not for EMV mode (C-2).
            if locator[at : at + 4] != bytes.fromhex("08010100")
        )
    if profile.application.flow == "generate-ac":
        count += 1 + bool(stated[0x82][1] & 0x01)
    return count


def count(profile: Profile) -> tuple[int, int]:
    """Commands sent, and the fewest that there could be."""
    options = b""

    def hear(command: bytes, answer: bytes) -> bytes:
        nonlocal options
        if command[1] == 0xA8:
            options = answer
        return answer

    chip = Between(profile, hear=hear)
    tapped(chip, 1250, reader(floor_limit_minor=5000))
    return len(chip.sent), fewest(profile, options)


@pytest.mark.parametrize("card_id", PAYING)
def test_every_card_is_read_in_the_fewest_commands(card_id: str) -> None:
    sent, needed = count(load_profile(card_id))
    assert sent <= needed


@pytest.mark.parametrize(
    ("card_id", "commands"),
    [
        ("visa-credit", 6),
        ("mastercard-credit", 7),
        ("amex", 7),
        ("jcb", 7),
        ("discover", 6),
        ("unionpay", 6),
    ],
)
def test_the_counts_of_an_offline_approval(card_id: str, commands: int) -> None:
    assert count(offline(card_id)) == (commands, commands)


def test_the_relay_resistance_exchange_is_one_more() -> None:
    assert count(changed("mastercard-credit", application={"aip": bytes.fromhex("1981")})) == (8, 8)
    outcome = tapped(load_profile("visa-credit"), 1250, reader()).result
    assert outcome.decision is Decision.ONLINE_REQUEST
