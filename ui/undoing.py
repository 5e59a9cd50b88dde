"""Money that moves without a new card sale: refunds, voids, holds that are taken, cash.

Rules of this file: runs on the till's thread. Every rule of who may give what back is in
``terminal.refunds``; this hands it what it needs and lets its refusals through by name.
"""

from __future__ import annotations

from offline_queue.norms import norms_of
from terminal.aftersale import complete, refund, void
from terminal.checkout import Ports
from terminal.money import Amount
from terminal.refunds import VoidWish, Wish
from terminal.transaction import Transaction
from ui.questions import HoldTaken, RefundWanted, VoidWanted
from ui.wiring import Parts


def undo(parts: Parts, ports: Ports, wanted: RefundWanted | VoidWanted | HoldTaken) -> Transaction:
    """Does what is asked for, and returns the transaction as it is committed.

    Raises:
        TerminalError: it is not possible, held for a supervisor, or could not begin.
        AnswerLost: the bank was asked, and what it said could not be recorded.
    """
    now = parts.clock.now()
    match wanted:
        case HoldTaken(txn_id, amount, by):
            return complete(ports, parts.rules, txn_id, amount, by=by)
        case VoidWanted(txn_id, by):
            wish = VoidWish(now, "Voided at the till.", by, by)
            return void(ports, parts.rules, txn_id, wish)
        case RefundWanted():
            return _refunded(parts, ports, wanted)


def _refunded(parts: Parts, ports: Ports, wanted: RefundWanted) -> Transaction:
    """A refund to the card that paid, of the amount that was asked for or of all that is left."""
    now = parts.clock.now()
    sale = parts.journal.transaction(wanted.txn_id)
    left = parts.journal.standing(sale.txn_id).refundable_minor
    asked = Wish(
        amount=wanted.amount or Amount(max(left, 0), sale.amount.currency),
        at=now,
        cashier=wanted.by,
        tender=sale.terms.tender,
        approved_by=wanted.by,
    )
    norms = norms_of(parts.journal.store, sale, wanted.by, now)
    return refund(ports, parts.rules, sale.txn_id, asked, norms)
