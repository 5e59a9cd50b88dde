"""Bills: whoever pays which part by which means, the parts are the bill, to the cent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.bills import Bills, NewBill
from offline_queue.day_reports import DayReports
from terminal.bill import Bill, BillStanding, PartWish, equal_parts
from terminal.dayreport import DayReport, Figure
from terminal.errors import AmountError, StoreError
from terminal.ledger import Kind, OutboxItem, Outgoing
from terminal.money import Amount, Currency
from terminal.parting import judge_part, pay_part
from terminal.terms import Part, Tender, Terms, tax_in
from terminal.transaction import (
    FateUnknown,
    HostApproved,
    HostDeclined,
    ReversalConfirmed,
    State,
    TenderConfirmed,
    Transaction,
)
from tests.day.conftest import DayShop, opened
from tests.offline_queue.sales import START, Till, reversal_of

CURRENCIES = [Currency.of(code) for code in ("JPY", "EUR", "KWD")]
LINES = st.lists(
    st.builds(
        lambda group, rate, gross: Part(group, rate, gross, tax_in(gross, rate)),
        *(st.sampled_from("ab"), st.sampled_from([0, 550, 2100]), st.integers(1, 50_000)),
    ),
    min_size=1,
    max_size=5,
).map(tuple)
ENDS = ["approved", "in part", "declined", "unknown", "cash", "answers come"]


class Table:
    """One bill of a real ledger, and customers who pay it as they like."""

    def __init__(self, path: Path, currency: Currency, parts: tuple[Part, ...]) -> None:
        self.till = Till(path)
        self.bills = Bills(self.till.store, self.till.clock)
        self.total = Amount(sum(part.gross_minor for part in parts), currency)
        names = tuple(f"line {number}" for number in range(len(parts)))
        self.name = self.bills.open(NewBill(self.total, parts, names)).bill.name
        self.count = 0

    def now(self) -> BillStanding:
        return self.bills.standing(self.name)

    def pays(self, wish: PartWish, end: str, share: int) -> None:
        journal, at = self.till.journal, self.till.clock.now()
        txn_id = f"p{self.count}"
        self.count += 1

        if end == "cash":
            wish = replace(wish, tender=Tender.CASH)
        judge = judge_part(wish, 1)
        sale = journal.open_part(
            txn_id=txn_id, bill=self.name, lines=wish.lines, at=at, cashier="", judge=judge
        )
        if end == "cash":
            journal.book(txn_id, lambda batch: TenderConfirmed(at, batch))
            return
        _, item = journal.enqueue(txn_id, self.till.sent)
        minor = sale.amount.minor
        match end:
            case "declined":
                journal.commit(txn_id, HostDeclined(at, "51", "no funds"), done=item)
            case "unknown":
                back = Outgoing(Kind.REVERSAL, reversal_of(item.message))
                journal.commit(txn_id, FateUnknown(at, "silent"), done=item, queue=back)
            case _:
                minor = minor if end == "approved" else max(1, minor * share // 100)
                code = "00" if minor == sale.amount.minor else "10"
                journal.commit(txn_id, HostApproved(at, code, "1", minor), done=item)

    def answers_come(self) -> None:
        """Nothing of what was in doubt was taken."""
        with self.till.store.read() as connection:
            found = connection.execute("SELECT item, txn_id FROM outbox").fetchall()
        for item, txn_id in found:
            done = OutboxItem(int(str(item)), str(txn_id), "", Kind.REVERSAL, b"")
            undone = ReversalConfirmed(self.till.clock.now(), "00")
            self.till.journal.commit(str(txn_id), undone, done=done)

    def report(self) -> DayReport:
        (found,) = DayReports(self.till.store).of_batch("X", 1, START, self.total.currency)
        return found

    def adds_up(self) -> None:
        now = self.now()
        assert now.paid.minor + now.doubt.minor + now.due.minor == self.total.minor
        assert now.open is bool(now.due.minor or now.doubt.minor)
        assert [each.bill.name for each in self.bills.unpaid()] == [self.name] * now.open
        report = self.report()
        assert report.due == Figure(int(now.due.minor > 0), now.due.minor)
        assert report.sales.minor - report.tips.minor == now.paid.minor

    def is_whole(self) -> None:
        """Once it is paid, its goods and taxes are those of its payments."""
        now = self.now()
        assert not now.open
        paid: Counter[tuple[str, str, int]] = Counter()
        for payment in now.payments:
            if payment.state is State.APPROVED:
                for part in payment.terms.parts:
                    paid["gross", part.group, part.rate_bp] += part.gross_minor
                    paid["tax", part.group, part.rate_bp] += part.tax_minor
        wanted: Counter[tuple[str, str, int]] = Counter()
        for part in now.bill.parts:
            wanted["gross", part.group, part.rate_bp] += part.gross_minor
            wanted["tax", part.group, part.rate_bp] += part.tax_minor
        assert +paid == +wanted


@settings(max_examples=15, deadline=None, print_blob=True)
@given(st.data(), st.sampled_from(CURRENCIES), LINES)
def test_whoever_pays_how_the_parts_are_the_bill(
    data: st.DataObject, currency: Currency, parts: tuple[Part, ...]
) -> None:
    with TemporaryDirectory() as folder:
        table = Table(Path(folder) / "ledger.db", currency, parts)
        for _ in range(data.draw(st.integers(0, 6))):
            end = data.draw(st.sampled_from(ENDS))
            now = table.now()
            if end == "answers come" or not now.due.minor:
                table.answers_come()
                continue
            wish = data.draw(a_wish(now))
            try:
                table.pays(wish, end, data.draw(st.integers(1, 99)))
            except AmountError:
                # A line of which a part is paid cannot be paid as a line any more.
                assert wish.lines
            table.adds_up()
        table.answers_come()
        for end in ("in part", "approved"):
            if table.now().due.minor:
                table.pays(PartWish(), end, 60)
                table.adds_up()
        table.is_whole()
        table.till.store.verify()
        table.till.journal.close()


@st.composite
def a_wish(draw: st.DrawFn, now: BillStanding) -> PartWish:
    tip = draw(st.sampled_from([0, 0, 7, 100]))
    how = draw(st.sampled_from(["amount", "lines", "share"]))
    if how == "lines" and now.free_lines:
        lines = draw(st.lists(st.sampled_from(now.free_lines), min_size=1, unique=True))
        return PartWish(lines=tuple(lines), tip_minor=tip)
    if how == "share" and now.due.minor > 4:
        people = draw(st.integers(2, 4))
        return PartWish(amount=equal_parts(now.due, people)[0], tip_minor=tip)
    minor = draw(st.integers(1, now.due.minor))
    return PartWish(amount=Amount(minor, now.due.currency), tip_minor=tip)


# -- with the real cards and the real acquirer -------------------------------------------------


def paid_in_part(shop: DayShop, tip: int = 0) -> Transaction:
    """The simulated prepaid card has less than this."""
    parts = (Part("food", 1000, 1000, 91), Part("wine", 2100, 210 - tip, 36))
    return shop.sell("12.10", "visa-credit", Terms(tip_minor=tip, parts=parts))


def bills(shop: DayShop) -> Bills:
    return Bills(shop.parts.journal.store, shop.parts.clock)


def test_what_a_prepaid_card_leaves_is_a_bill_that_cash_pays(shop: DayShop) -> None:
    first = paid_in_part(shop, tip=110)
    (left,) = bills(shop).unpaid()
    assert (left.bill.name, left.bill.first, left.due.minor) == ("R1", first.txn_id, 484)
    rest = pay_part(shop.ports(), shop.rules, "R1", PartWish(tender=Tender.CASH), cashier="Ada")
    assert (rest.state, rest.amount.minor, rest.terms.tip_minor) == (State.APPROVED, 484, 110)
    both = (*shop.now(first).terms.parts, *rest.terms.parts)
    assert sum(part.tax_minor for part in both) == 127
    assert not bills(shop).unpaid()
    # Taking the first payment back leaves its sum to be paid again.
    shop.void(first)
    shop.forward()
    assert [each.due.minor for each in bills(shop).unpaid()] == [726]
    shop.void(rest)
    assert not bills(shop).unpaid()


def test_a_crash_between_two_parts_keeps_the_bill_open_and_shown(tmp_path: Path) -> None:
    with opened(tmp_path / "till") as shop:
        thirty = NewBill(shop.amount("30.00"), label="Table 4")
        name = bills(shop).open(thirty, cashier="Ada").bill.name
        part = PartWish(amount=shop.amount("10.00"))
        assert pay_part(shop.ports(), shop.rules, name, part).state is State.APPROVED
        # The power goes while the next card is waited for.
        now = shop.parts.clock.now()
        shop.parts.journal.open_part(
            txn_id="cut off",
            bill=name,
            lines=(),
            at=now,
            cashier="",
            judge=lambda bill: (bill.due, bill.terms_for(PartWish())),
        )
    with opened(tmp_path / "till") as shop:
        assert shop.parts.journal.transaction("cut off").state is State.INTERRUPTED
        (left,) = bills(shop).unpaid()
        assert (left.bill.label, left.paid.minor, left.due.minor) == ("Table 4", 1000, 2000)
        report = DayReports(shop.parts.journal.store).of_batch("X", 1, START, left.due.currency)
        assert report[0].due == Figure(1, 2000)
        closed = bills(shop).drop(name, by="Eva", reason="they left")
        assert (closed.open, closed.dropped, bills(shop).unpaid()) == (False, "they left", [])
        with pytest.raises(AmountError, match="they left"):
            pay_part(shop.ports(), shop.rules, name, PartWish(tender=Tender.CASH))


def test_a_transfer_in_doubt_is_neither_due_nor_paid(shop: DayShop) -> None:
    name = bills(shop).open(NewBill(shop.amount("8.00"))).bill.name
    wish = PartWish(amount=shop.amount("3.00"), tender=Tender.TRANSFER)
    assert pay_part(shop.ports(), shop.rules, name, wish).state is State.AWAITED
    now = bills(shop).standing(name)
    assert (now.paid.minor, now.doubt.minor, now.due.minor) == (0, 300, 500)
    with pytest.raises(StoreError, match="not known yet"):
        bills(shop).drop(name, by="Eva", reason="")
    (report,) = DayReports(shop.parts.journal.store).of_batch("X", 1, START, now.due.currency)
    assert (report.awaited, report.due, report.sales) == (
        Figure(1, 300),
        Figure(1, 500),
        Figure(0, 0),
    )


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (PartWish(amount=Amount(801, CURRENCIES[1])), "is due, and not"),
        (PartWish(amount=Amount(0, CURRENCIES[1])), "is due, and not"),
        (PartWish(amount=Amount(1, CURRENCIES[0])), "is due, and not"),
        (PartWish(lines=(2,)), "no such line"),
        (PartWish(lines=(0, 0)), "named twice"),
        (PartWish(tender=Tender.CASH, tendered=Amount(799, CURRENCIES[1])), "not enough"),
        (PartWish(tender=Tender.CASH, tendered=Amount(900, CURRENCIES[0])), "cannot pay"),
    ],
)
def test_what_cannot_be_paid_is_named_and_changes_nothing(wish: PartWish, why: str) -> None:
    parts = (Part("a", 0, 300, 0), Part("b", 0, 500, 0))
    bill = Bill("B1", Amount(800, CURRENCIES[1]), parts, ("one", "two"))
    with pytest.raises(AmountError, match=why):
        judge_part(wish, 1)(BillStanding(bill, START))


def test_nobody_opens_a_bill_of_nothing() -> None:
    with pytest.raises(AmountError, match="nothing to pay"):
        Bill("B1", Amount(0, CURRENCIES[1]))
    with pytest.raises(AmountError, match="cannot be parted"):
        equal_parts(Amount(2, CURRENCIES[1]), 3)
