"""No sequence of actions makes refunds exceed sales, a report differ, or a cent drift."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from offline_queue.closings import Closings
from offline_queue.day_reports import DayReports
from offline_queue.drawer import Drawer
from terminal.drawer import CashMove
from terminal.errors import AmountError, RefundRefused, StoreError
from terminal.ledger import Kind, Numbers, OutboxItem, Outgoing
from terminal.money import MINOR_MAX, Amount, Currency
from terminal.refunds import Norms, RefundPolicy, VoidWish, Wish, judge_refund, judge_void
from terminal.tenders import cash_due, change_for
from terminal.terms import Part, Tender, Terms, shared, slice_of, tax_in
from terminal.transaction import (
    AuthorisationSent,
    HostApproved,
    HostDeclined,
    State,
    TenderConfirmed,
    Transaction,
    VoidConfirmed,
    VoidRefused,
)
from tests.offline_queue.sales import CARD, Till

CURRENCIES = [Currency.of(code) for code in ("JPY", "EUR", "KWD")]
MINOR = st.integers(1, 10_000_00)
PARTS = st.lists(
    st.builds(
        lambda group, rate, gross: Part(group, rate, gross, tax_in(gross, rate)),
        *(st.sampled_from("abc"), st.integers(0, 10_000), MINOR),
    ),
    max_size=4,
).map(tuple)


@given(st.integers(0, MINOR_MAX), st.lists(st.integers(0, 1000), min_size=1))
def test_shares_add_up_to_the_whole(total: int, weights: list[int]) -> None:
    if sum(weights) == 0 and total:
        with pytest.raises(AssertionError):
            shared(total, weights)
        return
    shares = shared(total, weights)
    assert sum(shares) == total
    assert min(shares) >= 0
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * (sum(weights) or 1) - total * weight) < (sum(weights) or 1)


@given(PARTS, st.lists(st.integers(0, 50_000), max_size=6))
def test_slices_that_meet_add_up_to_the_whole(parts: tuple[Part, ...], cuts: list[int]) -> None:
    whole = sum(part.gross_minor for part in parts)
    edges = sorted({0, whole, *(cut for cut in cuts if cut < whole)})
    found = [slice_of(parts, a, b) for a, b in pairwise(edges)]
    assert sum(p.gross_minor for piece in found for p in piece) == whole
    assert sum(p.tax_minor for piece in found for p in piece) == sum(p.tax_minor for p in parts)


@given(MINOR, st.sampled_from([1, 5, 10, 25]), st.sampled_from(CURRENCIES))
def test_cash_is_rounded_to_the_nearest_coin(minor: int, coin: int, currency: Currency) -> None:
    amount = Amount(minor, currency)
    due = cash_due(amount, coin)
    assert due.minor % coin == 0
    assert 2 * abs(due.minor - minor) <= coin or due.minor == coin
    change = change_for(amount, Amount(due.minor + 3, currency), coin)
    assert (change.change.minor, change.rounding_minor) == (3, due.minor - minor)
    if due.minor > coin:
        with pytest.raises(AmountError):
            change_for(amount, Amount(due.minor - 1, currency), coin)


@pytest.mark.parametrize(
    ("minor", "due"),
    [(1252, 1250), (1253, 1255), (1250, 1250), (1257, 1255), (1258, 1260), (1, 5), (2, 5), (3, 5)],
)
def test_five_cents(minor: int, due: int) -> None:
    assert cash_due(Amount(minor, CURRENCIES[1]), 5).minor == due


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [(1210, 2100, 210), (1000, 0, 0), (1, 2100, 0), (3, 2100, 1), (1100, 1000, 100), (0, 2100, 0)],
)
def test_tax_is_rounded_half_up(gross: int, rate: int, tax: int) -> None:
    assert tax_in(gross, rate) == tax


class MerchantsDay(RuleBasedStateMachine):
    """Cashier, supervisor, customer and host do what they like with one real ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.till = Till(Path(self.folder.name) / "ledger.db")
        self.names: list[str] = []
        self.batches = 1
        self.drawer = Drawer(self.till.store, CURRENCIES[1])
        self.drawer.begin(Amount(20_000, CURRENCIES[1]), self.till.clock, by="Ada")
        self.moved_minor = 20_000

    def teardown(self) -> None:
        self.till.store.verify()
        self.till.journal.close()
        self.folder.cleanup()

    def all(self) -> list[Transaction]:
        return [self.till.journal.transaction(name) for name in self.names]

    def pick(self, data: st.DataObject) -> Transaction:
        return self.till.journal.transaction(data.draw(st.sampled_from(self.names)))

    def sent(self, sale: Transaction) -> None:
        """Sends, and lets the host decide."""

        def compose(numbers: Numbers) -> tuple[AuthorisationSent, Outgoing]:
            now = self.till.clock.now()
            event = AuthorisationSent(
                now, CARD, numbers.stan, numbers.rrn, numbers.batch, transmitted_at=now
            )
            return event, Outgoing(Kind.SALE, b"0200")

        self.till.journal.enqueue(sale.txn_id, compose)

    @rule(
        data=st.data(),
        currency=st.sampled_from(CURRENCIES),
        parts=PARTS,
        tip=st.integers(0, 500),
        approved=st.booleans(),
        share=st.integers(1, 100),
    )
    def a_customer_pays_by_card(
        self,
        *,
        data: st.DataObject,
        currency: Currency,
        parts: tuple[Part, ...],
        tip: int,
        approved: bool,
        share: int,
    ) -> None:
        goods = sum(part.gross_minor for part in parts) or 100
        amount = Amount(goods + tip, currency)
        name = f"s{len(self.names)}"
        now = self.till.clock.now()
        terms = Terms(tip_minor=tip, parts=parts, day=f"{now:%Y-%m-%d}", hour=now.hour)
        sale = self.till.journal.open_sale(
            txn_id=name, amount=amount, at=now, cashier="Ada", training=False, terms=terms
        )
        self.names.append(name)
        self.sent(sale)
        minor = max(1, amount.minor * share // 100)
        code = "00" if minor == amount.minor else "10"
        self.answer(name, HostApproved(now, code, "1", minor) if approved else None)

    def answer(self, name: str, event: HostApproved | None) -> None:
        with self.till.store.read() as connection:
            item = connection.execute(
                "SELECT item FROM outbox WHERE txn_id = ?", (name,)
            ).fetchone()
        assert item is not None

        done = OutboxItem(int(str(item[0])), name, "", Kind.SALE, b"")
        decided = event or HostDeclined(self.till.clock.now(), "51", "no funds")
        self.till.journal.commit(name, decided, done=done)

    @rule(minor=MINOR, currency=st.sampled_from(CURRENCIES))
    def a_customer_pays_in_cash(self, minor: int, currency: Currency) -> None:
        name, now = f"c{len(self.names)}", self.till.clock.now()
        amount = Amount(minor, currency)
        self.till.journal.open_sale(
            txn_id=name,
            amount=amount,
            at=now,
            cashier="Ben",
            training=False,
            terms=Terms(tender=Tender.CASH),
        )
        self.names.append(name)
        rounding = cash_due(amount, 5).minor - minor
        self.till.journal.book(
            name, lambda batch: TenderConfirmed(now, batch, "Ben", rounding_minor=rounding)
        )

    @precondition(lambda self: self.names)
    @rule(data=st.data(), minor=MINOR, approved=st.booleans(), supervised=st.booleans())
    def somebody_gives_back(
        self, *, data: st.DataObject, minor: int, approved: bool, supervised: bool
    ) -> None:
        about = self.pick(data)
        name, now = f"r{len(self.names)}", self.till.clock.now()
        wish = Wish(
            amount=Amount(minor, about.amount.currency),
            at=now,
            cashier="Ada",
            tender=about.terms.tender,
            approved_by="Eva" if supervised else "",
        )
        try:
            given = self.till.journal.open_refund(
                txn_id=name,
                original=about.txn_id,
                amount=wish.amount,
                at=now,
                cashier="Ada",
                judge=judge_refund(RefundPolicy(), wish, Norms()),
            )
        except RefundRefused:
            return
        assert supervised or minor <= RefundPolicy().limit_minor
        self.names.append(name)
        if about.terms.tender is Tender.CASH:
            self.till.journal.book(name, lambda batch: TenderConfirmed(now, batch))
            return
        self.sent(given)
        self.answer(name, HostApproved(now, "00", "1", minor) if approved else None)

    @precondition(lambda self: self.names)
    @rule(data=st.data(), undone=st.booleans())
    def somebody_voids(self, *, data: st.DataObject, undone: bool) -> None:
        about = self.pick(data)
        wish = VoidWish(self.till.clock.now(), "wrong", "Ada", "Eva")
        message = Outgoing(Kind.REVERSAL, b"0420")
        try:
            now = self.till.journal.undo(about.txn_id, judge_void(wish, lambda _: message))
        except RefundRefused:
            return
        if now.state is not State.VOIDING:
            return

        with self.till.store.read() as connection:
            row = connection.execute(
                "SELECT item FROM outbox WHERE txn_id = ?", (about.txn_id,)
            ).fetchone()
        assert row is not None
        item = OutboxItem(int(str(row[0])), about.txn_id, "", Kind.REVERSAL, b"")
        at = self.till.clock.now()
        event = VoidConfirmed(at, "00") if undone else VoidRefused(at, "12", "closed")
        self.till.journal.commit(about.txn_id, event, done=item)

    @rule()
    def the_day_ends(self) -> None:
        try:
            Closings(self.till.store, self.till.clock).freeze(by="Eva")
        except StoreError:
            return
        self.batches += 1

    @rule(minor=st.integers(-30_000, 30_000), counts=st.booleans())
    def somebody_opens_the_drawer(self, *, minor: int, counts: bool) -> None:
        move = CashMove(minor, "change", "Ada", "Eva")
        with suppress(AmountError):
            self.drawer.move(move, self.till.clock, limit_minor=0)
            self.moved_minor += minor
        if counts:
            found = Amount(abs(minor), CURRENCIES[1])
            counted = self.drawer.count(found, self.till.clock, by="Ben")
            assert counted.difference_minor == abs(minor) - counted.expected_minor

    @invariant()
    def the_drawer_holds_what_cash_has_made_of_it(self) -> None:
        own = [sale for sale in self.all() if sale.amount.currency == CURRENCIES[1]]
        standing = self.drawer.standing()
        assert standing is not None
        expected = self.moved_minor + sum(sale.cash_minor for sale in own)
        assert standing.expected_minor == expected

    @rule()
    def time_passes(self) -> None:
        self.till.clock.advance(3600)

    @invariant()
    def no_more_goes_back_than_came_in(self) -> None:
        sales = {sale.txn_id: sale for sale in self.all()}
        back: Counter[str] = Counter()
        parts: Counter[tuple[str, str, int]] = Counter()
        for sale in sales.values():
            if sale.terms.original and sale.state is State.APPROVED:
                back[sale.terms.original] += sale.approved_minor
                for part in sale.terms.parts:
                    parts[sale.terms.original, part.group, part.rate_bp] += part.tax_minor
        for name, minor in back.items():
            paid = sales[name]
            assert minor <= paid.approved_minor
            taxes: Counter[tuple[str, str, int]] = Counter()
            for part in paid.terms.parts:
                taxes[name, part.group, part.rate_bp] += part.tax_minor
            for key, tax in parts.items():
                assert key[0] != name or tax <= taxes[key]

    @invariant()
    def every_report_is_the_ledger(self) -> None:
        sales = self.all()
        at = datetime(2026, 11, 25, tzinfo=UTC)
        reports = DayReports(self.till.store)
        for currency in CURRENCIES:
            own = [sale for sale in sales if sale.amount.currency == currency]
            standing = [sale for sale in own if sale.state is State.APPROVED]
            sold = sum(s.approved_minor for s in standing if not s.terms.original)
            given_back = sum(s.approved_minor for s in standing if s.terms.original)
            (days,) = (
                r
                for r in reports.of_days("Year", "2000-01-01", "2100-01-01", at, currency)
                if r.currency == currency
            )
            assert (days.sales.minor, days.refunds.minor) == (sold, given_back)
            assert days.cash_minor == sum(sale.cash_minor for sale in own)
            by_batch = [
                r
                for batch in range(1, self.batches + 1)
                for r in reports.of_batch("Z", batch, at, currency)
                if r.currency == currency
            ]
            assert sum(r.sales.minor for r in by_batch) == sold
            assert sum(r.refunds.minor for r in by_batch) == given_back
            assert sum(r.tips.minor for r in by_batch) == days.tips.minor
            assert sum(r.tax_minor for r in by_batch) == days.tax_minor


MerchantsDay.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, print_blob=True
)
TestAnyDay = MerchantsDay.TestCase
