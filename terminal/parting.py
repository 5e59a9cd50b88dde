"""Paying a part of a bill, by any tender: a card, cash, or a bank transfer.

Rules of this file: as in ``terminal.checkout``: recorded before anything leaves, over the same
ports. Whether it is due is judged inside the SQL transaction that records it, so that the parts
of a bill never exceed it. How a part ends never ends the bill.
"""

from __future__ import annotations

from terminal.bill import BillStanding, PartWish
from terminal.checkout import collect
from terminal.errors import AmountError
from terminal.ledger import JudgePart
from terminal.money import Amount
from terminal.sale import Ports, Rules, wall_clock
from terminal.tenders import book_cash, cash_due, change_for, show_transfer
from terminal.terms import Tender, Terms
from terminal.transaction import Transaction


def pay_part(
    ports: Ports, rules: Rules, bill: str, wish: PartWish, *, cashier: str = ""
) -> Transaction:
    """Takes the next payment of a bill, and returns it as it is committed.

    Raises:
        AmountError: it is not due, or the cash is not enough; nothing was recorded.
        StoreError: there is no such bill, or the ledger failed before anything was sent.
        AnswerLost: the ledger failed once the acquirer was asked.
        TerminalError: the reader went away, or a key failed, before anything was sent.
    """
    now = ports.clock.now()
    judged = judge_part(wish, rules.cash_coin_minor)

    def judge(standing: BillStanding) -> tuple[Amount, Terms]:
        amount, terms = judged(standing)
        return amount, wall_clock(rules, terms, now)

    sale = ports.journal.open_part(
        txn_id=f"sale_{ports.entropy.random_bytes(10).hex()}",
        bill=bill,
        lines=wish.lines,
        at=now,
        cashier=cashier,
        judge=judge,
    )
    match wish.tender:
        case Tender.CARD:
            return collect(ports, rules, sale)
        case Tender.CASH:
            return book_cash(
                ports, rules, sale, _tendered(wish, sale.amount, rules.cash_coin_minor)
            )
        case Tender.TRANSFER:
            return show_transfer(ports, rules, sale)


def judge_part(wish: PartWish, coin_minor: int) -> JudgePart:
    """Makes the amount and the terms of a part, or raises AmountError where it is not due."""

    def judge(standing: BillStanding) -> tuple[Amount, Terms]:
        amount, terms = standing.amount_of(wish), standing.terms_for(wish)
        asked = Amount(amount.minor + wish.tip_minor, amount.currency)
        if wish.tender is Tender.CASH:
            change_for(asked, _tendered(wish, asked, coin_minor), coin_minor)
        return asked, terms

    return judge


def _tendered(wish: PartWish, amount: Amount, coin_minor: int) -> Amount:
    """What was handed over; exactly what is due where nobody said."""
    if wish.tendered is not None:
        if wish.tendered.currency != amount.currency:
            raise AmountError(f"{wish.tendered} cannot pay {amount}.")
        return wish.tendered
    return cash_due(amount, coin_minor)
