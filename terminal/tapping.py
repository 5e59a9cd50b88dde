"""The tap: from an open reader to a sealed card, or to an end without one.

Rules of this file: card data is in the clear between ``_read`` and ``_seal`` and nowhere else of
the till's mind. What the customer has to do about a card is a prompt, and the wait goes on; only
a card that goes on, a card that says no, a cancel or the clock ends it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from terminal.attempt import RANDOM_BYTES, Attempt, command_times
from terminal.emv.converse import Conversation, converse
from terminal.emv.entry_point import transact
from terminal.emv.outcome import Decision, MessageId, Outcome
from terminal.emv.settings import TransactionRequest
from terminal.errors import (
    CardError,
    CardLost,
)
from terminal.ports import (
    Card,
    ForeignTag,
    SeveralCards,
    Unreadable,
)
from terminal.progress import CardRead, Prompted
from terminal.sale import PROCESSING_CODES, TRANSACTION_TYPES, AcceptsCard, Ports, Rules, Tap
from terminal.tokens import TOKEN_BYTES, Binding, seal
from terminal.transaction import (
    Cancelled,
    CardDeclined,
    CardSummary,
    Transaction,
    TransactionKind,
)

HOLD_TIME_S = 1.3
"""How long a message stays before the next tap: 0D tenths, as two Kernel 2 configurations say."""

REMOVAL_S = 3.0
"""How long a refused card may lie there before it is looked at again."""

_WITH_A_CARD = frozenset({Decision.ONLINE_REQUEST, Decision.APPROVED, Decision.DECLINED})


def wait_for_tap(
    ports: Ports, rules: Rules, sale: Transaction, accepts: AcceptsCard
) -> Tap | Transaction:
    """Waits for a card until one can be used, the card says no, or the time is up."""
    deadline = ports.clock.monotonic() + rules.present_s
    attempt = Attempt()
    taps = 0
    while True:
        left_s = deadline - ports.clock.monotonic()
        if ports.cancelled() or left_s <= 0:
            reason = "Cancelled by the cashier." if ports.cancelled() else "Nobody tapped in time."
            return ports.journal.commit(sale.txn_id, Cancelled(ports.clock.now(), reason))
        presented = ports.reader.wait_for_card(timeout_s=left_s, cancelled=ports.cancelled)
        taps += presented is not None
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
                ended = _read(ports, rules, sale, presented, attempt, accepts)
                if isinstance(ended, Tap):
                    return replace(ended, taps=taps)
                if isinstance(ended, Transaction):
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
    ports: Ports,
    rules: Rules,
    sale: Transaction,
    card: Card,
    attempt: Attempt,
    accepts: AcceptsCard,
) -> Tap | Transaction | Prompted:
    """Runs the EMV dialogue with one card and judges its outcome."""
    at = ports.clock.now().replace(microsecond=0)
    request = TransactionRequest(
        amount=sale.amount,
        at=at.astimezone(rules.zone),
        unpredictable_number=ports.entropy.random_bytes(4),
        transaction_type=TRANSACTION_TYPES[sale.kind],
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
    if outcome.decision is Decision.DECLINED and not _names_whom_to_pay(sale, outcome):
        declined = CardDeclined(ports.clock.now(), outcome.reason)
        return ports.journal.commit(sale.txn_id, declined)
    if outcome.decision not in _WITH_A_CARD:
        message = outcome.ui.message if outcome.ui else MessageId.TRY_ANOTHER_CARD
        return Prompted(message, outcome.reason)
    tapped = _seal(ports, rules, sale, outcome, at)
    if unfit := accepts(tapped.summary):
        return Prompted(MessageId.TRY_ANOTHER_CARD, unfit)
    times = _card_read(conversation, ports.clock.monotonic() - started)
    ports.show(times)
    return replace(tapped, summary=_timed(tapped.summary, times, conversation))


def _names_whom_to_pay(sale: Transaction, outcome: Outcome) -> bool:
    """Whether this card will do for a refund: it has nothing to say against being given money.

    Cards are made to refuse anything that is not a purchase, so a refund needs the card's account
    alone, and the bank decides (a refund is never stored).
    """
    return sale.kind is TransactionKind.REFUND and outcome.card is not None


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
        processing_code=PROCESSING_CODES[sale.kind],
        amount=sale.amount,
        transmitted_at=at,
    )
    sealed = seal(
        outcome.card,
        binding,
        sealer=ports.sealer,
        keystore=ports.keystore,
        random=ports.entropy.random_bytes(TOKEN_BYTES),
        epochs=rules.fingerprints,
    )
    summary = CardSummary(
        token=sealed.token,
        masked_pan=sealed.masked_pan,
        scheme=outcome.application.scheme,
        aid=outcome.application.aid.hex().upper(),
        label=printable_label(outcome.application.label, outcome.application.scheme),
        fingerprint=sealed.fingerprint,
        fingerprint_epoch=sealed.fingerprint_epoch,
        device=outcome.device,
        cvm=outcome.cvm.value,
        par_fingerprint=sealed.par_fingerprint,
        previous_fingerprint=sealed.previous_fingerprint,
        previous_par_fingerprint=sealed.previous_par_fingerprint,
        last4=outcome.last4,
        language=next(iter(outcome.ui.languages if outcome.ui is not None else ()), ""),
    )
    return Tap(
        sealed=sealed,
        summary=summary,
        chip_data=dict(outcome.chip_data),
        sequence=outcome.card.sequence,
        at=at,
        approved_by_card=outcome.decision is Decision.APPROVED
        and sale.kind is TransactionKind.SALE,
    )


def printable_label(label: str, scheme: str) -> str:
    """The card's own name for its application, unless a number hides in it.

    The label is whatever the card says, and it goes to the ledger and to paper.
    """
    return scheme if sum(character.isdigit() for character in label) > 4 else label
