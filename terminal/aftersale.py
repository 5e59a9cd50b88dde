"""What comes after a payment: refunds, voids, and taking what a hold has set aside.

Rules of this file: as in ``terminal.checkout``: recorded before anything leaves, straight-line,
over the same ports. Whether it is allowed is decided in ``terminal.refunds``, inside the SQL
transaction that records it, so that two refunds at once cannot exceed one sale.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from terminal.checkout import ask_host, collect, never_stored
from terminal.iso8583.later import compose_completion, compose_void
from terminal.iso8583.messages import (
    PURCHASE,
    REFUND,
    SaleFacts,
    compose_sale,
)
from terminal.ledger import Kind, Numbers, Outgoing
from terminal.money import Amount
from terminal.refunds import (
    Norms,
    VoidWish,
    Wish,
    completion_terms,
    judge_refund,
    judge_void,
    same_card,
)
from terminal.sale import Ports, Rules, original_of, wall_clock
from terminal.terms import Tender
from terminal.transaction import (
    AuthorisationSent,
    CardSummary,
    Completed,
    RiskRefused,
    TenderConfirmed,
    Transaction,
    TransactionKind,
)

OTHER_CARD = "This is not the card that paid. Hold the same card, or the phone that stands for it."


def refund(ports: Ports, rules: Rules, original: str, wish: Wish, norms: Norms) -> Transaction:
    """Gives a sale back, whole or in part, and returns the refund as it is committed.

    With ``wish.with_card`` the card that paid (or a device of the same account) is tapped again;
    without, the money goes back by the numbers of the sale, where shop and acquirer allow it.

    Raises:
        SupervisorNeeded: it is held; nothing was recorded.
        RefundRefused: it is not possible; nothing was recorded.
        StoreError: there is no such sale, or the ledger failed before anything was sent.
        AnswerLost: the ledger failed once the acquirer was asked.
        TerminalError: the reader went away, or a key failed, before anything was sent.
    """
    judged = judge_refund(rules.refunds, wish, norms)
    given = ports.journal.open_refund(
        txn_id=f"sale_{ports.entropy.random_bytes(10).hex()}",
        original=original,
        amount=wish.amount,
        at=wish.at,
        cashier=wish.cashier,
        judge=lambda standing: wall_clock(rules, judged(standing), wish.at),
    )
    if wish.tender is not Tender.CARD:
        return ports.journal.book(
            given.txn_id, lambda batch: TenderConfirmed(ports.clock.now(), batch, wish.cashier)
        )
    sale = ports.journal.transaction(original)

    def accepts(card: CardSummary) -> str:
        return "" if wish.other_card or same_card(sale, card) else OTHER_CARD

    if wish.with_card:
        return collect(ports, rules, given, accepts=accepts, original=sale)
    return _without_card(ports, rules, given, sale)


def _without_card(ports: Ports, rules: Rules, given: Transaction, sale: Transaction) -> Transaction:
    if not (rules.profile.refund_without_card and ports.host_online()):
        reason = never_stored(given)
        if not rules.profile.refund_without_card:
            reason = "This acquirer takes refunds with the card only."
        return ports.journal.commit(given.txn_id, RiskRefused(ports.clock.now(), reason))
    at = ports.clock.now().replace(microsecond=0)

    def compose(numbers: Numbers) -> tuple[AuthorisationSent, Outgoing]:
        facts = replace(
            facts_about(rules, given, numbers, at=at),
            rrn=sale.rrn,
            processing_code=REFUND,
            original=original_of(sale),
        )
        now = ports.clock.now()
        sent = AuthorisationSent(
            now, sale.card, facts.stan, facts.rrn, facts.batch, transmitted_at=at, taps=0
        )
        return sent, Outgoing(Kind.SALE, compose_sale(rules.profile, facts))

    recorded, item = ports.journal.enqueue(given.txn_id, compose)
    return ask_host(ports, rules, recorded, item)


def void(ports: Ports, rules: Rules, txn_id: str, wish: VoidWish) -> Transaction:
    """Takes back an approved transaction of the open batch, a hold, or a stored sale.

    What the acquirer has not heard of ends at once; for the rest a 0420 is queued and the
    transaction is VOIDING until the forwarder has brought its answer.

    Raises:
        RefundRefused: it cannot be voided; nothing was recorded.
        StoreError: there is no such transaction, or nothing was recorded.
    """

    def compose(about: Transaction) -> Outgoing:
        code = REFUND if about.kind is TransactionKind.REFUND else PURCHASE
        if about.stan is None or about.batch is None or about.transmitted_at is None:
            raise AssertionError("this transaction was never sent")
        numbers = Numbers(stan=about.stan, rrn=about.rrn, batch=about.batch, key="")
        facts = replace(
            facts_about(rules, about, numbers, at=about.transmitted_at),
            processing_code=code,
            original=original_of(about),
        )
        return Outgoing(Kind.REVERSAL, compose_void(rules.profile, facts))

    return ports.journal.undo(txn_id, judge_void(wish, compose))


def complete(
    ports: Ports, rules: Rules, txn_id: str, amount: Amount, *, tip_minor: int = 0, by: str = ""
) -> Transaction:
    """Takes what a hold has set aside: its 0220 is queued, and the hold is STORED until sent.

    Raises:
        RefundRefused: it is no open hold, or the amount is not what it can give.
        StoreError: nothing was recorded.
    """
    held = ports.journal.transaction(txn_id)
    taken = completion_terms(held, amount, tip_minor)
    at = ports.clock.now().replace(microsecond=0)

    def compose(numbers: Numbers) -> tuple[Completed, Outgoing]:
        facts = replace(
            facts_about(rules, taken, numbers, at=at),
            rrn=held.rrn,
            approval_code=held.approval_code,
        )
        event = Completed(
            at=ports.clock.now(),
            amount=amount,
            tip_minor=tip_minor,
            stan=facts.stan,
            rrn=facts.rrn,
            batch=facts.batch,
            transmitted_at=at,
            by=by,
        )
        return event, Outgoing(Kind.ADVICE, compose_completion(rules.profile, facts))

    recorded, _ = ports.journal.enqueue(txn_id, compose)
    return recorded


def facts_about(rules: Rules, about: Transaction, numbers: Numbers, *, at: datetime) -> SaleFacts:
    """What a message without a card says of a transaction."""
    return SaleFacts(
        amount=about.amount,
        stan=numbers.stan,
        rrn=numbers.rrn,
        at=at,
        local_at=at.astimezone(rules.zone),
        terminal_id=rules.terminal_id,
        merchant_id=rules.merchant_id,
        reference=f"{about.sequence}:{about.txn_id}",
        chip_data={},
        envelope=b"",
        batch=numbers.batch,
    )
