"""The power goes while an older ledger with a full queue is brought up to date.

The ledger is that of a real shop, as a Taptill of that schema version would have left it; the till
of today starts on it, migrates, and forwards what waits. What a cut leaves is judged as always.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from drivers.device_keys import open_device_keys
from offline_queue.schema import MIGRATIONS
from terminal.transaction import State
from tests.offline_queue.test_migrations import as_written_by
from tests.powercut.recording import Disk
from tests.powercut.test_power_cuts import Past, findings, memory, say, under_the_shim
from tests.powercut.workload import fill

CUTS = int(os.environ.get("TAPTILL_CUTS", "240")) // 4
SEED = int(os.environ.get("TAPTILL_SEED", random.SystemRandom().randrange(2**32)))
VERSIONS = range(1, MIGRATIONS[-1].version)

__all__ = ["memory"]


@pytest.mark.slow
def test_no_cut_during_an_update_loses_anything(memory: Path) -> None:
    say(f"TAPTILL_SEED={SEED}, {CUTS} cuts")
    chance = random.Random(f"update {SEED}")
    versions = VERSIONS if len(VERSIONS) * 20 <= CUTS else [chance.choice(VERSIONS)]
    for version in versions:
        folder = memory / f"version-{version}"
        waiting = 0
        while waiting < 2:
            # Some shops close with nothing that waits; they prove little here.
            shutil.rmtree(folder, ignore_errors=True)
            world, messages = fill(folder, chance.randrange(2**31))
            said = [seen.said[-1][0] for seen in world.shown.values()]
            waiting = said.count(State.STORED)
        ledger = folder / "till" / "ledger.db"
        keystore = open_device_keys("file", ledger.parent).keystore
        as_written_by(version, ledger, folder / "older.db", keystore)
        for path in ledger.parent.glob("ledger.db*"):
            path.unlink()
        (folder / "older.db").rename(ledger)
        assert not list(folder.glob("older.db-*"))
        before = folder / "before"
        shutil.copytree(ledger.parent, before)
        passed_s = world.clock.passed_s
        ops = under_the_shim(folder, f"workload.update(folder, {messages}, {passed_s!r})")
        names = {op.second or op.path for op in ops}
        assert any(name.endswith(".kept") for name in names), "the old file was kept meanwhile"
        many = CUTS // len(versions)
        past = Past(str(messages), passed_s, dict(world.shown))
        assert findings(folder, ops, many, chance, Disk(before), past) == []
        say(f"from version {version}: {many} cuts in {len(ops)} steps, {waiting} sales waited")
