"""Makes mutants: programs that differ from ours in one operator, constant, condition or statement.

Rules of this file: a mutant changes one function; texts for people are left. Names are made of the
function and the change, so that an explanation stays when lines move.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHOWN_MAX = 110
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
_NOTHING = ast.Constant(value=None)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed program: where, what was changed, and its text.

    ``lines`` are those of the innermost statement, of a compound one those of its head.
    """

    module: str
    line: int
    lines: range
    name: str
    path: tuple[str, ...]
    text: str

    @property
    def explained_as(self) -> str:
        """How ``docs/mutants.md`` names it."""
        return f"{self.module} {self.name}"


def _changes(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912 - a table of node kinds.
    """Every way to change this one node."""
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                changed = [*ops[:at], _COMPARE[type(op)](), *ops[at + 1 :]]
                yield _with(node, ops=changed)
        case ast.BinOp(op=op) if type(op) in _BINARY:
            yield _with(node, op=_BINARY[type(op)]())
        case ast.AugAssign(op=op) if type(op) in _BINARY:
            yield _with(node, op=_BINARY[type(op)]())
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for each in node.values:
                yield _with(node, values=[value for value in node.values if value is not each])
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=bytes(value)):
            yield ast.Constant(value + b"\x01")
        case ast.If():
            yield _with(node, test=ast.Constant(True))
            yield _with(node, test=ast.Constant(False))
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.Return(value=ast.expr() as value) if not _is_plain(value):
            yield _with(node, value=_NOTHING)
        case ast.Assign(value=value) if not _is_plain(value):
            yield _with(node, value=_NOTHING)
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()


def _is_plain(node: ast.expr) -> bool:
    """Nothing, a text for people, or a truth that is changed as a constant."""
    plain = isinstance(node, ast.Constant) and isinstance(node.value, bool | str | None)
    return plain or isinstance(node, ast.JoinedStr)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


@dataclass(frozen=True, slots=True)
class _Place:
    """A node of a function: where it hangs, and what it is shown with."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt

    def put(self, new: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.index] = new


def mutants(module: str) -> list[Mutant]:
    """Every mutant of a module's functions; texts, docstrings and annotations are left."""
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    found: list[Mutant] = []
    for path, function in _functions(tree, ()):
        whole = ast.unparse(function)
        texts, names = {whole}, Counter[str]()
        for place in _places(function):
            for new in _changes(place.node):
                shown = place.parent if isinstance(place.node, ast.Constant) else place.node
                before = _shown(shown)
                place.put(ast.copy_location(new, place.node))
                ast.fix_missing_locations(function)
                after = _shown(new if shown is place.node else shown)
                text, program = ast.unparse(function), ast.unparse(tree)
                place.put(place.node)
                if text in texts:
                    continue
                texts.add(text)
                what = f"{'.'.join(path)}: {before} -> {after}"
                names[what] += 1
                name = what if names[what] == 1 else f"{what} ({names[what]})"
                line = getattr(place.node, "lineno", place.statement.lineno)
                found.append(Mutant(module, line, _head(place.statement), name, path, program))
    return found


def _shown(node: ast.AST) -> str:
    """A node in one line; of a compound statement, its head."""
    text = ast.unparse(node)
    if isinstance(node, ast.stmt) and hasattr(node, "body"):
        text = text.splitlines()[0].removesuffix(":")
    return re.sub(r"\s+", " ", text)[:SHOWN_MAX]


def _head(statement: ast.stmt) -> range:
    inner = [
        each.lineno
        for name in ("body", "orelse", "handlers", "cases")
        for each in getattr(statement, name, [])
        if hasattr(each, "lineno")
    ]
    end = min(inner) if inner else (statement.end_lineno or statement.lineno) + 1
    return range(statement.lineno, max(end, statement.lineno + 1))


def _functions(
    node: ast.Module | ast.ClassDef, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], ast.FunctionDef]]:
    """Functions and methods with their path of names; what runs at import is left."""
    for each in node.body:
        if isinstance(each, ast.ClassDef):
            yield from _functions(each, (*path, each.name))
        elif isinstance(each, ast.FunctionDef) and each.name not in {"__repr__", "__reduce_ex__"}:
            yield (*path, each.name), each


def _places(function: ast.FunctionDef) -> Iterator[_Place]:
    """The nodes of a function's own body that can matter: no texts, no nested functions."""
    queue = [
        _Place(statement, function, "body", at, statement)
        for at, statement in enumerate(function.body)
    ]
    while queue:
        place = queue.pop(0)
        node = place.node
        if isinstance(node, ast.FunctionDef | ast.JoinedStr | ast.Assert):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        yield place
        if not isinstance(node, ast.Raise):
            queue += _below(place)


def _below(place: _Place) -> Iterator[_Place]:
    for name, value in ast.iter_fields(place.node):
        if name in {"annotation", "returns", "type_comment", "ops", "op", "ctx"}:
            continue
        for at, each in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(each, ast.AST):
                statement = each if isinstance(each, ast.stmt) else place.statement
                yield _Place(each, place.node, name, at, statement)
