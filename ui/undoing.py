"""Money that goes back, on the till's thread: a refund to the card that paid, or a void.

Rules of this file: every rule of who may give what back is in ``terminal.refunds``; this hands it
what it needs and lets its refusals through by name.
"""

from __future__ import annotations

from offline_queue.norms import norms_of
from terminal.aftersale import refund, void
from terminal.checkout import Ports
from terminal.money import Amount
from terminal.refunds import VoidWish, Wish
from terminal.transaction import Transaction
from ui.questions import RefundWanted, VoidWanted
from ui.wiring import Parts


def undo(parts: Parts, ports: Ports, wanted: RefundWanted | VoidWanted) -> Transaction:
    """Gives back what is left of a sale, or takes it back whole.

    Raises:
        TerminalError: it is not possible, held for a supervisor, or could not begin.
        AnswerLost: the bank was asked, and what it said could not be recorded.
    """
    now = parts.clock.now()
    if isinstance(wanted, VoidWanted):
        wish = VoidWish(now, "Voided at the till.", wanted.by, wanted.by)
        return void(ports, parts.rules, wanted.txn_id, wish)
    sale = parts.journal.transaction(wanted.txn_id)
    left = parts.journal.standing(sale.txn_id).refundable_minor
    asked = Wish(
        amount=Amount(max(left, 0), sale.amount.currency),
        at=now,
        cashier=wanted.by,
        tender=sale.terms.tender,
        approved_by=wanted.by,
    )
    norms = norms_of(parts.journal.store, sale, wanted.by, now)
    return refund(ports, parts.rules, sale.txn_id, asked, norms)
