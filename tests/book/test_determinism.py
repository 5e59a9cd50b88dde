"""The same seed gives the same bytes, whatever door they pass through.

``TAPTILL_SEEDS=1000 pytest tests/book/test_determinism.py`` proves it over a thousand seeds.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from hardware_sim.crew import Task, play_all
from hardware_sim.played import Played
from hardware_sim.scenario import DOORS, read_scenarios
from hardware_sim.workshop import Workshop

SEEDS = int(os.environ.get("TAPTILL_SEEDS", "3"))
IN_THIS_PROCESS = 30
"""From so many scenarios on it is worth starting workers."""

JOBS = 12
"""A scenario mostly waits: for a disk, and for a daemon's next look."""

STORY = """
[[scenario]]
name = "a tear, a phone, two cards"
steps = [
    { charge = "62.50" },
    { tap = "mastercard-credit", fault = "tear_after=5" },
    { expect = "present again" },
    { tap = "mastercard-credit" },
    { expect = "approved" },
    { charge = "12.50" },
    { tap = "visa-phone" },
    { expect = "see phone" },
    { tap = "visa-phone" },
    { expect = "approved" },
]
"""


def played_of(workshop: Workshop, tasks: Sequence[Task]) -> Iterator[Played]:
    """Each task as it was played: a few in this process, many by a crew."""
    if len(tasks) > IN_THIS_PROCESS:
        yield from play_all(tasks, jobs=JOBS)
        return
    from hardware_sim.play import play  # noqa: PLC0415 - it opens whatever till is installed

    for task in tasks:
        yield play(workshop, task.scenario, task.door, task.seed)


def test_the_same_seed_gives_the_same_bytes_on_every_door(
    tmp_path: Path, sim_workshop: Workshop
) -> None:
    path = tmp_path / "story.toml"
    path.write_text(STORY)
    [story] = read_scenarios(path)
    tasks = [Task(story, door, seed) for seed in range(SEEDS) for door in DOORS]
    dialogues: defaultdict[int, set[str]] = defaultdict(set)
    for each in played_of(sim_workshop, tasks):
        assert each.ok, f"seed {each.seed} on {each.door}: {each.failure or each.skipped}"
        dialogues[each.seed].add(each.dialogue)
    differing = [seed for seed, seen in dialogues.items() if len(seen) > 1]
    assert not differing, f"the doors differ with these seeds: {differing}"
    assert len(set[str]().union(*dialogues.values())) == SEEDS, "another seed gives other bytes"
