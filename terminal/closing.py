"""The end of a day at the acquirer: totals, upload where they differ, and the exact list.

Rules of this file: straight-line code over a journal of its own. Each message is recorded before
it leaves and each answer before the next step, so whatever cuts a closing off, it goes on from
there: what may have been sent goes out again as a repeat with the same numbers. A closing always
ends as balanced, corrected by the upload, or with the list of transactions that differ; those
that had no answer when the batch was frozen are told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from terminal.aftersale import facts_about
from terminal.day_events import (
    BatchSettled,
    DayEvent,
    TotalsAnswered,
    TotalsSent,
    UploadAnswered,
    UploadSent,
)
from terminal.iso8583.messages import is_answer_to, repeat_of
from terminal.iso8583.settlement import (
    BatchFacts,
    compose_reconciliation,
    compose_upload,
    read_reconciliation,
    read_upload,
)
from terminal.ledger import Numbers
from terminal.money import Currency
from terminal.ports import Clock, Host
from terminal.reconciliation import (
    BALANCED,
    OUT_OF_BALANCE,
    Carried,
    Closing,
    Difference,
    HostTotals,
    counts,
    differences,
    outcome_of,
    totals_of,
)
from terminal.sale import PROCESSING_CODES, Rules, original_of
from terminal.transaction import State, Transaction


class ClosingJournal(Protocol):
    """The record of a closing. Every method that writes is one SQL transaction, synced."""

    def closing(self, batch: int) -> Closing:
        """How far it has come."""

    def sales_of(self, batch: int) -> list[Transaction]:
        """Every transaction of the batch."""

    def sales_by_id(self, rrns: tuple[str, ...], batch: int) -> Mapping[str, Transaction]:
        """The transactions of the batch and those under these RRNs, by txn id."""

    def carried(self, batch: int) -> Carried:
        """What was carried over out of the batch, and into it."""

    def record(self, make: Callable[[int], DayEvent]) -> DayEvent:
        """Records one step; ``make`` is given a trace number, minted for it."""

    def settle(self, event: BatchSettled) -> None:
        """Ends the batch."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a batch ended (see ``terminal.reconciliation.outcome_of``), and about what."""

    batch: int
    outcome: str
    totals: Mapping[str, HostTotals]
    found: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    journal: ClosingJournal
    host: Host
    clock: Clock
    rules: Rules
    batch: int
    told: Callable[[str], None]


def settle_batch(
    journal: ClosingJournal,
    host: Host,
    clock: Clock,
    rules: Rules,
    batch: int,
    *,
    told: Callable[[str], None] = lambda _: None,
) -> Settlement:
    """Settles a frozen batch with the acquirer, from wherever an earlier try has ended.

    Raises:
        HostError: there was no good answer; what was done is recorded, and another call goes on.
        StoreError: the ledger cannot be written; the same.
    """
    step = _Step(journal, host, clock, rules, batch, told)
    sales = journal.sales_of(batch)
    carried = journal.carried(batch)
    totals = totals_of(sales, carried)
    for code, sums in totals.items():
        first = _totals(step, code, sums, after_upload=False)
        if first.response_code != OUT_OF_BALANCE:
            continue
        told(f"The host's totals in {code} differ; every sale is compared.")
        for sale in sales:
            if sale.amount.currency.code == code and counts(sale):
                _upload(step, sale)
        _totals(step, code, sums, after_upload=True)
    settled = _settlement(journal, batch, totals, carried)
    if journal.closing(batch).settled is None:
        journal.settle(BatchSettled(clock.now(), batch, settled.outcome))
    return settled


def settlement_of(journal: ClosingJournal, batch: int) -> Settlement | None:
    """How a batch was settled, as it is recorded; None where it has not been settled yet.

    Raises:
        StoreError: the ledger cannot be read.
    """
    if journal.closing(batch).settled is None:
        return None
    carried = journal.carried(batch)
    return _settlement(journal, batch, totals_of(journal.sales_of(batch), carried), carried)


def _settlement(
    journal: ClosingJournal, batch: int, totals: Mapping[str, HostTotals], carried: Carried
) -> Settlement:
    closing = journal.closing(batch)
    rrns = tuple(
        extra.split()[2] for answer in (closing.answered or {}).values() for extra in answer.extras
    )
    found = differences(closing, journal.sales_by_id(rrns, batch), carried)
    return Settlement(batch, outcome_of(found, closing), totals, found)


def _totals(step: _Step, code: str, sums: HostTotals, *, after_upload: bool) -> TotalsAnswered:
    """The host's word on one currency; asked for, unless it is recorded already."""
    closing, key = step.journal.closing(step.batch), (code, after_upload)
    if known := (closing.answered or {}).get(key):
        return known
    sent = (closing.sent or {}).get(key)
    again = sent is not None
    if sent is None:
        at = step.clock.now().replace(microsecond=0)
        recorded = step.journal.record(
            lambda stan: TotalsSent(step.clock.now(), step.batch, code, stan, at, after_upload)
        )
        assert isinstance(recorded, TotalsSent)
        sent = recorded
    profile = step.rules.profile
    request = compose_reconciliation(
        profile,
        BatchFacts(
            batch=step.batch,
            currency=Currency.of(code),
            stan=sent.stan,
            at=sent.transmitted_at,
            terminal_id=step.rules.terminal_id,
            merchant_id=step.rules.merchant_id,
            sums=tuple(
                (one.count, one.minor)
                for one in (
                    sums.debits,
                    sums.debit_reversals,
                    sums.credits,
                    sums.credit_reversals,
                )
            ),
            net_minor=sums.net_minor,
            after_upload=after_upload,
        ),
    )
    answer = read_reconciliation(profile, request, _exchange(step, request, again=again))
    net_minor = sums.net_minor if answer.response_code == BALANCED else answer.net_minor
    event = TotalsAnswered(
        at=step.clock.now(),
        batch=step.batch,
        currency=code,
        response_code=answer.response_code,
        net_minor=net_minor or 0,
        uploaded=after_upload,
        extras=answer.extras,
    )
    step.journal.record(lambda _: event)
    step.told(f"{code}: the host says {answer.response_code}.")
    return event


def _upload(step: _Step, sale: Transaction) -> None:
    """Tells the host of one transaction, unless its answer is recorded already."""
    if sale.state is State.VOIDED:
        # It is in the totals and in their reversals: nothing of it stands that could be compared.
        return
    closing = step.journal.closing(step.batch)
    if sale.txn_id in (closing.uploaded or {}):
        return
    sent = (closing.uploads or {}).get(sale.txn_id)
    again = sent is not None
    if sent is None:
        at = step.clock.now().replace(microsecond=0)
        recorded = step.journal.record(
            lambda stan: UploadSent(step.clock.now(), step.batch, sale.txn_id, stan, at)
        )
        assert isinstance(recorded, UploadSent)
        sent = recorded
    request = _upload_message(step.rules, sale, sent)
    profile = step.rules.profile
    code, host_minor = read_upload(profile, request, _exchange(step, request, again=again))
    step.journal.record(
        lambda _: UploadAnswered(step.clock.now(), step.batch, sale.txn_id, code, host_minor)
    )


def _upload_message(rules: Rules, sale: Transaction, sent: UploadSent) -> bytes:
    if sale.batch is None:
        raise AssertionError("a transaction of a batch has its number")
    numbers = Numbers(stan=sent.stan, rrn=sale.rrn, batch=sale.batch, key="")
    booked = replace(sale, amount=replace(sale.amount, minor=sale.approved_minor))
    facts = replace(
        facts_about(rules, booked, numbers, at=sent.transmitted_at),
        processing_code=PROCESSING_CODES[sale.kind],
        approval_code=sale.approval_code,
        original=original_of(sale),
    )
    return compose_upload(rules.profile, facts)


def _exchange(step: _Step, request: bytes, *, again: bool) -> bytes:
    profile = step.rules.profile
    message = repeat_of(profile, request) if again else request
    return step.host.exchange(
        message, is_answer=is_answer_to(profile, message), timeout_s=step.rules.authorise_s
    )
