"""Tips, holds, cash, counted cash, and what a limit says: the pure face, touch by touch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offline_queue.bills import NewBill
from offline_queue.habits import Usual
from terminal.bill import Bill, BillStanding, PartWish
from terminal.drawer import DrawerStanding
from terminal.money import Amount, Total
from terminal.risk import Limit
from terminal.roles import Action, Authorised, Role
from terminal.settlement import report
from terminal.terms import Tender, Terms, TransactionKind
from terminal.transaction import RiskRefused, State
from tests.ui.stand_ins import AMOUNT, CARD, EUR, NOW, part_paid, sale
from tests.ui.test_shell import ANA, EVA, FREE, after, asked, staffed
from ui.counter_questions import (
    BillOpening,
    BillShown,
    BillsShown,
    BillsWanted,
    BillWanted,
    CodeShown,
    DrawerCounting,
    DrawerShown,
    PartWanted,
    TenderWanted,
    TransferAwaited,
    TransferSeen,
    UsualShown,
    UsualWanted,
)
from ui.events import (
    CardRead,
    Finished,
    Forwarding,
    NetworkChanged,
    PendingChanged,
    Presenting,
    Refused,
)
from ui.presenter import touches as t
from ui.presenter.page import About, banner, chips
from ui.presenter.pages import page
from ui.presenter.panel import Panel, Place
from ui.presenter.places import panel
from ui.presenter.reasons import OF_TILL, REASONS, limit_of
from ui.presenter.screens import Screen
from ui.presenter.shell import Shell
from ui.presenter.touches import ChargeWish, Digit, DoubleZero, Enter, Go, Undo
from ui.questions import DayClosed, DayHeld, DayShown, HoldTaken, RefundWanted, SaleShown, SignedIn
from ui.words import LANGUAGES, Words

TWENTY = (Digit(2), Digit(0), DoubleZero())
TIPPING = replace(FREE, preferences=FREE.preferences.changed("tips", "on"))
ENGLISH = Words("en")


def shown(shell: Shell) -> Panel:
    return panel(shell, ENGLISH, About())


def eur(minor: int) -> Amount:
    return Amount(minor, EUR)


@pytest.mark.parametrize(
    ("touches", "total", "tip"),
    [
        ([t.Tip(0)], 2000, 0),
        ([t.Tip(10)], 2200, 200),
        ([t.TipOther(), Digit(3), DoubleZero(), t.AddTip()], 2300, 300),
        ([t.TipOther(), Digit(3), t.Cancel(), t.Tip(5)], 2100, 100),
        ([t.TipOther(), Digit(1), DoubleZero(), Enter()], 2100, 100),
    ],
)
def test_a_tip_is_added_before_the_card(touches: list[t.Touch], total: int, tip: int) -> None:
    shell, wishes = after(TIPPING, *TWENTY, t.Charge())
    assert (shell.till.screen, wishes) == (Screen.TIP, [])
    shell, wishes = after(shell, *touches)
    assert wishes == [ChargeWish(eur(total), Terms(tip_minor=tip))]
    assert (shell.till.screen, shell.till.amount) == (Screen.PRESENT, eur(total))


def test_whoever_turns_away_from_the_tip_is_of_the_shop_and_keeps_the_amount() -> None:
    shell, _ = after(TIPPING, *TWENTY, t.Charge(), t.Cancel())
    assert (shell.till.screen, shell.till.typed) == (Screen.AMOUNT, 2000)
    guarded = replace(staffed(), preferences=TIPPING.preferences)
    shell, _ = after(guarded, *TWENTY, t.Charge(), t.Cancel())
    assert (shell.place, shell.needs) == (Place.LOCK, Action.CANCEL_SALE)


def test_a_hold_is_a_charge_of_its_own_kind() -> None:
    shell, wishes = after(FREE, *TWENTY, Go("ways"), t.Hold())
    assert wishes == [ChargeWish(eur(2000), Terms(kind=TransactionKind.HOLD))]
    assert (shell.place, shell.till.screen) == (Place.TILL, Screen.PRESENT)


@pytest.mark.parametrize(
    ("keys", "change", "tendered"),
    [((), "€0.00", 2000), ((Digit(5), DoubleZero(), Digit(0)), "€30.00", 5000)],
)
def test_cash_says_the_change_before_it_is_taken(
    keys: tuple[t.Touch, ...], change: str, tendered: int
) -> None:
    shell, _ = after(FREE, *TWENTY, Go("ways"), Go("cash"), *keys)
    due, back = shown(shell).figures
    assert (ENGLISH.plain(due.value), ENGLISH.plain(back.value)) == ("€20.00", change)
    shell, wishes = after(shell, Enter(), Enter())
    # A second touch finds nothing to do.
    assert asked(wishes) == [TenderWanted(eur(2000), Tender.CASH, tendered=eur(tendered))]


def test_too_little_cash_leads_nowhere_and_says_what_is_missing() -> None:
    shell, _ = after(FREE, *TWENTY, Go("cash"), Digit(5), DoubleZero())
    assert ENGLISH.plain(shown(shell).figures[1].value) == "€15.00"
    assert not shown(shell).keys[0].enabled
    assert after(shell, Enter())[1] == []


def test_cash_is_rounded_to_the_smallest_coin() -> None:
    coins = replace(FREE, coin_minor=5)
    shell, _ = after(coins, *(Digit(each) for each in (1, 2, 5, 3)), Go("cash"))
    assert ENGLISH.plain(shown(shell).figures[0].value) == "€12.55"


def test_what_a_card_left_is_asked_of_the_next_tender_by_its_bill() -> None:
    first = part_paid()
    standing = BillStanding(Bill("R1", eur(first.still_due_minor), first=first.txn_id), NOW)
    standing = replace(standing, bill=replace(standing.bill, name=f"R{first.sequence}"))
    shell, _ = after(FREE, Finished(first, None), BillShown(standing))
    name = standing.bill.name
    _, wishes = after(shell, t.Charge())
    assert asked(wishes) == [PartWanted(name, PartWish())]
    shell, wishes = after(shell, Go("cash"), Enter())
    due = standing.due
    assert asked(wishes) == [PartWanted(name, PartWish(tender=Tender.CASH, tendered=due))]
    # A refusal comes back to the sale, and is told there.
    shell, _ = after(shell, Refused("no", "yes"))
    assert (shell.place, shell.checking) == (Place.TILL, False)


def test_a_declined_card_leaves_cash_and_what_its_holder_mostly_does_stands_out() -> None:
    declined = sale(State.DECLINED)
    shell, wishes = after(FREE, Finished(declined, None))
    assert asked(wishes) == [UsualWanted(declined.txn_id)]
    ranks = [(key.touch, key.rank.value) for key in page(shell.till, ENGLISH).keys]
    assert ranks == [(Go("cash"), "quiet"), (t.Charge(), "quiet"), (t.Done(), "primary")]
    habit = UsualShown(declined.txn_id, Usual(visits=3, language="fr", next_tender=Tender.CASH))
    known, _ = after(shell, habit)
    assert known.till.card_language == "fr"
    ranks = [(key.touch, key.rank.value) for key in page(known.till, ENGLISH).keys]
    assert ranks == [(Go("cash"), "primary"), (t.Charge(), "quiet"), (t.Done(), "quiet")]
    known, wishes = after(known, Go("cash"), Enter())
    assert asked(wishes) == [TenderWanted(AMOUNT, Tender.CASH, tendered=AMOUNT)]
    # Of another card, or later, it changes nothing.
    other = UsualShown("another", habit.usual)
    assert after(shell, other)[0] == shell
    assert after(shell, t.Done(), habit)[0].till.usual is None


@pytest.mark.parametrize(
    ("usual", "transfers", "first", "primary"),
    [
        (None, True, Go("cash"), t.Done()),
        (Tender.CASH, True, Go("cash"), Go("cash")),
        (Tender.CARD, True, Go("cash"), t.Charge()),
        (Tender.TRANSFER, True, t.Transfer("ask"), t.Transfer("ask")),
        (Tender.TRANSFER, False, Go("cash"), t.Done()),
    ],
)
def test_what_a_known_card_s_holder_mostly_does_next_comes_first(
    usual: Tender | None, first: t.Touch, primary: t.Touch, *, transfers: bool
) -> None:
    declined = sale(State.DECLINED)
    habit = UsualShown(declined.txn_id, Usual(visits=3, next_tender=usual))
    shell, _ = after(FREE, Finished(declined, None), habit)
    keys = page(shell.till, ENGLISH, about=About(transfers=transfers)).keys
    assert keys[0].touch == first
    assert [key.touch for key in keys if key.rank.value == "primary"] == [primary]
    _, wishes = after(shell, t.Transfer("ask"))
    assert asked(wishes) == [TenderWanted(AMOUNT, Tender.TRANSFER)]


def test_the_rest_of_what_a_card_paid_in_part_comes_by_transfer() -> None:
    first = part_paid()
    bill = Bill(f"R{first.sequence}", eur(first.still_due_minor), first=first.txn_id)
    habit = UsualShown(first.txn_id, Usual(visits=2, next_tender=Tender.TRANSFER))
    shell, _ = after(FREE, Finished(first, None), BillShown(BillStanding(bill, NOW)), habit)
    assert page(shell.till, ENGLISH, about=About(transfers=True)).keys[0].touch == t.Transfer("ask")
    _, wishes = after(shell, t.Transfer("ask"))
    assert asked(wishes) == [PartWanted(bill.name, PartWish(tender=Tender.TRANSFER))]


@pytest.mark.parametrize(
    ("own", "before", "shown_in"),
    [("", "fr", "fr"), ("es", "fr", "es"), ("", "", "")],
)
def test_a_card_without_a_language_is_spoken_to_as_at_its_other_visits(
    own: str, before: str, shown_in: str
) -> None:
    paid = replace(sale(State.APPROVED), card=replace(CARD, language=own))
    languages = (own,) if own else ()
    shell, wishes = after(FREE, Presenting(AMOUNT, 9.0), CardRead(languages=languages))
    shell, wishes = after(shell, Finished(paid, None))
    assert asked(wishes) == ([] if own else [UsualWanted(paid.txn_id)])
    shell, _ = after(shell, UsualShown(paid.txn_id, Usual(visits=4, language=before)))
    assert shell.till.card_language == shown_in


def test_a_bill_is_opened_with_its_first_part_and_not_before() -> None:
    shell, wishes = after(FREE, *TWENTY, Go("ways"), Go("split"))
    assert wishes == []
    assert [key.label for key in shown(shell).quick] == ["1/2", "1/3", "1/4", "All"]
    assert not shown(shell).keys[0].enabled
    shell, wishes = after(shell, shown(shell).quick[1].touch, Enter(), Enter())
    assert asked(wishes) == [BillOpening(NewBill(eur(2000)))]
    standing = BillStanding(Bill("B1", eur(2000)), NOW)
    shell, wishes = after(shell, BillShown(standing), BillShown(standing))
    assert asked(wishes) == [PartWanted("B1", PartWish(eur(667)))]


def test_the_next_part_of_a_bill_is_paid_in_cash_or_later() -> None:
    standing = BillStanding(Bill("B1", eur(2000)), NOW)
    part = replace(sale(State.APPROVED, eur(800), "p1"), terms=Terms(bill="B1"))
    standing = replace(standing, payments=(part,))
    shell, _ = after(FREE, Finished(part, None), BillShown(standing))
    # Nobody turns away by themselves from a bill that is not paid.
    assert (shell.till.rest, shell.till.wait_s) == (eur(1200), 0.0)
    ended = page(shell.till, ENGLISH)
    assert ended.paid == 40
    assert [key.touch for key in ended.keys] == [Go("split"), t.Charge(), t.Done()]
    shell, _ = after(shell, Go("split"), Digit(5), DoubleZero(), t.PayPart())
    assert shell.place is Place.CASH
    shell, wishes = after(shell, Enter())
    cash = PartWish(eur(500), Tender.CASH, tendered=eur(500))
    assert asked(wishes) == [PartWanted("B1", cash)]
    shell, wishes = after(FREE, Go("bills"), BillsShown((standing,)))
    assert asked(wishes) == [BillsWanted()]
    [line] = shown(shell).lines
    assert line.touch == t.OpenBill("B1")
    shell, wishes = after(shell, line.touch, BillShown(standing))
    assert (shell.place, asked(wishes)) == (Place.SPLIT, [BillWanted("B1")])
    assert ENGLISH.plain(shown(shell).figures[1].value) == "€12.00"


def test_a_part_of_a_bill_is_paid_by_transfer() -> None:
    able = About(transfers=True)
    shell, _ = after(FREE, *TWENTY, Go("split"), Digit(5), DoubleZero())
    assert [key.touch for key in panel(shell, ENGLISH, able).keys] == [
        Enter(),
        t.PayPart(),
        t.Transfer("ask"),
    ]
    assert len(shown(shell).keys) == 2
    shell, wishes = after(shell, t.Transfer("ask"), t.Transfer("ask"))
    assert asked(wishes) == [BillOpening(NewBill(eur(2000)))]
    standing = BillStanding(Bill("B1", eur(2000)), NOW)
    shell, wishes = after(shell, BillShown(standing))
    assert asked(wishes) == [PartWanted("B1", PartWish(eur(500), Tender.TRANSFER))]
    awaited = replace(sale(State.AWAITED, eur(500), "p1"), reference="TAP-1")
    terms = replace(awaited.terms, bill="B1")
    awaited = replace(awaited, terms=terms)
    doubtful = replace(standing, payments=(awaited,))
    code = CodeShown("p1", "BCD", "TAP-1")
    shell, wishes = after(shell, Finished(awaited, None), BillShown(doubtful), code)
    assert (shell.place, asked(wishes)) == (Place.TRANSFER, [TransferAwaited("p1")])
    arrived = replace(awaited, state=State.APPROVED, approved_minor=500)
    paid = replace(standing, payments=(arrived,))
    shell, _ = after(shell, Finished(arrived, None), BillShown(paid))
    assert (shell.place, shell.till.rest) == (Place.TILL, eur(1500))
    assert next(key.touch for key in page(shell.till, ENGLISH).keys) == Go("split")


def test_a_transfer_is_paid_when_the_bank_or_somebody_who_may_has_seen_it() -> None:
    shell, wishes = after(staffed(), *TWENTY, Go("ways"), t.Transfer("ask"))
    assert asked(wishes) == [TenderWanted(eur(2000), Tender.TRANSFER, cashier="Ana")]
    begun = sale(State.INTENDED, eur(2000))
    terms = replace(begun.terms, tender=Tender.TRANSFER)
    awaited = replace(begun, terms=terms, state=State.AWAITED, reference="TAP-000001")
    code = CodeShown(awaited.txn_id, "BCD", "TAP-000001")
    shell, wishes = after(shell, Finished(awaited, None), code)
    # The till asks the bank by itself; only Cancel has a meaning meanwhile.
    assert asked(wishes) == [TransferAwaited(awaited.txn_id)]
    assert (shell.place, shown(shell).code) == (Place.TRANSFER, "BCD")
    assert [key.touch for key in shown(shell).keys] == [t.Cancel()]
    _, wishes = after(shell, t.Cancel())
    assert wishes == [t.CancelWish()]
    # It has not come: the code stays, and nobody is asked again by itself.
    shell, wishes = after(shell, Finished(awaited, None), code)
    assert wishes == []
    drop, seen, ask = (key.touch for key in shown(shell).keys)
    assert asked(after(shell, ask)[1]) == [TransferAwaited(awaited.txn_id)]
    locked, _ = after(shell, seen)
    assert (locked.place, locked.needs) == (Place.LOCK, Action.CONFIRM_TRANSFER)
    assert asked(after(locked, SignedIn(EVA))[1]) == [TransferSeen(awaited.txn_id, "Eva")]
    assert after(shell, drop)[0].needs is Action.CONFIRM_TRANSFER
    # From the history it goes on in the same way.
    opened, _ = after(FREE, t.OpenSale("t1"), SaleShown(awaited, ""))
    assert [key.touch for key in shown(opened).keys] == [drop, seen, ask]
    paid = replace(awaited, state=State.APPROVED, approved_minor=2000)
    ended, _ = after(shell, Finished(paid, None))
    assert (ended.place, page(ended.till, ENGLISH).title) == (Place.TILL, "Paid by transfer")


@pytest.mark.parametrize("limit", list(Limit))
def test_every_limit_has_a_reason_in_every_language(limit: Limit) -> None:
    refused = sale(State.INTENDED).after(RiskRefused(NOW, "plain English", CARD, limit.name))
    assert limit_of(refused) is limit
    told = {}
    for language in LANGUAGES:
        words = Words(language)
        result = page(after(FREE, Finished(refused, None))[0].till, words)
        assert words.say(REASONS[limit]) in result.detail
        assert "plain English" not in result.detail
        told[language] = words.say(REASONS[limit])
        helps = any("Another card" in line for line in result.lines)
        if language == "en":
            assert helps is (limit in OF_TILL)
    assert len(set(told.values())) == len(LANGUAGES)


def test_what_is_on_its_way_to_the_bank_is_counted_on_every_screen() -> None:
    shell, _ = after(FREE, PendingChanged(412, eur(500)), Forwarding(37, 412, eur(120_450)))
    text = "37 of 412 sent · €1,204.50 to go"
    assert ENGLISH.plain(chips(shell.till, ENGLISH)[0].text) == text
    notice = banner(shell.till, ENGLISH, About())
    assert notice is not None
    assert ENGLISH.plain(notice.text) == text
    queue, _ = after(shell, Go("queue"))
    assert text in ENGLISH.plain(shown(queue).note)
    for end in (NetworkChanged(online=False), PendingChanged(0, eur(0)), Forwarding(4, 4, eur(0))):
        assert after(shell, end)[0].till.sending is None


DAY = DayShown(report("X", 7, NOW, EUR, [sale(State.APPROVED)]), cash=Total(25_150, EUR))


def test_counted_cash_is_compared_before_the_day_is_closed() -> None:
    shell, _ = after(FREE, Go("day"), DAY, Go("count"), *(Digit(int(d)) for d in "25000"), Enter())
    assert (shell.place, shell.day_step) == (Place.DAY, 1)
    cash = shown(shell).figures[-1]
    assert (cash.label, ENGLISH.plain(cash.value)) == ("Cash missing", "€1.50")
    # A drawer that has a float knows better what should be in it.
    drawer = DrawerStanding(EUR, NOW, "Ana", 10_000, counted_minor=25_000, difference_minor=200)
    cash = shown(after(shell, DrawerShown(drawer))[0]).figures[-1]
    assert (cash.label, ENGLISH.plain(cash.value)) == ("Cash too much", "€2.00")


def test_the_day_says_what_is_open_and_counts_the_drawer_blindly() -> None:
    drawer = DrawerStanding(EUR, NOW, "Ana", 10_000, taken_minor=2550, taken_out_minor=1000)
    bill = BillStanding(Bill("B1", eur(2000)), NOW)
    awaited = replace(sale(State.AWAITED), amount=eur(700))
    day = replace(DAY, bills=(bill,), awaited=(awaited,), drawer=drawer)
    shell, _ = after(FREE, Go("day"), day)

    def said(shell: Shell) -> dict[str, str]:
        return {line.title: ENGLISH.plain(line.value) for line in shown(shell).lines}

    before = said(shell)
    assert before["Still due on bills"] == "€20.00"
    assert before["Transfers not arrived yet"] == "€7.00"
    assert (before["Float"], before["Taken out"]) == ("€100.00", "\u2212€10.00")
    assert before["Last count"] == "Not counted yet"
    assert not {"Cash taken", "Should be there"} & set(before)
    shell, wishes = after(shell, Go("count"), *(Digit(int(d)) for d in "11500"), Enter())
    assert asked(wishes) == [DrawerCounting(eur(11_500))]
    counted = replace(drawer, counted_minor=11_500, difference_minor=-50)
    after_count = said(after(shell, DrawerShown(counted))[0])
    assert (after_count["Cash taken"], after_count["Should be there"]) == ("€25.50", "€115.50")
    assert after_count["Last count"] == "€0.50 missing"
    # The next day begins blindly again.
    again, _ = after(shell, DrawerShown(counted), t.Back(), Go("day"), day)
    assert "Should be there" not in said(again)


def test_what_has_no_answer_is_shown_before_it_is_carried_over() -> None:
    shell, _ = after(FREE, Go("day"), DAY, t.NextStep())
    shell, wishes = after(shell, t.NextStep(), t.NextStep())
    assert asked(wishes) == [DayClosed()]
    waiting = sale(State.STORED)
    assert after(shell, t.CarryOver())[1] == []
    shell, _ = after(shell, DayHeld((waiting,)))
    assert [line.touch for line in shown(shell).lines] == [t.OpenSale(waiting.txn_id)]
    shell, wishes = after(shell, t.CarryOver())
    assert asked(wishes) == [DayClosed(carry=True)]


PAID = SaleShown(sale(State.APPROVED), "", refundable=AMOUNT)
HELD = SaleShown(replace(sale(State.APPROVED), state=State.HELD), "", voidable=True)


def test_a_part_of_a_sale_is_given_back_with_the_name_of_who_allowed_it() -> None:
    shell, _ = after(staffed(), Go("history"), t.OpenSale("t1"), PAID, Undo("part"))
    assert (shell.place, shell.needs) == (Place.LOCK, Action.REFUND)
    shell, _ = after(shell, SignedIn(EVA), Digit(5), DoubleZero())
    assert (shell.place, shell.approver) == (Place.PART, "Eva")
    shell, wishes = after(shell, Enter())
    assert asked(wishes) == [RefundWanted(PAID.sale.txn_id, "Eva", eur(500))]
    assert shell.approver == ""


def test_a_hold_is_taken_whole_or_in_part() -> None:
    shell, _ = after(FREE, t.OpenSale("t1"), HELD, Undo("take"))
    name = HELD.sale.txn_id
    assert asked(after(shell, Enter())[1]) == [HoldTaken(name, HELD.sale.amount)]
    assert asked(after(shell, Digit(7), Enter())[1]) == [HoldTaken(name, eur(7))]
    assert after(shell, *[Digit(9)] * 9, Enter())[1] == []


APPROVED_BY_EVA = (Go("history"), t.OpenSale("t1"), PAID, Undo("refund"), SignedIn(EVA))


@pytest.mark.parametrize(
    "leaving",
    [[t.Back()], [Undo("keep")], [Go("help")], [t.ShowReceipt()], [t.Back(), Go("history")]],
    ids=str,
)
def test_who_allowed_one_deed_answers_for_no_other(leaving: list[t.Touch]) -> None:
    shell, _ = after(staffed(), *APPROVED_BY_EVA)
    assert (shell.approver, shell.undoing) == ("Eva", "refund")
    shell, _ = after(shell, *leaving)
    assert (shell.approver, shell.undoing) == ("", "")


def test_a_deed_without_a_second_touch_leaves_nobody_who_allowed_it() -> None:
    ben = Authorised("Ben", Role.TECHNICIAN)
    shell, _ = after(staffed(ben), Go("day"), SignedIn(ANA))
    assert (shell.place, shell.approver) == (Place.DAY, "")
