"""``kill -9`` at random moments of a sale loop: nothing shown is lost, nothing is charged twice.

The tills are real processes on one real ledger file, and the acquirer is a real server that
keeps running. The parent reads what each till has shown, kills it, and the next till recovers.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_ledger import CaptureState
from offline_queue.outbox import Outbox
from offline_queue.reports import Reports
from terminal.transaction import FINAL, State
from tests.brisk import brisk
from tests.conftest import ROOT
from tests.sale.host_process import running_acquirer
from ui.wiring import Parts, assembled, forwarder, load_settings

KILLS = int(os.environ.get("TAPTILL_KILLS", "200"))
# A few tills die while they open and recover the ledger, the others after some sales. Sales are
# counted rather than timed, so that a busy machine kills in the same places as an idle one.
DIE_YOUNG = 0.2
YOUTH_S = 0.4
MOST_SALES = 12
LAST_WORDS_S = 0.05


class Nursery:
    """The parent's side of ``nursery.py``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/sale/nursery.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._left = b""
        self._shown: list[tuple[str, ...]] = []

    def bear(self, request: str) -> int:
        """A new till that has not opened its ledger yet; its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{request}\n".encode())
        self._process.stdin.flush()
        while True:
            pid, word, *rest = self._line(timeout_s=60.0).split()
            if word == "BORN":
                return int(pid)
            # The one before wrote this while it was being killed.
            self._shown.append((word, *rest))

    def wait_for(self, sales: int) -> None:
        """Waits until the till has shown the end of so many sales."""
        while len(self._shown) < sales:
            line = self._line(timeout_s=60.0)
            assert line, "the till shows nothing any more"
            self._shown.append(tuple(line.split()[1:]))

    def shown(self) -> list[tuple[str, ...]]:
        """What has been shown since the last call, without waiting."""
        while line := self._line(timeout_s=0.0):
            self._shown.append(tuple(line.split()[1:]))
        shown, self._shown = self._shown, []
        return shown

    def _line(self, *, timeout_s: float) -> str:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._left:
            left_s = max(0.0, deadline - time.monotonic())
            if not select.select([pipe], [], [], left_s)[0]:
                return ""
            content = os.read(pipe, 65536)
            assert content, "the nursery has ended"
            self._left += content
        line, self._left = self._left.split(b"\n", 1)
        return line.decode()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@pytest.mark.slow
def test_kill_at_random_moments(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - a random test prints its seed
    chance = random.Random(seed)
    shown: dict[str, tuple[str, int]] = {}
    data_dir, acquirer_dir = tmp_path / "till", tmp_path / "acquirer"
    acquirer_dir.mkdir()
    with running_acquirer(acquirer_dir) as control:
        # It answers a little late, so that kills hit waits.
        control.set(latency_ms=4)
        nursery = Nursery()
        try:
            for _ in range(KILLS):
                card = chance.choice(["visa-credit", "mastercard-credit"])
                request = f"{data_dir} {acquirer_dir} sim:{card} {chance.randrange(2**31)}"
                pid = nursery.bear(request)
                if chance.random() < DIE_YOUNG:
                    time.sleep(chance.uniform(0.0, YOUTH_S))
                else:
                    nursery.wait_for(chance.randint(1, MOST_SALES))
                    time.sleep(chance.uniform(0.0, LAST_WORDS_S))
                os.kill(pid, signal.SIGKILL)
                shown.update(_sales(nursery))
            shown.update(_sales(nursery))
        finally:
            nursery.close()
        control.set(latency_ms=0)
        _judge(data_dir, acquirer_dir, control, shown)


def _sales(nursery: Nursery) -> dict[str, tuple[str, int]]:
    return {txn_id: (state, int(minor)) for state, txn_id, minor in nursery.shown()}


def _judge(
    data_dir: Path, acquirer_dir: Path, control: AcquirerControl, shown: dict[str, tuple[str, int]]
) -> None:
    settings = load_settings(
        data_dir=data_dir, reader="sim:visa-credit", acquirer=f"sim:?dir={acquirer_dir}"
    )
    with assembled(settings) as parts:
        _drain(brisk(parts))
        parts.journal.store.verify()
        sales = {s.txn_id: s for s in Reports(parts.journal.store).transactions(limit=10**6)}
    captures = control.captures()
    captured = Counter(c.rrn for c in captures if c.state is CaptureState.CAPTURED)

    approved = [txn for txn, (state, _) in shown.items() if state == "APPROVED"]
    stored = [txn for txn, (state, _) in shown.items() if state == "STORED"]
    ends = Counter(sale.state.name for sale in sales.values())
    print(f"{len(shown)} shown, {len(sales)} recorded: {dict(ends)}")  # noqa: T201 - the figures
    assert len(approved) > KILLS / 2, "the loop must have sold something"
    assert ends["INTERRUPTED"] + ends["REVERSED"] > 0, "some kill must have hit a sale"
    # No shown approval is missing, and none is captured twice.
    for txn_id in (*approved, *stored):
        assert sales[txn_id].state is State.APPROVED
        assert sales[txn_id].amount.minor == shown[txn_id][1]
        assert captured[sales[txn_id].rrn] == 1
    # Every sale has a final, named state, and the two ledgers agree to the cent.
    assert {sale.state for sale in sales.values()} <= FINAL
    assert max(captured.values()) == 1
    assert {sale.rrn for sale in sales.values() if sale.state is State.APPROVED} == set(captured)
    booked = sum(c.amount_minor for c in captures if c.state is CaptureState.CAPTURED)
    assert booked == sum(s.approved_minor for s in sales.values() if s.state is State.APPROVED)
    stans = Counter((s.batch, s.stan) for s in sales.values() if s.stan is not None)
    assert set(stans.values()) == {1}


def _drain(parts: Parts) -> None:
    """Forwards until nothing waits. What the killed tills had put off goes out now."""
    line = forwarder(parts, lambda news: None)
    outbox = Outbox(parts.journal.store)
    try:
        deadline = time.monotonic() + 60.0
        while Reports(parts.journal.store).pending().count and time.monotonic() < deadline:
            outbox.make_due()
            line.run_once()
            time.sleep(0.05)
        assert Reports(parts.journal.store).pending().count == 0
    finally:
        line.close()
