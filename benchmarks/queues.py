"""The queue beside its peers: plain SQLite and persist-queue.

Rules of this file: the same bytes, the same disk, the same run, in turns; and what SQLite asks the
disk to sync is counted, since that is the figure that carries over to a memory card.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import apsw
import persistqueue

from benchmarks.figures import Figure, ratio, times
from benchmarks.ledger import EUR, enqueued, plain_sqlite
from benchmarks.shop import folder, now
from drivers.clock import SystemClock, SystemEntropy
from offline_queue.journal import SqlJournal, open_journal
from offline_queue.outbox import Outbox
from offline_queue.plan import Record
from terminal.iso8583.messages import reversal_of
from terminal.iso8583.profiles import BASE87
from terminal.money import Amount
from terminal.transaction import HostApproved, Transaction

SALES = 300
WARM_UP = 30
STORED = int(os.environ.get("TAPTILL_STORED_SALES", "10000"))
LATENCY_MS = 20
PER_MINUTE = 10_000
MEMORY_KIB = 16 * 1024
BATCH = 32
CARD_SYNC_MS = 5
"""What a good memory card takes for a sync; poor ones take 30."""


class _CountingFile(apsw.VFSFile):
    """A file that counts what is synced."""

    syncs = 0

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        type(self).syncs += 1
        super().xSync(flags)


class _CountingVfs(apsw.VFS):
    def __init__(self) -> None:
        super().__init__("counting", "unix", makedefault=True)

    def xOpen(  # noqa: N802 - SQLite's name
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> _CountingFile:
        return _CountingFile("unix", name, flags)


def queue_peers() -> Iterator[Figure]:
    """Enqueue, and put with acknowledge, against sqlite3 and persist-queue's SQLiteAckQueue."""
    yield from measured("this disk")
    yield _syncs()
    yield from _on_a_card()


def _on_a_card() -> Iterator[Figure]:
    """The same with a sync that takes as long as a memory card's, in a process of its own."""
    compiler = shutil.which("cc")
    if compiler is None:
        return
    with folder() as path:
        shim = path / "slow_sync.so"
        source = Path(__file__).with_name("slow_sync.c")
        build = [compiler, "-shared", "-fPIC", "-o", str(shim), str(source), "-ldl"]
        subprocess.run(build, check=True)
        told = subprocess.run(
            [sys.executable, "-c", _CARD],
            env={**os.environ, "LD_PRELOAD": str(shim), "TAPTILL_SYNC_MS": str(CARD_SYNC_MS)},
            stdout=subprocess.PIPE,
            check=True,
        )
        yield from pickle.loads(told.stdout)


_CARD = """
import pickle, sys
from benchmarks.queues import CARD_SYNC_MS, measured
sys.stdout.buffer.write(pickle.dumps(list(measured(f"a sync of {CARD_SYNC_MS} ms"))))
"""


def measured(disk: str) -> Iterator[Figure]:
    """Both ratios on one disk, which ``disk`` names."""
    with folder() as path:
        journal, _ = open_journal(
            path / "ledger.db",
            SystemClock(),
            SystemEntropy(),
            lambda sent: reversal_of(BASE87, sent),
        )
        outbox = Outbox(journal.store)
        plain = plain_sqlite(path / "plain.db")
        peer = persistqueue.SQLiteAckQueue(str(path / "peer"), auto_commit=True)
        puts, plain_puts, cycles, peer_cycles = [], [], [], []
        composing: list[float] = []
        waiting: list[float] = []
        for number in range(WARM_UP + SALES):
            sale = _intended(journal, number)
            stored = enqueued(journal, sale)
            took_s = stored.took_s - stored.composing_s
            plain_s = plain(number, stored.message, stored.payload)
            started = now()
            peer.put(stored.message + stored.payload.encode())
            peer.ack(peer.get(block=False))
            peer_s = now() - started
            if number >= WARM_UP:
                puts.append(took_s)
                composing.append(stored.composing_s)
                plain_puts.append(plain_s)
                peer_cycles.append(peer_s)
            waiting.append(took_s)
            if len(waiting) == BATCH:
                # As the forwarder does it: several are claimed, and recorded, at once.
                started = now()
                clock = datetime.now(UTC)
                items = outbox.claim_several(clock, owner="bench", lease_s=60, limit=BATCH)
                done = HostApproved(clock, "00", "A1B2C3", 1250)
                journal.settle([(item, Record(done, erase=True)) for item in items])
                share_s = (now() - started) / BATCH
                cycles += [put_s + share_s for put_s in waiting]
                waiting.clear()
        journal.close()
    yield times(f"durable enqueue, {disk}", puts)
    yield times("making its message, which the peers are handed", composing)
    yield times("sqlite3, WAL and FULL, the same bytes", plain_puts)
    yield ratio("enqueue rate against sqlite3", puts, plain_puts, at_least=0.8)
    yield ratio("put and acknowledge against persist-queue", cycles, peer_cycles, at_least=1.0)


def _syncs() -> Figure:
    """How often the disk is asked to sync for one enqueue."""
    vfs = _CountingVfs()
    try:
        with folder() as path:
            journal, _ = open_journal(
                path / "ledger.db",
                SystemClock(),
                SystemEntropy(),
                lambda sent: reversal_of(BASE87, sent),
            )
            counts = []
            for number in range(100):
                sale = _intended(journal, number)
                before = _CountingFile.syncs
                enqueued(journal, sale)
                counts.append(_CountingFile.syncs - before)
            journal.close()
    finally:
        vfs.unregister()
    usual = median(counts)
    return Figure("syncs for one enqueue", f"{usual:.0f} (n={len(counts)})", "1", usual == 1)


def _intended(journal: SqlJournal, number: int) -> Transaction:
    return journal.open_sale(
        txn_id=f"sale_{number:020x}",
        amount=Amount(1250, EUR),
        at=datetime.now(UTC),
        cashier="",
        training=False,
    )
