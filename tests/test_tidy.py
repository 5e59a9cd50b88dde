"""House rules that no linter knows, each with what to do instead.

Every rule has a control: a snippet in which it must find something.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

PRODUCT = ("terminal", "drivers", "offline_queue", "ui")
SIMULATOR = "hardware-sim/src"
EVERYWHERE = (*PRODUCT, SIMULATOR, "hardware-sim/tests", "tests", "benchmarks", "tools")
LINES_MAX = 400
FUNCTION_LINES_MAX = 70

LONG_FILES: dict[str, str] = {
    "offline_queue/schema.py": "every migration there ever was, as data",
    # A table of data reads best whole; anything else is to be divided.
}

SEES_CARDS = re.compile(
    r"terminal/(emv/.*|tokens|card)\.py|.*/hardware_sim/(acquirer_rules|conformance/.*)\.py"
)
TOPS_OF_THREADS = {
    "ui/closer.py",
    # Whatever ends a simulated world is the finding, of whichever kind it is.
    "hardware-sim/src/hardware_sim/world/run.py",
    "ui/till.py",
    # A question that breaks must not end the answers to all others.
    "ui/clerk.py",
    # A payment of the command line has the main thread to itself.
    "ui/attended.py",
    "offline_queue/sync.py",
    f"{SIMULATOR}/hardware_sim/acquirer_server.py",
    f"{SIMULATOR}/hardware_sim/vpcd.py",
    # A case file of any make must not stop the cases behind it.
    f"{SIMULATOR}/hardware_sim/conformance/runner.py",
}
_DIGEST = re.compile(
    r"(\w+_)?(mac|hmac|digest|hexdigest|arqc|arpc|cryptogram|signature|fingerprint|chain)"
)
_IGNORE = re.compile(
    r"#\s*(?:noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type: ignore(?:\[[\w, -]+\])?)(?P<reason>.*)"
)
_MARKS = re.compile(r"\b(TODO|FIXME)\b")
_MACHINE = re.compile(r"(?<![\w.])/(work|home|root|Users)/\w")


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file: where it is from the root, its text and its tree."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)


Finding = tuple[int, str]
Rule = Callable[[Module], Iterator[Finding]]


def _modules(*folders: str) -> list[Module]:
    found = [
        Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        # This file has all that it forbids, as its controls.
        if path != Path(__file__)
    ]
    assert found
    return found


def _name(node: ast.expr) -> str:
    """The last name of an expression: ``digest`` of ``self.digest`` and of ``self.digest()``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=called):
            return _name(called)
        case _:
            return ""


def no_float(module: Module) -> Iterator[Finding]:
    tree = module.tree
    timed = {
        id(word.value)
        for word in ast.walk(tree)
        if isinstance(word, ast.keyword) and word.arg and word.arg.endswith("_s")
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="float")) if id(node) not in timed:
                yield node.lineno, "float(): money is whole minor units; only seconds are floats"
            case ast.BinOp(op=ast.Div(), left=left, right=right) if any(
                re.fullmatch(r"(\w+_)?minor", _name(side)) for side in (left, right)
            ):
                yield node.lineno, "/ on money: use divmod, or // where the rest is not wanted"


def no_reveal(module: Module) -> Iterator[Finding]:
    if SEES_CARDS.fullmatch(module.name):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr == "reveal":
            yield node.lineno, ".reveal(): seal the card in terminal/tokens.py, and use the token"


def no_broad_except(module: Module) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = "BaseException" if node.type is None else _name(node.type)
        if caught == "Exception" and module.name not in TOPS_OF_THREADS:
            yield node.lineno, "except Exception: name the failure, from terminal/errors.py"
        if caught == "BaseException" and not isinstance(node.body[-1], ast.Raise):
            yield node.lineno, "except BaseException: clean up, and end with raise"


def no_digest_compared_with_equals(module: Module) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Compare):
            continue
        equals = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        names = [_name(side) for side in (node.left, *node.comparators)]
        if equals and any(_DIGEST.fullmatch(name) for name in names):
            yield node.lineno, "== on a MAC or cryptogram: use hmac.compare_digest"


def no_stdlib_sqlite(module: Module) -> Iterator[Finding]:
    if module.name == "benchmarks/ledger.py":
        # There it is the peer that is measured.
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(name)):
                names = [name]
            case _:
                continue
        if "sqlite3" in {name.partition(".")[0] for name in names}:
            yield node.lineno, "sqlite3: use apsw, whose SQLite is not the system's old one"


def no_long_file(module: Module) -> Iterator[Finding]:
    lines = module.text.count("\n")
    if lines > LINES_MAX and module.name not in LONG_FILES:
        yield lines, f"{lines} lines: divide it by subject, or say in LONG_FILES why not"


def no_long_function(module: Module) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {lines} lines: give its parts names"


def no_open_ends(module: Module) -> Iterator[Finding]:
    for number, line in enumerate(module.text.splitlines(), start=1):
        if _MARKS.search(line):
            yield number, "a mark for later: do it now, or write an issue"


def no_machine_path(module: Module) -> Iterator[Finding]:
    for number, line in enumerate(module.text.splitlines(), start=1):
        if _MACHINE.search(line):
            yield number, "a path of one machine: make it from __file__, or take it as an argument"


def no_ignore_without_reason(module: Module) -> Iterator[Finding]:
    """The reason stands behind the ignore, or in the comment right above its statement."""
    lines = module.text.splitlines()
    starts: dict[int, int] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            starts.update(dict.fromkeys(_head(node), node.lineno))
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        ignored = _IGNORE.search(token.string) if token.type == tokenize.COMMENT else None
        if ignored is None or re.search(r"\w{2}", ignored["reason"]):
            continue
        number = token.start[0]
        start = starts.get(number, number)
        if start == 1 or not lines[start - 2].strip().startswith("#"):
            yield number, "an ignore without a reason: write it behind it, after a dash"


def _head(node: ast.stmt | ast.ExceptHandler) -> range:
    """The lines of a statement; of a compound one, those before its body."""
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    return range(node.lineno, last + 1)


RULES: dict[str, tuple[Rule, tuple[str, ...], str]] = {
    "float": (no_float, PRODUCT, "x = float('12.50')\n"),
    "division": (no_float, PRODUCT, "x = sale.amount.minor / 100\n"),
    "reveal": (no_reveal, (*PRODUCT, SIMULATOR), "print(card.pan.reveal())\n"),
    "except": (
        *(no_broad_except, (*PRODUCT, SIMULATOR)),
        "try:\n    x()\nexcept Exception:\n    pass\n",
    ),
    "base except": (
        *(no_broad_except, (*PRODUCT, SIMULATOR)),
        "try:\n    x()\nexcept BaseException:\n    pass\n",
    ),
    "digest": (
        *(no_digest_compared_with_equals, (*PRODUCT, SIMULATOR)),
        "x = hmac.digest(k, d, 'sha256') == given\n",
    ),
    "cryptogram": (
        *(no_digest_compared_with_equals, (*PRODUCT, SIMULATOR)),
        "if self.cryptogram != expected: pass\n",
    ),
    "sqlite": (no_stdlib_sqlite, EVERYWHERE, "from sqlite3 import connect\n"),
    "file length": (
        no_long_file,
        (*PRODUCT, SIMULATOR, "benchmarks", "tools"),
        "x = 1\n" * (LINES_MAX + 1),
    ),
    "function length": (
        *(no_long_function, EVERYWHERE),
        "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX,
    ),
    "marks": (no_open_ends, EVERYWHERE, "# TODO: later\n"),
    "machine": (no_machine_path, EVERYWHERE, "path = '/home/ada/till'\n"),
    "noqa": (no_ignore_without_reason, EVERYWHERE, "x = 1  # noqa: E501\n"),
    "type": (no_ignore_without_reason, EVERYWHERE, "x = 1  # type: ignore[misc]\n"),
}


@pytest.mark.parametrize("name", RULES)
def test_house_rule(name: str) -> None:
    rule, folders, _ = RULES[name]
    found = [
        f"{module.name}:{line}: {said}"
        for module in _modules(*folders)
        for line, said in rule(module)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", RULES)
def test_the_rule_finds_what_it_is_for(name: str) -> None:
    rule, _, snippet = RULES[name]
    assert list(rule(Module("ui/planted.py", snippet)))


ALLOWED = {
    "seconds": (no_float, "wait(timeout_s=float(seconds))\n"),
    "re-raised": (no_broad_except, "try:\n    x()\nexcept BaseException:\n    y()\n    raise\n"),
    "constant": (no_digest_compared_with_equals, "x = kind == ARQC\n"),
    "compared well": (no_digest_compared_with_equals, "x = compare_digest(mac, given)\n"),
    "reason behind": (no_ignore_without_reason, "x = 1  # noqa: E501 - a URL\n"),
    "reason above": (no_ignore_without_reason, "# It is a URL.\nx = f(\n 1  # noqa: E501\n)\n"),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_allowed(case: str) -> None:
    rule, snippet = ALLOWED[case]
    assert list(rule(Module("ui/planted.py", snippet))) == []


def test_no_exemption_outlives_its_reason() -> None:
    for name in LONG_FILES:
        assert (ROOT / name).read_text(encoding="utf-8").count("\n") > LINES_MAX, name
    for name in TOPS_OF_THREADS:
        assert "except Exception" in (ROOT / name).read_text(encoding="utf-8"), name
    assert SEES_CARDS.fullmatch("terminal/emv/account.py")
    assert Path(ROOT / SIMULATOR / "hardware_sim/acquirer_rules.py").is_file()
