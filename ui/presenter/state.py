"""The state of the face: a pure fold over the till's events and the cashier's touches.

Rules of this file: ``after`` never blocks, never fails on an event that comes late or twice,
and never shows money as taken before the till says that it is committed. A double touch is
harmless because the second one meets a state that has no use for it; no timer is involved.

::

    AMOUNT --Charge--> PRESENT --CardRead--> PROCESSING --Finished--> RESULT --Done--> AMOUNT
     | ^                ^ |                       |                      |
     | '----------------|-'--Finished, Refused----'                      '--Charge--> PRESENT
     '--AskTip--> TIP --Tip
    any --OutOfService--> CLOSED
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from offline_queue.habits import Usual
from terminal.bill import BillStanding
from terminal.emv.outcome import MessageId
from terminal.money import MINOR_MAX, Amount, Currency
from terminal.terms import A_SALE, Part, Terms
from terminal.transaction import MoneyTaken, Transaction
from ui.events import (
    Finished,
    Forwarding,
    NetworkChanged,
    OutOfService,
    PendingChanged,
    ReaderChanged,
    ReceiptDone,
    SaleChanged,
    StaffChanged,
    TillEvent,
)
from ui.presenter import later, telling
from ui.presenter.basket import Basket
from ui.presenter.item_touches import AddTyped, ItemTouch
from ui.presenter.keypad import Keyed, keyed
from ui.presenter.screens import Screen
from ui.presenter.touches import (
    AddTip,
    AskTip,
    AskWish,
    Backspace,
    Cancel,
    CancelWish,
    Charge,
    ChargeWish,
    Clear,
    Digit,
    Done,
    DoubleZero,
    Hold,
    OfficeTouch,
    Overdue,
    Preset,
    Tip,
    TipOther,
    Touch,
    Wish,
)
from ui.presenter.units import shown_decimals
from ui.presenter.verdict import REPEATABLE, Verdict
from ui.presenter.wishes import wish_for
from ui.questions import Answer


@dataclass(frozen=True, slots=True)
class ViewState:
    """All that the face knows.

    ``typed`` is what the keypad has collected, in the smallest unit that people use of the
    currency. ``wait_s`` is how long the present wait may take, and ``wait_number`` changes
    with each new wait, so that a face knows when to start a countdown afresh. ``overdue`` is a
    wait that has gone on for longer than it may. ``card_language`` is what the card prefers.
    ``returning`` says that the money is to go back: a refund or a void is in hand. ``terms`` are
    those of the payment in hand; while a tip is asked for, ``amount`` is what it is added to, and
    ``tip_typed`` what the customer has typed of it, None while there are keys to choose from.
    ``basket`` is what was taken of the shop's items beside it.
    ``bill`` is what the payment on the screen is a part of, ``usual`` what its card usually does
    here, and ``sending`` how far what waited has
    come on its way to the bank.
    """

    currency: Currency
    screen: Screen = Screen.AMOUNT
    typed: int = 0
    basket: Basket = field(default_factory=Basket)
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
    terms: Terms = A_SALE
    tip_typed: int | None = None
    bill: BillStanding | None = None
    usual: Usual | None = None
    sending: Forwarding | None = None
    verdict: Verdict | None = None
    transaction: Transaction | None = None
    receipt_ok: bool = True
    receipt_note: str = ""
    message: str = ""
    remedy: str = ""
    fault: str = ""
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
    def due(self) -> Amount:
        """What is to be paid now: the order, and what is typed beside it."""
        return self.basket.due(self.typed_amount)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What that is for; nothing is known of an amount that was typed alone."""
        return self.basket.parts(self.typed_amount)

    def lost(self, code: str) -> ViewState:
        """Nothing that is sold here has this barcode."""
        return replace(self, basket=self.basket.unknown(code))

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
            return self.due.minor > 0
        return self.may_repeat

    @property
    def may_repeat(self) -> bool:
        """Whether the result on show leaves an amount to ask for again."""
        ended = self.screen is Screen.RESULT and self.verdict in REPEATABLE
        # What was to go back must never be charged by a second touch.
        return ended and self.amount is not None and not self.returning

    @property
    def rest(self) -> Amount:
        """What is left to pay of the bill, or of what a card has paid in part."""
        if self.bill is not None:
            return self.bill.due
        due = self.transaction.still_due_minor if self.transaction is not None else 0
        return Amount(due, self.currency)

    @property
    def left_to_pay(self) -> Amount:
        """What the customer on the screen still has to pay, by whatever they like."""
        if self.may_charge_rest:
            return self.rest
        again = self.amount if self.may_repeat else None
        return again if again is not None else Amount(0, self.currency)

    @property
    def may_charge_rest(self) -> bool:
        """Whether something is left to pay, and the next one can be asked for it."""
        open_bill = self.bill is not None or self.verdict is Verdict.PARTLY_APPROVED
        known = self.verdict is not Verdict.UNKNOWN and not self.returning
        return self.screen is Screen.RESULT and open_bill and known and self.rest.minor > 0

    @property
    def money_taken(self) -> MoneyTaken:
        """The answer that a result owes everybody."""
        return MoneyTaken.NO if self.transaction is None else self.transaction.money_taken

    def wish(self, touch: Touch) -> Wish | None:
        """What the till is to be asked to do for this touch, in this state."""
        return wish_for(self, touch)

    @property
    def typed_tip(self) -> Amount:
        """The tip as it has been typed."""
        return Amount((self.tip_typed or 0) * self._unit, self.currency)

    def after(self, happening: TillEvent | Touch) -> ViewState:
        """The state once the event or the touch has happened."""
        if isinstance(happening, OfficeTouch):
            return self
        if isinstance(happening, ItemTouch):
            return self._taken(happening)
        match happening:
            case Digit() | DoubleZero() | Backspace() | Clear() | Preset():
                return self._keyed(happening)
            case Overdue(number):
                late = number == self.wait_number and self._may_be_late
                return replace(self, overdue=True) if late else self
            case AskTip() | TipOther():
                return self._tipping(happening)
            case Charge() | Cancel() | Done() | Hold() | Tip() | AddTip():
                return self._commanded(happening)
            case _:
                return self._told(happening)

    @property
    def _may_be_late(self) -> bool:
        """Whether somebody waits here for something that the till has to say."""
        waits = self.screen in (Screen.PRESENT, Screen.PROCESSING)
        return waits or self.verdict is Verdict.UNKNOWN

    def _keyed(self, key: Keyed) -> ViewState:
        """One key of the keypad; a key that would pass twelve digits of minor units is ignored."""
        if self.screen is Screen.TIP and self.tip_typed is not None and self.amount is not None:
            typed = keyed(self.tip_typed, key, self._unit)
            most = MINOR_MAX - self.amount.minor
            return self if typed * self._unit > most else replace(self, tip_typed=typed)
        if self.screen is not Screen.AMOUNT:
            return self
        if isinstance(key, Clear) and not self.typed:
            return replace(self, basket=self.basket.cleared())
        typed = keyed(self.typed, key, self._unit)
        if typed * self._unit > MINOR_MAX:
            return self
        after = replace(self, typed=typed, basket=self.basket.calm())
        return after if after.basket.fits(after.typed_amount) else self

    def _taken(self, touch: ItemTouch) -> ViewState:
        """A touch about the order, which can be changed before its payment has begun."""
        if self.screen is not Screen.AMOUNT:
            return self
        basket = self.basket.after(touch, self.typed_amount)
        added = isinstance(touch, AddTyped) and basket.order != self.basket.order
        return replace(self, basket=basket, typed=0 if added else self.typed)

    def _tipping(self, touch: AskTip | TipOther) -> ViewState:
        """The customer is asked for a tip, or wants to type one."""
        if isinstance(touch, TipOther):
            return replace(self, tip_typed=0) if self.screen is Screen.TIP else self
        if self.screen is not Screen.AMOUNT or not self.may_charge:
            return self
        fresh = replace(self.fresh(), screen=Screen.TIP, amount=self.due)
        return replace(fresh, typed=self.typed, returning=False)

    def _commanded(self, touch: Charge | Cancel | Done | Hold | Tip | AddTip) -> ViewState:
        """The face answers in the same frame; the till's own event follows."""
        wish = self.wish(touch)
        match wish:
            case ChargeWish(amount, terms):
                return replace(
                    self.fresh(),
                    screen=Screen.PRESENT,
                    amount=amount,
                    terms=terms,
                    returning=False,
                    typed=self.typed if self.screen is Screen.AMOUNT else 0,
                )
            case AskWish():
                rest = replace(self.fresh(), screen=Screen.PRESENT, amount=self.rest, typed=0)
                return replace(rest, returning=False)
            case CancelWish():
                return replace(self, cancelling=True)
            case _ if self.screen is Screen.TIP and isinstance(touch, Cancel):
                if self.tip_typed is not None:
                    return replace(self, tip_typed=None)
                return replace(self.fresh(), typed=self.typed)
            case _:
                leaving = isinstance(touch, Done) and self.screen is Screen.RESULT
                return replace(self.fresh(), typed=0, returning=False) if leaving else self

    def fresh(self) -> ViewState:
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
            terms=A_SALE,
            tip_typed=None,
            bill=None,
            usual=None,
            verdict=None,
            transaction=None,
            receipt_ok=True,
            receipt_note="",
            message="",
            remedy="",
            fault="",
        )

    def _told(self, event: TillEvent) -> ViewState:
        if isinstance(event, Answer):
            return later.answered(self, event)
        match event:
            case ReaderChanged(ok, text):
                return replace(self, reader_ok=ok, reader_text=text)
            case NetworkChanged(online):
                return replace(self, online=online, sending=self.sending if online else None)
            case Forwarding(done, total):
                return replace(self, sending=event if done < total else None)
            case PendingChanged(count, total, since, left):
                return replace(
                    self,
                    sending=self.sending if count else None,
                    pending_count=count,
                    pending_total=total,
                    pending_since=since,
                    pending_left=left,
                )
            case StaffChanged():
                return self
            case SaleChanged(transaction):
                return later.moved_on(self, transaction)
            case ReceiptDone():
                return later.printed(self, event)
            case OutOfService(message, remedy, fault):
                closed = replace(self, screen=Screen.CLOSED, verdict=None)
                return replace(closed, message=message, remedy=remedy, fault=fault)
            case Finished():
                return telling.finished(self, event)
            case _:
                return self if self.screen is Screen.CLOSED else telling.in_sale(self, event)
