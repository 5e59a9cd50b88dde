"""The mutation score of kernels and authentication: ``python -m benchmarks.mutants MODULE...``.

A small mutation tester for this layout (``mutmut`` copies the project and wants one test folder).
Each mutant changes one operator, constant, condition or return of one function and is run against
the tests of its module, fastest first, in a process of its own. Survivors are printed with their
line; those that no test can notice are explained in ``docs/mutants.md`` and listed there by a name
that does not depend on line numbers.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import inspect
import os
import re
import signal
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.mutant_tests import TESTS

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "docs" / "mutants.md"
TIMEOUT_S = 60
TARGET = 0.90

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed program: where, what was changed, and its text."""

    module: str
    line: int
    function: str
    what: str
    path: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """A name that stays when lines move: function and change."""
        return f"{self.function}: {self.what}"


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:  # noqa: C901, PLR0912 - a table of node kinds.
    """Every way to change this one node, as what it says and the new node."""
    before = ast.unparse(node) if isinstance(node, ast.expr | ast.stmt) else ""
    made: list[ast.AST] = []
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARE:
            made.append(_with(node, ops=[_COMPARE[type(op)]()]))
        case ast.Compare(ops=ops) if len(ops) > 1:
            for at, op in enumerate(ops):
                if type(op) in _COMPARE:
                    changed = [*ops[:at], _COMPARE[type(op)](), *ops[at + 1 :]]
                    made.append(_with(node, ops=changed))
        case ast.BinOp(op=op) if type(op) in _BINARY:
            made.append(_with(node, op=_BINARY[type(op)]()))
        case ast.BoolOp(op=op):
            made.append(_with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And()))
            made += [
                _with(node, values=[v for v in node.values if v is not each])
                for each in node.values
            ]
        case ast.UnaryOp(op=ast.Not()):
            made.append(node.operand)
        case ast.Constant(value=bool(value)):
            made.append(ast.Constant(not value))
        case ast.Constant(value=int(value)):
            made.append(ast.Constant(value + 1))
        case ast.Constant(value=bytes(value)):
            made.append(ast.Constant(value + b"\x01"))
        case ast.If(test=test):
            made += [_with(node, test=ast.Constant(True)), _with(node, test=ast.Constant(False))]
            del test
        case ast.IfExp():
            made += [node.body, node.orelse]
        case ast.Continue():
            made.append(ast.Break())
        case ast.Raise():
            made.append(ast.Pass())
    for new in made:
        after = ast.unparse(new) if isinstance(new, ast.expr) else type(new).__name__
        if isinstance(new, ast.If):
            after = f"if {ast.unparse(new.test)}"
            before = f"if {ast.unparse(node.test)}" if isinstance(node, ast.If) else before
        yield f"{_short(before)} -> {_short(after)}", new


def _short(text: str) -> str:
    return re.sub(r"\s+", " ", text)[:90]


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Replaces the one node and leaves everything else."""
        if node is self._old:
            return ast.copy_location(self._new, node)
        return super().generic_visit(node)

    visit = generic_visit


def mutants(module: str) -> list[Mutant]:
    """Every mutant of a module's functions; messages, docstrings and annotations are left."""
    source = (ROOT / module).read_text("utf-8")
    tree = ast.parse(source)
    found = []
    for path, function in _functions(tree, ()):
        for node in _inside(function):
            for what, new in _changes(node):
                changed = copy.deepcopy(tree)
                target = _same_place(changed, tree, node)
                mutated = ast.fix_missing_locations(_Replace(target, new).visit(changed))
                line = getattr(node, "lineno", function.lineno)
                found.append(Mutant(module, line, ".".join(path), what, path, ast.unparse(mutated)))
    unique = {each.text: each for each in found}
    return list(unique.values())


def _functions(
    node: ast.Module | ast.ClassDef, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], ast.FunctionDef]]:
    """Functions and methods with their path of names; what runs at import is left."""
    for each in node.body:
        if isinstance(each, ast.ClassDef):
            yield from _functions(each, (*path, each.name))
        elif isinstance(each, ast.FunctionDef) and each.name not in {"__repr__", "__reduce_ex__"}:
            yield (*path, each.name), each


def _same_place(copied: ast.Module, original: ast.Module, node: ast.AST) -> ast.AST:
    for one, other in zip(ast.walk(original), ast.walk(copied), strict=True):
        if one is node:
            return other
    raise AssertionError("the node is in the tree")


def _inside(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function's own body that can matter: no messages, no nested functions."""
    queue: list[ast.AST] = list(function.body)
    while queue:
        node = queue.pop()
        if isinstance(node, ast.FunctionDef | ast.JoinedStr):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        yield node
        if isinstance(node, ast.Raise):
            continue
        queue += [
            child
            for name, child in _children(node)
            if name not in {"annotation", "returns", "type_comment"}
        ]


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for name, value in ast.iter_fields(node):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield name, each


def _code(text: str, module: str, path: tuple[str, ...]) -> types.CodeType:
    """The code object of one function of a program, by its path of names."""
    code = compile(text, module, "exec", dont_inherit=True)
    for name in path:
        code = next(
            each
            for each in code.co_consts
            if isinstance(each, types.CodeType) and each.co_name == name
        )
    return code


def _function(module: str, path: tuple[str, ...]) -> types.FunctionType:
    """The function object that the running program has, under its decorators."""
    found: object = importlib.import_module(module.removesuffix(".py").replace("/", "."))
    for name in path:
        found = inspect.getattr_static(found, name)
        found = getattr(found, "fget", None) or getattr(found, "__func__", found)
        found = inspect.unwrap(found) if callable(found) else found
    assert isinstance(found, types.FunctionType)
    return found


class _Killer:
    """A pytest plugin: collects once, then runs the tests once for each mutant, in a fork."""

    def __init__(self, chosen: list[Mutant | None], jobs: int) -> None:
        self._chosen, self._jobs = chosen, jobs
        self.alive: dict[int, bool] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Takes the place of pytest's own loop."""
        running: dict[int, tuple[int, float]] = {}
        waiting = list(enumerate(self._chosen))
        while waiting or running:
            while waiting and len(running) < self._jobs:
                number, mutant = waiting.pop(0)
                child = os.fork()
                if child == 0:
                    self._child(session, mutant)
                running[child] = (number, time.monotonic())
            self._reap(running)
        return True

    def _reap(self, running: dict[int, tuple[int, float]]) -> None:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child in running:
            number, _ = running.pop(child)
            self.alive[number] = os.waitstatus_to_exitcode(status) == 0
            return
        for late, (_, began) in running.items():
            if time.monotonic() - began > TIMEOUT_S:
                os.kill(late, signal.SIGKILL)
        time.sleep(0.01)

    @staticmethod
    def _child(session: pytest.Session, mutant: Mutant | None) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        try:
            if mutant is not None:
                function = _function(mutant.module, mutant.path)
                function.__code__ = _code(mutant.text, mutant.module, mutant.path)
            for number, item in enumerate(session.items):
                following = session.items[number + 1] if number + 1 < len(session.items) else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    os._exit(1)
        except BaseException:  # noqa: BLE001 - a mutant may do anything; it has been noticed.
            os._exit(1)
        os._exit(0)


def _survivors(module: str, chosen: list[Mutant], jobs: int) -> list[Mutant]:
    """The mutants that the module's tests do not notice.

    Raises:
        SystemExit: the tests fail without any change.
    """
    killer = _Killer([None, *chosen], jobs)
    options = ["-q", "-p", "no:cacheprovider"]
    pytest.main([*options, *TESTS[module]], plugins=[killer])
    if not killer.alive.get(0):
        sys.exit(f"{module}: its tests fail as it is.")
    return [each for number, each in enumerate(chosen, 1) if killer.alive[number]]


def explained() -> set[str]:
    """The survivors that ``docs/mutants.md`` explains, by module and name."""
    text = EXPLAINED.read_text("utf-8") if EXPLAINED.exists() else ""
    return set(re.findall(r"^- `(.+?)`", text, re.MULTILINE))


def main(arguments: list[str] | None = None) -> int:
    """The command; exit code 1 below 90 % or with a survivor that nobody explains."""
    parser = argparse.ArgumentParser(description="Mutation score of kernels and authentication.")
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="only each n-th mutant")
    options = parser.parse_args(arguments)
    known = explained()
    good = True
    for module in options.modules:
        chosen = mutants(module)[:: options.every]
        start = time.monotonic()
        survivors = _survivors(module, chosen, options.jobs)
        score = 1 - len(survivors) / max(1, len(chosen))
        good = good and score >= TARGET
        print(
            f"{module}: {len(chosen)} mutants, {score:.1%} killed,"
            f" {time.monotonic() - start:.0f} s",
            flush=True,
        )
        for each in survivors:
            mark = "explained" if f"{module} {each.name}" in known else "SURVIVES"
            print(f"  {mark} {module}:{each.line} {each.name}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
