"""The standard scenario book, on every door: the real till, real TLS, the real reader drivers."""

from __future__ import annotations

import os

import pytest

from hardware_sim.cli_run import failure_text
from hardware_sim.crew import play_all, tasks_of
from hardware_sim.scenario import BOOK, DOORS, read_scenarios

JOBS = 2
"""Workers for each door. Most of the time is waiting, for a disk and for a daemon's next look."""


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_the_book(door: str) -> None:
    tasks = tasks_of(read_scenarios(BOOK), [door], seed=0)
    results = list(play_all(tasks, jobs=JOBS))
    assert len(results) == len(tasks)
    skipped = {each.skipped for each in results if each.skipped}
    if skipped and not os.environ.get("CI"):
        pytest.skip("; ".join(skipped))
    failed = [failure_text(each) for each in results if not each.ok]
    assert not failed, "\n".join(failed)
