"""A bank transfer by QR code: the code is shown while the bank is asked whether the money is there.

Rules of this file: pure. Nothing is paid until the bank, or a person who may say so, has seen it.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.terms import Tender
from ui import counter_questions as c
from ui.presenter import entries
from ui.presenter import touches as t
from ui.presenter.panel import Place
from ui.presenter.rights import answers_for
from ui.presenter.shell import Shell
from ui.presenter.touches import Touch, Wish


def transferred(shell: Shell, touch: t.Transfer) -> tuple[Shell, tuple[Wish, ...]]:
    """What a touch about a transfer does."""
    by = answers_for(shell.approver, shell.person)
    quiet = replace(shell, approver="", note="", remedy="")
    match touch.deed:
        case "ask" if shell.place is Place.SPLIT:
            return entries.by_transfer(shell)
        case "ask" if shell.to_pay.minor > 0 and not shell.busy:
            return quiet, (t.AskWish(entries.tendered(shell, Tender.TRANSFER, None, by)),)
        case "wait" if not shell.awaiting:
            return replace(quiet, awaiting=True), (t.AskWish(c.TransferAwaited(touch.txn_id)),)
        case "seen" if not shell.awaiting:
            return quiet, (t.AskWish(c.TransferSeen(touch.txn_id, by)),)
        case "drop" if not shell.awaiting:
            return quiet, (t.AskWish(c.TransferGivenUp(touch.txn_id, by)),)
        case _:
            return shell, ()


def on_code(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    """A touch while the code is shown: Cancel ends the wait, and not the transfer."""
    if isinstance(touch, t.Cancel) and shell.awaiting:
        return shell, (t.CancelWish(),)
    return shell, ()


def code_shown(shell: Shell, code: c.CodeShown) -> tuple[Shell, tuple[Wish, ...]]:
    """The code of a transfer: a new one is waited for at once, one that was is shown again."""
    again = shell.code is not None and shell.code.txn_id == code.txn_id
    opened = shell if shell.place is Place.TRANSFER else shell.open(Place.TRANSFER)
    shown = replace(opened, code=code, awaiting=not again)
    return shown, () if again else (t.AskWish(c.TransferAwaited(code.txn_id)),)
