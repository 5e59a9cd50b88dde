"""The acquirer's side of the bench: a network switch, its misbehaviours, and its ledger's lines.

Rules of this file: a ``terminal.bench.Bench`` without cards, so that whatever draws a bench
draws this one too. It holds no state of its own: switches show what the server says.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from hardware_sim.acquirer_behaviour import ALWAYS
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.acquirer_ledger import Entry, LedgerView
from terminal.bench import ILL, WELL, BenchCard, BenchSwitch
from terminal.errors import ConfigError, ReaderNotFound
from terminal.money import Amount, Currency

LINES = 12

_FORGETFUL = "forget"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """One switch: what turns it on and off, and how much of ``option`` there may be."""

    label: str
    option: str
    amounts: tuple[int, ...] = ()
    shown: tuple[str, ...] = ()
    beside: Mapping[str, object] = field(default_factory=dict)


_SWITCHES: Mapping[str, _Trouble] = MappingProxyType(
    {
        "offline": _Trouble("Network off", "refuse"),
        "slow": _Trouble(
            "Bank is slow", "latency_ms", (3000, 20_000, 1000), ("3 s", "20 s", "1 s")
        ),
        "lose-answers": _Trouble(
            "Bank loses answers", "drop_after", (ALWAYS, 1), ("all", "one"), {"only": "0200"}
        ),
        "garble": _Trouble("Bank garbles answers", "garble", (ALWAYS, 1), ("all", "one")),
        _FORGETFUL: _Trouble("Bank forgets answers", ""),
    }
)
_MESSAGES = {
    "0100": "hold",
    "0200": "sale",
    "0220": "stored sale",
    "0221": "stored sale, repeated",
    "0420": "reversal",
    "0421": "reversal, repeated",
    "0320": "batch upload",
    "0321": "batch upload, repeated",
    "0500": "end of the day",
    "0501": "end of the day, repeated",
}


class AcquirerBench:
    """What can be done to the simulated acquirer of a till, and what it has seen."""

    def __init__(self, folder: Path) -> None:
        self._control = AcquirerControl(folder)
        self._books = AcquirerFolder(folder).ledger_file
        # Asked several times a second, so only what is new is read.
        self._lock = threading.Lock()
        self._read = 0
        self._forgot: int | None = None
        self._chosen: dict[str, int] = {}
        self._lines: deque[str] = deque(maxlen=LINES)

    title = "What the bank's books say"

    def cards(self) -> tuple[BenchCard, ...]:
        """None: cards are the reader's."""
        return ()

    def tap(self, card_id: str) -> None:
        """There is nothing to tap here."""
        raise ReaderNotFound(f"The acquirer has no card {card_id!r}.")

    def remove(self) -> None:
        """There is nothing to take away here."""

    def switches(self) -> tuple[BenchSwitch, ...]:
        """The network and the misbehaviours, as the server has them now."""
        try:
            now = self._control.behaviour
        except ConfigError:
            return ()
        with self._lock:
            return tuple(
                BenchSwitch(
                    name,
                    each.label,
                    # What was forgotten is so until the next message.
                    bool(getattr(now, each.option)) if each.option else self._forgot == self._read,
                    each.shown[self._chosen.get(name, 0)] if each.shown else "",
                )
                for name, each in _SWITCHES.items()
            )

    def set_switch(self, switch_id: str, on: bool) -> None:  # noqa: FBT001 - it is the new state
        """Turns a switch on or off at the running server."""
        trouble = _known(switch_id)
        if not trouble.option:
            if on:
                self._control.forget_answers()
                self._forgot = self._read
            return
        amount: object = on
        if trouble.amounts:
            amount = trouble.amounts[self._chosen.get(switch_id, 0)] if on else 0
        beside = trouble.beside if on else dict.fromkeys(trouble.beside, "")
        self._control.set(**{trouble.option: amount, **beside})

    def step(self, switch_id: str) -> None:
        """Moves the amount of a misbehaviour on; one that is on goes on with it."""
        trouble = _known(switch_id)
        if not trouble.amounts:
            return
        with self._lock:
            self._chosen[switch_id] = (self._chosen.get(switch_id, 0) + 1) % len(trouble.amounts)
        if getattr(self._control.behaviour, trouble.option):
            self.set_switch(switch_id, True)

    def log(self) -> tuple[str, ...]:
        """The acquirer's last messages, oldest first; echoes are left out."""
        with self._lock:
            view = LedgerView(self._books)
            try:
                new = view.entries(self._read)
            finally:
                view.close()
            self._read += len(new)
            self._lines.extend(_line(entry) for entry in new if entry.mti != "0800")
            return tuple(self._lines)


def _known(switch_id: str) -> _Trouble:
    if switch_id not in _SWITCHES:
        raise ReaderNotFound(
            f"The acquirer has no switch {switch_id!r}.",
            remedy=f"Switches: {', '.join(_SWITCHES)}.",
        )
    return _SWITCHES[switch_id]


def _line(entry: Entry) -> str:
    """One message in words: ``✓ sale EUR 12.50 .... 0010 approved``."""
    amount = ""
    if entry.amount_minor is not None and entry.currency:
        amount = str(Amount(entry.amount_minor, Currency.of_number(int(entry.currency))))
    declined = f"refused ({entry.response_code})"
    result = {"00": "approved", "": "no answer"}.get(entry.response_code, declined)
    mark = WELL if entry.response_code == "00" else ILL
    parts = (mark, _MESSAGES.get(entry.mti, entry.mti), amount, entry.card, result)
    return " ".join(part for part in parts if part)
