"""How long taps took: what the till records, and what a report makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from terminal.attempt import RANDOM_BYTES, Attempt
from terminal.emv.outcome import (
    Cvm,
    Decision,
    MessageId,
    Outcome,
    TornTransaction,
    UiRequest,
    UiStatus,
)
from terminal.money import Amount, Currency
from terminal.tap_times import summary, tap_times
from terminal.transaction import CardSummary, State, Transaction
from tests.terminal.emv.scheme import request

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
CARD = CardSummary("tok_a", "•••• 0010", "Visa", "A0", "VISA", "f" * 32, 1)


def sale(number: int, card: CardSummary | None) -> Transaction:
    return Transaction(
        txn_id=f"sale_{number}",
        sequence=number,
        state=State.APPROVED,
        amount=Amount(1250, Currency.of("EUR")),
        created_at=NOW,
        changed_at=NOW,
        card=card,
    )


def timed(card_ms: int, terminal_us: int, commands: str = "SELECT 13") -> CardSummary:
    return replace(CARD, card_ms=card_ms, terminal_us=terminal_us, command_times=commands)


def test_a_tap_is_card_and_till_together() -> None:
    commands = "SELECT 13, SELECT 54, GET PROCESSING OPTIONS 293, READ RECORD 11, INS 8A 4"
    (tap,) = tap_times([sale(1, timed(375, 1_001, commands)), sale(2, CARD), sale(3, None)])
    assert (tap.sequence, tap.card_ms, tap.terminal_ms, tap.total_ms) == (1, 375, 2, 377)
    assert tap.slowest == "GET PROCESSING OPTIONS 293 ms"
    assert [name for name, _ in tap.commands][-1] == "INS 8A"
    assert tap.in_time
    (late,) = tap_times([sale(1, timed(499, 1_001))])
    assert not late.in_time


def test_figures_are_times_that_taps_really_had() -> None:
    assert summary([]) is None
    taps = tap_times([sale(n, timed(n * 10, 900)) for n in range(1, 101)])
    figures = summary(taps)
    assert figures is not None
    assert (figures.count, figures.median_ms, figures.p95_ms) == (100, 501, 951)
    assert (figures.worst_ms, figures.in_time, figures.terminal_p95_ms) == (1001, 49, 1)


def test_a_tap_leaves_what_the_next_one_needs() -> None:
    attempt = Attempt()
    random = bytes(range(RANDOM_BYTES))
    first = attempt.asked(request(), random)
    assert first.relay_entropy == (random[:4], random[4:8])
    assert first.random_percent == 1 + 0x0809 % 99
    assert (first.torn, first.restarted) == ((), False)

    def torn(number: int) -> TornTransaction:
        at = NOW + timedelta(seconds=number)
        return TornTransaction(b"", at, 0x80, Cvm.NONE, b"", b"", b"", {0x9F37: bytes(4)})

    for number in range(3):
        attempt.note(Outcome(Decision.TRY_AGAIN, "torn", torn=torn(number)))
    assert attempt.asked(request(), random).torn == (torn(1), torn(2))
    ui = UiRequest(MessageId.SEE_PHONE, UiStatus.PROCESSING_ERROR)
    attempt.note(Outcome(Decision.TRY_AGAIN, "locked", ui=ui))
    assert attempt.asked(request(), random).restarted
