"""The conversation about one amount at the command line: a card that pays nothing, or a part.

Rules of this file: a declined card never ends it. What comes next is said by ``--then``, or by
the person at the terminal; where nobody can be asked, it ends, and what is due stands open in the
ledger. Every payment is told as it ends, and the exit code is the last one's.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from offline_queue.bills import Bills
from terminal.bill import BillStanding, PartWish, rest_name
from terminal.checkout import Ports
from terminal.errors import AmountError
from terminal.money import Amount
from terminal.parting import pay_part
from terminal.tenders import cash_due
from terminal.terms import Tender
from terminal.transaction import State, Transaction
from ui.attended import guarded, told, undone
from ui.counter_questions import TenderWanted
from ui.tables import sale_row
from ui.tendering import whole
from ui.transfers import require_code, show_code
from ui.wiring import Parts

_PAID_NOTHING = frozenset({State.DECLINED, State.REVERSED})
_KEYS = {"c": Tender.CARD, "a": Tender.CASH, "t": Tender.TRANSFER}


@dataclass
class Conversation:
    """How one amount is paid, by one tender after the other."""

    parts: Parts
    ports: Ports
    then: Sequence[str] = ()
    as_json: bool = False
    payments: list[Transaction] = field(default_factory=list)

    def go_on(self, sale: Transaction, printed: str) -> tuple[Transaction, dict[str, Any]]:
        """Goes on until it is paid, or nobody pays; the last payment, and all as JSON has it."""
        row: dict[str, Any] = {**sale_row(sale), "receipt": printed}
        self.payments = [sale]
        planned = iter(self.then)
        while (due := self._due(sale)) is not None and (tender := self._next(planned, due)):
            sale = self._paid(tender, due, sale)
            self.payments.append(sale)
        if self.payments[1:] or sale.still_due_minor:
            left = self._due(sale)
            row["payments"] = [sale_row(payment) for payment in self.payments]
            row["bill"] = self._bill().bill.name if self._part() else ""
            row["due"] = (
                left.decimal if left is not None else Amount(0, sale.amount.currency).decimal
            )
        return sale, row

    def _part(self) -> bool:
        """Whether a card has paid a part, so that the rest is a bill."""
        return any(each.state is State.APPROVED and each.still_due_minor for each in self.payments)

    def _bill(self) -> BillStanding:
        first = next(each for each in self.payments if each.still_due_minor)
        name = first.terms.bill or rest_name(first.sequence)
        return Bills(self.parts.journal.store, self.parts.clock).standing(name)

    def _due(self, last: Transaction) -> Amount | None:
        """What is due after this payment; None where there is nothing more to ask."""
        if self._part():
            due = self._bill().due
            open_ended = last.state in _PAID_NOTHING or last.still_due_minor
            return due if due.minor and open_ended else None
        return last.amount if last.state in _PAID_NOTHING else None

    def _next(self, planned: Iterator[str], due: Amount) -> Tender | None:
        named = next(planned, "")
        if named:
            return Tender(named)
        if self.then or self.as_json or not somebody_there() or self.ports.cancelled():
            return None
        question = f"Still due: {due}. [c]ard, c[a]sh, [t]ransfer, or [n]othing"
        answer = asked(question, default="n").strip().lower()[:1]
        return _KEYS.get(answer)

    def _paid(self, tender: Tender, due: Amount, last: Transaction) -> Transaction:
        tendered = self._tendered(due) if tender is Tender.CASH else None
        sale = guarded(self.parts, lambda: self._pay(tender, due, tendered, last))
        told(self.parts, sale, as_json=self.as_json)
        if sale.state is State.AWAITED:
            show_code(self.parts, sale)
        if sale.state is State.UNKNOWN:
            sale = undone(self.parts, sale)
        return sale

    def _pay(
        self, tender: Tender, due: Amount, tendered: Amount | None, last: Transaction
    ) -> Transaction:
        terms, cashier = last.terms, last.cashier
        if not self._part():
            again = TenderWanted(due, tender, terms.tip_minor, terms.parts, tendered, cashier)
            return whole(self.parts, self.ports, again)
        if tender is Tender.TRANSFER:
            require_code(self.parts.settings, due)
        wish = PartWish(tender=tender, tendered=tendered)
        bill = self._bill().bill.name
        return pay_part(self.ports, self.parts.rules, bill, wish, cashier=cashier)

    def _tendered(self, due: Amount) -> Amount | None:
        """The cash that was handed over; None for exactly what is due."""
        coin = self.parts.rules.cash_coin_minor
        rounded = cash_due(due, coin)
        if self.then or self.as_json or not somebody_there():
            return None
        while True:
            text = asked(f"Handed over (Enter for exactly {rounded})", default="")
            if not text:
                return None
            try:
                given = Amount.parse(text, due.currency)
            except AmountError as wrong:
                click.echo(f"taptill: {wrong}", err=True)
                continue
            if given.minor >= rounded.minor:
                click.echo(f"Change: {given - rounded}", err=True)
                return given
            click.echo(f"taptill: {given} is not enough for {rounded}.", err=True)


def somebody_there() -> bool:
    """Whether there is a terminal with somebody at it."""
    return sys.stdin.isatty()


def asked(question: str, default: str) -> str:
    """What a person answers; the default where they press Ctrl-C or close the terminal."""
    try:
        with _interruptible():
            return str(click.prompt(question, default=default, show_default=False, err=True))
    except (click.Abort, KeyboardInterrupt):
        return default


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends a question; a payment it only cancels, and none is in hand here."""
    before: Any = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
