"""Closing a batch against an acquirer that loses, adds and changes: balanced, or the exact list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from offline_queue.closings import Closings
from terminal.closing import settle_batch
from terminal.day_events import DayEvent
from terminal.errors import HostError, StoreError
from terminal.reconciliation import Differs, HostTotals, Sum
from terminal.transaction import State, Transaction
from tests.day.conftest import DayShop


def a_day(shop: DayShop) -> list[Transaction]:
    """Sales, a refund, a void, a hold that was taken, and cash that is nobody else's business."""
    first = shop.sell("12.00")
    second = shop.sell("20.00", "mastercard-credit")
    shop.refund(first, "2.00")
    shop.void(shop.sell("7.00"))
    held = shop.hold("50.00")
    shop.complete(held, "40.00")
    shop.cash("3.00")
    shop.forward()
    return [first, second, shop.now(held)]


TOTALS = HostTotals(Sum(4, 7900), Sum(1, 700), Sum(1, 200), Sum(0, 0))


def test_both_sides_agree_to_the_cent(shop: DayShop) -> None:
    a_day(shop)
    batch = shop.freeze()
    settled = shop.settle(batch)
    assert (settled.outcome, settled.found) == ("balanced", ())
    assert settled.totals == {"EUR": TOTALS}
    assert TOTALS.net_minor == 7000
    assert shop.closings.unsettled() == []
    mtis = [entry.mti for entry in shop.acquirer.ledger()]
    assert mtis.count("0500") == 1
    assert mtis.count("0320") == 0
    # Asked again, it says the same and sends nothing.
    assert shop.settle(batch) == settled
    assert len(shop.acquirer.ledger()) == len(mtis)


TAMPERED = {
    "missing": (Differs.MISSING, "corrected", 4000, 0),
    "amount": (Differs.AMOUNT, "corrected", 4000, 4001),
    "extra": (Differs.EXTRA, "differs", 0, 4000),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_one_difference_is_found_and_named(shop: DayShop, how: str) -> None:
    *_, taken = a_day(shop)
    shop.acquirer.tamper(how)
    settled = shop.settle(shop.freeze())
    (difference,) = settled.found
    kind, outcome, ours_minor, host_minor = TAMPERED[how]
    assert (difference.how, settled.outcome) == (kind, outcome)
    assert (difference.ours_minor, difference.host_minor) == (ours_minor, host_minor)
    assert difference.txn_id == ("" if how == "extra" else taken.txn_id)
    if how == "extra":
        assert (difference.stan, difference.rrn) == (999_999, "999999999999")
        return
    # Put right by the upload: the acquirer's books are the till's again.
    captured = [c for c in shop.acquirer.captures() if c.state.value == "captured"]
    assert sorted((c.kind, c.amount_minor) for c in captured) == [
        ("refund", 200),
        ("sale", 1200),
        ("sale", 2000),
        ("sale", 4000),
    ]


@dataclass
class Cut(Exception):
    """The power goes."""


class CuttingHost:
    """A host link that fails at one exchange: before it leaves, or after it was answered."""

    def __init__(self, real: Any, at: int, *, after: bool) -> None:
        self.real, self.at, self.after = real, at, after
        self.count = 0

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        self.count += 1
        if self.count == self.at and not self.after:
            raise Cut
        answer: bytes = self.real.exchange(request, is_answer=is_answer, timeout_s=timeout_s)
        if self.count == self.at:
            raise Cut
        return answer

    def close(self) -> None:
        """The real link closes."""


class CuttingJournal(Closings):
    """A ledger that is cut off just after one of its writes."""

    left = 0

    def record(self, make: Callable[[int], DayEvent]) -> DayEvent:
        event = super().record(make)
        self.left -= 1
        if self.left == 0:
            raise Cut
        return event


@pytest.mark.parametrize("how", ["", *TAMPERED])
def test_a_closing_that_is_cut_off_anywhere_goes_on_to_the_same_end(
    shop: DayShop, how: str
) -> None:
    a_day(shop)
    if how:
        shop.acquirer.tamper(how)
    batch = shop.freeze()
    cuts = 0
    journal = CuttingJournal(shop.parts.journal.store, shop.parts.clock)
    link = shop.parts.acquirer.link()
    shop.stack.callback(link.close)
    # Each round gets one step further: first the link is cut, before and after, then the ledger.
    for kind in ("before", "after", "ledger") * 12:
        host = link if kind == "ledger" else CuttingHost(link, 1, after=kind == "after")
        journal.left = 1 if kind == "ledger" else 0
        try:
            settled = settle_batch(journal, host, shop.parts.clock, shop.rules, batch)
            break
        except Cut:
            cuts += 1
    assert cuts >= (3 if not how else 9)
    outcome = TAMPERED[how][1] if how else "balanced"
    assert settled.outcome == outcome
    assert len(settled.found) == (1 if how else 0)
    assert settled.totals == {"EUR": TOTALS}


def test_a_lost_answer_leaves_the_batch_to_be_settled_later(shop: DayShop) -> None:
    a_day(shop)
    batch = shop.freeze()
    shop.rules = replace(shop.rules, authorise_s=0.4)
    shop.acquirer.set(drop_after="1", only="0500")
    with pytest.raises(HostError):
        shop.settle(batch)
    assert shop.closings.unsettled() == [batch]
    # The shop sells on meanwhile, in the next batch.
    assert shop.sell("1.00").batch == batch + 1
    assert shop.settle(batch).outcome == "balanced"
    repeats = [entry for entry in shop.acquirer.ledger() if entry.mti == "0501"]
    assert [entry.note for entry in repeats] == ["a copy: answered as before"]


def test_what_has_no_answer_keeps_the_batch_open_until_it_is_carried_over(shop: DayShop) -> None:
    shop.sell("12.00")
    shop.rules = replace(shop.rules, authorise_s=0.4)
    shop.acquirer.set(drop_after="1", only="0200")
    unknown = shop.sell("5.00")
    shop.online = False
    stored = shop.sell("6.00")
    assert [sale.state for sale in (unknown, stored)] == [State.UNKNOWN, State.STORED]
    with pytest.raises(StoreError, match="2 of its sales have no answer"):
        shop.freeze()
    guidance = {u.transaction.txn_id: u.advice for u in shop.closings.unanswered()}
    assert "reversal" in guidance[unknown.txn_id]
    assert "taptill sync" in guidance[stored.txn_id]
    batch = shop.freeze(carry=True)
    shop.rules = shop.parts.rules
    # The acquirer counts the sale whose answer was lost; the till knows that it is in doubt.
    settled = shop.settle(batch)
    assert [(d.how, d.txn_id, d.host_minor) for d in settled.found] == [
        (Differs.CARRIED, unknown.txn_id, 500),
        (Differs.CARRIED, stored.txn_id, 0),
    ]
    assert settled.outcome == "carried"
    shop.forward()
    assert shop.now(unknown).state is State.REVERSED
    assert (shop.now(stored).state, shop.now(stored).batch) == (State.APPROVED, batch + 1)
    after = shop.settle(shop.freeze())
    assert (after.outcome, after.totals["EUR"].debits) == ("balanced", Sum(1, 600))


@pytest.mark.parametrize("heard", ["in time", "before the totals", "after the totals"])
def test_a_void_that_is_carried_over_is_named_and_counts_once(shop: DayShop, heard: str) -> None:
    sold, kept = shop.sell("12.00"), shop.sell("5.00")
    assert kept.state is State.APPROVED
    shop.rules = replace(shop.rules, authorise_s=0.4)
    if heard == "before the totals":
        # The host takes the void, and its answer is lost.
        shop.acquirer.set(drop_after="1", only="0420")
    else:
        shop.acquirer.set(drop_before="1", only="0420")
    assert shop.void(sold).state is State.VOIDING
    shop.acquirer.set(drop_before="0", drop_after="0", only="")
    shop.rules = shop.parts.rules
    if heard == "in time":
        shop.forward()
    batch = shop.freeze(carry=True)
    settled = shop.settle(batch)
    named = [(d.how, d.txn_id, d.open) for d in settled.found]
    if heard == "in time":
        assert (settled.outcome, named) == ("balanced", [])
    else:
        assert (settled.outcome, named) == ("carried", [(Differs.CARRIED, sold.txn_id, False)])
    shop.forward()
    assert shop.now(sold).state is State.VOIDED
    shop.sell("1.00")
    after = shop.settle(shop.freeze())
    assert (after.outcome, after.totals["EUR"].debits) == ("balanced", Sum(1, 100))


def test_a_batch_of_nothing_but_a_carried_void_asks_the_host_all_the_same(shop: DayShop) -> None:
    sold = shop.sell("12.00")
    shop.rules = replace(shop.rules, authorise_s=0.4)
    shop.acquirer.set(drop_before="1", only="0420")
    shop.void(sold)
    shop.acquirer.set(drop_before="0", only="")
    shop.rules = shop.parts.rules
    settled = shop.settle(shop.freeze(carry=True))
    assert (settled.outcome, settled.totals) == ("carried", {"EUR": HostTotals()})
    assert [(d.txn_id, d.host_minor) for d in settled.found] == [(sold.txn_id, 1200)]


def test_an_empty_batch_closes_and_says_nothing_to_the_host(shop: DayShop) -> None:
    shop.cash("3.00")
    settled = shop.settle(shop.freeze())
    assert (settled.outcome, settled.totals) == ("balanced", {})
    assert shop.acquirer.ledger() == []
