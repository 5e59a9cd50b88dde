"""Every answer to every kind of message has one meaning for the sale."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from terminal.delivery import (
    NO_APPROVAL_CODE,
    NOTHING_TO_REVERSE,
    Done,
    Retry,
    Verdict,
    _approved,
    read_sale,
    read_verdict,
)
from terminal.errors import HostGarbled
from terminal.iso8583.messages import (
    Action,
    Answer,
    compose_advice,
    compose_sale,
    repeat_of,
    reversal_of,
)
from terminal.iso8583.profile import Category, Profile
from terminal.iso8583.profiles import BASE87
from terminal.ledger import Kind, OutboxItem
from terminal.money import Amount
from terminal.transaction import (
    TRANSITIONS,
    FateUnknown,
    HostApproved,
    HostDeclined,
    ReversalConfirmed,
    SetAside,
    State,
    Transaction,
)
from tests.terminal.iso8583.sales import EUR, FACTS, answer, facts

AT = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
STATES = {Kind.SALE: State.AUTHORISING, Kind.ADVICE: State.STORED, Kind.REVERSAL: State.UNKNOWN}


def _sale(kind: Kind) -> Transaction:
    return Transaction("sale_1", 17, STATES[kind], FACTS.amount, AT, AT)


def _item(kind: Kind, attempts: int = 1) -> OutboxItem:
    sale = compose_sale(BASE87, FACTS)
    message = {
        Kind.SALE: sale,
        Kind.ADVICE: compose_advice(BASE87, FACTS),
        Kind.REVERSAL: reversal_of(BASE87, sale),
    }[kind]
    return OutboxItem(1, "sale_1", "key", kind, message, attempts)


def _read(kind: Kind, code: str, *, attempts: int = 1, **options: int) -> Verdict:
    item = _item(kind, attempts)
    # From the second copy on a message goes out as a repeat, and its answer is to that.
    sent = repeat_of(BASE87, item.message) if attempts > 1 else item.message
    return read_verdict(BASE87, item, _sale(kind), answer(sent, code, **options), AT)


def _codes(action: Action) -> list[str]:
    return sorted(code for code, row in BASE87.responses.items() if row.action is action)


SALE = {
    Action.APPROVED: HostApproved,
    Action.DECLINED: HostDeclined,
    Action.DECLINED_BLOCK: HostDeclined,
    Action.RETRY_SAME: HostDeclined,
    Action.RETRY_REPEAT: FateUnknown,
    Action.DUPLICATE: HostDeclined,
    Action.QUARANTINE: HostDeclined,
}
ADVICE = {
    Action.APPROVED: HostApproved,
    Action.DECLINED: HostDeclined,
    Action.DECLINED_BLOCK: HostDeclined,
    Action.RETRY_SAME: Retry,
    Action.RETRY_REPEAT: Retry,
    Action.DUPLICATE: SetAside,
    Action.QUARANTINE: SetAside,
}


@pytest.mark.parametrize(("kind", "table"), [(Kind.SALE, SALE), (Kind.ADVICE, ADVICE)])
def test_every_listed_code(kind: Kind, table: dict[Action, type[object]]) -> None:
    assert table.keys() | {Action.PARTIAL} == set(Action)
    for action, expected in table.items():
        assert _codes(action)
        for code in _codes(action):
            verdict = _read(kind, code)
            meaning = verdict.event if isinstance(verdict, Done) else verdict
            assert type(meaning) is expected, code
            if isinstance(verdict, Done):
                assert type(verdict.event) in TRANSITIONS[STATES[kind]], code


@pytest.mark.parametrize("kind", [Kind.SALE, Kind.ADVICE])
def test_an_approval_holds_the_code_and_the_whole_amount(kind: Kind) -> None:
    assert _read(kind, "00") == Done(HostApproved(AT, "00", "A1B2C3", 1250))


@pytest.mark.parametrize("kind", [Kind.SALE, Kind.ADVICE])
def test_a_partial_approval_holds_the_part(kind: Kind) -> None:
    assert _codes(Action.PARTIAL) == ["10"]
    assert _read(kind, "10", amount_minor=900) == Done(HostApproved(AT, "10", "A1B2C3", 900))


@pytest.mark.parametrize("amount_minor", [0, 1250, 1251])
def test_a_part_that_is_none_is_garbled(amount_minor: int) -> None:
    with pytest.raises(HostGarbled, match="amount"):
        _read(Kind.SALE, "10", amount_minor=amount_minor)


@pytest.mark.parametrize("amount_minor", [None, 0, 1251])
def test_a_part_is_checked_here_too(amount_minor: int | None) -> None:
    """The message's reader has refused these before; a profile that does not must not pay."""
    read = Answer(Action.PARTIAL, "10", "A1B2C3", "", amount_minor, "")
    with pytest.raises(HostGarbled, match="did not say which"):
        _approved(_sale(Kind.SALE), read, AT)


@pytest.mark.parametrize(("kind", "expected"), [(Kind.SALE, HostDeclined), (Kind.ADVICE, SetAside)])
def test_a_code_that_nobody_lists(kind: Kind, expected: type[object]) -> None:
    verdict = _read(kind, "ZZ")
    assert isinstance(verdict, Done)
    assert type(verdict.event) is expected
    assert "ZZ" in str(verdict.event)


def _ask(profile: Profile, kind: Kind, code: str, **options: Any) -> Verdict:
    """As ``_read``, with another profile, moment or approval code."""
    item = _item(kind, options.get("attempts", 1))
    wire = answer(repeat_of(profile, item.message), code, **options.get("fields", {}))
    return read_verdict(profile, item, _sale(kind), wire, options.get("at", AT))


def _event(verdict: Verdict) -> object:
    assert isinstance(verdict, Done)
    return verdict.event


def _with(**delivery: Any) -> Profile:
    return replace(BASE87, delivery=replace(BASE87.delivery, **delivery))


def test_a_duplicate_of_a_second_copy_was_booked_the_first_time() -> None:
    known = HostApproved(AT, "94", "", 1250, NO_APPROVAL_CODE)
    assert _read(Kind.ADVICE, "94", attempts=2) == Done(known)
    assert _sale(Kind.ADVICE).after(known).reason == NO_APPROVAL_CODE
    first = _event(_read(Kind.ADVICE, "94", attempts=1))
    assert isinstance(first, SetAside)
    assert "another sale" in first.reason


def test_a_duplicate_that_repeats_the_first_answer_keeps_its_approval_code() -> None:
    fields = {"approval_code": "FIRST1"}
    verdict = _ask(BASE87, Kind.ADVICE, "94", attempts=2, fields=fields)
    assert verdict == Done(HostApproved(AT, "94", "FIRST1", 1250))


def test_a_duplicate_at_a_host_that_may_have_declined_waits_for_a_person() -> None:
    cautious = _with(duplicate_is_booked=False)
    event = _event(_ask(cautious, Kind.ADVICE, "94", attempts=2))
    assert isinstance(event, SetAside)
    assert "does not say its answer" in event.reason


@pytest.mark.parametrize("code", _codes(Action.RETRY_REPEAT))
def test_a_host_that_asks_for_repeats_without_end_is_not_obeyed(code: str) -> None:
    most = BASE87.delivery.repeats_max
    assert isinstance(_read(Kind.ADVICE, code, attempts=most), Retry)
    event = _event(_read(Kind.ADVICE, code, attempts=most + 1))
    assert isinstance(event, SetAside)
    assert f"{most + 1} times" in event.reason


def test_host_trouble_is_repeated_without_a_ceiling_and_told_from_other_waits() -> None:
    for code in _codes(Action.RETRY_SAME):
        verdict = _read(Kind.ADVICE, code, attempts=1000)
        assert isinstance(verdict, Retry)
        assert verdict.host_trouble
    slow = _read(Kind.ADVICE, "68")
    assert isinstance(slow, Retry)
    assert not slow.host_trouble


@pytest.mark.parametrize(
    ("wait_s", "late_booking_s", "meaning"),
    [
        *((0, 60, Retry), (59, 60, Retry), (60, 60, Done)),
        *((0, 0, Done), (10, 5, Done), (-5, 60, Retry)),
    ],
)
def test_nothing_to_reverse_is_believed_once_a_slow_host_has_had_its_time(
    wait_s: int, late_booking_s: int, meaning: type[Verdict]
) -> None:
    at = AT + timedelta(seconds=wait_s)
    profile = _with(late_booking_s=late_booking_s)
    verdict = _ask(profile, Kind.REVERSAL, "25", at=at)
    assert type(verdict) is meaning
    if meaning is Done:
        assert verdict == Done(ReversalConfirmed(at, "25"))


def test_a_clock_that_was_set_back_does_not_keep_a_reversal_up_for_ever() -> None:
    before = AT - timedelta(days=365)
    assert isinstance(_ask(BASE87, Kind.REVERSAL, "25", at=before, attempts=7), Retry)
    assert isinstance(_ask(BASE87, Kind.REVERSAL, "25", at=before, attempts=8), Done)


def test_every_decline_says_how_often_the_card_may_be_tried_again() -> None:
    for code, row in BASE87.responses.items():
        declines = row.action in {Action.DECLINED, Action.DECLINED_BLOCK}
        assert declines == (row.category is not Category.NONE), code
        assert (row.action is Action.DECLINED_BLOCK) == (row.category is Category.NEVER), code


REVERSALS = {
    **dict.fromkeys(("00", "08", "11", "16", "85"), "confirmed"),
    "25": "retry",
    "94": "confirmed",
    **dict.fromkeys(("06", "09", "19", "22", "68", "90", "91", "92", "96"), "retry"),
    # A host that refuses has not undone anything, whatever its reason.
    **dict.fromkeys(("05", "12", "30", "51", "58", "89", "ZZ"), "retry"),
}


@pytest.mark.parametrize("code", REVERSALS)
@pytest.mark.parametrize("attempts", [1, 2])
def test_a_reversal_ends_only_where_nothing_is_booked(code: str, attempts: int) -> None:
    verdict = _read(Kind.REVERSAL, code, attempts=attempts)
    if REVERSALS[code] == "confirmed":
        assert verdict == Done(ReversalConfirmed(AT, code))
    else:
        assert isinstance(verdict, Retry)
        assert verdict.reason


def test_the_table_of_reversals_has_every_listed_code() -> None:
    assert set(BASE87.reversal_responses) | NOTHING_TO_REVERSE <= REVERSALS.keys()


def test_a_customer_who_waits_gets_the_same_answer_as_the_forwarder() -> None:
    item = _item(Kind.SALE)
    for code in ("00", "51", "68", "ZZ"):
        wire = answer(item.message, code)
        event = read_sale(BASE87, item, _sale(Kind.SALE), wire, AT)
        assert read_verdict(BASE87, item, _sale(Kind.SALE), wire, AT) == Done(event)


def test_an_answer_about_another_sale_is_garbled() -> None:
    item = _item(Kind.SALE)
    other = compose_sale(BASE87, facts(amount=Amount(99, EUR)))
    with pytest.raises(HostGarbled):
        read_verdict(BASE87, item, _sale(Kind.SALE), answer(other), AT)
