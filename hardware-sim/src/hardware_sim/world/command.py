"""``taptill sim world``: many simulated shops, and whether a cent went astray in any of them.

Rules of this file: the worlds are imported when they are run, so that a list of commands does
not wait for them.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hardware_sim.world.run import Failure

_TELL_EVERY_S = 5.0
_TELL_AT_MOST = 5


def _numbers(_: click.Context, __: click.Parameter, text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise click.BadParameter("give numbers with commas between them, like 3,7,12.") from None


@click.command()
@click.option("--seeds", default=100, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--first", default=0, show_default=True, type=click.IntRange(0), help="First seed.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1), help="In each.")
@click.option("--sales", default=20, show_default=True, type=click.IntRange(1), help="Per day.")
@click.option("--jobs", default=0, type=click.IntRange(0), help="Processes. 0: one for each core.")
@click.option("--seed", default=None, type=click.IntRange(0), help="Only this one.")
@click.option("--keep", default="", callback=_numbers, metavar="N,N", help="Only these steps.")
def world(
    *, seeds: int, first: int, days: int, sales: int, jobs: int, seed: int | None, keep: tuple[int]
) -> None:
    """Simulate shops in virtual time, and prove their books.

    Each seed is a shop with its customers, network, host, power cuts and a real ledger file.
    A failure prints its seed and the shortest list of steps that was found for it.
    """
    from hardware_sim.world.run import Counter, Failure, Scale, many  # noqa: PLC0415 - see above

    chosen = range(first, first + seeds) if seed is None else range(seed, seed + 1)
    workers = min(jobs or os.cpu_count() or 1, len(chosen))
    counter, told_at = Counter(), time.monotonic()
    for result in many(chosen, Scale(days=days, sales=sales, keep=keep), jobs=workers):
        counter.add(result)
        if isinstance(result, Failure) and counter.failures <= _TELL_AT_MOST:
            click.echo(_told(result, days, sales), err=True)
        if time.monotonic() - told_at > _TELL_EVERY_S:
            told_at = time.monotonic()
            click.echo(counter.line(), err=True)
    click.echo(counter.line())
    if counter.failures:
        sys.exit(1)


def _told(failure: Failure, days: int, sales: int) -> str:
    kept = ",".join(map(str, failure.numbers))
    size = f"--days {days} --sales {sales}"
    return "\n".join(
        [
            f"seed {failure.seed}: {failure.finding}",
            *(f"    {step}" for step in failure.steps),
            f"  these steps alone: {failure.short_finding}",
            f"  again: taptill sim world --seed {failure.seed} {size} --keep {kept}",
        ]
    )
