"""The whole face: the sale in the middle, and the places around it.

Rules of this file: pure, like ``ViewState``, which it holds. ``step`` folds one happening in and
says what is to be asked of the till because of it. A sale that runs comes before everything: its
first event brings the sale back to the screen, wherever somebody is. What a person may not do
asks for the PIN of somebody who may, and goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from terminal.progress import CardRead, Prompted
from terminal.roles import PIN_DIGITS_MAX, PIN_DIGITS_MIN, Action, Authorised
from ui import questions as q
from ui.events import (
    Finished,
    OutOfService,
    Presenting,
    Refused,
    StaffChanged,
    TillEvent,
)
from ui.presenter import touches as t
from ui.presenter.panel import Place
from ui.presenter.preferences import Preferences
from ui.presenter.rights import answers_for, needed
from ui.presenter.state import Screen, ViewState
from ui.presenter.tap import Tap
from ui.presenter.touches import Touch, Wish
from ui.questions import Answer

QUERY_MAX = 32
TAPS_KEPT = 12
TOUR_STEPS = 4

_SALE_EVENTS = (Presenting, Finished, Refused, OutOfService)
_CLOSED_ALLOWS = {Place.QUEUE, Place.HISTORY, Place.SALE, Place.HELP, Place.MENU, Place.RECEIPT}


@dataclass(frozen=True, slots=True)
class Shell:
    """All that the face knows: the sale, where somebody is, and who it is.

    ``intent`` is what waits for a PIN. ``trail`` are the places that Back leads to. ``behind`` is
    the real sale while somebody trains.
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
    exported: str = ""
    tour_step: int = 0
    taps: tuple[Tap, ...] = ()
    again: int = 0
    felt: int | None = None

    # -- what is asked of it ---------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        """Whether people are known here, and none of them has signed in."""
        return self.staff and self.person is None

    @property
    def busy(self) -> bool:
        """Whether a payment is in hand: nothing else may cover it."""
        return self.till.screen in (Screen.PRESENT, Screen.PROCESSING)

    def may(self, action: Action) -> bool:
        """Whether whoever stands here may do this; anybody may, where nobody has a PIN."""
        return not self.staff or (self.person is not None and self.person.may(action))

    def step(self, happening: TillEvent | Touch) -> tuple[Shell, tuple[Wish, ...]]:
        """The face once this has happened, and what the till is to be asked for."""
        if isinstance(happening, Answer):
            return self._told(happening)
        if not isinstance(happening, Touch):
            return self._event(happening), ()
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
            moved = replace(moved.home(), pin="", intent=None)
        return moved

    # -- touches ---------------------------------------------------------------------------------

    def _touched(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        if self.place is Place.LOCK:
            return self._on_lock(touch)
        action = needed(self, touch)
        # Whoever is signed in may stand with their back to the till while a customer turns it.
        guarded = action is Action.CANCEL_SALE and self.staff and self.preferences.guard == "on"
        if action is not None and (guarded or not self.may(action)):
            return self._ask_for(action, touch), ()
        return self.act(touch)

    def _ask_for(self, action: Action, touch: Touch) -> Shell:
        asked = self._open(Place.LOCK)
        return replace(asked, intent=touch, needs=action, pin="", note="", remedy="")

    def act(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        """What a touch does that is allowed."""
        match touch:
            case t.Go(name):
                return self._go(Place(name))
            case t.Back():
                return self.back(), ()
            case t.Lock():
                return self._lock(), ()
            case t.Choose(name):
                return replace(self, preferences=self.preferences.next_of(name)), ()
            case t.NextStep():
                return self._next()
            case t.Feel(face):
                return self._felt(face)
            case t.Undo() | t.Confirm():
                return self._undo(touch)
            case t.Train():
                return self._train()
            case t.Practise(card):
                return self, (t.PractiseWish(card),) if self.training else ()
            case t.OpenSale() | t.PrintCopy() | t.ShowReceipt() | t.Scanned() | t.SendNow():
                return self._look_up(touch)
            case _ if self.place is Place.HISTORY:
                return self._searching(touch)
            case _:
                return self._selling(touch) if self.place is Place.TILL else (self, ())

    def _look_up(
        self, touch: t.OpenSale | t.PrintCopy | t.ShowReceipt | t.Scanned | t.SendNow
    ) -> tuple[Shell, tuple[Wish, ...]]:
        quiet = replace(self, note="", remedy="")
        match touch:
            case t.OpenSale(txn_id):
                opened = replace(self._open(Place.SALE), sale=None)
                return opened, (t.AskWish(q.SaleWanted(txn_id)),)
            case t.SendNow():
                return quiet, (t.SendWish(), t.AskWish(q.QueueWanted()))
            case t.PrintCopy(txn_id):
                return quiet, (t.AskWish(q.CopyWanted(txn_id)),)
            case t.ShowReceipt():
                return self._receipt()
            case t.Scanned(code, typed):
                return self._scanned(code, typed)

    def _selling(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        if isinstance(touch, t.Enter):
            # Enter is the primary key, and that is never a second charge.
            touch = t.Done() if self.till.screen is Screen.RESULT else t.Charge()
        if not isinstance(touch, _OF_SALE):
            return self, ()
        wish = self.till.wish(touch)
        moved = replace(self, till=self.till.after(touch))
        return moved, () if wish is None else (wish,)

    def _searching(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        match touch:
            case t.Digit(value):
                query = f"{self.query}{value}"
            case t.DoubleZero():
                query = f"{self.query}00"
            case t.Letter(text):
                query = f"{self.query}{text}"
            case t.Backspace():
                query = self.query[:-1]
            case t.Clear():
                query = ""
            case t.Cancel():
                return self.back(), ()
            case _:
                return self, ()
        return self._search(query[:QUERY_MAX])

    def _search(self, query: str) -> tuple[Shell, tuple[Wish, ...]]:
        return replace(self, query=query), (t.AskWish(q.HistoryWanted(query)),)

    def _undo(self, touch: t.Undo | t.Confirm) -> tuple[Shell, tuple[Wish, ...]]:
        """Asks once more before money goes back, then asks the till."""
        shown = self.sale
        if self.place is not Place.SALE or shown is None or self.busy:
            return self, ()
        if isinstance(touch, t.Undo):
            how = touch.how if touch.how != "keep" else ""
            return replace(self, undoing=how, note="", remedy=""), ()
        if not self.undoing:
            return self, ()
        kind = q.RefundWanted if self.undoing == "refund" else q.VoidWanted
        by = answers_for(self.approver, self.person)
        back = replace(self.till, returning=True)
        return replace(self, undoing="", approver="", till=back), (
            t.AskWish(kind(shown.sale.txn_id, by)),
        )

    def _scanned(self, code: str, typed: int) -> tuple[Shell, tuple[Wish, ...]]:
        """A code under the scanner: a receipt opens its sale, in the history it is searched."""
        if self.busy or self.place is Place.LOCK:
            return self, ()
        if self.place is Place.HISTORY:
            return self._search(code[:QUERY_MAX])
        clean = replace(self, till=replace(self.till, typed=typed))
        opened = replace(clean._open(Place.SALE), sale=None)  # noqa: SLF001 - of this class
        return opened, (t.AskWish(q.SaleWanted(code)),)

    def _receipt(self) -> tuple[Shell, tuple[Wish, ...]]:
        shown = self.till.transaction
        if self.place is Place.TILL and shown is not None:
            wanted = t.AskWish(q.SaleWanted(shown.txn_id))
            return replace(self._open(Place.RECEIPT), sale=None), (wanted,)
        return (self._open(Place.RECEIPT), ()) if self.sale is not None else (self, ())

    def _next(self) -> tuple[Shell, tuple[Wish, ...]]:
        if self.place is Place.TOUR:
            if self.tour_step + 1 >= TOUR_STEPS:
                return replace(self.back(), tour_step=0), ()
            return replace(self, tour_step=self.tour_step + 1), ()
        if self.place is not Place.DAY or self.day is None:
            return self, ()
        if self.day_step == 0:
            return replace(self, day_step=1, note="", remedy=""), ()
        if self.day_step == 1:
            closing = replace(self, checking=True, approver="", note="", remedy="")
            return closing, (t.AskWish(q.DayClosed(answers_for(self.approver, self.person))),)
        return self, (t.AskWish(q.DayExported(self.day.report.batch)),)

    def _train(self) -> tuple[Shell, tuple[Wish, ...]]:
        """Into training or out of it: another till, another book, and the real one as it was."""
        if self.busy:
            return self, ()
        on = not self.training
        fresh = Shell(
            till=ViewState(self.till.currency) if on else self.behind or self.till,
            preferences=self.preferences,
            staff=self.staff,
            person=self.person,
            training=on,
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
        if self.till.screen is Screen.RESULT and self.place is Place.TILL:
            return self, ()
        opened = replace(self._open(place), note="", remedy="")
        match place:
            case Place.QUEUE:
                return opened, (t.AskWish(q.QueueWanted()),)
            case Place.HISTORY:
                return replace(opened, query=""), (t.AskWish(q.HistoryWanted()),)
            case Place.DAY:
                fresh = replace(opened, day=None, day_step=0, exported="", checking=False)
                return fresh, (t.AskWish(q.DayWanted()),)
            case Place.TOUR:
                return replace(opened, tour_step=0), ()
            case _:
                return opened, ()

    def _open(self, place: Place) -> Shell:
        trail = (*self.trail, self.place)
        return replace(self, place=place, trail=trail, note="", remedy="", undoing="")

    def at(self, place: Place) -> Shell:
        """This place, from which nothing leads back."""
        return replace(self, place=place, trail=(), pin="", note="", remedy="")

    def home(self) -> Shell:
        """The sale."""
        return self.at(Place.TILL)

    def back(self) -> Shell:
        """The place before this one."""
        if not self.trail:
            return self.home()
        *before, place = self.trail
        return replace(self, place=place, trail=tuple(before), note="", remedy="")

    # -- the lock --------------------------------------------------------------------------------

    def _lock(self) -> Shell:
        if not self.staff or self.busy:
            return self
        if self.till.pending_count and not self.training:
            # Whoever took what waits answers for it until the bank has it.
            return replace(self, note="money waits", remedy="")
        return replace(self.at(Place.LOCK), person=None, intent=None, needs=None)

    def _on_lock(self, touch: Touch) -> tuple[Shell, tuple[Wish, ...]]:
        match touch:
            case t.Digit(value) if len(self.pin) < PIN_DIGITS_MAX and not self.checking:
                return replace(self, pin=f"{self.pin}{value}", note="", remedy=""), ()
            case t.Backspace():
                return replace(self, pin=self.pin[:-1]), ()
            case t.Clear() | t.Scanned():
                return replace(self, pin=""), ()
            case t.Enter() | t.Charge() if len(self.pin) >= PIN_DIGITS_MIN and not self.checking:
                return replace(self, pin="", checking=True), (t.AskWish(q.PinGiven(self.pin)),)
            case t.Back() | t.Cancel() if self.trail and not self.checking:
                return replace(self.back(), intent=None, needs=None, pin=""), ()
            case _:
                return self, ()

    def _signed_in(self, who: Authorised) -> tuple[Shell, tuple[Wish, ...]]:
        """The PIN was right: what waited for it goes on, if this person may."""
        known = replace(self, checking=False, pin="")
        intent, needs = self.intent, self.needs
        if intent is None:
            return replace(known, person=who).home(), ()
        if needs is not None and not who.may(needs):
            refused = "may not"
            return replace(known, note=refused, remedy=who.name), ()
        # Nobody was signed in: whoever it is stays. Otherwise this was for one deed only.
        stays = replace(
            known, person=self.person or who, intent=None, needs=None, approver=who.name
        )
        return stays.back().act(intent)

    # -- answers ---------------------------------------------------------------------------------

    def _told(self, answer: Answer) -> tuple[Shell, tuple[Wish, ...]]:
        match answer:
            case q.SignedIn(who):
                return self._signed_in(who) if self.place is Place.LOCK else (self, ())
            case q.QueueShown():
                return replace(self, queue=answer), ()
            case q.HistoryShown(query):
                return (replace(self, history=answer) if query == self.query else self), ()
            case q.SaleShown():
                return replace(self, sale=answer), ()
            case q.DayShown(closed=closed):
                step = 2 if closed else self.day_step
                return replace(self, day=answer, day_step=step, checking=False), ()
            case q.Done(q.DayExported(), where):
                return replace(self, exported=where), ()
            case q.Done(q.CopyWanted(), where):
                return replace(self, note="printed", remedy=where), ()
            case q.Unanswered(question, message, remedy):
                return self._unanswered(question, message, remedy), ()
            case _:
                return self, ()

    def _unanswered(self, question: object, message: str, remedy: str) -> Shell:
        told = replace(self, note=message, remedy=remedy, checking=False)
        elsewhere = isinstance(question, q.PinGiven) and self.place is not Place.LOCK
        if elsewhere or isinstance(question, q.FeedbackGiven):
            # Nobody waits for it.
            return self
        return told


_OF_SALE = (
    *(t.Digit, t.DoubleZero, t.Backspace, t.Clear, t.Charge, t.Cancel, t.Done, t.Preset, t.Overdue),
)
