"""Processes that are killed at random moments, and what every step costs in syncs."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from drivers.clock import SystemEntropy
from offline_queue.journal import open_journal
from offline_queue.outbox import Outbox
from offline_queue.reports import Reports
from terminal.ledger import Kind, OutboxItem, Outgoing
from terminal.transaction import FateUnknown, HostApproved, ReversalConfirmed, State
from tests.offline_queue.sales import START, HandClock, Till, reversal_of

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 60

# What the till was told before the kill, and where the sale may stand once recovered: there, or
# one step on, when the next step was on the disk and the kill came before it returned.
ALLOWED = {
    "intended": {State.INTERRUPTED, State.UNKNOWN, State.STORED},
    "asked": {State.UNKNOWN, State.APPROVED},
    "stored": {State.STORED},
    "claimed": {State.STORED, State.APPROVED},
    "unknown": {State.UNKNOWN, State.REVERSED},
    "approved": {State.APPROVED},
    "reversed": {State.REVERSED},
}


def sell_until_killed(path: str, prefix: str, told: Connection) -> None:
    """Sells without end, and tells each step once it has returned."""
    journal, _ = open_journal(Path(path), HandClock(), SystemEntropy(), reversal_of)
    till = Till.of(Path(path), journal, prefix)
    outbox = Outbox(journal.store)
    told.send(("ready", ""))
    while True:
        online = till.count % 2 == 0
        sale = till.intend()
        name = sale.txn_id
        told.send(("intended", name))
        _, item = journal.enqueue(name, till.sent if online else till.stored)
        told.send(("asked" if online else "stored", name))
        if not online:
            claimed = outbox.claim(START, owner="sync", lease_s=0)
            assert claimed is not None
            if claimed.kind is Kind.REVERSAL:
                journal.commit(claimed.txn_id, ReversalConfirmed(START, "00"), done=claimed)
                told.send(("reversed", claimed.txn_id))
            else:
                told.send(("claimed", claimed.txn_id))
                approve(till, claimed)
                told.send(("approved", claimed.txn_id))
        elif till.count % 3:
            approve(till, item)
            told.send(("approved", name))
        else:
            reversal = Outgoing(Kind.REVERSAL, reversal_of(item.message))
            journal.commit(name, FateUnknown(START, "silent"), done=item, queue=reversal)
            told.send(("unknown", name))
        if till.count % 10 == 0:
            journal.housekeeping()


def approve(till: Till, item: OutboxItem) -> None:
    till.journal.commit(item.txn_id, HostApproved(START, "00", "1", 1250), done=item)


def heard(told: Connection) -> Iterator[tuple[str, str]]:
    # The kill may have cut the last message in two: what was not told whole was not told.
    with suppress(EOFError, OSError):
        while True:
            yield told.recv()


@pytest.mark.slow
def test_killed_at_random_moments_nothing_that_returned_is_lost_and_nothing_is_half(
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("TAPTILL_SEED", random.SystemRandom().randrange(2**32)))
    print(f"TAPTILL_SEED={seed}")  # noqa: T201  # Shown when the test fails.
    dice = random.Random(seed)
    path = tmp_path / "ledger.db"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    last: dict[str, str] = {}
    states: dict[str, State] = {}
    for number in range(ROUNDS):
        ours, theirs = context.Pipe(duplex=False)
        process: BaseProcess = context.Process(
            target=sell_until_killed, args=(str(path), f"{number}-", theirs)
        )
        process.start()
        theirs.close()
        told = heard(ours)
        # Every third kill may hit the opening and the recovery; the others hit the sales.
        if number % 3:
            assert next(told) == ("ready", "")
        time.sleep(dice.uniform(0, 0.12))
        process.kill()
        process.join()
        last |= {name: step for step, name in told if name}
        ours.close()
        process.close()

        journal, _ = open_journal(path, HandClock(), SystemEntropy(), reversal_of)
        try:
            assert journal.store.verify() >= len(last)
            sales = {sale.txn_id: sale for sale in Reports(journal.store).transactions(limit=10**6)}
        finally:
            journal.close()
        for name, step in last.items():
            assert sales[name].state in ALLOWED[step], (name, step, sales[name])
        for name, state in states.items():
            # What was final before this round is as it was.
            assert sales[name].state is state, (name, state, sales[name])
        states = {name: sale.state for name, sale in sales.items() if sale.final}
        # The sale in hand may be there untold; no other may.
        assert len(sales) - len(last) <= 1, sorted(sales.keys() - last.keys())
        stans = [(sale.batch, sale.stan) for sale in sales.values() if sale.stan]
        assert len(stans) == len(set(stans))
        last.update({name: _step_of(sale.state) for name, sale in sales.items()})
    assert len(last) > ROUNDS


def _step_of(state: State) -> str:
    """The step that a recovered sale's state stands for in the rounds that follow."""
    return {
        State.INTERRUPTED: "intended",
        State.STORED: "claimed",
        State.UNKNOWN: "unknown",
        State.APPROVED: "approved",
        State.REVERSED: "reversed",
    }[state]


COUNTED = """
import os, sys
from pathlib import Path
from offline_queue.outbox import Outbox
from terminal.transaction import HostApproved
from tests.offline_queue.sales import START, Till

till = Till(Path(sys.argv[1]))
outbox = Outbox(till.store)
os.access("mark-open_sale", os.F_OK)
names = [till.intend().txn_id for _ in range(20)]
os.access("mark-enqueue", os.F_OK)
for name in names:
    till.journal.enqueue(name, till.stored)
os.access("mark-claim", os.F_OK)
items = [outbox.claim(START, owner="sync", lease_s=30) for _ in names]
os.access("mark-commit", os.F_OK)
for item in items:
    till.journal.commit(item.txn_id, HostApproved(START, "00", "1", 1250), done=item)
os.access("mark-queries", os.F_OK)
till.journal.transaction(names[0])
outbox.claim(START, owner="sync", lease_s=30)
os.access("mark-end", os.F_OK)
"""


def test_each_step_of_a_sale_costs_one_sync(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed, and nothing else counts syncs from outside")
    trace = tmp_path / "trace"
    calls = "trace=fsync,fdatasync,?access,?faccessat,?faccessat2"
    command = ["strace", "-f", "-q", "-e", calls, "-o", str(trace), sys.executable, "-c", COUNTED]
    ran = subprocess.run(
        [*command, str(tmp_path / "ledger.db")], cwd=ROOT, capture_output=True, check=False
    )
    if ran.returncode != 0 and b"ptrace" in ran.stderr.lower():
        pytest.skip("this machine does not let strace trace a process")
    assert ran.returncode == 0, ran.stderr
    counts: dict[str, int] = {}
    section = ""
    for line in trace.read_text().splitlines():
        if "mark-" in line:
            section = line.split("mark-")[1].split('"')[0]
            counts[section] = 0
        elif section and "sync(" in line:
            counts[section] += 1
    assert counts == {
        "open_sale": 20,
        "enqueue": 20,
        "claim": 20,
        "commit": 20,
        "queries": 0,
        "end": counts["end"],
    }
