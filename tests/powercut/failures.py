"""A shop whose disk fails at one call: ``python -m tests.powercut.failures``.

Run under the shim, with KIND HOW TIMES START STEP SEED. For each N from START on, in steps of STEP,
a new shop works while the Nth call of its kind (and TIMES - 1 after it) fails, until N is more than
a shop makes. What is not true of a shop is printed, one JSON object for each, and a last line says
how many shops there were.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import sys
import tempfile
from pathlib import Path

from hardware_sim.world.plan import Deed, Plan, plan_of
from hardware_sim.world.shop import World
from tests.powercut.workload import ENDLESS, SteadyPower

KINDS = ("write", "sync", "open", "truncate")
HOWS = ("no space", "input/output error", "short", "interrupted")
SHOPS = {
    4: {Deed.SALE, Deed.TAKE, Deed.CASH, Deed.NEW_NAMES, Deed.CLOSE},
    217: {Deed.SALE, Deed.VOID, Deed.BILL, Deed.PART, Deed.TRANSFER, Deed.DRAWER, Deed.CARRY},
}
"""The seeds of two shops, and what their day has in it among other things."""


def plan(seed: int) -> Plan:
    """A short day: sales, some of them stored, what ``SHOPS`` says, and the day's end."""
    drawn = plan_of(seed, days=1, sales=8)
    steps = tuple(step for step in drawn.steps if step.deed not in ENDLESS)
    assert SHOPS[seed] <= {step.deed for step in steps}
    return Plan(drawn.seed, drawn.days, steps)


def say(answer: dict[str, object]) -> None:
    """One line of the answer."""
    sys.stdout.write(json.dumps(answer) + "\n")


def main(kind: str, how: str, times: int, start: int, step: int, seed: int) -> None:
    """Lives one world for each call that fails."""
    shim = ctypes.CDLL(None)
    shim.shim_count.restype = ctypes.c_long
    arm = shim.shim_arm
    arm.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]
    number, shops = start, 0
    while True:
        root = Path(tempfile.mkdtemp(prefix="taptill-failures-"))
        till = root / "till"
        till.mkdir()
        shim.shim_root(str(till).encode())
        arm(KINDS.index(kind), HOWS.index(how), number, times)
        try:
            World(plan(seed), till, SteadyPower(till)).run()
        except Exception as cause:  # noqa: BLE001 - whatever it is, it is what is looked for
            say({"call": number, "finding": f"{type(cause).__name__}: {cause}"})
        finally:
            made = shim.shim_count(KINDS.index(kind))
            arm(-1, 0, 0, 0)
            shutil.rmtree(root)
        shops += 1
        if made < number:
            break
        number += step
    say({"shops": shops, "calls": made})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7]))
