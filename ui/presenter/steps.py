"""Places that are walked through step by step: the end of the day, and the tour."""

from __future__ import annotations

from dataclasses import replace

from ui import questions as q
from ui.presenter import touches as t
from ui.presenter.panel import Place
from ui.presenter.rights import answers_for
from ui.presenter.shell import Shell
from ui.presenter.touches import Wish

TOUR_STEPS = 4


def next_step(shell: Shell) -> tuple[Shell, tuple[Wish, ...]]:
    """The next step of the tour, or of the end of the day."""
    if shell.place is Place.TOUR:
        if shell.tour_step + 1 >= TOUR_STEPS:
            return replace(shell.back(), tour_step=0), ()
        return replace(shell, tour_step=shell.tour_step + 1), ()
    if shell.place is not Place.DAY or shell.day is None:
        return shell, ()
    if shell.day_step == 0:
        return replace(shell, day_step=1, note="", remedy=""), ()
    if shell.day_step == 1:
        return close_day(shell, carry=False)
    return shell, (t.AskWish(q.DayExported(shell.day.report.batch)),)


def close_day(shell: Shell, *, carry: bool) -> tuple[Shell, tuple[Wish, ...]]:
    """Asks for the end of the day; a second touch finds that it was asked for."""
    if shell.checking:
        return shell, ()
    by = answers_for(shell.approver, shell.person)
    closing = replace(shell, checking=True, approver="", note="", remedy="")
    return closing, (t.AskWish(q.DayClosed(by, carry)),)
