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

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from terminal.emv.outcome import MessageId
from terminal.money import MINOR_MAX, Amount, Currency
from terminal.transaction import MONEY_TAKEN, MoneyTaken, State, Transaction
from ui.events import (
    Authorising,
    CardRead,
    Finished,
    NetworkChanged,
    OutOfService,
    PendingChanged,
    Presenting,
    Prompted,
    ReaderChanged,
    ReceiptDone,
    Refused,
    SaleChanged,
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
    Touch,
    Wish,
)


class Screen(Enum):
    """Which of the screens is up."""

    AMOUNT = "amount"
    PRESENT = "present"
    PROCESSING = "processing"
    RESULT = "result"
    CLOSED = "closed"


class Verdict(Enum):
    """How a sale ended, in as many words as a cashier needs."""

    APPROVED = "approved"
    PARTLY_APPROVED = "partly approved"
    DECLINED = "declined"
    STORED = "stored"
    UNKNOWN = "unknown"
    REVERSED = "reversed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


VERDICTS: Mapping[State, Verdict] = MappingProxyType(
    {
        State.INTENDED: Verdict.CANCELLED,
        State.AUTHORISING: Verdict.UNKNOWN,
        State.STORED: Verdict.STORED,
        State.APPROVED: Verdict.APPROVED,
        State.DECLINED: Verdict.DECLINED,
        State.DECLINED_AFTER_FORWARD: Verdict.DECLINED,
        State.UNKNOWN: Verdict.UNKNOWN,
        State.REVERSED: Verdict.REVERSED,
        State.SET_ASIDE: Verdict.STORED,
        State.CANCELLED: Verdict.CANCELLED,
        State.INTERRUPTED: Verdict.CANCELLED,
    }
)

REPEATABLE = frozenset({Verdict.DECLINED, Verdict.CANCELLED, Verdict.REFUSED, Verdict.REVERSED})
"""Verdicts after which the same amount may be asked for again: no money was taken."""

APPROVED_STAYS_S = 4.0
"""How long an approval stays before the next sale; other results wait for a person."""

WHOLE_UNITS = frozenset({"HUF", "IRR"})
"""Currencies whose ISO 4217 decimals nobody types or prints (CLDR gives IRR none)."""


def shown_decimals(currency: Currency) -> int:
    """How many decimals a person types and reads in this currency."""
    return 0 if currency.code in WHOLE_UNITS else currency.exponent


@dataclass(frozen=True, slots=True)
class ViewState:
    """All that the face knows.

    ``typed`` is what the keypad has collected, in the smallest unit that people use of the
    currency. ``wait_s`` is how long the present wait may take, and ``wait_number`` changes
    with each new wait, so that a face knows when to start a countdown afresh.
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
        return (
            self.screen is Screen.RESULT and self.verdict in REPEATABLE and self.amount is not None
        )

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
            case Cancel() if self.screen is Screen.PRESENT and not self.cancelling:
                return CancelWish()
            case _:
                return None

    def after(self, happening: TillEvent | Touch) -> ViewState:
        """The state once the event or the touch has happened."""
        match happening:
            case Digit() | DoubleZero() | Backspace() | Clear():
                return self._keyed(happening)
            case Charge() | Cancel() | Done():
                return self._commanded(happening)
            case _:
                return self._told(happening)

    def _keyed(self, key: Digit | DoubleZero | Backspace | Clear) -> ViewState:
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
                    typed=self.typed if self.screen is Screen.AMOUNT else 0,
                )
            case CancelWish():
                return replace(self, cancelling=True)
            case None:
                leaving = isinstance(touch, Done) and self.screen is Screen.RESULT
                return replace(self._fresh(), typed=0) if leaving else self

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
            verdict=None,
            transaction=None,
            receipt_ok=True,
            receipt_note="",
            message="",
            remedy="",
        )

    def _told(self, event: TillEvent) -> ViewState:
        match event:
            case ReaderChanged(ok, text):
                return replace(self, reader_ok=ok, reader_text=text)
            case NetworkChanged(online):
                return replace(self, online=online)
            case PendingChanged(count, total):
                return replace(self, pending_count=count, pending_total=total)
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
            case CardRead():
                return replace(
                    self._fresh(),
                    screen=Screen.PROCESSING,
                    amount=self.amount,
                    prompt=MessageId.CARD_READ_OK,
                )
            case Authorising(timeout_s):
                return replace(
                    self._fresh(),
                    screen=Screen.PROCESSING,
                    amount=self.amount,
                    prompt=MessageId.AUTHORISING,
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
        verdict = _verdict(sale)
        return replace(
            self._fresh(),
            screen=Screen.RESULT,
            amount=sale.amount,
            verdict=verdict,
            transaction=sale,
            last=sale,
            typed=0,
            wait_s=APPROVED_STAYS_S if verdict is Verdict.APPROVED else 0.0,
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
            moved = replace(moved, transaction=sale, verdict=_verdict(sale))
        return moved


def _verdict(sale: Transaction) -> Verdict:
    if sale.state is State.APPROVED and sale.still_due_minor:
        return Verdict.PARTLY_APPROVED
    return VERDICTS[sale.state]


if set(VERDICTS) != set(MONEY_TAKEN):
    raise AssertionError("each state of a sale needs a verdict")
