"""Events as JSON and back, and the sales table against the fold of random legal histories."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.events import EVENT_TYPES, StoredEvent, decode, encode, read_time, write_time
from offline_queue.projection import WAITING
from offline_queue.reports import Reports
from terminal.errors import StoreError
from terminal.happenings import CarriedOver
from terminal.ledger import Kind, Numbers, OutboxItem, Outgoing
from terminal.money import CURRENCIES, MINOR_MAX, Amount
from terminal.terms import Part, Tender, Terms, TransactionKind
from terminal.transaction import (
    FINAL,
    NOT_FOR,
    TRANSITIONS,
    AuthorisationSent,
    CardSummary,
    Event,
    HostApproved,
    SaleIntended,
    State,
    StoredOffline,
    Transaction,
    replay,
)
from tests.offline_queue.sales import CARD, EUR, START, Till, message

TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  # The zone comes from the next argument.
    max_value=datetime(2199, 12, 31),  # noqa: DTZ001  # As above.
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)
TEXT = st.text(max_size=30)
WHOLE = st.integers(min_value=0, max_value=MINOR_MAX)
AMOUNTS = st.builds(Amount, WHOLE, st.sampled_from(sorted(CURRENCIES.values(), key=str)))
CARDS = st.builds(
    CardSummary, *[TEXT] * 6, fingerprint_epoch=st.integers(0, 99), device=TEXT, cvm=TEXT
)
BY_HINT: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: WHOLE,
    bool: st.booleans(),
    datetime: TIMES,
    Amount: AMOUNTS,
    CardSummary: CARDS,
    CardSummary | None: st.none() | CARDS,
    datetime | None: st.none() | TIMES,
}
PARTS = st.builds(
    lambda group, rate, gross, share: Part(group, rate, gross, gross * share // 100),
    *(TEXT, st.integers(0, 10_000), WHOLE, st.integers(0, 100)),
)
BY_HINT[tuple[Part, ...]] = st.lists(PARTS, max_size=3).map(tuple)
BY_HINT[Terms] = st.builds(
    Terms,
    kind=st.sampled_from([TransactionKind.SALE, TransactionKind.HOLD]),
    tender=st.sampled_from(Tender),
    bill=TEXT,
    tip_minor=WHOLE,
    parts=BY_HINT[tuple[Part, ...]],
    day=TEXT,
    hour=st.integers(0, 23),
    approved_by=TEXT,
    remark=TEXT,
) | st.builds(Terms, kind=st.just(TransactionKind.REFUND), original=st.text(min_size=1))


def events_of(kind: type[Event]) -> st.SearchStrategy[Event]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: BY_HINT[hint] for name, hint in hints.items()})


ANY_EVENT = st.one_of([events_of(kind) for kind in EVENT_TYPES.values()])


def test_every_event_has_its_name() -> None:
    used = {kind for row in TRANSITIONS.values() for kind in row}
    assert set(EVENT_TYPES.values()) == used | {SaleIntended}


@given(ANY_EVENT)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    stored = encode(event)
    assert decode(stored) == event
    assert json.loads(stored.payload).keys() | {"at"} == {
        field.name for field in dataclasses.fields(event)
    }


@given(TIMES, TIMES)
def test_times_sort_as_text(one: datetime, other: datetime) -> None:
    assert (write_time(one) < write_time(other)) == (one < other)
    assert read_time(write_time(one)) == one


def test_a_time_without_a_zone_is_our_fault() -> None:
    with pytest.raises(AssertionError, match="zone"):
        write_time(datetime(2026, 1, 1))  # noqa: DTZ001  # That is the point.


APPROVED = encode(HostApproved(START, "00", "123456", 5))
INTENDED = encode(SaleIntended(START, "t", 1, Amount(5, EUR)))
SENT = encode(AuthorisationSent(START, CARD, 1, "1" * 12, 1))


def edited(stored: StoredEvent, **changes: object) -> StoredEvent:
    values = {**json.loads(stored.payload), **changes}
    values = {name: value for name, value in values.items() if value is not ...}
    return dataclasses.replace(stored, payload=json.dumps(values))


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (dataclasses.replace(APPROVED, type="Approved"), "no such type"),
        (dataclasses.replace(APPROVED, payload="{"), "unreadable"),
        (dataclasses.replace(APPROVED, payload="[]"), "no object"),
        (dataclasses.replace(APPROVED, at="yesterday"), "field at: not a time"),
        (edited(APPROVED, at="2026-11-23T00:00:00.000000Z"), "time is there twice"),
        (edited(APPROVED, approval_code=...), "field approval_code is missing"),
        (edited(APPROVED, colour="red"), "unknown field colour"),
        (edited(APPROVED, approved_minor="5"), "field approved_minor: not int"),
        (edited(APPROVED, approved_minor=True), "field approved_minor: not int"),
        (edited(APPROVED, approved_minor=5.0), "field approved_minor: not int"),
        (edited(APPROVED, response_code=0), "field response_code: not str"),
        (edited(APPROVED, response_code=None), "field response_code: not str"),
        (edited(INTENDED, training=0), "field training: not bool"),
        (edited(INTENDED, amount=5), "field amount: not an amount"),
        (edited(INTENDED, amount={"minor": 5}), "field amount: not an amount"),
        (edited(INTENDED, amount={"minor": True, "currency": "EUR"}), "not an amount"),
        (edited(INTENDED, amount={"minor": 5, "currency": "EUR", "x": 1}), "not an amount"),
        (edited(INTENDED, amount={"minor": -5, "currency": "EUR"}), "negative"),
        (edited(INTENDED, amount={"minor": 5, "currency": "QQQ"}), "QQQ"),
        (edited(SENT, card=7), "field card: not a card"),
        (edited(SENT, card={"token": "t"}), "field card: field masked_pan is missing"),
        (edited(SENT, card={"number": "4111"}), "field card: unknown field number"),
    ],
)
def test_what_cannot_be_read_is_named_and_never_guessed(stored: StoredEvent, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        decode(stored)
    assert "unreadable" in caught.value.message
    assert "Nothing was changed" in caught.value.remedy


def test_a_field_that_an_older_till_did_not_write_takes_its_default() -> None:
    assert decode(edited(INTENDED, training=..., cashier=...)) == SaleIntended(
        START, "t", 1, Amount(5, EUR)
    )


OUTGOING = {kind: Outgoing(kind, kind.value.encode()) for kind in Kind}


def step(till: Till, data: st.DataObject, sale: Transaction, item: OutboxItem | None) -> None:
    """Gives the sale one more legal event, with what that does to the outbox."""
    possible = TRANSITIONS[sale.state].keys() - NOT_FOR[sale.kind] - NOT_FOR[sale.terms.tender]
    kind = data.draw(st.sampled_from(sorted(possible, key=str)))
    event = data.draw(events_of(kind))
    if isinstance(event, HostApproved):
        event = dataclasses.replace(
            event, approved_minor=data.draw(st.integers(1, sale.amount.minor))
        )
    if isinstance(event, AuthorisationSent | StoredOffline):
        offered = event

        def compose(numbers: Numbers) -> tuple[AuthorisationSent | StoredOffline, Outgoing]:
            made = dataclasses.replace(
                offered, stan=numbers.stan, rrn=numbers.rrn, batch=numbers.batch
            )
            outgoing = Kind.SALE if isinstance(made, AuthorisationSent) else Kind.ADVICE
            return made, Outgoing(outgoing, message(b"0200", numbers))

        after, _ = till.journal.enqueue(sale.txn_id, compose)
        event = till.journal.events(sale.txn_id)[-1]
    else:
        if isinstance(event, CarriedOver):
            # It is carried into a batch that there is.
            event = dataclasses.replace(event, batch=1)
        before, needed = WAITING.get(sale.state), WAITING.get(TRANSITIONS[sale.state][kind])
        changed = before is not needed
        after = till.journal.commit(
            sale.txn_id,
            event,
            done=item if changed and before else None,
            queue=OUTGOING[needed] if changed and needed else None,
        )
    assert after == sale.after(event)


def item_of(till: Till, txn_id: str) -> OutboxItem | None:
    with till.store.read() as connection:
        found = connection.execute("SELECT item FROM outbox WHERE txn_id = ?", (txn_id,)).fetchall()
    return OutboxItem(int(str(found[0][0])), txn_id, "", Kind.SALE, b"") if found else None


@settings(max_examples=40, deadline=None, print_blob=True)
@given(st.data())
def test_the_table_of_sales_is_the_fold_of_any_legal_history(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        till = Till(Path(folder) / "ledger.db")
        try:
            names = []
            for number in range(data.draw(st.integers(1, 4))):
                amount = Amount(data.draw(st.integers(1, MINOR_MAX)), data.draw(AMOUNTS).currency)
                names.append(
                    till.journal.open_sale(
                        txn_id=f"{number}",
                        amount=amount,
                        at=data.draw(TIMES),
                        cashier=data.draw(TEXT),
                        training=data.draw(st.booleans()),
                    ).txn_id
                )
            for _ in range(data.draw(st.integers(0, 16))):
                name = data.draw(st.sampled_from(names))
                sale = till.journal.transaction(name)
                if not sale.final:
                    step(till, data, sale, item_of(till, name))
            assert till.store.verify() == len(names)
            for name in names:
                assert replay(till.journal.events(name)) == till.journal.transaction(name)
            waiting = {row.transaction.txn_id for row in Reports(till.store).queue()}
            assert waiting == {name for name in names if not till.journal.transaction(name).final}
        finally:
            till.journal.close()


def test_a_waiting_state_is_one_that_is_not_final() -> None:
    assert set(WAITING) == set(State) - FINAL - {State.INTENDED, State.AWAITED}
