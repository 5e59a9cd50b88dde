"""Tenders without a card: cash with its rounding and change, and a bank transfer by QR code.

Rules of this file: recorded as every payment is, in the same ledger and totals. Cash is rounded
for the whole amount that is paid in cash, half up, to the smallest coin; the difference is
recorded as rounding and never changes what was sold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from terminal.errors import AmountError
from terminal.money import Amount
from terminal.sale import Ports, Rules, wall_clock
from terminal.terms import A_SALE, Tender, Terms
from terminal.transaction import Cancelled, TenderConfirmed, Transaction, TransferShown


@dataclass(frozen=True, slots=True)
class Change:
    """What is due in cash, and what goes back over the counter."""

    due: Amount
    rounding_minor: int
    change: Amount


def cash_due(amount: Amount, coin_minor: int) -> Amount:
    """The amount rounded half up to the smallest coin: 12.52 is 12.50, 12.53 is 12.55 by 5.

    An amount that would round to nothing is due as one coin.

    Raises:
        AmountError: the coin is not positive.
    """
    if coin_minor < 1:
        raise AmountError("The smallest coin is at least one minor unit.")
    rounded = (2 * amount.minor + coin_minor) // (2 * coin_minor) * coin_minor
    return Amount(max(rounded, coin_minor if amount.minor else 0), amount.currency)


def change_for(amount: Amount, tendered: Amount, coin_minor: int) -> Change:
    """The change for what was handed over.

    Raises:
        AmountError: it is not enough, or another currency.
    """
    due = cash_due(amount, coin_minor)
    if tendered.currency != due.currency:
        raise AmountError(f"{tendered} cannot pay {due}.", remedy="Take the till's currency.")
    if tendered.minor < due.minor:
        raise AmountError(
            f"{tendered} is not enough for {due}.", remedy="Take the rest, or another way to pay."
        )
    return Change(due, due.minor - amount.minor, tendered - due)


def take_cash(
    ports: Ports,
    rules: Rules,
    amount: Amount,
    tendered: Amount,
    *,
    cashier: str = "",
    terms: Terms = A_SALE,
) -> Transaction:
    """Takes one payment in cash.

    Raises:
        AmountError: nothing is due, or what was handed over is not enough; nothing was recorded.
        StoreError: nothing was recorded.
    """
    change_for(amount, tendered, rules.cash_coin_minor)
    sale = _open(ports, rules, amount, cashier, replace(terms, tender=Tender.CASH))
    return book_cash(ports, rules, sale, tendered)


def book_cash(ports: Ports, rules: Rules, sale: Transaction, tendered: Amount) -> Transaction:
    """Takes what was handed over for an open payment in cash.

    Raises:
        AmountError: it is not enough, or another currency.
        StoreError: nothing was recorded.
    """
    change = change_for(sale.amount, tendered, rules.cash_coin_minor)
    return ports.journal.book(
        sale.txn_id,
        lambda batch: TenderConfirmed(
            ports.clock.now(),
            batch,
            sale.cashier,
            tendered_minor=tendered.minor,
            rounding_minor=change.rounding_minor,
        ),
    )


def ask_transfer(
    ports: Ports, rules: Rules, amount: Amount, *, cashier: str = "", terms: Terms = A_SALE
) -> Transaction:
    """Records that a bank transfer is asked for; its reference is what the QR code carries.

    Raises:
        AmountError: nothing is due; nothing was recorded.
        StoreError: nothing was recorded, and no code may be shown.
    """
    sale = _open(ports, rules, amount, cashier, replace(terms, tender=Tender.TRANSFER))
    return show_transfer(ports, rules, sale)


def show_transfer(ports: Ports, rules: Rules, sale: Transaction) -> Transaction:
    """Gives an open payment by transfer its reference; from here on it is awaited.

    Raises:
        StoreError: nothing was recorded, and no code may be shown.
    """
    # Letters that a bank statement keeps. A till that is replaced, or whose ledger was put aside by
    # an older Taptill, counts from 1 again: its number alone would be paid by a transfer of before.
    reference = f"{rules.terminal_id}-{sale.sequence:06d}-{sale.txn_id[-6:].upper()}"
    return ports.journal.commit(sale.txn_id, TransferShown(ports.clock.now(), reference))


def confirm_transfer(ports: Ports, txn_id: str, *, by: str) -> Transaction:
    """A person, or a host adapter, has seen the transfer arrive.

    Raises:
        AssertionError: no transfer is awaited.
        StoreError: nothing was recorded.
    """
    return ports.journal.book(txn_id, lambda batch: TenderConfirmed(ports.clock.now(), batch, by))


def give_up_transfer(ports: Ports, txn_id: str, *, by: str) -> Transaction:
    """The transfer did not come, and the customer pays otherwise.

    Raises:
        AssertionError: no transfer is awaited.
        StoreError: nothing was recorded.
    """
    reason = f"The transfer was given up by {by or 'the cashier'}."
    return ports.journal.commit(txn_id, Cancelled(ports.clock.now(), reason))


def _open(ports: Ports, rules: Rules, amount: Amount, cashier: str, terms: Terms) -> Transaction:
    if amount.minor == 0:
        raise AmountError("An amount of zero is nothing to pay.", remedy="Type what is due.")
    now = ports.clock.now()
    return ports.journal.open_sale(
        txn_id=f"sale_{ports.entropy.random_bytes(10).hex()}",
        amount=amount,
        at=now,
        cashier=cashier,
        training=False,
        terms=wall_clock(rules, terms, now),
    )
