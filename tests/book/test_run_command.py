"""``taptill sim run`` as a person and as a CI job meet it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest
from click.testing import CliRunner, Result

from hardware_sim.cli import sim

GOOD = """
[[scenario]]
name = "good"
steps = [{ charge = "12.50" }, { tap = "visa-credit" }, { expect = "approved" }]
"""
BAD = """
[[scenario]]
name = "bad"
steps = [
    { charge = "12.51" },
    { tap = "visa-credit" },
    { expect = "approved" },
]
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(sim, ["run", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(BAD)
    return tmp_path


def test_a_failure_says_what_was_expected_what_was_found_and_how_to_repeat_it(
    folder: Path,
) -> None:
    report = folder / "out.xml"
    result = run(folder, "--seed", "7", "--junit", report)
    assert result.exit_code == 1
    for words in (
        "FAILED  bad  [sim]",
        f"{folder}/b.toml:7:5: expect approved",
        "expected the screen 'approved'; found 'declined': Card declined",
        "5 charge 12.51",
        "card: GET PROCESSING OPTIONS: 9000 ok",
        "screen: Card declined",
        "--door sim --seed 7 --only 'bad'",
        "1 passed, 1 failed",
        "(seed 7)",
    ):
        assert words in result.output
    assert "4761739001010010" not in result.output
    suites = parse(report).getroot()
    assert [suite.attrib["failures"] for suite in suites] == ["1"]
    cases = {case.attrib["name"]: case for case in suites.iter("testcase")}
    assert cases["good"].find("failure") is None
    told = cases["bad"].find("failure")
    assert told is not None
    assert told.text is not None
    assert "expected the screen" in told.text


def test_scripts_get_json(folder: Path) -> None:
    result = run(folder / "a.toml", "--json")
    assert result.exit_code == 0
    [played] = json.loads(result.output)
    assert (played["name"], played["door"], played["failure"]) == ("good", "sim", "")
    assert any("Approved" in line for line in played["transcript"])


def test_scenarios_are_listed_and_chosen(folder: Path) -> None:
    listed = run(folder, "--list", "--only", "bad").output
    assert "b.toml:2" in listed
    assert "a.toml" not in listed
    nothing = run(folder, "--only", "nothing such")
    assert nothing.exit_code == 1
    assert "No scenario has 'nothing such'" in nothing.output


def test_a_mistake_in_a_file_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[[scenario]]\nname = "x"\nsteps = [{ tap = "gold" }]\n')
    result = run(path)
    assert result.exit_code == 1
    assert f"{path}:3:12: there is no simulated card 'gold'." in result.output
