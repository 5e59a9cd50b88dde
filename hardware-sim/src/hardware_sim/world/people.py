"""Customers with their cards, and the reader that they tap on.

Rules of this file: every choice is drawn from the chance that the caller hands in; nothing waits
for real. Cards are the simulator's own, with real cryptography, and keep their counters for as
long as the world lasts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from drivers.door import Chip
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.faults import Faults, FaultyChip
from hardware_sim.profile import Profile
from hardware_sim.world.clock import VirtualClock
from hardware_sim.world.power import Power
from terminal.card import Pan
from terminal.errors import ReaderUnplugged
from terminal.ports import ForeignTag, Presented, SeveralCards, Unreadable

_GOOD = (
    *("visa-credit", "visa-debit", "visa-phone", "visa-offline", "visa-no-oda"),
    *("mastercard-credit", "mastercard-debit", "mastercard-watch"),
)
_COPIES = 6
"""How many people have a card of each good kind: one who pays too often is turned away."""
_BAD = ("declined-by-card", "expired", "amex")
_STRANGE: tuple[SeveralCards | ForeignTag | Unreadable, ...] = (
    SeveralCards(),
    ForeignTag("MIFARE Classic"),
    Unreadable("it moved"),
)
_QUIET = Faults()


class Wallets:
    """All cards of the town. ``last`` is the card that was held to a reader last."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self._seed = seed
        self._clock = clock
        self._chips: dict[str, FaultyChip] = {}
        self._faults = _QUIET
        self.last = ""

    def card(self, name: str, faults: Faults) -> Chip:
        """The card called ``name``, with this trouble until another one is taken out."""
        self._faults = faults
        self.last = name
        if name not in self._chips:
            self._chips[name] = FaultyChip(
                EmvCard(_profile(name), seed=self._seed),
                lambda: self._faults,
                card_ms=15,
                seed=self._seed,
                sleep=self._clock.advance,
            )
        return self._chips[name]

    def numbers(self) -> dict[str, str]:
        """What must be found nowhere: each card's number, and the end of its track."""
        found = {}
        for name in self._chips:
            account = _profile(name).account
            if account is not None:
                found[name] = account.pan
                track2 = account.track2.hex().upper().rstrip("F")
                found[f"track 2 of {name}"] = track2.split("D")[1]
        return found


@cache
def _profile(name: str) -> Profile:
    """A card of the catalogue, or with a number behind it (``visa-debit/3``) one of its kind."""
    kind, _, number = name.partition("/")
    profile = load_profile(kind)
    account = profile.account
    if not number or account is None:
        return profile
    body = f"{account.pan[:-7]}{int(number):03d}{account.pan[-4:-1]}"
    for digit in "0123456789":
        if Pan(body + digit).luhn_valid:
            return replace(profile, account=replace(account, pan=body + digit))
    raise AssertionError("some digit makes a number valid")


def any_card(chance: random.Random) -> str:
    """The card of somebody in the town."""
    return f"{chance.choice(_GOOD)}/{chance.randrange(_COPIES)}"


@dataclass(frozen=True, slots=True)
class Presentation:
    """Something held to the reader so many seconds after it began to wait."""

    after_s: float
    what: str | SeveralCards | ForeignTag | Unreadable | ReaderUnplugged
    faults: Faults = _QUIET


def presentations(chance: random.Random) -> list[Presentation]:
    """What one customer does until the till is content, or the customer has gone."""
    shown: list[Presentation] = []
    while chance.random() < 0.15:
        shown.append(_trouble(chance))
    if chance.random() < 0.04:
        return shown
    name = chance.choice(_BAD) if chance.random() < 0.06 else any_card(chance)
    # Twice: a phone is unlocked after the first tap, and some tap again for good measure.
    return [*shown, *(Presentation(chance.uniform(0.2, 9.0), name) for _ in range(2))]


def _trouble(chance: random.Random) -> Presentation:
    after_s = chance.uniform(0.2, 5.0)
    match chance.randrange(6):
        case 0:
            return Presentation(after_s, chance.choice(_STRANGE))
        case 1:
            return Presentation(after_s, any_card(chance), Faults(mute_at=chance.randint(1, 6)))
        case 2:
            return Presentation(after_s, any_card(chance), Faults(noise=40))
        case 3 if chance.random() < 0.2:
            return Presentation(after_s, ReaderUnplugged("The reader of this world came loose."))
        case _:
            torn = Faults(tear_after=chance.randint(1, 7))
            return Presentation(after_s, any_card(chance), torn)


class _InHand:
    """A chip as a reader hands it out."""

    technology = "ISO 14443-4 A"

    def __init__(self, chip: Chip, power: Power) -> None:
        chip.reset()
        self._chip = chip
        self._power = power

    def exchange(self, command: bytes) -> bytes:
        self._power.require()
        return self._chip.exchange(command)


class TownReader:
    """A ``terminal.ports.Reader`` before one customer."""

    name = "Reader of this world"

    def __init__(
        self, shown: list[Presentation], wallets: Wallets, clock: VirtualClock, power: Power
    ) -> None:
        self._shown = list(shown)
        self._wallets = wallets
        self._clock = clock
        self._power = power

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        """See ``terminal.ports.Reader``."""
        self._power.require()
        deadline = self._clock.monotonic() + timeout_s
        if not self._shown or self._shown[0].after_s > timeout_s:
            while not cancelled() and self._clock.monotonic() < deadline:
                self._clock.advance(1.0)
            return None
        next_one = self._shown.pop(0)
        self._clock.advance(next_one.after_s)
        if cancelled():
            return None
        match next_one.what:
            case str(name):
                return _InHand(self._wallets.card(name, next_one.faults), self._power)
            case ReaderUnplugged() as gone:
                raise gone
            case strange:
                return strange

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        """See ``terminal.ports.Reader``."""
        del cancelled
        self._clock.advance(min(0.5, timeout_s))
        return True

    def release(self) -> None:
        """See ``terminal.ports.Reader``."""

    def close(self) -> None:
        """See ``terminal.ports.Reader``."""
