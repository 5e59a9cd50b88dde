"""What happens to the face: each event, answer and touch, folded into it.

Rules of this file: pure. ``step`` gives the face as it then is, and what is to be asked of the till
because of it. A sale that runs comes before everything: its first event brings the sale back to the
screen, wherever somebody is. What a person may not do asks for the PIN of somebody who may, and
goes on from there.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.progress import CardRead, Prompted
from terminal.roles import Action, Authorised
from ui import counter_questions as c
from ui import questions as q
from ui.events import (
    Finished,
    OutOfService,
    Presenting,
    Refused,
    StaffChanged,
    TillEvent,
)
from ui.presenter import entries, lock, lookups, ordering, parting, steps
from ui.presenter import touches as t
from ui.presenter.basket import Basket
from ui.presenter.panel import Place
from ui.presenter.rights import answers_for, needed
from ui.presenter.screens import Screen
from ui.presenter.shell import Shell
from ui.presenter.state import ViewState
from ui.presenter.tap import Tap
from ui.presenter.told import told
from ui.presenter.touches import Touch, Wish
from ui.presenter.transferring import on_code, transferred
from ui.presenter.wishes import about_card
from ui.questions import Answer

TAPS_KEPT = 12

_SALE_EVENTS = (Presenting, Finished, Refused, OutOfService)
_CLOSED_ALLOWS = {Place.QUEUE, Place.HISTORY, Place.SALE, Place.HELP, Place.MENU, Place.RECEIPT}
_OF_SALE = (
    *(t.Digit, t.DoubleZero, t.Backspace, t.Clear, t.Charge, t.Cancel, t.Done, t.Preset, t.Overdue),
    *(t.AskTip, t.Tip, t.TipOther, t.AddTip, t.Hold),
)


def step(shell: Shell, happening: TillEvent | Touch) -> tuple[Shell, tuple[Wish, ...]]:
    """The face once this has happened, and what the till is to be asked for."""
    if isinstance(happening, q.SignedIn):
        return _signed_in(shell, happening.who)
    if isinstance(happening, Answer):
        return told(shell, happening)
    if not isinstance(happening, Touch):
        return _event(shell, happening), about_card(happening)
    if isinstance(happening, t.Overdue):
        return replace(shell, till=shell.till.after(happening)), ()
    return _touched(shell, happening)


def _event(shell: Shell, event: TillEvent) -> Shell:
    if isinstance(event, StaffChanged):
        known = replace(shell, staff=event.anybody)
        if known.locked and not known.busy:
            return known.at(Place.LOCK)
        return known if event.anybody else replace(known, person=None).home()
    moved = replace(shell, till=shell.till.after(event))
    match event:
        case Presenting():
            moved = replace(moved, again=0, felt=None)
        case Prompted():
            moved = replace(moved, again=shell.again + 1)
        case CardRead(card_s, terminal_s):
            tap = Tap(card_s, terminal_s, shell.again)
            moved = replace(moved, taps=(*shell.taps, tap)[-TAPS_KEPT:])
    if isinstance(event, _SALE_EVENTS) and shell.place is not Place.TILL:
        moved = replace(moved.home(), pin="", intent=None, awaiting=False)
    return moved


def _touched(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    if shell.place is Place.LOCK:
        return lock.on_lock(shell, touch)
    action = needed(shell, touch)
    # Whoever is signed in may stand with their back to the till while a customer turns it.
    guarded = action is Action.CANCEL_SALE and shell.staff and shell.preferences.guard == "on"
    if action is not None and (guarded or not shell.may(action)):
        return _ask_for(shell, action, touch), ()
    return act(shell, touch)


def _ask_for(shell: Shell, action: Action, touch: Touch) -> Shell:
    asked = shell.open(Place.LOCK)
    return replace(
        asked, undoing=shell.undoing, intent=touch, needs=action, pin="", note="", remedy=""
    )


def act(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    """What a touch does that is allowed."""
    match touch:
        case t.Go(name):
            return _go(shell, Place(name))
        case t.Back():
            return shell.back(), ()
        case t.Lock():
            return lock.locked(shell), ()
        case t.Choose(name):
            return replace(shell, preferences=shell.preferences.next_of(name)), ()
        case t.NextStep():
            return steps.next_step(shell)
        case t.Feel(face):
            return _felt(shell, face)
        case t.Undo() | t.Confirm():
            return _undo(shell, touch)
        case t.Train():
            return _train(shell)
        case t.OpenSale() | t.PrintCopy() | t.ShowReceipt() | t.Scanned() | t.SendNow():
            return lookups.look_up(shell, touch)
        case t.Practise(card):
            return shell, (t.PractiseWish(card),) if shell.training else ()
        case _:
            return _here(shell, touch)


def _here(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    """What a touch does in this place alone."""
    if shell.place is Place.SHARE:
        return parting.on_share(shell, touch)
    if isinstance(touch, t.Transfer):
        return transferred(shell, touch)
    of_order = ordering.here(shell, touch)
    if of_order is not None:
        return of_order
    match shell.place:
        case Place.TILL:
            return _selling(shell, touch)
        case Place.HISTORY:
            return lookups.searching(shell, touch)
        case Place.TRANSFER:
            return on_code(shell, touch)
        case Place.WAYS if isinstance(touch, t.Hold | t.AskTip):
            return _selling(shell.home(), touch)
        case Place.BILLS if isinstance(touch, t.OpenBill):
            opened = entries.fresh(shell.open(Place.SPLIT), None)
            return replace(opened, checking=True), (t.AskWish(c.BillWanted(touch.name)),)
        case Place.DAY if isinstance(touch, t.CarryOver) and shell.held:
            return steps.close_day(shell, carry=True)
        case place if place in entries.PLACES:
            return entries.keyed_in(shell, touch)
        case _:
            return shell, ()


def _selling(shell: Shell, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
    if isinstance(touch, t.Enter):
        # Enter is the primary key, and that is never a second charge.
        ends: dict[Screen, Touch] = {Screen.RESULT: t.Done(), Screen.TIP: t.AddTip()}
        touch = ends.get(shell.till.screen, t.Charge())
    asks = shell.preferences.tips == "on" and shell.till.screen is Screen.AMOUNT
    if isinstance(touch, t.Charge) and asks:
        touch = t.AskTip()
    if not isinstance(touch, _OF_SALE):
        return shell, ()
    wish = shell.till.wish(touch)
    if isinstance(wish, t.AskWish) and isinstance(wish.question, c.PartWanted):
        by = shell.person.name if shell.person is not None else ""
        wish = t.AskWish(replace(wish.question, cashier=by))
    moved = replace(shell, till=shell.till.after(touch))
    return moved, () if wish is None else (wish,)


def _undo(shell: Shell, touch: t.Undo | t.Confirm) -> tuple[Shell, tuple[Wish, ...]]:
    """Asks once more before money goes back, then asks the till."""
    shown = shell.sale
    if shell.place is not Place.SALE or shown is None or shell.busy:
        return shell, ()
    if isinstance(touch, t.Undo) and touch.how in entries.OF_UNDO:
        asked = replace(shell.open(entries.OF_UNDO[touch.how]), entry=0)
        return replace(asked, undoing=touch.how, approver=shell.approver), ()
    if isinstance(touch, t.Undo):
        how = touch.how if touch.how != "keep" else ""
        approver = shell.approver if how else ""
        return replace(shell, undoing=how, approver=approver, note="", remedy=""), ()
    if not shell.undoing:
        return shell, ()
    kind = q.RefundWanted if shell.undoing == "refund" else q.VoidWanted
    by = answers_for(shell.approver, shell.person)
    back = replace(shell.till, returning=True)
    return replace(shell, undoing="", approver="", till=back), (
        t.AskWish(kind(shown.sale.txn_id, by)),
    )


def _train(shell: Shell) -> tuple[Shell, tuple[Wish, ...]]:
    """Into training or out of it: another till, another book, and the real one as it was."""
    if shell.busy:
        return shell, ()
    on = not shell.training
    learner = ViewState(shell.till.currency, basket=Basket(shell.till.basket.stock))
    fresh = Shell(
        till=learner if on else shell.behind or shell.till,
        preferences=shell.preferences,
        staff=shell.staff,
        person=shell.person,
        training=on,
        coin_minor=shell.coin_minor,
        behind=shell.till if on else None,
    )
    return fresh, (t.TrainWish(on),)


def _felt(shell: Shell, face: int) -> tuple[Shell, tuple[Wish, ...]]:
    shown = shell.till.transaction
    if shown is None or shell.felt is not None:
        return shell, ()
    return replace(shell, felt=face), (t.AskWish(q.FeedbackGiven(shown.txn_id, face)),)


def _go(shell: Shell, place: Place) -> tuple[Shell, tuple[Wish, ...]]:
    if shell.busy or (shell.till.screen is Screen.CLOSED and place not in _CLOSED_ALLOWS):
        return shell, ()
    rest = place is Place.SPLIT and shell.till.may_charge_rest
    rest = rest or (place is Place.CASH and shell.till.left_to_pay.minor > 0)
    if shell.till.screen is Screen.RESULT and shell.place is Place.TILL and not rest:
        return shell, ()
    opened = replace(shell.open(place), note="", remedy="")
    match place:
        case Place.QUEUE:
            return opened, (t.AskWish(q.QueueWanted()),)
        case Place.HISTORY:
            return replace(opened, query=""), (t.AskWish(q.HistoryWanted()),)
        case Place.DAY:
            fresh = replace(opened, day=None, day_step=0, exported="", checking=False)
            return replace(fresh, held=(), counted=None, drawer=None), (t.AskWish(q.DayWanted()),)
        case Place.HOLDS:
            return replace(opened, holds=None), (t.AskWish(q.HoldsWanted()),)
        case Place.BILLS:
            return replace(opened, bills=None), (t.AskWish(c.BillsWanted()),)
        case _ if place in entries.PLACES:
            return entries.fresh(opened, shell.till.bill), ()
        case Place.DISCOUNT | Place.ITEMS | Place.SHARE:
            return ordering.opened(shell, opened), ()
        case Place.TOUR:
            return replace(opened, tour_step=0), ()
        case _:
            return opened, ()


def _signed_in(shell: Shell, who: Authorised) -> tuple[Shell, tuple[Wish, ...]]:
    """The PIN was right: what waited for it goes on, if this person may."""
    if shell.place is not Place.LOCK:
        # Nobody waits for it any more.
        return shell, ()
    known = replace(shell, checking=False, pin="")
    intent, needs = shell.intent, shell.needs
    if intent is None:
        return replace(known, person=who).home(), ()
    if needs is not None and not who.may(needs):
        refused = "may not"
        return replace(known, note=refused, remedy=who.name), ()
    # Nobody was signed in: whoever it is stays. Otherwise this was for one deed only.
    there = replace(known.back(), intent=None, needs=None, undoing=shell.undoing)
    deed = replace(there, person=shell.person or who, approver=who.name)
    acted, wishes = act(deed, intent)
    return (acted if acted.undoing else replace(acted, approver="")), wishes
