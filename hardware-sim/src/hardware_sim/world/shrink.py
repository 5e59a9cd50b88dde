"""Makes the plan of a failing world short, so that a person can read what went wrong.

Rules of this file: a step is taken away only if the world still fails without it, whatever the
new finding is; nothing is changed about the steps that stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hardware_sim.world.plan import Plan, Step


def shrunk(plan: Plan, fails: Callable[[Plan], bool], *, tries: int = 300) -> Plan:
    """A shorter plan that fails too: halves are tried first, single steps last."""
    steps = plan.steps
    size = max(1, len(steps) // 2)
    while size and tries > 0:
        start = 0
        while start < len(steps) and tries > 0:
            fewer: tuple[Step, ...] = steps[:start] + steps[start + size :]
            tries -= 1
            if fails(replace(plan, steps=fewer)):
                steps = fewer
            else:
                start += size
        size //= 2
    return replace(plan, steps=steps)
