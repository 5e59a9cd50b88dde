"""What is looked up from the face: sales, receipts, the history, and what a scanner reads.

Rules of this file: pure, part of ``ui.presenter.course``.
"""

from __future__ import annotations

from dataclasses import replace

from ui import questions as q
from ui.presenter import entries, ordering
from ui.presenter import touches as t
from ui.presenter.panel import Place
from ui.presenter.shell import Shell
from ui.presenter.touches import Touch, Wish

LookUp = t.OpenSale | t.PrintCopy | t.ShowReceipt | t.Scanned | t.SendNow


def look_up(shell: Shell, touch: LookUp) -> tuple[Shell, tuple[Wish, ...]]:
    """A touch that asks for something of the books."""
    quiet = replace(shell, note="", remedy="")
    match touch:
        case t.OpenSale(txn_id):
            opened = replace(shell.open(Place.SALE), sale=None)
            return opened, (t.AskWish(q.SaleWanted(txn_id)),)
        case t.SendNow():
            return quiet, (t.SendWish(), t.AskWish(q.QueueWanted()))
        case t.PrintCopy(txn_id):
            return quiet, (t.AskWish(q.CopyWanted(txn_id)),)
        case t.ShowReceipt():
            return _receipt(shell)
        case t.Scanned(code, typed):
            return _scanned(shell, code, typed)


def searching(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    """A touch in the history."""
    match touch:
        case t.Cancel():
            return shell.back(), ()
        case t.Digit() | t.DoubleZero() | t.Letter() | t.Backspace() | t.Clear():
            return _search(shell, ordering.edited(shell.query, touch))
        case _:
            return shell, ()


def _search(shell: Shell, query: str) -> tuple[Shell, tuple[Wish, ...]]:
    return replace(shell, query=query), (t.AskWish(q.HistoryWanted(query)),)


def _scanned(shell: Shell, code: str, typed: int) -> tuple[Shell, tuple[Wish, ...]]:
    """A code under the scanner: an item is sold, a receipt opens its sale, the history searches."""
    if shell.busy or shell.place is Place.LOCK:
        return shell, ()
    if shell.place is Place.HISTORY:
        return _search(shell, code[: ordering.QUERY_MAX])
    clean = replace(shell, till=replace(shell.till, typed=typed))
    if shell.place in entries.PLACES or shell.place in ordering.PLACES:
        # It has typed into the amount that is asked for here, which is no place to sell either.
        return replace(clean, entry=0), ()
    sold = ordering.scanned(clean, code)
    if sold is not None:
        return sold, ()
    there = clean.back() if ordering.by_this(clean, code) else clean
    opened = replace(there.open(Place.SALE), sale=None)
    return opened, (t.AskWish(q.SaleWanted(code)),)


def _receipt(shell: Shell) -> tuple[Shell, tuple[Wish, ...]]:
    shown = shell.till.transaction
    if shell.place is Place.TILL and shown is not None:
        wanted = t.AskWish(q.SaleWanted(shown.txn_id))
        return replace(shell.open(Place.RECEIPT), sale=None), (wanted,)
    return (shell.open(Place.RECEIPT), ()) if shell.sale is not None else (shell, ())
