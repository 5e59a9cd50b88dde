"""The mutation score of kernels and authentication: ``python -m benchmarks.mutants MODULE...``.

Each mutant changes one operator, constant, condition, result or statement of one function and is
run against those tests of ``tests/terminal/emv`` that execute the changed statement, in a fork of
a process that has collected them (``mutant_tests.py``); the first failure ends it. Survivors are
printed with their line; those that no test can notice are explained in ``docs/mutants.md`` and
listed there by a name that does not depend on line numbers.

``mutmut`` copies the project and wants one source folder with one folder of tests; this works in
place.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.mutant_tests import survivors
from benchmarks.mutation import ROOT, Mutant, mutants

EXPLAINED = ROOT / "docs" / "mutants.md"
TARGET = 0.90
MODULES = (
    *(
        f"terminal/emv/{name}.py"
        for name in ("tlv", "dol", "oda", "restrictions", "risk_management", "risk_dialogue")
    ),
    *(f"terminal/emv/{name}.py" for name in ("preprocessing", "selection", "entry_point")),
    *sorted(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "terminal" / "emv" / "kernels").glob("[!_]*.py")
    ),
)
"""What the score is taken of when no module is named."""


def explained(text: str) -> re.Pattern[str]:
    """What ``docs/mutants.md`` explains, by module and name; ``*`` stands for anything."""
    entries = re.findall(r"^- `(.+?)`", text, re.MULTILINE)
    each = [".*".join(re.escape(part) for part in entry.split("*")) for entry in entries]
    return re.compile("|".join(each) or r"(?!)")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit code 1 below 90 % or with a survivor that nobody explains."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("modules", nargs="*", default=list(MODULES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="only each n-th mutant")
    parser.add_argument("--tests", type=int, default=400, help="at most so many tests a mutant")
    parser.add_argument("--function", default="", help="only functions whose name has this text")
    parser.add_argument("--again", type=Path, help="only the survivors of an earlier output")
    options = parser.parse_args(arguments)
    earlier = options.again.read_text("utf-8") if options.again else ""
    again = set(re.findall(r"^  SURVIVES ([^:]+):\d+ (.+)$", earlier, re.MULTILINE))
    known = explained(EXPLAINED.read_text("utf-8"))
    began = time.monotonic()
    chosen = [
        mutant
        for module in options.modules
        for mutant in mutants(module)[:: options.every]
        if options.function in ".".join(mutant.path)
        and (not options.again or (mutant.module, mutant.name) in again)
    ]
    print(f"{len(chosen)} mutants", flush=True)
    screen = sys.stdout

    def show(mutant: Mutant) -> None:
        mark = "explained" if known.fullmatch(mutant.explained_as) else "SURVIVES"
        print(f"  {mark} {mutant.module}:{mutant.line} {mutant.name}", file=screen, flush=True)

    alive = survivors(chosen, options.jobs, options.tests, show)
    good = True
    for module in options.modules:
        mine = [each for each in chosen if each.module == module]
        left = [each for each in alive if each.module == module]
        score = 1 - len(left) / max(1, len(mine))
        unknown = [each for each in left if not known.fullmatch(each.explained_as)]
        good = good and score >= TARGET and not unknown
        print(
            f"{module}: {len(mine)} mutants, {score:.1%} killed, {len(left) - len(unknown)} "
            f"explained, {len(unknown)} not"
        )
    killed = 1 - len(alive) / max(1, len(chosen))
    print(f"all: {len(chosen)} mutants, {killed:.1%} killed, {time.monotonic() - began:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
