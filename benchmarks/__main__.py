"""Runs the benchmarks: all of them, or those that are named."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator, Mapping

from benchmarks.drain import drain
from benchmarks.face import face
from benchmarks.figures import Figure
from benchmarks.past import start_with_the_past
from benchmarks.queues import queue_peers
from benchmarks.simulator import book, simulator
from benchmarks.taps import kernels, own_time, through_pcscd
from benchmarks.tlv import tlv

BENCHMARKS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "kernels": kernels,
    "own-time": own_time,
    "pcscd": through_pcscd,
    "ledger": queue_peers,
    "tlv": tlv,
    "face": face,
    "simulator": simulator,
}

LONG: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "past": start_with_the_past,
    "drain": drain,
    "book": book,
}
"""Those that take minutes: they run when they are named."""


def main(names: list[str]) -> None:
    """Prints the figures of each benchmark beside their targets. A missed target is no failure."""
    known = {**BENCHMARKS, **LONG}
    if unknown := set(names) - known.keys():
        sys.exit(f"There is no benchmark {min(unknown)!r}. There are: {', '.join(known)}.")
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}")
    for name in names or BENCHMARKS:
        benchmark = known[name]
        summary = (benchmark.__doc__ or name).splitlines()[0]
        print(f"\n{name}: {summary}", flush=True)
        for figure in benchmark():
            print(figure, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
