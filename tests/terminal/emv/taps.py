"""Taps with the simulator's cards, changed in one thing per test, on a reader that trusts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hardware_sim.ca import ca_public_keys
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.profile import Profile
from terminal.emv.converse import Conversation, converse
from terminal.emv.entry_point import Combination, ReaderSettings, default_settings, transact
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Outcome
from terminal.errors import CardLost
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


def each_combination(settings: ReaderSettings, **changes: Any) -> ReaderSettings:
    """The same reader with something changed in all of its combinations."""
    made: tuple[Combination, ...] = tuple(
        replace(each, **changes) for each in settings.combinations
    )
    return replace(settings, combinations=made)


class Between(EmvCard):
    """A card with somebody between it and the reader, who may change what is said or cut it off.

    ``say`` and ``hear`` get each command and answer; ``cut`` names the number of the command whose
    answer is never heard, although the card acts on it.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        say: Callable[[bytes], bytes] = lambda command: command,
        hear: Callable[[bytes, bytes], bytes] = lambda _command, answer: answer,
        cut: int | None = None,
    ) -> None:
        super().__init__(profile, seed=3)
        self.sent: list[bytes] = []
        self._say, self._hear, self._cut = say, hear, cut

    def exchange(self, command: bytes) -> bytes:
        self.sent.append(command)
        answer = self._hear(command, super().exchange(self._say(command)))
        if self._cut == len(self.sent):
            raise CardLost("The card left.")
        return answer


def tapped(
    profile: Profile | EmvCard, minor: int, settings: ReaderSettings, **asked: Any
) -> Conversation[Outcome]:
    """One tap; a card that is handed in can be tapped again."""
    chip = profile if isinstance(profile, EmvCard) else EmvCard(profile, seed=3)
    chip.reset()
    return converse(transact(request(minor, **asked), settings), chip, monotonic=Clock())
