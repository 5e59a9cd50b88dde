"""Two hundred shops, each from one seed: no cent astray. And shops with a fault in them: found.

``TAPTILL_WORLDS`` sets how many; ``taptill sim world`` runs as many as you like, on all cores.
"""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

from hardware_sim.cli import sim
from hardware_sim.world.oracle import Untrue
from hardware_sim.world.plan import Deed, Plan, Step, plan_of
from hardware_sim.world.run import Failure, Scale, counted, one
from hardware_sim.world.shop import live
from hardware_sim.world.shrink import shrunk

WORLDS = int(os.environ.get("TAPTILL_WORLDS", "200"))
CHUNKS = 4
SHORT = Scale(days=1, sales=11)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_world_is_a_cent_off(chunk: int) -> None:
    counter, failures = counted(one(seed, SHORT) for seed in range(chunk, WORLDS, CHUNKS))
    print(counter.line())  # noqa: T201 - the figures
    assert failures == []
    assert counter.sales > counter.seeds * 5
    assert counter.charged_minor > 0
    assert counter.power_cuts > counter.seeds / 4


def test_a_seed_is_the_same_world_each_time() -> None:
    plan = plan_of(14, days=2, sales=15)
    assert live(plan) == live(plan)


def test_steps_that_stay_keep_their_details() -> None:
    plan = plan_of(3, days=3, sales=10)
    fewer = Plan(plan.seed, plan.days, plan.steps[::2])
    for step in fewer.steps:
        assert fewer.chance(step).random() == plan.chance(step).random()


def test_a_failing_plan_is_made_as_short_as_it_gets() -> None:
    steps = tuple(Step(number, float(number), Deed.SALE) for number in range(40))
    tried: list[Plan] = []

    def fails(plan: Plan) -> bool:
        tried.append(plan)
        return {7, 31} <= {step.number for step in plan.steps}

    short = shrunk(Plan(1, 1, steps), fails)
    assert [step.number for step in short.steps] == [7, 31]
    assert len(tried) < 150


def test_the_command_counts_and_tells() -> None:
    done = CliRunner().invoke(
        sim, ["world", "--seeds", "2", "--days", "1", "--sales", "4", "--jobs", "1"]
    )
    assert done.exit_code == 0, done.output
    assert "2 worlds, 2 simulated days" in done.output
    assert "0 cents off" in done.output


def test_the_command_fails_with_a_seed_and_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(plan: Plan) -> None:
        if any(step.deed is Deed.CLOSE for step in plan.steps):
            raise Untrue("a planted fault")

    monkeypatch.setattr("hardware_sim.world.run.live", broken)
    done = CliRunner().invoke(
        sim, ["world", "--seed", "5", "--days", "1", "--sales", "4", "--jobs", "1"]
    )
    assert done.exit_code == 1
    assert "seed 5: Untrue: a planted fault" in done.output
    assert done.output.count("the day is closed") == 1
    assert "--keep" in done.output
    assert "1 WORLDS FAILED" in done.output


def test_a_failure_is_a_value_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(plan: Plan) -> None:
        raise Untrue("a planted fault")

    monkeypatch.setattr("hardware_sim.world.run.live", broken)
    result = one(9, SHORT)
    assert isinstance(result, Failure)
    assert (result.seed, result.numbers) == (9, ())
