"""``taptill sim run``: plays scenarios and says which of them failed, and why.

Rules of this file: a person sees a bar while it runs and, of a failure, what was expected, what
was found and the transcript around it; a script gets exit code 1, ``--json`` or a JUnit file.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import click

from hardware_sim.cli_tables import show
from hardware_sim.crew import Task, play_all, tasks_of
from hardware_sim.played import Played
from hardware_sim.scenario import BOOK, DOORS, Scenario, read_scenarios
from terminal.errors import ConfigError

EXIT_FAILED = 1
_LINES_AROUND = 14
_JOBS_A_CORE = 2
"""A scenario waits more than it reckons: for a disk, and for a daemon's next look."""

_SEED_MAX = 2**31 - 1


@click.command("run")
@click.argument(
    "what", nargs=-1, metavar="[FILE|DIR]...", type=click.Path(path_type=Path, exists=True)
)
@click.option(
    "--door",
    "doors",
    multiple=True,
    type=click.Choice(DOORS),
    help="The way from card to till; may be given again. Default: sim.",
)
@click.option("--all-doors", is_flag=True, help="On every door.")
@click.option("--only", default="", metavar="TEXT", help="Those with this in name, group or file.")
@click.option("--seed", type=click.IntRange(0, _SEED_MAX), help="Default: 0. Printed on a failure.")
@click.option("--random-seed", is_flag=True, help="A seed by chance, printed.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Workers. Default: two a core.")
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit file."
)
@click.option("--list", "list_only", is_flag=True, help="Name the scenarios and play none.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def run(  # noqa: PLR0913 - one argument for each option
    *,
    what: Sequence[Path],
    doors: Sequence[str],
    all_doors: bool,
    only: str,
    seed: int | None,
    random_seed: bool,
    jobs: int | None,
    junit: Path | None,
    list_only: bool,
    as_json: bool,
) -> None:
    """Play scenarios on the real till: FILE, DIR, or without one the standard book.

    As in: taptill sim run --door pcsc --only wallet
    """
    scenarios = _chosen(what or (BOOK,), only)
    if list_only:
        _list(scenarios, as_json=as_json)
        return
    chosen = random.SystemRandom().randrange(_SEED_MAX) if random_seed else seed or 0
    tasks = tasks_of(scenarios, DOORS if all_doors else doors or ("sim",), chosen)
    if not tasks:
        raise ConfigError("None of these scenarios can be played on that door.")
    started = time.monotonic()
    results = _play(tasks, jobs or _JOBS_A_CORE * (os.cpu_count() or 1), quiet=as_json)
    seconds = time.monotonic() - started
    if junit is not None:
        _write_junit(junit, results, seconds)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in results], ensure_ascii=False, indent=2))
    else:
        _tell(results, seconds, chosen)
    if any(each.failure for each in results):
        sys.exit(EXIT_FAILED)


def _chosen(what: Sequence[Path], only: str) -> list[Scenario]:
    scenarios = [each for path in what for each in read_scenarios(path)]
    kept = [each for each in scenarios if only in f"{each.name}\n{each.group}\n{each.where}"]
    if not kept:
        raise ConfigError(f"No scenario has {only!r} in its name, group or file.")
    return kept


def _list(scenarios: Sequence[Scenario], *, as_json: bool) -> None:
    rows = [
        {
            "where": each.where,
            "group": each.group,
            "scenario": each.name,
            "doors": ", ".join(each.doors),
        }
        for each in scenarios
    ]
    show(f"{len(rows)} scenarios", rows, as_json=as_json)


def _play(tasks: Sequence[Task], jobs: int, *, quiet: bool) -> list[Played]:
    results = []
    hidden = quiet or not sys.stderr.isatty()
    with click.progressbar(
        length=len(tasks), label="Scenarios", file=sys.stderr, hidden=hidden
    ) as bar:
        for played in play_all(tasks, jobs=jobs):
            results.append(played)
            bar.update(1)
    order = {
        (task.scenario.where, task.scenario.name, task.door): n for n, task in enumerate(tasks)
    }
    return sorted(results, key=lambda each: order[each.where, each.name, each.door])


def _tell(results: Sequence[Played], seconds: float, seed: int) -> None:
    for each in results:
        if each.failure:
            click.echo(failure_text(each))
    for why in sorted({each.skipped for each in results if each.skipped}):
        count = sum(each.skipped == why for each in results)
        click.echo(f"{count} not played: {why}")
    passed, played = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for each in results:
        played[each.group, each.door] += not each.skipped
        passed[each.group, each.door] += each.ok
    doors = [door for door in DOORS if any(each.door == door for each in results)]
    rows = [
        {"group": group}
        | {door: f"{passed[group, door]} of {played[group, door]}" for door in doors}
        for group in dict.fromkeys(each.group for each in results)
    ]
    show("Scenarios", rows, as_json=False)
    failed = sum(bool(each.failure) for each in results)
    total = sum(not each.skipped for each in results)
    click.secho(
        f"\n{total - failed} passed, {failed} failed in {seconds:.1f} s (seed {seed}).",
        bold=True,
        fg="red" if failed else "green",
    )


def failure_text(played: Played) -> str:
    """A failure as a person reads it: what, where, the transcript before it, how to repeat it."""
    before = played.transcript[-_LINES_AROUND:]
    cut = len(played.transcript) - len(before)
    again = f"taptill sim run {played.failed_at.partition(':')[0]} --door {played.door}"
    return "\n".join(
        [
            f"FAILED  {played.name}  [{played.door}]",
            f"  at    {played.failed_at or played.where}",
            *(f"  {line}" for line in played.failure.splitlines()),
            "  what happened before:" + (f" (the last {len(before)} lines)" if cut else ""),
            *(f"  | {line}" for line in before),
            f"  again with: {again} --seed {played.seed} --only {played.name!r}",
            "",
        ]
    )


def _write_junit(path: Path, results: Sequence[Played], seconds: float) -> None:
    suites = Element("testsuites", name="taptill scenarios", time=f"{seconds:.3f}")
    for door in dict.fromkeys(each.door for each in results):
        own = [each for each in results if each.door == door]
        suite = SubElement(
            suites,
            "testsuite",
            name=door,
            tests=str(len(own)),
            failures=str(sum(bool(each.failure) for each in own)),
            skipped=str(sum(bool(each.skipped) for each in own)),
            time=f"{sum(each.seconds for each in own):.3f}",
        )
        for each in own:
            case = SubElement(
                suite,
                "testcase",
                classname=f"{door}.{each.group}",
                name=each.name,
                time=f"{each.seconds:.3f}",
            )
            if each.failure:
                SubElement(case, "failure", message=each.failure).text = failure_text(each)
            if each.skipped:
                SubElement(case, "skipped", message=each.skipped)
    indent(suites)
    try:
        ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as cause:
        raise ConfigError(f"The JUnit file {path} cannot be written ({cause.strerror}).") from cause
