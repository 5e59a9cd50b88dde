"""Answers of the books, folded into the face.

Rules of this file: pure. An answer that nobody waits for any more changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from ui import counter_questions as c
from ui import questions as q
from ui.presenter import entries, parting, transferring
from ui.presenter.panel import Place
from ui.presenter.shell import Shell
from ui.presenter.touches import Wish
from ui.questions import Answer


def told(shell: Shell, answer: Answer) -> tuple[Shell, tuple[Wish, ...]]:
    """The face once it has this answer."""
    match answer:
        case q.QueueShown() | q.HoldsShown() | c.BillsShown():
            return _listed(shell, answer), ()
        case q.HistoryShown(query):
            return (replace(shell, history=answer) if query == shell.query else shell), ()
        case q.SaleShown():
            return replace(shell, sale=answer), ()
        case q.DayShown(closed=closed):
            step = 2 if closed else shell.day_step
            return replace(shell, day=answer, day_step=step, checking=False, held=()), ()
        case q.DayHeld(waiting):
            return replace(shell, held=waiting, checking=False), ()
        case q.Done(q.DayExported(), where):
            return replace(shell, exported=where), ()
        case q.Done(q.CopyWanted(), where):
            return replace(shell, note="printed", remedy=where), ()
        case q.Unanswered(question, message, remedy):
            return _unanswered(shell, question, message, remedy), ()
        case _:
            return _at_counter(shell, answer)


def _at_counter(shell: Shell, answer: Answer) -> tuple[Shell, tuple[Wish, ...]]:
    """What is about a bill, the drawer or a transfer."""
    match answer:
        case c.BillShown(standing):
            known = replace(shell, till=shell.till.after(answer))
            parts = shell.place is Place.SHARE or shell.place in entries.PLACES
            return parting.billed(known, standing) if parts else (known, ())
        case c.UsualShown() | c.CatalogueShown():
            return replace(shell, till=shell.till.after(answer)), ()
        case c.CodeShown():
            return transferring.code_shown(shell, answer)
        case c.DrawerShown(standing):
            return replace(shell, drawer=standing), ()
        case _:
            return shell, ()


def _listed(shell: Shell, answer: q.QueueShown | q.HoldsShown | c.BillsShown) -> Shell:
    match answer:
        case q.QueueShown():
            return replace(shell, queue=answer)
        case q.HoldsShown():
            return replace(shell, holds=answer)
        case c.BillsShown(standing):
            return replace(shell, bills=standing)


def _unanswered(shell: Shell, question: object, message: str, remedy: str) -> Shell:
    elsewhere = isinstance(question, q.PinGiven) and shell.place is not Place.LOCK
    if elsewhere or isinstance(question, q.FeedbackGiven | c.DrawerCounting | c.CatalogueWanted):
        # Nobody waits for it.
        return shell
    return replace(shell, note=message, remedy=remedy, checking=False)
