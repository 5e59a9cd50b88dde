"""A report counts each sale of its currency once, in the row of its state."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from terminal.money import MINOR_MAX, Amount, Currency, Total
from terminal.settlement import SchemeRow, TotalRow, counted_minor, report
from terminal.transaction import FINAL, CardSummary, State, Transaction

EUR, USD = Currency.of("EUR"), Currency.of("USD")
AT = datetime(2026, 4, 1, 18, 0, tzinfo=UTC)
VISA = CardSummary("tok_a", "•••• 0010", "Visa", "A0000000031010", "VISA", "f" * 32, 1)


def sale(state: State, minor: int, **changes: object) -> Transaction:
    made = Transaction(
        "sale_1", 1, state, Amount(minor, EUR), AT, AT, card=VISA, approved_minor=minor
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a table's values


def test_an_empty_batch() -> None:
    empty = report("X", 1, AT, EUR, [])
    assert (empty.rows, empty.schemes, empty.pending_count) == ((), (), 0)
    assert (str(empty.approved), str(empty.pending)) == ("EUR 0.00", "EUR 0.00")


def test_rows_stand_in_the_order_of_the_states_and_schemes_by_name() -> None:
    master = replace(VISA, scheme="Mastercard")
    made = report(
        "Z",
        7,
        AT,
        EUR,
        [
            sale(State.DECLINED, 100),
            sale(State.APPROVED, 1000),
            sale(State.APPROVED, 10000, approved_minor=6006, card=master),
            sale(State.STORED, 250),
            sale(State.UNKNOWN, 25),
            sale(State.APPROVED, 1, card=None),
        ],
    )
    assert (made.kind, made.batch, made.at, made.currency) == ("Z", 7, AT, EUR)
    assert made.rows == (
        TotalRow(State.STORED, 1, Total(250, EUR)),
        TotalRow(State.APPROVED, 3, Total(7007, EUR)),
        TotalRow(State.DECLINED, 1, Total(100, EUR)),
        TotalRow(State.UNKNOWN, 1, Total(25, EUR)),
    )
    assert made.schemes == (
        SchemeRow("Mastercard", 1, Total(6006, EUR)),
        SchemeRow("Visa", 1, Total(1000, EUR)),
    )
    assert (made.approved.minor, made.pending.minor, made.pending_count) == (7007, 275, 2)


def test_other_currencies_and_training_are_not_added_up() -> None:
    sales = [
        sale(State.APPROVED, 1000),
        sale(State.APPROVED, 5, amount=Amount(5, USD)),
        sale(State.APPROVED, 7, training=True),
    ]
    made = report("X", 1, AT, EUR, sales)
    assert made.rows == (TotalRow(State.APPROVED, 1, Total(1000, EUR)),)
    assert report("X", 1, AT, USD, sales).approved == Total(5, USD)


@pytest.mark.parametrize("state", State)
def test_each_state_is_final_or_pending(state: State) -> None:
    made = report("X", 1, AT, EUR, [sale(state, 300)])
    [row] = made.rows
    assert row.pending is (state not in FINAL)
    assert made.pending.minor == (0 if state in FINAL else 300)
    assert made.approved.minor == (300 if state is State.APPROVED else 0)


def test_a_sum_may_be_more_than_any_one_sale() -> None:
    made = report("X", 1, AT, EUR, [sale(State.APPROVED, MINOR_MAX), sale(State.APPROVED, 1)])
    assert str(made.approved) == "EUR 10000000000.00"


@pytest.mark.parametrize("seed", random.Random(99).sample(range(10**6), 20))
def test_random_batches_add_up(seed: int) -> None:
    chance = random.Random(seed)
    sales = [
        sale(chance.choice(list(State)), minor, approved_minor=chance.randint(1, minor))
        for minor in (chance.randint(1, 10**6) for _ in range(chance.randint(0, 60)))
    ]
    made = report("X", 1, AT, EUR, sales)
    assert Counter({row.state: row.count for row in made.rows}) == Counter(s.state for s in sales)
    assert sum(row.total.minor for row in made.rows) == sum(map(counted_minor, sales))
    assert sum(row.total.minor for row in made.schemes) == made.approved.minor
