"""The table of states and events is total, and a transaction is what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from terminal.money import Amount, Currency
from terminal.transaction import (
    FINAL,
    MONEY_TAKEN,
    NOT_FOR,
    RESTING,
    TRANSITIONS,
    AuthorisationSent,
    Cancelled,
    CardDeclined,
    CardSummary,
    CarriedOver,
    Completed,
    Deferred,
    Event,
    FateUnknown,
    HoldApproved,
    HoldKept,
    HostApproved,
    HostDeclined,
    Interrupted,
    LateAnswer,
    MoneyTaken,
    Requeued,
    ReversalConfirmed,
    RiskRefused,
    SaleIntended,
    SetAside,
    State,
    StoredOffline,
    Tender,
    TenderConfirmed,
    Terms,
    Transaction,
    TransactionKind,
    TransferShown,
    VoidConfirmed,
    Voided,
    VoidRefused,
    VoidSent,
    replay,
)

AT = datetime(2026, 11, 23, 16, 20, tzinfo=UTC)
LATER = AT + timedelta(seconds=7)
EUR = Currency.of("EUR")
CARD = CardSummary("tok_a", "\u2022\u2022\u2022\u2022 0010", "Visa", "A0", "VISA", "00ff", 1)
OTHER_CARD = replace(CARD, token="tok_b")

EVENTS: dict[type[Event], Event] = {
    type(event): event
    for event in (
        SaleIntended(LATER, "t", 1, Amount(1250, EUR)),
        AuthorisationSent(LATER, CARD, 7, "632716000007", 3),
        StoredOffline(LATER, CARD, 7, "632716000007", 3, "no network"),
        Deferred(LATER, "no route"),
        HostApproved(LATER, "00", "123456", 1250),
        HostDeclined(LATER, "51", "no funds"),
        FateUnknown(LATER, "no answer"),
        ReversalConfirmed(LATER, "00"),
        LateAnswer(LATER, "00"),
        SetAside(LATER, "30", "format error"),
        Requeued(LATER),
        CardDeclined(LATER, "expired", OTHER_CARD),
        RiskRefused(LATER, "over the limit"),
        Cancelled(LATER, "by the cashier"),
        Interrupted(LATER, "power"),
        HoldApproved(LATER, "00", "123456"),
        Completed(LATER, Amount(1200, EUR), 100, 8, "632716000007", 4, LATER),
        TransferShown(LATER, "TAP-1"),
        TenderConfirmed(LATER, 3, "Ada", tendered_minor=2000),
        VoidSent(LATER, "wrong amount", "Ada"),
        VoidConfirmed(LATER, "00"),
        VoidRefused(LATER, "12", "closed"),
        HoldKept(LATER, "12", "closed"),
        Voided(LATER, "wrong amount", "Ada", "Eva"),
        CarriedOver(LATER, 4),
    )
}

TERMS = [
    Terms(kind, tender, "t0" if kind is TransactionKind.REFUND else "", day="2026-11-23", hour=16)
    for kind in TransactionKind
    for tender in Tender
]
BEGUN = Transaction.begin(SaleIntended(AT, "t", 1, Amount(1250, EUR), "Ada"))
PAIRS = [(state, kind) for state in State for kind in EVENTS]


def test_there_is_a_sample_of_every_event() -> None:
    assert set(EVENTS) == set(get_args(Event))


def test_the_table_has_a_row_for_every_state_and_no_other() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set(MONEY_TAKEN) == set(State)


def test_every_event_but_the_first_is_used_and_the_first_is_not() -> None:
    used = {kind for row in TRANSITIONS.values() for kind in row}
    assert used == set(EVENTS) - {SaleIntended}


def test_every_state_can_be_reached_from_the_intent() -> None:
    reached, frontier = {State.INTENDED}, [State.INTENDED]
    while frontier:
        for target in TRANSITIONS[frontier.pop()].values():
            if target not in reached:
                reached.add(target)
                frontier.append(target)
    assert reached == set(State)


def test_every_state_can_end() -> None:
    def ends(state: State, seen: frozenset[State]) -> bool:
        targets = set(TRANSITIONS[state].values()) - seen
        return state in FINAL or any(ends(target, seen | {target}) for target in targets)

    assert {state for state in State if not ends(state, frozenset({state}))} == set()


def test_the_final_states_are_these_and_only_a_person_leads_out_of_them() -> None:
    assert {
        State.APPROVED,
        State.HELD,
        State.DECLINED,
        State.DECLINED_AFTER_FORWARD,
        State.REVERSED,
        State.CANCELLED,
        State.INTERRUPTED,
        State.VOIDED,
    } == FINAL
    assert all(not TRANSITIONS[state] for state in FINAL - RESTING)
    wishes = {VoidSent, Voided, Completed}
    assert all(set(TRANSITIONS[state]) <= wishes for state in RESTING)


def test_doubt_about_money_is_never_final() -> None:
    for state in FINAL:
        assert MONEY_TAKEN[state] in {MoneyTaken.YES, MoneyTaken.NO}
    assert [state for state in State if MONEY_TAKEN[state] is MoneyTaken.YES] == [State.APPROVED]


@pytest.mark.parametrize(
    ("state", "kind"), PAIRS, ids=[f"{state.name}-{kind.__name__}" for state, kind in PAIRS]
)
def test_each_pair_leads_where_the_table_says_or_raises(state: State, kind: type[Event]) -> None:
    # Terms under which this event can happen: which forbid it is another test's table.
    terms = next(t for t in TERMS if kind not in NOT_FOR[t.kind] | NOT_FOR[t.tender])
    sale = replace(BEGUN, state=state, terms=terms)
    target = TRANSITIONS[state].get(kind)
    if target is None:
        with pytest.raises(AssertionError, match="cannot happen"):
            sale.after(EVENTS[kind])
        return
    after = sale.after(EVENTS[kind])
    assert after.state is target
    assert after.changed_at == LATER
    fixed = ["txn_id", "sequence", "created_at", "cashier", "training"]
    fixed += ["amount"] if kind is not Completed else []
    assert [getattr(after, name) for name in fixed] == [getattr(sale, name) for name in fixed]
    assert after.final is (target in FINAL)
    assert after.money_taken is MONEY_TAKEN[target]


@pytest.mark.parametrize("terms", TERMS, ids=lambda t: f"{t.kind.name}-{t.tender.name}")
def test_what_a_kind_or_tender_can_never_have_is_refused_everywhere(terms: Terms) -> None:
    for state, row in TRANSITIONS.items():
        for kind in row.keys() & (NOT_FOR[terms.kind] | NOT_FOR[terms.tender]):
            with pytest.raises(AssertionError, match="cannot happen"):
                replace(BEGUN, state=state, terms=terms).after(EVENTS[kind])


SENT = EVENTS[AuthorisationSent]
STORED = EVENTS[StoredOffline]
NUMBERS = {"card": CARD, "stan": 7, "rrn": "632716000007", "batch": 3}
HISTORIES: dict[str, tuple[list[type[Event]], dict[str, object]]] = {
    "asked": ([AuthorisationSent], NUMBERS),
    "stored": (
        [StoredOffline],
        {**NUMBERS, "stored_offline": True, "reason": "no network"},
    ),
    "deferred": ([AuthorisationSent, Deferred], {"stored_offline": True, "reason": "no route"}),
    "approved": (
        [AuthorisationSent, HostApproved],
        {**NUMBERS, "response_code": "00", "approval_code": "123456", "approved_minor": 1250},
    ),
    "forwarded": (
        [StoredOffline, HostApproved],
        {"stored_offline": True, "approved_minor": 1250, "reason": ""},
    ),
    "declined": (
        [AuthorisationSent, HostDeclined],
        {"response_code": "51", "reason": "no funds", "approved_minor": 0},
    ),
    "set aside": ([StoredOffline, SetAside], {"response_code": "30", "reason": "format error"}),
    "unknown": ([AuthorisationSent, FateUnknown], {**NUMBERS, "reason": "no answer"}),
    "late": ([AuthorisationSent, FateUnknown, LateAnswer], {"response_code": ""}),
    "reversed": (
        [AuthorisationSent, FateUnknown, ReversalConfirmed],
        {"response_code": "00", "approved_minor": 0},
    ),
    "card declined": ([CardDeclined], {"card": OTHER_CARD, "reason": "expired", "stan": None}),
    "over a limit": ([RiskRefused], {"card": None, "reason": "over the limit"}),
    "over a limit after the tap": ([AuthorisationSent, RiskRefused], NUMBERS),
    "cancelled": ([Cancelled], {"reason": "by the cashier", "card": None}),
    "interrupted": ([Interrupted], {"reason": "power"}),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_what_a_history_leaves_in_the_sale(name: str) -> None:
    kinds, expected = HISTORIES[name]
    intent = SaleIntended(AT, "t", 1, Amount(1250, EUR), "Ada")
    sale = replay([intent, *(EVENTS[kind] for kind in kinds)])
    assert {field: getattr(sale, field) for field in expected} == expected


@pytest.mark.parametrize("approved_minor", [0, -1, 1251])
def test_an_approval_of_nothing_or_of_more_than_asked_is_refused(approved_minor: int) -> None:
    asked = BEGUN.after(SENT)
    with pytest.raises(AssertionError, match="approved amount"):
        asked.after(HostApproved(LATER, "00", "123456", approved_minor))


@pytest.mark.parametrize(("approved_minor", "due_minor"), [(1250, 0), (1, 1249)])
def test_a_partial_approval_leaves_the_rest_due(approved_minor: int, due_minor: int) -> None:
    sale = BEGUN.after(STORED).after(HostApproved(LATER, "10", "123456", approved_minor))
    assert sale.still_due_minor == due_minor
    assert BEGUN.still_due_minor == 0


@pytest.mark.parametrize("kind", sorted(set(EVENTS) - {SaleIntended}, key=str))
def test_a_history_begins_with_its_intent(kind: type[Event]) -> None:
    with pytest.raises(AssertionError, match="begins with its intent"):
        replay([EVENTS[kind]])
