"""The whole face as a value: the sale in the middle, where somebody is, and who it is.

Rules of this file: pure, and it knows no touch: what happens to it is ``ui.presenter.course``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from terminal.bill import BillStanding, PartWish
from terminal.drawer import DrawerStanding
from terminal.money import Amount
from terminal.roles import Action, Authorised
from terminal.transaction import Transaction
from ui import questions as q
from ui.counter_questions import CodeShown
from ui.presenter.panel import Place
from ui.presenter.preferences import Preferences
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.tap import Tap
from ui.presenter.touches import Touch


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
