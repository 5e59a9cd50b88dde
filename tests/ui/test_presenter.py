"""The view state as tables: what each happening does on each screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.emv.outcome import MessageId
from terminal.money import MINOR_MAX, Amount, Currency
from terminal.transaction import MONEY_TAKEN, MoneyTaken, State, Transaction
from tests.ui.stand_ins import AMOUNT, EUR, declined_by_card, part_paid, sale
from ui.events import (
    Authorising,
    CardRead,
    Finished,
    NetworkChanged,
    OutOfService,
    PendingChanged,
    Presenting,
    Prompted,
    ReaderChanged,
    ReceiptDone,
    Refused,
    SaleChanged,
    TillEvent,
)
from ui.presenter.pages import page
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.telling import APPROVED_STAYS_S, UNKNOWN_CHECK_S
from ui.presenter.touches import (
    Backspace,
    Cancel,
    CancelWish,
    Charge,
    ChargeWish,
    Clear,
    Digit,
    Done,
    DoubleZero,
    Touch,
)
from ui.presenter.verdict import REPEATABLE, Verdict
from ui.words import Words

START = ViewState(EUR)
TYPED = replace(START, typed=1250)
ARMED = TYPED.after(Charge()).after(Presenting(AMOUNT, 30.0))
READ = ARMED.after(CardRead())
APPROVED = READ.after(Finished(sale(State.APPROVED), None))


def after(state: ViewState, *happenings: TillEvent | Touch) -> ViewState:
    for happening in happenings:
        state = state.after(happening)
    return state


@pytest.mark.parametrize(
    ("keys", "typed"),
    [
        ("1", 1),
        ("0", 0),
        ("007", 7),
        ("12.50".replace(".", ""), 1250),
        ("1D", 100),
        ("D", 0),
        ("125B", 12),
        ("B", 0),
        ("125C9", 9),
        ("999999999999", 999_999_999_999),
        ("9999999999991", 999_999_999_999),
        ("99999999999D", 99_999_999_999),
        ("99999999999D9", 999_999_999_999),
    ],
)
def test_keypad_collects_minor_units(keys: str, typed: int) -> None:
    meaning: dict[str, Touch] = {"D": DoubleZero(), "B": Backspace(), "C": Clear()}
    state = after(START, *(meaning.get(key) or Digit(int(key)) for key in keys))
    assert state.typed == typed
    assert state.typed_amount == Amount(typed, EUR)


@pytest.mark.parametrize(
    ("code", "typed", "minor"),
    [("EUR", 1250, 1250), ("JPY", 1250, 1250), ("KWD", 1250, 1250), ("IRR", 1250, 125000)],
)
def test_keypad_unit_is_what_people_type(code: str, typed: int, minor: int) -> None:
    state = replace(ViewState(Currency.of(code)), typed=typed)
    assert state.typed_amount.minor == minor


@given(st.lists(st.sampled_from([*map(Digit, range(10)), DoubleZero(), Backspace(), Clear()])))
def test_keypad_never_leaves_the_range_of_an_amount(touches: list[Touch]) -> None:
    for code in ("EUR", "IRR"):
        state = after(ViewState(Currency.of(code)), *touches)
        assert 0 <= state.typed_amount.minor <= MINOR_MAX


def test_a_digit_is_zero_to_nine() -> None:
    with pytest.raises(AssertionError, match="0 to 9"):
        Digit(10)


@pytest.mark.parametrize(
    ("state", "touch", "wish"),
    [
        (START, Charge(), None),
        (TYPED, Charge(), ChargeWish(AMOUNT)),
        (TYPED.after(Charge()), Charge(), None),
        (ARMED, Charge(), None),
        (ARMED, Cancel(), CancelWish()),
        (ARMED.after(Cancel()), Cancel(), None),
        (TYPED.after(Charge()), Cancel(), CancelWish()),
        (READ, Cancel(), None),
        (READ, Charge(), None),
        (TYPED, Cancel(), None),
        (TYPED, Done(), None),
        (APPROVED, Charge(), None),
        (APPROVED, Cancel(), None),
        (READ.after(Finished(sale(State.UNKNOWN), None)), Charge(), None),
        (READ.after(Finished(sale(State.STORED), None)), Charge(), None),
        (READ.after(Finished(sale(State.DECLINED), None)), Charge(), ChargeWish(AMOUNT)),
        (ARMED.after(Finished(sale(State.CANCELLED), None)), Charge(), ChargeWish(AMOUNT)),
        (ARMED.after(Refused("gone")), Charge(), ChargeWish(AMOUNT)),
        (TYPED.after(ReaderChanged(ok=False, text="")), Charge(), ChargeWish(AMOUNT)),
        (TYPED.after(OutOfService("broken")), Charge(), None),
    ],
)
def test_what_the_till_is_asked(state: ViewState, touch: Touch, wish: object) -> None:
    assert state.wish(touch) == wish


@pytest.mark.parametrize(
    ("state", "happening", "screen"),
    [
        (TYPED, Charge(), Screen.PRESENT),
        (START, Charge(), Screen.AMOUNT),
        (START, Presenting(AMOUNT, 30.0), Screen.PRESENT),
        (ARMED, Prompted(MessageId.ONE_CARD_ONLY), Screen.PRESENT),
        (ARMED, CardRead(), Screen.PROCESSING),
        (READ, Authorising(15.0), Screen.PROCESSING),
        (ARMED, Authorising(15.0), Screen.PROCESSING),
        (READ, Finished(sale(State.APPROVED), None), Screen.RESULT),
        (ARMED, Refused("no reader"), Screen.RESULT),
        (APPROVED, Done(), Screen.AMOUNT),
        (ARMED, Done(), Screen.PRESENT),
        (ARMED, Digit(1), Screen.PRESENT),
        (APPROVED, Digit(1), Screen.RESULT),
        (START, OutOfService("broken"), Screen.CLOSED),
        (READ, OutOfService("broken"), Screen.CLOSED),
    ],
)
def test_which_screen_follows(
    state: ViewState, happening: TillEvent | Touch, screen: Screen
) -> None:
    assert state.after(happening).screen is screen


@pytest.mark.parametrize(
    "happening",
    [
        Digit(1),
        Charge(),
        Cancel(),
        Done(),
        Presenting(AMOUNT, 30.0),
        Prompted(MessageId.SEE_PHONE),
        CardRead(),
        Authorising(1.0),
        Refused("x"),
        Finished(sale(State.APPROVED), None),
    ],
)
def test_nothing_leads_out_of_service_back_in(happening: TillEvent | Touch) -> None:
    closed = READ.after(OutOfService("The ledger is gone.", "Call."))
    moved = closed.after(happening)
    assert moved.screen is Screen.CLOSED
    assert (moved.message, moved.remedy) == ("The ledger is gone.", "Call.")


def test_a_sale_that_ends_while_closed_is_still_told() -> None:
    closed = READ.after(OutOfService("broken")).after(Finished(sale(State.UNKNOWN), None))
    assert closed.last == sale(State.UNKNOWN)


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (sale(State.INTENDED), Verdict.CANCELLED),
        (sale(State.AUTHORISING), Verdict.UNKNOWN),
        (sale(State.STORED), Verdict.STORED),
        (sale(State.APPROVED), Verdict.APPROVED),
        (part_paid(), Verdict.PARTLY_APPROVED),
        (sale(State.DECLINED), Verdict.DECLINED),
        (declined_by_card(), Verdict.DECLINED),
        (sale(State.DECLINED_AFTER_FORWARD), Verdict.DECLINED),
        (sale(State.UNKNOWN), Verdict.UNKNOWN),
        (sale(State.REVERSED), Verdict.REVERSED),
        (sale(State.SET_ASIDE), Verdict.STORED),
        (sale(State.CANCELLED), Verdict.CANCELLED),
        (sale(State.INTERRUPTED), Verdict.CANCELLED),
    ],
)
def test_each_end_has_a_verdict_and_the_truth_about_the_money(
    ended: Transaction, verdict: Verdict
) -> None:
    state = READ.after(Finished(ended, None))
    assert state.verdict is verdict
    assert state.money_taken is MONEY_TAKEN[ended.state]
    assert state.typed == 0


def test_an_amount_is_offered_again_only_where_no_money_can_have_moved() -> None:
    for state in State:
        shown = READ.after(Finished(sale(state), None))
        if shown.verdict in REPEATABLE:
            assert shown.money_taken is MoneyTaken.NO
    assert READ.after(Refused("x")).money_taken is MoneyTaken.NO


def test_only_an_approval_leaves_by_itself() -> None:
    for state in State:
        ended = READ.after(Finished(sale(state), None))
        leaves = page(ended, Words("en")).returns
        assert leaves is (state in {State.APPROVED, State.HELD})
        counted = {State.APPROVED: APPROVED_STAYS_S, State.HELD: APPROVED_STAYS_S}
        if ended.verdict is Verdict.UNKNOWN:
            counted[state] = UNKNOWN_CHECK_S
        assert ended.wait_s == counted.get(state, 0)
    assert READ.after(Finished(part_paid(), None)).wait_s == 0


def test_an_unknown_sale_becomes_undone_where_it_stands() -> None:
    shown = READ.after(Finished(sale(State.UNKNOWN), None))
    undone = shown.after(SaleChanged(sale(State.REVERSED)))
    assert undone.verdict is Verdict.REVERSED
    assert undone.money_taken is MoneyTaken.NO
    assert undone.wish(Charge()) == ChargeWish(AMOUNT)


def test_news_of_another_sale_changes_nothing_on_the_screen() -> None:
    shown = READ.after(Finished(sale(State.UNKNOWN), None))
    assert shown.after(SaleChanged(sale(State.REVERSED, txn_id="other"))) == shown
    assert START.after(SaleChanged(sale(State.APPROVED))) == START


def test_the_last_sale_follows_its_forwarding() -> None:
    home = after(READ, Finished(sale(State.STORED), None), Done())
    assert home.last == sale(State.STORED)
    moved = home.after(SaleChanged(sale(State.DECLINED_AFTER_FORWARD)))
    assert moved.last is not None
    assert moved.last.state is State.DECLINED_AFTER_FORWARD
    assert moved.screen is Screen.AMOUNT


def test_paper_belongs_to_the_sale_on_the_screen() -> None:
    assert APPROVED.after(ReceiptDone("t1", ok=False, note="no paper")).receipt_note == "no paper"
    assert APPROVED.after(ReceiptDone("t9", ok=True, note="x")) == APPROVED
    assert START.after(ReceiptDone("t1", ok=True, note="x")) == START


def test_notices_survive_everything() -> None:
    total = Amount(4120, EUR)
    noticed = after(
        START, NetworkChanged(online=False), PendingChanged(3, total), ReaderChanged(False, "gone")
    )
    sold = after(noticed, Digit(5), Charge(), Presenting(AMOUNT, 9.0), CardRead())
    ended = after(sold, Finished(sale(State.STORED), None), Done())
    for state in (noticed, sold, ended):
        assert (state.online, state.pending_count, state.pending_total) == (False, 3, total)
        assert (state.reader_ok, state.reader_text) == (False, "gone")


def test_a_cancelled_wait_that_meets_a_card_goes_on_with_the_card() -> None:
    state = after(ARMED, Cancel(), CardRead())
    assert state.screen is Screen.PROCESSING
    assert not state.cancelling


def test_a_prompt_lasts_until_the_next() -> None:
    asked = ARMED.after(Prompted(MessageId.TRY_ANOTHER_CARD, "MIFARE Classic"))
    assert (asked.prompt, asked.note) == (MessageId.TRY_ANOTHER_CARD, "MIFARE Classic")
    assert asked.after(CardRead()).note == ""


def test_each_wait_has_a_number_of_its_own() -> None:
    numbers = [
        state.wait_number
        for state in (ARMED, READ.after(Authorising(15.0)), ARMED.after(Presenting(AMOUNT, 30.0)))
    ]
    assert numbers == [1, 2, 2]
    assert ARMED.after(Prompted(MessageId.SEE_PHONE)).wait_number == ARMED.wait_number


EVENTS: list[TillEvent] = [
    Presenting(AMOUNT, 30.0),
    *(Prompted(message) for message in MessageId),
    CardRead(),
    Authorising(5.0),
    *(Finished(sale(state), None) for state in State),
    *(SaleChanged(sale(state)) for state in State),
    ReceiptDone("t1", ok=True, note=""),
    ReaderChanged(ok=False, text=""),
    NetworkChanged(online=False),
    PendingChanged(1, AMOUNT),
    Refused("x"),
]
TOUCHES: list[Touch] = [Digit(1), DoubleZero(), Backspace(), Clear(), Charge(), Cancel(), Done()]


@given(st.lists(st.sampled_from([*EVENTS, *TOUCHES]), max_size=30))
def test_no_order_of_happenings_breaks_the_fold(happenings: list[TillEvent | Touch]) -> None:
    state = START
    for happening in happenings:
        state = state.after(happening)
        assert (state.verdict is not None) == (state.screen is Screen.RESULT)
        if state.screen in (Screen.PRESENT, Screen.PROCESSING):
            assert state.transaction is None
