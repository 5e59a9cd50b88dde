"""The README tells of every card, every option and nothing else, and its example works."""

from __future__ import annotations

import re
from pathlib import Path

from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.reader import OPTIONS
from hardware_sim.scenario import VERBS, read_scenarios

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")


def listed(title: str) -> list[str]:
    """The names in the first column of the table under a heading row."""
    table = README.partition(f"| {title} |")[2].partition("\n\n")[0]
    first_columns = [line.split("|")[1] for line in table.splitlines()[2:]]
    return re.findall(r"`([a-z0-9_-]+)`", " ".join(first_columns))


def example_under(heading: str) -> str:
    """The first TOML example under a heading."""
    return README.partition(heading)[2].partition("```toml\n")[2].partition("```")[0]


def test_every_card_is_told_of() -> None:
    assert sorted(listed("card")) == sorted(card_ids())


def test_every_option_is_told_of() -> None:
    assert sorted(listed("card option")) == sorted(OPTIONS)


def test_the_example_of_a_card_works(tmp_path: Path) -> None:
    example = example_under("### A card of your own")
    path = tmp_path / "my-card.toml"
    path.write_text(example, "utf-8")
    profile = load_profile(str(path))
    assert profile.card.title == "Staff card"
    assert profile.behaviour.decision == "decline"


def test_every_step_is_told_of() -> None:
    assert sorted(listed("step")) == sorted(VERBS)


def test_the_example_of_scenarios_is_read(tmp_path: Path) -> None:
    path = tmp_path / "offline.toml"
    path.write_text(example_under("## Scenarios"), "utf-8")
    assert [len(each.steps) for each in read_scenarios(path)] == [11, 11]
