"""The till's thread: owns the reader, takes one payment at a time, and tells a face about it.

Rules of this file: a face puts wishes in and reads frozen events out; nothing mutable is shared.
A payment that breaks a rule of ours ends as what is certain about it, and the till goes out of
service: it never limps on. The forwarder runs on its own thread with its own link.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from offline_queue.reports import Reports
from offline_queue.sync import LineChanged, News, Progress, SaleMoved, Trouble
from terminal.checkout import Ports, pay
from terminal.errors import (
    AnswerLost,
    PrinterError,
    ReaderUnplugged,
    StoreError,
    TerminalError,
)
from terminal.iso8583.messages import reversal_of
from terminal.money import Amount
from terminal.ports import Reader
from terminal.receipt import Receipt
from terminal.terms import A_SALE, Terms
from terminal.transaction import State, Transaction
from ui.clerk import Clerk, anybody
from ui.closer import Closer
from ui.counter import keep_feedback, print_copy
from ui.counter_questions import BillClosing, BillOpening, DrawerBegun, DrawerCounting, DrawerMoving
from ui.events import (
    Finished,
    Forwarding,
    NetworkChanged,
    OutOfService,
    PendingChanged,
    ReaderChanged,
    ReceiptDone,
    Refused,
    SaleChanged,
    StaffChanged,
    TillEvent,
)
from ui.no_reader import NoReader
from ui.questions import (
    Answer,
    CopyWanted,
    DayClosed,
    Done,
    FeedbackGiven,
    HoldTaken,
    Question,
    RefundWanted,
    Unanswered,
    VoidWanted,
)
from ui.reporting.receipts import in_shop_language
from ui.tendering import ByTender, bill_moved, bill_of, code_of, drawer_moved, needs_card, taken
from ui.undoing import undo
from ui.wiring import Parts, forwarder, receipt_of

IDLE_CHECKPOINT_S = 1.0


@dataclass(frozen=True, slots=True)
class _Charge:
    amount: Amount
    cashier: str
    terms: Terms


_Undo = RefundWanted | VoidWanted | HoldTaken
_Money = _Charge | _Undo | ByTender
_Bill = BillOpening | BillClosing
_Drawer = DrawerBegun | DrawerMoving | DrawerCounting
_Counter = CopyWanted | FeedbackGiven | _Bill | _Drawer
_Wish = _Money | _Counter
_FOR_THE_TILL = _Counter
"""Questions that change the books, or need the printer: both belong to the till's thread."""


def _by_card(wish: _Money) -> bool:
    return isinstance(wish, _Charge | RefundWanted) or (
        isinstance(wish, ByTender) and needs_card(wish)
    )


class Till:
    """A running till. ``wake`` is called after each event, from whichever thread made it."""

    def __init__(self, parts: Parts, wake: Callable[[], None] = lambda: None) -> None:
        self.events: queue.SimpleQueue[TillEvent] = queue.SimpleQueue()
        self.wake = wake
        self._parts = parts
        self._wishes: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        self._cancel = threading.Event()
        self._busy = threading.Event()
        self._untidy = True
        self._closed: OutOfService | None = None
        self._reader: Reader | None = None
        self._reader_told: ReaderChanged | None = None
        self._sync = forwarder(parts, self._heard)
        self._clerk = Clerk(parts, self._tell)
        self._closer = Closer(parts, self._sync, self._tell)
        self._link = parts.acquirer.link()
        self._thread = threading.Thread(target=self._run, name="till", daemon=True)

    # -- for the face, from any thread ---------------------------------------------------------

    def start(self) -> None:
        """Starts the till and its forwarder."""
        self._thread.start()
        self._sync.start()
        self._clerk.start()
        self._closer.start()

    def charge(self, amount: Amount, cashier: str = "", terms: Terms = A_SALE) -> None:
        """Asks for one payment. A second wish while one runs is dropped, so it cannot double.

        A till that is out of service says so again, and takes none.
        """
        self._begin(_Charge(amount, cashier, terms))

    def _begin(self, wish: _Money) -> None:
        if self._closed is not None:
            self._tell(self._closed)
        elif not self._busy.is_set():
            self._busy.set()
            self._cancel.clear()
            # While the card is found, the line is measured: nobody waits for one that is down.
            self._sync.measure()
            self._wishes.put(wish)

    def cancel(self) -> None:
        """Stops waiting for a card. What has been sent already is not affected."""
        self._cancel.set()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Ends the payment in hand as cancelled, then both threads."""
        self._cancel.set()
        self._wishes.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._closer.stop()
        self._sync.stop()
        self._clerk.stop()

    def forward_now(self) -> None:
        """Wakes the forwarder instead of letting it wait for its next look."""
        self._sync.kick()

    def ask(self, question: Question, by: str = "") -> None:
        """Asks the books; the answer comes as an event."""
        del by  # The books note the cashier of a sale; what else is done is noted with its PIN.
        if isinstance(question, _Undo | ByTender):
            self._begin(question)
        elif isinstance(question, DayClosed):
            self._closer.ask(question)
        elif isinstance(question, _FOR_THE_TILL):
            self._wishes.put(question)
        else:
            self._clerk.ask(question)

    # -- the till's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        try:
            for sale in (*self._parts.recovered.interrupted, *self._parts.recovered.reversing):
                self._tell(SaleChanged(sale))
            self._tell_pending()
            self._tell(StaffChanged(anybody(self._parts)))
            with suppress(TerminalError):
                self._open_reader()
            while self._serve():
                pass
        except Exception as broken:  # noqa: BLE001 - the top of a thread: nothing may vanish here
            self._end_half_done()
            self._close(f"The till has stopped ({type(broken).__name__}).")
        finally:
            if self._reader is not None:
                self._reader.close()
            self._link.close()

    def _serve(self) -> bool:
        """One wish, or one idle moment; False when the till is to stop."""
        try:
            wish = self._wishes.get(timeout=IDLE_CHECKPOINT_S)
        except queue.Empty:
            # What a sale has erased leaves the disk at the first idle moment after it.
            if self._untidy:
                # A disk in trouble is told at the next sale, which is refused with its reason.
                with suppress(StoreError):
                    self._untidy = not self._parts.journal.housekeeping()
            # A reader that was plugged in is found without anybody asking for it.
            with suppress(TerminalError):
                self._open_reader()
            return True
        if wish is None:
            return False
        if isinstance(wish, _Counter):
            self._tell(self._done(wish))
            return True
        try:
            receipt = self._charge(wish)
        except AssertionError as broken:
            self._end_half_done()
            self._close(f"The till stopped a payment itself: {broken}.")
        else:
            if receipt is not None:
                self._print(receipt)
        return self._closed is None

    def _done(self, wish: _Counter) -> Answer:
        """What was asked for beside a payment, done between two of them."""
        try:
            match wish:
                case CopyWanted(txn_id):
                    return Done(wish, print_copy(self._parts, txn_id))
                case BillOpening() | BillClosing():
                    return bill_moved(self._parts, wish)
                case DrawerBegun() | DrawerMoving() | DrawerCounting():
                    return drawer_moved(self._parts, wish)
                case FeedbackGiven():
                    return Done(wish, keep_feedback(self._parts, wish))
        except TerminalError as failed:
            return Unanswered(wish, failed.message, failed.remedy)

    def _moved(self, reader: Reader, wish: _Money) -> Transaction:
        """The money as it has moved, one way or the other."""
        ports, rules = self._ports(reader), self._parts.rules
        if isinstance(wish, _Charge):
            return pay(ports, rules, wish.amount, cashier=wish.cashier, terms=wish.terms)
        if isinstance(wish, ByTender):
            return taken(self._parts, ports, wish, self._cancel.wait)
        return undo(self._parts, ports, wish)

    def _charge(self, wish: _Money) -> Receipt | None:
        """One payment, up to what is said about its end; the receipt that is to be printed."""
        try:
            sale = self._moved(self._open_reader() if _by_card(wish) else NoReader(), wish)
        except ReaderUnplugged as gone:
            self._drop_reader(gone)
            self._end(Refused(gone.message, gone.remedy, type(gone).__name__))
        except AnswerLost as lost:
            return self._end_in_doubt(lost)
        except TerminalError as broken:
            # Nothing was sent. Where the ledger works again, what was begun gets its end now.
            with suppress(StoreError):
                self._recover()
            self._end(Refused(broken.message, broken.remedy, type(broken).__name__))
        else:
            return self._finish(sale)
        return None

    def _end_in_doubt(self, lost: AnswerLost) -> Receipt | None:
        """The acquirer was asked, and the ledger failed: reverse the sale, or close the till."""
        try:
            sales = self._recover()
        except StoreError:
            sales = []
        if not sales:
            self._close(lost.message, lost.remedy, type(lost).__name__)
            return None
        return self._finish(sales[-1])

    def _end_half_done(self) -> None:
        """We, or a driver, broke a rule: what the payment in hand has become is said now.

        Where that cannot be recorded either, it is done when the till starts again.
        """
        with suppress(TerminalError, AssertionError):
            for sale in self._recover():
                self._tell(Finished(sale, receipt_of(self._parts, sale)))

    def _recover(self) -> list[Transaction]:
        """Gives what a payment left half done its state, as after a crash."""
        profile = self._parts.rules.profile
        recovered = self._parts.journal.recover(lambda sent: reversal_of(profile, sent))
        self._sync.kick()
        return [*recovered.interrupted, *recovered.reversing]

    def _ports(self, reader: Reader) -> Ports:
        parts = self._parts
        return Ports(
            reader=reader,
            host=self._link,
            journal=parts.journal,
            sealer=parts.acquirer.sealer,
            keystore=parts.keystore,
            clock=parts.clock,
            entropy=parts.entropy,
            show=self._tell,
            cancelled=self._cancel.is_set,
            host_online=lambda: self._sync.online is not False,
            line_seen=self._sync.observe,
        )

    def _finish(self, sale: Transaction) -> Receipt | None:
        """Says how it ended. The receipt is printed after that: paper is slow, the sale is safe."""
        self._untidy = True
        receipt = receipt_of(self._parts, sale)
        self._end(Finished(sale, receipt))
        with suppress(TerminalError):
            if sale.terms.bill or sale.still_due_minor:
                self._tell(bill_of(self._parts, sale))
            if sale.state is State.AWAITED:
                self._tell(code_of(self._parts, sale))
        # The end stands and has been said; a total that cannot be had must not keep its receipt.
        with suppress(TerminalError):
            self._tell_pending()
        if not sale.response_code or not sale.final:
            # The host has not spoken, or a void or a hold that is taken waits for it: the screen
            # should know how that goes before the next customer comes.
            self._sync.kick()
        return receipt

    def _print(self, receipt: Receipt) -> None:
        try:
            lines = in_shop_language(self._parts, receipt)
            where = self._parts.printer.print(receipt.number, lines)
        except PrinterError as failed:
            note = f"{failed.message} {failed.remedy}"
            self._tell(ReceiptDone(receipt.transaction.txn_id, ok=False, note=note))
        else:
            self._tell(ReceiptDone(receipt.transaction.txn_id, ok=True, note=where))

    # -- the reader ------------------------------------------------------------------------------

    def _open_reader(self) -> Reader:
        """The reader, opened anew if it was lost.

        Raises:
            TerminalError: there is none.
        """
        if self._reader is None:
            try:
                self._reader = self._parts.open_reader()
            except TerminalError as absent:
                self._tell_reader(ReaderChanged(ok=False, text=absent.message))
                raise
            self._tell_reader(ReaderChanged(ok=True, text=self._reader.name))
        return self._reader

    def _drop_reader(self, gone: TerminalError) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._tell_reader(ReaderChanged(ok=False, text=gone.message))

    def _tell_reader(self, event: ReaderChanged) -> None:
        """Says how the reader is, once for each change."""
        if self._reader_told is None or event.ok is not self._reader_told.ok:
            self._reader_told = event
            self._tell(event)

    # -- telling ---------------------------------------------------------------------------------

    def _tell(self, event: TillEvent) -> None:
        self.events.put(event)
        self.wake()

    def _end(self, event: Finished | Refused) -> None:
        """Says how a payment ended. Free before that is said: a face may charge again at once."""
        self._busy.clear()
        self._tell(event)

    def _close(self, message: str, remedy: str = "", fault: str = "") -> None:
        self._closed = OutOfService(message, remedy or _RESTART, fault)
        self._tell(self._closed)

    def _tell_pending(self) -> None:
        waiting = Reports(self._parts.journal.store).pending()
        currency = self._parts.settings.config.till.currency
        total = waiting.total(currency)
        left = max(0, self._parts.rules.offline.total_minor - total.minor)
        self._tell(PendingChanged(waiting.count, total, waiting.oldest_at, Amount(left, currency)))

    def _heard(self, news: News) -> None:
        """Called on the forwarder's thread: the line or an earlier sale has changed."""
        match news:
            case LineChanged(online=online, degraded=degraded):
                self._tell(NetworkChanged(online, degraded=degraded))
            case Progress(done=done, total=total, left=left):
                currency = self._parts.settings.config.till.currency
                self._tell(Forwarding(done, total, Amount(left.get(currency, 0), currency)))
            case SaleMoved(transaction=sale):
                self._tell(SaleChanged(sale))
                self._tell_pending()
            case Trouble():
                # Sales can still be taken and stored; what waits is on the screen, and the
                # forwarder tries again and says so when it is through.
                self._tell(NetworkChanged(online=False))


_RESTART = "Restart the till. What it has recorded is safe."
