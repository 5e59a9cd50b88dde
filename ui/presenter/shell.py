"""The whole face: the sale in the middle, and the places around it.

Rules of this file: pure, like ``ViewState``, which it holds. ``step`` folds one happening in and
says what is to be asked of the till because of it. A sale that runs comes before everything: its
first event brings the sale back to the screen, wherever somebody is. What a person may not do
asks for the PIN of somebody who may, and goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from terminal.bill import BillStanding, PartWish
from terminal.drawer import DrawerStanding
from terminal.money import Amount
from terminal.progress import CardRead, Prompted
from terminal.roles import Action, Authorised
from terminal.transaction import Transaction
from ui import counter_questions as c
from ui import questions as q
from ui.counter_questions import CodeShown
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
from ui.presenter.preferences import Preferences
from ui.presenter.rights import answers_for, needed
from ui.presenter.screens import Screen
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


@dataclass(frozen=True, slots=True)
class Shell:
    """All that the face knows: the sale, where somebody is, and who it is.

    ``intent`` is what waits for a PIN. ``trail`` are the places that Back leads to. ``behind`` is
    the real sale while somebody trains. ``approver`` is whose PIN allowed the deed that is being
    done, and lasts no longer than it. ``entry`` is what has been typed where an amount is asked
    for, ``counted`` the cash that somebody has counted, ``drawer`` as it then stood, ``held`` what
    keeps a day from closing, and ``coin_minor`` the smallest coin of the shop. ``split`` is the
    bill that is parted, ``part`` what the next one pays of it, and ``pending`` how, while the
    bill is being opened. ``line`` is the line of the order that is open, and ``picked`` are those
    of a bill that the next one pays. ``code`` is that of a bank transfer, and ``awaiting`` says
    that the bank is being asked about it.
    """

    till: ViewState
    preferences: Preferences = field(default_factory=Preferences)
    place: Place = Place.TILL
    trail: tuple[Place, ...] = ()
    staff: bool = False
    person: Authorised | None = None
    pin: str = field(default="", repr=False)
    checking: bool = False
    intent: Touch | None = None
    needs: Action | None = None
    note: str = ""
    remedy: str = ""
    training: bool = False
    behind: ViewState | None = None
    query: str = ""
    queue: q.QueueShown | None = None
    history: q.HistoryShown | None = None
    sale: q.SaleShown | None = None
    undoing: str = ""
    approver: str = ""
    day: q.DayShown | None = None
    day_step: int = 0
    held: tuple[Transaction, ...] = ()
    counted: Amount | None = None
    drawer: DrawerStanding | None = None
    holds: q.HoldsShown | None = None
    code: CodeShown | None = None
    awaiting: bool = False
    split: BillStanding | None = None
    part: Amount | None = None
    pending: PartWish | None = None
    bills: tuple[BillStanding, ...] | None = None
    entry: int = 0
    line: int | None = None
    picked: tuple[int, ...] = ()
    coin_minor: int = 1
    exported: str = ""
    tour_step: int = 0
    taps: tuple[Tap, ...] = ()
    again: int = 0
    felt: int | None = None

    # -- what is asked of it ---------------------------------------------------------------------

    @property
    def to_pay(self) -> Amount:
        """What somebody pays next: the typed amount, or what a card has left of the last one."""
        till = self.till
        if self.part is not None:
            return self.part
        return till.due if till.screen is Screen.AMOUNT else till.left_to_pay

    @property
    def locked(self) -> bool:
        """Whether people are known here, and none of them has signed in."""
        return self.staff and self.person is None

    @property
    def busy(self) -> bool:
        """Whether a payment is in hand: nothing else may cover it."""
        return self.till.screen in (Screen.TIP, Screen.PRESENT, Screen.PROCESSING)

    def may(self, action: Action) -> bool:
        """Whether whoever stands here may do this; anybody may, where nobody has a PIN."""
        return not self.staff or (self.person is not None and self.person.may(action))

    def step(self, happening: TillEvent | Touch) -> tuple[Shell, tuple[Wish, ...]]:
        """The face once this has happened, and what the till is to be asked for."""
        if isinstance(happening, Answer):
            return told(self, happening)
        if not isinstance(happening, Touch):
            return self._event(happening), about_card(happening)
        if isinstance(happening, t.Overdue):
            return replace(self, till=self.till.after(happening)), ()
        return self._touched(happening)

    # -- events ----------------------------------------------------------------------------------

    def _event(self, event: TillEvent) -> Shell:
        if isinstance(event, StaffChanged):
            known = replace(self, staff=event.anybody)
            if known.locked and not known.busy:
                return known.at(Place.LOCK)
            return known if event.anybody else replace(known, person=None).home()
        moved = replace(self, till=self.till.after(event))
        match event:
            case Presenting():
                moved = replace(moved, again=0, felt=None)
            case Prompted():
                moved = replace(moved, again=self.again + 1)
            case CardRead(card_s, terminal_s):
                tap = Tap(card_s, terminal_s, self.again)
                moved = replace(moved, taps=(*self.taps, tap)[-TAPS_KEPT:])
        if isinstance(event, _SALE_EVENTS) and self.place is not Place.TILL:
            moved = replace(moved.home(), pin="", intent=None, awaiting=False)
        return moved

    # -- touches ---------------------------------------------------------------------------------

    def _touched(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        if self.place is Place.LOCK:
            return lock.on_lock(self, touch)
        action = needed(self, touch)
        # Whoever is signed in may stand with their back to the till while a customer turns it.
        guarded = action is Action.CANCEL_SALE and self.staff and self.preferences.guard == "on"
        if action is not None and (guarded or not self.may(action)):
            return self._ask_for(action, touch), ()
        return self.act(touch)

    def _ask_for(self, action: Action, touch: Touch) -> Shell:
        asked = self.open(Place.LOCK)
        return replace(
            asked, undoing=self.undoing, intent=touch, needs=action, pin="", note="", remedy=""
        )

    def act(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        """What a touch does that is allowed."""
        match touch:
            case t.Go(name):
                return self._go(Place(name))
            case t.Back():
                return self.back(), ()
            case t.Lock():
                return lock.locked(self), ()
            case t.Choose(name):
                return replace(self, preferences=self.preferences.next_of(name)), ()
            case t.NextStep():
                return steps.next_step(self)
            case t.Feel(face):
                return self._felt(face)
            case t.Undo() | t.Confirm():
                return self._undo(touch)
            case t.Train():
                return self._train()
            case t.OpenSale() | t.PrintCopy() | t.ShowReceipt() | t.Scanned() | t.SendNow():
                return lookups.look_up(self, touch)
            case t.Practise(card):
                return self, (t.PractiseWish(card),) if self.training else ()
            case _:
                return self._here(touch)

    def _here(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        """What a touch does in this place alone."""
        if self.place is Place.SHARE:
            return parting.on_share(self, touch)
        if isinstance(touch, t.Transfer):
            return transferred(self, touch)
        of_order = ordering.here(self, touch)
        if of_order is not None:
            return of_order
        match self.place:
            case Place.TILL:
                return self._selling(touch)
            case Place.HISTORY:
                return lookups.searching(self, touch)
            case Place.TRANSFER:
                return on_code(self, touch)
            case Place.WAYS if isinstance(touch, t.Hold | t.AskTip):
                return self.home()._selling(touch)  # noqa: SLF001 - of this class
            case Place.BILLS if isinstance(touch, t.OpenBill):
                opened = entries.fresh(self.open(Place.SPLIT), None)
                return replace(opened, checking=True), (t.AskWish(c.BillWanted(touch.name)),)
            case Place.DAY if isinstance(touch, t.CarryOver) and self.held:
                return steps.close_day(self, carry=True)
            case place if place in entries.PLACES:
                return entries.keyed_in(self, touch)
            case _:
                return self, ()

    def _selling(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        if isinstance(touch, t.Enter):
            # Enter is the primary key, and that is never a second charge.
            ends: dict[Screen, Touch] = {Screen.RESULT: t.Done(), Screen.TIP: t.AddTip()}
            touch = ends.get(self.till.screen, t.Charge())
        asks = self.preferences.tips == "on" and self.till.screen is Screen.AMOUNT
        if isinstance(touch, t.Charge) and asks:
            touch = t.AskTip()
        if not isinstance(touch, _OF_SALE):
            return self, ()
        wish = self.till.wish(touch)
        if isinstance(wish, t.AskWish) and isinstance(wish.question, c.PartWanted):
            by = self.person.name if self.person is not None else ""
            wish = t.AskWish(replace(wish.question, cashier=by))
        moved = replace(self, till=self.till.after(touch))
        return moved, () if wish is None else (wish,)

    def _undo(self, touch: t.Undo | t.Confirm) -> tuple[Shell, tuple[Wish, ...]]:
        """Asks once more before money goes back, then asks the till."""
        shown = self.sale
        if self.place is not Place.SALE or shown is None or self.busy:
            return self, ()
        if isinstance(touch, t.Undo) and touch.how in entries.OF_UNDO:
            asked = replace(self.open(entries.OF_UNDO[touch.how]), entry=0)
            return replace(asked, undoing=touch.how, approver=self.approver), ()
        if isinstance(touch, t.Undo):
            how = touch.how if touch.how != "keep" else ""
            approver = self.approver if how else ""
            return replace(self, undoing=how, approver=approver, note="", remedy=""), ()
        if not self.undoing:
            return self, ()
        kind = q.RefundWanted if self.undoing == "refund" else q.VoidWanted
        by = answers_for(self.approver, self.person)
        back = replace(self.till, returning=True)
        return replace(self, undoing="", approver="", till=back), (
            t.AskWish(kind(shown.sale.txn_id, by)),
        )

    def _train(self) -> tuple[Shell, tuple[Wish, ...]]:
        """Into training or out of it: another till, another book, and the real one as it was."""
        if self.busy:
            return self, ()
        on = not self.training
        learner = ViewState(self.till.currency, basket=Basket(self.till.basket.stock))
        fresh = Shell(
            till=learner if on else self.behind or self.till,
            preferences=self.preferences,
            staff=self.staff,
            person=self.person,
            training=on,
            coin_minor=self.coin_minor,
            behind=self.till if on else None,
        )
        return fresh, (t.TrainWish(on),)

    def _felt(self, face: int) -> tuple[Shell, tuple[Wish, ...]]:
        shown = self.till.transaction
        if shown is None or self.felt is not None:
            return self, ()
        return replace(self, felt=face), (t.AskWish(q.FeedbackGiven(shown.txn_id, face)),)

    # -- places ----------------------------------------------------------------------------------

    def _go(self, place: Place) -> tuple[Shell, tuple[Wish, ...]]:
        if self.busy or (self.till.screen is Screen.CLOSED and place not in _CLOSED_ALLOWS):
            return self, ()
        rest = place is Place.SPLIT and self.till.may_charge_rest
        rest = rest or (place is Place.CASH and self.till.left_to_pay.minor > 0)
        if self.till.screen is Screen.RESULT and self.place is Place.TILL and not rest:
            return self, ()
        opened = replace(self.open(place), note="", remedy="")
        match place:
            case Place.QUEUE:
                return opened, (t.AskWish(q.QueueWanted()),)
            case Place.HISTORY:
                return replace(opened, query=""), (t.AskWish(q.HistoryWanted()),)
            case Place.DAY:
                fresh = replace(opened, day=None, day_step=0, exported="", checking=False)
                return replace(fresh, held=(), counted=None, drawer=None), (
                    t.AskWish(q.DayWanted()),
                )
            case Place.HOLDS:
                return replace(opened, holds=None), (t.AskWish(q.HoldsWanted()),)
            case Place.BILLS:
                return replace(opened, bills=None), (t.AskWish(c.BillsWanted()),)
            case _ if place in entries.PLACES:
                return entries.fresh(opened, self.till.bill), ()
            case Place.DISCOUNT | Place.ITEMS | Place.SHARE:
                return ordering.opened(self, opened), ()
            case Place.TOUR:
                return replace(opened, tour_step=0), ()
            case _:
                return opened, ()

    def open(self, place: Place) -> Shell:
        """This place, from which Back leads here."""
        trail = (*self.trail, self.place)
        quiet = replace(self, note="", remedy="", undoing="", approver="")
        return replace(quiet, place=place, trail=trail)

    def at(self, place: Place) -> Shell:
        """This place, from which nothing leads back."""
        quiet = replace(self, pin="", note="", remedy="", undoing="", approver="")
        return replace(quiet, place=place, trail=(), checking=False)

    def home(self) -> Shell:
        """The sale."""
        return self.at(Place.TILL)

    def back(self) -> Shell:
        """The place before this one."""
        if not self.trail:
            return self.home()
        *before, place = self.trail
        quiet = replace(self, note="", remedy="", undoing="", approver="")
        return replace(quiet, place=place, trail=tuple(before))


_OF_SALE = (
    *(t.Digit, t.DoubleZero, t.Backspace, t.Clear, t.Charge, t.Cancel, t.Done, t.Preset, t.Overdue),
    *(t.AskTip, t.Tip, t.TipOther, t.AddTip, t.Hold),
)
