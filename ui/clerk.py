"""The clerk's thread: looks things up in the books, so that no face ever waits for a disk.

Rules of this file: it reads over a connection of its own, one question after the other, and
tells the answer as an event. A question that somebody has asked anew meanwhile is skipped. What
changes the books is not done here: the till's thread owns them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from offline_queue.history import History
from offline_queue.reports import Reports
from offline_queue.staff import Staff
from offline_queue.store import Store
from terminal.errors import TerminalError
from terminal.money import Amount
from terminal.receipt import columns
from terminal.roles import Authorised
from terminal.settlement import report as add_up
from terminal.terms import Tender, TransactionKind
from terminal.transaction import State, Transaction
from ui.counter import cash_of, export_batch, with_what_is_open
from ui.counter_answers import CounterReading, answer
from ui.questions import (
    Answer,
    DayExported,
    DayShown,
    DayWanted,
    Done,
    Found,
    HistoryShown,
    HistoryWanted,
    HoldsShown,
    HoldsWanted,
    PinGiven,
    Question,
    QueueShown,
    QueueWanted,
    SaleShown,
    SaleWanted,
    SignedIn,
    Unanswered,
    Waiting,
)
from ui.reporting.receipts import language_for, receipt_lines
from ui.wiring import Parts, receipt_of

RECEIPT_COLUMNS = 30
_DAY_MAX = 1_000_000
_REPORT = "The till goes on. Ask again; if it fails again, report it with this text."


class Clerk:
    """Answers questions about the books on a thread of its own. ``tell`` takes each answer."""

    def __init__(self, parts: Parts, tell: Callable[[Answer], None]) -> None:
        self._parts = parts
        self._tell = tell
        self._asked: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="clerk", daemon=True)
        self._store: Store | None = None

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Answers what has been asked, and ends."""
        self._asked.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def ask(self, question: Question) -> None:
        """Asks; returns at once."""
        self._asked.put(question)

    def _run(self) -> None:
        while (question := self._asked.get()) is not None:
            if isinstance(question, HistoryWanted) and not self._asked.empty():
                # Somebody is typing: only the last of their queries is looked up.
                following = self._asked.get()
                if isinstance(following, HistoryWanted):
                    self._asked.put(following)
                    continue
                self._asked.put(following)
            try:
                self._tell(self._answer(question))
            except TerminalError as failed:
                self._tell(Unanswered(question, failed.message, failed.remedy))
            except Exception as broken:  # noqa: BLE001 - the top of a thread: see below
                # One question that cannot be answered must not keep all others from an answer:
                # the queue, the history and the PINs of a till are asked for here.
                name = type(question).__name__
                self._tell(
                    Unanswered(question, f"{name} failed ({type(broken).__name__}).", _REPORT)
                )
        if self._store is not None:
            self._store.close()

    def _books(self) -> Store:
        """A connection of this thread's own: it never waits for a sale that is being written."""
        if self._store is None:
            self._store = Store.read_only(self._parts.journal.store.path)
        return self._store

    def _answer(self, question: Question) -> Answer:
        if isinstance(question, CounterReading):
            return answer(self._parts, self._books(), question)
        match question:
            case QueueWanted():
                return self._queue()
            case HistoryWanted(query):
                return self._history(query)
            case SaleWanted(name):
                return self._sale(question, name)
            case DayWanted():
                return self._day()
            case HoldsWanted():
                return HoldsShown(tuple(Reports(self._books()).holds()))
            case PinGiven(pin):
                return self._pin(question, pin)
            case DayExported(batch):
                return Done(question, str(export_batch(self._parts, self._books(), batch)))
            case _:
                raise AssertionError(f"{type(question).__name__} is not for the clerk")

    def _queue(self) -> QueueShown:
        reports = Reports(self._books())
        currency = self._parts.settings.config.till.currency
        pending = reports.pending()
        waiting = tuple(
            Waiting(
                row.transaction,
                row.kind.value if row.kind is not None else "",
                row.attempts,
                row.next_try,
                row.reason,
            )
            for row in reports.queue()
        )
        limit = Amount(self._parts.rules.offline.total_minor, currency)
        return QueueShown(waiting, pending.total(currency), pending.oldest_at, limit)

    def _history(self, query: str) -> HistoryShown:
        currency = self._parts.settings.config.till.currency
        now = self._parts.clock.now().astimezone(self._parts.rules.zone)
        offset = now.utcoffset() or timedelta()
        found = History(self._books(), currency).find(
            query, utc_offset_minutes=int(offset.total_seconds() // 60)
        )
        return HistoryShown(query, tuple(Found(*row) for row in found))

    def _sale(self, question: Question, name: str) -> Answer:
        currency = self._parts.settings.config.till.currency
        txn_id = History(self._books(), currency).named(name)
        if not txn_id:
            return Unanswered(question, f"No sale is called {name!r}.", "Search the history.")
        sale = self._parts.journal.transaction(txn_id)
        receipt = receipt_of(self._parts, sale)
        text = ""
        if receipt is not None:
            language = language_for(sale, self._parts.settings.config.shop.language)
            lines = receipt_lines(receipt, self._parts.rules.zone, language)
            text = columns(lines, RECEIPT_COLUMNS)
        return self._shown(sale, _squeezed(text))

    def _shown(self, sale: Transaction, receipt: str) -> SaleShown:
        """The sale with what can still be undone of it."""
        if sale.state is State.HELD:
            return SaleShown(sale, receipt, voidable=True)
        plain = sale.kind is TransactionKind.SALE and sale.state is State.APPROVED
        by_card = sale.terms.tender is Tender.CARD
        left = self._parts.journal.standing(sale.txn_id).refundable_minor if plain else 0
        open_batch = Reports(self._books()).open_batch()
        untouched = left == (sale.approved_minor or sale.amount.minor)
        return SaleShown(
            sale,
            receipt,
            refundable=Amount(left, sale.amount.currency) if plain and by_card and left else None,
            voidable=plain and untouched and sale.batch == open_batch,
        )

    def _day(self) -> DayShown:
        reports = Reports(self._books())
        batch = reports.open_batch()
        sales = reports.transactions(limit=_DAY_MAX, batch=batch)
        currency = self._parts.settings.config.till.currency
        report = add_up("X", batch, self._parts.clock.now(), currency, sales)
        return with_what_is_open(DayShown(report, cash=cash_of(sales, currency)), self._books())

    def _pin(self, question: Question, pin: str) -> Answer:
        """Looks at a PIN; argon2id takes its time, which is why it is done here."""
        staff = Staff(
            self._parts.journal.store,
            self._parts.keystore,
            self._parts.clock,
            self._parts.entropy,
        )
        admission = staff.verify(pin)
        if isinstance(admission, Authorised):
            return SignedIn(admission)
        if admission.wait_s > 0:
            return Unanswered(question, "wait", f"{admission.wait_s:.0f}")
        return Unanswered(question, "wrong")


def _squeezed(receipt: str) -> str:
    """A receipt's lines without the blanks between: a code on a screen has room for little."""
    lines = (" ".join(line.split()) for line in receipt.splitlines())
    return "\n".join(line for line in lines if line)


def anybody(parts: Parts) -> bool:
    """Whether somebody has a PIN here."""
    with suppress(TerminalError):
        staff = Staff(parts.journal.store, parts.keystore, parts.clock, parts.entropy)
        return not staff.empty
    return False
