"""What a till and its acquirer must agree on at the end of a batch, and where they do not.

Rules of this file: pure. The totals are those of ISO 8583's reconciliation (DE 74 to 77, 86 to
89, 97): debits are sales, credits are refunds, and each that a person voided is counted in its
row and once more in that of the reversals. What timed out and was undone is in none. A difference
is always the list of transactions that differ, never a sum alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from terminal.day_events import (
    BatchFrozen,
    BatchSettled,
    DayEvent,
    TotalsAnswered,
    TotalsSent,
    UploadAnswered,
    UploadSent,
)
from terminal.terms import Tender, TransactionKind
from terminal.transaction import State, Transaction

BALANCED = "00"
OUT_OF_BALANCE = "95"
NOT_THERE = "25"
OTHER_AMOUNT = "64"


@dataclass(frozen=True, slots=True)
class Sum:
    """How many, and how much in minor units."""

    count: int = 0
    minor: int = 0

    def plus(self, minor: int) -> Sum:
        """One more."""
        return Sum(self.count + 1, self.minor + minor)


@dataclass(frozen=True, slots=True)
class HostTotals:
    """The totals of one batch in one currency, as both sides count them."""

    debits: Sum = Sum()
    debit_reversals: Sum = Sum()
    credits: Sum = Sum()
    credit_reversals: Sum = Sum()

    @property
    def net_minor(self) -> int:
        """What the acquirer owes the shop; negative where it is the other way round."""
        sold = self.debits.minor - self.debit_reversals.minor
        return sold - self.credits.minor + self.credit_reversals.minor


@dataclass(frozen=True, slots=True)
class Carried:
    """What moved over the end of a batch, having no answer when it was frozen.

    ``out`` are the transactions that this batch left to the next, as they stand now; ``into`` the
    ids of those that the one before left to it. ``booked_before`` are the ids among ``into`` that
    were approved by then: the host has them in the batch before, whatever became of their void.
    """

    out: tuple[Transaction, ...] = ()
    into: frozenset[str] = frozenset()
    booked_before: frozenset[str] = frozenset()


NOTHING_CARRIED = Carried()


def counts(sale: Transaction) -> bool:
    """Whether the host has this transaction in its totals, as far as the till can know."""
    booked = sale.state in {State.APPROVED, State.VOIDED} and sale.approved_minor > 0
    by_card = sale.terms.tender is Tender.CARD and sale.stan is not None
    # A stored sale that was taken back before it was sent never got an answer.
    return booked and by_card and not sale.training and bool(sale.response_code)


def totals_of(
    sales: Iterable[Transaction], carried: Carried = NOTHING_CARRIED
) -> dict[str, HostTotals]:
    """The totals of a batch's transactions, by currency.

    A currency in which something was only carried over has its totals too, of nothing: the host
    may have booked it, and is asked.
    """
    found = {
        sale.amount.currency.code: HostTotals()
        for sale in carried.out
        if sale.terms.tender is Tender.CARD and sale.stan is not None and not sale.training
    }
    for sale in sales:
        # A void that came after its sale was carried over is in the host's totals of the batch
        # before, like the sale.
        elsewhere = sale.state is State.VOIDED and sale.txn_id in carried.booked_before
        if counts(sale) and not elsewhere:
            code = sale.amount.currency.code
            found[code] = _with(found.get(code, HostTotals()), sale)
    return dict(sorted(found.items()))


def _with(totals: HostTotals, sale: Transaction) -> HostTotals:
    minor, voided = sale.approved_minor, sale.state is State.VOIDED
    debits, debit_reversals = totals.debits, totals.debit_reversals
    given, given_reversals = totals.credits, totals.credit_reversals
    if sale.kind is TransactionKind.REFUND:
        given = given.plus(minor)
        given_reversals = given_reversals.plus(minor) if voided else given_reversals
    else:
        debits = debits.plus(minor)
        debit_reversals = debit_reversals.plus(minor) if voided else debit_reversals
    return HostTotals(debits, debit_reversals, given, given_reversals)


class Differs(Enum):
    """In which way the host's books differ about one transaction."""

    MISSING = "the host did not have it, and has booked it now"
    AMOUNT = "the host had another amount, and has taken the till's"
    EXTRA = "the host has it, and this till does not count it"
    REFUSED = "the host does not take it"
    CARRIED = "it had no answer when the batch was closed, and goes on in the next"


@dataclass(frozen=True, slots=True)
class Difference:
    """One transaction about which the two differed. ``open`` ones are not put right.

    ``txn_id`` is empty where the ledger has no such transaction at all.
    """

    how: Differs
    currency: str
    stan: int
    rrn: str
    ours_minor: int
    host_minor: int
    txn_id: str = ""

    @property
    def open(self) -> bool:
        """Whether a person has to do something about it."""
        return self.how in {Differs.EXTRA, Differs.REFUSED}


@dataclass(frozen=True, slots=True)
class Closing:
    """How far the closing of a batch has come: what its events add up to."""

    batch: int
    frozen: BatchFrozen | None = None
    sent: Mapping[tuple[str, bool], TotalsSent] | None = None
    answered: Mapping[tuple[str, bool], TotalsAnswered] | None = None
    uploads: Mapping[str, UploadSent] | None = None
    uploaded: Mapping[str, UploadAnswered] | None = None
    settled: BatchSettled | None = None


def closing_of(batch: int, events: Iterable[DayEvent]) -> Closing:
    """Folds the events of a batch, oldest first."""
    frozen: BatchFrozen | None = None
    settled: BatchSettled | None = None
    sent: dict[tuple[str, bool], TotalsSent] = {}
    answered: dict[tuple[str, bool], TotalsAnswered] = {}
    uploads: dict[str, UploadSent] = {}
    uploaded: dict[str, UploadAnswered] = {}
    for event in events:
        match event:
            case BatchFrozen():
                frozen = event
            case TotalsSent():
                sent[event.currency, event.uploaded] = event
            case TotalsAnswered():
                answered[event.currency, event.uploaded] = event
            case UploadSent():
                uploads[event.txn_id] = event
            case UploadAnswered():
                uploaded[event.txn_id] = event
            case BatchSettled():
                settled = event
            case _:
                raise AssertionError(f"{type(event).__name__} is no part of a closing")
    return Closing(batch, frozen, sent, answered, uploads, uploaded, settled)


def differences(
    closing: Closing, sales: Mapping[str, Transaction], carried: Carried = NOTHING_CARRIED
) -> tuple[Difference, ...]:
    """The exact list of what differed; ``sales`` are all that the ledger has, by txn id."""
    found = []
    for txn_id, answer in (closing.uploaded or {}).items():
        if answer.response_code == BALANCED:
            continue
        sale = sales[txn_id]
        how = {NOT_THERE: Differs.MISSING, OTHER_AMOUNT: Differs.AMOUNT}.get(
            answer.response_code, Differs.REFUSED
        )
        host_minor = answer.host_minor if how is Differs.AMOUNT else 0
        found.append(_difference(how, sale, host_minor))
    by_rrn = {(sale.rrn, sale.stan): sale for sale in sales.values()}
    moved = {sale.txn_id for sale in carried.out}
    for (currency, uploaded), totals in (closing.answered or {}).items():
        for extra in totals.extras if uploaded else ():
            _, stan, rrn, minor = extra.split()
            known = by_rrn.get((rrn, int(stan)))
            ours = known.approved_minor if known is not None and counts(known) else 0
            txn_id = known.txn_id if known is not None else ""
            how = Differs.CARRIED if txn_id in moved else Differs.EXTRA
            found.append(Difference(how, currency, int(stan), rrn, ours, int(minor), txn_id))
    named = {difference.txn_id for difference in found}
    # What was voided is in no list of the host's, and may all the same be in its totals.
    voided = (s for s in sales.values() if s.txn_id in carried.into and s.state is State.VOIDED)
    found += [
        _difference(Differs.CARRIED, sale, 0)
        for sale in (*carried.out, *voided)
        if sale.stan is not None
        and sale.txn_id not in named
        and _differs_still(closing, sale.amount.currency.code)
    ]
    return tuple(found)


def _differs_still(closing: Closing, currency: str) -> bool:
    """Whether the host's last word on a currency was that its totals are others."""
    answered = closing.answered or {}
    last = answered.get((currency, True)) or answered.get((currency, False))
    return last is not None and last.response_code != BALANCED


def _difference(how: Differs, sale: Transaction, host_minor: int) -> Difference:
    return Difference(
        how=how,
        currency=sale.amount.currency.code,
        stan=sale.stan or 0,
        rrn=sale.rrn,
        ours_minor=sale.approved_minor,
        host_minor=host_minor,
        txn_id=sale.txn_id,
    )


def outcome_of(found: tuple[Difference, ...], closing: Closing) -> str:
    """How the two ended.

    ``balanced`` from the start, ``corrected`` by the upload, ``carried`` where only what went
    on in the next batch differs, or ``differs`` still.
    """
    unsettled = {code for code, _ in (closing.answered or {}) if _differs_still(closing, code)}
    carried = {one.currency for one in found if one.how is Differs.CARRIED}
    if any(difference.open for difference in found) or unsettled - carried:
        return "differs"
    if unsettled:
        return "carried"
    return "corrected" if found else "balanced"
