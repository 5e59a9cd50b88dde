"""The till for learners: a book of its own, cards on the screen, and no money anywhere.

Rules of this file: it has no reader, no acquirer and no ledger, so nothing that happens here can
reach any of them. The last two digits of an amount decide how a sale ends, as response codes of
ISO 8583 do at a bank's test host: 51 is refused, 10 paid in part, 68 never answered, 91 kept for
later. Everything that it makes is marked as training.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from terminal.emv.outcome import MessageId
from terminal.money import Amount
from terminal.progress import Authorising, CardRead, Presenting, Prompted
from terminal.settlement import report as add_up
from terminal.terms import A_SALE, Tender, Terms
from terminal.transaction import (
    AuthorisationSent,
    Cancelled,
    CardSummary,
    Event,
    FateUnknown,
    HoldApproved,
    HostApproved,
    HostDeclined,
    ReversalConfirmed,
    SaleIntended,
    State,
    StoredOffline,
    TenderConfirmed,
    Transaction,
    TransactionKind,
)
from ui.counter_questions import BillsShown, BillsWanted, TenderWanted
from ui.events import (
    Finished,
    NetworkChanged,
    PendingChanged,
    ReaderChanged,
    SaleChanged,
    TillEvent,
)
from ui.questions import (
    CopyWanted,
    DayClosed,
    DayShown,
    DayWanted,
    Done,
    Found,
    HistoryShown,
    HistoryWanted,
    HoldsShown,
    HoldsWanted,
    Question,
    QueueShown,
    QueueWanted,
    SaleShown,
    SaleWanted,
    Unanswered,
    Waiting,
)

PRESENT_S = 60.0
AUTHORISE_S = 15.0
DECLINED = frozenset({5, 14, 41, 43, 51, 54, 57, 61, 62, 65, 75})
PARTLY, UNANSWERED, AWAY = 10, 68, 91
_CARDS = {
    "card": CardSummary("tok_training", "•••• 0010", "Visa", "", "Training card", "t", 0),
    "phone": CardSummary(
        "tok_training", "•••• 0028", "Mastercard", "", "Training phone", "t", 0, device="phone"
    ),
}


class TrainingTill:
    """A till that plays: every method answers at once. ``now`` tells the time."""

    def __init__(self, now: Callable[[], datetime], limit: Amount) -> None:
        self.events: queue.SimpleQueue[TillEvent] = queue.SimpleQueue()
        self.wake: Callable[[], None] = lambda: None
        self._now = now
        self._limit = limit
        self._book: dict[str, Transaction] = {}
        self._hand: Transaction | None = None
        self._asked_phone = False

    @property
    def book(self) -> tuple[Transaction, ...]:
        """Everything that was practised, oldest first."""
        return tuple(self._book.values())

    def begin(self) -> None:
        """Says how things stand, as a till does when it starts."""
        self._tell(ReaderChanged(ok=True, text="Training"), NetworkChanged(online=True))
        self._tell_pending()

    # -- as a till -------------------------------------------------------------------------------

    def charge(self, amount: Amount, cashier: str = "", terms: Terms = A_SALE) -> None:
        """Waits for a card of the screen."""
        if self._hand is not None:
            return
        self._hand = self._begun(amount, cashier, terms)
        self._asked_phone = False
        self._tell(Presenting(amount, PRESENT_S))

    def _begun(self, amount: Amount, cashier: str, terms: Terms) -> Transaction:
        number = len(self._book) + 1
        return Transaction.begin(
            SaleIntended(
                at=self._now(),
                txn_id=f"training_{number:012d}",
                sequence=number,
                amount=amount,
                cashier=cashier,
                training=True,
                terms=terms,
            )
        )

    def cancel(self) -> None:
        """Stops waiting."""
        if self._hand is not None:
            self._end(Cancelled(self._now(), "Cancelled by the cashier."))

    def forward_now(self) -> None:
        """The network of the training is back whenever somebody asks for it."""
        self._tell(NetworkChanged(online=True))
        for sale in [each for each in self.book if not each.final]:
            event: Event = (
                HostApproved(self._now(), "00", "000000", sale.amount.minor)
                if sale.stored_offline
                else ReversalConfirmed(self._now(), "00")
            )
            self._keep(sale.after(event))
            self._tell(SaleChanged(self._book[sale.txn_id]))
        self._tell_pending()

    def ask(self, question: Question, by: str = "") -> None:
        """Answers from the book of the training."""
        del by
        match question:
            case QueueWanted():
                self._tell(self._queue())
            case HistoryWanted(query):
                found = [_found(sale) for sale in reversed(self.book)]
                shown = tuple(row for row in found if _matches(row, query))
                self._tell(HistoryShown(query, shown))
            case SaleWanted(name) if name in self._book:
                self._tell(SaleShown(self._book[name], f"TRAINING\n{self._book[name].amount}"))
            case DayWanted() | DayClosed():
                sales = [replace(sale, training=False) for sale in self.book]
                kind = "X" if isinstance(question, DayWanted) else "Z"
                report = add_up(kind, 1, self._now(), self._limit.currency, sales)
                self._tell(DayShown(report, closed=isinstance(question, DayClosed)))
            case CopyWanted():
                self._tell(Done(question, "TRAINING"))
            case TenderWanted(tender=Tender.CASH):
                self._cash(question)
            case HoldsWanted():
                holds = tuple(sale for sale in self.book if sale.state is State.HELD)
                self._tell(HoldsShown(holds))
            case BillsWanted():
                self._tell(BillsShown(()))
            case _:
                self._tell(Unanswered(question, "Training has none of this."))

    def _cash(self, wanted: TenderWanted) -> None:
        """Cash of the training: the change is real, the drawer is not."""
        if self._hand is not None:
            return
        terms = Terms(tender=Tender.CASH, tip_minor=wanted.tip_minor, parts=wanted.parts)
        self._hand = self._begun(wanted.amount, wanted.cashier, terms)
        given = wanted.tendered.minor if wanted.tendered is not None else wanted.amount.minor
        self._end(TenderConfirmed(self._now(), 1, wanted.cashier, tendered_minor=given))

    # -- the cards on the screen -------------------------------------------------------------------

    def tap(self, card: str) -> None:
        """A card of the screen is held: ``card``, ``phone`` or ``two``."""
        sale = self._hand
        if sale is None:
            return
        if card == "two":
            self._tell(Prompted(MessageId.ONE_CARD_ONLY))
            return
        if card == "phone" and not self._asked_phone:
            self._asked_phone = True
            self._tell(Prompted(MessageId.SEE_PHONE))
            return
        summary = _CARDS[card]
        self._tell(CardRead(0.3, 0.004))
        at, number = self._now(), sale.sequence
        cents = sale.amount.minor % 100
        if cents == AWAY:
            self._tell(NetworkChanged(online=False))
            self._end(StoredOffline(at, summary, number, f"{number:012d}", 1, "Training."))
            return
        self._tell(Authorising(AUTHORISE_S))
        self._hand = sale.after(AuthorisationSent(at, summary, number, f"{number:012d}", 1))
        if cents == UNANSWERED:
            self._end(FateUnknown(at, "Training."))
        elif cents in DECLINED:
            self._end(HostDeclined(at, f"{cents:02d}", "Training."))
        else:
            part = sale.amount.minor * 3 // 5 if cents == PARTLY else sale.amount.minor
            code = "10" if cents == PARTLY else "00"
            if sale.kind is TransactionKind.HOLD:
                self._end(HoldApproved(at, "00", "000000"))
            else:
                self._end(HostApproved(at, code, "000000", part))

    def _end(self, event: Event) -> None:
        if self._hand is None:
            raise AssertionError("nothing is in hand")
        sale, self._hand = self._hand.after(event), None
        self._keep(sale)
        self._tell(Finished(sale, None))
        self._tell_pending()

    def _keep(self, sale: Transaction) -> None:
        self._book[sale.txn_id] = sale

    def _queue(self) -> QueueShown:
        waiting = [sale for sale in self.book if not sale.final]
        total = Amount(sum(sale.amount.minor for sale in waiting), self._limit.currency)
        oldest = min((sale.created_at for sale in waiting), default=None)
        shown = tuple(Waiting(sale, "", 0, None, sale.reason) for sale in waiting)
        return QueueShown(shown, total, oldest, self._limit)

    def _tell_pending(self) -> None:
        queue_now = self._queue()
        left = max(0, self._limit.minor - queue_now.total.minor)
        self._tell(
            PendingChanged(
                len(queue_now.waiting),
                queue_now.total,
                queue_now.oldest_at,
                Amount(left, self._limit.currency),
            )
        )

    def _tell(self, *events: TillEvent) -> None:
        for event in events:
            self.events.put(event)
        self.wake()


def _found(sale: Transaction) -> Found:
    return Found(
        sale.txn_id,
        sale.sequence,
        sale.created_at.isoformat(),
        sale.amount.minor,
        sale.amount.currency.code,
        sale.state.value,
        sale.card.scheme if sale.card else "",
        sale.card.masked_pan if sale.card else "",
        1,
    )


def _matches(row: Found, query: str) -> bool:
    digits = "".join(letter for letter in query if letter.isdigit())
    if not query:
        return True
    known = (str(row.amount_minor), row.masked_pan[-4:], row.txn_id, row.scheme.lower())
    return query.lower() in known or (bool(digits) and digits in known)
