"""The Nth write, sync, open or truncation fails, for every N: nothing lost, and a named reason.

A whole till works through a short day each time, in a process under the shim. A failure ends in a
``StoreError`` (or a key store's or printer's own), after which the till is started again as a
person would; then both ledgers and everything that was shown must agree. Any other exception is a
finding. ``TAPTILL_FAILURES=all`` tries every N; without it a random part of them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offline_queue.store import RESERVE_BYTES
from terminal.errors import StoreFull
from terminal.transaction import HostApproved, State
from tests.conftest import ROOT
from tests.offline_queue.sales import Till
from tests.powercut.failures import SHOPS
from tests.powercut.recording import built_shim

ALL = os.environ.get("TAPTILL_FAILURES") == "all"
SEED = int(os.environ.get("TAPTILL_SEED", random.SystemRandom().randrange(2**32)))

# kind, how it fails, how often in a row, and how many of the Ns are tried in a short run.
FAILURES = [
    ("sync", "input/output error", 1, 7),
    ("sync", "input/output error", 5, 11),
    ("open", "input/output error", 1, 2),
    ("open", "no space", 1, 2),
    ("truncate", "input/output error", 1, 3),
    ("write", "no space", 1, 61),
    ("write", "no space", 40, 81),
    ("write", "input/output error", 1, 61),
    ("write", "short", 1, 101),
    ("write", "interrupted", 1, 101),
]


def failing(folder: Path, *arguments: str, setting: str = "") -> list[dict[str, Any]]:
    """What the child says about its shops."""
    code = f"{setting}\nfrom tests.powercut import failures; import sys\n"
    code += "failures.main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7]))"
    environment = {
        **os.environ,
        "LD_PRELOAD": str(built_shim()),
        "SHIM_ROOT": "/nowhere",
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "hardware-sim/src"))),
        "TMPDIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "how", "times", "step"), FAILURES, ids=lambda value: str(value).replace(" ", "-")
)
def test_a_disk_that_fails_loses_nothing(
    tmp_path: Path, kind: str, how: str, times: int, step: int
) -> None:
    chance = random.Random(f"{SEED} {kind} {how}")
    start, step = (1, 1) if ALL else (chance.randint(1, step), step)
    print(f"TAPTILL_SEED={SEED}")  # noqa: T201 - a random test prints its seed
    for shop in SHOPS if ALL else [chance.choice(list(SHOPS))]:
        settings = map(str, (times, start, step, shop))
        *findings, total = failing(tmp_path, kind, how, *settings)
        assert findings == []
        assert total["calls"] > 5
        assert total["shops"] >= (total["calls"] - start) // step


SWALLOWED = """
from offline_queue.journal import SqlJournal
from terminal.errors import StoreError
real = SqlJournal.commit
def commit(self, txn_id, event, **rest):
    try:
        return real(self, txn_id, event, **rest)
    except StoreError:
        return self.transaction(txn_id).after(event)
SqlJournal.commit = commit
"""


@pytest.mark.slow
def test_the_control_a_till_that_swallows_failures_is_found(tmp_path: Path) -> None:
    *findings, _ = failing(tmp_path, "write", "no space", "1", "1", "17", "4", setting=SWALLOWED)
    assert any("was shown as approved" in one["finding"] for one in findings), findings


# -- the reserve ---------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    size = RESERVE_BYTES + 3 * 1024 * 1024
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def leave(folder: Path, left_bytes: int) -> None:
    """Fills the disk until no more than this is left."""
    status = os.statvfs(folder)
    with (folder / "ballast").open("ab") as ballast:
        ballast.write(bytes(max(0, status.f_bavail * status.f_frsize - left_bytes)))


def test_the_reserve_is_room_for_a_sale_and_its_answer(disk: Path) -> None:
    till = Till(disk / "ledger.db")
    leave(disk, RESERVE_BYTES + 8192)
    sale = till.intend()
    # The card has been read by now, and whatever else is on the disk grows meanwhile.
    leave(disk, RESERVE_BYTES // 2)
    stored, item = till.journal.enqueue(sale.txn_id, till.stored)
    assert stored.state is State.STORED
    with pytest.raises(StoreFull, match="in reserve") as refused:
        till.intend()
    assert "no card was read" in refused.value.remedy
    event = HostApproved(till.clock.now(), "00", "123456", sale.amount.minor)
    assert till.journal.commit(sale.txn_id, event, done=item).state is State.APPROVED
    till.store.verify()
    till.store.close()
