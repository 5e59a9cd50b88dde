"""The clerk's thread: what it writes for a person to take along, and what cannot stop it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import ui.clerk
from tests.ui.till.conftest import OpenTill
from ui.questions import (
    DayClosed,
    DayExported,
    DayShown,
    Done,
    HistoryShown,
    HistoryWanted,
    QueueShown,
    QueueWanted,
    Unanswered,
)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_closed_batch_is_written_into_the_folder_of_the_till(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    for amount in ("12.50", "10.51"):
        watcher.charge(amount)
        watcher.finished()
    watcher.till.ask(DayClosed())
    batch = watcher.until(DayShown).report.batch
    watcher.till.ask(DayExported(batch))
    folder = Path(watcher.until(Done, lambda done: done.question == DayExported(batch)).where)
    assert folder == watcher.parts.settings.data_dir / "exports" / f"batch-{batch}"
    names = ("number", "state", "booked", "card")
    assert [[row[name] for name in names] for row in _rows(folder / "sales.csv")] == [
        ["1", "approved", "12.50", "•••• 0010"],
        ["2", "declined", "0.00", "•••• 0010"],
    ]
    [total] = [row for row in _rows(folder / "figures.csv") if row["section"] == "total"]
    assert (total["count"], total["net"], total["currency"]) == ("1", "12.50", "EUR")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def test_an_export_that_cannot_be_written_says_why(open_till: OpenTill) -> None:
    watcher = open_till()
    (watcher.parts.settings.data_dir / "exports").write_text("in the way", encoding="utf-8")
    watcher.till.ask(DayExported(1))
    assert "exports" in watcher.until(Unanswered).message
    watcher.till.ask(DayExported(99))
    assert "no batch 99" in watcher.until(Unanswered).message


def test_a_question_that_breaks_does_not_end_the_answers(
    open_till: OpenTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = open_till()

    def broken(*_: object) -> Path:
        raise AssertionError("a rule of ours")

    monkeypatch.setattr(ui.clerk, "export_batch", broken)
    watcher.till.ask(DayExported(1))
    told = watcher.until(Unanswered)
    assert told.message == "DayExported failed (AssertionError)."
    assert told.remedy
    watcher.till.ask(QueueWanted())
    assert watcher.until(QueueShown).waiting == ()
    watcher.till.ask(HistoryWanted())
    assert watcher.until(HistoryShown).found == ()
