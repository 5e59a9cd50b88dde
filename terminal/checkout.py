"""One payment, from the amount to a committed end.

Rules of this file: straight-line code over a frozen bundle of ports. The order is the promise
and must never change: durable intent, tap, sealing, one SQL transaction with the sale, its
event, its numbers and its message, then bytes leave, then the answer is committed, and only
then does anybody see "approved". It starts no threads and catches failures by meaning.
"""

from __future__ import annotations

from terminal.delivery import read_sale
from terminal.errors import (
    AmountError,
    AnswerLost,
    HostGarbled,
    HostSilent,
    HostUnreachable,
    StoreError,
    TerminalError,
)
from terminal.iso8583.messages import (
    advice_of,
    is_answer_to,
    reversal_of,
)
from terminal.ledger import Kind, OutboxItem, Outgoing
from terminal.line import Answered, Failed
from terminal.money import Amount
from terminal.progress import Authorising, Presenting
from terminal.risk import Limit, Refusal, not_again, offline_refusal
from terminal.sale import (
    AcceptsCard,
    Asked,
    Ports,
    Rules,
    Tap,
    any_card,
    compose,
    wall_clock,
)
from terminal.tapping import wait_for_tap
from terminal.terms import A_SALE, Terms
from terminal.transaction import (
    CardSummary,
    Deferred,
    FateUnknown,
    Interrupted,
    RiskRefused,
    Transaction,
    TransactionKind,
)

__all__ = ["Ports", "Rules", "ask_host", "collect", "never_stored", "pay"]


def pay(
    ports: Ports, rules: Rules, amount: Amount, *, cashier: str = "", terms: Terms = A_SALE
) -> Transaction:
    """Takes one payment by card, or sets a hold, and returns it as it is committed.

    Whatever happens after the first line, the sale ends in a state that the ledger knows: a
    failure that is raised from here has been recorded before.

    Raises:
        AmountError: the amount is zero; nothing was recorded.
        StoreError: the ledger failed before anything was sent.
        AnswerLost: the ledger failed once the acquirer was asked: the one failure that leaves
            the fate of the sale open, until the ledger is recovered.
        TerminalError: the reader went away, or a key failed, before anything was sent.
    """
    if amount.minor == 0:
        raise AmountError("An amount of zero is nothing to pay.", remedy="Type what is due.")
    txn_id = f"sale_{ports.entropy.random_bytes(10).hex()}"
    now = ports.clock.now()
    sale = ports.journal.open_sale(
        txn_id=txn_id,
        amount=amount,
        at=now,
        cashier=cashier,
        training=False,
        terms=wall_clock(rules, terms, now),
    )
    return collect(ports, rules, sale)


def collect(
    ports: Ports,
    rules: Rules,
    sale: Transaction,
    *,
    accepts: AcceptsCard = any_card,
    original: Transaction | None = None,
) -> Transaction:
    """Waits for a card for an open transaction, and authorises it. ``original`` is a refund's.

    Raises:
        StoreError: the ledger failed before anything was sent.
        AnswerLost: the ledger failed once the acquirer was asked.
        TerminalError: the reader went away, or a key failed, before anything was sent.
    """
    ports.show(Presenting(sale.amount, rules.present_s))
    try:
        tapped = wait_for_tap(ports, rules, sale, accepts)
    except TerminalError as failed:
        if not isinstance(failed, StoreError):
            ports.journal.commit(sale.txn_id, Interrupted(ports.clock.now(), failed.message))
        raise
    finally:
        ports.reader.release()
    if isinstance(tapped, Transaction):
        return tapped
    return _authorise(ports, rules, sale, tapped, original)


# -- the authorisation -----------------------------------------------------------------------


def _authorise(
    ports: Ports, rules: Rules, sale: Transaction, tap: Tap, original: Transaction | None
) -> Transaction:
    """Records the sale, then asks the acquirer, or stores the sale where it is away."""
    reason = ""
    if tap.approved_by_card:
        reason = "Approved offline by the card."
    elif not ports.host_online():
        reason = "The acquirer cannot be reached."
    if reason and sale.kind is not TransactionKind.SALE:
        refused = RiskRefused(ports.clock.now(), never_stored(sale), tap.summary)
        return ports.journal.commit(sale.txn_id, refused)
    refusal = None
    if sale.kind is not TransactionKind.REFUND:
        # A card that the bank declined before can still be given money back.
        now = ports.clock.now()
        refusal = not_again(ports.journal, rules.profile, sale.amount, tap.summary, now)
    if reason and refusal is None:
        refusal = _may_not_store(
            ports, rules, sale.amount, tap.summary, card_approved=tap.approved_by_card
        )
    if refusal is not None:
        refused = RiskRefused(ports.clock.now(), refusal.text, tap.summary, refusal.limit.name)
        return ports.journal.commit(sale.txn_id, refused)
    asked = Asked(sale, original, reason)
    recorded, item = ports.journal.enqueue(
        sale.txn_id, lambda numbers: compose(ports, rules, asked, tap, numbers)
    )
    return recorded if reason else ask_host(ports, rules, recorded, item)


def never_stored(given: Transaction) -> str:
    """Why a refund or hold ends where the bank cannot be asked."""
    return f"A {given.kind.value} is never stored: it needs the bank on the line."


def _may_not_store(
    ports: Ports, rules: Rules, amount: Amount, card: CardSummary, *, card_approved: bool
) -> Refusal | None:
    if rules.stored_until is not None and ports.clock.now() >= rules.stored_until:
        return Refusal(Limit.SWITCHED_OFF, "The acquirer's keys have run out: import new ones.")
    return offline_refusal(
        rules.offline,
        amount,
        ports.journal.exposure(amount.currency, card),
        card=card,
        card_approved=card_approved,
        at=ports.clock.now(),
    )


def ask_host(ports: Ports, rules: Rules, sale: Transaction, item: OutboxItem) -> Transaction:
    """Sends a recorded request and commits whatever can be said afterwards.

    Raises:
        AnswerLost: the acquirer was asked, and its answer cannot be recorded.
        StoreError: nothing was sent, and that cannot be recorded.
    """
    ports.show(Authorising(rules.authorise_s))
    started = ports.clock.monotonic()
    try:
        answer = ports.host.exchange(
            item.message,
            is_answer=is_answer_to(rules.profile, item.message),
            timeout_s=rules.authorise_s,
        )
        ports.line_seen(Answered(ports.clock.monotonic() - started))
        event = read_sale(rules.profile, item, sale, answer, ports.clock.now())
    except HostUnreachable as away:
        # The next customer must not wait for what this one has found out.
        ports.line_seen(Failed(away.message))
        return _defer(ports, rules, sale, item, away)
    except (HostSilent, HostGarbled) as doubt:
        event = FateUnknown(ports.clock.now(), doubt.message)
    try:
        if isinstance(event, FateUnknown):
            return _unknown(ports, rules, item, event)
        return ports.journal.commit(sale.txn_id, event, done=item)
    except StoreError as lost:
        raise AnswerLost(
            f"The acquirer was asked, and its answer could not be recorded. {lost.message}",
            remedy=f"{lost.remedy} It is not known whether money was taken; the till reverses the"
            " sale when it starts again.",
        ) from lost


def _defer(
    ports: Ports, rules: Rules, sale: Transaction, item: OutboxItem, away: HostUnreachable
) -> Transaction:
    """Nothing left the socket: the sale waits as an advice, if the shop's limits allow it."""
    now = ports.clock.now()
    if sale.kind is not TransactionKind.SALE:
        return ports.journal.commit(sale.txn_id, RiskRefused(now, never_stored(sale)), done=item)
    if sale.card is None:
        raise AssertionError("a sale that was to be authorised has a card")
    refusal = _may_not_store(ports, rules, sale.amount, sale.card, card_approved=False)
    if refusal is not None:
        refused = RiskRefused(now, refusal.text, limit=refusal.limit.name)
        return ports.journal.commit(sale.txn_id, refused, done=item)
    advice = Outgoing(Kind.ADVICE, advice_of(rules.profile, item.message))
    return ports.journal.commit(sale.txn_id, Deferred(now, away.message), done=item, queue=advice)


def _unknown(ports: Ports, rules: Rules, item: OutboxItem, event: FateUnknown) -> Transaction:
    """The host may have booked the sale: say so, and queue the reversal with the same commit."""
    reversal = Outgoing(Kind.REVERSAL, reversal_of(rules.profile, item.message))
    return ports.journal.commit(item.txn_id, event, done=item, queue=reversal)
