"""The scenario language: what is read, and what is refused with file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware_sim.expectations import EXPECTATIONS
from hardware_sim.scenario import BOOK, DOORS, VERBS, read_scenarios
from hardware_sim.steps import DOERS
from terminal.errors import ConfigError

GOOD = """\
group = "examples"
till.shop.language = "es"

[[scenario]]
name = "an ending of .{ending}"
doors = ["sim", "pn532"]
each = [{ ending = "05" }, { ending = "51" }]
till.offline.per_sale = "10.00"
steps = [
    { charge = "12.{ending}" },
    { tap = "visa-credit", fault = "tear_after=2", seed = 4 },
    "cancel",
]
"""


def _read(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "x.toml"
    path.write_text(text)
    return [each.name for each in read_scenarios(path)]


def test_a_scenario_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(GOOD)
    first, second = read_scenarios(path)
    assert (first.name, second.name) == ("an ending of .05", "an ending of .51")
    assert first.doors == ("sim", "pn532")
    assert first.till == {"shop": {"language": "es"}, "offline": {"per_sale": "10.00"}}
    assert [str(step) for step in first.steps] == [
        "charge 12.05",
        "tap visa-credit fault=tear_after=2 seed=4",
        "cancel",
    ]
    assert [str(step.place) for step in first.steps] == ["10:5", "11:5", "12:5"]


def _steps(text: str) -> str:
    return f'[[scenario]]\nname = "x"\nsteps = [\n    {text},\n]\n'


WRONG = {
    "no TOML": ("a = \n", "x.toml:1:5: Invalid value."),
    "no scenario": ('group = "x"\n', "x.toml:1:1: a file has [[scenario]] tables."),
    "unknown key": ('grup = "x"\n[[scenario]]\n', "x.toml:1:1: 'grup' is no key here."),
    "no name": ('[[scenario]]\nsteps = ["cancel"]\n', "x.toml:1:1: a scenario needs 'name'."),
    "no steps": ('[[scenario]]\nname = "x"\nsteps = []\n', "x.toml:3:1: steps: expected a list"),
    "unknown step": (_steps('{ tab = "x" }'), "x.toml:4:7: 'tab' is no step."),
    "unknown option": (
        _steps('{ tap = "visa-credit", falt = "x" }'),
        "x.toml:4:28: 'falt' is no option of tap.",
    ),
    "a float for money": (_steps("{ charge = 12.50 }"), "x.toml:4:7: charge: expected a text."),
    "a wrong word": (_steps('{ network = "of" }'), "x.toml:4:7: network: expected one of on|off"),
    "a value too many": (_steps('{ cancel = "x" }'), "x.toml:4:7: cancel takes no value."),
    "no number": (_steps('{ receipts = "1" }'), "x.toml:4:7: receipts: expected a whole number."),
    "unknown card": (_steps('{ tap = "visa" }'), "x.toml:4:7: there is no simulated card 'visa'."),
    "unknown fault": (
        _steps('{ tap = "visa-credit", fault = "tear=2" }'),
        "x.toml:4:28: 'tear=2' is no fault of a card.",
    ),
    "unknown column": (_steps('{ charge = "{x}" }'), "x.toml:4:7: {x} is no column of 'each'."),
    "unknown door": (
        '[[scenario]]\nname = "x"\ndoors = ["usb"]\nsteps = ["cancel"]\n',
        "x.toml:3:1: doors: expected some of sim, pcsc, pn532.",
    ),
    "uneven rows": (
        '[[scenario]]\nname = "{a}"\neach = [{ a = "1" }, { b = "2" }]\nsteps = ["cancel"]\n',
        "x.toml:3:22: each row of 'each' has the same keys.",
    ),
    "the same name twice": (
        '[[scenario]]\nname = "x"\nsteps = ["done"]\n[[scenario]]\nname = "x"\nsteps = ["done"]\n',
        "x.toml:5:1: the name 'x' is taken, at 1:1.",
    ),
    "a wrong card table": (
        _steps('{ card = { colour = "red" } }'),
        "x.toml:4:16: 'colour' is no key here.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, case: str) -> None:
    text, expected = WRONG[case]
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text)
    assert expected in caught.value.message


def test_each_verb_is_done_or_expected() -> None:
    assert set(VERBS) == set(DOERS) | set(EXPECTATIONS)
    assert not set(DOERS) & set(EXPECTATIONS)


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read"):
        read_scenarios(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="holds no scenario"):
        read_scenarios(tmp_path)


def test_the_book_is_read_and_each_of_its_scenarios_has_a_door() -> None:
    scenarios = read_scenarios(BOOK)
    assert all(set(each.doors) <= set(DOORS) for each in scenarios)
