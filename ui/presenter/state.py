"""The state of the face: a pure fold over the till's events and the cashier's touches.

Rules of this file: ``after`` never blocks, never fails on an event that comes late or twice,
and never shows money as taken before the till says that it is committed. A double touch is
harmless because the second one meets a state that has no use for it; no timer is involved.

::

    AMOUNT --Charge--> PRESENT --CardRead--> PROCESSING --Finished--> RESULT --Done--> AMOUNT
       ^                  |                       |                      |
       '------------------'--Finished, Refused----'                      '--Charge--> PRESENT
    any --OutOfService--> CLOSED
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from terminal.emv.outcome import MessageId
from terminal.money import MINOR_MAX, Amount, Currency
from terminal.transaction import MoneyTaken, Transaction
from ui.events import (
    Authorising,
    CardRead,
    Finished,
    Forwarding,
    NetworkChanged,
    OutOfService,
    PendingChanged,
    Presenting,
    Prompted,
    ReaderChanged,
    ReceiptDone,
    Refused,
    SaleChanged,
    StaffChanged,
    TillEvent,
)
from ui.presenter.touches import (
    Backspace,
    Cancel,
    CancelWish,
    Charge,
    ChargeWish,
    Clear,
    Digit,
    Done,
    DoubleZero,
    OfficeTouch,
    Overdue,
    Preset,
    Touch,
    Wish,
)
from ui.presenter.units import shown_decimals
from ui.presenter.verdict import REPEATABLE, Verdict, verdict_of
from ui.questions import Answer


class Screen(Enum):
    """Which of the screens is up."""

    AMOUNT = "amount"
    PRESENT = "present"
    PROCESSING = "processing"
    RESULT = "result"
    CLOSED = "closed"


APPROVED_STAYS_S = 4.0
"""How long an approval stays before the next sale; other results wait for a person."""

UNKNOWN_CHECK_S = 30.0
"""How long the till tells the seconds while it asks the bank about a sale of unknown fate."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """All that the face knows.

    ``typed`` is what the keypad has collected, in the smallest unit that people use of the
    currency. ``wait_s`` is how long the present wait may take, and ``wait_number`` changes
    with each new wait, so that a face knows when to start a countdown afresh. ``overdue`` is a
    wait that has gone on for longer than it may. ``card_language`` is what the card prefers.
    ``returning`` says that the money is to go back: a refund or a void is in hand.
    """

    currency: Currency
    screen: Screen = Screen.AMOUNT
    typed: int = 0
    amount: Amount | None = None
    armed: bool = False
    cancelling: bool = False
    prompt: MessageId = MessageId.WELCOME
    note: str = ""
    wait_s: float = 0.0
    wait_number: int = 0
    overdue: bool = False
    card_language: str = ""
    returning: bool = False
    verdict: Verdict | None = None
    transaction: Transaction | None = None
    receipt_ok: bool = True
    receipt_note: str = ""
    message: str = ""
    remedy: str = ""
    reader_ok: bool = True
    reader_text: str = ""
    online: bool = True
    pending_count: int = 0
    pending_total: Amount | None = None
    pending_since: datetime | None = None
    pending_left: Amount | None = None
    last: Transaction | None = None

    @property
    def typed_amount(self) -> Amount:
        """What the keypad shows, as money."""
        return Amount(self.typed * self._unit, self.currency)

    @property
    def _unit(self) -> int:
        """Minor units in one step of the keypad: 1, but 100 for the rial."""
        steps: int = 10 ** (self.currency.exponent - shown_decimals(self.currency))
        return steps

    @property
    def may_charge(self) -> bool:
        """Whether the Charge key does something here.

        A missing reader is no reason against it: the till looks for the reader again when it
        is asked to charge, and says so if it is still missing.
        """
        if self.screen is Screen.AMOUNT:
            return self.typed > 0
        return self.may_repeat

    @property
    def may_repeat(self) -> bool:
        """Whether the result on show leaves an amount to ask for again."""
        ended = self.screen is Screen.RESULT and self.verdict in REPEATABLE
        # What was to go back must never be charged by a second touch.
        return ended and self.amount is not None and not self.returning

    @property
    def rest(self) -> Amount:
        """What a partial approval has left to pay."""
        due = self.transaction.still_due_minor if self.transaction is not None else 0
        return Amount(due, self.currency)

    @property
    def may_charge_rest(self) -> bool:
        """Whether the rest of a partly paid sale can be asked of the next card."""
        partly = self.screen is Screen.RESULT and self.verdict is Verdict.PARTLY_APPROVED
        return partly and self.rest.minor > 0

    @property
    def money_taken(self) -> MoneyTaken:
        """The answer that a result owes everybody."""
        return MoneyTaken.NO if self.transaction is None else self.transaction.money_taken

    def wish(self, touch: Touch) -> Wish | None:
        """What the till is to be asked to do for this touch, in this state."""
        match touch:
            case Charge() if self.screen is Screen.AMOUNT and self.may_charge:
                return ChargeWish(self.typed_amount)
            case Charge() if self.may_repeat and self.amount is not None:
                return ChargeWish(self.amount)
            case Charge() if self.may_charge_rest:
                return ChargeWish(self.rest)
            case Cancel() if self.screen is Screen.PRESENT and not self.cancelling:
                return CancelWish()
            case _:
                return None

    def after(self, happening: TillEvent | Touch) -> ViewState:
        """The state once the event or the touch has happened."""
        if isinstance(happening, OfficeTouch):
            return self
        match happening:
            case Digit() | DoubleZero() | Backspace() | Clear() | Preset():
                return self._keyed(happening)
            case Overdue(number):
                late = number == self.wait_number and self._may_be_late
                return replace(self, overdue=True) if late else self
            case Charge() | Cancel() | Done():
                return self._commanded(happening)
            case _:
                return self._told(happening)

    @property
    def _may_be_late(self) -> bool:
        """Whether somebody waits here for something that the till has to say."""
        waits = self.screen in (Screen.PRESENT, Screen.PROCESSING)
        return waits or self.verdict is Verdict.UNKNOWN

    def _keyed(self, key: Digit | DoubleZero | Backspace | Clear | Preset) -> ViewState:
        """One key of the keypad; a key that would pass twelve digits of minor units is ignored."""
        if self.screen is not Screen.AMOUNT:
            return self
        match key:
            case Digit(value):
                typed = self.typed * 10 + value
            case DoubleZero():
                typed = self.typed * 100
            case Backspace():
                typed = self.typed // 10
            case Clear():
                typed = 0
            case Preset(amount):
                typed = amount.minor // self._unit
        return self if typed * self._unit > MINOR_MAX else replace(self, typed=typed)

    def _commanded(self, touch: Charge | Cancel | Done) -> ViewState:
        """The face answers in the same frame; the till's own event follows."""
        wish = self.wish(touch)
        match wish:
            case ChargeWish(amount):
                return replace(
                    self._fresh(),
                    screen=Screen.PRESENT,
                    amount=amount,
                    returning=False,
                    typed=self.typed if self.screen is Screen.AMOUNT else 0,
                )
            case CancelWish():
                return replace(self, cancelling=True)
            case _:
                leaving = isinstance(touch, Done) and self.screen is Screen.RESULT
                return replace(self._fresh(), typed=0, returning=False) if leaving else self

    def _fresh(self) -> ViewState:
        """This state without anything of the sale that was in hand."""
        return replace(
            self,
            screen=Screen.AMOUNT,
            amount=None,
            armed=False,
            cancelling=False,
            prompt=MessageId.WELCOME,
            note="",
            wait_s=0.0,
            overdue=False,
            card_language="",
            verdict=None,
            transaction=None,
            receipt_ok=True,
            receipt_note="",
            message="",
            remedy="",
        )

    def _told(self, event: TillEvent) -> ViewState:
        if isinstance(event, Answer):
            return self
        match event:
            case ReaderChanged(ok, text):
                return replace(self, reader_ok=ok, reader_text=text)
            case NetworkChanged(online):
                return replace(self, online=online)
            case PendingChanged(count, total, since, left):
                return replace(
                    self,
                    pending_count=count,
                    pending_total=total,
                    pending_since=since,
                    pending_left=left,
                )
            case StaffChanged() | Forwarding():
                return self
            case SaleChanged(transaction):
                return self._moved_on(transaction)
            case ReceiptDone():
                return self._printed(event)
            case OutOfService(message, remedy):
                return replace(
                    self, screen=Screen.CLOSED, message=message, remedy=remedy, verdict=None
                )
            case Finished():
                return self._finished(event)
            case _:
                return self if self.screen is Screen.CLOSED else self._in_sale(event)

    def _in_sale(
        self, event: Presenting | Prompted | CardRead | Authorising | Refused
    ) -> ViewState:
        match event:
            case Presenting(amount, timeout_s):
                return replace(
                    self._fresh(),
                    screen=Screen.PRESENT,
                    amount=amount,
                    armed=True,
                    cancelling=self.cancelling,
                    prompt=MessageId.PRESENT_CARD,
                    wait_s=timeout_s,
                    wait_number=self.wait_number + 1,
                )
            case Prompted(message, note):
                return replace(self, prompt=message, note=note)
            case CardRead(languages=languages):
                return replace(
                    self._fresh(),
                    screen=Screen.PROCESSING,
                    amount=self.amount,
                    prompt=MessageId.CARD_READ_OK,
                    card_language=languages[0] if languages else "",
                )
            case Authorising(timeout_s):
                return replace(
                    self._fresh(),
                    screen=Screen.PROCESSING,
                    amount=self.amount,
                    prompt=MessageId.AUTHORISING,
                    card_language=self.card_language,
                    wait_s=timeout_s,
                    wait_number=self.wait_number + 1,
                )
            case Refused(message, remedy):
                return replace(
                    self._fresh(),
                    screen=Screen.RESULT,
                    amount=self.amount,
                    verdict=Verdict.REFUSED,
                    message=message,
                    remedy=remedy,
                    typed=0,
                )

    def _finished(self, event: Finished) -> ViewState:
        sale = event.transaction
        if self.screen is Screen.CLOSED:
            return replace(self, last=sale)
        verdict = verdict_of(sale)
        stays = {Verdict.APPROVED: APPROVED_STAYS_S, Verdict.UNKNOWN: UNKNOWN_CHECK_S}
        return replace(
            self._fresh(),
            screen=Screen.RESULT,
            amount=sale.amount,
            verdict=verdict,
            transaction=sale,
            last=sale,
            typed=0,
            card_language=self.card_language,
            wait_s=stays.get(verdict, 0.0),
            wait_number=self.wait_number + 1,
        )

    def _printed(self, event: ReceiptDone) -> ViewState:
        """Where the paper of the sale on the screen is, or why there is none."""
        shown = self.transaction
        if self.screen is not Screen.RESULT or shown is None or shown.txn_id != event.txn_id:
            return self
        return replace(self, receipt_ok=event.ok, receipt_note=event.note)

    def _moved_on(self, sale: Transaction) -> ViewState:
        """An earlier sale changed: shown in place if it is the one on the screen."""
        moved = self
        if self.last is not None and self.last.txn_id == sale.txn_id:
            moved = replace(moved, last=sale)
        shown = self.transaction
        if self.screen is Screen.RESULT and shown is not None and shown.txn_id == sale.txn_id:
            ended = verdict_of(sale)
            if ended is not self.verdict:
                # What was counted down to has come.
                moved = replace(moved, wait_s=0.0, wait_number=self.wait_number + 1)
            moved = replace(moved, transaction=sale, verdict=ended, overdue=False)
        return moved
