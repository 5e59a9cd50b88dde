"""The shell around the sale: places, the lock, rights, training, and what is asked of the till."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.emv.outcome import MessageId
from terminal.money import Amount
from terminal.roles import Action, Authorised, Role, may
from terminal.transaction import State
from tests.ui.stand_ins import AMOUNT, EUR, part_paid, sale
from ui.events import (
    CardRead,
    Finished,
    OutOfService,
    PendingChanged,
    Presenting,
    Prompted,
    Refused,
    StaffChanged,
    TillEvent,
)
from ui.presenter import touches as t
from ui.presenter.course import step
from ui.presenter.page import About, Page
from ui.presenter.panel import Kind, Panel, Place
from ui.presenter.places import panel
from ui.presenter.preferences import CHOICES, LABELS, Preferences, restored
from ui.presenter.rights import UNPAID
from ui.presenter.screens import Screen
from ui.presenter.shell import Shell
from ui.presenter.state import ViewState
from ui.presenter.steps import TOUR_STEPS
from ui.presenter.touches import Touch, Wish
from ui.presenter.verdict import Verdict
from ui.questions import (
    CopyWanted,
    DayClosed,
    DayWanted,
    FeedbackGiven,
    HistoryShown,
    HistoryWanted,
    PinGiven,
    QueueWanted,
    RefundWanted,
    SaleShown,
    SaleWanted,
    SignedIn,
    Unanswered,
)
from ui.words import LANGUAGES, Words

Happening = TillEvent | Touch
ANA = Authorised("Ana", Role.CASHIER)
EVA = Authorised("Eva", Role.SUPERVISOR)
FREE = Shell(ViewState(EUR))


def after(shell: Shell, *happenings: Happening) -> tuple[Shell, list[Wish]]:
    """The shell after all of these, and every wish on the way."""
    wishes: list[Wish] = []
    for happening in happenings:
        shell, wished = step(shell, happening)
        wishes += wished
    return shell, wishes


def asked(wishes: list[Wish]) -> list[object]:
    return [wish.question for wish in wishes if isinstance(wish, t.AskWish)]


def staffed(person: Authorised | None = ANA) -> Shell:
    """A till where people have PINs, and this one has signed in."""
    shell, _ = after(FREE, StaffChanged(anybody=True))
    return after(shell, SignedIn(person))[0] if person else shell


def _named(verdict: object) -> str:
    return str(verdict)


PIN = (t.Digit(4), t.Digit(7), t.Digit(1), t.Digit(1))

# -- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "question"),
    [
        (Place.QUEUE, QueueWanted()),
        (Place.HISTORY, HistoryWanted("")),
        (Place.DAY, DayWanted()),
        (Place.READER, None),
        (Place.SETTINGS, None),
        (Place.HELP, None),
        (Place.SAFETY, None),
        (Place.TOUR, None),
    ],
)
def test_a_place_opens_with_its_question_and_back_leads_out(place: Place, question: object) -> None:
    shell, wishes = after(FREE, t.Go("menu"), t.Go(place.value))
    assert shell.place is place
    assert asked(wishes) == ([question] if question else [])
    assert after(shell, t.Back())[0].place is Place.MENU
    assert after(shell, t.Back(), t.Back(), t.Back())[0].place is Place.TILL


@pytest.mark.parametrize("event", [Presenting(AMOUNT, 9.0), Finished(sale(State.APPROVED), None)])
def test_a_sale_comes_to_the_front_wherever_somebody_is(event: TillEvent) -> None:
    for place in (Place.MENU, Place.HISTORY, Place.SETTINGS, Place.LOCK):
        shell = replace(FREE, place=place, trail=(Place.TILL,))
        assert after(shell, event)[0].place is Place.TILL


def test_nothing_covers_a_payment_in_hand() -> None:
    for events in ((Presenting(AMOUNT, 9.0),), (Presenting(AMOUNT, 9.0), CardRead())):
        shell, _ = after(FREE, *events)
        assert shell.busy
        for touch in (t.Go("menu"), t.Scanned("123456"), t.Lock(), t.Train()):
            moved, wishes = after(shell, touch)
            assert (moved.place, wishes) == (Place.TILL, [])


def test_a_till_out_of_service_still_shows_its_books() -> None:
    shell, _ = after(FREE, OutOfService("x"))
    assert after(shell, t.Go("history"))[0].place is Place.HISTORY
    assert after(shell, t.Go("settings"))[0].place is Place.TILL


def test_typing_in_the_history_searches_it_and_old_answers_are_dropped() -> None:
    shell, wishes = after(
        FREE, t.Go("history"), t.Digit(1), t.DoubleZero(), t.Letter(":"), t.Backspace()
    )
    assert shell.query == "100"
    assert [q.query for q in asked(wishes) if isinstance(q, HistoryWanted)] == [
        *("", "1", "100", "100:", "100")
    ]
    assert after(shell, HistoryShown("1", ()))[0].history is None
    assert after(shell, HistoryShown("100", ()))[0].history == HistoryShown("100", ())
    assert shell.till.typed == 0


def test_a_scanned_receipt_opens_its_sale() -> None:
    shell, wishes = after(FREE, t.Scanned("TAPTILL1-000012"))
    assert shell.place is Place.SALE
    assert asked(wishes) == [SaleWanted("TAPTILL1-000012")]
    lost, _ = after(shell, Unanswered(SaleWanted("x"), "No sale is called x.", "Search."))
    shown = panel(lost, Words("en"), About())
    assert shown.empty == "No sale is called x. Search."


def test_the_receipt_of_the_sale_on_show() -> None:
    ended, _ = after(FREE, Finished(sale(State.APPROVED), None))
    shell, wishes = after(ended, t.ShowReceipt())
    assert (shell.place, asked(wishes)) == (Place.RECEIPT, [SaleWanted("t1")])
    shell, _ = after(shell, SaleShown(sale(State.APPROVED), "RECEIPT"))
    assert panel(shell, Words("en"), About()).code == "RECEIPT"
    copied, wishes = after(shell, t.PrintCopy("t1"))
    assert asked(wishes) == [CopyWanted("t1")]
    assert after(copied, t.Back())[0].till.verdict is Verdict.APPROVED


def test_the_end_of_day_closes_at_its_second_step_only() -> None:
    from tests.ui.test_places import DAY  # noqa: PLC0415 - a value that two files share

    shell, wishes = after(FREE, t.Go("day"), t.NextStep())
    assert asked(wishes) == [DayWanted()]
    shell, wishes = after(shell, DAY, t.NextStep())
    assert (shell.day_step, wishes) == (1, [])
    shell, wishes = after(shell, t.NextStep())
    assert asked(wishes) == [DayClosed()]
    refused, _ = after(shell, Unanswered(DayClosed(), "2 sales wait.", "Send them."))
    assert refused.day_step == 1
    assert panel(refused, Words("en"), About()).note == "2 sales wait. Send them."
    closed, _ = after(shell, replace(DAY, closed=True))
    assert closed.day_step == 2


def test_the_tour_has_an_end_and_can_be_skipped() -> None:
    shell, _ = after(FREE, t.Go("tour"), *[t.NextStep()] * (TOUR_STEPS - 1))
    assert shell.place is Place.TOUR
    assert after(shell, t.NextStep())[0].place is Place.TILL
    assert after(FREE, t.Go("tour"), t.Back())[0].place is Place.TILL


# -- the lock ------------------------------------------------------------------------------------


def test_a_till_with_staff_is_locked_until_a_pin_is_right() -> None:
    shell = staffed(None)
    assert (shell.place, shell.locked) == (Place.LOCK, True)
    shell, wishes = after(shell, *PIN, t.Enter())
    assert asked(wishes) == [PinGiven("4711")]
    assert (shell.pin, shell.checking) == ("", True)
    wrong, _ = after(shell, Unanswered(PinGiven(""), "wrong"))
    assert panel(wrong, Words("en"), About()).note == "This PIN is wrong"
    waits, _ = after(shell, Unanswered(PinGiven(""), "wait", "15"))
    assert "15 s" in panel(waits, Words("en"), About()).note
    right, _ = after(shell, SignedIn(ANA))
    assert (right.place, right.person) == (Place.TILL, ANA)


def test_a_pin_is_never_shown() -> None:
    shell, wishes = after(staffed(None), *PIN)
    assert "4711" not in repr(shell)
    assert "4711" not in repr(after(shell, t.Enter())[1])
    shown = panel(shell, Words("en"), About())
    assert shown.dots == 4
    assert "4711" not in repr(shown)
    assert not wishes


def test_short_pins_and_back_do_not_open_the_lock() -> None:
    shell, wishes = after(staffed(None), t.Digit(1), t.Enter(), t.Back(), t.Go("menu"), t.Cancel())
    assert (shell.place, wishes) == (Place.LOCK, [])


def test_locking() -> None:
    shell, _ = after(staffed(), t.Lock())
    assert (shell.place, shell.person) == (Place.LOCK, None)
    assert after(FREE, t.Lock())[0] == FREE


def test_nobody_logs_out_while_money_waits_for_the_bank() -> None:
    waits = PendingChanged(2, AMOUNT)
    shell, _ = after(staffed(), waits, t.Go("menu"), t.Lock())
    assert (shell.place, shell.person) == (Place.MENU, staffed().person)
    told = panel(shell, Words("en"), About()).lead
    assert told == "Money waits. Send it first"
    none = PendingChanged(0, replace(AMOUNT, minor=0))
    assert after(shell, none, t.Lock())[0].place is Place.LOCK


@pytest.mark.parametrize("verdict", sorted(UNPAID, key=_named))
def test_only_the_shop_turns_away_from_a_customer_who_has_not_paid(verdict: Verdict) -> None:
    ended = replace(
        staffed(ANA),
        place=Place.TILL,
        till=replace(FREE.till, screen=Screen.RESULT, verdict=verdict, amount=AMOUNT),
    )
    asking, wishes = after(ended, t.Done())
    assert (asking.place, wishes) == (Place.LOCK, [])
    # Backing out leads to the end of the sale again, and not past it.
    assert after(asking, t.Back())[0].till.screen is Screen.RESULT
    done, _ = after(asking, *PIN, t.Enter(), SignedIn(ANA))
    assert (done.place, done.till.screen) == (Place.TILL, Screen.AMOUNT)


def test_a_shop_may_leave_the_customers_view_open() -> None:
    shell = replace(staffed(ANA), preferences=Preferences(guard="off"))
    shell, _ = after(shell, Finished(sale(State.DECLINED), None), t.Done())
    assert (shell.place, shell.till.screen) == (Place.TILL, Screen.AMOUNT)


def test_a_paid_sale_is_left_without_a_pin() -> None:
    for state in (State.APPROVED, State.STORED):
        shell, _ = after(staffed(), Finished(sale(state), None), t.Done())
        assert shell.till.screen is Screen.AMOUNT


def test_another_card_needs_no_pin() -> None:
    shell, wishes = after(staffed(None), Presenting(AMOUNT, 9.0))
    shell, wishes = after(shell, Finished(sale(State.DECLINED), None), t.Charge())
    assert wishes[1:] == [t.ChargeWish(AMOUNT)]


@pytest.mark.parametrize(
    ("touches", "action"),
    [
        ((t.Go("settings"), t.Choose("feedback")), Action.CHANGE_SHOP),
        ((t.Go("menu"), t.Train()), Action.TRAINING),
    ],
)
def test_what_a_cashier_may_not_do_takes_the_pin_of_somebody_who_may(
    touches: tuple[Touch, ...], action: Action
) -> None:
    assert not may(Role.CASHIER, action)
    shell, wishes = after(staffed(), *touches)
    assert (shell.place, shell.needs) == (Place.LOCK, action)
    assert not wishes
    again, _ = after(shell, *PIN, t.Enter(), SignedIn(ANA))
    assert again.place is Place.LOCK
    assert "Ana may not do this" in panel(again, Words("en"), About()).note
    boss = Authorised("Mia", Role.MERCHANT)
    done, _ = after(shell, *PIN, t.Enter(), SignedIn(boss))
    assert done.place is not Place.LOCK
    # It was for one deed: Ana is still the one at the till.
    assert done.person == ANA


def test_anybody_may_do_everything_where_nobody_has_a_pin() -> None:
    shell, _ = after(FREE, t.Go("settings"), t.Choose("feedback"))
    assert shell.preferences.feedback == "on"


def test_what_was_to_go_back_is_never_charged_by_another_touch() -> None:
    shown, _ = after(
        FREE,
        *(t.Go("history"), t.OpenSale("t1")),
        SaleShown(sale(State.APPROVED), "R", refundable=AMOUNT),
        *(t.Undo("refund"), t.Confirm(), Presenting(AMOUNT, 9.0)),
    )
    for end in (Refused("The reader is gone."), Finished(sale(State.CANCELLED), None)):
        ended, wishes = after(shown, end, t.Charge())
        assert wishes == []
        assert after(ended, t.Done())[0].till.returning is False
    again, wishes = after(shown, Finished(sale(State.CANCELLED), None), t.Done())
    again, wishes = after(again, t.Digit(5), t.Charge())
    assert wishes == [t.ChargeWish(Amount(5, EUR))]


def test_a_refund_takes_a_supervisor_and_names_who_allowed_it() -> None:
    opened, _ = after(
        staffed(ANA),
        t.Go("history"),
        t.OpenSale("t1"),
        SaleShown(sale(State.APPROVED), "R", AMOUNT),
    )
    asking, _ = after(opened, t.Undo("refund"))
    assert (asking.place, asking.needs) == (Place.LOCK, Action.REFUND)
    allowed, wishes = after(asking, *PIN, t.Enter(), SignedIn(EVA))
    assert (allowed.place, allowed.undoing) == (Place.SALE, "refund")
    _, wishes = after(allowed, t.Confirm())
    assert asked(wishes) == [RefundWanted("t1", "Eva")]


# -- training ------------------------------------------------------------------------------------


def test_training_is_another_till_and_the_real_one_comes_back_as_it_was() -> None:
    real, _ = after(FREE, t.Digit(5), Finished(sale(State.UNKNOWN), None), t.Done())
    shell, wishes = after(real, t.Go("menu"), t.Train())
    assert wishes == [t.TrainWish(on=True)]
    assert shell.training
    assert shell.till == ViewState(EUR)
    shell, wishes = after(shell, t.Digit(1), t.Charge(), t.Practise("card"))
    assert wishes == [t.ChargeWish(Amount(1, EUR)), t.PractiseWish("card")]
    shell, _ = after(shell, Finished(sale(State.APPROVED), None), t.Done(), t.Go("menu"))
    back, wishes = after(shell, t.Train())
    assert wishes == [t.TrainWish(on=False)]
    assert not back.training
    assert back.till.last == real.till.last


def test_a_practice_card_means_nothing_at_a_real_till() -> None:
    assert after(FREE, t.Practise("card")) == (FREE, [])


# -- feedback, taps, preferences -----------------------------------------------------------------


def test_a_face_is_asked_for_once_a_sale() -> None:
    shell, _ = after(FREE, Finished(sale(State.APPROVED), None))
    shell, wishes = after(shell, t.Feel(2), t.Feel(0))
    assert asked(wishes) == [FeedbackGiven("t1", 2)]
    shell, _ = after(shell, Presenting(AMOUNT, 9.0))
    assert shell.felt is None


def test_taps_count_how_often_the_card_was_held_anew() -> None:
    shell, _ = after(
        FREE,
        *(Presenting(AMOUNT, 9.0), Prompted(MessageId.PRESENT_AGAIN), CardRead(0.4, 0.003)),
        *(Presenting(AMOUNT, 9.0), CardRead(0.3, 0.002)),
    )
    assert [(tap.card_s, tap.again) for tap in shell.taps] == [(0.4, 1), (0.3, 0)]


def test_every_choice_can_be_reached_and_stored() -> None:
    assert set(LABELS) == set(CHOICES) == set(Preferences().stored())
    for name, choices in CHOICES.items():
        preferences = Preferences()
        seen = set()
        for _ in choices:
            preferences = preferences.next_of(name)
            seen.add(getattr(preferences, name))
            assert restored(preferences.stored(), Preferences()) == preferences
        assert seen == set(choices)


@pytest.mark.parametrize(
    "stored", [{}, {"theme": "pink", "sound": 3, "unknown": "x"}, {"language": ["fa"]}]
)
def test_what_no_till_offers_is_dropped(stored: dict[str, object]) -> None:
    assert restored(stored, Preferences()) == Preferences()


# -- totality ------------------------------------------------------------------------------------

SOMEWHERE = [place for place in Place if place is not Place.TILL]


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("place", SOMEWHERE, ids=[place.value for place in SOMEWHERE])
def test_every_place_has_words_in_every_language(place: Place, language: str) -> None:
    words = Words(language)
    shown = panel(replace(FREE, place=place), words, About())
    assert shown.title
    assert shown.place is place
    texts = [shown.title, shown.lead, shown.note, shown.empty, *(key.label for key in shown.keys)]
    texts += [text for line in shown.lines for text in (line.title, line.subtitle, line.value)]
    texts += [text for tile in shown.tiles for text in (tile.label, tile.note)]
    for text in texts:
        assert not set("{}") & set(text), text
    for line in shown.lines:
        assert line.kind is not Kind.HEADING or line.touch is None
    assert isinstance(shown, Panel)
    assert not isinstance(shown, Page)


def test_the_rest_of_a_partial_approval_is_asked_of_the_next_card() -> None:
    shell, wishes = after(FREE, Finished(part_paid(), None), t.Charge())
    assert wishes[1:] == [t.ChargeWish(Amount(500, EUR))]
    assert shell.till.screen is Screen.PRESENT
