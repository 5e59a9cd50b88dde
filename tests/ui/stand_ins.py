"""A till and a bench that do what a test tells them, and sales in every state."""

from __future__ import annotations

import queue
from collections.abc import Callable
from datetime import UTC, datetime

from terminal.bench import BenchCard, BenchSwitch
from terminal.catalogue import Catalogue
from terminal.errors import ReaderNotFound
from terminal.money import Amount, Currency
from terminal.terms import A_SALE, Terms
from terminal.transaction import (
    AuthorisationSent,
    Cancelled,
    CardDeclined,
    CardSummary,
    FateUnknown,
    HoldApproved,
    HostApproved,
    HostDeclined,
    Interrupted,
    ReversalConfirmed,
    SaleIntended,
    SetAside,
    State,
    StoredOffline,
    Tender,
    Transaction,
    TransactionKind,
    TransferShown,
    VoidConfirmed,
    VoidSent,
)
from ui.counter_questions import CatalogueShown, CatalogueWanted
from ui.events import (
    Authorising,
    CardRead,
    Finished,
    NetworkChanged,
    PendingChanged,
    Presenting,
    ReceiptDone,
    SaleChanged,
    TillEvent,
)
from ui.questions import Question

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
EUR = Currency.of("EUR")
AMOUNT = Amount(1250, EUR)
CARD = CardSummary(
    token="tok_0",
    masked_pan="\u2022\u2022\u2022\u2022 1234",
    scheme="Visa",
    aid="A0000000031010",
    label="VISA CREDIT",
    fingerprint="f",
    fingerprint_epoch=1,
)


def sale(state: State, amount: Amount = AMOUNT, txn_id: str = "t1") -> Transaction:
    """A sale in this state, by the events that lead there."""
    begun = Transaction.begin(SaleIntended(NOW, txn_id, 1, amount))
    sent = begun.after(AuthorisationSent(NOW, CARD, 1, "000000000001", 1))
    stored = begun.after(StoredOffline(NOW, CARD, 1, "000000000001", 1, "offline"))
    unknown = sent.after(FateUnknown(NOW, "silent"))
    asked = Transaction.begin(
        SaleIntended(NOW, txn_id, 1, amount, terms=Terms(TransactionKind.HOLD))
    ).after(AuthorisationSent(NOW, CARD, 1, "000000000001", 1))
    by_transfer = Transaction.begin(
        SaleIntended(NOW, txn_id, 1, amount, terms=Terms(tender=Tender.TRANSFER))
    )
    approved = sent.after(HostApproved(NOW, "00", "123456", amount.minor))
    voiding = approved.after(VoidSent(NOW, "wrong amount"))
    made = {
        State.INTENDED: begun,
        State.AUTHORISING: sent,
        State.STORED: stored,
        State.APPROVED: approved,
        State.HELD: asked.after(HoldApproved(NOW, "00", "123456")),
        State.AWAITED: by_transfer.after(TransferShown(NOW, "T-1")),
        State.VOIDING: voiding,
        State.VOIDED: voiding.after(VoidConfirmed(NOW, "00")),
        State.DECLINED: sent.after(HostDeclined(NOW, "51", "no funds")),
        State.DECLINED_AFTER_FORWARD: stored.after(HostDeclined(NOW, "51", "no funds")),
        State.UNKNOWN: unknown,
        State.REVERSED: unknown.after(ReversalConfirmed(NOW, "00")),
        State.SET_ASIDE: stored.after(SetAside(NOW, "30", "format")),
        State.CANCELLED: begun.after(Cancelled(NOW, "nobody tapped")),
        State.INTERRUPTED: begun.after(Interrupted(NOW, "power")),
    }
    return made[state]


def part_paid(amount: Amount = AMOUNT) -> Transaction:
    """A sale of which the bank paid three fifths."""
    return sale(State.AUTHORISING, amount).after(
        HostApproved(NOW, "10", "123456", amount.minor * 3 // 5)
    )


def declined_by_card() -> Transaction:
    """A sale that never met the bank."""
    return sale(State.INTENDED).after(CardDeclined(NOW, "the card said no", CARD))


class StandInTill:
    """Records what it is asked, and says what a test puts into ``events``."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[TillEvent] = queue.SimpleQueue()
        self.wake: Callable[[], None] = lambda: None
        self.charged: list[Amount] = []
        self.terms: list[Terms] = []
        self.asked: list[Question] = []
        self.cancels = 0
        self.sent_now = 0
        self.sold = Catalogue()

    def tell(self, *events: TillEvent) -> None:
        """Events, as the till's thread would put them."""
        for event in events:
            self.events.put(event)
            self.wake()

    def charge(self, amount: Amount, cashier: str = "", terms: Terms = A_SALE) -> None:
        self.charged.append(amount)
        self.terms.append(terms)

    def cancel(self) -> None:
        self.cancels += 1

    def forward_now(self) -> None:
        self.sent_now += 1

    def ask(self, question: Question, by: str = "") -> None:
        self.asked.append(question)
        if isinstance(question, CatalogueWanted):
            self.tell(CatalogueShown(self.sold))


class StandInBench:
    """Two cards and two switches, and a list of what was done to them."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.on: set[str] = set()
        self.doses = 0

    title = "What card and reader say"

    def cards(self) -> tuple[BenchCard, ...]:
        return (
            BenchCard("visa", "Visa credit", "approves", "Visa", "#1A1F71"),
            BenchCard("mc", "Mastercard", "approves", "Mastercard", "#F79E1B"),
            BenchCard("tag", "Sticker", "no payment", "", "#FFFFFF"),
        )

    def tap(self, card_id: str) -> None:
        if card_id not in {card.id for card in self.cards()}:
            raise ReaderNotFound(f"There is no card {card_id!r}.")
        self.done.append(("tap", card_id))

    def remove(self) -> None:
        self.done.append(("remove",))

    def switches(self) -> tuple[BenchSwitch, ...]:
        return tuple(
            BenchSwitch(name, label, name in self.on, value)
            for name, label, value in (
                ("slow", "Slow card", f"{100 + self.doses} ms"),
                ("offline", "Cut the network", ""),
            )
        )

    def step(self, switch_id: str) -> None:
        self.done.append(("step", switch_id))
        self.doses += 1

    def set_switch(self, switch_id: str, on: bool) -> None:  # noqa: FBT001 - as in the protocol
        self.done.append(("set", switch_id, str(on)))
        self.on = self.on | {switch_id} if on else self.on - {switch_id}

    def log(self) -> tuple[str, ...]:
        return tuple(" ".join(each) for each in self.done)


class StandInBooks(StandInBench):
    """A bench without cards, as an acquirer has."""

    title = "What the bank's books say"

    def cards(self) -> tuple[BenchCard, ...]:
        return ()


class PlayedTill(StandInTill):
    """A till that sells: a card on its bench ends the sale, by the amount's last two digits."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = _PlayedBench(self)
        self.forwards = True
        self._amount: Amount | None = None
        self._count = 0
        self._stored: list[Transaction] = []

    def charge(self, amount: Amount, cashier: str = "", terms: Terms = A_SALE) -> None:
        super().charge(amount, cashier, terms)
        self._amount = amount
        self.tell(Presenting(amount, 30.0))

    def cancel(self) -> None:
        super().cancel()
        if self._amount is not None:
            self.tell(Finished(sale(State.CANCELLED, self._amount), None))
            self._amount = None

    def card_tapped(self) -> None:
        """What a tap leads to; a tap while nothing is charged leads nowhere."""
        if self._amount is None:
            return
        amount, self._amount = self._amount, None
        self._count += 1
        name = f"t{self._count}"
        self.tell(CardRead())
        if "offline" in self.bench.on:
            stored = sale(State.STORED, amount, name)
            self._stored.append(stored)
            self.tell(NetworkChanged(online=False), Finished(stored, None))
            self.tell(PendingChanged(len(self._stored), amount))
            return
        self.tell(Authorising(15.0))
        state = State.DECLINED if amount.minor % 100 == 51 else State.APPROVED
        self.tell(Finished(sale(state, amount, name), None))
        self.tell(ReceiptDone(name, ok=True, note="receipts/1.txt"))

    def forward_now(self) -> None:
        if not self.forwards or "offline" in self.bench.on:
            return
        self.tell(NetworkChanged(online=True))
        for stored in self._stored:
            self.tell(SaleChanged(stored.after(HostApproved(NOW, "00", "654321", 1))))
        self._stored = []


class _PlayedBench(StandInBench):
    def __init__(self, till: PlayedTill) -> None:
        super().__init__()
        self._till = till

    def tap(self, card_id: str) -> None:
        super().tap(card_id)
        self._till.card_tapped()
