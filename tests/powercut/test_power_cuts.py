"""The power goes at random points of a shop's work: nothing lost, nothing sent twice, all readable.

A real till works in a process of its own while a shim under libc writes down each write, sync,
truncation and change of a name. At each cut the disk is rebuilt as it may have been, the till's own
code opens it beside the acquirer's books of that moment, forwards what waits, and both ledgers and
everything that had been shown must agree. In every second cut the acquirer has lost its memory of
answers, so that a copy that is not flagged as one is charged again.

``TAPTILL_CUTS`` sets how many (a few hundred without it).
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hardware_sim.world.clock import VirtualClock
from hardware_sim.world.oracle import Shown
from hardware_sim.world.plan import Plan
from hardware_sim.world.power import Power
from hardware_sim.world.shop import World
from terminal.transaction import State
from tests.conftest import ROOT
from tests.powercut.recording import Disk, Op, built_shim, read_recording
from tests.powercut.workload import SteadyPower

CUTS = int(os.environ.get("TAPTILL_CUTS", "240"))
CUTS_A_SHOP = 120
PARTS = min(8, -(-CUTS // CUTS_A_SHOP))
"""So many processes (``pytest -n 8``) can share the work."""

SEED = int(os.environ.get("TAPTILL_SEED", random.SystemRandom().randrange(2**32)))


@dataclass
class Past:
    """What the world knew at one point of a recording."""

    host: str = "0"
    passed_s: float = 0.0
    shown: dict[str, Shown] = field(default_factory=dict)
    voids: set[str] = field(default_factory=set)
    takes: set[str] = field(default_factory=set)
    bills: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def play(self, op: Op) -> None:
        match op.path.split():
            case ["host", number, passed_s]:
                self.host, self.passed_s = number, float(passed_s)
            case ["shown", txn_id, state, approved, amount]:
                seen = self.shown.setdefault(txn_id, Shown(int(amount)))
                seen.said.append((State[state], int(approved)))
            case ["void", txn_id]:
                self.voids.add(txn_id)
            case ["take", txn_id]:
                self.takes.add(txn_id)
            case ["bill", name]:
                self.bills.add(name)
            case ["seen", txn_id]:
                self.seen.add(txn_id)


def recorded(folder: Path, seed: int, *, setting: str = "") -> list[Op]:
    """The recording of one shop's work. ``setting`` is code that runs before it."""
    (folder / "till").mkdir(parents=True)
    return under_the_shim(folder, f"workload.main(folder, {seed}, 1, 14)", setting=setting)


def under_the_shim(folder: Path, call: str, *, setting: str = "") -> list[Op]:
    """The recording of a call in a process of its own."""
    log = folder / "log"
    code = f"{setting}\nimport sys; from pathlib import Path; from tests.powercut import workload\n"
    code += f"folder = Path(sys.argv[1]); {call}"
    environment = {
        **os.environ,
        "LD_PRELOAD": str(built_shim()),
        "SHIM_ROOT": str(folder / "till"),
        "SHIM_LOG": str(log),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "hardware-sim/src"))),
    }
    command = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return read_recording(log)


def cuts_of(
    ops: list[Op], points: list[int], disk: Disk, past: Past
) -> Iterator[tuple[int, Disk, Past]]:
    """The disk and the world at each of these points, which are in order."""
    at = 0
    for point in points:
        while at < point:
            past.play(ops[at]) if ops[at].kind == "M" else disk.play(ops[at])
            at += 1
        yield point, disk, past


def judge_cut(
    folder: Path, scene: Path, files: dict[str, bytes], past: Past, chance: random.Random
) -> None:
    """Opens what a cut has left with the till's own code, and lets the oracle look at the rest."""
    shutil.rmtree(scene, ignore_errors=True)
    till = scene / "till"
    till.mkdir(parents=True)
    for name, content in files.items():
        if not name.endswith("-shm"):
            (till / name).write_bytes(content)
            (till / name).chmod(0o600)
    shutil.copy(folder / f"books-{past.host}", scene / "acquirer.db")
    # A seed that no shop has, so that this till draws other random numbers than the one before.
    plan = Plan(chance.randrange(2**40, 2**41), 0, ())
    world = World(plan, till, power_of(till), clock=VirtualClock(past.passed_s + 60.0))
    world.shown = {
        txn_id: Shown(seen.amount_minor, list(seen.said)) for txn_id, seen in past.shown.items()
    }
    world.cashier.voids, world.cashier.takes = set(past.voids), set(past.takes)
    waiter = world.restaurant.waiter
    waiter.bills, waiter.seen = set(past.bills), set(past.seen)
    if chance.random() < 0.5:
        world.acquirer.restart(forgets=True)
    world.run()


def power_of(till: Path) -> Power:
    return SteadyPower(till)


def findings(
    folder: Path,
    ops: list[Op],
    many: int,
    chance: random.Random,
    disk: Disk | None = None,
    past: Past | None = None,
) -> list[str]:
    """What is not true after each of so many cuts; ``disk`` and ``past`` are as it began."""
    begun = (disk or Disk(), past or Past())
    changes = [number for number, op in enumerate(ops, 1) if op.kind != "M"]
    points = sorted(chance.choices(changes, k=many))
    found = []
    for point, now, known in cuts_of(ops, points, *begun):
        try:
            judge_cut(folder, folder / "scene", now.cut(chance), known, chance)
        except Exception as cause:  # noqa: BLE001 - whatever it is, it is what is looked for
            found.append(f"after {point} of {len(ops)}: {type(cause).__name__}: {cause}")
    return found


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is such a disk: this makes many files and syncs."""
    shared = Path("/dev/shm")
    if not shared.is_dir():
        yield tmp_path
        return
    folder = shared / f"taptill-cuts-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_cut_loses_a_sale_or_sends_one_twice(memory: Path, part: int) -> None:
    cuts = len(range(part, CUTS, PARTS))
    say(f"TAPTILL_SEED={SEED}, part {part}: {cuts} cuts")
    chance = random.Random(f"{SEED}/{part}")
    done = 0
    while done < cuts:
        folder = memory / f"shop-{done}"
        ops = recorded(folder, chance.randrange(2**31))
        assert {"C", "W", "S", "U"} <= {op.kind for op in ops}
        assert sum(op.path.startswith("shown") for op in ops) > 3
        many = min(CUTS_A_SHOP, cuts - done)
        assert findings(folder, ops, many, chance) == []
        shutil.rmtree(folder)
        done += many
        say(f"part {part}: {done} of {cuts} cuts, 0 findings")


def say(text: str) -> None:
    """A random test prints its seed, and a long one how far it has come."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


CARELESS = {
    "synchronous=NORMAL": ("synchronous", ("NORMAL", 1)),
    "synchronous=OFF": ("synchronous", ("OFF", 0)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CARELESS)
def test_the_control_a_careless_setting_loses_sales(memory: Path, name: str) -> None:
    setting = f"from offline_queue import store; store._WRITE_SETTINGS[{CARELESS[name][0]!r}]"
    ops = recorded(memory / "shop", 7, setting=f"{setting} = {CARELESS[name][1]!r}")
    found = findings(memory / "shop", ops, 40, random.Random(7))
    assert any("was shown" in one for one in found), found
