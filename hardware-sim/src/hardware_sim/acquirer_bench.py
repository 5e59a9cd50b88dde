"""The acquirer's side of the bench: a network switch, its misbehaviours, and its ledger's lines.

Rules of this file: a ``terminal.bench.Bench`` without cards, so that whatever draws a bench
draws this one too. It holds no state of its own: switches show what the server says.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path

from hardware_sim.acquirer_behaviour import ALWAYS
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_folder import AcquirerFolder
from hardware_sim.acquirer_ledger import Entry, LedgerView
from terminal.bench import BenchCard, BenchSwitch
from terminal.errors import ConfigError, ReaderNotFound
from terminal.money import Amount, Currency

LINES = 12

_LABELS = {
    "offline": "Network off",
    "lose-answers": "Bank loses its answers",
    "slow": "Bank is slow",
}
_OPTIONS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "offline": ({"refuse": True}, {"refuse": False}),
    "lose-answers": ({"drop_after": ALWAYS, "only": "0200"}, {"drop_after": 0, "only": ""}),
    "slow": ({"latency_ms": 3000}, {"latency_ms": 0}),
}
_MESSAGES = {
    "0200": "sale",
    "0220": "stored sale",
    "0221": "stored sale, repeated",
    "0420": "reversal",
    "0421": "reversal, repeated",
    "0800": "echo",
}


class AcquirerBench:
    """What can be done to the simulated acquirer of a till, and what it has seen."""

    def __init__(self, folder: Path) -> None:
        self._control = AcquirerControl(folder)
        self._books = AcquirerFolder(folder).ledger_file
        # Asked several times a second, so only what is new is read.
        self._lock = threading.Lock()
        self._read = 0
        self._lines: deque[str] = deque(maxlen=LINES)

    def cards(self) -> tuple[BenchCard, ...]:
        """None: cards are the reader's."""
        return ()

    def tap(self, card_id: str) -> None:
        """There is nothing to tap here."""
        raise ReaderNotFound(f"The acquirer has no card {card_id!r}.")

    def remove(self) -> None:
        """There is nothing to take away here."""

    def switches(self) -> tuple[BenchSwitch, ...]:
        """The network and two misbehaviours, as the server has them now."""
        try:
            now = self._control.behaviour
        except ConfigError:
            return ()
        on = {
            "offline": now.refuse,
            "lose-answers": now.drop_after != 0,
            "slow": now.latency_ms > 0,
        }
        return tuple(BenchSwitch(name, label, on[name]) for name, label in _LABELS.items())

    def set_switch(self, switch_id: str, on: bool) -> None:  # noqa: FBT001 - it is the new state
        """Turns a switch on or off at the running server."""
        if switch_id not in _OPTIONS:
            raise ReaderNotFound(f"The acquirer has no switch {switch_id!r}.")
        turned_on, turned_off = _OPTIONS[switch_id]
        self._control.set(**(turned_on if on else turned_off))

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


def _line(entry: Entry) -> str:
    """One message in words: ``sale EUR 12.50 .... 0010 approved``."""
    amount = ""
    if entry.amount_minor is not None and entry.currency:
        amount = str(Amount(entry.amount_minor, Currency.of_number(int(entry.currency))))
    declined = f"refused ({entry.response_code})"
    result = {"00": "approved", "": "no answer"}.get(entry.response_code, declined)
    parts = (_MESSAGES.get(entry.mti, entry.mti), amount, entry.card, result)
    return " ".join(part for part in parts if part)
