"""``sim:`` readers, for the entry points of the drivers.

``sim:`` alone is a bench: nothing is presented until a card is tapped. ``sim:visa-credit`` puts
that card on the reader whenever a card is waited for, and takes it away when the reader has done
with it. The part after ``?`` asks for faults::

    sim:visa-credit?seed=7&tear_after=3
    sim:./my-card.toml?times=1

``sim:?at=SOCKET`` is the reader of a bench in another process (``taptill sim bench``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

from drivers.registry import FoundReader
from hardware_sim.bench import SimulatedBench, presented
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.faults import Faults, FaultyChip
from hardware_sim.field import Field, Presence, SimulatedReader
from hardware_sim.field_link import FarReader
from terminal.bench import Bench
from terminal.errors import ReaderAddressWrong
from terminal.ports import Reader

OPTIONS = {
    "seed": "the card's first counters and the noise",
    "times": "how often the card is presented; without it, always",
    "card_ms": "how long the card takes over each answer",
    "tear_after": "the card leaves after so many commands",
    "tear_at": "the card leaves at this byte of the conversation",
    "delay_ms": "a further delay of each answer",
    "mute_at": "the number of the command that is never answered",
    "sw": "the status word that takes the place of an answer, like 6F00",
    "sw_at": "the number of that command",
    "unplug_after": "the reader goes away after so many commands",
    "noise": "how many answers of a hundred have one bit turned over",
    "faulty_taps": "after so many presentations nothing goes wrong any more",
    "kbps": "the radio's bit rate, like 106: each byte takes its time; without it, none",
    "warm_up_ms": "how long the field takes to wake the card",
    "think": "how long the card thinks, in percent of a real phone; without it, not at all",
}
"""What an address may ask for, and what each option means."""

_FOR_THE_BENCH = frozenset({"seed"})
_FAR = "sim:?at="


class BenchedReader(SimulatedReader):
    """A simulated reader with a bench before it: a ``terminal.bench.BenchReader``."""

    def __init__(self, field: Field, name: str, bench: SimulatedBench) -> None:
        super().__init__(field, name)
        self._bench = bench

    @property
    def bench(self) -> Bench:
        """The cards that can be tapped."""
        return self._bench


def open_reader(url: str) -> Reader:
    """Opens ``sim:``, ``sim:CARD``, ``sim:CARD?OPTIONS`` or ``sim:?at=SOCKET``.

    Raises:
        ReaderAddressWrong: there is no such card or option; the message lists those that exist.
        ReaderNotFound: no bench is at the socket.
        ConfigError: the card is a file, and its profile is wrong.
    """
    if url.startswith(_FAR):
        return FarReader(Path(url.removeprefix(_FAR)))
    card_id, options = _parse(url)
    field = Field()
    if not card_id:
        bench = SimulatedBench(field, seed=options.get("seed", 0))
        return BenchedReader(field, "Bench of simulated cards", bench)
    supply = _supply(card_id, options, time.sleep)
    return SimulatedReader(field, f"Simulated reader with {card_id}", supply=supply)


def discover() -> list[FoundReader]:
    """The bench, which is always there."""
    note = "tap cards with the mouse, or name one, like sim:visa-credit (taptill sim cards)"
    return [FoundReader("sim:", "Bench of simulated cards", "sim", note)]


def _parse(url: str) -> tuple[str, dict[str, int]]:
    card_id, question, query = url.removeprefix("sim:").partition("?")
    if card_id and not card_id.endswith(".toml") and card_id not in card_ids():
        raise ReaderAddressWrong(
            f"The reader address {url!r} names the card {card_id!r}, which does not exist.",
            remedy=f"Cards: {', '.join(card_ids())}.",
        )
    known = OPTIONS if card_id else {name: OPTIONS[name] for name in _FOR_THE_BENCH}
    options = {}
    for name, value in parse_qsl(query, keep_blank_values=True) if question else []:
        if name not in known:
            listed = "; ".join(f"{each}: {meaning}" for each, meaning in known.items())
            raise ReaderAddressWrong(
                f"The reader address {url!r} has the option {name!r}, which does not exist.",
                remedy=f"Options: {listed}.",
            )
        options[name] = _number(url, name, value)
    return card_id, options


def _number(url: str, name: str, value: str) -> int:
    if name == "sw":
        if not re.fullmatch(r"[0-9A-Fa-f]{4}", value):
            raise ReaderAddressWrong(
                f"The reader address {url!r}: {name}={value!r} is not a status word.",
                remedy="Write four hexadecimal digits, like 6F00.",
            )
        return int(value, 16)
    if not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        raise ReaderAddressWrong(
            f"The reader address {url!r}: {name}={value!r} is not a whole number.",
            remedy=f"{name} is {OPTIONS[name]}.",
        )
    return int(value)


def _supply(
    card_id: str, options: dict[str, int], sleep: Callable[[float], None]
) -> Callable[[], Presence | None]:
    profile = load_profile(card_id)
    seed = options.pop("seed", 0)
    times = options.pop("times", None)
    card_ms = options.pop("card_ms", profile.card.answer_ms)
    faults = Faults(**options)
    chip = FaultyChip(
        EmvCard(profile, seed=seed), lambda: faults, card_ms=card_ms, seed=seed, sleep=sleep
    )
    shown = 0

    def supply() -> Presence | None:
        nonlocal shown
        if times is not None and shown >= times:
            return None
        shown += 1
        return presented(profile, chip, leaves_on_release=True)

    return supply
