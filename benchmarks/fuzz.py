"""Plays hostile cards until there were enough: ``python -m benchmarks.fuzz --cards 1000000``.

Every card follows from one number. A card that brings anything but an outcome is printed with its
number, and ``--first NUMBER --cards 1`` plays it again. Numbers that once found something are in
``fuzz_seeds.txt`` and are played first.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.hostile import Seeded, corpus, play

KEPT = Path(__file__).with_name("fuzz_seeds.txt")
SLOW_S = 0.25
MEMORY_GROWTH_MAX_KIB = 20 * 1024
_WARM_UP = 500


@dataclass(slots=True)
class Tally:
    """What so many cards came to."""

    cards: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    unexpected: list[int] = field(default_factory=list)
    slowest_s: float = 0.0
    grown_kib: int = 0

    def add(self, other: Tally) -> None:
        """Takes in what another process counted."""
        self.cards += other.cards
        self.endings += other.endings
        self.unexpected += other.unexpected
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.grown_kib = max(self.grown_kib, other.grown_kib)

    @property
    def good(self) -> bool:
        """Whether nothing unexpected happened, in time and memory."""
        return (
            not self.unexpected
            and self.slowest_s < SLOW_S
            and self.grown_kib < MEMORY_GROWTH_MAX_KIB
        )


def kept() -> list[int]:
    """The numbers that once found something."""
    lines = KEPT.read_text("utf-8").splitlines()
    return [int(line.partition("#")[0]) for line in lines if line.partition("#")[0].strip()]


def run(first: int, count: int) -> Tally:
    """Plays the cards ``first`` to ``first + count - 1``; time is this process's own."""
    tally = Tally()
    corpus()
    before = 0
    for number in range(first, first + count):
        start = time.process_time()
        try:
            outcome = play(Seeded(number))
            tally.endings["limits" if outcome is None else outcome.decision.value] += 1
        except Exception:  # noqa: BLE001 - the whole point: anything else is a fault.
            tally.unexpected.append(number)
            if len(tally.unexpected) == 1:
                traceback.print_exc()
        tally.slowest_s = max(tally.slowest_s, time.process_time() - start)
        tally.cards += 1
        if tally.cards == _WARM_UP:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if before:
        tally.grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return tally


def _share(work: tuple[int, int]) -> Tally:
    return run(*work)


def main(arguments: list[str] | None = None) -> int:
    """The command; exit code 1 when a card found something."""
    parser = argparse.ArgumentParser(description="Play hostile cards against the kernels.")
    parser.add_argument("--cards", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first card's number")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="stop after this time, with what was played")
    options = parser.parse_args(arguments)
    total = Tally()
    for number in kept():
        total.add(run(number, 1))
    step = 2000
    shares = [
        (first, min(step, options.first + options.cards - first))
        for first in range(options.first, options.first + options.cards, step)
    ]
    start = time.monotonic()
    # A process plays many shares, so that memory that leaks from tap to tap is seen.
    with multiprocessing.Pool(options.jobs) as pool:
        for done in pool.imap_unordered(_share, shares):
            total.add(done)
            if options.minutes and time.monotonic() - start > 60 * options.minutes:
                break
            if sys.stderr.isatty():
                print(f"\r{total.cards:,} cards", end="", file=sys.stderr, flush=True)
    took = time.monotonic() - start
    endings = ", ".join(f"{count:,} {name}" for name, count in total.endings.most_common())
    print(f"{total.cards:,} hostile cards in {took:.0f} s: {endings}")
    print(
        f"{len(total.unexpected)} unexpected, slowest {total.slowest_s * 1000:.1f} ms,"
        f" memory grown by {total.grown_kib / 1024:.1f} MiB"
    )
    if total.unexpected:
        print(f"cards: {total.unexpected[:20]}")
    return 0 if total.good else 1


if __name__ == "__main__":
    sys.exit(main())
