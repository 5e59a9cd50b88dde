"""One bit changed on the way from the card: nothing gets better for whoever changed it.

All bits of all answers of these six cards were tried once; a sample of them runs each time. A card
that wants its bank asked is never approved here instead, and a refusal at most goes to the bank,
who sees another cryptogram than the card's word. Where a card approves by itself, what may differ
is what its scheme leaves unsigned, and none of it says who pays, how much, or who was asked.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from hardware_sim.card import EmvCard
from hardware_sim.profile import Profile
from terminal.emv.outcome import Cvm, Decision, Outcome
from terminal.errors import CardError
from tests.terminal.emv.taps import OFFLINE, changed, each_combination, offline, tapped
from tests.terminal.emv.taps import reader as trusting_reader

CARDS = ("visa-credit", "mastercard-credit", "amex", "jcb", "discover", "unionpay")
SAMPLE = 150
READER = each_combination(trusting_reader(floor_limit_minor=OFFLINE))
UNSIGNED = {
    "visa-credit": {0x9F10, 0x9F26, 0x9F27, 0x9F36, 0x9F6E},
    "unionpay": {0x9F10, 0x9F26, 0x9F27, 0x9F36, 0x9F6E},
    "discover": {0x9F26},
    "amex": {0x84},
}
"""What fast DDA does not sign; what a changed PDOL changes; a longer name of the same application.

The bank finds each of them when the sale is cleared.
"""


class Flipping(EmvCard):
    """A card of which one bit of one answer is changed on the way."""

    def __init__(self, profile: Profile, number: int = -1, at: int = 0, bit: int = 0) -> None:
        super().__init__(profile, seed=3)
        self.sizes: list[int] = []
        self._number, self._at, self._bit = number, at, bit

    def exchange(self, command: bytes) -> bytes:
        answer = bytearray(super().exchange(command))
        if len(self.sizes) == self._number and self._at < len(answer):
            answer[self._at] ^= self._bit
        self.sizes.append(len(answer))
        return bytes(answer)


def with_each_bit(profile: Profile) -> Iterator[Outcome]:
    """A sample of the taps that differ from an honest one in one bit of what the card says."""
    honest = Flipping(profile)
    tapped(honest, 1000, READER)
    places = [(number, at) for number, size in enumerate(honest.sizes) for at in range(size)]
    chance = random.Random(profile.card.title)
    for number, at in chance.sample(places, min(SAMPLE, len(places))):
        try:
            yield tapped(
                Flipping(profile, number, at, 1 << chance.randrange(8)), 1000, READER
            ).result
        except CardError:
            continue


def deciding(card_id: str, decision: str) -> Profile:
    approving = offline(card_id)
    assert approving.application is not None
    record = {"record": approving.application.record}
    return changed(card_id, behaviour={"decision": decision, "cvm": "none"}, application=record)


@pytest.mark.parametrize("card_id", CARDS)
@pytest.mark.parametrize("decision", ["online", "decline"])
def test_no_changed_bit_makes_an_approval(card_id: str, decision: str) -> None:
    outcomes = [each.decision for each in with_each_bit(deciding(card_id, decision))]
    assert outcomes
    assert Decision.APPROVED not in outcomes


@pytest.mark.parametrize("card_id", CARDS)
def test_no_changed_bit_changes_what_a_card_has_approved(card_id: str) -> None:
    profile = offline(card_id)
    honest = tapped(profile, 1000, READER).result
    assert honest.decision is Decision.APPROVED
    assert honest.card is not None
    approved = [each for each in with_each_bit(profile) if each.decision is Decision.APPROVED]
    assert approved
    for outcome in approved:
        assert outcome.card is not None
        assert outcome.card.pan == honest.card.pan
        assert outcome.card.expiry_yymm == honest.card.expiry_yymm
        assert outcome.cvm in {honest.cvm, Cvm.SIGNATURE, Cvm.ONLINE_PIN}
        tags = outcome.chip_data.keys() | honest.chip_data.keys()
        differing = {tag for tag in tags if outcome.chip_data.get(tag) != honest.chip_data.get(tag)}
        assert differing <= UNSIGNED.get(card_id, set())
