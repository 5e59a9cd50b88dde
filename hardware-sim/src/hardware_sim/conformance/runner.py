"""Finds case files, runs their cases and counts how they end.

Rules of this file: every JSON file under the folder is looked at; what no format recognises is
reported and not passed over. One case that fails in any way never stops the others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hardware_sim.conformance import FORMAT_MODULES
from hardware_sim.conformance.case import (
    Case,
    Document,
    Format,
    Library,
    Mismatch,
    OutOfScope,
    Verdict,
)
from terminal.errors import ConfigError, TerminalError


@dataclass(frozen=True, slots=True)
class Result:
    """How one case ended: file (relative to the folder), format, case, verdict and remark."""

    file: str
    format: str
    case: str
    proves: str
    verdict: Verdict
    remark: str
    source: str = field(default="", repr=False)


def formats() -> tuple[Format, ...]:
    """Every format that is known, in the order in which they are asked."""
    return tuple(each for module in FORMAT_MODULES for each in module.FORMATS)


def load(folder: Path) -> Library:
    """Every JSON file under ``folder``, by any name.

    Raises:
        ConfigError: the folder is none, or holds no JSON.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder.", remedy="Name the folder of the case files.")
    documents = [
        Document(path, content)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (content := _parsed(path)) is not None
    ]
    if not documents:
        raise ConfigError(f"{folder} holds no JSON file.", remedy="Name the folder of case files.")
    return Library(tuple(documents))


@dataclass(frozen=True, slots=True)
class _Broken:
    """A file that is no JSON, though it looks like one; ``why`` says where."""

    why: str


def _parsed(path: Path) -> object:
    """What a file holds; None where it is no case file at all."""
    named = path.suffix.lower() == ".json"
    try:
        text = path.read_text("utf-8-sig")
    except OSError as cause:
        return _Broken(f"the file cannot be read: {cause.strerror}")
    except UnicodeDecodeError as cause:
        return _Broken(f"the file is no UTF-8 from byte {cause.start} on") if named else None
    if not named and not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as cause:
        place = f"line {cause.lineno}, column {cause.colno}"
        return _Broken(f"the file is no JSON: {place}: {cause.msg}")
    except (ValueError, RecursionError) as cause:
        return _Broken(f"the file is no JSON that can be read: {cause}")


def run(
    folder: Path, *, only: str = "", watch: Callable[[Result], None] = lambda _: None
) -> list[Result]:
    """Runs every case under ``folder``; ``only`` keeps the formats whose name has this text.

    Raises:
        ConfigError: the folder is none, or holds no JSON.
    """
    library = load(folder)
    results = []
    for document in library.documents:
        for result in run_document(document, library, folder):
            if only in result.format:
                results.append(result)
                watch(result)
    return results


def format_of(document: Document) -> Format | None:
    """The format that recognises a document."""
    return next((each for each in formats() if _recognises(each, document)), None)


def _recognises(form: Format, document: Document) -> bool:
    try:
        return form.recognises(document)
    except (AttributeError, KeyError, TypeError, IndexError):
        # A file of another make: whatever it lacks, it is not of this format.
        return False


def run_document(document: Document, library: Library, folder: Path) -> Iterator[Result]:
    """The results of one file's cases."""
    name = str(document.path.relative_to(folder))
    form = format_of(document)

    def result(case: str, proves: str, verdict: Verdict, remark: str) -> Result:
        title = form.name if form else "unknown"
        return Result(name, title, case, proves, verdict, remark, document.source)

    if isinstance(document.content, _Broken):
        yield result("file", "", Verdict.FAIL, document.content.why)
        return
    if form is None:
        yield result("file", "", Verdict.NOT_RUN, "no format that is described has these keys")
        return
    if form.name == "support":
        return
    cases = form.cases(document, library)
    while True:
        try:
            case = next(cases, None)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as broken:
            yield result("file", "", Verdict.FAIL, _not_of_its_format("file", broken))
            return
        if case is None:
            return
        verdict, remark = _end_of(case)
        yield result(case.name, case.proves, verdict, remark)


def _end_of(case: Case) -> tuple[Verdict, str]:
    try:
        return Verdict.PASS, case.check()
    except OutOfScope as why:
        return Verdict.NOT_RUN, str(why)
    except Mismatch as difference:
        return Verdict.FAIL, str(difference)
    except TerminalError as refusal:
        return Verdict.FAIL, f"{type(refusal).__name__}: {refusal.message}"
    except Exception as broken:  # noqa: BLE001 - a case of any make never stops the others.
        return Verdict.FAIL, _not_of_its_format("case", broken)


def _not_of_its_format(what: str, broken: Exception) -> str:
    if isinstance(broken, KeyError):
        return f"the {what} has no {broken.args[0]!r}, which its format needs"
    return f"the {what} is not of its format: {type(broken).__name__}: {broken}"


def summary(results: Sequence[Result]) -> Counter[Verdict]:
    """How many cases ended in which way."""
    return Counter(dict.fromkeys(Verdict, 0)) + Counter(each.verdict for each in results)
