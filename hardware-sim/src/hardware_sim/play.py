"""Plays one scenario on one door and says what came of it.

Rules of this file: after the last step the house rules are checked, whatever the scenario is
about. Nothing that the till does is raised: it is a failure with a text.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hardware_sim.expectations import EXPECTATIONS
from hardware_sim.house_rules import check_house_rules
from hardware_sim.played import Played
from hardware_sim.scenario import Scenario, Step
from hardware_sim.scene import Scene, Unmet
from hardware_sim.small_disk import NoSmallDisk
from hardware_sim.stage import Stage
from hardware_sim.steps import DOERS
from hardware_sim.virtual_clock import ScriptClock, ScriptEntropy
from hardware_sim.workshop import Workshop
from terminal.errors import TerminalError
from terminal.scripted import TillOrder

_HOW = {**DOERS, **EXPECTATIONS}


def play(workshop: Workshop, scenario: Scenario, door: str, seed: int = 0) -> Played:
    """Plays one scenario. Never raises for what the till does: that is a failure with a text.

    Raises:
        ConfigError: the door cannot be had here.
    """
    started = time.monotonic()
    number = workshop.next_number()
    stage = workshop.stage(door)
    scene = set_up(workshop, scenario, stage, seed=seed, number=number)
    failure, at = "", ""
    step = Step("start")
    try:
        scene.open_till()
        for step in scenario.steps:
            scene.note(f"{step.place.line:>5} {step}")
            _HOW[step.verb](scene, step)
        step = Step("house rules")
        scene.take()
        check_house_rules(scene)
    except NoSmallDisk:
        raise
    except Unmet as unmet:
        failure, at = str(unmet), f"{scenario.file}:{step.place}: {step}"
    except (TerminalError, AssertionError) as failed:
        failure, at = f"{type(failed).__name__}: {failed}", f"{scenario.file}:{step.place}: {step}"
    finally:
        clear_away(scene)
    return Played(
        name=scenario.name,
        group=scenario.group,
        where=scenario.where,
        door=door,
        seed=seed,
        seconds=time.monotonic() - started,
        transcript=tuple(scene.transcript),
        failure=failure,
        failed_at=at,
        dialogue=scene.dialogue.hexdigest(),
    )


def set_up(
    workshop: Workshop, scenario: Scenario, stage: Stage, *, seed: int, number: int
) -> Scene:
    """A scene for a scenario; its till is not opened yet."""
    folder = workshop.folder / f"till-{number}"
    terminal_id = f"S{number:07d}"
    tables = {name: dict(table) for name, table in scenario.till.items()}
    tables.setdefault("till", {})["terminal_id"] = terminal_id
    clock = ScriptClock()
    order = TillOrder(
        data_dir=folder,
        config=to_toml(tables),
        reader=stage.url,
        acquirer=f"sim:?dir={workshop.acquirer.folder}",
        printer=f"sim:?dir={folder.with_suffix('.receipts')}",
        clock=clock,
        entropy=ScriptEntropy(seed),
        authorise_s=scenario.authorise_s,
        present_s=scenario.present_s,
    )
    return Scene(workshop, scenario, stage, seed, order, clock, terminal_id)


def to_toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables of texts, numbers, switches and lists of texts, as TOML."""
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {_toml_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{text}"'
        case list() | tuple():
            return f"[{', '.join(map(_toml_value, value))}]"
        case _:
            return str(value)


def clear_away(scene: Scene) -> None:
    """Ends the till, and leaves stage and acquirer as they were."""
    with suppress(AssertionError, TerminalError):
        if scene.till is not None:
            scene.till.close()
    scene.stage.take()
    scene.workshop.steady()
    for folder in (scene.order.data_dir, scene.receipts):
        shutil.rmtree(folder, ignore_errors=True)
