"""``taptill sim conformance``: third-party cases against the product, as lines, JSON or a page."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from hardware_sim.conformance.case import Verdict
from hardware_sim.conformance.page import page
from hardware_sim.conformance.runner import Result, run, summary
from terminal.errors import ConfigError

EXIT_FAILED = 1
_MARKS = {Verdict.PASS: "pass", Verdict.FAIL: "FAIL", Verdict.NOT_RUN: "not run"}
_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.NOT_RUN: "yellow"}
_PIPE_COLUMNS = 200


@click.command(short_help="Run third-party case files against the kernels and codecs.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), help="Write a page."
)
@click.option("--only", default="", help="Only the formats whose name has this text.")
@click.option("--quiet", is_flag=True, help="Leave out the cases that pass.")
def conformance(
    *, folder: Path, as_json: bool, html_file: Path | None, only: str, quiet: bool
) -> None:
    """Run every case file under FOLDER, whatever its name, and say how each case ends.

    A format is recognised by what is in a file. "not run" comes with its reason. The exit code
    is 1 when a case fails.
    """
    width = shutil.get_terminal_size((_PIPE_COLUMNS, 24)).columns

    def show(result: Result) -> None:
        if not as_json and not (quiet and result.verdict is Verdict.PASS):
            _show(result, width)

    results = run(folder, only=only, watch=show)
    counts = summary(results)
    if html_file is not None:
        _write(html_file, page(results))
    if as_json:
        click.echo(_as_json(results))
    else:
        numbers = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)
        click.secho(f"{len(results)} cases: {numbers}", bold=True)
    sys.exit(EXIT_FAILED if counts[Verdict.FAIL] else 0)


def _show(result: Result, width: int) -> None:
    mark = click.style(f"{_MARKS[result.verdict]:7}", fg=_COLOURS[result.verdict])
    said = f" [{result.remark}]" if result.remark else ""
    text = f"{result.format}: {result.case}: {result.proves}{said}"
    if result.verdict is Verdict.PASS:
        text = text[: max(width - 8, 40)]
    else:
        text += f" ({result.file})"
    click.echo(f"{mark} {text}")


def _as_json(results: Sequence[Result]) -> str:
    rows = [{**asdict(each), "verdict": each.verdict.value} for each in results]
    counts = {verdict.value: count for verdict, count in summary(results).items()}
    return json.dumps({"summary": counts, "cases": rows}, ensure_ascii=False, indent=2)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as cause:
        raise ConfigError(
            f"The page {path} cannot be written ({cause.strerror}).", remedy="Name another file."
        ) from cause
