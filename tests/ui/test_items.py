"""A shop with a catalogue: the pure face, touch by touch, from the first item to who pays which."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from offline_queue.bills import NewBill
from terminal.bill import Bill, BillStanding, PartWish
from terminal.catalogue import Catalogue, Item
from terminal.money import MINOR_MAX, Amount
from terminal.order import Order
from terminal.roles import Action
from terminal.terms import Part, Tender, Terms, TransactionKind
from terminal.transaction import HostApproved, State, Transaction
from tests.ui.stand_ins import EUR, NOW, sale
from tests.ui.test_shell import ANA, EVA, FREE, PIN, after, asked, staffed
from ui.counter_questions import (
    BillOpening,
    BillShown,
    CatalogueShown,
    CatalogueWanted,
    PartWanted,
    TenderWanted,
)
from ui.events import Finished, Presenting, Refused
from ui.presenter import parting
from ui.presenter import touches as t
from ui.presenter.basket import Trouble
from ui.presenter.cues import Cue, cue
from ui.presenter.item_touches import (
    AddItem,
    AddTyped,
    ItemTouch,
    NextKeys,
    OpenLine,
    Percent,
    PickLine,
    Restore,
    SetCount,
    ShowKeypad,
    TakeOff,
)
from ui.presenter.page import About, Page
from ui.presenter.pages import page
from ui.presenter.panel import Panel, Place
from ui.presenter.places import panel
from ui.presenter.screens import Screen
from ui.presenter.shell import Shell
from ui.presenter.stock import Stock, folded
from ui.presenter.touches import ChargeWish, Digit, DoubleZero, Enter, Go
from ui.questions import SaleWanted, SignedIn, Unanswered
from ui.words import LANGUAGES, Words

ENGLISH = Words("en")


def eur(minor: int) -> Amount:
    return Amount(minor, EUR)


TEA = Item("Tea", eur(250), "Drinks", 1000, "40063813", 1)
CAKE = Item("Apple cake", eur(390), "Bakery", 2100, "40063820", 2)
JUICE = Item("Jus d'orange pressé", eur(333), "Drinks", 1000, "", 0)
SOLD = Catalogue((TEA, CAKE, JUICE))
SHOP, _ = after(FREE, CatalogueShown(SOLD))


def shown(shell: Shell) -> Page:
    return page(shell.till, ENGLISH)


def there(shell: Shell) -> Panel:
    return panel(shell, ENGLISH, About(transfers=True))


def lines(shell: Shell) -> list[tuple[str, str]]:
    return [(ENGLISH.plain(line.title), ENGLISH.plain(line.value)) for line in shown(shell).order]


def paid_for(sale_: Transaction, parts: tuple[Part, ...]) -> Transaction:
    return replace(sale_, terms=replace(sale_.terms, parts=parts))


# -- the amount screen ---------------------------------------------------------------------------


def test_without_a_catalogue_the_amount_screen_is_as_it_was() -> None:
    touches = (Digit(5), t.Letter("t"), t.Letter("+"))
    plain, wishes = after(FREE, *touches)
    empty, _ = after(FREE, CatalogueShown(Catalogue()), *touches)
    assert (plain.place, wishes) == (Place.TILL, [])
    assert shown(plain) == shown(empty)
    assert [key.touch for key in shown(plain).quick][0:1] == [t.Preset(eur(500))]
    assert not shown(plain).shelf
    assert len(there(after(plain, Go("ways"))[0]).tiles) == 7


def test_items_grow_line_by_line_and_are_paid_by_one_touch() -> None:
    shell, _ = after(SHOP, AddItem(TEA), AddItem(CAKE), AddItem(TEA))
    assert lines(shell) == [("Apple cake", "€3.90"), ("2 \u00d7 Tea", "€5.00")]
    assert ENGLISH.plain(shown(shell).keys[0].label) == "Charge €8.90"
    assert [(key.name, key.count) for key in shown(shell).shelf] == [("Tea", 2), ("Apple cake", 1)]
    shell, wishes = after(shell, t.Charge(), t.Charge())
    parts = Order(EUR).add(TEA, 2).add(CAKE).parts
    assert wishes == [ChargeWish(eur(890), Terms(parts=parts))]
    assert (shell.till.screen, shell.till.amount) == (Screen.PRESENT, eur(890))


def test_what_is_typed_is_paid_with_the_items_and_becomes_a_line_where_more_is_typed() -> None:
    shell, _ = after(SHOP, AddItem(TEA), Digit(4), DoubleZero())
    assert lines(shell)[0] == ("Amount", "€4.00")
    [wish] = after(shell, t.Charge())[1]
    assert isinstance(wish, ChargeWish)
    assert (wish.amount, len(wish.terms.parts)) == (eur(650), 2)
    shell, _ = after(shell, t.Letter("+"), Digit(7))
    assert [worth for _, worth in lines(shell)] == ["€0.07", "€4.00", "€2.50"]
    assert shell.till.due == eur(657)
    # Typed alone, with nothing taken, it is what it always was.
    [wish] = after(SHOP, Digit(5), t.Charge())[1]
    assert wish == ChargeWish(eur(5), Terms())


@pytest.mark.parametrize(
    ("touches", "asks"),
    [
        ((Go("cash"), Enter()), TenderWanted),
        ((t.Transfer("ask"),), TenderWanted),
    ],
    ids=["cash", "transfer"],
)
def test_every_tender_knows_what_it_is_for(touches: tuple[t.Touch, ...], asks: type) -> None:
    shell, wishes = after(SHOP, AddItem(TEA), Digit(9), *touches)
    [question] = asked(wishes)
    assert isinstance(question, TenderWanted)
    assert isinstance(question, asks)
    assert (question.amount, question.parts) == (eur(259), shell.till.parts)
    assert len(question.parts) == 2


def test_holds_and_tips_know_what_they_are_for() -> None:
    shell, _ = after(SHOP, AddItem(TEA), AddItem(TEA))
    parts = shell.till.parts
    held = Terms(kind=TransactionKind.HOLD, parts=parts)
    assert after(shell, Go("ways"), t.Hold())[1] == [ChargeWish(eur(500), held)]
    tipped = after(shell, t.AskTip(), t.Tip(10))[1]
    assert tipped == [ChargeWish(eur(550), Terms(tip_minor=50, parts=parts))]


def test_one_touch_clears_and_one_touch_takes_that_back() -> None:
    taken, _ = after(SHOP, AddItem(TEA), Digit(5))
    once, _ = after(taken, t.Clear())
    assert (once.till.typed, lines(once)) == (0, [("Tea", "€2.50")])
    twice, _ = after(once, t.Clear())
    assert (lines(twice), shown(twice).wipe is not None) == ([], True)
    assert lines(after(twice, Restore())[0]) == [("Tea", "€2.50")]
    # Once something else has begun, it is gone.
    later, _ = after(twice, AddItem(CAKE), Restore())
    assert lines(later) == [("Apple cake", "€3.90")]
    assert after(twice, Digit(3), t.Clear())[0].till.basket.binned is None


def test_no_order_is_larger_than_an_amount_can_be() -> None:
    dear = Item("Boat", eur(MINOR_MAX), "", 0)
    shell, _ = after(SHOP, AddItem(TEA), AddItem(dear))
    assert (lines(shell), shell.till.basket.trouble) == ([("Tea", "€2.50")], Trouble.TOO_MUCH)
    assert shown(shell).alert
    shell, _ = after(SHOP, AddItem(dear), Digit(1))
    assert (shell.till.typed, shell.till.due) == (0, eur(MINOR_MAX))


def test_more_quick_keys_than_fit_are_turned_over() -> None:
    many = tuple(Item(f"Item {n}", eur(n), "", 0, "", n) for n in range(1, 31))
    shell, _ = after(FREE, CatalogueShown(Catalogue(many)))
    seen = []
    for _ in range(3):
        *keys, more = shown(shell).shelf
        seen += [key.touch for key in keys]
        assert isinstance(more.touch, NextKeys)
        shell, _ = after(shell, more.touch)
    assert seen == [AddItem(item) for item in many]
    assert shown(shell).shelf[0].touch == AddItem(many[0])


def test_a_shop_without_quick_keys_keeps_its_keypad() -> None:
    shell, _ = after(FREE, CatalogueShown(Catalogue((JUICE,))))
    assert not shown(shell).shelf
    assert [key.touch for key in shown(shell).quick] == [Go("items"), AddTyped()]
    both, _ = after(SHOP, ShowKeypad(on=True))
    assert not shown(both).shelf
    assert ShowKeypad(on=False) in [key.touch for key in shown(both).quick]


# -- an order that is paid, and one that is not --------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_an_order_goes_when_it_is_paid_and_stays_when_it_is_not(state: State) -> None:
    shell, _ = after(SHOP, AddItem(TEA), Digit(5), t.Charge(), Presenting(eur(255), 30.0))
    ended = paid_for(sale(state, eur(255)), shell.till.terms.parts)
    shell, _ = after(shell, Finished(ended, None))
    again = shell.till.may_repeat
    label = shown(shell).keys[-1].label
    assert (label == "Back to the order") is again
    shell, _ = after(shell, t.Done())
    # What was typed beside the items is a line of them now.
    assert lines(shell) == ([("Amount", "€0.05"), ("Tea", "€2.50")] if again else [])


def test_a_refusal_and_what_a_card_has_paid_in_part() -> None:
    charged, _ = after(SHOP, AddItem(TEA), t.Charge(), Presenting(eur(250), 30.0))
    refused, _ = after(charged, Refused("no reader"), t.Done())
    assert lines(refused) == [("Tea", "€2.50")]
    sent = paid_for(sale(State.AUTHORISING, eur(250)), charged.till.terms.parts)
    part = sent.after(HostApproved(NOW, "10", "123456", 150))
    assert part.terms.parts != charged.till.terms.parts
    partly, _ = after(charged, Finished(part, None))
    assert (partly.till.may_charge_rest, partly.till.basket.order) == (True, None)


def test_what_is_done_to_another_sale_leaves_the_order_alone() -> None:
    shell, _ = after(SHOP, AddItem(TEA))
    other = paid_for(sale(State.APPROVED), ())
    of_bill = replace(other, terms=Terms(bill="B1", parts=shell.till.parts))
    for each in (other, of_bill):
        assert lines(after(shell, Finished(each, None), t.Done())[0]) == [("Tea", "€2.50")]


def test_nobody_changes_an_order_while_its_payment_is_in_hand() -> None:
    charged, _ = after(SHOP, AddItem(TEA), t.Charge(), Presenting(eur(250), 30.0))
    touches: list[t.Touch] = [AddItem(CAKE), SetCount(0, 9), TakeOff(None, 5000), OpenLine(0)]
    touches += [Go("items"), t.Scanned("40063820"), Go("discount")]
    for touch in touches:
        assert after(charged, touch) == (charged, [])


def test_training_sells_the_same_items_and_none_of_it_is_left_behind() -> None:
    shell, _ = after(SHOP, AddItem(TEA), t.Train())
    assert (shell.till.basket.stock, shell.till.basket.order) == (Stock(SOLD), None)
    shell, _ = after(shell, AddItem(CAKE), t.Train())
    assert lines(shell) == [("Tea", "€2.50")]


def test_a_till_without_an_answer_sells_amounts() -> None:
    shell, _ = after(FREE, Unanswered(CatalogueWanted(), "The ledger cannot be read."))
    assert shell == FREE


# -- a line of the order -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("touches", "left"),
    [
        ((Digit(1), Digit(2), Enter()), [("12 \u00d7 Tea", "€30.00")]),
        ((SetCount(0, 3), t.Back()), [("3 \u00d7 Tea", "€7.50")]),
        ((Enter(),), [("2 \u00d7 Tea", "€5.00")]),
        ((Digit(5), t.Cancel()), [("2 \u00d7 Tea", "€5.00")]),
        ((SetCount(0, 0),), []),
        (
            (Go("discount"), Percent(20), Enter(), Enter()),
            [("2 \u00d7 Tea · \u221220 %", "€4.00")],
        ),
        ((Go("discount"), Digit(5), Enter(), Enter()), [("2 \u00d7 Tea · \u22125 %", "€4.75")]),
        (
            (TakeOff(0, 1000), Go("discount"), t.Clear(), Enter(), Enter()),
            [("2 \u00d7 Tea", "€5.00")],
        ),
    ],
)
def test_a_line_is_counted_discounted_and_taken_out(
    touches: tuple[t.Touch, ...], left: list[tuple[str, str]]
) -> None:
    shell, _ = after(SHOP, AddItem(TEA), AddItem(TEA), OpenLine(0))
    assert (shell.place, there(shell).entry) == (Place.LINE, "2")
    shell, _ = after(shell, *touches)
    assert (shell.place, lines(shell)) == (Place.TILL, left)


def test_a_discount_of_the_whole_says_before_and_after() -> None:
    shell, _ = after(SHOP, AddItem(TEA), AddItem(CAKE), Go("ways"), Go("discount"), Percent(10))
    assert [ENGLISH.plain(each.value) for each in there(shell).figures] == ["€6.40", "€5.76"]
    shell, _ = after(shell, Enter())
    assert lines(shell)[0] == ("Discount 10 %", "\u2212€0.64")
    assert (shell.place, shell.till.due) == (Place.TILL, eur(576))
    assert sum(part.gross_minor for part in shell.till.parts) == 576
    # All of it taken off is nothing to charge.
    free, _ = after(shell, Go("discount"), t.Clear(), Digit(1), DoubleZero(), Digit(0), Enter())
    assert not free.till.may_charge
    assert after(free, t.Charge())[1] == []


# -- the list of items ---------------------------------------------------------------------------


@pytest.mark.parametrize("way", [(OpenLine(0),), (Go("ways"),)])
def test_a_discount_takes_a_supervisor(way: tuple[t.Touch, ...]) -> None:
    shop, _ = after(staffed(ANA), CatalogueShown(SOLD))
    asking, _ = after(shop, AddItem(TEA), *way, Go("discount"))
    assert (asking.place, asking.needs) == (Place.LOCK, Action.DISCOUNT)
    refused, _ = after(asking, *PIN, Enter(), SignedIn(ANA))
    assert refused.place is Place.LOCK
    allowed, _ = after(asking, *PIN, Enter(), SignedIn(EVA))
    assert allowed.place is Place.DISCOUNT
    taken, _ = after(allowed, Percent(20), Enter())
    assert taken.till.due == eur(TEA.price.minor * 4 // 5)
    assert (taken.person, taken.approver) == (ANA, "")


def test_letters_lead_to_an_item() -> None:
    shell, _ = after(SHOP, t.Letter("j"))
    assert (shell.place, shell.query) == (Place.ITEMS, "j")
    found = [ENGLISH.plain(line.title) for line in there(shell).lines]
    assert found == ["Drinks", "Jus d'orange pressé"]
    assert [key.label for key in there(shell).quick] == ["U"]
    # Enter takes the first that was found, and clears what was typed; the next one leads back.
    shell, _ = after(shell, Enter())
    assert (shell.place, shell.query) == (Place.ITEMS, "")
    shell, _ = after(shell, t.Letter("p"), t.Letter("x"))
    assert len(there(shell).lines) == 0
    assert "px" in there(shell).empty
    shell, _ = after(shell, t.Backspace(), t.Letter("r"), Enter(), Enter())
    assert (shell.place, lines(shell)) == (Place.TILL, [("2 \u00d7 Jus d'orange pressé", "€6.66")])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 4),
        ("JUS", 1),
        ("oran", 1),
        ("pressé", 1),
        ("presse", 1),
        ("range", 0),
        ("400638", 2),
        ("apple c", 1),
        ("كيك", 1),
        ("کیک", 1),
        ("خامه ای", 1),
    ],
)
def test_items_are_found_by_any_of_their_words(query: str, found: int) -> None:
    stock = Stock(Catalogue((*SOLD.items, Item("کیک خامه‌ای", eur(1), "Bakery"))))
    assert len(stock.matching(query)) == found


def test_every_letter_that_is_offered_leads_on() -> None:
    stock = Stock(Catalogue((*SOLD.items, Item("7up", eur(1)), Item("Été", eur(2)))))
    assert stock.letters("", 29) == ("7", "a", "c", "d", "e", "j", "o", "p", "t")
    assert stock.letters("", 3) == ("a", "c", "d") or len(stock.letters("", 3)) == 3
    for first in stock.letters("", 29):
        for second in stock.letters(first, 29):
            assert stock.matching(first + second), first + second
    assert folded("  Crème  BRÛLÉE 4 ") == "creme brulee 4"


def test_groups_stand_above_their_items_and_touched_items_are_counted() -> None:
    shell, _ = after(SHOP, AddItem(CAKE), AddItem(CAKE), Go("items"))
    told = [(ENGLISH.plain(x.title), ENGLISH.plain(x.value), x.touch) for x in there(shell).lines]
    assert told == [
        ("Drinks", "", None),
        ("Jus d'orange pressé", "€3.33", AddItem(JUICE)),
        ("Tea", "€2.50", AddItem(TEA)),
        ("Bakery", "", None),
        ("Apple cake", "2 \u00d7 €3.90", AddItem(CAKE)),
    ]
    assert ENGLISH.plain(there(shell).keys[0].label) == "To the sale · €7.80"


# -- a scanner -----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [(), (Go("menu"),), (Go("items"),), (t.Letter("4"),)])
def test_a_scanned_item_is_sold_wherever_somebody_is(place: tuple[t.Touch, ...]) -> None:
    shell, wishes = after(SHOP, Digit(7), *place, t.Scanned("40063820", 7))
    assert wishes == []
    assert lines(shell) == [("Amount", "€0.07"), ("Apple cake", "€3.90")]
    assert shell.place in (Place.TILL, Place.ITEMS)


def test_an_unknown_barcode_says_so_in_one_line_and_sounds() -> None:
    shell, wishes = after(SHOP, AddItem(TEA), t.Scanned("7612345678900"))
    assert wishes == []
    told = ENGLISH.plain(shown(shell).caption)
    assert told == "7612345678900 is no item. Type its price, or find it"
    assert cue(SHOP.till, shell.till) is Cue.ALERT
    assert lines(shell) == [("Tea", "€2.50")]
    assert not shown(after(shell, Digit(1))[0]).alert
    again = after(shell, t.Scanned("7612345678900"))[0]
    assert cue(shell.till, again.till) is Cue.ALERT


def test_a_receipt_is_no_item_and_scanned_goods_begin_the_next_sale() -> None:
    _, wishes = after(SHOP, t.Scanned("TAPTILL1-000012"))
    assert asked(wishes) == [SaleWanted("TAPTILL1-000012")]
    ended, _ = after(SHOP, Finished(sale(State.APPROVED), None), t.Scanned("40063813"))
    assert (ended.till.screen, lines(ended)) == (Screen.AMOUNT, [("Tea", "€2.50")])
    # Who has not paid is not turned away from by a scanner.
    for state in (State.DECLINED, State.UNKNOWN):
        unpaid, _ = after(SHOP, Finished(sale(state), None))
        assert after(unpaid, t.Scanned("40063813"))[0].till == unpaid.till
    # A scanner types into the amount that is asked for: it sells nothing there.
    cash, _ = after(SHOP, AddItem(TEA), Go("cash"), Digit(4), t.Scanned("40063813"))
    assert (cash.place, cash.entry, cash.till.due) == (Place.CASH, 0, eur(250))


# -- splitting by items --------------------------------------------------------------------------


def test_a_bill_has_a_line_for_each_single_thing_to_the_cent() -> None:
    chance, seed = random.Random(11), 11
    for _ in range(200):
        order = Order(EUR, discount_bp=chance.choice((0, 0, 1000, 333)))
        for item in chance.sample(SOLD.items, chance.randint(1, 3)):
            order = order.add(item, chance.randint(1, 7))
        bill = parting.new_bill(order)
        assert len(bill.parts) == len(bill.lines) == sum(line.count for line in order.lines), seed
        assert sum(part.gross_minor for part in bill.parts) == order.total.minor, seed
        assert sum(part.tax_minor for part in bill.parts) == order.tax_minor, seed
    many = Order(EUR).add(TEA, 900)
    assert parting.new_bill(many).lines == ("900 x Tea",)


def opened(shell: Shell) -> tuple[Shell, BillStanding]:
    """The bill that the shell has just asked for, as the books open it."""
    new = parting.bill_of(shell)
    return shell, BillStanding(Bill("B1", new.total, new.parts, new.lines), NOW)


@pytest.mark.parametrize(
    ("touches", "wish"),
    [
        ((Enter(),), PartWish(lines=(0, 2))),
        ((t.Transfer("ask"),), PartWish(tender=Tender.TRANSFER, lines=(0, 2))),
        (
            (t.PayPart(), Enter()),
            PartWish(tender=Tender.CASH, lines=(0, 2), tendered=eur(640)),
        ),
    ],
    ids=["card", "transfer", "cash"],
)
def test_somebody_pays_for_what_they_had(touches: tuple[t.Touch, ...], wish: PartWish) -> None:
    shell, _ = after(SHOP, AddItem(TEA), AddItem(TEA), AddItem(CAKE), Go("ways"), Go("split"))
    assert there(shell).quick[-1].touch == Go("share")
    shell, _ = after(shell, Go("share"))
    assert [ENGLISH.plain(line.title) for line in there(shell).lines] == [
        "Tea",
        "Tea",
        "Apple cake",
    ]
    assert not any(key.enabled for key in there(shell).keys)
    shell, _ = after(shell, PickLine(0), PickLine(1), PickLine(2), PickLine(1), PickLine(9))
    assert shell.picked == (0, 2)
    new = NewBill(eur(890), *_parts_and_names())
    shell, wishes = after(shell, *touches)
    assert asked(wishes) == [BillOpening(new)]
    shell, bill = opened(shell)
    shell, wishes = after(shell, BillShown(bill))
    assert asked(wishes) == [PartWanted("B1", wish)]
    # What was taken is the bill's now.
    assert shell.till.basket.order is None
    paid = replace(sale(State.APPROVED, eur(640), "p1"), terms=Terms(bill="B1"))
    bill = replace(bill, payments=(paid,), taken={"p1": (0, 2)})
    shell, _ = after(shell, Finished(paid, None), BillShown(bill), Go("split"), Go("share"))
    assert [line.touch for line in there(shell).lines] == [PickLine(1)]


def _parts_and_names() -> tuple[tuple[Part, ...], tuple[str, ...]]:
    tea, cake = Order(EUR).add(TEA).parts[0], Order(EUR).add(CAKE).parts[0]
    two = Order(EUR).add(TEA, 2).parts[0]
    first = replace(tea, tax_minor=two.tax_minor - two.tax_minor // 2)
    second = replace(tea, tax_minor=two.tax_minor // 2)
    return (first, second, cake), ("Tea", "Tea", "Apple cake")


def test_an_amount_has_no_lines_to_pay_and_a_bill_that_is_looked_up_waits_for_its_own() -> None:
    shell, _ = after(SHOP, Digit(5), DoubleZero(), Go("split"))
    assert Go("share") not in [key.touch for key in there(shell).quick]
    # While a bill is being looked up, the order on the counter is not mistaken for it.
    shell, _ = after(SHOP, AddItem(TEA), Go("bills"), t.OpenBill("B7"), Digit(1), Enter())
    assert shell.checking
    bill = BillStanding(Bill("B7", eur(2000)), NOW)
    shell, wishes = after(shell, BillShown(bill), Digit(1), Enter())
    assert asked(wishes) == [PartWanted("B7", PartWish(eur(1)))]
    assert shell.till.basket.order is not None


# -- nothing about a face may depend on its language ---------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_an_order_is_told_in_every_language(language: str) -> None:
    words = Words(language)
    shell, _ = after(SHOP, AddItem(TEA), Digit(5), TakeOff(None, 1000), t.Scanned("99999999"))
    walks: list[tuple[t.Touch, ...]] = [
        (),
        (Go("items"),),
        (OpenLine(0),),
        (OpenLine(0), Go("discount")),
        (Go("split"), Go("share")),
    ]
    for walk in walks:
        place, _ = after(shell, *walk)
        told = (
            page(place.till, words)
            if place.place is Place.TILL
            else panel(place, words, About(transfers=True))
        )
        said = " ".join((told.title, *(key.label for key in (*told.keys, *told.quick))))
        assert not set("{}") & set(said)
        if language == "fa":
            own = said.replace("Tea", "").replace("QR", "")
            assert not [each for each in own if each.isascii() and each.islower()], own


def test_random_touches_never_lose_a_cent() -> None:
    """The parts are the sum, whatever is touched; seed 5."""
    chance = random.Random(5)
    shell = SHOP
    deeds: list[ItemTouch | t.Touch] = [AddItem(item) for item in SOLD.items]
    deeds += [AddTyped(), t.Clear(), Restore(), Digit(7), DoubleZero(), t.Backspace()]
    for _ in range(3_000):
        number = chance.choice((None, 0, 1, 2))
        lines_now = len(shell.till.basket.lines)
        touches = [*deeds, TakeOff(None, chance.choice((0, 500, 2500)))]
        if number is not None and number < lines_now:
            touches += [SetCount(number, chance.randint(0, 4)), TakeOff(number, 1000)] * 3
        touch = chance.choice(touches)
        shell, _ = after(shell, touch)
        till = shell.till
        if till.basket.order is not None:
            assert sum(part.gross_minor for part in till.parts) == till.due.minor
        else:
            assert till.due == till.typed_amount


def test_a_locked_till_sells_nothing() -> None:
    shell, _ = after(staffed(None), CatalogueShown(SOLD), AddItem(TEA), t.Scanned("40063813"))
    assert (shell.place, shell.till.basket.order) == (Place.LOCK, None)
