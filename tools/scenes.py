"""Plays every key screen of the till: the events and touches that lead to each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from terminal.bill import Bill, BillStanding
from terminal.drawer import DrawerStanding
from terminal.emv.outcome import MessageId
from terminal.money import Amount, Currency, Total
from terminal.settlement import report as add_up
from terminal.transaction import (
    AuthorisationSent,
    Cancelled,
    CardSummary,
    FateUnknown,
    HostApproved,
    HostDeclined,
    RiskRefused,
    SaleIntended,
    State,
    StoredOffline,
    Tender,
    TenderConfirmed,
    Transaction,
)
from ui.counter_questions import BillsShown, CodeShown, DrawerShown
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
    StaffChanged,
    TillEvent,
)
from ui.presenter.panel import Place
from ui.presenter.tap import Tap
from ui.presenter.touches import (
    AskTip,
    Back,
    Cancel,
    Digit,
    Done,
    DoubleZero,
    Enter,
    Go,
    OpenSale,
    ShowReceipt,
    TipOther,
    Touch,
    Undo,
)
from ui.questions import (
    DayHeld,
    DayShown,
    Found,
    HistoryShown,
    HoldsShown,
    QueueShown,
    SaleShown,
    Waiting,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CARD = CardSummary(
    "tok_0", "\u2022\u2022\u2022\u2022 1234", "Visa", "A0000000031010", "VISA CREDIT", "f", 1
)


class Stage(Protocol):
    """What plays the scenes: a window with an app, fed by hand."""

    app: Any

    def tell(self, *events: TillEvent) -> None:
        """Events from the till, and the frames that show them."""

    def touch(self, *touches: Touch) -> None:
        """The cashier's touches."""

    def frames(self, count: int) -> None:
        """Lets the app draw."""


def scenes(studio: Stage) -> Iterator[str]:
    """Plays every key screen, and yields its name when it is up."""
    currency: Currency = studio.app.state.currency
    unit = 10**currency.exponent if currency.code == "IRR" else 1
    amount = Amount(1250 * unit * (1000 if unit > 1 else 1), currency)
    begun = Transaction.begin(SaleIntended(NOW, "t1", 1, amount))
    sent = begun.after(AuthorisationSent(NOW, CARD, 1, "000000000001", 1))
    yield "start"
    studio.touch(*(Digit(int(each)) for each in str(amount.minor // unit)))
    yield "amount"
    yield from _other_ways(studio, begun, unit)
    studio.tell(Presenting(amount, 60.0))
    yield "present"
    studio.tell(Prompted(MessageId.ONE_CARD_ONLY))
    yield "one-card-only"
    studio.tell(Prompted(MessageId.SEE_PHONE))
    yield "see-phone"
    studio.tell(CardRead())
    yield "card-read"
    studio.tell(Authorising(15.0))
    yield "authorising"
    approved = sent.after(HostApproved(NOW, "00", "123456", amount.minor))
    studio.tell(Finished(approved, None), ReceiptDone("t1", ok=True, note="receipt"))
    yield "approved"
    partly = sent.after(HostApproved(NOW, "10", "123456", amount.minor * 3 // 5))
    studio.tell(Finished(partly, None))
    yield "partly"
    studio.tell(Finished(sent.after(HostDeclined(NOW, "51", "")), None))
    yield "declined"
    yield from _without_the_bank(studio, begun)
    studio.tell(NetworkChanged(online=False), PendingChanged(3, Amount(amount.minor * 3, currency)))
    stored = begun.after(StoredOffline(NOW, CARD, 1, "000000000001", 1, ""))
    studio.tell(Finished(stored, None))
    yield "stored"
    studio.tell(Finished(sent.after(FateUnknown(NOW, "")), None))
    yield "unknown"
    studio.touch(Done())
    yield "start-offline"
    studio.tell(NetworkChanged(online=True))
    studio.tell(Presenting(amount, 60.0))
    studio.touch(Cancel())
    yield "cancelling"
    studio.tell(Finished(begun.after(Cancelled(NOW, "")), None))
    yield "cancelled"
    studio.tell(ReaderChanged(ok=False, text=""))
    studio.tell(
        Refused("The reader PN532 on /dev/ttyUSB0 is gone.", "Plug it in again.", "ReaderUnplugged")
    )
    yield "refused"
    studio.touch(Done())
    yield "no-reader"
    studio.tell(
        OutOfService("The ledger cannot be written.", "Free some space on the disk.", "StoreFull")
    )
    yield "closed"


def _other_ways(studio: Stage, begun: Transaction, unit: int) -> Iterator[str]:
    """The tip, and the amount paid in cash, in parts, and by transfer."""
    amount = begun.amount
    studio.touch(AskTip())
    yield "tip"
    studio.touch(TipOther(), Digit(2), DoubleZero())
    yield "tip-other"
    studio.touch(Cancel(), Cancel(), Go("ways"))
    yield "ways"
    studio.touch(Go("cash"))
    yield "cash-exact"
    studio.touch(*(Digit(int(each)) for each in str(amount.minor * 8 // 5 // unit)))
    yield "cash"
    bill = Bill("B1", amount)
    studio.touch(Back(), Go("split"))
    studio.app.shell = replace(studio.app.shell, split=BillStanding(bill, NOW))
    studio.touch(*(Digit(int(each)) for each in str(amount.minor // 2 // unit)))
    yield "split"
    studio.touch(Back(), Go("bills"))
    studio.tell(BillsShown((BillStanding(replace(bill, label="Table 7"), NOW),)))
    yield "bills"
    code = CodeShown("t1", TRANSFER, "TAP00001-000012")
    shell = replace(studio.app.shell, code=code, place=Place.TRANSFER, awaiting=True)
    studio.app.shell = replace(shell, till=replace(shell.till, transaction=begun))
    studio.app.render()
    studio.frames(4)
    yield "transfer"
    studio.app.shell = replace(shell, awaiting=False)
    studio.app.render()
    studio.frames(4)
    yield "transfer-late"
    studio.touch(Back(), Back())


def _without_the_bank(studio: Stage, begun: Transaction) -> Iterator[str]:
    """A limit of the till's own, and cash."""
    amount = begun.amount
    refused = begun.after(RiskRefused(NOW, "Offline limit reached.", CARD, "TOTAL"))
    studio.tell(Finished(refused, None))
    yield "over-the-limit"
    in_cash = replace(begun, terms=replace(begun.terms, tender=Tender.CASH))
    studio.tell(
        Finished(
            in_cash.after(TenderConfirmed(NOW, 1, "Ana", tendered_minor=amount.minor * 8 // 5)),
            None,
        )
    )
    yield "cash-taken"


def _books(currency: Currency, amount: Amount) -> tuple[list[Transaction], list[Found]]:
    """A day of sales in every state, and its lines in the history."""
    sales = []
    schemes = ("Visa", "Mastercard", "Maestro", "American Express")
    for index, state in enumerate((*State, State.APPROVED, State.APPROVED)):
        card = replace(CARD, scheme=schemes[index % 4], masked_pan=f"•••• {1234 + 1111 * index}")
        worth = Amount(amount.minor * (index + 2) // 3 // 100 * 100 or 100, currency)
        sales.append(
            replace(
                Transaction.begin(
                    SaleIntended(
                        NOW - timedelta(minutes=17 * index), f"sale_{index:020x}", index, worth
                    )
                ),
                state=state,
                card=card,
                approved_minor=worth.minor if state is State.APPROVED else 0,
                approval_code="123456" if state is State.APPROVED else "",
                response_code="51" if state is State.DECLINED else "",
                rrn=f"{index:012d}",
                cashier="Ana",
            )
        )
    found = [
        Found(
            sale.txn_id,
            sale.sequence,
            sale.created_at.isoformat(),
            sale.amount.minor,
            currency.code,
            sale.state.value,
            sale.card.scheme if sale.card else "",
            sale.card.masked_pan if sale.card else "",
            0,
        )
        for sale in sales
    ]
    return sales, found


TRANSFER = "BCD\n002\n1\nSCT\n\nCorner Coffee\nES9121000418450200051332\nEUR12.50\n\n\nTAP1-12"
RECEIPT = """Corner Coffee
2026-01-01 12:00  TAP00001-000012
TOTAL EUR 12.50
APPROVED  Visa •••• 1234
Approval 123456  RRN 000000000001
Returns within 14 days with this receipt."""


def _day_scenes(
    studio: Stage, amount: Amount, sales: list[Transaction], waiting: list[Transaction]
) -> Iterator[str]:
    """The end of the day, holds, and what is sent."""
    currency = amount.currency
    report = add_up("X", 7, NOW, currency, sales)
    drawer = DrawerStanding(currency, NOW, "Ana", amount.minor * 8, amount.minor * 12)
    opened = DayShown(
        report,
        cash=Total(25150, currency),
        bills=(BillStanding(Bill("B1", amount), NOW),),
        awaited=(replace(sales[0], state=State.AWAITED),),
        drawer=drawer,
    )
    studio.tell(opened)
    yield "day"
    studio.app.view.current.ids.listing.scroll_y = 0
    studio.frames(4)
    yield "day-open"
    studio.touch(Go("count"), *(Digit(int(each)) for each in "25000"))
    yield "day-count"
    studio.touch(Enter())
    studio.tell(DrawerShown(replace(drawer, counted_minor=25000, difference_minor=-amount.minor)))
    studio.app.view.current.ids.listing.scroll_y = 0
    studio.frames(4)
    yield "day-compare"
    studio.tell(DayHeld(tuple(waiting[:3])))
    yield "day-held"
    closed = replace(report, kind="Z")
    studio.tell(DayShown(closed, closed=True, settlement="balanced", carried=tuple(waiting[:3])))
    yield "day-closed"
    studio.touch(Back(), Go("holds"))
    held = [replace(sale, state=State.HELD) for sale in sales[:3]]
    studio.tell(HoldsShown(tuple(held)))
    yield "holds"
    studio.touch(OpenSale(held[1].txn_id))
    studio.tell(SaleShown(held[1], RECEIPT, voidable=True))
    yield "hold"
    studio.touch(Undo("take"))
    yield "hold-take"
    studio.touch(Back(), Back(), Back(), Go("queue"))
    studio.tell(Forwarding(37, 412, Amount(amount.minor * 96, currency)))
    yield "sending"


def office_scenes(studio: Stage) -> Iterator[str]:
    """Plays the places around the sale, and yields the name of each when it is up."""
    currency: Currency = studio.app.state.currency
    amount = Amount(1250 * (100_000 if currency.code == "IRR" else 1), currency)
    sales, found = _books(currency, amount)
    waiting = [sale for sale in sales if not sale.final and sale.state is not State.INTENDED]
    total = Amount(sum(sale.amount.minor for sale in waiting), currency)
    studio.tell(
        NetworkChanged(online=False),
        PendingChanged(
            len(waiting), total, NOW - timedelta(hours=3), Amount(total.minor * 3, currency)
        ),
        ReaderChanged(ok=True, text="ACS ACR1252 Dual Reader"),
    )
    yield "offline-banner"
    studio.touch(Go("menu"))
    yield "menu"
    studio.touch(Go("queue"))
    studio.tell(
        QueueShown(
            tuple(
                Waiting(sale, "advice", 2, NOW + timedelta(seconds=40), "No line.")
                for sale in waiting
            ),
            total,
            NOW - timedelta(hours=3),
            Amount(total.minor * 5 // 4, currency),
        )
    )
    yield "queue"
    studio.touch(Back(), Go("history"))
    studio.tell(HistoryShown("", tuple(found)))
    yield "history"
    studio.touch(OpenSale(sales[3].txn_id))
    studio.tell(SaleShown(sales[3], RECEIPT))
    yield "sale"
    studio.touch(ShowReceipt())
    yield "receipt"
    studio.touch(Back(), Back(), Back(), Go("day"))
    yield from _day_scenes(studio, amount, sales, waiting)
    studio.tell(NetworkChanged(online=False))
    studio.touch(Back(), Go("reader"))
    for card_s, again in ((0.31, 0), (0.34, 0), (1.4, 2), (0.29, 0)):
        studio.app.shell = replace(
            studio.app.shell, taps=(*studio.app.shell.taps, Tap(card_s, 0.004, again))
        )
    studio.app.render()
    studio.frames(4)
    yield "reader"
    studio.touch(Back(), Go("settings"))
    yield "settings"
    studio.touch(Back(), Go("help"))
    yield "help"
    studio.touch(Go("tour"))
    yield "tour"
    studio.touch(Back(), Back(), Go("safety"))
    yield "safety"
    studio.touch(Back())
    studio.tell(StaffChanged(anybody=True))
    studio.touch(Digit(1), Digit(2))
    yield "lock"
