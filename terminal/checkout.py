"""One payment, from the amount to a committed end.

Rules of this file: straight-line code over a frozen bundle of ports. The order is the promise
and must never change: durable intent, tap, sealing, one SQL transaction with the sale, its
event, its numbers and its message, then bytes leave, then the answer is committed, and only
then does anybody see "approved". It starts no threads and catches failures by meaning.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from terminal.attempt import RANDOM_BYTES, Attempt, command_times
from terminal.delivery import read_sale
from terminal.emv.converse import Conversation, converse
from terminal.emv.entry_point import transact
from terminal.emv.outcome import Decision, MessageId, Outcome
from terminal.emv.settings import TransactionRequest
from terminal.errors import (
    AmountError,
    AnswerLost,
    CardError,
    CardLost,
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
from terminal.ports import (
    Card,
    ForeignTag,
    SeveralCards,
    Unreadable,
)
from terminal.progress import Authorising, CardRead, Presenting, Prompted
from terminal.risk import Refusal, not_again, offline_refusal
from terminal.sale import Ports, Rules, Tap, compose
from terminal.tokens import TOKEN_BYTES, Binding, seal
from terminal.transaction import (
    Cancelled,
    CardDeclined,
    CardSummary,
    Deferred,
    FateUnknown,
    Interrupted,
    RiskRefused,
    Transaction,
)

__all__ = ["Ports", "Rules", "pay"]

HOLD_TIME_S = 1.3
"""How long a message stays before the next tap: 0D tenths, as two Kernel 2 configurations say."""

REMOVAL_S = 3.0
"""How long a refused card may lie there before it is looked at again."""

PURCHASE = "000000"
"""DE 3 of a plain sale (ISO 8583:1987)."""


def pay(ports: Ports, rules: Rules, amount: Amount, *, cashier: str = "") -> Transaction:
    """Takes one payment and returns the sale as it is committed.

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
    sale = ports.journal.open_sale(
        txn_id=txn_id, amount=amount, at=ports.clock.now(), cashier=cashier, training=False
    )
    ports.show(Presenting(amount, rules.present_s))
    try:
        tapped = _tap(ports, rules, sale)
    except TerminalError as failed:
        if not isinstance(failed, StoreError):
            ports.journal.commit(txn_id, Interrupted(ports.clock.now(), failed.message))
        raise
    finally:
        ports.reader.release()
    if isinstance(tapped, Transaction):
        return tapped
    return _authorise(ports, rules, sale, tapped)


# -- the tap ---------------------------------------------------------------------------------


def _tap(ports: Ports, rules: Rules, sale: Transaction) -> Tap | Transaction:
    """Waits for a card until one can be used, the card says no, or the time is up."""
    deadline = ports.clock.monotonic() + rules.present_s
    attempt = Attempt()
    while True:
        left_s = deadline - ports.clock.monotonic()
        if ports.cancelled() or left_s <= 0:
            reason = "Cancelled by the cashier." if ports.cancelled() else "Nobody tapped in time."
            return ports.journal.commit(sale.txn_id, Cancelled(ports.clock.now(), reason))
        presented = ports.reader.wait_for_card(timeout_s=left_s, cancelled=ports.cancelled)
        match presented:
            case None:
                continue
            case SeveralCards():
                _ask_again(ports, Prompted(MessageId.ONE_CARD_ONLY))
            case ForeignTag(technology=technology):
                note = f"{technology}: this is not a payment card."
                _ask_again(ports, Prompted(MessageId.TRY_ANOTHER_CARD, note))
            case Unreadable(reason=reason):
                _ask_again(ports, Prompted(MessageId.PRESENT_AGAIN, reason))
            case _:
                ended = _read(ports, rules, sale, presented, attempt)
                if not isinstance(ended, Prompted):
                    return ended
                _ask_again(ports, ended)


def _ask_again(ports: Ports, prompt: Prompted) -> None:
    """Says what to do, and lets go of what was presented before the next look.

    What lies there still would answer the same again, so it gets time to leave. A phone that
    asks its owner, or a card that moved, may stay: those are tried again soon.
    """
    ports.show(prompt)
    soon = prompt.message in {MessageId.SEE_PHONE, MessageId.PRESENT_AGAIN}
    wait_s = HOLD_TIME_S if soon else REMOVAL_S
    ports.reader.wait_for_removal(timeout_s=wait_s, cancelled=ports.cancelled)
    ports.reader.release()


def _read(
    ports: Ports, rules: Rules, sale: Transaction, card: Card, attempt: Attempt
) -> Tap | Transaction | Prompted:
    """Runs the EMV dialogue with one card and judges its outcome."""
    at = ports.clock.now().replace(microsecond=0)
    request = TransactionRequest(
        amount=sale.amount,
        at=at.astimezone(rules.zone),
        unpredictable_number=ports.entropy.random_bytes(4),
        sequence=sale.sequence,
    )
    request = attempt.asked(request, ports.entropy.random_bytes(RANDOM_BYTES))
    started = ports.clock.monotonic()
    try:
        conversation = converse(transact(request, rules.emv), card, monotonic=ports.clock.monotonic)
    except CardLost:
        return Prompted(MessageId.PRESENT_AGAIN)
    except CardError as broken:
        return Prompted(MessageId.TRY_ANOTHER_CARD, broken.message)
    outcome = conversation.result
    attempt.note(outcome)
    if outcome.decision is Decision.DECLINED:
        declined = CardDeclined(ports.clock.now(), outcome.reason)
        return ports.journal.commit(sale.txn_id, declined)
    if outcome.decision not in {Decision.ONLINE_REQUEST, Decision.APPROVED}:
        message = outcome.ui.message if outcome.ui else MessageId.TRY_ANOTHER_CARD
        return Prompted(message, outcome.reason)
    tapped = _seal(ports, rules, sale, outcome, at)
    times = _card_read(conversation, ports.clock.monotonic() - started)
    ports.show(times)
    return replace(tapped, summary=_timed(tapped.summary, times, conversation))


def _card_read(conversation: Conversation[Outcome], total_s: float) -> CardRead:
    card_s, ui = conversation.card_time_s, conversation.result.ui
    return CardRead(
        card_time_s=card_s,
        terminal_time_s=max(0.0, total_s - card_s),
        languages=ui.languages if ui is not None else (),
    )


def _timed(
    summary: CardSummary, times: CardRead, conversation: Conversation[Outcome]
) -> CardSummary:
    """The card with how long it and the till took, for the report on slow taps."""
    return replace(
        summary,
        card_ms=round(times.card_time_s * 1000),
        terminal_us=round(times.terminal_time_s * 1_000_000),
        command_times=command_times(conversation),
    )


def _seal(ports: Ports, rules: Rules, sale: Transaction, outcome: Outcome, at: datetime) -> Tap:
    """The last place where this payment has card data in the clear."""
    if outcome.card is None or outcome.application is None:
        raise AssertionError("an outcome that goes on has card data and an application")
    binding = Binding(
        terminal_id=rules.terminal_id,
        sequence=sale.sequence,
        txn_id=sale.txn_id,
        processing_code=PURCHASE,
        amount=sale.amount,
        transmitted_at=at,
    )
    sealed = seal(
        outcome.card,
        binding,
        sealer=ports.sealer,
        keystore=ports.keystore,
        random=ports.entropy.random_bytes(TOKEN_BYTES),
    )
    summary = CardSummary(
        token=sealed.token,
        masked_pan=sealed.masked_pan,
        scheme=outcome.application.scheme,
        aid=outcome.application.aid.hex().upper(),
        label=_printable_label(outcome.application.label, outcome.application.scheme),
        fingerprint=sealed.fingerprint,
        fingerprint_epoch=sealed.fingerprint_epoch,
        device=outcome.device,
        cvm=outcome.cvm.value,
        par_fingerprint=sealed.par_fingerprint,
        last4=outcome.last4,
    )
    return Tap(
        sealed=sealed,
        summary=summary,
        chip_data=dict(outcome.chip_data),
        sequence=outcome.card.sequence,
        at=at,
        approved_by_card=outcome.decision is Decision.APPROVED,
    )


def _printable_label(label: str, scheme: str) -> str:
    """The card's own name for its application, unless a number hides in it.

    The label is whatever the card says, and it goes to the ledger and to paper.
    """
    return scheme if sum(character.isdigit() for character in label) > 4 else label


# -- the authorisation -----------------------------------------------------------------------


def _authorise(ports: Ports, rules: Rules, sale: Transaction, tap: Tap) -> Transaction:
    """Records the sale, then asks the acquirer, or stores the sale where it is away."""
    reason = ""
    if tap.approved_by_card:
        reason = "Approved offline by the card."
    elif not ports.host_online():
        reason = "The acquirer cannot be reached."
    refusal = not_again(ports.journal, rules.profile, sale.amount, tap.summary, ports.clock.now())
    if reason and refusal is None:
        refusal = _may_not_store(
            ports, rules, sale.amount, tap.summary, card_approved=tap.approved_by_card
        )
    if refusal is not None:
        refused = RiskRefused(ports.clock.now(), refusal.text, tap.summary, refusal.limit.name)
        return ports.journal.commit(sale.txn_id, refused)
    recorded, item = ports.journal.enqueue(
        sale.txn_id, lambda numbers: compose(ports, rules, sale, tap, numbers, reason)
    )
    return recorded if reason else _exchange(ports, rules, recorded, item)


def _may_not_store(
    ports: Ports, rules: Rules, amount: Amount, card: CardSummary, *, card_approved: bool
) -> Refusal | None:
    return offline_refusal(
        rules.offline,
        amount,
        ports.journal.exposure(amount.currency, card),
        card=card,
        card_approved=card_approved,
        at=ports.clock.now(),
    )


def _exchange(ports: Ports, rules: Rules, sale: Transaction, item: OutboxItem) -> Transaction:
    """Sends the recorded sale and commits whatever can be said afterwards."""
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
