"""The same seed gives the same bytes, whatever door they pass through.

``TAPTILL_SEEDS=1000 pytest tests/book/test_determinism.py`` proves it over a thousand seeds.
"""

from __future__ import annotations

import os
from pathlib import Path

from hardware_sim.scenario import DOORS, read_scenarios
from hardware_sim.workshop import Workshop

SEEDS = int(os.environ.get("TAPTILL_SEEDS", "3"))
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


def test_the_same_seed_gives_the_same_bytes_on_every_door(
    tmp_path: Path, sim_workshop: Workshop
) -> None:
    from hardware_sim.play import play  # noqa: PLC0415 - it opens whatever till is installed

    path = tmp_path / "story.toml"
    path.write_text(STORY)
    [story] = read_scenarios(path)
    seen: set[str] = set()
    for seed in range(SEEDS):
        played = [play(sim_workshop, story, door, seed) for door in DOORS]
        assert [each.failure for each in played] == [""] * len(DOORS), f"seed {seed}"
        dialogues = {each.dialogue for each in played}
        assert len(dialogues) == 1, f"seed {seed}: {dict(zip(DOORS, played, strict=True))}"
        seen |= dialogues
    assert len(seen) == SEEDS, "another seed gives other bytes"
