"""The line falls at once and rises after several good answers: each row is a story."""

from __future__ import annotations

import pytest

from terminal.line import Answered, Connectivity, Failed, Line, LineRules, Signal

GOOD = Answered(0.1)
SLOW = Answered(2.5)
ILL = Answered(0.1, trouble="The host has a fault.")
LOST = Failed("no route")
RULES = LineRules(slow_s=2.0, degrade=3, recover=3, rise=2)
ON, WEAK, OFF = Line.ONLINE, Line.DEGRADED, Line.OFFLINE

STORIES: dict[str, tuple[list[Signal], list[Line]]] = {
    "the first answer": ([GOOD], [ON]),
    "no answer at first": ([LOST], [OFF]),
    "it falls at once": ([GOOD, LOST], [ON, OFF]),
    "it rises after two": ([LOST, GOOD, GOOD], [OFF, OFF, ON]),
    "a flapping network stays offline": (
        [LOST, GOOD, LOST, GOOD, LOST, GOOD, LOST],
        [OFF, OFF, OFF, OFF, OFF, OFF, OFF],
    ),
    "one slow answer is nothing": ([GOOD, SLOW, GOOD, SLOW, GOOD], [ON, ON, ON, ON, ON]),
    "three slow ones are": ([GOOD, SLOW, SLOW, SLOW], [ON, ON, ON, WEAK]),
    "trouble of the host counts with slowness": ([GOOD, ILL, SLOW, ILL], [ON, ON, ON, WEAK]),
    "it recovers after three": (
        [GOOD, ILL, ILL, ILL, GOOD, GOOD, ILL, GOOD, GOOD, GOOD],
        [ON, ON, ON, WEAK, WEAK, WEAK, WEAK, WEAK, WEAK, ON],
    ),
    "degraded falls too": ([GOOD, ILL, ILL, ILL, LOST], [ON, ON, ON, WEAK, OFF]),
    "back and still slow": ([LOST, SLOW, SLOW], [OFF, OFF, WEAK]),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_story(story: str) -> None:
    signals, lines = STORIES[story]
    seen, line = [], Connectivity()
    for signal in signals:
        line = line.after(signal, RULES)
        seen.append(line.line)
        assert line.usable is (line.line is not OFF)
    assert seen == lines


def test_a_line_says_why() -> None:
    assert Connectivity().after(LOST, RULES).reason == "no route"
    line = Connectivity().after(GOOD, RULES)
    for _ in range(3):
        line = line.after(SLOW, RULES)
    assert line.reason == "The acquirer takes 2.5 s to answer."
    for _ in range(3):
        line = line.after(GOOD, RULES)
    assert line.reason == ""


def test_before_the_first_measurement_the_host_is_asked() -> None:
    assert Connectivity().usable


@pytest.mark.parametrize("wrong", [{"rise": 0}, {"degrade": 0}, {"recover": 0}, {"slow_s": 0.0}])
def test_rules_that_cannot_be(wrong: dict[str, int]) -> None:
    with pytest.raises(AssertionError):
        LineRules(**wrong)
