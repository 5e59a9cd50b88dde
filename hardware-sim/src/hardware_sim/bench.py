"""The bench of simulated cards: a ``terminal.bench.Bench`` before a simulated reader."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from types import MappingProxyType

from drivers.door import Chip
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.faults import Faults, FaultyChip
from hardware_sim.field import Field, Presence
from hardware_sim.profile import Profile
from terminal.bench import BenchCard, BenchSwitch
from terminal.errors import ReaderNotFound
from terminal.ports import ForeignTag, SeveralCards, Unreadable

_STAY = "stay"
_TWO = "two"
_UNPLUGGED = "unplugged"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """One switch: the fault that it turns on, and how much of it there may be."""

    label: str
    fault: str = ""
    amounts: tuple[int, ...] = ()
    shown: str = "{}"


_SWITCHES: Mapping[str, _Trouble] = MappingProxyType(
    {
        "early": _Trouble("Card leaves early", "tear_after", (2, 3, 4, 5, 6, 7, 0, 1), "after {}"),
        "mute": _Trouble("Card falls silent", "mute_at", (3, 4, 5, 6, 7, 1, 2), "at {}"),
        "slow": _Trouble("Slow card", "delay_ms", (400, 1500, 100), "{} ms"),
        "noisy": _Trouble("Noisy card", "noise", (30, 100, 10), "{} %"),
        _TWO: _Trouble("Two cards at once"),
        _STAY: _Trouble("Card stays there"),
        _UNPLUGGED: _Trouble("Reader unplugged"),
    }
)


def presented(profile: Profile, chip: Chip, *, leaves_on_release: bool) -> Presence:
    """What lies on the reader when the card of ``profile``, with ``chip`` in it, is put there."""
    tag = ForeignTag(profile.radio.technology)
    foreign: dict[str, SeveralCards | ForeignTag | Unreadable] = {
        "several": SeveralCards(),
        "tag": tag,
        "unreadable": Unreadable(profile.card.reason or "the card could not be activated"),
    }
    return Presence(
        what=foreign.get(profile.card.presents, chip),
        title=profile.card.title,
        technology=profile.radio.technology,
        leaves_on_release=leaves_on_release,
    )


class SimulatedBench:
    """All cards of the catalogue, in front of one field.

    A tapped card is held until the reader has done with it and is then taken away, unless the
    switch says that it stays. Each card keeps its counters for as long as the bench exists.

    Args:
        field: where tapped cards go.
        seed: gives the cards their first counters.
        sleep: waits so many seconds.
    """

    def __init__(
        self, field: Field, *, seed: int = 0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._field = field
        self._seed = seed
        self._sleep = sleep
        self._lock = Lock()
        self._chips: dict[str, Chip] = {}
        self._on: set[str] = set()
        self._amounts = {
            name: trouble.amounts[0] for name, trouble in _SWITCHES.items() if trouble.amounts
        }

    title = "What card and reader say"

    def cards(self) -> tuple[BenchCard, ...]:
        """See ``terminal.bench.Bench``."""
        profiles = [load_profile(name) for name in card_ids()]
        profiles = [each for each in profiles if each.card.bench]
        return tuple(
            BenchCard(
                each.id, each.card.title, each.card.subtitle, each.card.scheme, each.card.colour
            )
            for each in profiles
        )

    def tap(self, card_id: str) -> None:
        """See ``terminal.bench.Bench``."""
        known = card_ids()
        if card_id not in known:
            raise ReaderNotFound(
                f"There is no simulated card {card_id!r}.", remedy=f"Cards: {', '.join(known)}."
            )
        profile = load_profile(card_id)
        with self._lock:
            if card_id not in self._chips:
                self._chips[card_id] = FaultyChip(
                    EmvCard(profile, seed=self._seed),
                    self._faults,
                    card_ms=profile.card.answer_ms,
                    seed=self._seed,
                    sleep=self._sleep,
                )
            chip = self._chips[card_id]
            stays = _STAY in self._on
        if _TWO in self._on:
            both = Presence(SeveralCards(), title="Two cards", leaves_on_release=not stays)
            self._field.put(both)
            return
        self._field.put(presented(profile, chip, leaves_on_release=not stays))

    def remove(self) -> None:
        """See ``terminal.bench.Bench``."""
        self._field.take()

    def switches(self) -> tuple[BenchSwitch, ...]:
        """See ``terminal.bench.Bench``."""
        unplugged = not self._field.plugged
        with self._lock:
            on = self._on | ({_UNPLUGGED} if unplugged else set())
            amounts = dict(self._amounts)
        return tuple(
            BenchSwitch(
                name,
                trouble.label,
                name in on,
                trouble.shown.format(amounts[name]) if name in amounts else "",
            )
            for name, trouble in _SWITCHES.items()
        )

    def set_switch(self, switch_id: str, on: bool) -> None:  # noqa: FBT001 - as in the protocol
        """See ``terminal.bench.Bench``."""
        _check(switch_id)
        if switch_id == _UNPLUGGED:
            self._field.set_plugged(plugged=not on)
            return
        with self._lock:
            # Rebinding and not changing in place: a card may be reading the set right now.
            self._on = self._on | {switch_id} if on else self._on - {switch_id}

    def step(self, switch_id: str) -> None:
        """See ``terminal.bench.Bench``."""
        _check(switch_id)
        amounts = _SWITCHES[switch_id].amounts
        with self._lock:
            if amounts:
                following = amounts.index(self._amounts[switch_id]) + 1
                self._amounts[switch_id] = amounts[following % len(amounts)]

    def log(self) -> tuple[str, ...]:
        """See ``terminal.bench.Bench``."""
        return self._field.log()

    def _faults(self) -> Faults:
        asked = {
            _SWITCHES[name].fault: self._amounts[name] for name in self._on if name in self._amounts
        }
        return replace(Faults(), **asked)


def _check(switch_id: str) -> None:
    if switch_id not in _SWITCHES:
        raise ReaderNotFound(
            f"The bench has no switch {switch_id!r}.", remedy=f"Switches: {', '.join(_SWITCHES)}."
        )
